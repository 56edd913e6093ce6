//! Style sheets: what they refer to, and CSS modules. Text in, text out.
//!
//! A sheet is changed in place, between the author's own characters: nothing is printed anew, so what DevTools show is what was
//! written. This room knows CSS; it must not know files, pages or JavaScript.

mod references;
mod scoped;
mod tokens;

pub use references::{Import, Reference, References, quoted, references};
pub use scoped::{Part, Scoped, scope};

/// Puts texts in the place of ranges (bytes), which do not overlap. Sorts them.
pub fn replace(text: &str, edits: &mut [(std::ops::Range<usize>, String)]) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut replaced = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (range, new) in edits.iter() {
        replaced.push_str(&text[at..range.start]);
        replaced.push_str(new);
        at = range.end;
    }
    replaced.push_str(&text[at..]);
    replaced
}
