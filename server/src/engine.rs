//! The engine: one thread that owns all state and turns events into verdicts, pushes and notices. The loop is the lock.
//!
//! An edit goes this way: its text is applied when its event is taken from the queue; when the queue is empty every changed
//! document is planned once, in its newest version; what the plans say is sent to each page as one push.

mod changes;
mod drift;
pub mod event;
mod files;
mod hot;
mod journal;
mod planning;
mod problems;
mod pushing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::graph::{Compiled, Graph};
use crate::pages::{Pages, SentDocument};
use crate::patch::PlannedSite;
use crate::sites::Rev;
use crate::text::{Document, LostSync, PositionEncoding};
use crate::wire::{Change, FromPage, ToPage, When};
use event::{Event, Handle, Level, Notice, Notices, PageInfo};
use hot::Hot;
use journal::Journal;
use problems::Problem;

/// While somebody types, a module runs again only after this long without an edit.
const UPDATE_IDLE: Duration = Duration::from_millis(300);

/// Edits this close to each other are one change: an editor that renames a thing writes to several files.
const ONE_CHANGE: Duration = Duration::from_millis(100);

/// Makes the sending half before there is a loop: the graph and the dev server need it.
pub fn channel() -> (Handle, mpsc::Receiver<Event>) {
    let (sender, receiver) = mpsc::channel();
    (Handle { events: Arc::new(sender) }, receiver)
}

/// Starts the loop on a thread of its own. `server` names this start.
pub fn start(
    graph: Arc<Graph>,
    server: String,
    notices: Notices,
    events: mpsc::Receiver<Event>,
) -> std::thread::JoinHandle<()> {
    std::thread::Builder::new()
        .name("engine".to_owned())
        // Functions can stand in each other as deep as code is read.
        .stack_size(64 << 20)
        .spawn(move || Engine::new(graph, server, notices).run(&events))
        .expect("the system starts a thread")
}

/// An open document.
pub(crate) struct OpenDocument {
    path: Option<PathBuf>,
    /// The module that it is the text of, if it is one.
    module: Option<String>,
    document: Document,
    encoding: PositionEncoding,
    /// When the oldest edit that is not planned yet came in.
    unplanned: Option<Instant>,
    /// Its text is, or once was, not the one on disk.
    was_edited: bool,
    /// The editor and the server no longer mean the same text; patching stops until it is opened again.
    is_lost: bool,
    has_problems: bool,
    /// When the editor was told that its newest version is to reach pages, and the revision then, until one of them runs it.
    told: Option<(Instant, Rev)>,
}

pub(crate) struct Engine {
    graph: Arc<Graph>,
    server: String,
    notices: Notices,
    pages: Pages,
    /// By URI.
    documents: FxHashMap<String, OpenDocument>,
    /// Modules that have changed, by id.
    hot: FxHashMap<String, Hot>,
    /// Modules whose functions wait for another module that runs again, with these and the document they are of. Cleared when it
    /// does.
    kept: FxHashMap<String, (Vec<PlannedSite>, Option<SentDocument>)>,
    /// Modules that are made of an unsaved text and wait until nobody types, since when, with that text's version.
    remade: FxHashMap<String, (Instant, SentDocument)>,
    /// A document was opened that is no file yet, or one that nobody knew of.
    may_have_new_files: bool,
    /// What keeps the newest text of modules from running, by id.
    problems: FxHashMap<String, Problem>,
    journal: Journal,
    /// The newest change of each file that is no module, by its address.
    files: FxHashMap<String, (Rev, Change)>,
}

impl Engine {
    fn new(graph: Arc<Graph>, server: String, notices: Notices) -> Engine {
        Engine {
            graph,
            server,
            notices,
            pages: Pages::default(),
            documents: FxHashMap::default(),
            hot: FxHashMap::default(),
            kept: FxHashMap::default(),
            remade: FxHashMap::default(),
            may_have_new_files: false,
            problems: FxHashMap::default(),
            journal: Journal::default(),
            files: FxHashMap::default(),
        }
    }

    fn run(mut self, events: &mpsc::Receiver<Event>) {
        loop {
            let event = match self.next_update() {
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match event {
                Ok(Event::Shutdown) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => self.update_idle_modules(),
            }
            // Whatever has come in meanwhile is applied to the texts first, then planned once.
            while let Ok(event) = events.try_recv() {
                if matches!(event, Event::Shutdown) {
                    return;
                }
                self.take(event);
            }
            self.plan_changed(When::Typing);
        }
    }

    fn take(&mut self, event: Event) {
        let began = Instant::now();
        let shown = tracing::enabled!(tracing::Level::DEBUG).then(|| event.to_string());
        // All but edits see the plans of the edits before them.
        if !matches!(event, Event::Changed { .. }) {
            self.plan_changed(When::Typing);
        }
        match event {
            Event::Opened { uri, path, version, text } => self.open(uri, path, version, &text),
            Event::Changed { uri, version, changes, encoding } => self.change(&uri, version, &changes, encoding),
            Event::Saved { uri } => self.save(&uri),
            Event::Closed { uri } => self.close(&uri),
            Event::FilesChanged { paths } => self.files_changed(&paths),
            Event::PageConnected { page, address, hello, outbox } => self.connect(page, address, hello, outbox),
            Event::PageSaid { page, message } => self.page_said(&page, message),
            Event::PageGone { page } => {
                self.pages.lose(&page);
                self.journal.page_gone(&page, &self.pages);
                self.tell_page_count();
            }
            Event::Tell { page, event, data } => {
                for (id, it) in self.pages.connected_mut() {
                    if page.as_ref().is_none_or(|page| page == id.as_str()) {
                        it.send(ToPage::Custom { event: event.clone(), data: data.clone() });
                    }
                }
            }
            Event::ListPages { reply } => {
                let _ = reply.send(self.list_pages());
            }
            Event::Define { id, reply } => {
                let _ = reply.send(self.define(&id));
            }
            Event::Shutdown => {}
        }
        if let Some(shown) = shown {
            tracing::debug!("{shown}: {:?}", began.elapsed());
        }
    }

    fn notify(&self, notice: Notice) {
        // Nobody listens while the editor shuts down.
        let _ = self.notices.send(notice);
    }

    fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        tracing::warn!("{text}");
        self.notify(Notice::Message { level: Level::Warning, text });
    }

    fn tell_page_count(&self) {
        let mut pages: Vec<_> = self.pages.connected().map(|(id, _)| id.clone()).collect();
        pages.sort_unstable();
        self.notify(Notice::PagesChanged { pages });
    }

    fn list_pages(&self) -> Vec<PageInfo> {
        self.pages
            .connected()
            .map(|(id, page)| PageInfo {
                id: id.clone(),
                address: page.address.clone(),
                user_agent: page.user_agent.clone(),
                url: page.url.clone(),
                modules: page.modules.len(),
            })
            .collect()
    }

    fn define(&mut self, id: &str) -> Option<Compiled> {
        if self.graph.is_classic(id) {
            self.make_classic(id);
        }
        // What never parsed is an error like any other file's.
        let hot = self.hot.get(id).filter(|it| !it.program.is_nothing && it.gone_since.is_none())?;
        let module = hot.program.module().ok()?;
        Some(Compiled {
            id: id.to_owned(),
            rev: hot.program.rev,
            sites: hot.program.ids.len(),
            stamp: hot.program.stamp(),
            module,
        })
    }

    fn change(&mut self, uri: &str, version: i32, changes: &[crate::text::ContentChange], encoding: PositionEncoding) {
        let Some(open) = self.documents.get_mut(uri) else {
            self.warn(format!("{uri} was changed before it was opened: the edit is ignored until the editor opens it"));
            return;
        };
        open.encoding = encoding;
        match open.document.apply(version, changes, encoding) {
            Ok(edits) => {
                // A whole text brings a lost document back.
                open.is_lost = false;
                open.unplanned.get_or_insert_with(Instant::now);
                open.was_edited = true;
                if let Some(hot) = open.module.as_ref().and_then(|it| self.hot.get_mut(it)) {
                    hot.edit(&edits, open.document.rope.clone());
                }
            }
            Err(lost) => {
                // Said once: the edits after it would only repeat it.
                if !std::mem::replace(&mut open.is_lost, true) {
                    let sentence = lost_sentence(uri, &lost);
                    self.warn(sentence);
                }
            }
        }
    }

    fn page_said(&mut self, page: &crate::wire::PageId, message: FromPage) {
        match message {
            hello @ FromPage::Hello { .. } => self.hello(page, hello),
            FromPage::Outcome { seq, results } => self.outcome(page, seq, results),
            FromPage::Loaded { modules } => self.loaded(page, modules),
            FromPage::Custom { event, data } => {
                // Names of Vite's own are between its client and its server.
                if !event.starts_with("vite:") {
                    self.notify(Notice::Custom { page: page.clone(), event, data });
                }
            }
            FromPage::Error { module, message, stack, count } => {
                self.journal.error(module.as_deref(), &message, stack.as_deref(), count);
            }
        }
    }
}

fn lost_sentence(uri: &str, lost: &LostSync) -> String {
    format!("{uri}: {lost}; it is not patched any more until it is closed and opened again")
}
