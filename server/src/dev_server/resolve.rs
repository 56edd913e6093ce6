//! From an address to the one file that it may mean.
//!
//! Most holes of dev servers were one bug: the check saw the URL, the reader saw a path. Here the address is decoded once
//! ([`Address`]), resolved once, its real path is checked against the real root, that path is opened, and what was
//! opened is checked to be that path. Queries play no part in it.
//!
//! What may be served is a list of what may be, not of what may not: kinds of files that programs load in a browser,
//! nothing hidden (no part of the path below the root starts with a dot, except `.well-known`, and the stores that
//! package managers keep in `node_modules`), and no JSON that is named like a key.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::addresses::Address;
use super::refusal::Refusal;
use crate::modules::Root;

/// What an address leads to. The paths are real, and may be anywhere: [`check`] comes next.
#[derive(Debug)]
pub(super) enum Found {
    File(PathBuf),
    Folder,
    /// Nothing on disk; an editor may have a buffer with this path.
    Missing(PathBuf),
}

/// Whether the file at `path` may ever be shown to a page: it lies below `root` and is of a kind that is served. Both
/// paths have to be canonical.
pub fn may_serve(root: &Path, path: &Path) -> bool {
    check(root, path).is_ok()
}

/// The folder that an address counts from, and the rest of the address: the root, or for `/@modules/…` (packages that are
/// installed above the root) that `node_modules` folder.
pub(super) fn base_of(root: &Root, url_path: &str, mut address: Address) -> (PathBuf, Address) {
    // Undecoded: a folder of the user's own that has this name is written `%40modules`.
    let first = url_path.split('/').nth(1).unwrap_or_default();
    let folder = root.path_of(&format!("/{first}/x")).and_then(|path| path.parent().map(Path::to_owned));
    match folder.and_then(|folder| canonical(&folder).ok()) {
        Some(packages) if first.starts_with("@modules") && !packages.starts_with(root.path()) => {
            address.segments.remove(0);
            (packages, address)
        }
        _ => (root.path().to_owned(), address),
    }
}

/// Follows `address` below `root`, which is canonical.
pub(super) fn resolve(root: &Path, address: &Address) -> Result<Found, Refusal> {
    // Before the disk is touched, so that the answer does not tell whether a hidden file exists.
    check_none_hidden(folder_name(root), address.segments.iter().map(String::as_str))?;
    let mut path = root.to_owned();
    path.extend(&address.segments);
    match canonical(&path) {
        Ok(real) => found(root, real, address),
        Err(error) if is_missing(&error) => real_path_of_missing(path).map(Found::Missing).ok_or(Refusal::NOT_FOUND),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Refusal::UNREADABLE),
        // A loop of links, a name that is too long, a file used as a folder.
        Err(_) => Err(Refusal::NOT_FOUND),
    }
}

fn found(root: &Path, real: PathBuf, address: &Address) -> Result<Found, Refusal> {
    let metadata = fs::metadata(&real).map_err(|_| Refusal::NOT_FOUND)?;
    if metadata.is_dir() {
        check_none_hidden(folder_name(root), names(root, &real)?)?;
        return Ok(Found::Folder);
    }
    // `/main.js/` names no file.
    if address.is_folder {
        return Err(Refusal::NOT_FOUND);
    }
    match metadata.is_file() {
        true => Ok(Found::File(real)),
        // A pipe or a device would keep its reader waiting.
        false => Err(Refusal::WRONG_KIND),
    }
}

/// Checks the final path: it is below the root and of a kind that is served.
pub(super) fn check(root: &Path, real: &Path) -> Result<(), Refusal> {
    check_names(folder_name(root), names(root, real)?)
}

fn folder_name(root: &Path) -> Option<&str> {
    root.file_name().and_then(|name| name.to_str())
}

/// The real path, in the form in which [`Root`] and editors write it: Windows answers with `\\?\C:\…`.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize()?;
    let plain = real
        .to_str()
        .filter(|_| cfg!(windows))
        .and_then(|it| it.strip_prefix(r"\\?\"))
        .filter(|it| it.as_bytes().get(1) == Some(&b':'));
    Ok(plain.map(PathBuf::from).unwrap_or(real))
}

/// Opens a real path. Between its check and here it may have been replaced by a link: what was opened is checked again.
pub(super) fn open(root: &Path, real: &Path) -> Result<File, Refusal> {
    let file = File::open(real).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Refusal::UNREADABLE,
        _ => Refusal::NOT_FOUND,
    })?;
    let opened = opened_path(&file, real).map_err(|_| Refusal::NOT_FOUND)?;
    check(root, &opened)?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        _ => Err(Refusal::WRONG_KIND),
    }
}

#[cfg(target_os = "linux")]
fn opened_path(file: &File, real: &Path) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd;
    // Without /proc (some containers) the weaker check has to do.
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).or_else(|_| canonical(real))
}

#[cfg(not(target_os = "linux"))]
fn opened_path(_file: &File, real: &Path) -> io::Result<PathBuf> {
    canonical(real)
}

/// The parts of `real` below the root.
fn names<'a>(root: &Path, real: &'a Path) -> Result<impl Iterator<Item = &'a str> + use<'a>, Refusal> {
    let below = real.strip_prefix(root).map_err(|_| Refusal::OUTSIDE)?;
    let is_plain = below.components().all(|part| matches!(part, Component::Normal(name) if name.to_str().is_some()));
    if !is_plain {
        return Err(Refusal::NOT_FOUND);
    }
    Ok(below.iter().filter_map(|name| name.to_str()))
}

/// Whether a file with these names, below a folder called `folder`, is of a kind that is served.
pub(super) fn check_names<'a>(folder: Option<&'a str>, names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let name = check_none_hidden(folder, names)?.ok_or(Refusal::NOT_FOUND)?;
    let extension =
        name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).ok_or(Refusal::WRONG_KIND)?;
    let is_media = || {
        let kind = mime_guess::from_ext(&extension).first_raw().unwrap_or_default();
        ["image/", "audio/", "video/", "font/"].iter().any(|prefix| kind.starts_with(prefix))
    };
    if !KINDS.contains(&&*extension) && !is_media() {
        return Err(Refusal::WRONG_KIND);
    }
    if extension == "json" && is_named_like_a_key(&name.to_ascii_lowercase()) {
        return Err(Refusal::WRONG_KIND);
    }
    Ok(())
}

/// Text, code and data that programs load, beside pictures, sound, video and fonts. Not: keys, certificates, archives,
/// databases, scripts of the shell, settings in YAML or TOML, and names without an extension.
const KINDS: &[&str] = &[
    "html",
    "htm",
    "xhtml",
    "js",
    "mjs",
    "cjs",
    "jsx",
    "ts",
    "mts",
    "cts",
    "tsx",
    "css",
    "json",
    "json5",
    "jsonl",
    "map",
    "wasm", //
    "txt",
    "md",
    "csv",
    "tsv",
    "xml",
    "webmanifest",
    "geojson",
    "topojson",
    "vtt",
    "srt",
    "pdf",
    "svg", //
    "glb",
    "gltf",
    "bin",
    "obj",
    "mtl",
    "fbx",
    "stl",
    "ply",
    "drc",
    "usdz",
    "hdr",
    "exr",
    "ktx",
    "ktx2",
    "basis",
    "dds",
    "cube", //
    "glsl",
    "vert",
    "frag",
    "wgsl",
    "mid",
    "midi",
    "sf2",
    "m3u8",
    "mpd",
    "atlas",
    "fnt",
    "tmx",
    "tmj",
    "ldtk",
    "data",
    "onnx",
    "tflite",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
];

fn is_named_like_a_key(name: &str) -> bool {
    ["credential", "secret", "service-account", "serviceaccount", "service_account", "adminsdk"]
        .iter()
        .any(|it| name.contains(it))
}

/// Gives the last name.
fn check_none_hidden<'a>(
    folder: Option<&'a str>,
    names: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, Refusal> {
    let (mut before, mut last) = (folder, None);
    for name in names {
        check_hidden(before, name)?;
        (before, last) = (Some(name), Some(name));
    }
    Ok(last)
}

/// `before` is the part of the path in front of `name`.
fn check_hidden(before: Option<&str>, name: &str) -> Result<(), Refusal> {
    let is_store = before.is_some_and(|it| it == "node_modules" || it.starts_with("@modules"))
        && matches!(name, ".pnpm" | ".bun" | ".store");
    match name.starts_with('.') && name != ".well-known" && !is_store {
        true => Err(Refusal::HIDDEN),
        false => Ok(()),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}

/// The real path of what exists, and the rest as it is: the path that a new file would have.
fn real_path_of_missing(path: PathBuf) -> Option<PathBuf> {
    let mut rest = Vec::new();
    let mut existing = path.as_path();
    loop {
        // A link that leads nowhere would be followed when the file is made.
        if existing.is_symlink() {
            return None;
        }
        rest.push(existing.file_name()?);
        existing = existing.parent()?;
        if let Ok(real) = canonical(existing) {
            return Some(rest.into_iter().rev().fold(real, |path, name| path.join(name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folders;
    use super::*;

    #[test]
    fn only_files_that_programs_load_are_served() {
        let root = Path::new("/root");
        let served = [
            "index.html",
            "src/main.js",
            "a.TS",
            "data.json",
            "img/a.png",
            "a.svg",
            "clip.mp4",
            "font.woff2",
            "m.wasm",
            "model.glb",
            ".well-known/x.json",
            "node_modules/.pnpm/a@1/node_modules/a/i.js",
            "a.b.c.js",
        ];
        for path in served {
            assert!(may_serve(root, &root.join(path)), "{path}");
        }
        let refused = [
            "",
            ".env",
            ".ENV",
            ".env.js",
            ".git/config",
            ".git/x.js",
            "a/.hidden/x.js",
            "tls.pem",
            "tls.PEM",
            "server.key",
            "id_rsa",
            "LICENSE",
            "x.p12",
            "x.pfx",
            "x.crt",
            "db.sqlite",
            "x.sql",
            "x.sh",
            "x.yaml",
            "x.toml",
            "x.zip",
            "x.env",
            "x.js~",
            "x.js.bak",
            "x.",
            ".pnpm/x.js",
            "src/.pnpm/x.js",
            "credentials.json",
            "my-Secrets.json",
            "service-account-1.json",
        ];
        for path in refused {
            assert!(!may_serve(root, &root.join(path)), "{path}");
        }
    }

    #[test]
    fn a_folder_that_shares_the_roots_name_is_outside() {
        assert!(!may_serve(Path::new("/projects/proj"), Path::new("/projects/proj-secret/x.js")));
        assert!(!may_serve(Path::new("/projects/proj"), Path::new("/projects/x.js")));
        assert!(!may_serve(Path::new("/projects/proj"), Path::new("/projects/proj/../x.js")));
    }

    #[cfg(unix)]
    #[test]
    fn what_was_opened_is_checked_again() {
        let folders = Folders::new();
        folders.write("outside/secret.js", "secret");
        folders.write("outside/.env", "secret");
        let link = folders.root().join("a.js");
        for target in ["secret.js", ".env"] {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(folders.outside().join(target), &link).expect("a link");
            // As if the link had been put there after the check.
            assert_eq!(open(&folders.root(), &link).map(|_| ()), Err(Refusal::OUTSIDE));
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_has_a_path() {
        let folders = Folders::new();
        let path = |it: &str| match resolve(&folders.root(), &Address::parse(it).expect(it)) {
            Ok(Found::Missing(path)) => path.strip_prefix(folders.root()).expect("below the root").to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(path("/new.js"), Path::new("new.js"));
        assert_eq!(path("/new/deep/new.js"), Path::new("new/deep/new.js"));
    }

    #[test]
    fn packages_above_the_root_are_reached_and_nothing_else_there() {
        let folders = Folders::new();
        folders.write("node_modules/x/a.css", "x");
        folders.write("node_modules/.pnpm/y/a.js", "y");
        folders.write("node_modules/x/.env", "secret");
        folders.write("node.js", "secret");
        folders.write("root/@modules/own.js", "own");
        let root = Root::open(&folders.root()).expect("it exists");
        let status = |path: &str| {
            let (base, address) = base_of(&root, path, Address::parse(path).expect(path));
            resolve(&base, &address)
                .map(|found| matches!(found, Found::File(_)))
                .map_err(|refusal| refusal.status.as_u16())
        };
        assert_eq!(status("/@modules/x/a.css"), Ok(true));
        assert_eq!(status("/@modules/.pnpm/y/a.js"), Ok(true));
        assert_eq!(status("/%40modules/own.js"), Ok(true));
        assert_eq!(status("/@modules/own.js"), Ok(false));
        assert_eq!(status("/@modules/x/.env"), Err(403));
        assert_eq!(status("/@modules/node.js"), Ok(false));
        assert_eq!(status("/@modules-2/x/a.css"), Ok(false));
    }
}
