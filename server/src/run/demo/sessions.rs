//! The language server at the other end of a WebSocket: `/@capuchin/lsp?token=T`, subprotocol `capuchin-lsp`, one JSON-RPC
//! message in each text frame.
//!
//! All tabs share the engine that serves the pages. A document has one editor, the tab that opened it last: a tab that opens
//! what another one has open sends that one away, with the close code [`TAKEN_OVER`] and all its documents closed, before the
//! new text counts. The other tab keeps its text and comes back when somebody goes on there. Tabs with different examples do
//! not meet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Demo;
use crate::dev_server::guard::has_own_origin;
use crate::dev_server::{Refusal, has_token};
use crate::lsp::{self, Lifetime, Started};

const SUBPROTOCOL: &str = "capuchin-lsp";
/// A document is one message when it is opened; nobody edits one of this size in a tab.
const MESSAGE_LIMIT: usize = 8 << 20;
const SOCKET_LIMIT: usize = 32;
/// Messages that may wait in each direction.
const QUEUE: usize = 256;
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
const PING_EVERY: Duration = Duration::from_secs(20);
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// Another tab edits the same documents now.
const TAKEN_OVER: u16 = 4001;

const NOT_FOR_YOU: Refusal = Refusal::new(StatusCode::FORBIDDEN, "This socket is for the demo's own page.");
const WRONG_PROTOCOL: Refusal =
    Refusal::new(StatusCode::BAD_REQUEST, "This socket speaks the subprotocol `capuchin-lsp`.");
const TOO_MANY: Refusal =
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many editors are connected: close some tabs.");

/// The guard around everything has checked Host and method.
pub(super) async fn upgrade(
    State(demo): State<Arc<Demo>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Response> {
    // Required here, as for the pages' socket: only a page of ours says it.
    if !has_own_origin(&headers) {
        return Err(NOT_FOR_YOU.into_response());
    }
    if !has_token(&uri, &headers, &demo.token) {
        return Err(Refusal::NO_TOKEN.into_response());
    }
    let mut protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks_ours = protocols.next().is_some_and(|it| it == SUBPROTOCOL) && protocols.next().is_none();
    if !speaks_ours {
        return Err(WRONG_PROTOCOL.into_response());
    }
    let upgrade =
        upgrade.map_err(|rejection| (rejection.status(), "This address is for WebSockets.").into_response())?;
    let place = demo.desk.places.clone().try_acquire_owned().map_err(|_| TOO_MANY.into_response())?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(MESSAGE_LIMIT).max_frame_size(MESSAGE_LIMIT);
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let goodbye = edit(&mut socket, &demo).await;
        let frame = goodbye.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
        let _ = timeout(SEND_TIMEOUT, socket.send(Message::Close(frame))).await;
        drop(place);
    }))
}

/// Why we close, for the other side.
type Goodbye = (u16, &'static str);

/// One tab from its first message to its last. When this returns, its documents are closed in the engine.
async fn edit(socket: &mut WebSocket, demo: &Demo) -> Option<Goodbye> {
    let (incoming, incoming_rx) = mpsc::channel(QUEUE);
    let (outgoing, mut outgoing_rx) = mpsc::channel(QUEUE);
    let (engine, notices) = (demo.engine.clone(), demo.hub.subscribe());
    let session = tokio::spawn(lsp::serve_messages(incoming_rx, outgoing, move |_| {
        Ok(Started { engine, notices, lifetime: Lifetime::Shared })
    }));
    let seat = Arc::new(Seat::default());
    let goodbye = relay(socket, &demo.desk, &seat, &incoming, &mut outgoing_rx).await;
    drop((incoming, outgoing_rx));
    if let Err(error) = session.await {
        tracing::error!("an editor's session failed: {error}");
    }
    demo.desk.leave(&seat);
    goodbye
}

async fn relay(
    socket: &mut WebSocket,
    desk: &Desk,
    seat: &Arc<Seat>,
    incoming: &mpsc::Sender<Vec<u8>>,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
) -> Option<Goodbye> {
    const OTHER_TAB: Goodbye = (TAKEN_OVER, "Another tab edits these files now.");
    const BINARY: Goodbye = (close_code::UNSUPPORTED, "Messages are text.");
    let mut last_heard = Instant::now();
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            body = outgoing.recv() => {
                let text = String::from_utf8(body?).expect("the language server writes JSON");
                send(socket, Message::Text(text.into())).await?;
            }
            frame = socket.recv() => {
                last_heard = Instant::now();
                let text = match frame {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Binary(_))) => return Some(BINARY),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                };
                if let Some(other) = opened_uri(&text).and_then(|uri| desk.claim(uri, seat)) {
                    // Whoever is sent away meanwhile must not be waited for by the one that waits for us.
                    tokio::select! {
                        () = other.send_away() => {}
                        () = seat.is_sent_away() => return Some(OTHER_TAB),
                    }
                }
                incoming.send(text.as_bytes().to_vec()).await.ok()?;
            }
            () = seat.is_sent_away() => return Some(OTHER_TAB),
            _ = ping.tick() => {
                if last_heard.elapsed() > GIVE_UP_AFTER {
                    return None;
                }
                send(socket, Message::Ping(Default::default())).await?;
            }
        }
    }
}

/// `None` if the other side is gone or takes nothing for too long.
async fn send(socket: &mut WebSocket, message: Message) -> Option<()> {
    timeout(SEND_TIMEOUT, socket.send(message)).await.ok()?.ok()
}

/// The document that a message opens.
fn opened_uri(message: &str) -> Option<String> {
    const METHOD: &str = "textDocument/didOpen";
    #[derive(Deserialize)]
    struct Opening {
        method: String,
        params: Params,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        text_document: Document,
    }
    #[derive(Deserialize)]
    struct Document {
        uri: String,
    }
    // Spares the edits a second parse.
    if !message.contains("didOpen") {
        return None;
    }
    let opening: Opening = serde_json::from_str(message).ok()?;
    (opening.method == METHOD).then_some(opening.params.text_document.uri)
}

/// Who edits which document.
pub(super) struct Desk {
    places: Arc<Semaphore>,
    editors: Mutex<HashMap<String, Arc<Seat>>>,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk { places: Arc::new(Semaphore::new(SOCKET_LIMIT)), editors: Mutex::default() }
    }
}

impl Desk {
    /// Gives the document to `seat`, and answers whose it was.
    fn claim(&self, uri: String, seat: &Arc<Seat>) -> Option<Arc<Seat>> {
        let mut editors = self.editors.lock().unwrap_or_else(PoisonError::into_inner);
        editors.insert(uri, seat.clone()).filter(|other| !Arc::ptr_eq(other, seat))
    }

    fn leave(&self, seat: &Arc<Seat>) {
        let mut editors = self.editors.lock().unwrap_or_else(PoisonError::into_inner);
        editors.retain(|_, it| !Arc::ptr_eq(it, seat));
        seat.stage.send_replace(Stage::Gone);
    }
}

/// One tab's place at the desk.
#[derive(Default)]
struct Seat {
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Editing,
    SentAway,
    /// Its documents are closed.
    Gone,
}

impl Seat {
    /// Returns when the other tab's documents are closed.
    async fn send_away(&self) {
        self.stage.send_if_modified(|it| {
            let is_here = *it == Stage::Editing;
            if is_here {
                *it = Stage::SentAway;
            }
            is_here
        });
        self.reaches(|it| it == Stage::Gone).await;
    }

    async fn is_sent_away(&self) {
        self.reaches(|it| it != Stage::Editing).await;
    }

    async fn reaches(&self, wanted: impl Fn(Stage) -> bool) {
        self.stage.subscribe().wait_for(|it| wanted(*it)).await.expect("the seat holds the sender");
    }
}
