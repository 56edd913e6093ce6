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
        FromPage::Hello { v, page, server, url, user_agent, modules, rev, look } => FromPage::Hello {
            rev,
            v,
            page,
            server: shown(&server, TEXT_LIMIT),
            url: shown(&url, TEXT_LIMIT),
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
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::super::testing::{Answer, Served};
    use super::*;
    use crate::wire::When;

    /// A client that sends frames as they are, good or bad.
    struct Client(TcpStream);

    impl Client {
        /// The head of a request that is let in, but for `changes`: a header of the same name is replaced, an empty value
        /// removes it.
        fn head(served: &Served, target: &str, changes: &[(&str, &str)]) -> String {
            let (host, origin) = (served.host(), format!("http://{}", served.host()));
            let mut headers = vec![
                ("Host", host.as_str()),
                ("Origin", origin.as_str()),
                ("Connection", "Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Protocol", "capuchin"),
            ];
            headers.retain(|(name, _)| !changes.iter().any(|(it, _)| it == name));
            headers.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
            let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            format!("GET {target} HTTP/1.1\r\n{lines}\r\n")
        }

        fn target(served: &Served) -> String {
            format!("/@capuchin/socket?token={}", served.token())
        }

        /// The status of the handshake. The connection is closed then.
        fn knock(served: &Served, target: &str, changes: &[(&str, &str)]) -> u16 {
            let mut stream = served.connect();
            stream.write_all(Self::head(served, target, changes).as_bytes()).expect("it is listening");
            Self::read_head(&mut stream).status
        }

        fn read_head(stream: &mut TcpStream) -> Answer {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            Answer::parse(&head)
        }

        fn open(served: &Served) -> Client {
            let mut stream = served.connect();
            stream.write_all(Self::head(served, &Self::target(served), &[]).as_bytes()).expect("it is listening");
            let answer = Self::read_head(&mut stream);
            assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, Some("capuchin")));
            Client(stream)
        }

        /// A frame with all it takes, masked with zeros.
        fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
            let mut frame = vec![first];
            match payload.len() {
                n @ 0..=125 => frame.push(0x80 | n as u8),
                n @ 126..=0xffff => {
                    frame.push(0x80 | 126);
                    frame.extend((n as u16).to_be_bytes());
                }
                n => {
                    frame.push(0x80 | 127);
                    frame.extend((n as u64).to_be_bytes());
                }
            }
            frame.extend([0; 4]);
            frame.extend(payload);
            frame
        }

        fn send(&mut self, bytes: &[u8]) {
            let _ = self.0.write_all(bytes);
        }

        fn say(&mut self, text: &str) {
            self.send(&Self::frame(0x81, text.as_bytes()));
        }

        fn hello(&mut self, page: &str) {
            self.say(&hello(page));
        }

        /// The next frame: its opcode and payload. `None`: the connection ended.
        fn next(&mut self) -> Option<(u8, Vec<u8>)> {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).ok()?;
            let length = match head[1] {
                126 => {
                    let mut bytes = [0; 2];
                    self.0.read_exact(&mut bytes).ok()?;
                    u16::from_be_bytes(bytes).into()
                }
                127 => {
                    let mut bytes = [0; 8];
                    self.0.read_exact(&mut bytes).ok()?;
                    u64::from_be_bytes(bytes)
                }
                n => n.into(),
            };
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).ok()?;
            Some((head[0] & 0x0f, payload))
        }

        /// The code and reason of the close frame; 0 if there is none.
        fn goodbye(&mut self) -> (u16, String) {
            while let Some((opcode, payload)) = self.next() {
                if opcode == 8 && payload.len() >= 2 {
                    return (
                        u16::from_be_bytes([payload[0], payload[1]]),
                        String::from_utf8_lossy(&payload[2..]).into_owned(),
                    );
                }
            }
            (0, String::new())
        }
    }

    fn hello(page: &str) -> String {
        format!(r#"{{"type":"hello","v":1,"page":"{page}","server":"S","url":"/","userAgent":"test","modules":[]}}"#)
    }

    #[test]
    fn only_our_own_pages_with_the_token_get_a_socket() {
        let served = Served::new();
        let token = served.token().to_owned();
        let target = Client::target(&served);
        assert_eq!(Client::knock(&served, &target, &[]), 101);
        let other_port = "http://localhost:9";
        let other_name = format!("http://127.0.0.1:{}", served.config.port);
        for origin in [
            "http://evil.example",
            "null",
            "http://10.0.0.9",
            "http://localhost.evil.example:4177",
            other_port,
            &other_name,
            "[",
            "http://",
            "%",
            "",
            "file://",
        ] {
            assert_eq!(Client::knock(&served, &target, &[("Origin", origin)]), 403, "{origin}");
        }
        assert_eq!(Client::knock(&served, &target, &[("Host", "evil.example")]), 403);
        assert_eq!(
            Client::knock(&served, &target, &[("Host", "evil.example"), ("Origin", "http://evil.example")]),
            403
        );
        let same_length = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
        for query in [
            String::new(),
            "?token=".to_owned(),
            format!("?token={same_length}"),
            format!("?token={token}x"),
            format!("?token={token}&token={token}"),
        ] {
            assert_eq!(Client::knock(&served, &format!("/@capuchin/socket{query}"), &[]), 403, "{query}");
        }
        assert_eq!(Client::knock(&served, "/@capuchin/socket", &[("Origin", "")]), 403);
        served.assert_alive();
    }

    #[test]
    fn a_bad_handshake_is_refused() {
        let served = Served::new();
        let target = Client::target(&served);
        for (change, status) in [
            (("Sec-WebSocket-Protocol", ""), 400),
            (("Sec-WebSocket-Protocol", "vite-hmr"), 400),
            (("Sec-WebSocket-Protocol", "capuchin, other"), 400),
            (("Sec-WebSocket-Protocol", "capuchin, capuchin"), 400),
            (("Sec-WebSocket-Version", "12"), 400),
            (("Sec-WebSocket-Key", ""), 400),
            (("Upgrade", ""), 400),
            (("Upgrade", "h2c"), 400),
            (("Connection", "close"), 400),
        ] {
            assert_eq!(Client::knock(&served, &target, &[change]), status, "{change:?}");
        }
        let twice = Client::head(&served, &target, &[])
            .replace("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: capuchin\r\nSec-WebSocket-Protocol");
        assert_eq!(served.raw(twice.replace("Upgrade\r\n", "Upgrade, close\r\n").as_bytes()).status, 400);
        assert_eq!(Client::knock(&served, "/@capuchin/other", &[]), 404);
        assert_eq!(Client::knock(&served, "/", &[]), 200);
        let post = Client::head(&served, &target, &[]).replacen("GET", "POST", 1);
        assert_eq!(served.raw(post.as_bytes()).status, 405);
        let extensions = ("Sec-WebSocket-Extensions", "__proto__; constructor=1, permessage-deflate");
        assert_eq!(Client::knock(&served, &target, &[extensions]), 101);
        served.assert_alive();
    }

    #[test]
    fn what_a_page_says_reaches_the_engine_and_the_other_way() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        let Event::PageConnected { page, address, hello, outbox } = served.event() else { panic!("not connected") };
        assert_eq!(page.as_str(), "p1");
        assert!(address.starts_with("127.0.0.1:"));
        assert!(matches!(hello, FromPage::Hello { .. }));
        let push = ToPage::Push { seq: 1, when: When::Typing, changes: Vec::new() };
        outbox.try_send(push).expect("there is room");
        assert_eq!(client.next(), Some((1, br#"{"type":"push","seq":1,"when":"typing","changes":[]}"#.to_vec())));
        client.say(r#"{"type":"outcome","seq":1,"results":[],"more":[]}"#);
        let Event::PageSaid { message: FromPage::Outcome { seq: 1, .. }, .. } = served.event() else {
            panic!("nothing said")
        };
        client.hello("p1");
        let Event::PageSaid { message: FromPage::Hello { .. }, .. } = served.event() else { panic!("nothing said") };
        drop(client);
        let Event::PageGone { page } = served.event() else { panic!("not gone") };
        assert_eq!(page.as_str(), "p1");
    }

    #[test]
    fn rubbish_closes_its_socket_with_a_reason() {
        let served = Served::new();
        let deep = "[".repeat(200_000);
        let rubbish = [
            "",
            "not JSON",
            "null",
            "[]",
            "1",
            "\"hello\"",
            "{}",
            r#"{"type":"custom"}"#,
            r#"{"type":"custom","event":7}"#,
            r#"{"type":"custom","data":{}}"#,
            r#"{"type":"__proto__"}"#,
            r#"{"type":"hello"}"#,
            r#"{"type":"hello","v":"1","page":1,"server":[],"url":null,"userAgent":{},"modules":3}"#,
            r#"{"type":"outcome","seq":-1,"results":[]}"#,
            r#"{"type":"outcome","seq":1,"results":[{"module":"a","rev":1,"outcome":"other","ms":0}]}"#,
            r#"{"type":"fetchModule","file":"/etc/passwd"}"#,
            &deep,
        ];
        for text in rubbish {
            let shown = &text[..text.len().min(40)];
            let mut first = Client::open(&served);
            first.say(text);
            assert_eq!(first.goodbye(), (1008, NO_MESSAGE.reason.to_owned()), "first: {shown}");
            let mut later = Client::open(&served);
            later.hello("p1");
            later.say(text);
            assert_eq!(later.goodbye(), (1008, NO_MESSAGE.reason.to_owned()), "later: {shown}");
        }
        served.assert_alive();
    }

    #[test]
    fn events_of_programs_are_taken_but_not_without_end() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        let _connected = served.event();
        client.say(r#"{"type":"custom","event":"vite:invoke"}"#);
        client.say(r#"{"type":"custom","event":"vite:invalidate","data":null}"#);
        client.say(r#"{"type":"custom","event":"my:event","data":{"__proto__":[1]}}"#);
        let said: Vec<String> = (0..3)
            .map(|_| match served.event() {
                Event::PageSaid { message: FromPage::Custom { event, .. }, .. } => event,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(said, ["vite:invoke", "vite:invalidate", "my:event"]);
        for _ in 0..2 * EVENTS_PER_SECOND {
            client.say(r#"{"type":"custom","event":"again"}"#);
        }
        client.hello("p1");
        let n_taken = std::iter::repeat_with(|| served.event())
            .take_while(|it| matches!(it, Event::PageSaid { message: FromPage::Custom { .. }, .. }))
            .count();
        // The second may have turned in between.
        assert!(n_taken < 2 * EVENTS_PER_SECOND as usize, "{n_taken} were taken");
    }

    #[test]
    fn the_first_message_is_a_hello() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.say(r#"{"type":"loaded","modules":[]}"#);
        assert_eq!(client.goodbye(), (1008, NO_HELLO.reason.to_owned()));
        assert!(served.events.try_recv().is_err());
        for page in ["", "a b", r"a\u001b[31m", "<img>", &"a".repeat(65)] {
            let mut client = Client::open(&served);
            client.hello(page);
            assert_eq!(client.goodbye(), (1008, NO_MESSAGE.reason.to_owned()), "{page}");
        }
    }

    #[test]
    fn one_socket_is_for_one_page() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        client.hello("p2");
        assert_eq!(client.goodbye(), (1008, OTHER_PAGE.reason.to_owned()));
    }

    #[test]
    fn a_page_of_another_protocol_is_told_to_reload() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.say(&hello("p1").replace("\"v\":1", "\"v\":2"));
        let (_, text) = client.next().expect("a message");
        assert!(String::from_utf8_lossy(&text).starts_with(r#"{"type":"reload","reason":{"code":"protocol","#));
        assert_eq!(client.goodbye().0, 1008);
    }

    #[test]
    fn bad_frames_close_with_the_right_code() {
        let served = Served::new();
        let big = vec![b'a'; MESSAGE_LIMIT + 1];
        let mut huge_claim = vec![0x81, 0x80 | 127];
        huge_claim.extend((1_u64 << 62).to_be_bytes());
        huge_claim.extend([0; 4]);
        let half = vec![b'a'; MESSAGE_LIMIT * 2 / 3];
        let fragments = [Client::frame(0x01, &half), Client::frame(0x00, &half)].concat();
        let frames: &[(&str, Vec<u8>, u16)] = &[
            ("binary", Client::frame(0x82, b"x"), 1003),
            ("not UTF-8", Client::frame(0x81, b"\xff\xfe"), 1007),
            ("unmasked", vec![0x81, 2, b'{', b'}'], 1002),
            ("reserved opcode", Client::frame(0x83, b"x"), 1002),
            ("reserved bit", Client::frame(0xc1, b"x"), 1002),
            ("long ping", Client::frame(0x89, &[0; 200]), 1002),
            ("over a megabyte", Client::frame(0x81, &big), 1009),
            ("a length of 2^62", huge_claim, 1009),
            (
                "a length of two megabytes that never come",
                [&[0x81, 0x80 | 127][..], &(2_u64 << 20).to_be_bytes(), &[0; 4]].concat(),
                1009,
            ),
            ("fragments over a megabyte", fragments, 1009),
            ("continues nothing", Client::frame(0x80, b"x"), 1002),
        ];
        for (name, frame, code) in frames {
            let mut client = Client::open(&served);
            client.hello("p1");
            client.send(frame);
            assert_eq!(client.goodbye().0, *code, "{name}");
        }
        // Answered, or at least survived.
        for frame in [Client::frame(0x88, &1005_u16.to_be_bytes()), Client::frame(0x88, b"x"), Client::frame(0x88, b"")]
        {
            let mut client = Client::open(&served);
            client.send(&frame);
            client.goodbye();
        }
        let mut unfinished = Client::open(&served);
        unfinished.send(&Client::frame(0x01, b"{"));
        served.assert_alive();
    }

    #[test]
    fn many_small_messages_are_all_taken_in_order() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        let _connected = served.event();
        let messages: Vec<u8> = (0..10_000)
            .flat_map(|n| Client::frame(0x81, format!(r#"{{"type":"outcome","seq":{n},"results":[]}}"#).as_bytes()))
            .collect();
        client.send(&messages);
        for n in 0..10_000 {
            assert!(
                matches!(served.event(), Event::PageSaid { message: FromPage::Outcome { seq, .. }, .. } if seq == n)
            );
        }
    }

    #[test]
    fn a_page_that_reads_nothing_holds_up_nobody() {
        let served = Served::new();
        let mut lazy = Client::open(&served);
        lazy.hello("lazy");
        let Event::PageConnected { outbox, .. } = served.event() else { panic!("not connected") };
        let push = || ToPage::Reload { reason: Reason { code: "test".into(), message: "x".repeat(1 << 20) } };
        // What the engine does: it never waits, and gives up a page whose queue is full.
        let n_taken = (0..100_000).take_while(|_| outbox.try_send(push()).is_ok()).count();
        assert!(n_taken <= OUTBOX + 64, "{n_taken} messages of a megabyte were taken");
        let mut other = Client::open(&served);
        other.hello("other");
        let Event::PageConnected { outbox: to_other, .. } = served.event() else { panic!("not connected") };
        to_other.try_send(push()).expect("there is room");
        assert_eq!(other.next().expect("a message").0, 1);
    }

    #[test]
    fn a_page_that_the_engine_gives_up_is_closed() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        let Event::PageConnected { outbox, .. } = served.event() else { panic!("not connected") };
        drop(outbox);
        assert_eq!(client.goodbye(), (1013, GIVEN_UP.reason.to_owned()));
    }

    #[test]
    fn the_end_of_an_old_socket_does_not_end_its_page() {
        let served = Served::new();
        let mut old = Client::open(&served);
        old.hello("p1");
        let first = served.event();
        let mut new = Client::open(&served);
        new.hello("p1");
        let second = served.event();
        assert!(matches!((&first, &second), (Event::PageConnected { .. }, Event::PageConnected { .. })));
        old.say(r#"{"type":"loaded","modules":[]}"#);
        // The engine replaces the old outbox, which ends the old socket.
        drop(first);
        old.goodbye();
        drop(old);
        new.say(r#"{"type":"outcome","seq":7,"results":[]}"#);
        assert!(matches!(served.event(), Event::PageSaid { message: FromPage::Outcome { seq: 7, .. }, .. }));
        drop(new);
        assert!(matches!(served.event(), Event::PageGone { .. }));
    }

    #[test]
    fn there_is_a_limit_of_sockets_and_places_come_back() {
        let served = Served::new();
        let target = Client::target(&served);
        let clients: Vec<Client> = (0..SOCKET_LIMIT).map(|_| Client::open(&served)).collect();
        assert_eq!(Client::knock(&served, &target, &[]), 503);
        served.assert_alive();
        for mut client in clients {
            client.say("rubbish");
            client.goodbye();
            client.send(&Client::frame(0x88, b""));
            assert_eq!(client.next(), None);
        }
        assert_eq!(Client::knock(&served, &target, &[]), 101);
    }

    #[test]
    fn errors_of_a_program_are_few_short_and_plain() {
        let served = Served::new();
        let mut client = Client::open(&served);
        client.hello("p1");
        let _connected = served.event();
        let stack = "s".repeat(900_000);
        let error = format!(
            r#"{{"type":"error","message":"\u001b[31mred\u0007 <b>\n{}","stack":"{stack}"}}"#,
            "m".repeat(5_000)
        );
        client.say(&error);
        let Event::PageSaid { message: FromPage::Error { message, stack: Some(stack), .. }, .. } = served.event()
        else {
            panic!("no error")
        };
        assert!(message.starts_with("[31mred <b>\nmmm"), "{message}");
        assert_eq!((message.chars().count(), stack.len()), (TEXT_LIMIT, STACK_LIMIT));
        for _ in 0..200 {
            client.say(r#"{"type":"error","message":"again"}"#);
        }
        client.say(r#"{"type":"loaded","modules":[]}"#);
        let n_errors = std::iter::from_fn(|| Some(served.event()))
            .take_while(|event| matches!(event, Event::PageSaid { message: FromPage::Error { .. }, .. }))
            .count();
        assert!(n_errors < 100, "{n_errors} of 200 errors in a moment");
    }
}
