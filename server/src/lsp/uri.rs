//! File URIs as editors really send them, and back.
//!
//! Pure: nothing is looked up on disk, `..` is resolved by its letters, and Unicode is kept as it came (a name in NFD
//! stays in NFD). Which rules apply is a parameter, so that Windows is tested everywhere.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStyle {
    Posix,
    Windows,
}

impl PathStyle {
    pub const NATIVE: PathStyle = if cfg!(windows) { PathStyle::Windows } else { PathStyle::Posix };
}

/// The file a URI names on this machine: absolute and without `.` and `..`. `None` for everything that is no local
/// file, like `untitled:`, `git:` or `vscode-remote:`.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    native(path_bytes(uri, PathStyle::NATIVE)?)
}

/// The URI of an absolute path.
pub fn from_path(path: &Path) -> String {
    uri_of(path.as_os_str().as_encoded_bytes(), PathStyle::NATIVE)
}

/// [`to_path`] in the style of any system. Names of files need not be UTF-8, so the path is bytes.
pub fn path_bytes(uri: &str, style: PathStyle) -> Option<Vec<u8>> {
    let rest = strip_scheme(uri)?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match rest.strip_prefix("//") {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
    };
    let path: Vec<u8> = percent_decode_str(path).collect();
    let host: Vec<u8> = percent_decode_str(host).collect();
    if path.contains(&0) || host.contains(&0) {
        return None;
    }
    match style {
        PathStyle::Posix => (is_local(&host) && path.starts_with(b"/")).then(|| join(b"/", &parts(&path, style), b'/')),
        PathStyle::Windows => windows_path(&host, &path),
    }
}

/// [`from_path`] in the style of any system.
pub fn uri_of(path: &[u8], style: PathStyle) -> String {
    let encode = |bytes: &[u8]| percent_encode(bytes, ENCODED).to_string();
    if style == PathStyle::Posix {
        return format!("file://{}", encode(path));
    }
    let path: Vec<u8> = path.iter().map(|it| if *it == b'\\' { b'/' } else { *it }).collect();
    let path = path.strip_prefix(b"//?/UNC").or_else(|| path.strip_prefix(b"//?/")).unwrap_or(&path);
    match path {
        // The drive's colon stays: every editor reads it so.
        [letter, b':', rest @ ..] if letter.is_ascii_alphabetic() => {
            format!("file:///{}:{}", char::from(letter.to_ascii_uppercase()), encode(rest))
        }
        [b'/', b'/', rest @ ..] | [b'/', rest @ ..] => format!("file://{}", encode(rest)),
        rest => format!("file:///{}", encode(rest)),
    }
}

// What VS Code and the URL standard leave readable in a path, and nothing that means something in a URI.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn strip_scheme(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    scheme.eq_ignore_ascii_case("file").then_some(rest)
}

fn is_local(host: &[u8]) -> bool {
    host.is_empty() || host.eq_ignore_ascii_case(b"localhost")
}

fn windows_path(host: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    // `file://c:/x` is wrong, and sent.
    if let [letter, b':'] = host {
        return drive(*letter, &parts(path, PathStyle::Windows));
    }
    let mut parts = parts(path, PathStyle::Windows);
    if !is_local(host) || path.starts_with(b"//") || path.starts_with(b"\\\\") {
        return share(host, parts);
    }
    if parts.is_empty() {
        return None;
    }
    match parts.remove(0) {
        [letter, b':' | b'|'] => drive(*letter, &parts),
        _ => None,
    }
}

/// `C:\x`. The letter is upper case, as Windows itself writes it, whatever the editor prefers.
fn drive(letter: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    letter.is_ascii_alphabetic().then(|| join(&[letter.to_ascii_uppercase(), b':', b'\\'], parts, b'\\'))
}

/// `\\host\share\x`. In `file:////host/share/x` the host is the path's first part.
fn share(host: &[u8], mut parts: Vec<&[u8]>) -> Option<Vec<u8>> {
    let host = if is_local(host) { (!parts.is_empty()).then(|| parts.remove(0))? } else { host };
    (!parts.is_empty()).then(|| join(&[b"\\\\", host, b"\\"].concat(), &parts, b'\\'))
}

/// The names on the way, `.` and `..` resolved; nothing leads above the root, and a drive or share is part of the root.
fn parts(path: &[u8], style: PathStyle) -> Vec<&[u8]> {
    let is_separator = |it: &u8| *it == b'/' || (style == PathStyle::Windows && *it == b'\\');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(is_separator) {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some([_, b':' | b'|']) if style == PathStyle::Windows && parts.len() == 1 => {}
                _ => drop(parts.pop()),
            },
            part => parts.push(part),
        }
    }
    parts
}

fn join(root: &[u8], parts: &[&[u8]], separator: u8) -> Vec<u8> {
    [root, &parts.join(&separator)].concat()
}

#[cfg(unix)]
fn native(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn native(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: PathStyle, uri: &str, path: impl Into<Option<&'static str>>) {
        let found = path_bytes(uri, style).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(found.as_deref(), path.into());
    }

    fn posix(uri: &str, path: impl Into<Option<&'static str>>) {
        check(PathStyle::Posix, uri, path);
    }

    fn windows(uri: &str, path: impl Into<Option<&'static str>>) {
        check(PathStyle::Windows, uri, path);
    }

    #[test]
    fn plain_paths() {
        posix("file:///home/me/main.js", "/home/me/main.js");
        posix("FILE:///home/me/main.js", "/home/me/main.js");
        posix("file://localhost/home/main.js", "/home/main.js");
        posix("file:/home/main.js", "/home/main.js");
        posix("file:///home/me/", "/home/me");
        posix("file:///", "/");
    }

    #[test]
    fn percent_encoding_and_spaces() {
        posix("file:///my%20app/a%2Bb%40c.js", "/my app/a+b@c.js");
        posix("file:///my app/[id].js", "/my app/[id].js");
        posix("file:///100%/a%zz.js", "/100%/a%zz.js");
        posix("file:///a%23b%3Fc.js", "/a#b?c.js");
        posix("file:///a.js#L3", "/a.js");
        posix("file:///a.js?x=1", "/a.js");
        posix("file:///a%252Fb", "/a%2Fb");
    }

    #[test]
    fn unicode_is_kept_as_it_came() {
        posix("file:///caf%C3%A9.js", "/caf\u{e9}.js");
        posix("file:///cafe%CC%81.js", "/cafe\u{301}.js");
        posix("file:///café/漢字/😀.js", "/café/漢字/😀.js");
        assert_eq!(path_bytes("file:///%ff.js", PathStyle::Posix).unwrap(), b"/\xff.js");
    }

    #[test]
    fn dots_are_resolved_by_their_letters() {
        posix("file:///root/../x/./y.js", "/x/y.js");
        posix("file:///root/%2e%2E/x.js", "/x.js");
        posix("file:///root/a%2F..%2F..%2F..%2Fx.js", "/x.js");
        posix("file:///../../x.js", "/x.js");
        posix("file:///a//b.js", "/a/b.js");
        posix("file:///a/...", "/a/...");
        windows("file:///C:/root/../x.js", "C:\\x.js");
        windows("file:///c%3A/../../x.js", "C:\\x.js");
        windows("file:///c%3A/root/%2e%2e%5C..%5cx.js", "C:\\x.js");
    }

    #[test]
    fn what_is_no_local_file_has_no_path() {
        for style in [PathStyle::Posix, PathStyle::Windows] {
            for uri in [
                "untitled:Untitled-1",
                "untitled:/home/me/new.js",
                "git:/home/me/main.js?%7B%22ref%22%3A%22%22%7D",
                "vscode-remote://ssh-remote+box/home/main.js",
                "vscode-notebook-cell:/a.ipynb#x",
                "http://example.org/a.js",
                "",
                "main.js",
                "file:",
                "file:main.js",
                "file:///a%00b",
            ] {
                check(style, uri, None);
            }
        }
        posix("file://server/share/a.js", None);
        windows("file:///home/me/main.js", None);
        windows("file://server", None);
        windows("file:///1:/x", None);
    }

    #[test]
    fn drives_in_every_spelling() {
        for uri in [
            "file:///c%3A/my%20app/main.js",
            "file:///C%3a/my%20app/main.js",
            "file:///c:/my%20app/main.js",
            "file:///C:/my app/main.js",
            "file://c:/my%20app/main.js",
            "file:/C:/my%20app/main.js",
            "file:///C|/my%20app/main.js",
            "file:///C:\\my app\\main.js",
            "file:///C:%5Cmy%20app%5Cmain.js",
        ] {
            windows(uri, "C:\\my app\\main.js");
        }
        windows("file:///d%3A/", "D:\\");
        windows("file:///d:", "D:\\");
    }

    #[test]
    fn shares() {
        windows("file://server/share/a%20b.js", "\\\\server\\share\\a b.js");
        windows("file:////server/share/a.js", "\\\\server\\share\\a.js");
        windows("file://wsl%24/Ubuntu/home/a.js", "\\\\wsl$\\Ubuntu\\home\\a.js");
        windows("file://wsl.localhost/Ubuntu/home/a.js", "\\\\wsl.localhost\\Ubuntu\\home\\a.js");
    }

    #[test]
    fn paths_become_uris_that_lead_back() {
        let check = |style, path: &str, uri: &str| {
            assert_eq!(uri_of(path.as_bytes(), style), uri);
            assert_eq!(path_bytes(uri, style).as_deref(), Some(path.as_bytes()));
        };
        check(PathStyle::Posix, "/home/my app/[id]#?%.js", "file:///home/my%20app/%5Bid%5D%23%3F%25.js");
        check(PathStyle::Posix, "/cafe\u{301}", "file:///cafe%CC%81");
        check(PathStyle::Posix, "/", "file:///");
        check(PathStyle::Windows, "C:\\my app\\a.js", "file:///C:/my%20app/a.js");
        check(PathStyle::Windows, "C:\\", "file:///C:/");
        check(PathStyle::Windows, "\\\\server\\share\\a.js", "file://server/share/a.js");
    }

    #[test]
    fn verbatim_prefixes_of_windows_do_not_show() {
        assert_eq!(uri_of(br"\\?\c:\x\a.js", PathStyle::Windows), "file:///C:/x/a.js");
        assert_eq!(uri_of(br"\\?\UNC\server\share\a.js", PathStyle::Windows), "file://server/share/a.js");
    }

    #[test]
    fn native_paths_lead_back() {
        let path = std::env::temp_dir().join("a b.js");
        assert_eq!(to_path(&from_path(&path)), Some(path));
    }
}
