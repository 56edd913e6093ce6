//! The requests that may run side by side.

use std::sync::Arc;

use tokio::sync::oneshot;
use tower_lsp::LanguageServer;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{
    InitializeParams, InitializeResult, InitializedParams, OneOf, PositionEncodingKind, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::engine::event::Event;
use crate::lsp::session::Session;
use crate::lsp::{ext, to_proto};
use crate::text::PositionEncoding;

#[derive(Debug)]
pub(super) struct Server {
    pub(super) session: Arc<Session>,
}

impl Server {
    /// `capuchin/pages`
    pub(super) async fn pages(&self) -> Result<Vec<ext::Page>> {
        let live = self.session.live.get().ok_or_else(Error::internal_error)?;
        let (reply, pages) = oneshot::channel();
        live.engine.send(Event::ListPages { reply });
        let pages = pages.await.map_err(|_| Error::internal_error())?;
        Ok(pages.into_iter().map(to_proto::page).collect())
    }
}

impl LanguageServer for Server {
    /// The parameters have been read and the engine started already, see `service.rs`.
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        let live = self.session.live.get().ok_or_else(Error::internal_error)?;
        let server_info = Some(ServerInfo { name: "capuchin".into(), version: Some(env!("CARGO_PKG_VERSION").into()) });
        Ok(InitializeResult {
            capabilities: capabilities(live.options.encoding),
            server_info,
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {}

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

fn capabilities(encoding: PositionEncoding) -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        // VS Code delays full texts by 200 ms.
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
        ..TextDocumentSyncOptions::default()
    };
    let folders =
        WorkspaceFoldersServerCapabilities { supported: Some(true), change_notifications: Some(OneOf::Left(true)) };
    let encoding = match encoding {
        PositionEncoding::Utf8 => PositionEncodingKind::UTF8,
        PositionEncoding::Utf16 => PositionEncodingKind::UTF16,
        PositionEncoding::Utf32 => PositionEncodingKind::UTF32,
    };
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        workspace: Some(WorkspaceServerCapabilities { workspace_folders: Some(folders), file_operations: None }),
        ..ServerCapabilities::default()
    }
}
