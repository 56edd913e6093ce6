//! Applies the operations of a walk to its text.

use crate::sites::collect::Op;
use crate::sites::{Rev, SiteId};

/// How guards and hooks are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// As a page first loads the module: a guard fires for any patch.
    Load,
    /// In code that is a patch of this revision: a guard fires for newer patches only.
    Patch(Rev),
}

/// The text of `source[from..to]` with the operations inside it applied. `ops` must be sorted by [`sort`].
pub(super) fn emit(source: &str, ops: &[Op], from: u32, to: u32, ids: &[SiteId], guards: &str, mode: Mode) -> String {
    let mut out = String::with_capacity((to - from) as usize * 3 / 2);
    let mut at = from;
    for op in ops {
        if op.start < from || op.end > to {
            continue;
        }
        if op.start > at {
            out.push_str(&source[at as usize..op.start as usize]);
        }
        expand(&op.text, ids, guards, mode, &mut out);
        at = at.max(op.end);
    }
    out.push_str(&source[at as usize..to as usize]);
    out
}

/// Puts operations into the order in which they are applied.
pub(super) fn sort(ops: &mut [Op]) {
    ops.sort_by_key(|it| (it.start, it.order, it.end));
}

/// A text of operations that names sites and nothing else.
pub(super) fn expanded(text: &str, ids: &[SiteId]) -> String {
    let mut out = String::new();
    expand(text, ids, "", Mode::Load, &mut out);
    out
}

/// The pieces of a text, at the lines and columns where they stand, with nothing in between.
pub(super) fn pieces(source: &str, from: u32, kept: &[(u32, u32)], emit: impl Fn(u32, u32) -> String) -> String {
    let mut out = String::new();
    let mut at = from;
    for (start, end) in kept {
        let gap = &source[at as usize..*start as usize];
        let last_line = gap.rsplit('\n').next().unwrap_or_default();
        out.push_str(&"\n".repeat(gap.matches('\n').count()));
        out.push_str(&" ".repeat(last_line.chars().count()));
        out.push_str(&emit(*start, *end));
        out.push(';');
        at = *end;
    }
    out
}

fn expand(text: &str, ids: &[SiteId], guards: &str, mode: Mode, out: &mut String) {
    let mut rest = text;
    while let Some(found) = rest.find(['\u{1}', '\u{3}', '\u{4}', '\u{5}', '\u{f}']) {
        out.push_str(&rest[..found]);
        let marker = rest.as_bytes()[found];
        let Some(end) = rest[found..].find('\u{2}').map(|it| it + found) else { break };
        let inner = &rest[found + 1..end];
        match (marker, mode) {
            (5, mode) => {
                // Text that differs: as loaded, and in a patch.
                let (load, patch) = inner.split_once('\u{6}').unwrap_or((inner, inner));
                out.push_str(if matches!(mode, Mode::Load) { load } else { patch });
            }
            (4 | 15, Mode::Load) => {}
            (15, Mode::Patch(rev)) => out.push_str(&format!(",{rev}")),
            (4, Mode::Patch(rev)) => out.push_str(&format!("{inner}.r={rev};")),
            (_, mode) => {
                let id = inner.parse::<usize>().ok().and_then(|it| ids.get(it)).copied().unwrap_or(0);
                match (marker, mode) {
                    (1, _) => out.push_str(&id.to_string()),
                    (_, Mode::Load) => out.push_str(&format!("{guards}[{id}]")),
                    (_, Mode::Patch(rev)) => out.push_str(&format!("{guards}[{id}]>{rev}")),
                }
            }
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
}
