//! `capuchin demo`: an example program, and beside it an editor that talks to the language server, both in one browser tab.
//!
//! The examples and the editor are in the binary. The examples are written into a temporary folder, which goes when the demo
//! ends, and the editor never saves: nobody's files change, not even those of a checkout.
//!
//! ```text
//! GET /@capuchin/demo/?example=NAME         the editor's page        page.rs
//! GET /@capuchin/demo/editor.js, editor.css
//! GET /@capuchin/demo/file?path=P&token=T   a file as it is on disk
//! ws  /@capuchin/lsp?token=T                the language server      sessions.rs
//! everything else                           the dev server
//! ```

mod bundle;
mod page;
mod sessions;

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use super::hub::Hub;
use super::project::Project;
use crate::dev_server::guard::Token;
use crate::engine::event::Handle;
use crate::modules::Root;
use bundle::Tries;
use sessions::Desk;

/// The examples, in the order in which they are offered.
pub const EXAMPLES: [&str; 3] = ["game", "todo", "clock"];

/// What to show.
#[derive(Debug)]
pub struct DemoOptions {
    /// One of [`EXAMPLES`].
    pub example: String,
    pub port: u16,
    pub open: bool,
}

/// What the handlers share.
struct Demo {
    /// The example of an address that names none.
    example: String,
    token: Token,
    root: Root,
    engine: Handle,
    hub: Hub,
    desk: Desk,
}

/// Serves the demo until it is interrupted; prints the address as the first line on stdout, then what to try.
pub fn demo(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let DemoOptions { example, port, open } = options;
    bundle::check()?;
    let tries = bundle::tries(&example).with_context(|| format!("there is no example '{example}'"))?;
    let folder = bundle::unpack().context("the examples cannot be written to a temporary folder")?;
    let runtime = super::runtime()?;
    let ended = runtime.block_on(async {
        let query = format!("?example={example}");
        let project = Project::start_with(folder.path(), port, super::Cleanup::default(), |config, engine, hub| {
            routes(Demo {
                example,
                token: config.token.clone(),
                root: config.root.clone(),
                engine: engine.clone(),
                hub: hub.clone(),
                desk: Desk::default(),
            })
        })
        .await?;
        let url = format!("{}{}{query}", project.url.trim_end_matches('/'), page::ADDRESS);
        super::say(&url)?;
        super::say(&what_to_try(&tries))?;
        if open {
            super::open_browser(&url);
        }
        tokio::spawn(project.serve());
        interrupted().await
    });
    // The watcher lets go of the folder first: Windows removes nothing that is watched.
    drop(runtime);
    folder.close().context("the temporary folder of the examples cannot be removed")?;
    ended.map(|()| ExitCode::SUCCESS)
}

/// What the demo answers beside the dev server, behind the same guard.
fn routes(demo: Demo) -> Router {
    Router::new()
        // Somebody who shortens the address means the demo.
        .route("/", get(async || Redirect::temporary(page::ADDRESS)))
        .route("/@capuchin/demo", get(async || Redirect::permanent(page::ADDRESS)))
        .route(page::ADDRESS, get(page::index))
        .route("/@capuchin/demo/file", get(page::file))
        .route("/@capuchin/demo/{name}", get(page::asset))
        .route("/@capuchin/lsp", get(sessions::upgrade))
        .with_state(Arc::new(demo))
}

fn what_to_try(tries: &Tries) -> String {
    let Tries { title, intro, edits } = tries;
    let mut text = format!(
        "\n{title}: {intro}\n\nType in the editor on the left; the program on the right follows every key and keeps its state.\n\
         To start with:\n"
    );
    for (edit, file) in edits {
        writeln!(text, "  {edit:<24} in {file}").expect("a string takes all");
    }
    text + "\nNothing is written to your files. Ctrl+C ends the demo."
}

/// Ctrl+C, or the system's ways to say it: the temporary folder has to go in any case.
async fn interrupted() -> anyhow::Result<()> {
    const FAILED: &str = "Ctrl+C can't be waited for";
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).context(FAILED)?;
        let mut hung_up = signal(SignalKind::hangup()).context(FAILED)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context(FAILED),
            _ = terminated.recv() => Ok(()),
            _ = hung_up.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context(FAILED)
}
