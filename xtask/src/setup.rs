//! Installs what building and testing need, and says what and why. What is there already is left alone.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::shell::{Outcome, command, in_path, is_set, npm, output, repository, run, succeeds};

/// A folder with a `package.json` of its own.
pub(crate) struct Part {
    pub(crate) folder: &'static str,
    pub(crate) name: &'static str,
    needs: &'static str,
}

pub(crate) const RUNTIME: Part =
    Part { folder: "runtime", name: "runtime", needs: "the types that check the page's side" };
pub(crate) const DEMO_EDITOR: Part =
    Part { folder: "demo/editor", name: "demo-editor", needs: "CodeMirror and the bundler of the demo's editor" };
pub(crate) const EXTENSION: Part =
    Part { folder: "vscode-extension", name: "extension", needs: "the bundler and packager of the VS Code extension" };
pub(crate) const TESTS: Part = Part { folder: "tests", name: "tests", needs: "what drives the browser in the tests" };

/// Only installed, never checked: nothing in it is ours.
const REAL_PROGRAMS: Part =
    Part { folder: "tests/real", name: "real-programs", needs: "the programs of others that the tests edit" };

pub(crate) const PARTS: [&Part; 4] = [&RUNTIME, &DEMO_EDITOR, &EXTENSION, &TESTS];

/// Everything. One thing that cannot be installed does not keep the others from it.
pub(crate) fn all() -> Outcome {
    let mut problems: Vec<String> =
        PARTS.iter().chain(&[&REAL_PROGRAMS]).filter_map(|part| npm_packages(part).err()).collect();
    problems.extend(chromium().err());
    problems.extend(neovim().err());
    problems.extend(code_server().err());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// Installs a part's npm packages as its lock file has them, unless that was done since the lock file changed.
pub(crate) fn npm_packages(part: &Part) -> Outcome {
    let folder = repository().join(part.folder);
    if !folder.join("package-lock.json").is_file() {
        return Err(format!("{}/package-lock.json is missing", part.folder));
    }
    if are_installed(&folder) {
        println!("npm packages of {}: as the lock file has them", part.folder);
        return Ok(());
    }
    if !succeeds("node", &["--version"]) {
        return Err(
            "Node.js 20 or newer is missing: install it from your system's packages or from nodejs.org".to_owned()
        );
    }
    println!("Installing the npm packages of {}: {}", part.folder, part.needs);
    run(npm(&["ci", "--no-audit", "--no-fund"], part.folder))
}

/// The browser of the tests.
pub(crate) fn chromium() -> Outcome<PathBuf> {
    const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    const PLACES: [&str; 4] = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    ];
    let find = || in_path(&NAMES).or_else(|| PLACES.iter().map(PathBuf::from).find(|path| path.is_file()));
    program("Chromium", "CAPUCHIN_CHROMIUM", "chromium", "the tests run programs in a real browser", find)
}

/// One of the editors of the tests.
pub(crate) fn neovim() -> Outcome<PathBuf> {
    program("Neovim", "CAPUCHIN_NVIM", "neovim", "the tests type into a real editor", || in_path(&["nvim"]))
}

/// VS Code for the tests; its own script knows what is there already.
fn code_server() -> Outcome {
    println!("VS Code for the web: the tests type into a real editor");
    let script = "editors/setup-code-server.mjs";
    if !repository().join("tests").join(script).is_file() {
        return Err(format!("tests/{script} is missing"));
    }
    run(command("node", [script], "tests"))
}

fn program(
    name: &str,
    variable: &str,
    package: &str,
    reason: &str,
    find: impl Fn() -> Option<PathBuf>,
) -> Outcome<PathBuf> {
    if is_set(variable) {
        let path = PathBuf::from(env::var_os(variable).unwrap_or_default());
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("{variable} names '{}', which is not a file", path.display()))
        };
    }
    if let Some(path) = find() {
        println!("{name}: {}", path.display());
        return Ok(path);
    }
    if !may_use_apt() {
        let by_hand = format!("install it from your system's packages, or set {variable} to where it is");
        return Err(format!("{name} is missing ({reason}): {by_hand}"));
    }
    println!("Installing {name} by apt: {reason}");
    apt_install(package)?;
    find().ok_or_else(|| format!("{name} was installed, but is not in the PATH"))
}

fn apt_install(package: &str) -> Outcome {
    // Once for all packages: an update deletes what a later install would have found downloaded.
    static UPDATED: OnceLock<Outcome> = OnceLock::new();
    UPDATED.get_or_init(|| run(command("apt-get", ["update", "-o", "DPkg::Lock::Timeout=600"], ""))).clone()?;
    let args = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600", package];
    let mut install = command("apt-get", args, "");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install)
}

/// Debian's own packages, installed by root. Ubuntu's `chromium` is a snap, which a test cannot drive.
fn may_use_apt() -> bool {
    let is_debian = std::fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=debian" || line == "ID=\"debian\""));
    is_debian && output("id", &["-u"]).as_deref() == Some("0")
}

/// npm writes this file last, so a set-up that was interrupted does not count.
fn are_installed(folder: &Path) -> bool {
    let changed = |file: &str| folder.join(file).metadata().and_then(|it| it.modified()).ok();
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Some(wanted), Some(installed)) => installed >= wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn packages_are_installed_when_npm_finished_after_the_lock_file_changed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let now = SystemTime::now();
        let write = |file: &str, seconds_ago: u64| {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            let file = File::create(folder.join(file)).unwrap();
            file.set_modified(now - Duration::from_secs(seconds_ago)).unwrap();
        };
        write("package-lock.json", 20);
        fs::create_dir(folder.join("node_modules")).unwrap();
        assert!(!are_installed(folder), "interrupted");
        write("node_modules/.package-lock.json", 30);
        assert!(!are_installed(folder), "older");
        write("node_modules/.package-lock.json", 10);
        assert!(are_installed(folder));
    }
}
