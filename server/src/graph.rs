//! The modules of the project as pages load them: compiled once, found by id, crawled from an entry.
//!
//! Shared by the engine and by requests. A module that the engine has changed belongs to the engine, which is then asked
//! for it; all others are compiled here from disk and remembered with their source.

mod crawl;
mod form;
mod gathered;
mod styles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use dashmap::{DashMap, DashSet};
use ropey::Rope;

use crate::compile::{Module, Options, Problem, without_directive};
use crate::engine::event::{Event, Handle};
use crate::modules::{ImportKind, PackageType, Place, Resolved, Resolver, gather, split_suffix};
use crate::patch::Program;
use crate::sites::Rev;
use crate::sites::collect::{Flavour, without_type};
use crate::sites::collection::{Collection, Mode};
use crate::wire::{self, Dep, ModuleDef, ModuleKind, Target};
use form::{Form, query_for, with_query};

/// A file larger than this is served as it is: nobody edits it by hand.
const LARGEST_MODULE: u64 = 20 << 20;

/// A module that is empty because a package's `browser` field leaves it out.
const EMPTY_ID: &str = "/@capuchin/empty";

/// Ids of modules that stand for what a call gathers begin so; its key and the module that holds it follow.
pub(crate) const GATHERED: &str = "/@capuchin/gathered/";

/// What is known of one module.
#[derive(Debug)]
pub struct Loaded {
    /// The text of its file, where it is made of one that is read as text.
    pub source: Option<Arc<str>>,
    pub def: Arc<ModuleDef>,
    pub options: Options,
}

/// The compiled project.
pub struct Graph {
    pub resolver: Resolver,
    /// Unsaved text of open documents, by real path.
    pub buffers: DashMap<PathBuf, Rope>,
    /// The revision of the newest change.
    rev: AtomicU64,
    loaded: DashMap<String, Arc<Loaded>>,
    /// Modules that only the engine can define.
    owned: DashSet<String>,
    /// Inline module scripts of HTML pages: their text and first line (from 1).
    inline: DashMap<String, (Arc<str>, u32)>,
    /// Numbers of classic scripts.
    classics: DashMap<String, u32>,
    /// What calls gather by a pattern, with the module that holds the call; by id.
    collections: DashMap<String, (String, Collection)>,
    /// Modules that are made of a file other than by being its program, by the file.
    made_of: DashMap<PathBuf, BTreeSet<String>>,
    /// The revisions at which files that are no programs last changed, by id.
    changed_files: DashMap<String, Rev>,
    /// Modules that pages have asked for by name.
    entries: DashSet<String>,
    engine: Handle,
}

/// Something that a module imports and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    pub spec: String,
    /// One sentence.
    pub message: String,
    /// The module cannot run without it: a static import.
    pub is_static: bool,
}

impl ModuleDef {
    /// What it was defined without, as [`Graph::imports`] names it. `is_esm`: what it imports other than by `import()` is static.
    pub(crate) fn missing(&self, is_esm: bool) -> Vec<Missing> {
        let (first, second) = if is_esm { (&self.deps, &self.dynamic) } else { (&self.dynamic, &self.deps) };
        let all = first.iter().map(|it| (it, is_esm)).chain(second.iter().map(|it| (it, false)));
        let mut missing: BTreeMap<&str, Missing> = BTreeMap::new();
        for (dep, is_static) in all {
            if let Target::Error(message) = &dep.target {
                let it = Missing { spec: dep.spec.clone(), message: message.clone(), is_static };
                missing.entry(&dep.spec).or_insert(it);
            }
        }
        missing.into_values().collect()
    }
}

/// A module as the engine defines it.
pub struct Compiled {
    pub id: String,
    pub module: Module,
    pub rev: Rev,
    pub sites: u32,
    pub stamp: String,
}

impl Graph {
    pub fn new(resolver: Resolver, engine: Handle) -> Graph {
        Graph {
            resolver,
            buffers: DashMap::new(),
            rev: AtomicU64::new(1),
            loaded: DashMap::new(),
            owned: DashSet::new(),
            inline: DashMap::new(),
            classics: DashMap::new(),
            collections: DashMap::new(),
            made_of: DashMap::new(),
            changed_files: DashMap::new(),
            entries: DashSet::new(),
            engine,
        }
    }

    pub fn rev(&self) -> Rev {
        self.rev.load(Ordering::SeqCst)
    }

    /// Revisions that begin from now on are larger than `rev`.
    pub(crate) fn rise_to(&self, rev: Rev) {
        // A page can't push the numbers out of the range in which its comparisons are fast.
        self.rev.fetch_max(rev.min(1 << 29), Ordering::SeqCst);
    }

    /// Begins a new revision. Only the engine does.
    pub(crate) fn next_rev(&self) -> Rev {
        self.rev.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Gives a module to the engine, with what pages may have loaded of it.
    pub(crate) fn take(&self, id: &str) -> Option<Arc<Loaded>> {
        self.owned.insert(id.to_owned());
        self.loaded.remove(id).map(|(_, it)| it)
    }

    pub(crate) fn is_known(&self, id: &str) -> bool {
        self.loaded.contains_key(id) || self.owned.contains(id)
    }

    /// Forgets a module that isn't the engine's: it is read again when somebody asks.
    pub(crate) fn forget(&self, id: &str) -> Option<Arc<Loaded>> {
        self.loaded.remove(id).map(|(_, it)| it)
    }

    /// Forgets modules that could not be loaded, or not with all that they import: the reason may be gone.
    pub(crate) fn forget_errors(&self) -> Vec<Arc<ModuleDef>> {
        let failed: Vec<Arc<ModuleDef>> = self
            .loaded
            .iter()
            .filter(|it| it.def.kind == ModuleKind::Error || has_missing(&it.def))
            .map(|it| Arc::clone(&it.def))
            .collect();
        for def in &failed {
            self.loaded.remove(&def.id);
        }
        failed
    }

    /// Resolving has changed: what the engine does not own is defined anew.
    pub(crate) fn forget_unowned(&self) {
        self.loaded.clear();
    }

    pub(crate) fn keep_inline(&self, id: &str, source: &str, first_line: u32) {
        let is_new = self.inline.get(id).is_none_or(|it| &*it.0 != source || it.1 != first_line);
        if is_new {
            self.inline.insert(id.to_owned(), (Arc::from(source), first_line));
            self.loaded.remove(id);
        }
    }

    /// The number of a classic script: makes its top-level names unlike those of other scripts.
    pub(crate) fn classic_number(&self, id: &str) -> u32 {
        let next = self.classics.len() as u32 + 1;
        *self.classics.entry(id.to_owned()).or_insert(next)
    }

    pub(crate) fn is_classic(&self, id: &str) -> bool {
        self.classics.contains_key(id)
    }

    /// How a file's text is to be compiled.
    pub(crate) fn options(&self, id: &str, path: &Path) -> Options {
        let in_dependencies = in_dependencies(id);
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
        let package = self.resolver.package_type(path);
        let flavour = match extension.as_str() {
            _ if self.is_classic(id) => Some(Flavour::Classic(self.classic_number(id))),
            "mjs" => Some(Flavour::Esm),
            "cjs" => Some(Flavour::Cjs),
            _ if package == Some(PackageType::Module) && in_dependencies => Some(Flavour::Esm),
            _ => None,
        };
        let otherwise =
            if in_dependencies && package != Some(PackageType::Module) { Flavour::Cjs } else { Flavour::Esm };
        Options { flavour, otherwise, plain: in_dependencies }
    }

    /// The text of a file: the buffer, or what is on disk.
    pub(crate) fn text(&self, path: &Path) -> Result<String, String> {
        if let Some(rope) = self.buffers.get(path) {
            return Ok(rope.to_string());
        }
        self.check_size(path)?;
        let shown = shown(path);
        let bytes = std::fs::read(path).map_err(|error| format!("{shown} can't be read: {error}"))?;
        let text =
            String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8 text; save it as UTF-8 to load it"))?;
        Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
    }

    fn check_size(&self, path: &Path) -> Result<(), String> {
        let shown = shown(path);
        let size = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{shown} does not exist"),
            _ => format!("{shown} can't be read: {error}"),
        })?;
        if !size.is_file() {
            return Err(format!("{shown} is not a file"));
        }
        if size.len() > LARGEST_MODULE {
            return Err(format!("{shown} is larger than {} MB, too large to be a module", LARGEST_MODULE >> 20));
        }
        Ok(())
    }

    /// The definition of one module; an error is a definition too.
    pub fn define(&self, id: &str) -> Arc<ModuleDef> {
        if let Some(known) = self.loaded.get(id) {
            return Arc::clone(&known.def);
        }
        let is_owned = self.owned.contains(id);
        if is_owned && let Some(def) = self.ask_engine(id) {
            return def;
        }
        self.keep(id, self.load(id), is_owned)
    }

    /// Remembers what was loaded, unless the module is the engine's. `was_owned`: it was so before it was loaded.
    fn keep(&self, id: &str, loaded: Loaded, was_owned: bool) -> Arc<ModuleDef> {
        let loaded = Arc::new(loaded);
        let def = Arc::clone(&loaded.def);
        self.loaded.entry(id.to_owned()).or_insert(loaded);
        if self.owned.contains(id) {
            // What is kept here would hide the engine's.
            self.loaded.remove(id);
            // If the engine took it while it was being loaded, that was a revision before the engine's first.
            if !was_owned && let Some(def) = self.ask_engine(id) {
                return def;
            }
        }
        def
    }

    fn ask_engine(&self, id: &str) -> Option<Arc<ModuleDef>> {
        let (reply, answer) = std::sync::mpsc::channel();
        self.engine.send(Event::Define { id: id.to_owned(), reply });
        let compiled = answer.recv().ok()??;
        Some(Arc::new(self.definition(compiled)))
    }

    fn load(&self, id: &str) -> Loaded {
        let rev = self.rev();
        if id == EMPTY_ID {
            return data(id, rev, ModuleKind::Cjs, "(function($cap_m){$cap_m.guards();})", None);
        }
        if let Some(rest) = id.strip_prefix(GATHERED) {
            return self.load_collection(id, rest, rev);
        }
        if let Some((source, first_line)) = self.inline.get(id).map(|it| it.value().clone()) {
            // Lines count as in the HTML file.
            let padded: Arc<str> = Arc::from("\n".repeat(first_line.saturating_sub(1) as usize) + &source);
            return self.load_script(id, padded, Options { flavour: Some(Flavour::Esm), ..Options::default() }, rev);
        }
        let Some(path) = self.resolver.root().path_of(id) else {
            return failed(id, rev, format!("{id} is no address of this project"));
        };
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let (plain, query) = split_suffix(id);
        let extension = real.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
        let is_script = matches!(extension.as_str(), "" | "js" | "mjs" | "cjs" | "jsx" | "es" | "es6" | "esm");
        let form = Form::asked(query);
        if form.is_none() && is_script {
            if !query.is_empty() {
                self.made_of.entry(real.clone()).or_default().insert(id.to_owned());
            }
            return match self.text(&real) {
                Ok(text) => self.load_script(id, Arc::from(text), self.options(id, &real), rev),
                Err(message) => failed(id, rev, message),
            };
        }
        if form.is_none() && matches!(extension.as_str(), "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" | "astro") {
            let message = format!("{id} is not JavaScript: Capuchin runs .js, .mjs, .cjs and .jsx files");
            return failed(id, rev, message);
        }
        if !crate::dev_server::may_serve(self.resolver.root().path(), &real) && !id.starts_with("/@modules") {
            return failed(id, rev, format!("{plain} is of a kind that pages cannot have"));
        }
        self.made_of.entry(real.clone()).or_default().insert(id.to_owned());
        let made = match form.unwrap_or_else(|| Form::of(&extension)) {
            Form::Url => Ok(data(id, rev, ModuleKind::Url, &self.with_revision(plain), None)),
            Form::Raw => self.text(&real).map(|text| data(id, rev, ModuleKind::Text, &text, Some(&text))),
            Form::Json => self.text(&real).and_then(|text| {
                let is_valid = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
                if is_valid {
                    Ok(data(id, rev, ModuleKind::Json, &text, Some(&text)))
                } else {
                    Err(format!("{id} is not valid JSON"))
                }
            }),
            Form::Bytes => self.bytes(&real).map(|it| data(id, rev, ModuleKind::Bytes, &BASE64.encode(it), None)),
            Form::Inline if extension != "css" => self.bytes(&real).map(|it| {
                let kind = mime_guess::from_ext(&extension).first_raw().unwrap_or("application/octet-stream");
                data(id, rev, ModuleKind::Text, &format!("data:{kind};base64,{}", BASE64.encode(it)), None)
            }),
            Form::Inline => self.style(id, &real, rev, ModuleKind::Text),
            Form::Sheet => self.style(id, &real, rev, ModuleKind::Sheet),
            Form::Css => self.style(id, &real, rev, ModuleKind::Css),
        };
        made.unwrap_or_else(|message| failed(id, rev, message))
    }

    /// A file as it is: the buffer, or what is on disk.
    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        if self.buffers.contains_key(path) {
            return self.text(path).map(String::into_bytes);
        }
        self.check_size(path)?;
        std::fs::read(path).map_err(|error| format!("{} can't be read: {error}", shown(path)))
    }

    /// The modules that are made of a file whose text, or bytes, are others now. They are forgotten.
    pub(crate) fn forget_made_of(&self, path: &Path) -> Vec<String> {
        let ids: Vec<String> = self.made_of.get(path).iter().flat_map(|it| it.iter().cloned()).collect();
        ids.iter().for_each(|it| drop(self.loaded.remove(it)));
        ids
    }

    /// Whether what is kept of a module is what its file would give now. Addresses say nothing of what is behind them.
    pub(crate) fn is_current(&self, id: &str, path: &Path) -> bool {
        let Some(known) = self.loaded.get(id).map(|it| Arc::clone(it.value())) else { return true };
        if id.starts_with(GATHERED) || known.def.kind == ModuleKind::Url {
            return true;
        }
        match &known.source {
            Some(source) => self.text(path).is_ok_and(|it| *it == **source),
            None => self.load(id).def.code == known.def.code,
        }
    }

    /// Notes that a file has changed: its address is another one from now on, where browsers ask for it again.
    pub(crate) fn note_change(&self, id: &str, rev: Rev) {
        self.changed_files.insert(id.to_owned(), rev);
    }

    fn load_script(&self, id: &str, source: Arc<str>, options: Options, rev: Rev) -> Loaded {
        match Program::load(&source, options, rev) {
            Ok((program, module)) => {
                let compiled =
                    Compiled { id: id.to_owned(), rev, sites: program.ids.len(), stamp: program.stamp(), module };
                Loaded { source: Some(source), def: Arc::new(self.definition(compiled)), options }
            }
            Err(problems) => {
                let mut loaded = failed(id, rev, syntax_message(id, &source, &problems));
                loaded.source = Some(source);
                loaded.options = options;
                loaded
            }
        }
    }

    /// What a page is sent for a compiled module: its specifiers resolved.
    pub fn definition(&self, compiled: Compiled) -> ModuleDef {
        let Compiled { id, module, rev, sites, stamp } = compiled;
        let kind = if module.flavour == Flavour::Cjs { ImportKind::Require } else { ImportKind::Import };
        let dep = |spec: &String, kind: ImportKind| Dep::new(spec.clone(), self.target(spec, &id, kind));
        let names = |spec: &String| {
            // Whoever asks for all of it in another way may use any name.
            let is_all = module.requires.contains(spec) || module.dynamic.contains(spec);
            module.used.get(spec).filter(|_| !is_all).map(|it| it.iter().cloned().collect())
        };
        let imported = |it: &String| Dep { names: names(it), ..dep(it, ImportKind::Import) };
        let mut deps: Vec<Dep> = module.imports.iter().map(imported).collect();
        let mut dynamic: Vec<Dep> = module.dynamic.iter().map(|it| dep(it, ImportKind::Import)).collect();
        for spec in &module.requires {
            if module.flavour != Flavour::Esm {
                deps.push(dep(spec, ImportKind::Require));
            } else if !module.imports.contains(spec) && !module.dynamic.contains(spec) {
                // What an ES module requires runs where the call stands, not before the module.
                dynamic.push(dep(spec, ImportKind::Require));
            }
        }
        let mut first = Vec::new();
        for collection in &module.collections {
            let key = collection.key();
            let gathered = format!("{GATHERED}{key}{id}");
            self.collections.insert(gathered.clone(), (id.clone(), collection.clone()));
            let list = if collection.comes_first() { &mut first } else { &mut dynamic };
            list.push(Dep::new(key, Target::Id(gathered)));
        }
        deps.splice(0..0, first);
        let accepts = module
            .accepts
            .iter()
            .map(|spec| match self.target(spec, &id, kind) {
                Target::Id(target) => (spec.clone(), Some(target)),
                _ => (spec.clone(), None),
            })
            .collect();
        let code = match module.flavour {
            Flavour::Classic(number) => {
                let script = crate::sites::collect::quoted(&id);
                let stamp = crate::sites::collect::quoted(&stamp);
                // The code goes on with the declaration.
                let code = without_directive(&module.code);
                let directive = module.code.strip_suffix(code).unwrap_or_default();
                // Patches are as strict as the code that evaluates them.
                let hook = if directive.is_empty() { "" } else { ",$cap_c=>eval($cap_c)" };
                Arc::from(format!(
                    "{directive}const $cap_g{number}=__capuchin.script({script},{rev},{sites},{stamp}{hook}){code}"
                ))
            }
            _ => Arc::from(module.code),
        };
        let kind = if module.flavour == Flavour::Cjs { ModuleKind::Cjs } else { ModuleKind::Esm };
        ModuleDef { id, kind, rev, stamp, sites, is_async: module.is_async, deps, dynamic, accepts, names: None, code }
    }

    /// What an import of the module `importer` means.
    pub(crate) fn dependency(&self, spec: &str, importer: &str) -> Dep {
        Dep::new(spec, self.target(spec, importer, ImportKind::Import))
    }

    /// The modules that a module imports, and what of its imports does not resolve, sorted.
    pub(crate) fn imports(&self, id: &str, module: &Module) -> (Vec<String>, Vec<Missing>) {
        let imports = module.imports.iter().map(|it| (it, ImportKind::Import, true));
        let lazy = module.dynamic.iter().map(|it| (it, ImportKind::Import, false));
        let required = module.requires.iter().map(|it| (it, ImportKind::Require, false));
        let mut found = Vec::new();
        let mut missing: BTreeMap<&str, Missing> = BTreeMap::new();
        for (spec, kind, is_static) in imports.chain(lazy).chain(required) {
            match self.target(spec, id, kind) {
                Target::Id(id) => found.push(id),
                Target::Url(_) => {}
                Target::Error(message) => {
                    missing.entry(spec).or_insert(Missing { spec: spec.clone(), message, is_static });
                }
            }
        }
        (found, missing.into_values().collect())
    }

    /// Whether a module was asked for by name, or is imported by one that is not the engine's.
    pub(crate) fn is_in_use(&self, id: &str) -> bool {
        let leads_here = |it: &Dep| matches!(&it.target, Target::Id(target) if target == id);
        self.entries.contains(id)
            || self.loaded.iter().any(|it| {
                // What is gathered is there because the file is, not the other way round.
                it.def.kind != ModuleKind::Gathered && it.def.deps.iter().chain(&it.def.dynamic).any(leads_here)
            })
    }

    /// A page asks for modules by these names.
    pub(crate) fn note_entries(&self, ids: &[String]) {
        for id in ids {
            self.entries.insert(id.clone());
        }
    }

    /// The known modules in a folder, which is named as a module would be.
    pub(crate) fn known_below(&self, folder: &str) -> Vec<String> {
        let is_below = |id: &str| id.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
        let loaded = self.loaded.iter().map(|it| it.key().clone());
        let owned = self.owned.iter().map(|it| it.key().clone());
        let mut ids: Vec<String> = loaded.chain(owned).filter(|it| is_below(it)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn target(&self, spec: &str, importer: &str, kind: ImportKind) -> Target {
        let (spec, asked) = without_type(spec);
        match self.resolver.resolve(spec, importer, kind) {
            Resolved::Module { id, .. } => match asked.map_or(Some(""), |it| query_for(it, &id)) {
                Some("") => Target::Id(id),
                Some(query) => Target::Id(with_query(&id, query)),
                None => {
                    let asked = asked.unwrap_or_default();
                    Target::Error(format!(
                        "'{spec}' cannot be imported with the type '{asked}' (imported by {importer})"
                    ))
                }
            },
            Resolved::Empty => Target::Id(EMPTY_ID.to_owned()),
            Resolved::Url(url) => Target::Url(url),
            Resolved::Problem(message) => Target::Error(message),
        }
    }
}

fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |it| it.to_string_lossy().into_owned())
}

fn in_dependencies(id: &str) -> bool {
    id.contains("/node_modules/") || id.starts_with("/@modules")
}

/// One sentence with the place of the first syntax error. Lines and columns from 1, as editors show them.
pub(crate) fn syntax_message(id: &str, source: &str, problems: &[Problem]) -> String {
    let Some(first) = problems.first() else { return format!("{id} does not parse") };
    let at = (first.start as usize).min(source.len());
    let before = &source[..source.floor_char_boundary(at)];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |it| it + 1) + 1;
    format!("{id}:{line}:{column} does not parse: {}", first.message)
}

fn has_missing(def: &ModuleDef) -> bool {
    def.deps.iter().chain(&def.dynamic).any(|it| matches!(it.target, Target::Error(_)))
}

fn data(id: &str, rev: Rev, kind: ModuleKind, code: &str, source: Option<&str>) -> Loaded {
    let def = ModuleDef {
        id: id.to_owned(),
        kind,
        rev,
        stamp: stamp_of(code),
        sites: 0,
        is_async: false,
        deps: Vec::new(),
        dynamic: Vec::new(),
        accepts: BTreeMap::new(),
        names: None,
        code: Arc::from(code),
    };
    Loaded { source: source.map(Arc::from), def: Arc::new(def), options: Options::default() }
}

fn stamp_of(text: &str) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn failed(id: &str, rev: Rev, message: String) -> Loaded {
    tracing::warn!("{message}");
    data(id, rev, ModuleKind::Error, &message, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::Root;

    #[test]
    fn a_module_that_the_engine_takes_while_it_is_loaded_is_the_engines() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("main.js"), "export const a = 1;").expect("a file");
        let (events, asked) = std::sync::mpsc::channel();
        let root = Root::open(folder.path()).expect("a root");
        let graph = Graph::new(Resolver::new(root), Handle { events: Arc::new(events) });
        let loaded = graph.load("/main.js");
        assert!(graph.take("/main.js").is_none());
        let rev = graph.next_rev();
        let options = loaded.options;
        let engine = std::thread::spawn(move || {
            let Ok(Event::Define { id, reply }) = asked.recv() else { return };
            let (program, _) = Program::load("export const a = 1;", options, rev).expect("a program");
            let (sites, stamp) = (program.ids.len(), program.stamp());
            let module = program.module().expect("a module");
            let _ = reply.send(Some(Compiled { id, module, rev, sites, stamp }));
        });
        assert_eq!(graph.keep("/main.js", loaded, false).rev, rev);
        engine.join().expect("the engine ends");
    }
}
