//! The dev server: serves the project's files to its pages, with buffers over disk, and holds the sockets.
//!
//! A shell: it knows HTTP, files and time, and asks [`backend::Backend`] for everything that has to do with modules.
//! Nothing here changes a file, and nothing is sent to anybody but the project's own pages ([`guard`]).

mod addresses;
pub mod backend;
pub mod bind;
#[cfg(test)]
mod cases;
mod entry;
mod files;
pub mod guard;
mod html;
mod ranges;
mod refusal;
mod resolve;
mod runtime;
mod socket;
#[cfg(test)]
mod testing;
pub mod watch;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::Router;
use axum::middleware;
use axum::routing::get;

pub(crate) use addresses::query;
use backend::Backend;
pub(crate) use entry::has_token;
use guard::{Rules, Token};
pub(crate) use refusal::Refusal;
pub use resolve::may_serve;
use socket::Sockets;

use crate::modules::Root;
use crate::wire::PageId;

/// Where everything of ours is served.
pub(crate) const PREFIX: &str = "/@capuchin/";

/// What one server is: made once per start.
#[derive(Debug, Clone)]
pub struct Config {
    pub root: Root,
    /// The port that is really bound: it is a part of the Host and Origin that are let in.
    pub port: u16,
    pub token: Token,
    /// Names this start of the server, so that pages know another one.
    pub server: String,
    pub cleanup: Cleanup,
}

/// What becomes of timers, listeners and observers that a module's top level started, when the module runs again and has no
/// dispose handler of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Cleanup {
    /// They go on.
    Off,
    /// They go on, and the page's console names them.
    Warn,
    /// They are stopped.
    #[default]
    On,
}

impl Cleanup {
    /// The word that settings and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Cleanup::Off => "off",
            Cleanup::Warn => "warn",
            Cleanup::On => "on",
        }
    }
}

impl Config {
    /// A server for `root` on the bound `port`, with a new token.
    pub fn new(root: Root, port: u16) -> anyhow::Result<Config> {
        let token = Token::random().context("the system gives no random numbers")?;
        let server = guard::random_text::<6>().context("the system gives no random numbers")?;
        Ok(Config { root, port, token, server, cleanup: Cleanup::default() })
    }
}

/// What the handlers share.
pub(crate) struct Shared {
    root: Root,
    rules: Rules,
    token: Token,
    server: String,
    cleanup: Cleanup,
    backend: Arc<dyn Backend>,
    classic: ClassicScripts,
    sockets: Sockets,
    pages: AtomicU64,
}

impl Shared {
    /// Unique over restarts, because the server's name is.
    fn new_page(&self) -> PageId {
        let n = self.pages.fetch_add(1, Ordering::Relaxed);
        PageId::parse(&format!("p{n}-{}", self.server)).expect("a number and a base64url name are plain")
    }
}

/// The whole dev server as a service.
pub fn app(config: Config, backend: Arc<dyn Backend>) -> Router {
    app_with(config, backend, Router::new())
}

/// The dev server with `more` routes below `/@capuchin/`, behind the same guard. The guard does not ask for the token: a
/// route that needs it asks with [`Token::matches`], a socket for the page's Origin with [`guard::has_own_origin`].
pub fn app_with(config: Config, backend: Arc<dyn Backend>, more: Router) -> Router {
    let shared = Arc::new(Shared {
        rules: Rules::for_port(config.port),
        root: config.root,
        token: config.token,
        server: config.server,
        cleanup: config.cleanup,
        classic: ClassicScripts::default(),
        sockets: Sockets::new(backend.events()),
        backend,
        pages: AtomicU64::new(0),
    });
    Router::new()
        .route("/@capuchin/boot.js", get(runtime::boot))
        .route("/@capuchin/runtime/{*file}", get(runtime::file))
        .route("/@capuchin/entry", get(entry::entry))
        .route("/@capuchin/graph", get(entry::graph))
        .route("/@capuchin/socket", get(socket::upgrade))
        .route("/@capuchin/{*rest}", get(async || Refusal::NOT_OURS))
        .merge(more.with_state(()))
        .fallback(files::serve)
        .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}

/// The URL paths that served HTML loads with a plain `<script src>`.
///
/// The same file may also be fetched as text, or loaded by a worker: only a request that looks like the script tag's
/// gets the instrumented text.
#[derive(Default)]
struct ClassicScripts(Mutex<HashSet<String>>);

impl ClassicScripts {
    /// A project with more is no project: pages could otherwise grow the set for ever.
    const LIMIT: usize = 10_000;

    fn add(&self, ids: Vec<String>) {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for id in ids {
            if known.len() < Self::LIMIT {
                known.insert(id);
            }
        }
    }

    fn contains(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(id)
    }
}
