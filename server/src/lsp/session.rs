//! One editor from its first message to its last.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::{self, BoxFuture, FutureExt};
use futures::{StreamExt, channel::mpsc as tasks};
use tokio::sync::{Notify, mpsc, watch};
use tower::Service;
use tower_lsp::jsonrpc::Response;
use tracing::{info, warn};

use crate::engine::event::{Handle, Level, Notice};
use crate::lsp::message::{self, Message};
use crate::lsp::service::Ordered;
use crate::lsp::{End, InitOptions, Started, to_proto};

/// Messages that may wait in each direction before the sender has to.
pub(super) const QUEUE: usize = 256;
/// How long we wait for answers to be finished and read when the session is over.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
/// Requests that are worked on at once, once begun. More wait, without holding up the edits behind them.
const CONCURRENCY: usize = 64;

/// What all parts of a session share.
#[derive(Debug)]
pub(super) struct Session {
    /// Set once, by the `initialize` that succeeded.
    pub(super) live: OnceLock<Live>,
    /// The editor's process is gone.
    pub(super) orphaned: Notify,
    outgoing: mpsc::Sender<Vec<u8>>,
    gate: watch::Sender<Gate>,
}

#[derive(Debug)]
pub(super) struct Live {
    pub(super) engine: Handle,
    pub(super) options: InitOptions,
}

/// Notifications may go out when `initialize` was answered *and* the editor spoke again.
#[derive(Debug, Default, Clone, Copy)]
struct Gate {
    answered: bool,
    heard: bool,
}

type Answer = BoxFuture<'static, Option<Response>>;

pub(super) async fn run(
    mut incoming: mpsc::Receiver<Vec<u8>>,
    outgoing: mpsc::Sender<Vec<u8>>,
    start: impl FnOnce(InitOptions) -> anyhow::Result<Started> + Send + 'static,
) -> End {
    let session = Arc::new(Session {
        live: OnceLock::new(),
        orphaned: Notify::new(),
        outgoing: outgoing.clone(),
        gate: watch::Sender::default(),
    });
    let mut service = Ordered::new(session.clone(), Box::new(start));
    let (answers, answers_rx) = tasks::unbounded();
    let mut answering = tokio::spawn(answer(session.clone(), answers_rx));

    loop {
        let body = tokio::select! {
            body = incoming.recv() => body,
            () = session.orphaned.notified() => {
                info!("the editor's process has ended");
                None
            }
            () = outgoing.closed() => None,
        };
        let Some(body) = body else { break };
        if body.is_empty() {
            continue;
        }
        match message::parse(&body) {
            Message::Request(request) => {
                let is_exit = request.method() == "exit";
                if future::poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
                    break;
                }
                let mut answer: Answer = service.call(request).map(Result::unwrap_or_default).boxed();
                // Begun in the order of reading, and many are done with that: a client that does not wait for the
                // answer to `initialize` is served too, and a request asks the engine before later edits reach it.
                let begun = (&mut answer).now_or_never();
                if !matches!(begun, Some(None)) {
                    let rest = begun.map_or(answer, |response| future::ready(response).boxed());
                    let _ = answers.unbounded_send(rest);
                }
                if is_exit {
                    break;
                }
            }
            Message::Response => {}
            Message::Unreadable { id, error, sentence } => {
                session.complain(sentence);
                let answer: Answer = future::ready(Some(Response::from_error(id, error))).boxed();
                let _ = answers.unbounded_send(answer);
            }
        }
    }

    drop(answers);
    if tokio::time::timeout(LAST_WORDS, &mut answering).await.is_err() {
        warn!("some requests were still not answered when the session ended");
        answering.abort();
    }
    service.finish().await
}

impl Session {
    /// The editor has sent something after `initialize`.
    pub(super) fn heard(&self) {
        self.gate.send_if_modified(|gate| !std::mem::replace(&mut gate.heard, true));
    }

    /// One sentence about something the client did that we could not use.
    pub(super) fn complain(&self, sentence: String) {
        warn!("{sentence}");
        // Before it is answered, the editor may not be told; and a full queue means that it does not read.
        if self.gate.borrow().answered {
            let _ = self.outgoing.try_send(to_proto::log_message(Level::Warning, sentence));
        }
    }

    /// Passes the engine's notices on, from the moment the editor may hear them.
    pub(super) async fn pass_on(
        self: Arc<Self>,
        mut notices: mpsc::UnboundedReceiver<Notice>,
        wants_diagnostics: bool,
    ) {
        let _ = self.gate.subscribe().wait_for(|gate| gate.answered && gate.heard).await;
        while let Some(notice) = notices.recv().await {
            if matches!(notice, Notice::Problems { .. }) && !wants_diagnostics {
                continue;
            }
            if self.outgoing.send(to_proto::notice(notice)).await.is_err() {
                return;
            }
        }
    }
}

/// Works on the requests and sends their answers.
async fn answer(session: Arc<Session>, answers: tasks::UnboundedReceiver<Answer>) {
    let mut done = answers.buffer_unordered(CONCURRENCY);
    while let Some(response) = done.next().await {
        let Some(response) = response else { continue };
        let body = serde_json::to_vec(&response).expect("a response was made of JSON");
        if session.outgoing.send(body).await.is_err() {
            return;
        }
        if session.live.get().is_some() {
            session.gate.send_if_modified(|gate| !std::mem::replace(&mut gate.answered, true));
        }
    }
}
