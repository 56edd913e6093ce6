//! Lists the page's runtime (`../runtime`), so that the binary holds it and a new file there needs no other change.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let runtime = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../runtime");
    let mut files = Vec::new();
    collect(&runtime, "", &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for (name, path) in files {
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("a string takes all");
    }
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("runtime_files.rs");
    fs::write(out, list)
}

/// Only `*.js`: the folder has the type checker's packages and the tests, too.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    // Named even when it is missing: cargo then looks again.
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_ours = !matches!(name.as_str(), "test" | "tests" | "node_modules") && !name.starts_with('.');
        if entry.file_type()?.is_dir() {
            if is_ours {
                collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
            }
        } else if is_ours && name.ends_with(".js") && !name.ends_with(".test.js") && !name.ends_with(".config.js") {
            files.push((format!("{prefix}{name}"), entry.path().canonicalize()?));
        }
    }
    Ok(())
}
