//! The project root, and the one place that converts between module ids and paths. Pure string work, except for
//! [`Root::open`] and [`Root::locate`].

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// The folder that is served: canonical, so that a path has exactly one id.
///
/// ```text
/// /home/me/game/src/a b.js                    /src/a%20b.js
/// /home/me/game/node_modules/x/index.js       /node_modules/x/index.js
/// /home/me/node_modules/x/index.js            /@modules/x/index.js        hoisted one folder up
/// /home/node_modules/x/index.js               /@modules-2/x/index.js      two folders up
/// anything else                               no id
/// ```
///
/// **Invariant:** an id never leads out of the root, but for the `node_modules` folders of the root's ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
}

/// Why a folder cannot be served: one sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum RootProblem {
    #[error("the folder '{0}' does not exist")]
    Missing(String),
    #[error("'{0}' is a file, not a folder")]
    NotAFolder(String),
    #[error("the folder '{0}' cannot be read: {1}")]
    Unreadable(String, io::Error),
}

impl Root {
    /// Opens a folder that exists and can be listed.
    pub fn open(path: &Path) -> Result<Root, RootProblem> {
        let shown = || path.display().to_string();
        let canonical = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => RootProblem::Missing(shown()),
            io::ErrorKind::NotADirectory => RootProblem::NotAFolder(shown()),
            _ => RootProblem::Unreadable(shown(), error),
        })?;
        if !canonical.is_dir() {
            return Err(RootProblem::NotAFolder(shown()));
        }
        std::fs::read_dir(&canonical).map_err(|error| RootProblem::Unreadable(shown(), error))?;
        Ok(Root { path: without_verbatim_prefix(canonical) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The id of a file. The path must be real (no links, no `..`): see [`Root::locate`] for the others.
    pub fn id_of(&self, real: &Path) -> Option<String> {
        if let Ok(relative) = real.strip_prefix(&self.path) {
            return encode(String::new(), relative);
        }
        self.path.ancestors().skip(1).zip(1..).find_map(|(ancestor, level)| {
            let relative = real.strip_prefix(ancestor.join("node_modules")).ok()?;
            encode(hoisted_prefix(level), relative)
        })
    }

    /// The path that an id (or the path of a URL, however it is escaped) stands for; a query or fragment does not count.
    /// The file need not exist. `None` for what no id can be: `..`, an escaped separator, a broken escape.
    pub fn path_of(&self, id: &str) -> Option<PathBuf> {
        let (path, _) = split_suffix(id);
        let (mut file, relative) = self.base_of(path)?;
        for segment in relative.split('/') {
            let name = percent_decode_segment(segment)?;
            if !is_plain_name(&name, cfg!(windows)) {
                return None;
            }
            file.push(name);
        }
        Some(file)
    }

    /// The id in its one spelling, from the path and query of a URL: `/a%2Ejs?x` and `/a.js?x` are the same module.
    pub fn normalize(&self, url: &str) -> Option<String> {
        let (path, suffix) = split_suffix(url);
        let id = self.id_of(&self.path_of(path)?)?;
        Some(id + suffix)
    }

    /// The id and real path of a file as an editor or a watcher names it: through links, not yet written, already deleted.
    pub fn locate(&self, path: &Path) -> Option<(String, PathBuf)> {
        let real = real_path(path)?;
        let id = self.id_of(&real)?;
        Some((id, real))
    }

    /// The folder that an id counts from, and the rest of the id.
    fn base_of<'a>(&self, id: &'a str) -> Option<(PathBuf, &'a str)> {
        let relative = id.strip_prefix('/')?;
        let Some((level, rest)) = hoisted_level(relative) else {
            return Some((self.path.clone(), relative));
        };
        let ancestor = self.path.ancestors().nth(level)?;
        Some((ancestor.join("node_modules"), rest))
    }
}

/// Splits `/a.js?x#y` before the query or fragment.
pub(crate) fn split_suffix(url: &str) -> (&str, &str) {
    url.split_at(url.find(['?', '#']).unwrap_or(url.len()))
}

/// Undoes percent-encoding; `None` when the result is no file name on this system.
pub(crate) fn percent_decode_segment(segment: &str) -> Option<OsString> {
    let bytes: Cow<'_, [u8]> = percent_decode_str(segment).into();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        Some(OsString::from_vec(bytes.into_owned()))
    }
    #[cfg(not(unix))]
    {
        String::from_utf8(bytes.into_owned()).ok().map(OsString::from)
    }
}

/// Windows answers `canonicalize` with `\\?\C:\…`, which no other program writes; the ordinary form is used everywhere.
pub(crate) fn without_verbatim_prefix(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(plain_windows_path) {
        Some(plain) => PathBuf::from(plain),
        None => path,
    }
}

/// `C:\x` of `\\?\C:\x`; `None` for everything else.
fn plain_windows_path(path: &str) -> Option<&str> {
    let plain = path.strip_prefix(r"\\?\")?;
    let bytes = plain.as_bytes();
    let is_drive = bytes.first()?.is_ascii_alphabetic() && bytes.get(1..3)? == b":\\";
    is_drive.then_some(plain)
}

/// What the URL standard escapes in a path, and what would be read as something else there (`%`, `?`, `#`, `\`).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

const HOISTED: &str = "@modules";
const OWN: &str = "@capuchin";

fn encode(prefix: String, relative: &Path) -> Option<String> {
    let mut id = prefix;
    for component in relative.components() {
        let Component::Normal(name) = component else {
            return None;
        };
        let is_first = id.is_empty();
        id.push('/');
        let mut name = name.as_encoded_bytes();
        // A folder of the user's that is named like our own prefixes must not be taken for them.
        if is_first && (name.starts_with(HOISTED.as_bytes()) || name.starts_with(OWN.as_bytes())) {
            id.push_str("%40");
            name = &name[1..];
        }
        id.extend(percent_encode(name, ESCAPED));
    }
    (relative.components().next().is_some()).then_some(id)
}

fn hoisted_prefix(level: usize) -> String {
    match level {
        1 => format!("/{HOISTED}"),
        _ => format!("/{HOISTED}-{level}"),
    }
}

/// How many folders above the root a `@modules…/` id counts from, and what follows.
fn hoisted_level(relative: &str) -> Option<(usize, &str)> {
    let (first, rest) = relative.split_once('/')?;
    let level = match first.strip_prefix(HOISTED)? {
        "" => 1,
        number => number.strip_prefix('-')?.parse().ok().filter(|level| *level > 1)?,
    };
    Some((level, rest))
}

/// Whether a decoded segment is one file name, and nothing that the system reads as a path, a drive or a stream.
fn is_plain_name(name: &OsStr, windows: bool) -> bool {
    let bytes = name.as_encoded_bytes();
    let is_special = matches!(bytes, b"" | b"." | b"..") || bytes.contains(&b'/') || bytes.contains(&0);
    let is_special_on_windows = bytes.iter().any(|byte| matches!(byte, b'\\' | b':'))
        || bytes.last().is_some_and(|byte| matches!(byte, b'.' | b' '));
    !(is_special || windows && is_special_on_windows)
}

/// The real path of a file whose last parts need not exist.
fn real_path(path: &Path) -> Option<PathBuf> {
    let mut missing = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let mut real = without_verbatim_prefix(real);
            real.extend(missing.iter().rev());
            return Some(real);
        }
        missing.push(ancestor.file_name()?);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn root() -> Root {
        Root { path: PathBuf::from("/home/me/game") }
    }

    #[cfg(unix)]
    #[test]
    fn ids_and_paths_convert_both_ways() {
        let root = root();
        for (path, id) in [
            ("/home/me/game/main.js", "/main.js"),
            ("/home/me/game/src/a b.js", "/src/a%20b.js"),
            ("/home/me/game/100%.js", "/100%25.js"),
            ("/home/me/game/what?#.js", "/what%3F%23.js"),
            ("/home/me/game/back\\slash.js", "/back%5Cslash.js"),
            ("/home/me/game/größe/✓.js", "/gr%C3%B6%C3%9Fe/%E2%9C%93.js"),
            ("/home/me/game/it's(1)+[2]&~|,;=@.js", "/it's(1)+[2]&~|,;=@.js"),
            ("/home/me/game/node_modules/@scope/x/y.js", "/node_modules/@scope/x/y.js"),
            ("/home/me/game/@modules/own.js", "/%40modules/own.js"),
            ("/home/me/game/@capuchin/own.js", "/%40capuchin/own.js"),
            ("/home/me/game/src/@modules/own.js", "/src/@modules/own.js"),
            ("/home/me/node_modules/x/y.js", "/@modules/x/y.js"),
            ("/home/node_modules/@a/b/c d.js", "/@modules-2/@a/b/c%20d.js"),
            ("/node_modules/x.js", "/@modules-3/x.js"),
        ] {
            assert_eq!(root.id_of(Path::new(path)).as_deref(), Some(id), "id of {path}");
            assert_eq!(root.path_of(id).as_deref(), Some(Path::new(path)), "path of {id}");
            assert_eq!(root.normalize(id).as_deref(), Some(id));
        }
    }

    #[cfg(unix)]
    #[test]
    fn file_names_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(OsStr::from_bytes(b"/home/me/game/\xff.js"));
        assert_eq!(root().id_of(path).as_deref(), Some("/%FF.js"));
        assert_eq!(root().path_of("/%FF.js").as_deref(), Some(path));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_else_has_an_id() {
        for path in ["/home/me/game", "/home/me/other.js", "/home/me/game2/x.js", "/home/me/node_modules", "/etc/x"] {
            assert_eq!(root().id_of(Path::new(path)), None, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_id_leads_out() {
        for id in [
            "",
            "/",
            "main.js",
            "//x.js",
            "/../x.js",
            "/a/../../x.js",
            "/%2e%2e/x.js",
            "/a/%2E%2E/%2e%2e/x.js",
            "/./x.js",
            "/..%2fx.js",
            "/a%2Fb.js",
            "/x%00.js",
            "/a//b.js",
            "/a/",
            "/@modules/../x.js",
            "/@modules-9/x.js",
        ] {
            assert_eq!(root().path_of(id), None, "{id}");
        }
    }

    #[test]
    fn windows_names_that_are_paths_drives_or_streams_are_refused() {
        for name in ["C:", "a.js::$DATA", "a\\b", "..\\x", "a.", "a "] {
            assert!(!is_plain_name(OsStr::new(name), true), "{name}");
            assert!(is_plain_name(OsStr::new(name), false), "{name}");
        }
        assert!(is_plain_name(OsStr::new("a b.js"), true));
    }

    #[test]
    fn windows_verbatim_paths_become_plain() {
        assert_eq!(plain_windows_path(r"\\?\C:\game"), Some(r"C:\game"));
        assert_eq!(plain_windows_path(r"\\?\UNC\server\share"), None);
        assert_eq!(plain_windows_path(r"C:\game"), None);
        assert_eq!(plain_windows_path("/home/me"), None);
    }

    #[cfg(windows)]
    #[test]
    fn windows_separators_and_drives() {
        let root = Root { path: PathBuf::from(r"C:\me\game") };
        assert_eq!(root.id_of(Path::new(r"C:\me\game\src\a b.js")).as_deref(), Some("/src/a%20b.js"));
        assert_eq!(root.id_of(Path::new(r"c:\me\game\main.js")).as_deref(), Some("/main.js"));
        assert_eq!(root.id_of(Path::new("C:/me/game/main.js")).as_deref(), Some("/main.js"));
        assert_eq!(root.id_of(Path::new(r"D:\me\game\main.js")), None);
        assert_eq!(root.path_of("/src/a%20b.js").as_deref(), Some(Path::new(r"C:\me\game\src\a b.js")));
        assert_eq!(root.path_of("/..%5cx.js"), None);
        assert_eq!(root.path_of("/D:/x.js"), None);
    }

    #[cfg(unix)]
    #[test]
    fn urls_have_one_normal_spelling() {
        for (url, id) in [
            ("/m%61in.js", Some("/main.js")),
            ("/a b.js?raw", Some("/a%20b.js?raw")),
            ("/a.js?x=%41#f", Some("/a.js?x=%41#f")),
            ("/ä.js", Some("/%C3%A4.js")),
            ("/index.html?inline=0", Some("/index.html?inline=0")),
            ("/%2e%2e/x", None),
            ("/@modules/x.js", Some("/@modules/x.js")),
            ("/@modules-1/x.js", Some("/%40modules-1/x.js")),
        ] {
            assert_eq!(root().normalize(url).as_deref(), id, "{url}");
        }
    }

    #[test]
    fn an_unusable_root_is_said_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file.txt");
        std::fs::write(&file, "").unwrap();

        let missing = Root::open(&folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(missing, RootProblem::Missing(_)), "{missing}");
        let not_a_folder = Root::open(&file).unwrap_err();
        assert!(matches!(not_a_folder, RootProblem::NotAFolder(_)), "{not_a_folder}");
        let below_a_file = Root::open(&file.join("x")).unwrap_err();
        assert!(!below_a_file.to_string().contains('\n'));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_located_through_links_and_before_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("real/src")).unwrap();
        std::fs::write(base.join("real/src/a.js"), "").unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("link")).unwrap();
        std::os::unix::fs::symlink("a.js", base.join("real/src/b.js")).unwrap();

        let root = Root::open(&base.join("link")).unwrap();
        assert_eq!(root.path(), base.join("real"));
        for (path, id) in [
            ("link/src/a.js", Some("/src/a.js")),
            ("link/src/b.js", Some("/src/a.js")),
            ("link/new/c.js", Some("/new/c.js")),
            ("elsewhere.js", None),
        ] {
            let located = root.locate(&base.join(path));
            assert_eq!(located.as_ref().map(|(id, _)| id.as_str()), id, "{path}");
        }
    }
}
