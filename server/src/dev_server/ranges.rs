//! Conditional and partial answers: ETag, If-None-Match, Range, If-Range.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A strong ETag from the content.
pub(super) fn etag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:x}-{:016x}\"", content.len(), hasher.finish())
}

/// Whether the client says that it has this version. `*` is any version that exists.
pub(super) fn has_current(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == etag)
}

pub(super) fn not_modified(etag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, etag), (header::CACHE_CONTROL, "no-cache")]).into_response()
}

/// What a request wants of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Part(Range<u64>),
    /// A part that begins after the end.
    Nothing,
}

/// One range is honoured. Several are answered with the whole, as are ranges that make no sense and those of another version.
pub(super) fn wanted(headers: &HeaderMap, etag: &str, length: u64) -> Wanted {
    if headers.get(header::IF_RANGE).is_some_and(|version| version != etag) {
        return Wanted::All;
    }
    let mut ranges = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Wanted::All };
    let range = range.to_str().ok().and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.filter(|range| !range.contains(',')).and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::All;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    // Numbers too large for 64 bits are too large for every file.
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    let part = match (is_number(first), is_number(last)) {
        (true, true) if number(first) <= number(last) => number(first)..number(last).saturating_add(1).min(length),
        (true, false) if last.is_empty() => number(first)..length,
        (false, true) if first.is_empty() => length.saturating_sub(number(last))..length,
        _ => return Wanted::All,
    };
    match part.is_empty() {
        true => Wanted::Nothing,
        false => Wanted::Part(part),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(range: &str, expected: Wanted) {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).expect("a header"));
        assert_eq!(wanted(&headers, "\"tag\"", 100), expected, "{range}");
    }

    #[test]
    fn one_range_is_honoured() {
        check("bytes=0-9", Wanted::Part(0..10));
        check("bytes=90-", Wanted::Part(90..100));
        check("bytes=90-1000", Wanted::Part(90..100));
        check("bytes=-10", Wanted::Part(90..100));
        check("bytes=-1000", Wanted::Part(0..100));
        check("bytes=99-99", Wanted::Part(99..100));
    }

    #[test]
    fn a_range_after_the_end_is_nothing() {
        check("bytes=100-", Wanted::Nothing);
        check("bytes=99999999999-", Wanted::Nothing);
        check("bytes=99999999999999999999999999-", Wanted::Nothing);
        check("bytes=-0", Wanted::Nothing);
    }

    #[test]
    fn what_makes_no_sense_or_is_several_gets_everything() {
        for range in
            ["bytes=", "bytes=-", "bytes=a-b", "bytes=9-1", "bytes=+1-2", "lines=1-2", "bytes=0-1,5-6", "bytes 0-1", ""]
        {
            check(range, Wanted::All);
        }
        check(&format!("bytes={}", vec!["0-1"; 1000].join(",")), Wanted::All);
    }

    #[test]
    fn a_part_of_another_version_is_not_given() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"other\""));
        assert_eq!(wanted(&headers, "\"tag\"", 100), Wanted::All);
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"tag\""));
        assert_eq!(wanted(&headers, "\"tag\"", 100), Wanted::Part(0..10));
    }

    #[test]
    fn etags_tell_contents_apart() {
        assert_eq!(etag_of(b"a"), etag_of(b"a"));
        assert_ne!(etag_of(b"a"), etag_of(b"b"));
    }
}
