//! One served folder: its engine, its dev server and its file watcher, wired together.

use std::path::Path;
use std::sync::Arc;

use axum::Router;

use super::hub::Hub;
use crate::compile::without_directive;
use crate::dev_server::backend::Backend;
use crate::dev_server::bind::{self, Limits, Listeners};
use crate::dev_server::{self, Cleanup, Config, watch};
use crate::engine;
use crate::engine::event::{Handle, Notice};
use crate::graph::Graph;
use crate::modules::{Resolver, Root};
use crate::wire::{self, ModuleKind, PageId};

pub(crate) struct Project {
    pub(crate) engine: Handle,
    pub(crate) hub: Hub,
    pub(crate) url: String,
    pub(crate) app: Router,
    listeners: Listeners,
    watcher: watch::Watcher,
}

impl Project {
    /// Binds the port and starts the engine; [`Project::serve`] then answers.
    pub(crate) async fn start(root: &Path, port: u16, cleanup: Cleanup) -> anyhow::Result<Project> {
        Project::start_with(root, port, cleanup, |_, _, _| Router::new()).await
    }

    /// [`Project::start`] with more routes, behind the same guard.
    pub(crate) async fn start_with(
        root: &Path,
        port: u16,
        cleanup: Cleanup,
        more: impl FnOnce(&Config, &Handle, &Hub) -> Router,
    ) -> anyhow::Result<Project> {
        let root = Root::open(root)?;
        let listeners = bind::bind(port).await?;
        let config = Config { cleanup, ..Config::new(root.clone(), listeners.port)? };
        let url = format!("http://localhost:{}/", listeners.port);
        let (engine, events) = engine::channel();
        let hub = Hub::default();
        let folder = root.path().to_owned();
        let graph = Arc::new(Graph::new(Resolver::new(root), engine.clone()));
        engine::start(Arc::clone(&graph), config.server.clone(), hub.spread(), events);
        let backend = Arc::new(ProjectBackend { graph, server: config.server.clone(), engine: engine.clone() });
        let app = dev_server::app_with(config.clone(), backend, more(&config, &engine, &hub));
        let watcher = watch::watch(&folder, engine.clone());
        tracing::info!("pages are served at {url}");
        hub.tell(Notice::Ready { url: url.clone(), root: folder });
        hub.tell(Notice::PagesChanged { pages: Vec::new() });
        Ok(Project { engine, hub, url, app, listeners, watcher })
    }

    /// Answers until the runtime ends.
    pub(crate) async fn serve(self) {
        bind::serve(self.listeners, self.app, Limits::default()).await;
        drop(self.watcher);
    }
}

struct ProjectBackend {
    graph: Arc<Graph>,
    server: String,
    engine: Handle,
}

impl Backend for ProjectBackend {
    fn buffer(&self, path: &Path) -> Option<Arc<str>> {
        self.graph.buffers.get(path).map(|it| Arc::from(it.to_string()))
    }

    fn graph(&self, entries: &[String], _page: &PageId) -> wire::Graph {
        let entries: Vec<String> = entries
            .iter()
            .map(|it| match self.graph.resolver.resolve(it, "/index.html", crate::modules::ImportKind::Import) {
                crate::modules::Resolved::Module { id, .. } => id,
                // What is not a file (an inline script, a mistake) is answered under its own name.
                _ => it.clone(),
            })
            .collect();
        self.graph.note_entries(&entries);
        let modules = self.graph.crawl(&entries, &rustc_hash::FxHashSet::default());
        let entry = entries.first().cloned().unwrap_or_default();
        wire::Graph { entry, server: self.server.clone(), modules: modules.iter().map(|it| (**it).clone()).collect() }
    }

    fn classic(&self, path: &Path, url: &str) -> Option<String> {
        let (id, _) = self.graph.resolver.root().locate(path)?;
        let _ = url;
        self.graph.classic_number(&id);
        let def = self.graph.define(&id);
        // Something that is no script goes to the browser as it is.
        let is_script = def.kind == ModuleKind::Esm && without_directive(&def.code).starts_with("const $cap_g");
        is_script.then(|| def.code.to_string())
    }

    fn stylesheet(&self, path: &Path, text: &str) -> Option<String> {
        self.graph.linked_sheet(path, text)
    }

    fn inline_module(&self, id: &str, source: &str, first_line: u32) {
        self.graph.keep_inline(id, source, first_line);
    }

    fn import_map(&self, document: &str, json: &str) {
        let update = self.graph.resolver.set_import_map(document, json);
        for problem in update.problems {
            tracing::warn!("import map: {problem}");
        }
        if update.changed {
            self.graph.forget_unowned();
        }
    }

    fn rev(&self) -> u64 {
        self.graph.rev()
    }

    fn events(&self) -> Handle {
        self.engine.clone()
    }
}
