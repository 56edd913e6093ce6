//! The small edit hidden in a big one: what two texts have in common at their start and end.

use std::ops::Range;

use ropey::{Rope, RopeSlice};

/// The part of `range` in `rope` and the part of `new` that really differ. Boundaries are those of characters, and
/// never lie inside a `\r\n` of either text.
pub(super) fn trim<'a>(rope: &Rope, range: Range<usize>, new: &'a str) -> (Range<usize>, &'a str) {
    let old = rope.byte_slice(range.clone());
    let prefix = common_prefix(old, new);
    let rest = &new[prefix..];
    let suffix = common_suffix(old.byte_slice(prefix..), rest);
    (range.start + prefix..range.end - suffix, &rest[..rest.len() - suffix])
}

fn common_prefix(old: RopeSlice<'_>, new: &str) -> usize {
    let mut len = 0;
    for chunk in old.chunks() {
        let same = same_at_start(chunk.as_bytes(), &new.as_bytes()[len..]);
        len += same;
        if same < chunk.len() {
            break;
        }
    }
    while !new.is_char_boundary(len) {
        len -= 1;
    }
    let after_cr = new[..len].ends_with('\r');
    let before_lf = new.as_bytes().get(len) == Some(&b'\n') || (len < old.len_bytes() && old.byte(len) == b'\n');
    if after_cr && before_lf { len - 1 } else { len }
}

fn common_suffix(old: RopeSlice<'_>, new: &str) -> usize {
    let mut len = 0;
    let (mut chunks, ..) = old.chunks_at_byte(old.len_bytes());
    while let Some(chunk) = chunks.prev() {
        let same = same_at_end(chunk.as_bytes(), &new.as_bytes()[..new.len() - len]);
        len += same;
        if same < chunk.len() {
            break;
        }
    }
    while !new.is_char_boundary(new.len() - len) {
        len -= 1;
    }
    let (new_start, old_start) = (new.len() - len, old.len_bytes() - len);
    let before_lf = new[new_start..].starts_with('\n');
    let after_cr = new[..new_start].ends_with('\r') || (old_start > 0 && old.byte(old_start - 1) == b'\r');
    if before_lf && after_cr { len - 1 } else { len }
}

// Blocks first: equal blocks compare at memcmp speed, which is what a full text of megabytes needs.
const BLOCK: usize = 256;

fn same_at_start(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let done = blocks * BLOCK;
    done + a[done..].iter().zip(&b[done..]).take_while(|(a, b)| a == b).count()
}

fn same_at_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let done = blocks * BLOCK;
    let (a, b) = (&a[..a.len() - done], &b[..b.len() - done]);
    done + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}
