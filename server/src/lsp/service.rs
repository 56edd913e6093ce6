//! The order of edits is the correctness of everything behind them, and tower-lsp runs handlers concurrently. So what
//! is said about documents never reaches it: [`Ordered`] hands it to the engine inside `call()`, which runs in the
//! order of reading. The rest goes to `LspService`.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{self, BoxFuture, FutureExt};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::Service;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_lsp::{ExitedError, LspService};
use tracing::{debug, info};

use crate::engine::event::Event;
use crate::lsp::from_proto::{self, Documents};
use crate::lsp::initialize::{self, Hello};
use crate::lsp::server::Server;
use crate::lsp::session::{Live, Session};
use crate::lsp::{End, InitOptions, Lifetime, Started, ext, lifeline};

type Start = Box<dyn FnOnce(InitOptions) -> anyhow::Result<Started> + Send>;
type Answer = BoxFuture<'static, Result<Option<Response>, ExitedError>>;

pub(super) struct Ordered {
    inner: LspService<Server>,
    session: Arc<Session>,
    start: Option<Start>,
    documents: Documents,
    lifetime: Lifetime,
    end: End,
    background: JoinSet<()>,
}

impl Ordered {
    pub(super) fn new(session: Arc<Session>, start: Start) -> Self {
        let server = Server { session: session.clone() };
        let (inner, _) = LspService::build(|_| server).custom_method(ext::PAGES, Server::pages).finish();
        Ordered {
            inner,
            session,
            start: Some(start),
            documents: Documents::default(),
            lifetime: Lifetime::Session,
            end: End::Abrupt,
            background: JoinSet::new(),
        }
    }

    /// The session is over: nothing is sent after this.
    pub(super) async fn finish(mut self) -> End {
        self.background.shutdown().await;
        if let (Some(live), Lifetime::Shared) = (self.session.live.get(), self.lifetime) {
            for uri in self.documents.into_uris() {
                live.engine.send(Event::Closed { uri });
            }
        }
        self.end
    }

    fn initialize(&mut self, request: Request) -> Answer {
        let (method, id, params) = request.into_parts();
        let Some(id) = id else {
            self.session.complain("`initialize` came without an id, so it could not be answered".into());
            return future::ok(None).boxed();
        };
        let Some(start) = self.start.take() else {
            return refuse(id, Error::invalid_request());
        };
        let here = std::env::current_dir().unwrap_or_default();
        let Hello { options, process, wants_diagnostics, problems } =
            initialize::read(&params.unwrap_or_default(), Path::new(&here));
        for problem in problems {
            self.session.complain(problem);
        }
        info!("the editor {} says hello", options.client.as_deref().unwrap_or("without a name"));
        let started = match start(options.clone()) {
            Ok(started) => started,
            Err(err) => {
                info!("not started: {err:#}");
                let data = Some(json!({ "retry": false }));
                return refuse(
                    id,
                    Error { code: ErrorCode::ServerError(REQUEST_FAILED), message: err.to_string().into(), data },
                );
            }
        };
        let Started { engine, notices, lifetime } = started;
        self.lifetime = lifetime;
        let _ = self.session.live.set(Live { engine, options });
        self.background.spawn(self.session.clone().pass_on(notices, wants_diagnostics));
        if let Some(process) = process {
            let session = self.session.clone();
            self.background.spawn(async move {
                lifeline::ended(process).await;
                session.orphaned.notify_one();
            });
        }
        // The library gets parameters that it cannot refuse; what they really were has been read.
        self.inner.call(Request::build(method).id(id).params(json!({ "capabilities": {} })).finish())
    }

    fn about_documents(&mut self, request: Request) -> Answer {
        let (method, id, params) = request.into_parts();
        match self.session.live.get() {
            Some(live) if self.end == End::Abrupt => {
                let (event, problem) = self.documents.event(&method, params.unwrap_or_default(), live.options.encoding);
                problem.into_iter().for_each(|sentence| self.session.complain(sentence));
                event.into_iter().for_each(|event| live.engine.send(event));
            }
            // As the LSP wants it.
            _ => debug!("{method} came before `initialize` or after `shutdown` and was not used"),
        }
        match id {
            None => future::ok(None).boxed(),
            Some(id) => refuse(id, Error::invalid_request()),
        }
    }

    fn settings_changed(&self, params: &Value) {
        let Some(live) = self.session.live.get() else { return };
        let settings = &params["settings"]["capuchin"];
        let given = |name: &str| Some(&settings[name]).filter(|it| !it.is_null() && *it != "");
        let folders = live.options.folders.iter().map(|it| json!({ "uri": crate::lsp::uri::from_path(it) }));
        let again = json!({ "workspaceFolders": folders.collect::<Vec<_>>(), "initializationOptions": settings });
        let again = initialize::read(&again, Path::new("")).options;
        let is_new = |name: &str, differs: bool| given(name).is_some() && differs;
        if is_new("port", again.port != live.options.port)
            || is_new("root", again.root != live.options.root)
            || is_new("cleanup", again.cleanup != live.options.cleanup)
        {
            let sentence = "the settings `capuchin.root`, `capuchin.port` and `capuchin.cleanup` count from the next start \
                 of the language server";
            self.session.complain(sentence.into());
        }
    }
}

impl Service<Request> for Ordered {
    type Response = Option<Response>;
    type Error = ExitedError;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExitedError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Answer {
        let is_live = self.session.live.get().is_some();
        if is_live {
            self.session.heard();
        }
        match request.method() {
            "initialize" => self.initialize(request),
            method if from_proto::is_about_documents(method) => self.about_documents(request),
            "workspace/didChangeConfiguration" => {
                self.settings_changed(request.params().unwrap_or(&Value::Null));
                future::ok(None).boxed()
            }
            // The folder that is served stays the one of `initialize`; others were never more than known.
            "workspace/didChangeWorkspaceFolders" => future::ok(None).boxed(),
            "shutdown" => {
                if is_live {
                    self.end = End::Orderly;
                }
                self.inner.call(without_params(request))
            }
            ext::PAGES => self.inner.call(without_params(request)),
            _ => self.inner.call(request),
        }
    }
}

/// `RequestFailed` of the LSP.
const REQUEST_FAILED: i64 = -32803;

fn refuse(id: Id, error: Error) -> Answer {
    future::ok(Some(Response::from_error(id, error))).boxed()
}

/// Clients send `null`, `{}`, `[]` or nothing for "no parameters", and the library does not take them all.
fn without_params(request: Request) -> Request {
    let (method, id, _) = request.into_parts();
    let request = Request::build(method);
    id.into_iter().fold(request, |request, id| request.id(id)).finish()
}
