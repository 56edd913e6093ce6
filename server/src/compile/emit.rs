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

fn expand(text: &str, ids: &[SiteId], guards: &str, mode: Mode, out: &mut String) {
    let mut rest = text;
    while let Some(found) = rest.find(['\u{1}', '\u{3}', '\u{4}', '\u{5}']) {
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
            (4, Mode::Load) => {}
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
