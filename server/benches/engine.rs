//! What one keystroke costs the server: the bytes of a `didChange` in, the bytes of the push (or of the verdict) out.
//!
//! The whole server but for its two sockets: a session over an in-memory connection, the engine on its thread, and a page
//! that is a queue. Each file is a list of functions of eight lines, so its length says how many functions it has; the
//! edit is always in the middle.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capuchin::engine;
use capuchin::engine::event::{Event, Handle};
use capuchin::graph::Graph;
use capuchin::lsp::{self, Lifetime, Started};
use capuchin::modules::{Resolver, Root};
use capuchin::wire::{self, FromPage, ModuleOutcome, ModuleRev, Outcome, PageId, ToPage};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const LINES: [usize; 4] = [100, 1_000, 10_000, 100_000];
const LINES_PER_FUNCTION: usize = 8;
const MODULE: &str = "/main.js";

fn in_a_function(c: &mut Criterion) {
    let mut group = c.benchmark_group("in a function: didChange to push");
    for lines in LINES {
        let mut editor = Editor::open(lines);
        let (line, column) = editor.place_of_factor();
        let mut digit = 0;
        group.bench_function(BenchmarkId::from_parameter(lines), |b| {
            b.iter_custom(|n| {
                let mut took = Duration::ZERO;
                for _ in 0..n {
                    digit = (digit + 1) % 10;
                    took += editor.type_to_push((line, column), 1, &digit.to_string());
                }
                took
            });
        });
    }
}

fn half_typed(c: &mut Criterion) {
    let mut group = c.benchmark_group("half-typed in a function: didChange to verdict");
    for lines in LINES {
        let mut editor = Editor::open(lines);
        let (line, column) = editor.place_of_factor();
        // `const factor = 1 + (` and further keys: nothing parses until the bracket is closed, which never happens here.
        editor.type_to_verdict((line, column), 1, "1 + (0");
        let mut digit = 0;
        group.bench_function(BenchmarkId::from_parameter(lines), |b| {
            b.iter_custom(|n| {
                let mut took = Duration::ZERO;
                for _ in 0..n {
                    digit = (digit + 1) % 10;
                    let (spent, verdict) = editor.type_to_verdict((line, column + 5), 1, &digit.to_string());
                    assert_eq!(verdict, "hold", "an open bracket does not parse");
                    took += spent;
                }
                took
            });
        });
    }
}

fn at_module_level(c: &mut Criterion) {
    let mut group = c.benchmark_group("at module level: didChange to verdict");
    group.sample_size(10);
    for lines in LINES {
        let mut editor = Editor::open(lines);
        let mut digit = 0;
        group.bench_function(BenchmarkId::from_parameter(lines), |b| {
            b.iter_custom(|n| {
                let mut took = Duration::ZERO;
                for _ in 0..n {
                    // Never the 0 that pages run: going back to it would change nothing.
                    digit = digit % 9 + 1;
                    let (spent, verdict) =
                        editor.type_to_verdict((0, "globalThis.shown = ".len()), 1, &digit.to_string());
                    assert_eq!(verdict, "updateModule", "top-level code changed");
                    took += spent;
                }
                took
            });
        });
    }
}

/// An editor with one file open, and one page that runs it.
struct Editor {
    runtime: Runtime,
    write: WriteHalf<DuplexStream>,
    verdicts: mpsc::UnboundedReceiver<(Instant, Value)>,
    pushes: mpsc::Receiver<ToPage>,
    engine: Handle,
    page: PageId,
    uri: String,
    version: i32,
    lines: usize,
    _folder: tempfile::TempDir,
}

impl Editor {
    fn open(lines: usize) -> Editor {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().canonicalize().expect("it exists").join("main.js");
        let text = program(lines);
        std::fs::write(&path, &text).expect("the folder takes files");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (notices, notices_rx) = mpsc::unbounded_channel();
        let root = Root::open(path.parent().unwrap_or(&path)).expect("the folder opens");
        let (engine, events) = engine::channel();
        let graph = Arc::new(Graph::new(Resolver::new(root), engine.clone()));
        engine::start(Arc::clone(&graph), "server".to_owned(), notices, events);
        let loaded = graph.define(MODULE);
        let page = PageId::parse("page").expect("a plain name");
        let (outbox, mut pushes) = mpsc::channel(256);
        let modules =
            vec![ModuleRev { id: MODULE.to_owned(), rev: loaded.rev, top: None, stamp: loaded.stamp.clone() }];
        engine.send(Event::PageConnected {
            page: page.clone(),
            address: "bench".to_owned(),
            hello: FromPage::Hello {
                v: wire::VERSION,
                page: page.clone(),
                server: "server".to_owned(),
                url: "/".to_owned(),
                html: String::new(),
                user_agent: "bench".to_owned(),
                modules,
                look: false,
                rev: 0,
            },
            outbox,
        });
        let welcome = runtime.block_on(pushes.recv());
        assert!(matches!(welcome, Some(ToPage::Welcome { .. })), "{welcome:?}");

        let (ours, theirs) = tokio::io::duplex(1 << 24);
        let (read, write) = tokio::io::split(theirs);
        let of_session = engine.clone();
        runtime.spawn(lsp::serve(read, write, move |_| {
            Ok(Started { engine: of_session, notices: notices_rx, lifetime: Lifetime::Session })
        }));
        let (read, write) = tokio::io::split(ours);
        let (verdicts_tx, verdicts) = mpsc::unbounded_channel();
        runtime.spawn(listen(read, verdicts_tx));
        let uri = lsp::uri::from_path(&path);
        let mut editor =
            Editor { runtime, write, verdicts, pushes, engine, page, uri, version: 1, lines, _folder: folder };
        editor.say(&json!({ "id": 1, "method": "initialize", "params": { "capabilities": {}, "rootUri": null } }));
        editor.say(&json!({ "method": "initialized", "params": {} }));
        let document = json!({ "uri": editor.uri, "languageId": "javascript", "version": 1, "text": text });
        editor.say(&json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } }));
        editor.verdict();
        editor
    }

    /// Where the middle function says `factor = 0`: the place of its digit.
    fn place_of_factor(&self) -> (usize, usize) {
        let middle = self.lines / LINES_PER_FUNCTION / 2;
        (2 + middle * LINES_PER_FUNCTION + 1, "  const factor = ".len())
    }

    fn type_to_push(&mut self, at: (usize, usize), replaced: usize, text: &str) -> Duration {
        let body = self.did_change(at, replaced, text);
        let began = Instant::now();
        self.send(&body);
        let push = self.runtime.block_on(self.pushes.recv()).expect("the engine runs");
        black_box(push.to_json());
        let took = began.elapsed();
        let ToPage::Push { seq, changes, .. } = push else { panic!("no push: {push:?}") };
        assert!(matches!(changes.as_slice(), [wire::Change::Patch { sites, .. }] if sites.len() == 1), "{changes:?}");
        let result = ModuleOutcome { module: MODULE.to_owned(), rev: 0, outcome: Outcome::Live, reason: None, ms: 0.0 };
        let message = FromPage::Outcome { seq, results: vec![result] };
        self.engine.send(Event::PageSaid { page: self.page.clone(), message });
        self.verdict();
        took
    }

    fn type_to_verdict(&mut self, at: (usize, usize), replaced: usize, text: &str) -> (Duration, String) {
        let body = self.did_change(at, replaced, text);
        let began = Instant::now();
        self.send(&body);
        let (arrived, verdict) = self.verdict();
        // What module updates are pushed while the benchmark waits is of no interest.
        while self.pushes.try_recv().is_ok() {}
        (arrived - began, verdict)
    }

    fn did_change(&mut self, (line, column): (usize, usize), replaced: usize, text: &str) -> Vec<u8> {
        self.version += 1;
        let range = json!({
            "start": { "line": line, "character": column },
            "end": { "line": line, "character": column + replaced },
        });
        let params = json!({
            "textDocument": { "uri": self.uri, "version": self.version },
            "contentChanges": [{ "range": range, "text": text }],
        });
        framed(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }))
    }

    fn say(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = "2.0".into();
        self.send(&framed(&message));
    }

    fn send(&mut self, bytes: &[u8]) {
        self.runtime.block_on(self.write.write_all(bytes)).expect("the session reads");
    }

    /// The verdict on the newest version, and when it arrived.
    fn verdict(&mut self) -> (Instant, String) {
        loop {
            let (arrived, params) = self.runtime.block_on(self.verdicts.recv()).expect("the session runs");
            if params["version"] == self.version {
                return (arrived, params["verdict"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
}

/// Reads what the server says and passes the verdicts on.
async fn listen(mut read: ReadHalf<DuplexStream>, verdicts: mpsc::UnboundedSender<(Instant, Value)>) {
    const HEADER: &[u8] = b"Content-Length: ";
    let mut buffer: Vec<u8> = Vec::new();
    while read.read_buf(&mut buffer).await.is_ok_and(|n| n > 0) {
        let arrived = Instant::now();
        while let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n").map(|it| it + 4) {
            let header = std::str::from_utf8(&buffer[HEADER.len()..end - 4]).expect("the server's own header");
            let length: usize = header.parse().expect("a number");
            if buffer.len() < end + length {
                break;
            }
            let mut message: Value = serde_json::from_slice(&buffer[end..end + length]).expect("JSON");
            buffer.drain(..end + length);
            if message["method"] == "capuchin/verdict" && verdicts.send((arrived, message["params"].take())).is_err() {
                return;
            }
        }
    }
}

fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A module of two lines and functions with a closure each.
fn program(lines: usize) -> String {
    let mut text = "globalThis.shown = 0;\n\n".to_owned();
    for n in 0..lines / LINES_PER_FUNCTION {
        let _ = write!(
            text,
            "export function step{n}(state, input) {{
  const factor = 0;
  let total = state.total + {n};
  for (const item of input) {{
    if (item > factor) total += item * factor;
  }}
  return {{ ...state, total, listed: input.map((it) => it + total) }};
}}
"
        );
    }
    text
}

criterion_group!(benches, in_a_function, half_typed, at_module_level);
criterion_main!(benches);
