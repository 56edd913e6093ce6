//! What the editor has on its screen: one rope per open document, kept equal to the editor's text edit by edit.
//!
//! Positions come in three encodings, lines end as the LSP says (`\n`, `\r\n`, lone `\r`), and every change leaves
//! this room as [`TextEdit`]s in bytes. This room knows nothing of files, JSON or JavaScript.

mod diff;
mod document;
mod lines;

pub use document::Document;

/// What `character` in a [`Position`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PositionEncoding {
    Utf8,
    Utf16,
    Utf32,
}

/// A place between two characters, counted from 0. A line that holds fewer characters means its end, before the line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: u32,
    pub character: u32,
}

impl Position {
    pub const fn new(line: u32, character: u32) -> Self {
        Position { line, character }
    }
}

/// One change as the editor says it: a range and what stands there now; no range means that `text` is the whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentChange {
    pub range: Option<(Position, Position)>,
    pub text: String,
}

impl ContentChange {
    /// Stands for a change that arrived but could not be read. It lies outside every text, so the document loses sync
    /// and says so, instead of staying silently behind the editor.
    pub fn unreadable() -> Self {
        let nowhere = Position::new(u32::MAX, u32::MAX);
        ContentChange { range: Some((nowhere, nowhere)), text: String::new() }
    }
}

/// One change in bytes: `start..old_end` of the text before it became `new_text`.
///
/// The points are (row, column in bytes) as tree-sitter counts them: a row ends at `\n` and nowhere else, whatever
/// the LSP thinks of a lone `\r`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    pub start: usize,
    pub old_end: usize,
    pub new_text: String,
    pub start_point: (usize, usize),
    pub old_end_point: (usize, usize),
    pub new_end_point: (usize, usize),
}

impl TextEdit {
    /// Where `new_text` ends in the text after the change.
    pub fn new_end(&self) -> usize {
        self.start + self.new_text.len()
    }
}

/// Our text is no longer the editor's. The document keeps its last known text and refuses ranges until it hears its
/// whole text again: by a change without a range, or by being reopened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LostSync {
    #[error("the edit at line {line} is outside the document, which has {lines} lines")]
    OutsideText { line: u32, lines: usize },
    #[error("the edit ends before it starts")]
    Reversed,
    #[error("version {received} arrived after version {current}")]
    VersionWentBack { current: i32, received: i32 },
    #[error("an earlier edit was lost")]
    Earlier,
}

#[cfg(test)]
mod tests;
