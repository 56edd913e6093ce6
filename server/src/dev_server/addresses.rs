//! URL paths and queries: taken apart once, strictly, before anybody looks at a file.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::refusal::Refusal;
use super::{PREFIX, resolve};
use crate::modules::Root;

/// A URL path, decoded. No segment is empty, `.`, `..`, or holds a separator or a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) segments: Vec<String>,
    /// It ended with a slash.
    pub(super) is_folder: bool,
}

impl Address {
    pub(super) fn parse(path: &str) -> Result<Address, Refusal> {
        if path == "/" {
            return Ok(Address { segments: Vec::new(), is_folder: true });
        }
        let path = path.strip_prefix('/').ok_or(Refusal::BAD_PATH)?;
        let (path, is_folder) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        let segments = path.split('/').map(decode).collect::<Result<_, _>>()?;
        Ok(Address { segments, is_folder })
    }

    pub(super) fn join(&self, name: &str) -> Address {
        let mut segments = self.segments.clone();
        segments.push(name.to_owned());
        Address { segments, is_folder: false }
    }

    pub(super) fn has_extension(&self) -> bool {
        self.segments.last().is_some_and(|name| name.contains('.'))
    }
}

fn decode(segment: &str) -> Result<String, Refusal> {
    let bytes = segment.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_encoded_well = bytes.iter().enumerate().all(|(at, c)| *c != b'%' || (is_hex(at + 1) && is_hex(at + 2)));
    if !is_encoded_well {
        return Err(Refusal::BAD_PATH);
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| Refusal::BAD_PATH)?;
    let has_bad_character = decoded.chars().any(|c| matches!(c, '/' | '\\') || c.is_control());
    // On Windows a colon names a drive or a stream of a file, and a dot or space at the end is dropped.
    let is_bad_on_windows = cfg!(windows) && (decoded.contains(':') || decoded.ends_with(['.', ' ']));
    if matches!(&*decoded, "" | "." | "..") || has_bad_character || is_bad_on_windows {
        return Err(Refusal::BAD_PATH);
    }
    Ok(decoded.into_owned())
}

/// A module id as we would write it, from one as a page wrote it. An inline script's id keeps its number.
pub(super) fn valid_id(root: &Root, id: &str) -> Result<String, Refusal> {
    // What the program itself puts in the place of modules, an empty one for example.
    let is_plain = |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
    if id.strip_prefix(PREFIX).is_some_and(is_plain) {
        return Ok(id.to_owned());
    }
    let (path, inline) = match id.split_once("?inline=") {
        Some((path, n)) => (path, Some(n.parse::<u32>().map_err(|_| Refusal::BAD_QUERY)?)),
        None => (id, None),
    };
    let address = Address::parse(path)?;
    if address.is_folder || path.contains(['?', '#']) {
        return Err(Refusal::BAD_QUERY);
    }
    resolve::check_names(None, address.segments.iter().map(String::as_str))?;
    let id = root.normalize(path).ok_or(Refusal::BAD_QUERY)?;
    Ok(match inline {
        Some(n) => format!("{id}?inline={n}"),
        None => id,
    })
}

pub(crate) fn query(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

pub(super) fn query_value(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folders;
    use super::*;

    #[test]
    fn paths_are_decoded_once_and_strictly() {
        let good: &[(&str, &[&str], bool)] = &[
            ("/", &[], true),
            ("/a.js", &["a.js"], false),
            ("/a/b/", &["a", "b"], true),
            ("/a%20b/%c3%a9.js", &["a b", "é.js"], false),
            ("/%252e%252e", &["%2e%2e"], false),
            ("/..;", &["..;"], false),
            ("/....", &["...."], false),
        ];
        for (path, segments, is_folder) in good {
            let address = Address::parse(path).expect(path);
            let decoded: Vec<&str> = address.segments.iter().map(String::as_str).collect();
            assert_eq!((decoded.as_slice(), address.is_folder), (*segments, *is_folder), "{path}");
        }
        let bad = [
            "",
            "*",
            "a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/%2e",
            "/%2E%2e/a",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/%00",
            "/a%0d%0ab",
            "/%7f",
            "/%",
            "/%4",
            "/%zz",
            "/%E0%A4%A",
            "/%c0%ae",
            "/%ff",
        ];
        for path in bad {
            assert_eq!(Address::parse(path), Err(Refusal::BAD_PATH), "{path}");
        }
    }

    #[test]
    fn one_file_has_one_id() {
        let folders = Folders::new();
        let root = Root::open(&folders.root()).expect("it exists");
        let valid_id = |id: &str| valid_id(&root, id);
        for path in ["/a b/é.js", "/a%20b/é.js", "/%61%20b/%C3%A9.js"] {
            assert_eq!(valid_id(path).as_deref(), Ok("/a%20b/%C3%A9.js"), "{path}");
        }
        for id in ["/index.html?inline=3", "/@modules/x/index.js", "/%40modules/x.js", "/@capuchin/empty"] {
            assert_eq!(valid_id(id).as_deref(), Ok(id));
        }
    }

    #[test]
    fn ids_that_lead_elsewhere_are_refused() {
        let folders = Folders::new();
        let root = Root::open(&folders.root()).expect("it exists");
        for id in [
            "main.js",
            "/../main.js",
            "/.env",
            "/a/.git/x.js",
            "/tls.pem",
            "/a.js?x",
            "/index.html?inline=x",
            "/index.html?inline=-1",
            "/a/",
            "/a.js#b",
            "/x",
            "/@capuchin/",
            "/@capuchin/a/b",
            "/@modules-99/x.js",
        ] {
            assert!(valid_id(&root, id).is_err(), "{id}");
        }
    }
}
