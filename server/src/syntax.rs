//! The tree of the buffer as it is, broken or not: tree-sitter, edited and re-parsed incrementally.
//!
//! It answers one question that a strict parser can't: where is the text broken, and is that place near this edit? Editing
//! is cheap and happens with every keystroke; parsing waits until somebody asks.

use ropey::Rope;
use tree_sitter::{InputEdit, Node, Parser, Point};

use crate::text::TextEdit;

/// A syntax tree that follows a buffer.
pub(crate) struct Tree {
    parser: Parser,
    tree: Option<tree_sitter::Tree>,
    is_stale: bool,
}

/// A place where the text does not parse. Bytes of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) message: String,
}

impl Default for Tree {
    fn default() -> Tree {
        let mut parser = Parser::new();
        let loaded = parser.set_language(&tree_sitter_javascript::LANGUAGE.into());
        debug_assert!(loaded.is_ok(), "the grammar and the library are built for each other");
        Tree { parser, tree: None, is_stale: true }
    }
}

impl Tree {
    /// Tells the tree of an edit that the buffer has taken.
    pub(crate) fn edit(&mut self, edit: &TextEdit) {
        self.is_stale = true;
        if let Some(tree) = &mut self.tree {
            let point = |(row, column): (usize, usize)| Point { row, column };
            tree.edit(&InputEdit {
                start_byte: edit.start,
                old_end_byte: edit.old_end,
                new_end_byte: edit.new_end(),
                start_position: point(edit.start_point),
                old_end_position: point(edit.old_end_point),
                new_end_position: point(edit.new_end_point),
            });
        }
    }

    /// The tree of `text`, which has taken all the edits told.
    pub(crate) fn parsed(&mut self, text: &Rope) -> Option<&tree_sitter::Tree> {
        if self.is_stale {
            let mut read = |byte: usize, _: Point| -> &[u8] {
                if byte >= text.len_bytes() {
                    return &[];
                }
                let (chunk, chunk_start, _, _) = text.chunk_at_byte(byte);
                &chunk.as_bytes()[byte - chunk_start..]
            };
            self.tree = self.parser.parse_with_options(&mut read, self.tree.as_ref(), None);
            self.is_stale = false;
        }
        self.tree.as_ref()
    }

    /// The first broken place in the top-level statements that `start..end` touches, if there is one.
    pub(crate) fn broken_near(&mut self, text: &Rope, start: usize, end: usize) -> Option<Broken> {
        let tree = self.parsed(text)?;
        let root = tree.root_node();
        if !root.has_error() {
            return None;
        }
        let mut cursor = root.walk();
        // What follows the edit belongs to it too: an unclosed bracket is often found behind it.
        root.children(&mut cursor)
            .filter(|it| it.has_error() && it.end_byte() >= start)
            .find_map(first_error)
            .filter(|_| start <= text.len_bytes() && end <= text.len_bytes())
    }
}

fn first_error(node: Node<'_>) -> Option<Broken> {
    if node.is_missing() {
        let message = format!("`{}` is missing here", node.kind());
        return Some(Broken { start: node.start_byte(), end: node.end_byte(), message });
    }
    if node.is_error() {
        return Some(Broken { start: node.start_byte(), end: node.end_byte(), message: "unfinished code".to_owned() });
    }
    if !node.has_error() {
        return None;
    }
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
    children.into_iter().find_map(first_error)
}
