//! Modules that stand for what a call gathers by a pattern.

use super::*;

impl Graph {
    /// The files that a call gathers, as a module. What asks for it is defined before, so that its calls are known.
    pub(super) fn load_collection(&self, id: &str, rest: &str, rev: Rev) -> Loaded {
        let importer = rest.find('/').map_or("/", |at| &rest[at..]);
        if !self.collections.contains_key(id) {
            self.define(importer);
        }
        let Some((importer, collection)) = self.collections.get(id).map(|it| it.value().clone()) else {
            return failed(id, rev, format!("{importer} gathers no such modules"));
        };
        let open: Vec<PathBuf> = self.buffers.iter().map(|it| it.key().clone()).collect();
        let root = self.resolver.root();
        let may_serve = |path: &Path| crate::dev_server::may_serve(root.path(), path);
        let place = Place { root, importer: &importer, open: &open, may_serve: &may_serve };
        let files = match gather(&collection, &place) {
            Ok(files) => files,
            Err(message) => return failed(id, rev, message),
        };
        let dep = |(key, target): (&String, &String)| Dep::new(key, Target::Id(target.clone()));
        let deps: Vec<Dep> = files.iter().map(dep).collect();
        let (mode, import, deps, dynamic) = match &collection {
            Collection::Glob(glob) if glob.is_eager => ("glob-eager", glob.import.as_deref(), deps, Vec::new()),
            Collection::Glob(glob) => ("glob", glob.import.as_deref(), Vec::new(), deps),
            Collection::Context(context) => match context.mode {
                // These are for modules that something else loads.
                Mode::Weak | Mode::AsyncWeak => (context.mode.as_str(), None, Vec::new(), Vec::new()),
                mode => (mode.as_str(), None, Vec::new(), deps),
            },
        };
        let code = wire::Gathered { mode, import, files: &files }.to_json();
        let mut loaded = data(id, rev, ModuleKind::Gathered, &code, None);
        if let Some(def) = Arc::get_mut(&mut loaded.def) {
            (def.deps, def.dynamic) = (deps, dynamic);
        }
        loaded
    }

    /// The collections that list other files than pages were told: what is new on disk, or gone, or open in an editor.
    pub(crate) fn outdated_collections(&self) -> Vec<String> {
        let ids: Vec<String> = self.collections.iter().map(|it| it.key().clone()).collect();
        let mut outdated: Vec<String> = ids
            .into_iter()
            .filter(|id| {
                let known = self.loaded.get(id).map(|it| Arc::clone(&it.def));
                let rest = id.strip_prefix(GATHERED).unwrap_or_default();
                known.is_some_and(|it| self.load_collection(id, rest, it.rev).def.code != it.code)
            })
            .collect();
        outdated.sort_unstable();
        outdated
    }
}
