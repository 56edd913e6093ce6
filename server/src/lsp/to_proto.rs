//! From the engine's words to JSON.

use serde::Serialize;

use crate::engine::event::{
    Level, Notice, OutcomeNotice, PageInfo, ProblemNotice, ReasonNotice, SiteNotice, TextRange, VerdictNotice,
};
use crate::lsp::ext;

/// A notification as it goes over the wire.
pub(super) fn notice(notice: Notice) -> Vec<u8> {
    match notice {
        Notice::Ready { url, root } => {
            notification(ext::READY, ext::Ready { url, root: root.to_string_lossy().into_owned() })
        }
        Notice::Verdict(it) => notification(ext::VERDICT, verdict(it)),
        Notice::Outcome(it) => notification(ext::OUTCOME, outcome(it)),
        Notice::PagesChanged { pages } => {
            notification(ext::PAGES_CHANGED, ext::PagesChanged { count: pages.len(), pages })
        }
        Notice::Custom { page, event, data } => {
            notification(ext::EVENT, ext::Custom { page: Some(page.to_string()), event, data })
        }
        Notice::Problems { uri, version, problems } => {
            let diagnostics = problems.into_iter().map(diagnostic).collect();
            notification("textDocument/publishDiagnostics", Diagnostics { uri, version, diagnostics })
        }
        // News belong into the log; only what the user should act on may stand in the way.
        Notice::Message { level: Level::Info, text } => log_message(Level::Info, text),
        Notice::Message { level, text } => {
            notification("window/showMessage", ShownText { typ: severity(level), message: text })
        }
    }
}

pub(super) fn log_message(level: Level, text: String) -> Vec<u8> {
    notification("window/logMessage", ShownText { typ: severity(level), message: text })
}

pub(super) fn page(page: PageInfo) -> ext::Page {
    let PageInfo { id, address, user_agent, url, modules } = page;
    ext::Page { id: id.to_string(), address, user_agent, url, modules }
}

// Not the types of the LSP library: its URIs are parsed and may come out changed, ours go back as the editor wrote them.
#[derive(Serialize)]
struct Diagnostics {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Diagnostic {
    range: ext::Range,
    severity: u8,
    code: String,
    source: &'static str,
    message: String,
}

#[derive(Serialize)]
struct ShownText {
    #[serde(rename = "type")]
    typ: u8,
    message: String,
}

#[derive(Serialize)]
struct Notification<P> {
    jsonrpc: &'static str,
    method: &'static str,
    params: P,
}

fn notification(method: &'static str, params: impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Notification { jsonrpc: "2.0", method, params }).expect("our own types have string keys only")
}

fn verdict(it: VerdictNotice) -> ext::Verdict {
    let VerdictNotice { uri, version, verdict, reason: why, sites } = it;
    ext::Verdict { uri, version, verdict, reason: why.map(reason), sites: sites.into_iter().map(site).collect() }
}

fn outcome(it: OutcomeNotice) -> ext::Outcome {
    let OutcomeNotice { uri, version, page, outcome, reason: why, ms } = it;
    ext::Outcome { uri, version, page: page.to_string(), outcome, reason: why.map(reason), ms }
}

fn reason(it: ReasonNotice) -> ext::Reason {
    ext::Reason { code: it.code, message: it.message, range: it.range.map(range) }
}

fn site(it: SiteNotice) -> ext::Site {
    ext::Site { name: it.name, kind: it.kind, range: range(it.range) }
}

fn diagnostic(it: ProblemNotice) -> Diagnostic {
    let ProblemNotice { range: at, message, code, level } = it;
    Diagnostic { range: range(at), severity: severity(level), code, source: "capuchin", message }
}

fn range(it: TextRange) -> ext::Range {
    let position = |(line, character)| ext::Position { line, character };
    ext::Range { start: position(it.start), end: position(it.end) }
}

/// The numbers of message types and of diagnostic severities are the same.
fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 1,
        Level::Warning => 2,
        Level::Info => 3,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::*;
    use crate::wire::PageId;

    #[track_caller]
    fn check(it: Notice, method: &str, params: Value) {
        let found: Value = serde_json::from_slice(&notice(it)).unwrap();
        assert_eq!(found, json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    const RANGE: TextRange = TextRange { start: (1, 2), end: (3, 4) };

    fn range_json() -> Value {
        json!({ "start": { "line": 1, "character": 2 }, "end": { "line": 3, "character": 4 } })
    }

    fn why() -> ReasonNotice {
        ReasonNotice { code: "syntax".into(), message: "m".into(), range: Some(RANGE) }
    }

    #[test]
    fn own_notifications() {
        check(
            Notice::Ready { url: "http://localhost:4177/".into(), root: PathBuf::from("/app") },
            "capuchin/ready",
            json!({ "url": "http://localhost:4177/", "root": "/app" }),
        );
        let pages = ["p1", "p2"].map(|it| PageId::parse(it).expect("an id")).to_vec();
        let params = json!({ "count": 2, "pages": ["p1", "p2"] });
        check(Notice::PagesChanged { pages }, "capuchin/pagesChanged", params);
        let site = SiteNotice { name: "tick".into(), kind: "function", range: RANGE };
        check(
            Notice::Verdict(VerdictNotice {
                uri: "file:///c%3A/a.js".into(),
                version: 3,
                verdict: "patch",
                reason: None,
                sites: vec![site],
            }),
            "capuchin/verdict",
            json!({ "uri": "file:///c%3A/a.js", "version": 3, "verdict": "patch",
                "sites": [{ "name": "tick", "kind": "function", "range": range_json() }] }),
        );
        let page = PageId::parse("p1").unwrap();
        check(
            Notice::Custom { page: page.clone(), event: "my:event".into(), data: Some(json!([1])) },
            "capuchin/event",
            json!({ "page": "p1", "event": "my:event", "data": [1] }),
        );
        check(
            Notice::Outcome(OutcomeNotice {
                uri: "u".into(),
                version: 3,
                page,
                outcome: "held".into(),
                reason: Some(why()),
                ms: 1.5,
            }),
            "capuchin/outcome",
            json!({ "uri": "u", "version": 3, "page": "p1", "outcome": "held", "ms": 1.5,
                "reason": { "code": "syntax", "message": "m", "range": range_json() } }),
        );
    }

    #[test]
    fn problems_are_diagnostics_and_none_clears() {
        let problem = ProblemNotice { range: RANGE, message: "m".into(), code: "c".into(), level: Level::Warning };
        check(
            Notice::Problems { uri: "u".into(), version: Some(1), problems: vec![problem] },
            "textDocument/publishDiagnostics",
            json!({ "uri": "u", "version": 1,
                "diagnostics": [{ "range": range_json(), "severity": 2, "code": "c", "source": "capuchin", "message": "m" }] }),
        );
        check(
            Notice::Problems { uri: "u".into(), version: None, problems: vec![] },
            "textDocument/publishDiagnostics",
            json!({ "uri": "u", "diagnostics": [] }),
        );
    }

    #[test]
    fn news_go_to_the_log_and_troubles_to_the_user() {
        let message = |level| Notice::Message { level, text: "t".into() };
        check(message(Level::Error), "window/showMessage", json!({ "type": 1, "message": "t" }));
        check(message(Level::Warning), "window/showMessage", json!({ "type": 2, "message": "t" }));
        check(message(Level::Info), "window/logMessage", json!({ "type": 3, "message": "t" }));
    }
}
