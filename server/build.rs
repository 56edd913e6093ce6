//! Lists what the binary holds, so that a new file needs no other change: the page's runtime (`../runtime`), and for
//! `capuchin demo` the examples (`../examples`) and the built editor (`../demo/editor/dist`).

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let repository = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    list("runtime_files.rs", "include_str", &repository.join("runtime"), is_runtime)?;
    list("example_files.rs", "include_bytes", &repository.join("examples"), |_| true)?;
    // Built by `npm run build`; without it the demo says how to get it. An empty folder, which git ignores, since a missing
    // one would make cargo build anew each time. Where none can be made, that is all that is lost.
    let editor = repository.join("demo/editor/dist");
    let _ = fs::create_dir(&editor);
    list("editor_files.rs", "include_bytes", &editor, |_| true)
}

/// The folder has the type checker's packages and the tests, too.
fn is_runtime(name: &str) -> bool {
    let is_folder = !name.contains('.');
    let is_script = name.ends_with(".js") && !name.ends_with(".test.js") && !name.ends_with(".config.js");
    !matches!(name, "test" | "tests" | "node_modules") && (is_folder || is_script)
}

/// Writes a list of names below `folder` and contents.
fn list(output: &str, include: &str, folder: &Path, is_wanted: fn(&str) -> bool) -> io::Result<()> {
    let mut files = Vec::new();
    collect(folder, "", is_wanted, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for (name, path) in files {
        writeln!(list, "    ({name:?}, {include}!({:?})),", path.display().to_string()).expect("a string takes all");
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join(output), list)
}

/// `is_wanted` is asked for the names of files and folders.
fn collect(
    folder: &Path,
    prefix: &str,
    is_wanted: fn(&str) -> bool,
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    // Named even when it is missing: cargo then looks again.
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') || !is_wanted(&name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), is_wanted, files)?;
        } else {
            files.push((format!("{prefix}{name}"), entry.path().canonicalize()?));
        }
    }
    Ok(())
}
