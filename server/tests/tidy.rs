//! House rules that a compiler does not check. Each failure lists the places and says what to do.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms that know text and trees only, and what they must not know.
const PURE_ROOMS: [&str; 5] = ["text", "syntax", "sites", "patch", "compile"];
const SHELLS: [&str; 6] = ["lsp", "wire", "dev_server", "engine", "pages", "run"];
const SHELL_CRATES: [&str; 3] = ["tower_lsp", "axum", "tokio"];

/// Folders that hold what was built or installed.
const NOT_OURS: [&str; 4] = [".git", "target", "node_modules", "dist"];

#[test]
fn every_rust_module_says_what_it_is_for() {
    let modules = files(&repository()).into_iter().filter(|path| has_extension(path, "rs"));
    let undocumented = modules.filter(|path| !text(path).unwrap_or_default().starts_with("//!"));
    check("begin these files with '//!' and what they are for, and must not know", undocumented.map(shown));
}

#[test]
fn pure_rooms_do_not_know_the_shells() {
    let sources = repository().join("server/src");
    let mut offences = Vec::new();
    for room in PURE_ROOMS {
        let mut modules = files(&sources.join(room));
        modules.push(sources.join(room).with_extension("rs"));
        for path in modules {
            let names = names_used(&text(&path).unwrap_or_default());
            offences.extend(names.iter().map(|name| format!("{} uses {name}", shown(path.clone()))));
        }
    }
    check("text goes in and values come out of these rooms; move what needs a shell into it", offences);
}

#[test]
fn the_changelog_has_a_place_for_what_changed() {
    let changelog = text(&repository().join("CHANGELOG.md")).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let has_heading = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .any(|heading| heading.split_whitespace().any(|word| word == "Unreleased" || word == version));
    assert!(has_heading, "CHANGELOG.md has neither '## Unreleased' nor '## {version}'");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let home = std::env::var("HOME").or_else(|_| std::env::var("USERPROFILE")).unwrap_or_default();
    let folders = [repository().display().to_string(), home];
    // One name alone, such as '/root', also stands for other things.
    let folders: Vec<&String> = folders.iter().filter(|it| it.matches(['/', '\\']).count() >= 2).collect();
    let mut offences = Vec::new();
    for path in files(&repository()) {
        let Some(text) = text(&path) else { continue };
        for (line, n) in text.lines().zip(1..) {
            if folders.iter().any(|folder| mentions(line, folder)) {
                offences.push(format!("{}:{n}: {}", shown(path.clone()), line.trim()));
            }
        }
    }
    check("write paths relative to the repository, or made up", offences);
}

#[test]
fn lock_files_name_no_registry() {
    let lock_files = files(&repository()).into_iter().filter(|path| path.ends_with("package-lock.json"));
    let offences = lock_files.filter(|path| text(path).unwrap_or_default().contains("\"resolved\": \"http"));
    let advice = "write these again with 'omit-lockfile-registry-resolved=true' in the .npmrc beside them";
    check(advice, offences.map(shown));
}

#[test]
fn the_rules_find_what_they_look_for() {
    for (source, expected) in [
        ("use crate::wire::Dep;", &["crate::wire"][..]),
        ("use crate::{text::Document, engine};", &["crate::engine"]),
        ("use crate::{\n    text::{lsp, Document},\n    dev_server::app,\n};", &["crate::dev_server"]),
        ("fn f() -> super::lsp::X {}", &["super::lsp"]),
        ("use axum::Router;", &["axum"]),
        ("// use crate::wire::Dep;\n//! [`crate::engine`]", &[]),
        ("use crate::text::wire; use base64::engine::general; let axum = 1;", &[]),
        ("use crate::wires;", &[]),
    ] {
        assert_eq!(names_used(source), expected, "{source}");
    }
    for (line, expected) in [
        ("open /srv/code/capuchin/x.js", true),
        ("/srv/code/capuchin", true),
        ("/srv/code/capuchin-old", false),
        ("/mnt/srv/code/capuchin", false),
    ] {
        assert_eq!(mentions(line, "/srv/code/capuchin"), expected, "{line}");
    }
}

/// The shells that a pure room's source names, as it names them.
fn names_used(source: &str) -> Vec<String> {
    let without_comments = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = without_comments.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let rest = code[at + start.len()..].trim_start();
            let names = match rest.strip_prefix('{') {
                Some(group) => names_in_group(group),
                None => vec![first_name(rest)],
            };
            found.extend(names.into_iter().filter(|it| SHELLS.contains(it)).map(|it| format!("{start}{it}")));
        }
    }
    let is_used = |name: &str| {
        code.match_indices(&format!("{name}::"))
            .any(|(at, _)| !code[..at].ends_with(|it: char| is_name_part(it) || it == ':'))
    };
    found.extend(SHELL_CRATES.iter().filter(|name| is_used(name)).map(|name| (*name).to_owned()));
    found
}

/// The first names of `a::{b, c}, d}`: `a` and `d`.
fn names_in_group(group: &str) -> Vec<&str> {
    let mut names = vec![first_name(group)];
    let mut depth = 0;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(first_name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

fn first_name(code: &str) -> &str {
    let code = code.trim_start();
    &code[..code.find(|it| !is_name_part(it)).unwrap_or(code.len())]
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a line has the path, and not one that merely contains its characters.
fn mentions(line: &str, path: &str) -> bool {
    let goes_on = |it: char| is_name_part(it) || matches!(it, '-' | '.');
    line.match_indices(path).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + path.len()..]);
        !before.ends_with(goes_on) && !after.starts_with(|it| is_name_part(it) || it == '-')
    })
}

#[track_caller]
fn check(advice: &str, offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(offences.is_empty(), "{advice}:\n  {}", offences.join("\n  "));
}

fn repository() -> PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().expect("the crate is a folder of the repository").to_owned()
}

/// All files below a folder, in order, but those that were built or installed; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        let name = path.file_name().unwrap_or_default();
        if path.is_symlink() || NOT_OURS.iter().any(|it| name == *it) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// `None` for what is not text.
fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|it| it == extension)
}

fn shown(path: PathBuf) -> String {
    path.strip_prefix(repository()).unwrap_or(&path).display().to_string()
}
