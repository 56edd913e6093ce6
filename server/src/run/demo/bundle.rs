//! What the demo brings along in the binary: the examples and the editor's page.

use std::{fs, io};

use tempfile::TempDir;

/// Name below `examples/` and content.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/example_files.rs"));

/// Name below `demo/editor/dist/` and content; empty if the editor was not built before the binary.
const EDITOR: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/editor_files.rs"));

/// The edits that an example's `TRY.md` proposes, as far as a terminal shows them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) title: String,
    pub(super) intro: String,
    /// What is done, and in which file.
    pub(super) edits: Vec<(String, String)>,
}

/// The editor is built by npm, which cargo does not do by itself.
pub(super) fn check() -> anyhow::Result<()> {
    anyhow::ensure!(
        editor_file("index.html").is_some(),
        "this program was built without the demo's editor: run `cargo xtask demo` in the repository, which builds both"
    );
    Ok(())
}

pub(super) fn editor_file(name: &str) -> Option<&'static [u8]> {
    EDITOR.iter().find(|(it, _)| *it == name).map(|(_, content)| *content)
}

/// The paths of an example's files, with "/", its own folder first.
pub(super) fn files_of(example: &str) -> Vec<&'static str> {
    let is_of = |path: &str| path.strip_prefix(example).is_some_and(|rest| rest.starts_with('/'));
    FILES.iter().map(|(path, _)| *path).filter(|path| is_of(path)).collect()
}

pub(super) fn has_file(path: &str) -> bool {
    FILES.iter().any(|(it, _)| *it == path)
}

pub(super) fn tries(example: &str) -> Option<Tries> {
    let path = format!("{example}/TRY.md");
    let (_, content) = FILES.iter().find(|(it, _)| *it == path)?;
    Some(read_tries(str::from_utf8(content).ok()?))
}

/// Writes the examples into a new folder that goes with the value.
pub(super) fn unpack() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("capuchin-demo-").tempdir()?;
    for (path, content) in FILES {
        let file = folder.path().join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, content)?;
    }
    Ok(folder)
}

fn read_tries(markdown: &str) -> Tries {
    let (head, sections) = markdown.split_once("\n## ").unwrap_or((markdown, ""));
    let (title, intro) = head.trim().split_once('\n').unwrap_or((head, ""));
    let edit = |section: &str| {
        let (title, rest) = section.split_once('\n')?;
        let file = rest.split('`').nth(1)?;
        Some((title.trim().to_owned(), file.to_owned()))
    };
    Tries {
        title: title.trim_start_matches('#').trim().to_owned(),
        intro: intro.split_whitespace().collect::<Vec<_>>().join(" "),
        edits: sections.split("\n## ").filter_map(edit).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::EXAMPLES;
    use super::*;

    #[test]
    fn each_example_is_in_the_binary() {
        for example in EXAMPLES {
            for file in ["index.html", "main.js", "TRY.md"] {
                assert!(files_of(example).contains(&format!("{example}/{file}").as_str()), "{example}/{file}");
            }
            let tries = tries(example).unwrap();
            assert!(!tries.title.is_empty() && !tries.intro.is_empty());
            assert_eq!(tries.edits.len(), 3, "{example}");
            for (_, file) in tries.edits {
                assert!(has_file(&format!("{example}/{file}")), "{example}/{file}");
            }
        }
    }

    #[test]
    fn an_example_is_not_its_namesake() {
        assert_eq!(files_of("gam"), [""; 0]);
        assert_eq!(files_of(""), [""; 0]);
    }

    #[test]
    fn the_examples_are_written_and_removed() {
        let folder = unpack().unwrap();
        let path = folder.path().to_owned();
        for (name, content) in FILES {
            assert_eq!(fs::read(path.join(name)).unwrap(), *content);
        }
        folder.close().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_list_of_edits_is_read() {
        let tries =
            read_tries("# A title\n\nSome words\non two lines.\n\n## Slower\n\nIn `a.js`:\n\n```js\n`x`\n```\n");
        assert_eq!((tries.title.as_str(), tries.intro.as_str()), ("A title", "Some words on two lines."));
        assert_eq!(tries.edits, [("Slower".to_owned(), "a.js".to_owned())]);
        assert_eq!(read_tries(""), Tries::default());
    }
}
