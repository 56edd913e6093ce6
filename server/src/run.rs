//! The commands: what `capuchin lsp`, `serve`, `diff` and `demo` put together.

mod demo;
mod diff;
mod hub;
mod project;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

pub use demo::{DemoOptions, EXAMPLES, demo};
pub use diff::{DiffOptions, SourceFile, diff};

pub use crate::dev_server::Cleanup;
use crate::lsp::{self, InitOptions, Lifetime, Started};
use project::Project;

/// The port that is tried first.
pub const DEFAULT_PORT: u16 = 4177;

/// `capuchin lsp`.
#[derive(Debug, Default)]
pub struct LspOptions {
    /// The editor's process; the server ends when it does. Editors also say it in `initialize`.
    pub client_process_id: Option<u32>,
}

/// `capuchin serve`.
#[derive(Debug)]
pub struct ServeOptions {
    /// Canonical.
    pub root: PathBuf,
    pub port: u16,
    pub cleanup: Cleanup,
    /// Whether to open a browser.
    pub open: bool,
}

/// Runs the language server on stdin and stdout until the editor leaves.
pub fn lsp(options: LspOptions) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let code = runtime.block_on(async move {
        if let Some(process) = options.client_process_id {
            tracing::debug!("the editor is process {process}");
        }
        lsp::serve_stdio(start_for_editor).await
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    Ok(code)
}

/// Starts everything for one editor: called when `initialize` arrives.
fn start_for_editor(init: InitOptions) -> anyhow::Result<Started> {
    let root =
        init.root.context("the editor opened no folder: open one, or set capuchin.root to the folder to serve")?;
    let port = init.port.unwrap_or(DEFAULT_PORT);
    let cleanup = init.cleanup.unwrap_or_default();
    let project = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(Project::start(&root, port, cleanup))
    })?;
    look_for_pages(&root, &project.url, "set `root` (capuchin.root in VS Code) to the folder that has one");
    let notices = project.hub.subscribe();
    let engine = project.engine.clone();
    // The project lives as long as the process.
    tokio::spawn(project.serve());
    Ok(Started { engine, notices, lifetime: Lifetime::Session })
}

/// Serves a folder until it is interrupted; prints the address as the first line on stdout.
pub fn serve(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    runtime.block_on(async move {
        let project = Project::start(&options.root, options.port, options.cleanup).await?;
        // Before the address is out: from then on somebody may interrupt us.
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        let at_once = futures::poll!(interrupted.as_mut());
        debug_assert!(at_once.is_pending());
        say(&project.url)?;
        look_for_pages(
            &options.root,
            &project.url,
            "put one there, or name the folder that has it: capuchin serve FOLDER",
        );
        if options.open {
            open_browser(&project.url);
        }
        tokio::spawn(project.serve());
        interrupted.await.context("Ctrl+C can't be waited for")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Without an index page a newcomer's first address is an error: says so before it is opened, and what helps.
fn look_for_pages(root: &Path, url: &str, what_helps: &str) {
    if root.join("index.html").is_file() {
        return;
    }
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|it| it.ends_with(".html") || it.ends_with(".htm"));
    names.sort_unstable();
    match names.first() {
        Some(name) => tracing::warn!("there is no index.html in {}: open {url}{name} instead", root.display()),
        None => tracing::warn!("there is no index.html in {}: {what_helps}", root.display()),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the async runtime can't start")
}

/// One line for whoever started the program.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("writing to stdout")
}

/// Asks the desktop to open an address. That there is none is no error: the address was printed.
fn open_browser(url: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let opened = std::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = opened {
        tracing::info!("no browser could be opened ({program}: {error}); open {url} yourself");
    }
}
