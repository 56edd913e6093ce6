//! The page's runtime, embedded in the binary.

use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::ranges;
use super::refusal::Refusal;

/// Name below `runtime/` and text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runtime_files.rs"));

pub(super) async fn boot(headers: HeaderMap) -> Response {
    answer("boot.js", &headers)
}

pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

fn answer(name: &str, headers: &HeaderMap) -> Response {
    let Some((_, text)) = FILES.iter().find(|(it, _)| *it == name) else { return Refusal::NOT_OURS.into_response() };
    let etag = ranges::etag_of(text.as_bytes());
    if ranges::has_current(headers, &etag) {
        return ranges::not_modified(&etag);
    }
    let head = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::ETAG, etag.as_str()),
    ];
    (head, *text).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Served;

    #[test]
    fn the_runtime_is_in_the_binary() {
        let served = Served::new();
        for path in ["/@capuchin/boot.js", "/@capuchin/runtime/client.js"] {
            let answer = served.get(path, &[]);
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, Some("text/javascript; charset=utf-8")),
                "{path}"
            );
            let etag = format!("if-none-match: {}", answer.header("etag").expect("an ETag"));
            assert_eq!(served.get(path, &[&etag]).status, 304);
        }
        assert!(
            !served.get("/@capuchin/boot.js", &[]).text().contains(served.token()),
            "every site can run a classic script"
        );
    }

    #[test]
    fn nothing_else_is_at_our_addresses() {
        let served = Served::new();
        served.folders.write("root/@capuchin/x.js", "x");
        let paths = [
            "/@capuchin/",
            "/@capuchin/x.js",
            "/@capuchin",
            "/%40capuchin/x.js",
            "/@capuchin/runtime/",
            "/@capuchin/runtime/none.js",
            "/@capuchin/runtime/test/x.js",
            "/@capuchin/runtime/..%2fx.js",
            "/@capuchin/runtime/../boot.js",
            "/@capuchin/runtime/package.json",
        ];
        for path in paths {
            let answer = served.get(path, &["accept: text/html"]);
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
        }
    }
}
