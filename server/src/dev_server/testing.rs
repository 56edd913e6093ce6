//! For the tests of this room: a project in a temporary folder, a backend that notes what it is asked, and a server that
//! real bytes can be sent to.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{env, fs, process};

use axum::body::Body;
use axum::http::{Request, Response};
use tower::ServiceExt;

use super::backend::Backend;
use super::bind::{self, Limits};
use super::{Config, app};
use crate::engine::event::{Event, Handle};
use crate::modules::Root;
use crate::wire::{Graph, ModuleDef, ModuleKind, PageId};

/// What no answer may ever hold.
pub(super) const SECRET: &str = "TOP-SECRET";

/// A folder with the project `root` and a folder `outside` beside it. Gone when dropped.
pub(super) struct Folders {
    base: PathBuf,
}

impl Folders {
    pub(super) fn new() -> Folders {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let base = env::temp_dir().join(format!(
            "capuchin-test-{}-{}",
            process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(base.join("root")).expect("a temporary folder");
        fs::create_dir_all(base.join("outside")).expect("a temporary folder");
        Folders { base: base.canonicalize().expect("it exists") }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.base.join("root")
    }

    pub(super) fn outside(&self) -> PathBuf {
        self.base.join("outside")
    }

    /// `path` is relative to the folder of both, so `root/main.js`.
    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.base.join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a temporary folder");
        fs::write(path, content).expect("a temporary file");
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

/// A backend that gives one module per entry, and notes what it is told.
pub(super) struct FakeBackend {
    pub(super) buffers: Mutex<HashMap<PathBuf, Arc<str>>>,
    pub(super) asked: Mutex<Vec<String>>,
    handle: Handle,
}

impl FakeBackend {
    fn note(&self, what: String) {
        self.asked.lock().expect("no panic").push(what);
    }

    pub(super) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }

    pub(super) fn open_buffer(&self, path: &Path, text: &str) {
        self.buffers.lock().expect("no panic").insert(path.to_owned(), text.into());
    }
}

impl Backend for FakeBackend {
    fn buffer(&self, path: &Path) -> Option<Arc<str>> {
        self.buffers.lock().expect("no panic").get(path).cloned()
    }

    fn rev(&self) -> u64 {
        1
    }

    fn graph(&self, entries: &[String], page: &PageId) -> Graph {
        assert!(!entries[0].contains("panic"), "a backend that fails");
        self.note(format!("graph {entries:?} for {page}"));
        let module = |id: &String| ModuleDef {
            stamp: String::new(),
            id: id.clone(),
            kind: ModuleKind::Esm,
            rev: 1,
            sites: 0,
            is_async: false,
            deps: Vec::new(),
            dynamic: Vec::new(),
            accepts: [("__proto__".to_owned(), None)].into(),
            names: None,
            code: "it's \"code\"\\\n\u{2028}</script>".into(),
        };
        Graph { entry: entries[0].clone(), server: "S".to_owned(), modules: entries.iter().map(module).collect() }
    }

    fn classic(&self, path: &Path, url: &str) -> Option<String> {
        (!path.ends_with("broken.js")).then(|| format!("/* instrumented {url} */"))
    }

    fn stylesheet(&self, _path: &Path, text: &str) -> Option<String> {
        text.contains("@import").then(|| format!("/* fresh */{text}"))
    }

    fn inline_module(&self, id: &str, source: &str, first_line: u32) {
        self.note(format!("inline {id} from line {first_line}: {source}"));
    }

    fn import_map(&self, document: &str, json: &str) {
        self.note(format!("import map of {document}: {json}"));
    }

    fn events(&self) -> Handle {
        self.handle.clone()
    }
}

/// A project and its dev server on a real port.
pub(super) struct Served {
    pub(super) folders: Folders,
    pub(super) backend: Arc<FakeBackend>,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) config: Config,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Served {
    pub(super) fn new() -> Served {
        Served::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Served {
        let folders = Folders::new();
        folders
            .write("root/index.html", "<!doctype html><title>Program</title><script type=module src=main.js></script>");
        folders.write("root/main.js", "let n = 1;");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listeners = runtime.block_on(bind::bind(0)).expect("a free port");
        let config =
            Config::new(Root::open(&folders.root()).expect("it exists"), listeners.port).expect("the folder exists");
        let (sender, events) = mpsc::channel();
        let backend = Arc::new(FakeBackend {
            buffers: Mutex::default(),
            asked: Mutex::default(),
            handle: Handle { events: Arc::new(sender) },
        });
        runtime.spawn(bind::serve(listeners, app(config.clone(), backend.clone()), limits));
        Served { folders, backend, events, config, runtime: Some(runtime) }
    }

    pub(super) fn host(&self) -> String {
        format!("localhost:{}", self.config.port)
    }

    pub(super) fn token(&self) -> &str {
        self.config.token.as_str()
    }

    pub(super) fn open_buffer(&self, path: &str, text: &str) {
        self.backend.open_buffer(&self.folders.root().join(path), text);
    }

    /// One request through the application, without a network; `headers` as `name: value`.
    pub(super) fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.ask("GET", path, headers)
    }

    pub(super) fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", self.host());
        for header in headers {
            let (name, value) = header.split_once(": ").expect("name: value");
            request = request.header(name, value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let app = app(self.config.clone(), self.backend.clone());
        self.block_on(async move { Answer::of(app.oneshot(request).await.expect("it cannot fail")).await })
    }

    /// Several requests to the same application, so that it remembers.
    pub(super) fn get_all(&self, requests: &[(&str, &[&str])]) -> Vec<Answer> {
        let ask = |(path, headers): &(&str, &[&str])| {
            let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
            self.raw(
                format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n", self.host())
                    .as_bytes(),
            )
        };
        requests.iter().map(ask).collect()
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("until dropped").block_on(future)
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.config.port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(super) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that refuses early may close while we still write.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the server neither answered nor closed")
            }
            Err(_) => {}
        }
        Answer::parse(&answer)
    }

    #[track_caller]
    pub(super) fn assert_alive(&self) {
        let answer =
            self.raw(format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host()).as_bytes());
        assert_eq!(answer.status, 200, "the server does not answer any more");
    }

    #[track_caller]
    pub(super) fn event(&self) -> Event {
        self.events.recv_timeout(Duration::from_secs(20)).expect("an event")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Status 0: the connection was closed without an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response<Body>) -> Answer {
        let status = response.status().as_u16();
        let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let head = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec();
        Answer { status, head, body }
    }

    pub(super) fn parse(bytes: &[u8]) -> Answer {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).unwrap_or(0);
        let pair =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        Answer {
            status,
            head: lines.filter_map(pair).collect(),
            body: bytes.get(end + 4..).unwrap_or_default().to_vec(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.head.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
