//! The shell around the engine for editors: JSON in, [`Event`](crate::engine::event::Event)s out, and back.
//!
//! ```text
//! stdin ─▶ frames ─▶ session ─▶ service ─▶ engine        documents: inside `call()`, in read order
//!                                  └─────▶ LspService     everything else: up to 64 at once
//! stdout ◀─ frames ◀─ session ◀── notices (to_proto), answers
//! ```
//!
//! This room decides nothing about programs: it keeps the order, forgives what real clients get wrong, and
//! translates. Nothing but LSP messages is ever written to stdout.

pub mod uri;

mod ext;
mod frames;
mod from_proto;
mod initialize;
mod lifeline;
mod message;
mod server;
mod service;
mod session;
mod to_proto;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use crate::dev_server::Cleanup;
use crate::engine::event::{Handle, Notice};
use crate::text::PositionEncoding;

/// What the editor said in `initialize`, in our words.
#[derive(Debug, Clone, PartialEq)]
pub struct InitOptions {
    /// The folder to serve, absolute: `initializationOptions.root` (relative to the first folder), else the first
    /// folder. `None` when the editor named none.
    pub root: Option<PathBuf>,
    /// All folders of the workspace, the served one included where it is one of them.
    pub folders: Vec<PathBuf>,
    /// `initializationOptions.port`.
    pub port: Option<u16>,
    /// `initializationOptions.cleanup`.
    pub cleanup: Option<Cleanup>,
    /// How columns will be counted, both ways.
    pub encoding: PositionEncoding,
    /// The editor's name, for logs.
    pub client: Option<String>,
}

/// An engine that is ready to take events.
#[derive(Debug)]
pub struct Started {
    pub engine: Handle,
    /// What the engine tells this editor. They wait until the editor may hear them.
    pub notices: mpsc::UnboundedReceiver<Notice>,
    pub lifetime: Lifetime,
}

/// Who lives longer, the engine or the editor's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// The engine ends with the session, so pages keep the buffers' last text and meet it again when the server restarts.
    Session,
    /// The engine goes on, so documents still open are closed in it: their files on disk count again.
    Shared,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `shutdown` came first.
    Orderly,
    /// `exit`, the end of the input or the end of the client's process came without `shutdown`.
    Abrupt,
}

impl From<End> for ExitCode {
    /// 0 and 1, as the LSP wants it. It says nothing of an input that just ends; that counts as an `exit`.
    fn from(end: End) -> Self {
        match end {
            End::Orderly => ExitCode::SUCCESS,
            End::Abrupt => ExitCode::FAILURE,
        }
    }
}

/// Serves one editor over stdin and stdout, until it leaves.
///
/// `start` is called once, when `initialize` arrives, and blocks the session: it must not wait for the network. Its
/// error is the answer to `initialize`, so its `Display` should be a sentence for users.
pub async fn serve_stdio(start: impl FnOnce(InitOptions) -> anyhow::Result<Started> + Send + 'static) -> ExitCode {
    let (incoming, incoming_rx) = mpsc::channel(session::QUEUE);
    let (outgoing, outgoing_rx) = mpsc::channel(session::QUEUE);
    let (written, all_written) = oneshot::channel();
    // Threads, not tokio's stdin and stdout: a read that never returns would keep the runtime, and with it the process,
    // from ending after `exit` while the editor holds its side open.
    thread::spawn(move || frames::read_blocking(std::io::stdin(), incoming));
    thread::spawn(move || {
        frames::write_blocking(std::io::stdout(), outgoing_rx);
        let _ = written.send(());
    });
    let end = session::run(incoming_rx, outgoing, start).await;
    // The last answers are on their way; a client that does not read them must not keep us.
    let _ = tokio::time::timeout(session::LAST_WORDS, all_written).await;
    end.into()
}

/// [`serve_stdio`] over any pair of byte streams that carry LSP frames.
pub async fn serve<R, W>(
    read: R,
    write: W,
    start: impl FnOnce(InitOptions) -> anyhow::Result<Started> + Send + 'static,
) -> End
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (incoming, incoming_rx) = mpsc::channel(session::QUEUE);
    let (outgoing, outgoing_rx) = mpsc::channel(session::QUEUE);
    let reader = tokio::spawn(frames::read(read, incoming));
    let writer = tokio::spawn(frames::write(write, outgoing_rx));
    let end = session::run(incoming_rx, outgoing, start).await;
    reader.abort();
    let _ = tokio::time::timeout(session::LAST_WORDS, writer).await;
    end
}

/// [`serve`] for transports that frame messages themselves, like a WebSocket: one JSON text each way per message.
pub async fn serve_messages(
    incoming: mpsc::Receiver<Vec<u8>>,
    outgoing: mpsc::Sender<Vec<u8>>,
    start: impl FnOnce(InitOptions) -> anyhow::Result<Started> + Send + 'static,
) -> End {
    session::run(incoming, outgoing, start).await
}

#[cfg(test)]
mod tests;
