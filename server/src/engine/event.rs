//! Everything that can wake the engine, and everything it tells the editor. Plain data: no JSON, no protocol types.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::text::{ContentChange, PositionEncoding};
use crate::wire::{FromPage, PageId, ToPage};

/// One thing that happened outside and that the engine has to take in. Events are handled one at a time, in order.
#[derive(Debug)]
pub enum Event {
    /// The editor opened a document. `path` is `None` for documents that are no files (`untitled:`, `git:` …).
    Opened { uri: String, path: Option<PathBuf>, version: i32, text: String },
    /// The editor changed a document. The changes apply one after another, each to the result of the one before.
    Changed { uri: String, version: i32, changes: Vec<ContentChange>, encoding: PositionEncoding },
    /// The editor wrote the document to disk.
    Saved { uri: String },
    /// The editor closed the document: the file on disk counts again.
    Closed { uri: String },
    /// Files were created, changed or deleted on disk (by the watcher or `workspace/didChangeWatchedFiles`).
    FilesChanged { paths: Vec<PathBuf> },
    /// A page opened its socket and said hello; what is sent to `outbox` goes to it. The queue is bounded: a full one means a dead page.
    PageConnected { page: PageId, address: String, hello: FromPage, outbox: mpsc::Sender<ToPage> },
    /// A connected page said something.
    PageSaid { page: PageId, message: FromPage },
    /// A page's socket is gone.
    PageGone { page: PageId },
    /// An event for the programs of all pages, or of one.
    Tell { page: Option<String>, event: String, data: Option<serde_json::Value> },
    /// The editor asks who is connected.
    ListPages { reply: oneshot::Sender<Vec<PageInfo>> },
    /// A page wants a module that the engine has changed; `None` if the engine does not have it.
    Define { id: String, reply: std::sync::mpsc::Sender<Option<crate::graph::Compiled>> },
    /// Stop the loop.
    Shutdown,
}

/// What the engine tells the editor. The LSP shell turns it into notifications; `capuchin serve` logs it.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    Ready {
        url: String,
        root: PathBuf,
    },
    Verdict(VerdictNotice),
    Outcome(OutcomeNotice),
    /// The pages that are connected now, by id.
    PagesChanged {
        pages: Vec<PageId>,
    },
    /// The program of a page has sent an event.
    Custom {
        page: PageId,
        event: String,
        data: Option<serde_json::Value>,
    },
    /// The problems of one document: replaces what was said before, an empty list clears.
    Problems {
        uri: String,
        version: Option<i32>,
        problems: Vec<ProblemNotice>,
    },
    /// One sentence for the user.
    Message {
        level: Level,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Info,
}

/// The verdict on one planned version of an open document.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictNotice {
    pub uri: String,
    pub version: i32,
    /// `unchanged`, `hold`, `patch`, `updateModule` or `reloadPage`.
    pub verdict: &'static str,
    pub reason: Option<ReasonNotice>,
    pub sites: Vec<SiteNotice>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReasonNotice {
    pub code: String,
    pub message: String,
    pub range: Option<TextRange>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SiteNotice {
    pub name: String,
    pub kind: &'static str,
    pub range: TextRange,
}

/// Lines and columns from 0, already in the encoding that was negotiated with the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRange {
    pub start: (u32, u32),
    pub end: (u32, u32),
}

/// What became of one version in one page.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeNotice {
    pub uri: String,
    pub version: i32,
    pub page: PageId,
    /// `live`, `nextCall`, `held`, `moduleUpdated`, `needsReload`, `refused` or `threw`.
    pub outcome: String,
    pub reason: Option<ReasonNotice>,
    /// Milliseconds from the edit's arrival at the server to the page's answer.
    pub ms: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ProblemNotice {
    pub range: TextRange,
    pub message: String,
    pub code: String,
    pub level: Level,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PageInfo {
    pub id: PageId,
    pub address: String,
    pub user_agent: String,
    pub url: String,
    pub modules: usize,
}

/// Where the engine's notices go. Cheap to clone.
pub type Notices = mpsc::UnboundedSender<Notice>;

/// The sending half of the engine: cheap to clone, never blocks, keeps the order of one sender.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) events: Arc<std::sync::mpsc::Sender<Event>>,
}

impl Handle {
    /// Hands an event to the engine. After the engine has stopped, events are dropped.
    pub fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Opened { uri, version, .. } => write!(f, "opened {uri} v{version}"),
            Event::Changed { uri, version, changes, .. } => {
                write!(f, "changed {uri} v{version} ({} changes)", changes.len())
            }
            Event::Saved { uri } => write!(f, "saved {uri}"),
            Event::Closed { uri } => write!(f, "closed {uri}"),
            Event::FilesChanged { paths } => write!(f, "{} files changed on disk", paths.len()),
            Event::PageConnected { page, .. } => write!(f, "page {page} connected"),
            Event::PageSaid { page, .. } => write!(f, "page {page} said something"),
            Event::PageGone { page } => write!(f, "page {page} gone"),
            Event::Tell { event, .. } => write!(f, "tell {event}"),
            Event::ListPages { .. } => write!(f, "list pages"),
            Event::Define { id, .. } => write!(f, "define {id}"),
            Event::Shutdown => write!(f, "shutdown"),
        }
    }
}
