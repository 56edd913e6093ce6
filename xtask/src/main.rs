//! What a developer of Capuchin runs: `cargo xtask test`, `demo`, `bench`, `lint`, `package`, `setup`. Plain processes and no
//! dependencies, so that it builds in a second on a fresh clone.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program; nobody reads its stdout as a protocol"
)]

mod demo;
mod setup;
mod shell;
mod steps;
mod tasks;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask TASK

  demo [EXAMPLE] [FLAGS]      Build all that the demo needs and run `capuchin demo`
  test [--only NAME]...       Everything that CI checks; all steps run, also after one failed
  test --list                 The names of the steps
  lint                        Formatting, clippy, types and ESLint
  bench [NAME]                Release build, criterion benchmarks, and the measurements in a browser
  mutate-runtime [WORD]...    Breaks each rule of the page's runtime once; its tests have to notice
  package [--out FILE]        The VS Code extension with the server inside
  setup                       Install what the tests need: npm packages, Chromium, Neovim, VS Code for the web

Environment:
  CAPUCHIN_CHROMIUM, CAPUCHIN_NVIM    A browser and an editor to use instead of looking for one

Exit codes: 0 all well, 1 something failed, 2 wrong usage";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["demo", rest @ ..] => match demo::read(rest) {
            demo::Asked::Run(args) => demo::run(&args),
            demo::Asked::Help => {
                println!("{}", demo::HELP);
                Ok(())
            }
            demo::Asked::Nonsense(sentence) => {
                eprintln!("xtask: {sentence}\n\n{}", demo::HELP);
                return ExitCode::from(2);
            }
        },
        ["test", "--list"] => {
            println!("{}", tasks::names(&tasks::test_steps()).join("\n"));
            Ok(())
        }
        ["test", rest @ ..] => match only(rest) {
            Some(names) => tasks::test(&names),
            None => return usage(),
        },
        ["lint"] => tasks::lint(),
        ["bench"] => tasks::bench(""),
        ["bench", name] if !name.starts_with('-') => tasks::bench(name),
        ["mutate-runtime", words @ ..] => tasks::mutate_runtime(words),
        ["package", rest @ ..] => tasks::package(rest),
        ["setup"] => setup::all(),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// The names of `--only NAME --only NAME`.
fn only<'a>(args: &[&'a str]) -> Option<Vec<&'a str>> {
    args.chunks(2)
        .map(|pair| match pair {
            ["--only", name] => Some(*name),
            _ => None,
        })
        .collect()
}

fn usage() -> ExitCode {
    eprintln!("{HELP}");
    ExitCode::from(2)
}
