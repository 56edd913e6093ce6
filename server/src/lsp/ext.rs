//! What we say beyond the LSP: the `capuchin/…` messages, as they look on the wire. `docs/protocol.md` specifies them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::PageId;

pub(super) const READY: &str = "capuchin/ready";
pub(super) const VERDICT: &str = "capuchin/verdict";
pub(super) const OUTCOME: &str = "capuchin/outcome";
pub(super) const PAGES_CHANGED: &str = "capuchin/pagesChanged";
/// In both directions: what the program of a page has sent, and what programs are to be sent.
pub(super) const EVENT: &str = "capuchin/event";
/// A request without parameters; the answer is a list of [`Page`]s.
pub(super) const PAGES: &str = "capuchin/pages";

/// The dev server takes pages.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    pub(super) url: String,
    pub(super) root: String,
}

/// One version of an open document was planned.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) uri: String,
    pub(super) version: i32,
    pub(super) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    pub(super) sites: Vec<Site>,
}

/// What became of one version in one page.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) uri: String,
    pub(super) version: i32,
    pub(super) page: String,
    pub(super) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    pub(super) ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct PagesChanged {
    pub(super) count: usize,
    pub(super) pages: Vec<PageId>,
}

/// To the editor: from which page. From the editor: to which; to all if it is not said.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Custom {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<String>,
    pub(super) event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) user_agent: String,
    pub(super) url: String,
    /// How many modules the page has loaded.
    pub(super) modules: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<Range>,
}

#[derive(Debug, Serialize)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) range: Range,
}

#[derive(Debug, Serialize)]
pub(super) struct Range {
    pub(super) start: Position,
    pub(super) end: Position,
}

#[derive(Debug, Serialize)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) character: u32,
}
