//! `cargo xtask demo`: builds what the demo needs, then becomes the demo. What cannot work is said before anything is built.

use std::process::Command;

use crate::setup::{self, DEMO_EDITOR};
use crate::shell::{self, Outcome, binary, cargo, command, entries, file_name, repository};
use crate::tasks::script;

pub(crate) const HELP: &str = "\
Usage: cargo xtask demo [EXAMPLE] [--port N] [--no-open]

Builds all that the demo needs and opens one browser tab: an editor on the left, a running program on the right. No file of
yours is written. Ctrl+C ends it.

  EXAMPLE      game (the usual one), todo or clock
  --port N     The port, or the next one that is free, 0 to 65535; 0 for any [default: 4177]
  --no-open    Only print the address

`capuchin --help` lists more flags, which go here too.";

/// What somebody wants of `cargo xtask demo`.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked<'a> {
    Run(Vec<&'a str>),
    Help,
    /// One sentence.
    Nonsense(String),
}

/// Looks at the arguments as far as that is needed to refuse what cannot work; the demo itself has the last word.
pub(crate) fn read<'a>(args: &[&'a str]) -> Asked<'a> {
    // `cargo xtask demo -- --no-open` is the habit of `cargo run`.
    let args = args.strip_prefix(&["--"]).unwrap_or(args);
    if args.iter().any(|it| matches!(*it, "--help" | "-h")) {
        return Asked::Help;
    }
    let mut rest = args.iter();
    let mut example = None;
    while let Some(arg) = rest.next() {
        let (flag, value) = arg.split_once('=').map_or((*arg, None), |(flag, value)| (flag, Some(value)));
        match flag {
            "--port" => match value.or_else(|| rest.next().copied()) {
                Some(port) if port.parse::<u16>().is_ok() => {}
                Some(port) => {
                    return Asked::Nonsense(format!("'{port}' is no port: a port is a number from 0 to 65535"));
                }
                None => return Asked::Nonsense("--port needs a number from 0 to 65535".to_owned()),
            },
            "--log-level" | "--log-file" if value.is_none() => {
                rest.next();
            }
            _ if arg.starts_with('-') => {}
            _ if example.replace(*arg).is_some() => {
                return Asked::Nonsense("the demo shows one example at a time".to_owned());
            }
            _ => {}
        }
    }
    let examples = examples();
    match example {
        Some(name) if !examples.iter().any(|it| it == name) => {
            Asked::Nonsense(format!("there is no example '{name}'; the examples are {}", examples.join(", ")))
        }
        _ => Asked::Run(args.to_vec()),
    }
}

/// Builds, and runs the demo until it ends.
pub(crate) fn run(args: &[&str]) -> Outcome {
    setup::npm_packages(&DEMO_EDITOR)?;
    script(&DEMO_EDITOR, "build")?;
    println!("Building Capuchin: the first time this takes a few minutes");
    shell::run(cargo("build", &["--package", "capuchin"]))?;
    let demo = ["demo"].iter().chain(args);
    become_it(command(&binary("debug").to_string_lossy(), demo, ""))
}

/// Gives the process to the program, so that whoever ends this task ends the demo, and its folder goes.
#[cfg(unix)]
fn become_it(mut program: Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(format!("the demo could not be started: {}", program.exec()))
}

#[cfg(not(unix))]
fn become_it(program: Command) -> Outcome {
    shell::run(program)
}

/// The folders of `examples/`.
fn examples() -> Vec<String> {
    let folders = entries(&repository().join("examples")).into_iter().filter(|it| it.is_dir());
    folders.map(|it| file_name(&it).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(args: &[&str], sentence: &str) {
        assert_eq!(read(args), Asked::Nonsense(sentence.to_owned()), "{args:?}");
    }

    #[test]
    fn what_can_work_is_passed_on() {
        for args in [
            &[][..],
            &["todo"],
            &["--no-open", "clock"],
            &["game", "--port", "0"],
            &["--port=65535"],
            &["--log-level", "debug", "todo"],
            &["--log-file=x.log"],
        ] {
            assert_eq!(read(args), Asked::Run(args.to_vec()));
        }
        assert_eq!(read(&["--", "todo", "--no-open"]), Asked::Run(vec!["todo", "--no-open"]));
    }

    #[test]
    fn help_is_asked_in_any_place() {
        for args in [&["--help"][..], &["-h"], &["todo", "--help"], &["--", "--help"], &["nonsense", "-h"]] {
            assert_eq!(read(args), Asked::Help);
        }
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_is_built() {
        refused(&["nonsense"], "there is no example 'nonsense'; the examples are clock, game, todo");
        refused(&["game", "todo"], "the demo shows one example at a time");
        refused(&["--port", "abc"], "'abc' is no port: a port is a number from 0 to 65535");
        refused(&["--port=65536"], "'65536' is no port: a port is a number from 0 to 65535");
        refused(&["todo", "--port"], "--port needs a number from 0 to 65535");
    }
}
