//! Where lines start, for two readers that disagree: the LSP and tree-sitter.
//!
//! ropey breaks lines wherever Unicode says so, the LSP only at `\n`, `\r\n` and a lone `\r`, tree-sitter only at `\n`.
//! ropey could be built to agree with the LSP, but a dependency of ours builds it with all breaks, and Cargo builds it
//! once. So each reader keeps the few breaks that ropey counts and it does not, and subtracts them. Nearly every file
//! has none.

use std::ops::Range;

use ropey::Rope;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// As the LSP counts.
    pub(super) lsp: Reader,
    /// As tree-sitter counts.
    pub(super) tree: Reader,
}

/// One way to count lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reader {
    /// Bytes at which a break stands that is none for this reader, in order.
    ignored: Vec<usize>,
}

impl Lines {
    pub(super) fn of(rope: &Rope) -> Self {
        let mut lines = Lines::default();
        lines.scan(rope, 0..rope.len_bytes());
        lines
    }

    /// Takes in that `start..old_end` became `start..new_end` of `rope`, which is the text after the change.
    pub(super) fn replaced(&mut self, rope: &Rope, start: usize, old_end: usize, new_end: usize) {
        // Whether a `\r` is lone also depends on the byte behind it, so the byte before the change counts as changed.
        let before = start.saturating_sub(1);
        let found_from = if rope.get_byte(before) == Some(b'\r') { before } else { start };
        let mut found = Lines::default();
        found.scan(rope, found_from..new_end);
        let removed = found_from..old_end;
        self.lsp.splice(removed.clone(), new_end, found.lsp);
        self.tree.splice(removed, new_end, found.tree);
    }

    fn scan(&mut self, rope: &Rope, range: Range<usize>) {
        let mut at = range.start;
        // ropey never splits a character or a `\r\n` between two chunks, but the range itself may end inside one.
        for chunk in rope.byte_slice(range).chunks() {
            let bytes = chunk.as_bytes();
            for (idx, byte) in bytes.iter().enumerate() {
                match byte {
                    0x0b | 0x0c => self.ignore_by_both(at + idx),
                    b'\r' => {
                        let next = bytes.get(idx + 1).copied().or_else(|| rope.get_byte(at + idx + 1));
                        if next != Some(b'\n') {
                            self.tree.ignored.push(at + idx);
                        }
                    }
                    0xc2 if bytes[idx..].starts_with("\u{85}".as_bytes()) => self.ignore_by_both(at + idx),
                    0xe2 if bytes[idx..].starts_with("\u{2028}".as_bytes())
                        || bytes[idx..].starts_with("\u{2029}".as_bytes()) =>
                    {
                        self.ignore_by_both(at + idx);
                    }
                    _ => {}
                }
            }
            at += chunk.len();
        }
    }

    fn ignore_by_both(&mut self, byte: usize) {
        self.lsp.ignored.push(byte);
        self.tree.ignored.push(byte);
    }
}

impl Reader {
    pub(super) fn count(&self, rope: &Rope) -> usize {
        rope.len_lines() - self.ignored.len()
    }

    /// The line that holds a byte.
    pub(super) fn line(&self, rope: &Rope, byte: usize) -> usize {
        rope.byte_to_line(byte) - self.ignored.partition_point(|it| *it < byte)
    }

    /// The first byte of a line that exists.
    pub(super) fn start(&self, rope: &Rope, line: usize) -> usize {
        // How many ignored breaks stand before that line: those on lines before it.
        let (mut low, mut high) = (0, self.ignored.len());
        while low < high {
            let mid = low.midpoint(high);
            if rope.byte_to_line(self.ignored[mid]) - mid < line {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        rope.line_to_byte(line + low)
    }

    fn splice(&mut self, removed: Range<usize>, new_end: usize, found: Reader) {
        if self.ignored.is_empty() && found.ignored.is_empty() {
            return;
        }
        let from = self.ignored.partition_point(|it| *it < removed.start);
        let to = self.ignored.partition_point(|it| *it < removed.end);
        for it in &mut self.ignored[to..] {
            *it = *it - removed.end + new_end;
        }
        self.ignored.splice(from..to, found.ignored);
    }
}
