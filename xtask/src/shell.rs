//! Running programs and finding things on disk.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What went wrong, in one sentence.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The repository's folder.
pub(crate) fn repository() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask is a folder of the repository").to_owned()
}

/// A program with its arguments, to run in a folder of the repository.
pub(crate) fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>, folder: &str) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(repository().join(folder));
    command
}

/// Cargo with a subcommand and the rest of its line. A lock file that does not fit is repaired for a developer; in CI it is an
/// error.
pub(crate) fn cargo(subcommand: &str, rest: &[&str]) -> Command {
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let locked: &[&str] = if is_set("CI") && subcommand != "fmt" { &["--locked"] } else { &[] };
    command(&program, [&[subcommand], locked, rest].concat(), "")
}

/// npm is a script on Windows, which has to be named in full to be found.
pub(crate) fn npm(args: &[&str], folder: &str) -> Command {
    command(if cfg!(windows) { "npm.cmd" } else { "npm" }, args, folder)
}

/// Says what is run, and runs it to its end.
pub(crate) fn run(mut command: Command) -> Outcome {
    let shown = shown(&command);
    println!("$ {shown}");
    let status = command.status().map_err(|error| format!("'{shown}' could not be started: {error}"))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(format!("'{shown}' ended with exit code {code}")),
        None => Err(format!("'{shown}' was killed")),
    }
}

/// Whether the program can be started and ends well.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let status =
        Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// What the program prints.
pub(crate) fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of the programs that is in the `PATH`.
pub(crate) fn in_path(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let suffix = if cfg!(windows) { ".exe" } else { "" };
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(format!("{name}{suffix}"))))
        .find(|path| path.is_file())
}

/// The `capuchin` that Cargo built.
pub(crate) fn binary(profile: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    target.join(profile).join(format!("capuchin{}", env::consts::EXE_SUFFIX))
}

pub(crate) fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// The files of a folder with one of the endings, in order; not those of folders in it.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = entries(folder);
    files.retain(|path| path.is_file() && endings.iter().any(|ending| file_name(path).ends_with(ending)));
    files
}

/// What a folder holds, in order; nothing if there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries
}

pub(crate) fn file_name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn shown(command: &Command) -> String {
    let program = file_name(Path::new(command.get_program())).to_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    let folder = command.get_current_dir().and_then(|folder| folder.strip_prefix(repository()).ok());
    let line = [program].into_iter().chain(args).collect::<Vec<_>>().join(" ");
    match folder {
        Some(folder) if !folder.as_os_str().is_empty() => {
            format!("{line} (in {})", folder.display())
        }
        _ => line,
    }
}
