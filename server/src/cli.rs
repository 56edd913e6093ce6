//! The command line: what can be said, what is read before a command runs, and where logs go. Decides nothing that the
//! commands decide, and prints nothing but shell completions and errors.

mod input;
mod log;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use capuchin::run::Cleanup;

pub(crate) use input::read_source;
pub(crate) use log::{Level, start_logging};

const EXAMPLES: &str = "\
Examples:
  capuchin demo                       An editor and a running program, side by side in the browser
  capuchin demo clock                 The same with another program
  capuchin serve                      Serve this folder; saved files change the running page
  capuchin serve game --port 0        Serve 'game' on any free port
  capuchin lsp                        What an editor starts: the language server on stdin and stdout
  capuchin diff old.js new.js         What an edit would do, and the code that would be sent
  capuchin completions bash >> ~/.bash_completion

Environment:
  CAPUCHIN_LOG    What to log when --log-level is not given: a level, or filters such as 'capuchin::engine=debug'
  NO_COLOR        If set, nothing is coloured

Exit codes:
  0  It worked
  1  It failed: one sentence on stderr says why
  2  The command line is wrong";

/// Live-patches running JavaScript on every keystroke.
#[derive(Debug, Parser)]
#[command(name = "capuchin", version, about, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Start the language server, as `capuchin lsp` does: the flag that editors pass
    #[arg(long)]
    stdio: bool,

    #[command(flatten)]
    pub(crate) log: LogArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How much to log
    #[arg(long, global = true, value_name = "LEVEL", value_enum)]
    pub(crate) log_level: Option<Level>,

    /// Append the log to this file instead of writing it to stderr
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the language server on stdin and stdout, with a dev server for the workspace
    Lsp(LspArgs),
    /// Serve a folder and patch its pages as the files on disk change
    #[command(after_help = "Prints the address as the first line on stdout. Stop it with Ctrl+C.

Examples:
  capuchin serve
  capuchin serve examples/game --open
  capuchin serve --port 0 --log-level debug")]
    Serve(ServeArgs),
    /// Show what changing a file from OLD to NEW does: the verdict, the functions, the code sent to a page
    #[command(after_help = "Exits with 0 whatever the verdict is, and with 1 if a file cannot be read.

Examples:
  capuchin diff old.js new.js
  capuchin diff old.js new.js --json")]
    Diff(DiffArgs),
    /// Open a browser tab with an editor on the left and a running program on the right; writes no files
    #[command(after_help = "Examples:
  capuchin demo
  capuchin demo todo --no-open")]
    Demo(DemoArgs),
    /// Print the completions for a shell
    #[command(after_help = "Examples:
  capuchin completions bash >> ~/.bash_completion
  capuchin completions zsh > ~/.zfunc/_capuchin
  capuchin completions fish > ~/.config/fish/completions/capuchin.fish
  capuchin completions powershell >> $PROFILE")]
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct LspArgs {
    /// Accepted because editors pass it; stdin and stdout are used in any case
    #[arg(long, hide = true)]
    stdio: bool,

    /// The editor's process: the server ends when it does
    #[arg(long, value_name = "PID", alias = "clientProcessId")]
    pub(crate) client_process_id: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The folder to serve
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) root: PathBuf,

    /// The port, or the next one that is free; 0 for any
    #[arg(long, value_name = "N", default_value_t = 4177, value_parser = port)]
    pub(crate) port: u16,

    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,

    /// What becomes of timers and listeners of a module that runs again without a dispose handler
    #[arg(long, value_name = "WHAT", default_value = "on")]
    pub(crate) cleanup: Cleanup,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The file before the edit
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) old: PathBuf,

    /// The file after the edit
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) new: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The program to play with
    #[arg(default_value = "game", value_parser = capuchin::run::EXAMPLES)]
    pub(crate) example: String,

    /// The port, or the next one that is free; 0 for any
    #[arg(long, value_name = "N", default_value_t = 4177, value_parser = port)]
    pub(crate) port: u16,

    /// Only print the address
    #[arg(long)]
    pub(crate) no_open: bool,
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "a port is a number from 0 to 65535; 0 stands for any that is free")
}

impl Cli {
    /// Reads the command line. Ends the process for `--help`, `--version` and what is not understood.
    pub(crate) fn from_env() -> (LogArgs, Command) {
        match Cli::read(std::env::args_os()) {
            Ok(it) => it,
            Err(error) => error.exit(),
        }
    }

    fn read(args: impl IntoIterator<Item = OsString>) -> Result<(LogArgs, Command), clap::Error> {
        let cli = Cli::try_parse_from(args)?;
        let command = match (cli.stdio, cli.command) {
            (_, Some(command @ Command::Lsp(_))) | (false, Some(command)) => command,
            (true, None) => Command::Lsp(LspArgs::default()),
            (true, Some(_)) => {
                let message = "--stdio starts the language server and goes with no other command";
                return Err(Cli::command().error(ErrorKind::ArgumentConflict, message));
            }
            (false, None) => {
                let message = "a command is needed: lsp, serve, diff, demo or completions";
                return Err(Cli::command().error(ErrorKind::MissingSubcommand, message));
            }
        };
        Ok((cli.log, command))
    }
}

/// Writes the completions for a shell to stdout.
pub(crate) fn print_completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "capuchin", &mut script);
    match io::stdout().write_all(&script) {
        // `capuchin completions bash | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(LogArgs, Command), clap::Error> {
        Cli::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn editors_start_the_server_in_several_ways() {
        for line in [
            "capuchin lsp",
            "capuchin --stdio",
            "capuchin lsp --stdio",
            "capuchin --stdio lsp",
            "capuchin --stdio --log-level debug",
            "capuchin lsp --clientProcessId=12",
            "capuchin lsp --client-process-id 12 --stdio --log-file x.log",
        ] {
            let (_, command) = read(line).unwrap();
            assert!(matches!(command, Command::Lsp(_)), "{line}: {command:?}");
        }
    }

    #[test]
    fn defaults() {
        let (log, command) = read("capuchin serve").unwrap();
        let Command::Serve(serve) = command else { panic!("{command:?}") };
        assert_eq!((serve.root, serve.port, serve.open), (PathBuf::from("."), 4177, false));
        assert!(log.log_level.is_none() && log.log_file.is_none());

        let (_, command) = read("capuchin demo").unwrap();
        let Command::Demo(demo) = command else { panic!("{command:?}") };
        assert_eq!((demo.example.as_str(), demo.port, demo.no_open), ("game", 4177, false));
    }

    #[test]
    fn log_flags_stand_before_or_after_the_command() {
        for line in ["capuchin --log-level trace serve x", "capuchin serve x --log-level trace"] {
            let (log, _) = read(line).unwrap();
            assert!(matches!(log.log_level, Some(Level::Trace)), "{line}");
        }
    }

    #[test]
    fn what_a_port_is_is_said() {
        for line in ["capuchin serve --port abc", "capuchin demo --port 65536", "capuchin serve --port=-1"] {
            let text = read(line).unwrap_err().to_string();
            assert!(text.contains("a port is a number from 0 to 65535"), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_a_usage_error() {
        for line in [
            "capuchin",
            "capuchin --log-level debug",
            "capuchin nonsense",
            "capuchin serve --port x",
            "capuchin serve --port 65536",
            "capuchin serve --stdio",
            "capuchin --stdio serve",
            "capuchin diff one.js",
            "capuchin demo nonsense",
            "capuchin completions tcsh",
            "capuchin lsp --log-level loud",
        ] {
            assert_eq!(read(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
