//! The binary: reads the command line, starts the logs, calls [`capuchin::run`], and turns what comes back into an exit code
//! and at most one sentence on stderr.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use capuchin::modules::Root;
use capuchin::run::{self, DemoOptions, DiffOptions, LspOptions, ServeOptions};

use cli::{Cli, Command};

fn main() -> ExitCode {
    let (log, command) = Cli::from_env();
    match cli::start_logging(&log).and_then(|()| call(command)) {
        Ok(code) => code,
        Err(error) => {
            tracing::debug!("{error:?}");
            // Nobody is left to tell if stderr is closed.
            let _ = writeln!(io::stderr(), "capuchin: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn call(command: Command) -> Result<ExitCode> {
    match command {
        Command::Lsp(args) => run::lsp(LspOptions { client_process_id: args.client_process_id }),
        Command::Serve(args) => {
            let root = Root::open(&args.root)?;
            let root = root.path().to_owned();
            run::serve(ServeOptions { root, port: args.port, open: args.open, cleanup: args.cleanup })
        }
        Command::Diff(args) => {
            let (old, new) = (cli::read_source(&args.old)?, cli::read_source(&args.new)?);
            run::diff(DiffOptions { old, new, json: args.json })
        }
        Command::Demo(args) => run::demo(DemoOptions { example: args.example, port: args.port, open: !args.no_open }),
        Command::Completions { shell } => cli::print_completions(shell).map(|()| ExitCode::SUCCESS),
    }
}
