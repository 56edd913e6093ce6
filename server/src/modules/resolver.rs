//! From a specifier in a module to the module it means, as Vite and webpack resolve for browsers in development.
//!
//! [`oxc_resolver`] does the work on disk; what is added here is what only a dev server knows: ids, import maps, addresses
//! that are the browser's, and sentences for people when something is not found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use nodejs_built_in_modules::BUILTINS;
use oxc_resolver::{ResolveError, ResolveOptions};

use super::import_map::{ImportMap, Mapped};
use super::kind::{ModuleKind, PackageType, Syntax};
use super::root::{Root, percent_decode_segment, without_verbatim_prefix};

/// How a module asks for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportKind {
    /// `import`, `export from`, `import()`, and what HTML loads.
    Import,
    /// `require()`.
    Require,
}

/// What a specifier means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A file that belongs in the registry. `path` is real, `id` keeps the query.
    Module { id: String, path: PathBuf },
    /// A module that a package's `browser` field leaves out: it has no exports.
    Empty,
    /// Left to the browser.
    Url(String),
    /// Nothing: one sentence for the user.
    Problem(String),
}

/// What came of a new import map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMapUpdate {
    /// Whether modules may resolve differently than before.
    pub changed: bool,
    /// What is wrong with the map, one sentence each; the rest of it counts.
    pub problems: Vec<String>,
}

/// Resolves specifiers; can be asked from several threads at once.
pub struct Resolver {
    root: Root,
    /// Locked for writing only while its caches are emptied, which nobody may be resolving through.
    disk: RwLock<Disk>,
    /// By document, the newest last: on conflict it wins.
    import_maps: RwLock<Vec<(String, ImportMap)>>,
    /// By folder. Emptied by [`Resolver::forget`].
    package_types: Mutex<HashMap<PathBuf, Option<PackageType>>>,
}

struct Disk {
    import: oxc_resolver::Resolver,
    require: oxc_resolver::Resolver,
}

impl Resolver {
    pub fn new(root: Root) -> Resolver {
        let import = oxc_resolver::Resolver::new(options(&["browser", "import", "development", "module", "default"]));
        let require = import.clone_with_options(options(&["browser", "require", "development", "default"]));
        Resolver {
            root,
            disk: RwLock::new(Disk { import, require }),
            import_maps: RwLock::default(),
            package_types: Mutex::default(),
        }
    }

    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The module that `spec` means in the module or document `importer_id`. Answers are remembered, also that there is no
    /// such file, until [`Resolver::forget`].
    pub fn resolve(&self, spec: &str, importer_id: &str, kind: ImportKind) -> Resolved {
        match self.mapped(spec, importer_id, kind) {
            None => self.resolve_mapped(spec, importer_id, kind),
            Some(Mapped::Address(address)) => self.resolve_mapped(&address, importer_id, kind),
            Some(Mapped::Blocked(why)) => Resolved::Problem(format!("{why} (imported by {importer_id})")),
        }
    }

    /// Takes the import map of a document, instead of the one it had before.
    pub fn set_import_map(&self, document_id: &str, json: &str) -> ImportMapUpdate {
        let (map, problems) = ImportMap::parse(json, document_id);
        let mut maps = write(&self.import_maps);
        let previous = maps.iter().position(|(id, _)| id == document_id).map(|at| maps.remove(at).1);
        let changed = previous.unwrap_or_default() != map;
        if !map.is_empty() {
            maps.push((document_id.to_owned(), map));
        }
        ImportMapUpdate { changed, problems }
    }

    /// To be called when files, folders or a `package.json` were created, deleted or changed: looks at the disk again.
    pub fn forget(&self) {
        // Both resolvers share one cache.
        write(&self.disk).import.clear_cache();
        lock(&self.package_types).clear();
    }

    /// How the file is to be evaluated; see [`ModuleKind::of`].
    pub fn kind_of(&self, path: &Path, syntax: impl FnOnce() -> Syntax) -> ModuleKind {
        ModuleKind::of(path, self.package_type(path), syntax)
    }

    /// The `type` that the nearest `package.json` gives to a file, if it gives any.
    pub fn package_type(&self, path: &Path) -> Option<PackageType> {
        let folder = path.parent()?;
        if let Some(known) = lock(&self.package_types).get(folder) {
            return *known;
        }
        let found = folder
            .ancestors()
            .take_while(|it| it.file_name().is_none_or(|name| name != "node_modules"))
            .find_map(|it| std::fs::read(it.join("package.json")).ok())
            .and_then(|json| package_type_in(&json));
        lock(&self.package_types).insert(folder.to_owned(), found);
        found
    }

    fn mapped(&self, spec: &str, importer_id: &str, kind: ImportKind) -> Option<Mapped> {
        // `require` is not the browser's, so an import map says nothing about it.
        if kind == ImportKind::Require {
            return None;
        }
        read(&self.import_maps).iter().rev().find_map(|(_, map)| map.map(spec, importer_id))
    }

    fn resolve_mapped(&self, spec: &str, importer_id: &str, kind: ImportKind) -> Resolved {
        let importer = self.root.path_of(importer_id);
        let Some(folder) = importer.as_deref().and_then(Path::parent) else {
            return Resolved::Problem(format!("'{importer_id}' is no module of this project"));
        };
        let request = Request { spec, importer_id, folder, kind };
        match Form::of(spec) {
            Form::Address => Resolved::Url(spec.to_owned()),
            Form::Relative(path, suffix) => {
                let mut candidates = spellings(path, kind);
                candidates.extend(self.kept_below_root(&candidates[0], folder, kind));
                self.first_of(&candidates, suffix, &request, |disk, path| on_disk(disk, folder, path))
            }
            Form::Absolute(path, suffix) => match self.root.path_of(path) {
                Some(file) if path.starts_with("/@modules") => {
                    self.first_of(&[file], suffix, &request, |disk, file| on_disk_whole(disk, file))
                }
                _ => {
                    let candidates = spellings(path.trim_start_matches('/'), kind);
                    let root = self.root.path();
                    self.first_of(&candidates, suffix, &request, |disk, path| on_disk(disk, root, path))
                }
            },
            Form::Bare(name, suffix) => {
                let without_scheme = name.strip_prefix("node:").map(str::to_owned);
                let candidates: Vec<String> = [name.to_owned()].into_iter().chain(without_scheme).collect();
                self.first_of(&candidates, suffix, &request, |disk, name| bare(disk, folder, name))
            }
            Form::Unloadable => request.problem("is not an address that a page can load"),
        }
    }

    /// Tries the spellings in turn. What is said when none is found is about the first.
    fn first_of<T>(
        &self,
        candidates: &[T],
        suffix: &str,
        request: &Request<'_>,
        find: impl Fn(&oxc_resolver::Resolver, &T) -> Result<PathBuf, ResolveError>,
    ) -> Resolved {
        let disk = read(&self.disk);
        let resolver = match request.kind {
            ImportKind::Import => &disk.import,
            ImportKind::Require => &disk.require,
        };
        let mut first_error = None;
        for candidate in candidates {
            match find(resolver, candidate) {
                Ok(path) => return self.module(path, suffix, request),
                Err(ResolveError::Ignored(_)) => return Resolved::Empty,
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        let error = first_error.expect("there is at least one candidate");
        request.explain(&error, resolver)
    }

    /// A URL cannot climb above `/`: to a browser `../../x.js` in `/main.js` is `/x.js`.
    fn kept_below_root(&self, path: &str, folder: &Path, kind: ImportKind) -> Option<String> {
        let depth = folder.strip_prefix(self.root.path()).ok()?.components().count();
        let climbs = path.split('/').take_while(|it| matches!(*it, "." | "..")).collect::<Vec<_>>();
        let n_up = climbs.iter().filter(|it| **it == "..").count();
        if kind == ImportKind::Require || n_up <= depth {
            return None;
        }
        let rest = path.split('/').skip(climbs.len()).collect::<Vec<_>>().join("/");
        Some("../".repeat(depth) + &rest)
    }

    fn module(&self, path: PathBuf, suffix: &str, request: &Request<'_>) -> Resolved {
        let path = with_case_on_disk(without_verbatim_prefix(path));
        match self.root.id_of(&path) {
            Some(id) => Resolved::Module { id: id + suffix, path },
            None => request.problem(&format!(
                "is outside the folder that is served, at '{}'; serve a folder that holds both",
                path.display()
            )),
        }
    }
}

/// One specifier where it stands.
struct Request<'a> {
    spec: &'a str,
    importer_id: &'a str,
    folder: &'a Path,
    kind: ImportKind,
}

impl Request<'_> {
    fn problem(&self, what: &str) -> Resolved {
        let verb = match self.kind {
            ImportKind::Import => "imported",
            ImportKind::Require => "required",
        };
        Resolved::Problem(format!("'{}' {what} ({verb} by {})", self.spec, self.importer_id))
    }

    fn explain(&self, error: &ResolveError, resolver: &oxc_resolver::Resolver) -> Resolved {
        match error {
            ResolveError::NotFound(_) | ResolveError::MatchedAliasNotFound(..) => self.not_found(resolver),
            ResolveError::PackagePathNotExported { package_json_path, .. } => {
                let package = package_json_path.parent().and_then(Path::file_name).unwrap_or_default();
                self.problem(&format!("is not among the \"exports\" of the package '{}'", package.display()))
            }
            ResolveError::PackageImportNotDefined(..) => {
                self.problem("is not among the \"imports\" of the nearest package.json")
            }
            ResolveError::Json(json) => self.problem(&format!(
                "cannot be resolved: '{}' is not valid JSON (line {}, column {})",
                json.path.display(),
                json.line,
                json.column
            )),
            ResolveError::Specifier(_) => self.problem("is empty"),
            other => self.problem(&format!("cannot be resolved: {other}")),
        }
    }

    fn not_found(&self, resolver: &oxc_resolver::Resolver) -> Resolved {
        let Form::Bare(name, _) = Form::of(self.spec) else {
            return self.problem("was not found");
        };
        if name.starts_with('#') {
            return self.problem("is not among the \"imports\" of the nearest package.json");
        }
        if is_builtin(name) {
            return self.problem("is a module of Node.js, which browsers do not have");
        }
        let package = package_name(name);
        let is_installed = self.folder.ancestors().any(|it| it.join("node_modules").join(package).is_dir());
        if is_installed {
            return self.problem(&format!("was not found in the installed package '{package}'"));
        }
        if on_disk(resolver, self.folder, name).is_ok() {
            return self.problem(&format!("was not found: there is no such package; the file beside it is './{name}'"));
        }
        self.problem(&format!("was not found: the package '{package}' is not installed"))
    }
}

/// What a specifier looks like, with query and fragment apart.
enum Form<'a> {
    /// Loaded by the browser itself.
    Address,
    /// `./x`, `../x`, `.`, `..`
    Relative(&'a str, &'a str),
    /// `/x`: from the root.
    Absolute(&'a str, &'a str),
    /// A package, `#imports` or a module of Node.
    Bare(&'a str, &'a str),
    /// `file:`, a path of this machine, or a scheme that only some build tool knows.
    Unloadable,
}

impl<'a> Form<'a> {
    fn of(spec: &'a str) -> Form<'a> {
        let scheme = scheme_of(spec);
        if spec.starts_with("//") {
            return Form::Address;
        }
        if let Some(scheme) = scheme {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" | "data" | "blob" => Form::Address,
                other if other.ends_with("-extension") => Form::Address,
                "node" => Form::Bare(spec, ""),
                _ => Form::Unloadable,
            };
        }
        // The first character of `#internal` begins no fragment.
        let at = spec.char_indices().skip(1).find(|(_, it)| matches!(it, '?' | '#')).map_or(spec.len(), |(at, _)| at);
        let (path, suffix) = spec.split_at(at);
        if path.starts_with('/') {
            return Form::Absolute(path, suffix);
        }
        let is_relative = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
        if is_relative { Form::Relative(path, suffix) } else { Form::Bare(path, suffix) }
    }
}

/// `https` of `https://x`; also `C` of `C:\x`.
fn scheme_of(spec: &str) -> Option<&str> {
    let (scheme, _) = spec.split_once(':')?;
    let mut chars = scheme.chars();
    let is_scheme = chars.next()?.is_ascii_alphabetic()
        && chars.all(|it| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

/// An import is a URL to the browser and a path to bundlers: `./a%20b.js` is tried as the one, then as the other.
fn spellings(path: &str, kind: ImportKind) -> Vec<String> {
    let decoded = path
        .split('/')
        .map(|segment| percent_decode_segment(segment)?.into_string().ok().filter(|it| !it.contains(['/', '\0'])))
        .collect::<Option<Vec<_>>>()
        .map(|segments| segments.join("/"));
    match decoded {
        Some(decoded) if kind == ImportKind::Import && decoded != path => {
            vec![decoded, path.to_owned()]
        }
        _ => vec![path.to_owned()],
    }
}

/// A file or folder by its path from `base`.
fn on_disk(resolver: &oxc_resolver::Resolver, base: &Path, relative: &str) -> Result<PathBuf, ResolveError> {
    // To the resolver these begin a query or fragment, which was split off before: here they belong to the name.
    if relative.contains(['?', '#']) {
        let file = base.join(relative);
        let real = file.is_file().then(|| file.canonicalize());
        return real.and_then(Result::ok).ok_or_else(|| ResolveError::NotFound(relative.to_owned()));
    }
    let is_dotted = relative.starts_with("./") || relative.starts_with("../") || matches!(relative, "." | "..");
    let spec = if is_dotted { relative.to_owned() } else { format!("./{relative}") };
    Ok(resolver.resolve(base, &spec)?.into_path_buf())
}

fn on_disk_whole(resolver: &oxc_resolver::Resolver, file: &Path) -> Result<PathBuf, ResolveError> {
    match (file.parent(), file.file_name().and_then(|name| name.to_str())) {
        (Some(folder), Some(name)) => on_disk(resolver, folder, name),
        _ => Err(ResolveError::NotFound(file.display().to_string())),
    }
}

/// A package, or what the `imports` of a `package.json` call `#name`.
fn bare(resolver: &oxc_resolver::Resolver, folder: &Path, name: &str) -> Result<PathBuf, ResolveError> {
    Ok(resolver.resolve(folder, name)?.into_path_buf())
}

/// Where names differ only in case to us but not to the file system, one file would get two ids.
fn with_case_on_disk(path: PathBuf) -> PathBuf {
    if !cfg!(any(windows, target_os = "macos")) {
        return path;
    }
    path.canonicalize().map_or(path, without_verbatim_prefix)
}

fn is_builtin(name: &str) -> bool {
    name.starts_with("node:") || BUILTINS.binary_search(&name).is_ok()
}

/// `@scope/x` of `@scope/x/y.js`, `x` of `x/y.js`.
fn package_name(spec: &str) -> &str {
    let n_parts = if spec.starts_with('@') { 2 } else { 1 };
    spec.match_indices('/').nth(n_parts - 1).map_or(spec, |(at, _)| &spec[..at])
}

fn package_type_in(json: &[u8]) -> Option<PackageType> {
    // Written by npm or by hand: a byte order mark is no error to Node.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let package: serde_json::Value = serde_json::from_slice(json).ok()?;
    match package.get("type")?.as_str()? {
        "module" => Some(PackageType::Module),
        "commonjs" => Some(PackageType::CommonJs),
        _ => None,
    }
}

fn options(conditions: &[&str]) -> ResolveOptions {
    let strings = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<String>>();
    ResolveOptions {
        condition_names: strings(conditions),
        main_fields: strings(&["browser", "module", "main"]),
        alias_fields: vec![strings(&["browser"])],
        extensions: strings(&[".js", ".mjs", ".cjs", ".jsx", ".json", ".css"]),
        // What a page loads must not depend on the environment of the editor.
        node_path: false,
        ..ResolveOptions::default()
    }
}

// A panic elsewhere leaves these caches and settings whole, so a poisoned lock is as good as any.

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
