//! One open document and how it takes edits. An ordinary edit costs the logarithm of the text, never a copy of it.

use std::borrow::Cow;
use std::ops::Range;

use ropey::{Rope, RopeSlice};

use crate::text::lines::Lines;
use crate::text::{ContentChange, LostSync, Position, PositionEncoding, TextEdit, diff};

/// The text of one open document. Cloning is cheap: the rope's leaves are shared.
#[derive(Debug, Clone)]
pub struct Document {
    /// The editor's number for this text. Numbers may be skipped.
    pub version: i32,
    pub rope: Rope,
    lines: Lines,
    /// Set by [`LostSync`], cleared when the whole text is heard again.
    lost: bool,
}

impl Document {
    pub fn new(version: i32, text: &str) -> Self {
        let rope = Rope::from_str(text);
        let lines = Lines::of(&rope);
        Document { version, rope, lines, lost: false }
    }

    /// Applies the changes one after another and returns them in bytes, each one relative to the text that the one
    /// before left. They are cut down to what really differs, so a whole text in which one word changed is one small
    /// edit, and a change that changes nothing is none.
    ///
    /// Either all changes apply or the text and version stay as they are. Versions may have gaps and may repeat (there are
    /// clients that do not count). A version that goes back is lost sync, unless the whole text comes with it.
    pub fn apply(
        &mut self,
        version: i32,
        changes: &[ContentChange],
        encoding: PositionEncoding,
    ) -> Result<Vec<TextEdit>, LostSync> {
        // A whole text makes what stands before it in the list irrelevant, even if that no longer fits.
        let whole = changes.iter().rposition(|it| it.range.is_none());
        let sound = match whole {
            Some(_) => Ok(()),
            None if self.lost => Err(LostSync::Earlier),
            None if version < self.version => {
                Err(LostSync::VersionWentBack { current: self.version, received: version })
            }
            None => Ok(()),
        };
        let mut next = self.clone();
        let changes = &changes[whole.unwrap_or(0)..];
        let applied =
            sound.and_then(|()| changes.iter().map(|it| next.apply_one(it, encoding)).collect::<Result<Vec<_>, _>>());
        match applied {
            Ok(edits) => {
                *self = Document { version, lost: false, ..next };
                Ok(edits.into_iter().flatten().collect())
            }
            Err(lost) => {
                self.lost = true;
                Err(lost)
            }
        }
    }

    /// Whether the text is still the editor's.
    pub fn in_sync(&self) -> bool {
        !self.lost
    }

    pub fn len_bytes(&self) -> usize {
        self.rope.len_bytes()
    }

    pub fn is_empty(&self) -> bool {
        self.rope.len_bytes() == 0
    }

    /// Lines as the LSP counts them: an empty text has one, and so has the place behind a final line break.
    pub fn len_lines(&self) -> usize {
        self.lines.lsp.count(&self.rope)
    }

    /// The text of a byte range, whose ends must be character boundaries.
    pub fn slice(&self, range: Range<usize>) -> RopeSlice<'_> {
        self.rope.byte_slice(range)
    }

    /// [`Document::slice`] as a string, borrowed where the rope holds it in one piece.
    pub fn text(&self, range: Range<usize>) -> Cow<'_, str> {
        Cow::from(self.slice(range))
    }

    /// The place of a byte. Past the end means the end; inside a character or a `\r\n` means before it.
    pub fn position(&self, byte: usize, encoding: PositionEncoding) -> Position {
        let rope = &self.rope;
        let byte = rope.char_to_byte(rope.byte_to_char(byte.min(rope.len_bytes())));
        let line = self.lines.lsp.line(rope, byte);
        let start = self.lines.lsp.start(rope, line);
        let byte = byte.min(self.content_end(line));
        let character = match encoding {
            PositionEncoding::Utf8 => byte - start,
            PositionEncoding::Utf16 => self.utf16(byte) - self.utf16(start),
            PositionEncoding::Utf32 => rope.byte_to_char(byte) - rope.byte_to_char(start),
        };
        Position { line: saturated(line), character: saturated(character) }
    }

    /// The byte of a place. A character past the end of its line means the line's end before the line break, one inside
    /// a character means before it; the line after the last means the end of the text (some editors end deletions there).
    /// `None` for lines further out.
    pub fn byte(&self, position: Position, encoding: PositionEncoding) -> Option<usize> {
        let rope = &self.rope;
        let line = position.line as usize;
        if line >= self.len_lines() {
            return (line == self.len_lines()).then(|| rope.len_bytes());
        }
        let character = position.character as usize;
        let start = self.lines.lsp.start(rope, line);
        let end = self.content_end(line);
        let char = match encoding {
            PositionEncoding::Utf8 => rope.byte_to_char((start + character).min(end)),
            PositionEncoding::Utf16 => rope.utf16_cu_to_char((self.utf16(start) + character).min(self.utf16(end))),
            PositionEncoding::Utf32 => (rope.byte_to_char(start) + character).min(rope.byte_to_char(end)),
        };
        Some(rope.char_to_byte(char))
    }

    /// (row, column in bytes) of a byte as tree-sitter counts: a row ends at `\n` only.
    pub fn point(&self, byte: usize) -> (usize, usize) {
        let row = self.lines.tree.line(&self.rope, byte);
        (row, byte - self.lines.tree.start(&self.rope, row))
    }

    fn utf16(&self, byte: usize) -> usize {
        self.rope.char_to_utf16_cu(self.rope.byte_to_char(byte))
    }

    /// The first byte of the line's break, or the end of the text.
    fn content_end(&self, line: usize) -> usize {
        let rope = &self.rope;
        if line + 1 >= self.len_lines() {
            return rope.len_bytes();
        }
        let next = self.lines.lsp.start(rope, line + 1);
        let crlf = next >= 2 && rope.byte(next - 1) == b'\n' && rope.byte(next - 2) == b'\r';
        if crlf { next - 2 } else { next - 1 }
    }

    fn apply_one(&mut self, change: &ContentChange, encoding: PositionEncoding) -> Result<Option<TextEdit>, LostSync> {
        let range = match change.range {
            None => 0..self.len_bytes(),
            Some((start, end)) => self.range(start, end, encoding)?,
        };
        let (range, text) =
            if range.is_empty() { (range, change.text.as_str()) } else { diff::trim(&self.rope, range, &change.text) };
        if range.is_empty() && text.is_empty() { Ok(None) } else { Ok(Some(self.replace(range, text))) }
    }

    fn range(&self, start: Position, end: Position, encoding: PositionEncoding) -> Result<Range<usize>, LostSync> {
        let outside = |at: Position| LostSync::OutsideText { line: at.line, lines: self.len_lines() };
        if end < start {
            return Err(LostSync::Reversed);
        }
        let from = self.byte(start, encoding).ok_or_else(|| outside(start))?;
        // From the very start, "far behind the end" can only mean everything; clients without a line count say it so.
        let to = match self.byte(end, encoding) {
            Some(to) => to,
            None if from == 0 => self.len_bytes(),
            None => return Err(outside(end)),
        };
        Ok(from..to)
    }

    fn replace(&mut self, range: Range<usize>, text: &str) -> TextEdit {
        let start_point = self.point(range.start);
        let old_end_point = self.point(range.end);
        let chars = self.rope.byte_to_char(range.start)..self.rope.byte_to_char(range.end);
        if !chars.is_empty() {
            self.rope.remove(chars.clone());
        }
        self.rope.insert(chars.start, text);

        let new_end = range.start + text.len();
        self.lines.replaced(&self.rope, range.start, range.end, new_end);
        let new_end_point = self.point(new_end);
        TextEdit {
            start: range.start,
            old_end: range.end,
            new_text: text.to_owned(),
            start_point,
            old_end_point,
            new_end_point,
        }
    }
}

#[cfg(test)]
impl Document {
    pub(super) fn lines(&self) -> &Lines {
        &self.lines
    }
}

fn saturated(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
