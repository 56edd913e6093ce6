//! Where logs go: stderr, because stdout belongs to the language server, or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::sync::Mutex;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::LogArgs;

const VARIABLE: &str = "CAPUCHIN_LOG";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Starts logging, for the rest of the process.
pub(crate) fn start_logging(args: &LogArgs) -> Result<()> {
    let variable = std::env::var(VARIABLE).ok().filter(|it| !it.is_empty());
    let (filter, problem) = match (args.log_level, variable) {
        (Some(level), _) => (filter_of(level), None),
        (None, None) => (filter_of(Level::Info), None),
        (None, Some(directives)) => filter_from(&directives),
    };
    // Where a line comes from is for those who look for a mistake of ours.
    let is_detailed = filter.max_level_hint().is_some_and(|it| it >= LevelFilter::DEBUG);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(is_detailed);
    match &args.log_file {
        Some(path) => {
            let file = open(path).with_context(|| format!("the log file '{}' cannot be written", path.display()))?;
            builder.with_ansi(false).with_writer(Mutex::new(file)).init();
        }
        // Somebody who sits in front of it sees when it comes.
        None if io::stderr().is_terminal() && !is_detailed => {
            builder.with_ansi(may_colour(&io::stderr())).with_writer(io::stderr).without_time().init();
        }
        None => builder.with_ansi(may_colour(&io::stderr())).with_writer(io::stderr).init(),
    }
    if let Some(problem) = problem {
        tracing::warn!("{problem}");
    }
    Ok(())
}

/// Everything of ours up to the level. Of the libraries only what is one step more serious: they talk a lot.
fn filter_of(level: Level) -> EnvFilter {
    EnvFilter::new(match level {
        Level::Error => "error",
        Level::Warn => "error,capuchin=warn",
        Level::Info => "warn,capuchin=info",
        Level::Debug => "info,capuchin=debug",
        Level::Trace => "debug,capuchin=trace",
    })
}

/// A level or filters; what cannot be read is no reason not to start.
fn filter_from(directives: &str) -> (EnvFilter, Option<String>) {
    if let Ok(level) = Level::from_str(directives, true) {
        return (filter_of(level), None);
    }
    match EnvFilter::try_new(directives) {
        Ok(filter) => (filter, None),
        Err(error) => (filter_of(Level::Info), Some(format!("{VARIABLE} is not understood and was ignored: {error}"))),
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// As <https://no-color.org> has it, and for terminals only.
fn may_colour(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_a_level_or_filters() {
        for (directives, expected) in [
            ("debug", "capuchin=debug,info"),
            ("WARN", "capuchin=warn,error"),
            ("capuchin::engine=trace", "capuchin::engine=trace"),
        ] {
            let (filter, problem) = filter_from(directives);
            assert_eq!((filter.to_string().as_str(), problem), (expected, None), "{directives}");
        }
        let (filter, problem) = filter_from("capuchin=loud");
        assert_eq!(filter.to_string(), "capuchin=info,warn");
        assert!(problem.is_some());
    }
}
