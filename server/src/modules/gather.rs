//! The files that a [`Collection`] stands for: `require.context(…)` as webpack lists them, `import.meta.glob(…)` as Vite does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::root::Root;
use crate::sites::collection::{Collection, Context, Glob};

/// A folder with more files is no folder of modules.
const MOST_FILES: usize = 20_000;

/// Where files are looked for.
pub struct Place<'p> {
    pub root: &'p Root,
    /// The module that holds the call.
    pub importer: &'p str,
    /// Files that an editor has open: they may not be on disk yet.
    pub open: &'p [PathBuf],
    /// Whether pages may have a file at all.
    pub may_serve: &'p dyn Fn(&Path) -> bool,
}

/// What the program asks for, and the id of the module that it gets. Sorted.
pub type Files = BTreeMap<String, String>;

/// # Errors
/// One sentence that says what is wrong with the call.
pub fn gather(collection: &Collection, place: &Place<'_>) -> Result<Files, String> {
    match collection {
        Collection::Context(context) => gather_context(context, place),
        Collection::Glob(glob) => gather_glob(glob, place),
    }
}

fn gather_context(context: &Context, place: &Place<'_>) -> Result<Files, String> {
    let Context { folder: name, filter, is_deep, .. } = context;
    let missing = || format!("'{name}' is no folder of this project (require.context in {})", place.importer);
    let folder = folder_of(name, place).ok_or_else(missing)?;
    let found = files_in(&folder, *is_deep, place, false);
    if found.is_empty() && !folder.is_dir() {
        return Err(missing());
    }
    let filter = match filter {
        None => None,
        Some((source, flags)) => Some(regress::Regex::with_flags(source, flags.as_str()).map_err(|error| {
            format!("the pattern /{source}/{flags} cannot be used ({error}; require.context in {})", place.importer)
        })?),
    };
    let keyed = found.iter().filter_map(|it| Some((format!("./{}", slashed(it.strip_prefix(&folder).ok()?)?), it)));
    let wanted = keyed.filter(|(key, _)| filter.as_ref().is_none_or(|it| it.find(key).is_some()));
    Ok(wanted.filter_map(|(key, path)| Some((key, place.root.id_of(path)?))).collect())
}

fn gather_glob(glob: &Glob, place: &Place<'_>) -> Result<Files, String> {
    let root = place.root.path();
    let importer = place.root.path_of(place.importer).ok_or("this module has no place in the project")?;
    let own_folder = importer.parent().unwrap_or(root);
    let base = match &glob.base {
        None => own_folder.to_owned(),
        Some(base) if base.starts_with('/') => joined(root, base.trim_start_matches('/')),
        Some(base) => joined(own_folder, base),
    };
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for pattern in &glob.patterns {
        let (list, rest) = match pattern.strip_prefix('!') {
            Some(rest) => (&mut unwanted, rest),
            None => (&mut wanted, pattern.as_str()),
        };
        fast_glob::validate(rest).map_err(|error| format!("the pattern '{pattern}' cannot be used ({error})"))?;
        let (start, rest) = match rest.strip_prefix('/') {
            Some(rest) => (root, rest),
            None => (base.as_path(), rest),
        };
        list.push(Pattern::new(start, rest));
    }
    let is_relative = glob.patterns.iter().all(|it| it.starts_with(['.', '!']));
    let mut files = Files::new();
    let folders: BTreeSet<&PathBuf> = wanted.iter().map(|it| &it.folder).collect();
    for folder in folders {
        for path in files_in(folder, true, place, glob.is_exhaustive) {
            let is_wanted = wanted.iter().any(|it| it.matches(&path)) && !unwanted.iter().any(|it| it.matches(&path));
            if !is_wanted || path == importer {
                continue;
            }
            let key = match &glob.base {
                Some(_) => relative(&base, &path),
                None if is_relative => relative(own_folder, &path),
                None => path.strip_prefix(root).ok().and_then(slashed).map(|it| format!("/{it}")),
            };
            if let Some((key, id)) = key.zip(place.root.id_of(&path)) {
                files.insert(key, id + &glob.query);
            }
        }
    }
    Ok(files)
}

/// A pattern and the folder that it counts from, which holds no wildcard.
struct Pattern {
    folder: PathBuf,
    pattern: String,
}

impl Pattern {
    fn new(start: &Path, pattern: &str) -> Pattern {
        let parts: Vec<&str> = pattern.split('/').collect();
        let is_plain = |part: &&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
        // The last part is a file, also without a wildcard.
        let n_plain = parts[..parts.len() - 1].iter().take_while(|it| is_plain(it)).count();
        Pattern { folder: joined(start, &parts[..n_plain].join("/")), pattern: parts[n_plain..].join("/") }
    }

    fn matches(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.folder).ok().and_then(slashed);
        below.is_some_and(|it| fast_glob::glob_match(&self.pattern, &it))
    }
}

/// The folder that a context names: beside the module, from the root, or in an installed package.
fn folder_of(name: &str, place: &Place<'_>) -> Option<PathBuf> {
    let own = place.root.path_of(place.importer)?.parent()?.to_owned();
    let name = name.trim_end_matches('/');
    if let Some(below) = name.strip_prefix('/') {
        return Some(joined(place.root.path(), below));
    }
    if name.is_empty() || name.starts_with('.') {
        return Some(joined(&own, name));
    }
    let folders = own.ancestors().map(|it| joined(&it.join("node_modules"), name));
    folders.into_iter().find(|it| it.is_dir())
}

/// `path` from `start`, without `.` and `..` where the text alone tells.
fn joined(start: &Path, path: &str) -> PathBuf {
    let mut joined = start.to_owned();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                joined.pop();
            }
            name => joined.push(name),
        }
    }
    joined
}

/// The files in a folder that pages may have, sorted.
fn files_in(folder: &Path, is_deep: bool, place: &Place<'_>, is_exhaustive: bool) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    let is_entered = |name: &str| is_exhaustive || !(name.starts_with('.') || name == "node_modules");
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            // Links to folders are not followed: they may lead in a circle.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && is_deep && name.to_str().is_some_and(is_entered) => folders.push(path),
                Ok(_) if path.is_file() && (place.may_serve)(&path) => {
                    found.insert(path);
                }
                _ => {}
            }
        }
        if found.len() > MOST_FILES {
            tracing::warn!("{} holds more than {MOST_FILES} files; not all of them are gathered", folder.display());
            break;
        }
    }
    let is_in = |path: &PathBuf| match path.strip_prefix(folder) {
        Ok(below) if is_deep => below.parent().into_iter().flatten().filter_map(|it| it.to_str()).all(is_entered),
        Ok(below) => below.components().count() == 1,
        Err(_) => false,
    };
    found.extend(place.open.iter().filter(|it| is_in(it) && (place.may_serve)(it)).cloned());
    found
}

/// `None` for a name that is no Unicode: nobody can ask for it.
fn slashed(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.iter().map(|it| it.to_str()).collect();
    names.map(|it| it.join("/"))
}

/// `./x` or `../x`: how the module in `from` would name `path`.
fn relative(from: &Path, path: &Path) -> Option<String> {
    let n_common = from.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().count() - n_common;
    let rest = slashed(&path.components().skip(n_common).collect::<PathBuf>())?;
    Some(if up == 0 { format!("./{rest}") } else { "../".repeat(up) + &rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::collection::Mode;

    struct Folder {
        _folder: tempfile::TempDir,
        root: Root,
    }

    fn folder(files: &[&str]) -> Folder {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        let root = Root::open(folder.path()).expect("a root");
        Folder { _folder: folder, root }
    }

    const FILES: &[&str] = &[
        "main.js",
        "src/page.js",
        "src/parts/a.js",
        "src/parts/b.jsx",
        "src/parts/c.css",
        "src/parts/deep/d.js",
        "src/parts/.hidden/e.js",
        "src/parts/node_modules/f.js",
        "src/other/g.js",
        "node_modules/kit/parts/h.js",
    ];

    fn keys(collection: &Collection, importer: &str, open: &[&str]) -> String {
        let it = folder(FILES);
        let open: Vec<PathBuf> = open.iter().map(|name| it.root.path().join(name)).collect();
        let place = Place { root: &it.root, importer, open: &open, may_serve: &|_| true };
        match gather(collection, &place) {
            Ok(files) => files.into_keys().collect::<Vec<_>>().join(" "),
            Err(message) => message,
        }
    }

    #[track_caller]
    fn check_glob(patterns: &[&str], expected: &str) {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        let glob = Collection::Glob(Glob { patterns, ..Glob::default() });
        assert_eq!(keys(&glob, "/src/page.js", &[]), expected);
    }

    #[track_caller]
    fn check_context(name: &str, is_deep: bool, filter: &str, expected: &str) {
        let filter = (!filter.is_empty()).then(|| (filter.to_owned(), String::new()));
        let context = Context { folder: name.to_owned(), is_deep, filter, mode: Mode::Sync };
        assert_eq!(keys(&Collection::Context(context), "/src/page.js", &[]), expected);
    }

    #[test]
    fn globs_list_files_as_vite_does() {
        check_glob(&["./parts/*.js"], "./parts/a.js");
        check_glob(&["./parts/**/*.js"], "./parts/a.js ./parts/deep/d.js");
        check_glob(&["./parts/*.{js,jsx}", "!**/a.js"], "./parts/b.jsx");
        check_glob(&["./parts/*", "!./parts/*.css"], "./parts/a.js ./parts/b.jsx");
        check_glob(&["./**/*.js"], "./other/g.js ./parts/a.js ./parts/deep/d.js");
        check_glob(&["../*.js"], "../main.js");
        check_glob(&["/src/other/*.js"], "/src/other/g.js");
        check_glob(&["/src/other/*.js", "./parts/*.js"], "/src/other/g.js /src/parts/a.js");
        check_glob(&["./nowhere/*.js"], "");
    }

    #[test]
    fn a_broken_pattern_is_said() {
        let broken = Glob { patterns: vec!["./parts/{a".to_owned()], ..Glob::default() };
        let sentence = keys(&Collection::Glob(broken), "/src/page.js", &[]);
        assert!(sentence.starts_with("the pattern './parts/{a' cannot be used (unclosed brace"), "{sentence}");
    }

    #[test]
    fn a_base_changes_what_keys_count_from() {
        let glob = |base: &str, pattern: &str| {
            let base = Some(base.to_owned());
            Collection::Glob(Glob { patterns: vec![pattern.to_owned()], base, ..Glob::default() })
        };
        assert_eq!(keys(&glob("./parts", "./*.js"), "/src/page.js", &[]), "./a.js");
        assert_eq!(keys(&glob("/src/parts", "deep/*.js"), "/main.js", &[]), "./deep/d.js");
    }

    #[test]
    fn contexts_list_files_as_webpack_does() {
        check_context("./parts", false, r"\.js$", "./a.js");
        check_context("./parts/", true, r"\.js$", "./a.js ./deep/d.js");
        check_context("./parts", true, r"^\.\/(?!a)[^.]+\.jsx?$", "./b.jsx ./deep/d.js");
        check_context("/src/other", false, "", "./g.js");
        check_context("kit/parts", false, "", "./h.js");
        check_context("./none", true, "", "'./none' is no folder of this project (require.context in /src/page.js)");
    }

    #[test]
    fn what_is_only_in_an_editor_is_listed() {
        let glob = Glob { patterns: vec!["./parts/*.js".to_owned()], ..Glob::default() };
        let open = ["src/parts/new.js", "src/parts/deep/new.js", "src/parts/.hidden/new.js", "src/parts/a.js"];
        assert_eq!(keys(&Collection::Glob(glob), "/src/page.js", &open), "./parts/a.js ./parts/new.js");
    }
}
