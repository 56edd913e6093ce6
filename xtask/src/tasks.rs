//! The tasks, as lists of steps or as one command after another.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup::{self, DEMO_EDITOR, EXTENSION, PARTS, Part, RUNTIME, TESTS};
use crate::shell::{Outcome, binary, cargo, command, entries, file_name, files, npm, repository, run};
use crate::steps::{Step, run_all};

pub(crate) fn test(only: &[&str]) -> Outcome {
    let mut steps = test_steps();
    let names = names(&steps);
    if let Some(unknown) = only.iter().find(|name| !names.iter().any(|it| it == *name)) {
        return Err(format!("there is no step '{unknown}'; the steps are {}", names.join(", ")));
    }
    if !only.is_empty() {
        steps.retain(|step| only.contains(&step.name.as_str()));
    }
    run_all(&steps)
}

pub(crate) fn lint() -> Outcome {
    let mut steps = vec![Step::new("packages", || PARTS.iter().try_for_each(|part| setup::npm_packages(part)))];
    steps.extend(lint_steps());
    run_all(&steps)
}

/// Everything that CI checks. The editor's bundle comes before Cargo, because the binary holds it.
pub(crate) fn test_steps() -> Vec<Step> {
    let mut steps = vec![Step::new("setup", setup::all), Step::new("bundle", || script(&DEMO_EDITOR, "build"))];
    steps.extend(lint_steps());
    // With the tests comes the program that the suites below run. Built alone it would be compiled once more: tests bring
    // features of their own to what it depends on.
    steps.push(Step::new("build", || run(cargo("test", &["--workspace", "--no-run"]))));
    steps.push(Step::new("rust", || run(cargo("test", &["--workspace"]))));
    for part in [&RUNTIME, &DEMO_EDITOR] {
        steps.push(Step::new(part.name, || script(part, "test")));
    }
    let suites = suites(&repository().join("tests"));
    if suites.is_empty() {
        steps.push(Step::new("end-to-end", || Err("tests/ holds no *.test.js".to_owned())));
    }
    for suite in suites {
        steps.push(Step::new(format!("tests/{}", suite.name), move || run_suite(&suite)));
    }
    steps
}

pub(crate) fn names(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| step.name.clone()).collect()
}

/// Criterion's benchmarks and the measurements in a browser whose names contain `filter`.
pub(crate) fn bench(filter: &str) -> Outcome {
    let root = repository();
    let in_rust = files(&root.join("server/benches"), &[".rs"]);
    let in_browser = files(&root.join("tests/bench"), &[".mjs"]);
    let wanted = |path: &PathBuf| file_name(path).contains(filter);
    if !in_rust.iter().chain(&in_browser).any(wanted) {
        let which = if filter.is_empty() { String::new() } else { format!(" '{filter}'") };
        return Err(format!("there is no benchmark{which} in server/benches or tests/bench"));
    }
    setup::npm_packages(&DEMO_EDITOR)?;
    script(&DEMO_EDITOR, "build")?;
    run(cargo("build", &["--release", "--package", "capuchin"]))?;
    for bench in in_rust.iter().filter(|it| wanted(it)) {
        // By name: the unit tests' own harness does not understand criterion's flags.
        let name = file_name(bench).trim_end_matches(".rs");
        run(cargo("bench", &["--package", "capuchin", "--bench", name]))?;
    }
    if in_browser.iter().any(wanted) {
        setup::npm_packages(&TESTS)?;
    }
    for bench in in_browser.iter().filter(|it| wanted(it)) {
        run(with_programs(command("node", [bench], "tests"), "release")?)?;
    }
    Ok(())
}

/// Writes `docs/rules.md`, unless it is asked for some rules only.
pub(crate) fn mutate_runtime(words: &[&str]) -> Outcome {
    run(cargo("build", &["--package", "capuchin"]))?;
    let args = ["tools/mutate.mjs"].iter().chain(words);
    run(command("node", args, RUNTIME.folder))
}

/// The VSIX; further arguments go to the extension's own script.
pub(crate) fn package(args: &[&str]) -> Outcome {
    setup::npm_packages(&DEMO_EDITOR)?;
    script(&DEMO_EDITOR, "build")?;
    setup::npm_packages(&EXTENSION)?;
    run(cargo("build", &["--release", "--package", "capuchin"]))?;
    let mut package = npm(&["run", "--silent", "package", "--"], EXTENSION.folder);
    package.args(args).env("CAPUCHIN_BIN", binary("release"));
    run(package)
}

fn lint_steps() -> Vec<Step> {
    let mut steps = vec![
        Step::new("fmt", || run(cargo("fmt", &["--all", "--check"]))),
        Step::new("clippy", || run(cargo("clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ];
    for part in PARTS {
        steps.push(Step::new(format!("check-{}", part.name), || script(part, "check")));
    }
    steps
}

/// Runs a script of a part's `package.json`.
pub(crate) fn script(part: &Part, name: &str) -> Outcome {
    if !repository().join(part.folder).join("package.json").is_file() {
        return Err(format!("{}/package.json is missing", part.folder));
    }
    run(npm(&["run", "--silent", name], part.folder))
}

/// The test files of one folder below `tests/`.
#[derive(Debug, PartialEq)]
struct Suite {
    name: String,
    files: Vec<PathBuf>,
}

/// Every folder of `tests/` that holds tests is a suite; those directly in it are one too.
fn suites(tests: &Path) -> Vec<Suite> {
    let test_files = |folder: &Path| files(folder, &[".test.js", ".test.mjs"]);
    let mut suites = vec![Suite { name: "others".to_owned(), files: test_files(tests) }];
    for folder in entries(tests) {
        if folder.is_dir() && file_name(&folder) != "node_modules" {
            suites.push(Suite { name: file_name(&folder).to_owned(), files: test_files(&folder) });
        }
    }
    suites.retain(|suite| !suite.files.is_empty());
    suites
}

fn run_suite(suite: &Suite) -> Outcome {
    let failures = binary("debug").with_file_name("failures.txt");
    // Those of the suite before, which may not be there.
    let _ = fs::remove_file(&failures);
    // Files that start browsers have the machine to themselves; of the laws only one does.
    let concurrency = if suite.name == "laws" { "--test-concurrency=2" } else { "--test-concurrency=1" };
    let mut args: Vec<OsString> = ["--test", concurrency].map(OsString::from).into();
    let reporters =
        ["--test-reporter=spec", "--test-reporter-destination=stdout", "--test-reporter=./support/failures.js"];
    args.extend(reporters.map(OsString::from));
    args.push([OsStr::new("--test-reporter-destination="), failures.as_os_str()].join(OsStr::new("")));
    args.extend(suite.files.iter().map(|file| {
        let relative = file.strip_prefix(repository().join("tests")).unwrap_or(file);
        relative.as_os_str().to_owned()
    }));
    let outcome = run(with_programs(command("node", args, "tests"), "debug")?);
    outcome.map_err(|sentence| {
        let failures = fs::read_to_string(&failures).unwrap_or_default();
        failures.lines().fold(sentence, |all, line| format!("{all}\n    {line}"))
    })
}

/// Tells the tests which programs to use, so that they need not look for them again.
fn with_programs(mut command: Command, profile: &str) -> Outcome<Command> {
    command.env("CAPUCHIN_BIN", binary(profile));
    command.env("CAPUCHIN_CHROMIUM", setup::chromium()?);
    command.env("CAPUCHIN_NVIM", setup::neovim()?);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_with_tests_is_a_suite() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "cli.test.js",
            "browser/b.test.mjs",
            "browser/a.test.js",
            "browser/helper.js",
            "support/x.js",
            "node_modules/x.test.js",
        ] {
            fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            fs::write(folder.path().join(file), "").unwrap();
        }
        let suites = suites(folder.path());
        let shown: Vec<(&str, Vec<&str>)> = suites
            .iter()
            .map(|suite| (suite.name.as_str(), suite.files.iter().map(|file| file_name(file)).collect()))
            .collect();
        assert_eq!(shown, [("others", vec!["cli.test.js"]), ("browser", vec!["a.test.js", "b.test.mjs"])]);
    }

    #[test]
    fn steps_have_names_of_their_own() {
        let mut names = names(&test_steps());
        let n_steps = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n_steps, "{names:?}");
    }

    #[test]
    fn an_unknown_step_is_an_error() {
        let sentence = test(&["nonsense"]).unwrap_err();
        assert!(sentence.starts_with("there is no step 'nonsense'; the steps are setup, bundle, fmt"), "{sentence}");
    }
}
