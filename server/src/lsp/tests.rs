//! Whole sessions over an in-memory connection, with a test in the engine's place: what real clients send, and worse.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::engine::event::{Event, Handle, Level, Notice, PageInfo};
use crate::lsp::{End, InitOptions, Lifetime, Started, frames, serve, serve_messages, uri};
use crate::text::{Document, PositionEncoding};
use crate::wire::PageId;

/// Long enough for the slowest machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const DOC: &str = "file:///app/main.js";

/// The engine's side of a session.
struct Engine {
    events: std_mpsc::Receiver<Event>,
    notices: mpsc::UnboundedSender<Notice>,
    options: std_mpsc::Receiver<InitOptions>,
}

type Start = Box<dyn FnOnce(InitOptions) -> anyhow::Result<Started> + Send>;

fn engine(lifetime: Lifetime) -> (Engine, Start) {
    let (events, events_rx) = std_mpsc::channel();
    let (notices, notices_rx) = mpsc::unbounded_channel();
    let (options, options_rx) = std_mpsc::channel();
    let start = move |it| {
        options.send(it).unwrap();
        Ok(Started { engine: Handle { events: Arc::new(events) }, notices: notices_rx, lifetime })
    };
    (Engine { events: events_rx, notices, options: options_rx }, Box::new(start))
}

impl Engine {
    #[track_caller]
    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("the engine gets an event")
    }

    #[track_caller]
    fn check(&self, expected: &str) {
        assert_eq!(self.event().to_string(), expected);
    }

    /// All that came until the session let go of the engine.
    fn rest(&self) -> Vec<String> {
        self.events.iter().map(|it| it.to_string()).collect()
    }
}

/// The editor's side of a session. It checks that all we send is well-formed.
struct Editor {
    write: WriteHalf<DuplexStream>,
    bodies: mpsc::Receiver<Vec<u8>>,
    session: JoinHandle<End>,
    last_id: i64,
}

impl Editor {
    fn connect(start: Start) -> Editor {
        Editor::connect_with_buffer(start, 1 << 20)
    }

    fn connect_with_buffer(start: Start, buffer: usize) -> Editor {
        let (ours, theirs) = tokio::io::duplex(buffer);
        let (read, write) = tokio::io::split(theirs);
        let session = tokio::spawn(serve(read, write, start));
        let (read, write): (ReadHalf<_>, _) = tokio::io::split(ours);
        let (bodies_tx, bodies) = mpsc::channel(1);
        tokio::spawn(frames::read(read, bodies_tx));
        Editor { write, bodies, session, last_id: 0 }
    }

    /// A session behind its handshake.
    async fn ready() -> (Editor, Engine) {
        Editor::ready_with(json!({ "capabilities": {} })).await
    }

    async fn ready_with(params: Value) -> (Editor, Engine) {
        let (engine, start) = engine(Lifetime::Session);
        let mut editor = Editor::connect(start);
        editor.request("initialize", params).await;
        editor.notify("initialized", json!({})).await;
        (editor, engine)
    }

    async fn raw(&mut self, bytes: &[u8]) {
        self.write.write_all(bytes).await.unwrap();
    }

    async fn body(&mut self, body: &str) {
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    async fn notify(&mut self, method: &str, params: Value) {
        self.body(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()).await;
    }

    /// Sends a request and does not wait.
    async fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        self.body(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }).to_string())
            .await;
        self.last_id
    }

    async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    async fn next(&mut self) -> Value {
        let body = tokio::time::timeout(PATIENCE, self.bodies.recv())
            .await
            .expect("a message comes")
            .expect("the session goes on");
        let message: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(message["jsonrpc"], "2.0");
        message
    }

    async fn next_method(&mut self) -> String {
        self.next().await["method"].as_str().unwrap().to_owned()
    }

    async fn open(&mut self, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": DOC, "languageId": "javascript", "version": 1, "text": text } }),
        )
        .await;
    }

    async fn change(&mut self, version: impl Into<Value>, changes: Value) {
        let version: Value = version.into();
        self.notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": DOC, "version": version }, "contentChanges": changes }),
        )
        .await;
    }

    async fn end(self) -> End {
        tokio::time::timeout(PATIENCE, self.session).await.expect("the session ends").unwrap()
    }

    /// Ends the input and lists what still comes out.
    async fn leave(mut self) -> (End, Vec<Value>) {
        self.write.shutdown().await.unwrap();
        let mut rest = Vec::new();
        while let Some(body) = tokio::time::timeout(PATIENCE, self.bodies.recv()).await.expect("the output ends") {
            rest.push(serde_json::from_slice(&body).unwrap());
        }
        (self.session.await.unwrap(), rest)
    }
}

fn insert(line: u32, character: u32, text: &str) -> Value {
    let at = json!({ "line": line, "character": character });
    json!({ "range": { "start": at, "end": at }, "text": text })
}

/// Plays the engine for one document, as far as text goes.
#[track_caller]
fn follow(document: &mut Option<Document>, event: Event) {
    match event {
        Event::Opened { version, text, .. } => *document = Some(Document::new(version, &text)),
        Event::Changed { version, changes, encoding, .. } => {
            document.as_mut().expect("opened").apply(version, &changes, encoding).expect("in sync");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_keep_their_order_among_slow_requests() {
    let (mut editor, engine) = Editor::ready().await;
    editor.open("").await;
    let mut expected = String::new();
    for n in 0..400 {
        let char = char::from(b'a' + (n % 26) as u8);
        editor.change(n + 2, json!([insert(0, n, &char.to_string())])).await;
        expected.push(char);
        if n % 4 == 0 {
            editor.ask("capuchin/pages", Value::Null).await;
        }
    }
    // 100 requests wait for answers, more than are worked on at once, and no edit waits with them.
    let (mut document, mut replies) = (None, Vec::new());
    while document.as_ref().is_none_or(|it: &Document| it.version != 401) {
        match engine.event() {
            Event::ListPages { reply } => replies.push(reply),
            event => follow(&mut document, event),
        }
    }
    assert_eq!(document.unwrap().rope.to_string(), expected);

    let mut answered = std::collections::HashSet::new();
    while answered.len() < 100 {
        replies.drain(..).for_each(|it| it.send(Vec::new()).unwrap());
        while let Ok(Event::ListPages { reply }) = engine.events.try_recv() {
            replies.push(reply);
        }
        if replies.is_empty() {
            let answer = editor.next().await;
            assert_eq!(answer["result"], json!([]));
            assert!(answered.insert(answer["id"].as_i64().unwrap()), "answered twice: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_does_not_read_can_still_type_and_leave() {
    let (engine, start) = engine(Lifetime::Session);
    let mut editor = Editor::connect_with_buffer(start, 4096);
    editor.request("initialize", json!({})).await;
    editor.notify("initialized", json!({})).await;
    for count in 0..10_000 {
        engine
            .notices
            .send(Notice::PagesChanged { pages: vec![PageId::parse(&count.to_string()).expect("an id")] })
            .unwrap();
    }
    editor.open("").await;
    for n in 0..400 {
        editor.change(n + 2, json!([insert(0, 0, "x")])).await;
        editor.body("no json").await;
    }
    let mut document = None;
    (0..=400).for_each(|_| follow(&mut document, engine.event()));
    assert_eq!(document.unwrap().version, 401);
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await, End::Abrupt);
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_negotiates_and_names_the_server() {
    let (engine, start) = engine(Lifetime::Session);
    let mut editor = Editor::connect(start);
    let params = json!({
        "processId": null,
        "clientInfo": { "name": "Helix" },
        "workspaceFolders": [{ "uri": "file:///a%20b", "name": "a" }, { "uri": "file:///c d", "name": "c" }],
        "capabilities": { "general": { "positionEncodings": ["utf-8", "utf-32", "utf-16"] } },
        "initializationOptions": { "port": 0, "root": "web" },
    });
    let answer = editor.request("initialize", params).await;
    assert_eq!(
        answer["result"],
        json!({
            "capabilities": {
                "positionEncoding": "utf-8",
                "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
                "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
            },
            "serverInfo": { "name": "capuchin", "version": env!("CARGO_PKG_VERSION") },
        })
    );
    let options = engine.options.recv().unwrap();
    if cfg!(unix) {
        assert_eq!(options.root, Some(PathBuf::from("/a b/web")));
        assert_eq!(options.folders, [PathBuf::from("/a b"), PathBuf::from("/c d")]);
    }
    assert_eq!(
        (options.port, options.encoding, options.client.as_deref()),
        (Some(0), PositionEncoding::Utf8, Some("Helix"))
    );

    let again = editor.request("initialize", json!({})).await;
    assert_eq!(again["error"]["code"], -32600);
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_with_next_to_nothing_works() {
    for params in [
        Value::Null,
        json!({}),
        json!([]),
        json!({ "capabilities": null, "rootUri": "not a uri", "processId": "x", "initializationOptions": [] }),
    ] {
        let (_engine, start) = engine(Lifetime::Session);
        let mut editor = Editor::connect(start);
        let answer = editor.request("initialize", params).await;
        assert_eq!(answer["result"]["capabilities"]["positionEncoding"], "utf-16", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_start_is_one_sentence() {
    let mut editor =
        Editor::connect(Box::new(
            |_| Err(anyhow::anyhow!("no such folder").context("the folder `x` cannot be served")),
        ));
    let answer = editor.request("initialize", json!({})).await;
    assert_eq!(
        answer["error"],
        json!({ "code": -32803, "message": "the folder `x` cannot be served", "data": { "retry": false } })
    );
    assert_eq!(editor.request("capuchin/pages", Value::Null).await["error"]["code"], -32002);
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await, End::Abrupt);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_initialize_requests_are_refused_and_edits_dropped() {
    let (engine, start) = engine(Lifetime::Session);
    let mut editor = Editor::connect(start);
    assert_eq!(editor.request("capuchin/pages", Value::Null).await["error"]["code"], -32002);
    assert_eq!(editor.request("shutdown", Value::Null).await["error"]["code"], -32002);
    editor.open("early").await;
    editor.notify("initialized", json!({})).await;
    editor.request("initialize", json!({})).await;
    editor.open("").await;
    engine.check(&format!("opened {DOC} v1"));
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await, End::Abrupt);
    assert_eq!(engine.rest(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_wait_until_the_editor_may_hear_them() {
    let (engine, start) = engine(Lifetime::Session);
    engine.notices.send(Notice::Ready { url: "http://localhost:4177/".into(), root: PathBuf::from("/app") }).unwrap();
    engine.notices.send(Notice::Message { level: Level::Error, text: "t".into() }).unwrap();
    let mut editor = Editor::connect(start);
    editor.request("initialize", json!({})).await;
    assert!(editor.bodies.try_recv().is_err());
    editor.notify("initialized", json!({})).await;
    assert_eq!(editor.next_method().await, "capuchin/ready");
    assert_eq!(editor.next_method().await, "window/showMessage");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_says_initialized_hears_too() {
    let (engine, start) = engine(Lifetime::Session);
    engine.notices.send(Notice::PagesChanged { pages: vec![PageId::parse("p1").expect("an id")] }).unwrap();
    let mut editor = Editor::connect(start);
    editor.request("initialize", json!({})).await;
    editor.open("").await;
    assert_eq!(editor.next_method().await, "capuchin/pagesChanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn diagnostics_do_not_go_to_a_client_without_them() {
    let (mut editor, engine) = Editor::ready_with(json!({ "capabilities": { "textDocument": {} } })).await;
    engine.notices.send(Notice::Problems { uri: DOC.into(), version: None, problems: vec![] }).unwrap();
    engine.notices.send(Notice::PagesChanged { pages: vec![PageId::parse("p1").expect("an id")] }).unwrap();
    assert_eq!(editor.next_method().await, "capuchin/pagesChanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_and_files_become_events() {
    let (mut editor, engine) = Editor::ready().await;
    editor.open("").await;
    editor.change(7, json!([insert(0, 0, "a"), { "text": "whole" }])).await;
    editor.notify("textDocument/didSave", json!({ "textDocument": { "uri": DOC }, "text": "whole" })).await;
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": DOC } })).await;
    let files = json!({ "changes": [{ "uri": "file:///app/a.js", "type": 2 }, { "uri": "untitled:b", "type": 1 }, { "uri": "file:///app/c%20d.js", "type": 3 }] });
    editor.notify("workspace/didChangeWatchedFiles", files).await;
    match engine.event() {
        Event::Opened { path, uri, .. } => assert_eq!((path, uri.as_str()), (uri::to_path(DOC), DOC)),
        other => panic!("{other}"),
    }
    engine.check(&format!("changed {DOC} v7 (2 changes)"));
    engine.check(&format!("saved {DOC}"));
    engine.check(&format!("closed {DOC}"));
    engine.check("2 files changed on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_no_file_has_no_path() {
    let (mut editor, engine) = Editor::ready().await;
    editor
        .notify("textDocument/didOpen", json!({ "textDocument": { "uri": "untitled:Untitled-1", "text": "" } }))
        .await;
    assert!(matches!(engine.event(), Event::Opened { path: None, version: 0, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_skip_and_may_be_missing() {
    let (mut editor, engine) = Editor::ready().await;
    editor.open("").await;
    editor.change(5, json!([insert(0, 0, "a")])).await;
    editor.change(Value::Null, json!([insert(0, 1, "b")])).await;
    editor
        .notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": DOC }, "contentChanges": [{ "range": null, "text": "abc" }] }),
        )
        .await;
    editor.change(9.0, json!([])).await;
    let mut document = None;
    (0..4).for_each(|_| follow(&mut document, engine.event()));
    assert_eq!(document.as_ref().unwrap().rope.to_string(), "abc");
    assert_eq!(document.unwrap().version, 7);
    engine.check(&format!("changed {DOC} v9 (0 changes)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_costs_itself_only() {
    let (mut editor, engine) = Editor::ready().await;
    assert_eq!(editor.request("no/such", json!({})).await["error"]["code"], -32601);
    for rubbish in ["{", "[]", "\u{0}", "nothing", "{\"id\":{}}"] {
        editor.body(rubbish).await;
        let (mut answers, mut logs) = (0, 0);
        for _ in 0..2 {
            let message = editor.next().await;
            match message["method"].as_str() {
                Some("window/logMessage") => logs += 1,
                _ => answers += usize::from(message["id"].is_null() && message["error"]["code"].is_i64()),
            }
        }
        assert_eq!((answers, logs), (1, 1), "{rubbish}");
    }
    editor.raw(b"GET / HTTP/1.1\r\n\r\nrubbish").await;
    editor.notify("$/unknown", json!({})).await;
    editor.notify("textDocument/willSave", json!({})).await;
    editor.body(r#"{"jsonrpc":"2.0","id":99,"result":null}"#).await;
    editor.open("").await;
    engine.check(&format!("opened {DOC} v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_that_make_no_sense_are_one_log_line() {
    let (mut editor, engine) = Editor::ready().await;
    for method in
        ["textDocument/didOpen", "textDocument/didSave", "textDocument/didClose", "workspace/didChangeWatchedFiles"]
    {
        for params in [Value::Null, json!([]), json!({ "textDocument": { "uri": 7 }, "changes": 1 })] {
            editor.notify(method, params).await;
            let message = editor.next().await;
            assert_eq!(message["method"], "window/logMessage");
            assert_eq!(message["params"]["type"], 2);
            assert!(
                message["params"]["message"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("a {method} message could not be understood"))
            );
        }
    }
    editor.open("").await;
    engine.check(&format!("opened {DOC} v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_read_loses_sync_instead_of_text() {
    let (mut editor, engine) = Editor::ready().await;
    editor.open("abc").await;
    editor.change(2, json!([{ "range": { "start": { "line": -1, "character": 0 }, "end": { "line": 0, "character": 0 } }, "text": "" }])).await;
    assert_eq!(editor.next_method().await, "window/logMessage");
    let mut document = None;
    follow(&mut document, engine.event());
    let Event::Changed { version: 2, changes, encoding, .. } = engine.event() else { panic!() };
    let mut document = document.unwrap();
    document.apply(2, &changes, encoding).unwrap_err();
    assert!(!document.in_sync());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_character_does_not_lose_the_edit() {
    let (mut editor, engine) = Editor::ready().await;
    editor.body(&format!(r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{{"textDocument":{{"uri":"{DOC}","version":1,"text":"a\ud83db"}}}}}}"#)).await;
    let Event::Opened { text, .. } = engine.event() else { panic!() };
    assert_eq!(text, "a\u{fffd}b");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_listed_and_the_question_can_be_taken_back() {
    let (mut editor, engine) = Editor::ready().await;
    editor.ask("capuchin/pages", json!({})).await;
    let Event::ListPages { reply } = engine.event() else { panic!() };
    let page = PageInfo {
        id: PageId::parse("p1").unwrap(),
        address: "127.0.0.1:5".into(),
        user_agent: "ua".into(),
        url: "http://x/".into(),
        modules: 3,
    };
    reply.send(vec![page]).unwrap();
    let answer = editor.next().await;
    assert_eq!(
        answer["result"],
        json!([{ "id": "p1", "address": "127.0.0.1:5", "userAgent": "ua", "url": "http://x/", "modules": 3 }])
    );

    let id = editor.ask("capuchin/pages", Value::Null).await;
    let Event::ListPages { reply: _kept } = engine.event() else { panic!() };
    editor.notify("$/cancelRequest", json!({ "id": id })).await;
    assert_eq!(editor.next().await["error"]["code"], -32800);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_gone_is_an_error_not_a_wait() {
    let (mut editor, engine) = Editor::ready().await;
    drop(engine);
    assert_eq!(editor.request("capuchin/pages", Value::Null).await["error"]["code"], -32603);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_then_exit_is_orderly_even_with_the_input_open() {
    for params in [Some(Value::Null), Some(json!({})), Some(json!([])), None] {
        let (mut editor, engine) = Editor::ready().await;
        let mut message = json!({ "jsonrpc": "2.0", "id": "bye", "method": "shutdown" });
        if let Some(params) = params {
            message["params"] = params;
        }
        editor.body(&message.to_string()).await;
        assert_eq!(editor.next().await, json!({ "jsonrpc": "2.0", "id": "bye", "result": null }));
        assert_eq!(editor.request("capuchin/pages", Value::Null).await["error"]["code"], -32600);
        editor.open("late").await;
        editor.body(r#"{"jsonrpc":"2.0","method":"exit","params":null}"#).await;
        assert_eq!(editor.end().await, End::Orderly);
        assert_eq!(engine.rest(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_without_shutdown_is_abrupt() {
    let (mut editor, _engine) = Editor::ready().await;
    editor.body(r#"{"jsonrpc":"2.0","method":"exit"}"#).await;
    assert_eq!(editor.end().await, End::Abrupt);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_input_is_an_exit_after_the_last_answers() {
    let (mut editor, engine) = Editor::ready().await;
    editor.ask("capuchin/pages", Value::Null).await;
    let Event::ListPages { reply } = engine.event() else { panic!() };
    let answer = std::thread::spawn(move || reply.send(Vec::new()));
    let (end, rest) = editor.leave().await;
    answer.join().unwrap().unwrap();
    assert_eq!((end, rest.len()), (End::Abrupt, 1));

    let (mut editor, _engine) = Editor::ready().await;
    editor.request("shutdown", Value::Null).await;
    assert_eq!(editor.leave().await.0, End::Orderly);

    let mut never_initialized = Editor::connect(Box::new(|_| panic!("there was no `initialize`")));
    never_initialized.raw(b"\n").await;
    assert_eq!(never_initialized.leave().await.0, End::Abrupt);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_no_answer_gets_all_of_them() {
    let (engine, start) = engine(Lifetime::Session);
    engine.notices.send(Notice::PagesChanged { pages: vec![PageId::parse("p1").expect("an id")] }).unwrap();
    let mut editor = Editor::connect(start);
    let first = editor.ask("initialize", json!({})).await;
    editor.notify("initialized", json!({})).await;
    editor.open("").await;
    let last = editor.ask("shutdown", Value::Null).await;
    editor.notify("exit", Value::Null).await;
    let messages = [editor.next().await, editor.next().await];
    let ids: Vec<_> = messages.iter().map(|it| it["id"].as_i64()).collect();
    assert_eq!(ids[0], Some(first));
    assert!(ids.contains(&Some(last)) || editor.next().await["id"] == last);
    assert_eq!(editor.end().await, End::Orderly);
    engine.check(&format!("opened {DOC} v1"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_session_ends_with_the_editors_process() {
    use std::process::{Command, Stdio};
    let mut process = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let (mut editor, engine) = Editor::ready_with(json!({ "processId": process.id() })).await;
    editor.open("").await;
    engine.check(&format!("opened {DOC} v1"));
    process.kill().unwrap();
    assert_eq!(editor.end().await, End::Abrupt);
    process.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_engine_gets_its_documents_closed() {
    let (engine, start) = engine(Lifetime::Shared);
    let (incoming, incoming_rx) = mpsc::channel(8);
    let (outgoing, mut bodies) = mpsc::channel(8);
    let session = tokio::spawn(serve_messages(incoming_rx, outgoing, start));
    let open = |uri: &str| json!({ "method": "textDocument/didOpen", "params": { "textDocument": { "uri": uri, "text": "" } } });
    for message in [json!({ "id": 1, "method": "initialize" }), open("file:///a.js"), open("file:///b.js")] {
        incoming.send(message.to_string().into_bytes()).await.unwrap();
    }
    let close = json!({ "method": "textDocument/didClose", "params": { "textDocument": { "uri": "file:///a.js" } } });
    incoming.send(close.to_string().into_bytes()).await.unwrap();
    let answer: Value = serde_json::from_slice(&bodies.recv().await.unwrap()).unwrap();
    assert_eq!(answer["id"], 1);
    drop(incoming);
    assert_eq!(session.await.unwrap(), End::Abrupt);
    assert_eq!(
        engine.rest(),
        ["opened file:///a.js v0", "opened file:///b.js v0", "closed file:///a.js", "closed file:///b.js"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_change_any_more_say_so() {
    let folders = json!([{ "uri": "file:///app" }]);
    let (mut editor, engine) = Editor::ready_with(
        json!({ "workspaceFolders": folders, "initializationOptions": { "port": 4177, "root": "web" } }),
    )
    .await;
    for same in [
        Value::Null,
        json!({}),
        json!({ "capuchin": { "port": 4177, "root": "./web" } }),
        json!({ "capuchin": { "root": "" } }),
        json!({ "other": 1 }),
    ] {
        editor.notify("workspace/didChangeConfiguration", json!({ "settings": same })).await;
    }
    editor.notify("workspace/didChangeWorkspaceFolders", json!({ "event": { "added": [], "removed": folders } })).await;
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": { "capuchin": { "port": 5000 } } })).await;
    let message = editor.next().await;
    assert_eq!(message["method"], "window/logMessage");
    assert!(message["params"]["message"].as_str().unwrap().contains("next start"));
    drop(engine);
    assert_eq!(editor.leave().await.1, [Value::Null; 0]);
}
