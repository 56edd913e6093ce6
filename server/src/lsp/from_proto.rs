//! From the editor's JSON about documents and files to our events.
//!
//! The types are our own: the LSP library's refuse whole messages for a URI with a space in it.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::engine::event::Event;
use crate::lsp::{ext, uri};
use crate::text::{ContentChange, Position, PositionEncoding};

/// The methods that [`Documents::event`] understands: those that change what the engine sees, so their order counts.
pub(super) fn is_about_documents(method: &str) -> bool {
    matches!(
        method,
        "textDocument/didOpen"
            | "textDocument/didChange"
            | "textDocument/didSave"
            | "textDocument/didClose"
            | "workspace/didChangeWatchedFiles"
            | ext::EVENT
    )
}

/// The open documents and their last versions, for clients that do not count.
#[derive(Debug, Default)]
pub(super) struct Documents {
    versions: HashMap<String, i32>,
}

impl Documents {
    /// What the engine has to know, and a sentence if the parameters could not be understood.
    pub(super) fn event(
        &mut self,
        method: &str,
        params: Value,
        encoding: PositionEncoding,
    ) -> (Option<Event>, Option<String>) {
        let event = match method {
            "textDocument/didOpen" => read(method, params).map(|it| self.opened(it)),
            "textDocument/didChange" => {
                let uri = params["textDocument"]["uri"].as_str().map(str::to_owned);
                let version = params["textDocument"]["version"].as_number().map(saturated);
                match read(method, params) {
                    Ok(it) => Ok(self.changed(it, encoding)),
                    // The editor's text has moved on without us.
                    Err(sentence) => return (uri.map(|uri| self.out_of_sync(uri, version, encoding)), Some(sentence)),
                }
            }
            "textDocument/didSave" => {
                read(method, params).map(|it: OnlyDocument| Event::Saved { uri: it.text_document.uri })
            }
            "textDocument/didClose" => read(method, params).map(|it| self.closed(it)),
            ext::EVENT => read(method, params).map(|it: ext::Custom| {
                let ext::Custom { page, event, data } = it;
                Event::Tell { page, event, data }
            }),
            _ => read(method, params).map(files_changed),
        };
        match event {
            Ok(event) => (Some(event), None),
            Err(sentence) => (None, Some(sentence)),
        }
    }

    /// The documents that are open.
    pub(super) fn into_uris(self) -> impl Iterator<Item = String> {
        self.versions.into_keys()
    }

    fn opened(&mut self, it: DidOpen) -> Event {
        let OpenedDocument { uri, version, text } = it.text_document;
        let version = version.unwrap_or(0);
        self.versions.insert(uri.clone(), version);
        Event::Opened { path: uri::to_path(&uri), uri, version, text }
    }

    fn changed(&mut self, it: DidChange, encoding: PositionEncoding) -> Event {
        let ChangedDocument { uri, version } = it.text_document;
        let version = self.counted(&uri, version);
        let changes = it.content_changes.into_iter().map(content_change).collect();
        Event::Changed { uri, version, changes, encoding }
    }

    fn out_of_sync(&mut self, uri: String, version: Option<i32>, encoding: PositionEncoding) -> Event {
        let version = self.counted(&uri, version);
        Event::Changed { uri, version, changes: vec![ContentChange::unreadable()], encoding }
    }

    fn closed(&mut self, it: OnlyDocument) -> Event {
        let uri = it.text_document.uri;
        self.versions.remove(&uri);
        Event::Closed { uri }
    }

    /// The version, or the next one where the client sends none.
    fn counted(&mut self, uri: &str, version: Option<i32>) -> i32 {
        let Some(last) = self.versions.get_mut(uri) else {
            return version.unwrap_or(1);
        };
        *last = version.unwrap_or_else(|| last.saturating_add(1));
        *last
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidOpen {
    text_document: OpenedDocument,
}

#[derive(Deserialize)]
struct OpenedDocument {
    uri: String,
    #[serde(default, deserialize_with = "version")]
    version: Option<i32>,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidChange {
    text_document: ChangedDocument,
    content_changes: Vec<Change>,
}

#[derive(Deserialize)]
struct ChangedDocument {
    uri: String,
    #[serde(default, deserialize_with = "version")]
    version: Option<i32>,
}

#[derive(Deserialize)]
struct Change {
    range: Option<Range>,
    text: String,
}

#[derive(Deserialize)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Deserialize)]
struct Place {
    line: u64,
    character: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyDocument {
    text_document: DocumentId,
}

#[derive(Deserialize)]
struct DocumentId {
    uri: String,
}

#[derive(Deserialize)]
struct WatchedFiles {
    changes: Vec<DocumentId>,
}

fn read<T: DeserializeOwned>(method: &str, params: Value) -> Result<T, String> {
    serde_json::from_value(params).map_err(|err| format!("a {method} message could not be understood: {err}"))
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.as_ref().map(saturated))
}

// Casts of floats saturate.
#[expect(clippy::cast_possible_truncation, reason = "a version outside of i32 is no reason to lose an edit")]
fn saturated(number: &Number) -> i32 {
    number.as_f64().unwrap_or_default() as i32
}

fn content_change(it: Change) -> ContentChange {
    let number = |it| u32::try_from(it).unwrap_or(u32::MAX);
    let position = |it: Place| Position::new(number(it.line), number(it.character));
    ContentChange { range: it.range.map(|it| (position(it.start), position(it.end))), text: it.text }
}

fn files_changed(it: WatchedFiles) -> Event {
    Event::FilesChanged { paths: it.changes.iter().filter_map(|it| uri::to_path(&it.uri)).collect() }
}
