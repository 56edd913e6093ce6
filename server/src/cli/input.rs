//! Files that are named on the command line.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Result, anyhow};
use capuchin::run::SourceFile;

/// Reads a source file; what is wrong with it is one sentence.
pub(crate) fn read_source(path: &Path) -> Result<SourceFile> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("the file '{shown}' does not exist"),
        ErrorKind::IsADirectory => anyhow!("'{shown}' is a folder, not a file"),
        // Windows says so for folders too.
        ErrorKind::PermissionDenied if path.is_dir() => {
            anyhow!("'{shown}' is a folder, not a file")
        }
        _ => anyhow!("the file '{shown}' cannot be read: {error}"),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        anyhow!("the file '{shown}' is not UTF-8 text (at byte {})", error.utf8_error().valid_up_to())
    })?;
    Ok(SourceFile { path: path.to_owned(), text })
}
