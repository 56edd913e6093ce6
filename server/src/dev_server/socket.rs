//! The socket of a page: `/@capuchin/socket?token=T`, subprotocol `capuchin`, JSON text frames.
//!
//! Pages report and are told. There is no message that reads or writes a file, and there will be none: such methods made
//! other dev servers run foreign code.
//!
//! Everything a page can do to us is bounded: the size of a message, the time until the hello, the number of sockets, what
//! waits to be sent, how much of an error's text is kept and how many errors count. Rubbish closes its socket, with a
//! reason, and nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Error, Extension};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::refusal::Refusal;
use super::{Shared, entry, guard};
use crate::engine::event::{Event, Handle};
use crate::wire::{self, FromPage, PageId, Reason, ToPage};

/// More than any honest message; an outcome has a few hundred bytes.
const MESSAGE_LIMIT: usize = 1 << 20;
const SOCKET_LIMIT: usize = 256;
/// Pushes that wait for one page. When it is full, the engine gives the page up.
const OUTBOX: usize = 256;
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// A page that takes no bytes for so long is dropped. It says hello again when it is back.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Finds sockets whose other side is gone without a word. Browsers answer pings even for sleeping tabs.
const PING_EVERY: Duration = Duration::from_secs(20);
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

const ERRORS_PER_SECOND: u32 = 20;
/// What programs send each other through the editor.
const EVENTS_PER_SECOND: u32 = 500;
const TEXT_LIMIT: usize = 2_000;
const STACK_LIMIT: usize = 8_000;

const NOT_FOR_YOU: Refusal = Refusal::new(StatusCode::FORBIDDEN, "This socket is for the project's own pages.");
const WRONG_PROTOCOL: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "This socket speaks the subprotocol `capuchin`.");
const TOO_MANY: Refusal =
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many pages are connected: close some tabs.");

/// The sockets of one server.
pub(super) struct Sockets {
    places: Arc<Semaphore>,
    events: Handle,
    newest: Mutex<Newest>,
}

/// Which socket is a page's newest. A page that reconnects may be here again before its old socket is known to be dead, and
/// the end of the old one must not end the page.
#[derive(Default)]
struct Newest {
    counter: u64,
    of_page: HashMap<PageId, u64>,
}

impl Sockets {
    pub(super) fn new(events: Handle) -> Sockets {
        Sockets { places: Arc::new(Semaphore::new(SOCKET_LIMIT)), events, newest: Mutex::default() }
    }

    /// Events are sent under the lock, so that the engine sees them in the order in which sockets replaced each other.
    fn connected(&self, page: PageId, address: String, hello: FromPage, outbox: mpsc::Sender<ToPage>) -> u64 {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.counter += 1;
        let number = newest.counter;
        newest.of_page.insert(page.clone(), number);
        self.events.send(Event::PageConnected { page, address, hello, outbox });
        number
    }

    fn said(&self, page: &PageId, number: u64, message: FromPage) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.of_page.get(page) == Some(&number) {
            self.events.send(Event::PageSaid { page: page.clone(), message });
        }
    }

    fn gone(&self, page: PageId, number: u64) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.of_page.get(&page) == Some(&number) {
            newest.of_page.remove(&page);
            self.events.send(Event::PageGone { page });
        }
    }
}

/// The guard around everything has checked Host and method.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    address: Option<Extension<ConnectInfo<SocketAddr>>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Response> {
    // Required here, unlike for files: a program that is no browser gets no unsaved text either.
    if !guard::has_own_origin(&headers) {
        return Err(NOT_FOR_YOU.into_response());
    }
    entry::check_token(&uri, &headers, &shared).map_err(IntoResponse::into_response)?;
    let mut protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks_ours = protocols.next().is_some_and(|it| it == wire::SUBPROTOCOL) && protocols.next().is_none();
    if !speaks_ours {
        return Err(WRONG_PROTOCOL.into_response());
    }
    let upgrade =
        upgrade.map_err(|rejection| (rejection.status(), "This address is for WebSockets.").into_response())?;
    let place = shared.sockets.places.clone().try_acquire_owned().map_err(|_| TOO_MANY.into_response())?;
    let address = address.map_or_else(|| "unknown".to_owned(), |Extension(ConnectInfo(address))| address.to_string());
    let upgrade = upgrade.protocols([wire::SUBPROTOCOL]).max_message_size(MESSAGE_LIMIT).max_frame_size(MESSAGE_LIMIT);
    Ok(upgrade.on_upgrade(async move |mut socket| {
        if let Some(goodbye) = talk(&mut socket, &shared.sockets, address).await {
            say_goodbye(&mut socket, goodbye).await;
        }
        drop(place);
    }))
}

/// Why we close.
#[derive(Debug, PartialEq, Eq)]
struct Goodbye {
    code: u16,
    reason: &'static str,
}

const NO_HELLO: Goodbye = Goodbye { code: close_code::POLICY, reason: "The first message has to be a hello." };
const NO_MESSAGE: Goodbye =
    Goodbye { code: close_code::POLICY, reason: "This is not a message of the Capuchin protocol." };
const OTHER_PAGE: Goodbye = Goodbye { code: close_code::POLICY, reason: "One socket is for one page." };
const OTHER_VERSION: Goodbye =
    Goodbye { code: close_code::POLICY, reason: "This page speaks another version of the protocol." };
const BINARY: Goodbye = Goodbye { code: close_code::UNSUPPORTED, reason: "Messages are text." };
const TOO_BIG: Goodbye = Goodbye { code: close_code::SIZE, reason: "A message has at most one megabyte." };
const NOT_UTF8: Goodbye = Goodbye { code: close_code::INVALID, reason: "Text has to be UTF-8." };
const NOT_WEBSOCKET: Goodbye = Goodbye { code: close_code::PROTOCOL, reason: "This breaks the WebSocket protocol." };
const GIVEN_UP: Goodbye = Goodbye { code: close_code::AGAIN, reason: "This page fell behind or was opened anew." };

/// Returns when the socket is done for: with a reason if the page should hear one.
async fn talk(socket: &mut WebSocket, sockets: &Sockets, address: String) -> Option<Goodbye> {
    let hello = match timeout(HELLO_TIMEOUT, next_message(socket)).await {
        Ok(Ok(Some(message))) => message,
        Ok(Ok(None)) => return None,
        Ok(Err(goodbye)) => return Some(goodbye),
        Err(_) => return Some(NO_HELLO),
    };
    let FromPage::Hello { v, page, .. } = &hello else { return Some(NO_HELLO) };
    if *v != wire::VERSION {
        let reason = Reason {
            code: "protocol".into(),
            message: "Capuchin was updated: the page has to be loaded again.".to_owned(),
        };
        let _ = send(socket, &ToPage::Reload { reason }).await;
        return Some(OTHER_VERSION);
    }
    let page = page.clone();
    let (outbox, pushes) = mpsc::channel(OUTBOX);
    let number = sockets.connected(page.clone(), address, hello, outbox);
    let goodbye = serve(socket, sockets, &page, number, pushes).await;
    sockets.gone(page, number);
    goodbye
}

async fn serve(
    socket: &mut WebSocket,
    sockets: &Sockets,
    page: &PageId,
    number: u64,
    mut pushes: mpsc::Receiver<ToPage>,
) -> Option<Goodbye> {
    let mut errors = Limit::per_second(ERRORS_PER_SECOND);
    let mut events = Limit::per_second(EVENTS_PER_SECOND);
    let mut last_heard = Instant::now();
    let mut ping = interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            push = pushes.recv() => {
                let Some(push) = push else { return Some(GIVEN_UP) };
                if send(socket, &push).await.is_err() {
                    return None;
                }
            }
            frame = socket.recv() => {
                last_heard = Instant::now();
                let message = match read(frame) {
                    Ok(Frame::Message(message)) => message,
                    Ok(Frame::Nothing) => continue,
                    Ok(Frame::Closed) => return None,
                    Err(goodbye) => return Some(goodbye),
                };
                match &message {
                    FromPage::Hello { page: other, .. } if other != page => return Some(OTHER_PAGE),
                    FromPage::Error { .. } if !errors.lets_through() => continue,
                    FromPage::Custom { .. } if !events.lets_through() => continue,
                    _ => sockets.said(page, number, tame(message)),
                }
            }
            _ = ping.tick() => {
                let is_dead = last_heard.elapsed() > GIVE_UP_AFTER;
                if is_dead || timeout(SEND_TIMEOUT, socket.send(Message::Ping(Default::default()))).await.is_err() {
                    return None;
                }
            }
        }
    }
}

enum Frame {
    Message(FromPage),
    /// Pings and pongs.
    Nothing,
    Closed,
}

fn read(frame: Option<Result<Message, Error>>) -> Result<Frame, Goodbye> {
    match frame {
        Some(Ok(Message::Text(text))) => match FromPage::parse(&text) {
            Ok(message) => Ok(Frame::Message(message)),
            Err(error) => {
                tracing::debug!("closing a socket: {error}");
                Err(NO_MESSAGE)
            }
        },
        Some(Ok(Message::Binary(_))) => Err(BINARY),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Frame::Nothing),
        Some(Ok(Message::Close(_))) | None => Ok(Frame::Closed),
        Some(Err(error)) => goodbye_for(&error).map_or(Ok(Frame::Closed), Err),
    }
}

/// axum hides the library's error type; its sentences are all there is to tell them apart. The tests hold them to it.
fn goodbye_for(error: &Error) -> Option<Goodbye> {
    let text = error.to_string();
    if text.contains("Space limit exceeded") {
        Some(TOO_BIG)
    } else if text.contains("UTF-8") {
        Some(NOT_UTF8)
    } else if text.contains("without closing handshake") {
        None
    } else if text.contains("WebSocket protocol error") {
        Some(NOT_WEBSOCKET)
    } else {
        None
    }
}

/// The next thing the page says; `None` when it left.
async fn next_message(socket: &mut WebSocket) -> Result<Option<FromPage>, Goodbye> {
    loop {
        match read(socket.recv().await)? {
            Frame::Message(message) => return Ok(Some(tame(message))),
            Frame::Nothing => {}
            Frame::Closed => return Ok(None),
        }
    }
}

/// A page that is gone or takes nothing for too long is an error.
async fn send(socket: &mut WebSocket, message: &ToPage) -> Result<(), ()> {
    match timeout(SEND_TIMEOUT, socket.send(Message::Text(message.to_json().into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

async fn say_goodbye(socket: &mut WebSocket, goodbye: Goodbye) {
    let frame = CloseFrame { code: goodbye.code, reason: goodbye.reason.into() };
    let said = timeout(SEND_TIMEOUT, socket.send(Message::Close(Some(frame)))).await;
    if matches!(said, Ok(Ok(()))) {
        // The other side's answer; a socket that is closed with unread bytes would take our reason back.
        let _ = timeout(Duration::from_secs(1), async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}

/// A program that fails or talks in a loop must not flood the editor.
struct Limit {
    per_second: u32,
    /// The start of the current second, and how many there were in it.
    since: Option<Instant>,
    n: u32,
}

impl Limit {
    fn per_second(per_second: u32) -> Limit {
        Limit { per_second, since: None, n: 0 }
    }

    fn lets_through(&mut self) -> bool {
        if self.since.is_none_or(|since| since.elapsed() >= Duration::from_secs(1)) {
            (self.since, self.n) = (Some(Instant::now()), 0);
        }
        self.n += 1;
        self.n <= self.per_second
    }
}

/// Cuts what a page says to a length that editors and logs can show, without control characters.
fn tame(message: FromPage) -> FromPage {
    match message {
        FromPage::Hello { v, page, server, url, html, user_agent, modules, rev, look } => FromPage::Hello {
            rev,
            v,
            page,
            server: shown(&server, TEXT_LIMIT),
            url: shown(&url, TEXT_LIMIT),
            html: shown(&html, TEXT_LIMIT),
            user_agent: shown(&user_agent, TEXT_LIMIT),
            modules,
            look,
        },
        FromPage::Outcome { seq, mut results } => {
            for reason in results.iter_mut().filter_map(|it| it.reason.as_mut()) {
                reason.message = shown(&reason.message, TEXT_LIMIT);
                reason.code = shown(&reason.code, TEXT_LIMIT).into();
            }
            FromPage::Outcome { seq, results }
        }
        FromPage::Loaded { modules } => FromPage::Loaded { modules },
        FromPage::Custom { event, data } => FromPage::Custom { event: shown(&event, TEXT_LIMIT), data },
        FromPage::Error { module, message, stack, count } => FromPage::Error {
            module: module.map(|it| shown(&it, TEXT_LIMIT)),
            message: shown(&message, TEXT_LIMIT),
            stack: stack.map(|stack| shown(&stack, STACK_LIMIT)),
            count,
        },
    }
}

fn shown(text: &str, limit: usize) -> String {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(|c| is_plain(*c)).take(limit).collect()
}

#[cfg(test)]
mod tests;
