//! The socket as clients find it that send frames by hand, good or bad.

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
    assert_eq!(Client::knock(&served, &target, &[("Host", "evil.example"), ("Origin", "http://evil.example")]), 403);
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
    for frame in [Client::frame(0x88, &1005_u16.to_be_bytes()), Client::frame(0x88, b"x"), Client::frame(0x88, b"")] {
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
        assert!(matches!(served.event(), Event::PageSaid { message: FromPage::Outcome { seq, .. }, .. } if seq == n));
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
    let error =
        format!(r#"{{"type":"error","message":"\u001b[31mred\u0007 <b>\n{}","stack":"{stack}"}}"#, "m".repeat(5_000));
    client.say(&error);
    let Event::PageSaid { message: FromPage::Error { message, stack: Some(stack), .. }, .. } = served.event() else {
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
