//! Applies the operations of a walk to its text.
//!
//! What is not the user's stands between marks, so that a page can tell the text of a function and the columns of a position:
//!
//! ```text
//! \f(inserted)\v          \f/*what it stands for*/(inserted)\v          \f\f(a function that is a site)\v
//! ```
//!
//! Form feed and vertical tab are white space to JavaScript, and one byte each. A text that has one of them itself is left unmarked.

use crate::sites::collect::Op;
use crate::sites::{Rev, SiteId};

/// How guards and hooks are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode<'m> {
    /// As a page first loads the module: a guard fires for any patch. The variables with the [`switches`] begin so.
    Load(&'m str),
    /// In code that is a patch of this revision: a guard fires for newer patches only.
    Patch(Rev),
}

/// Opens what is inserted; twice: a site starts.
const OPEN: char = '\u{c}';
/// Closes what is inserted, or a site.
const CLOSE: char = '\u{b}';

/// The text of `source[from..to]` with the operations inside it applied. `ops` must be sorted by [`sort`].
pub(super) fn emit<'o>(
    source: &str,
    ops: impl IntoIterator<Item = &'o Op>,
    from: u32,
    to: u32,
    ids: &[SiteId],
    guards: &str,
    mode: Mode<'_>,
) -> String {
    let text = &source[from as usize..to as usize];
    let marked = is_markable(text);
    let mut out = String::with_capacity(text.len() * 3 / 2);
    let mut at = from;
    for op in ops {
        if op.start < from || op.end > to {
            continue;
        }
        if op.start > at {
            out.push_str(&source[at as usize..op.start as usize]);
        }
        match op.text.as_str() {
            Op::SITE if op.start == to && from < to => {}
            Op::SITE_END if op.end == from && from < to => {}
            Op::SITE if marked => out.extend([OPEN, OPEN]),
            Op::SITE_END if marked => out.push(CLOSE),
            Op::SITE | Op::SITE_END => {}
            text if marked => {
                out.push(OPEN);
                stands_for(&source[op.start as usize..op.end as usize], &mut out);
                expand(text, ids, guards, mode, &mut out);
                out.push(CLOSE);
            }
            text => expand(text, ids, guards, mode, &mut out),
        }
        at = at.max(op.end);
    }
    out.push_str(&source[at as usize..to as usize]);
    out
}

/// Text as [`emit`] gave it, between code that is not the user's. `source` is what it was made of.
pub(crate) fn amid(before: &str, text: &str, after: &str, source: &str) -> String {
    if is_markable(source) { format!("{before}{CLOSE}{text}{OPEN}{after}") } else { format!("{before}{text}{after}") }
}

/// The start of a site whose head is written anew before it.
pub(crate) fn headed(head: &str, rest: &str) -> String {
    if !is_markable(head) || !rest.contains(CLOSE) {
        return rest.to_owned();
    }
    let mut out = String::from_iter([OPEN, OPEN, OPEN]);
    stands_for(head, &mut out);
    out.push(CLOSE);
    out + rest
}

/// The user's text of `source[from..to]` with the sites in it, as a comment at the end of code.
pub(super) fn remark(source: &str, ops: &[Op], from: u32, to: u32, ids: &[SiteId]) -> String {
    let text = &source[from as usize..to as usize];
    let mut out = String::new();
    if !is_markable(text) {
        return out;
    }
    out.push(OPEN);
    out.push_str("//");
    let mut at = from;
    for op in ops.iter().filter(|it| it.start >= from && it.end <= to) {
        let start = op.start.max(at);
        encode(&source[at as usize..start as usize], &mut out);
        at = start;
        match op.text.as_str() {
            Op::SITE => out.extend([OPEN, OPEN]),
            Op::SITE_END => out.push(CLOSE),
            text => {
                if let Some((_, numbered)) = text.split_once(".c(\u{1}").or_else(|| text.split_once(".k(\u{1}")) {
                    let call = format!(".c(\u{1}{}\u{2},", numbered.split('\u{2}').next().unwrap_or_default());
                    out.push(OPEN);
                    expand(&call, ids, "", Mode::Load(""), &mut out);
                    out.push(CLOSE);
                }
            }
        }
    }
    encode(&source[at as usize..to as usize], &mut out);
    out
}

/// No mark is in it.
fn is_markable(text: &str) -> bool {
    !text.contains([OPEN, CLOSE])
}

fn stands_for(text: &str, out: &mut String) {
    if !text.is_empty() {
        out.push_str("/*");
        encode(text, out);
        out.push_str("*/");
    }
}

/// As `decodeURIComponent` reads it, and on one line of a comment.
fn encode(text: &str, out: &mut String) {
    for it in text.chars() {
        match it {
            '%' => out.push_str("%25"),
            '/' => out.push_str("%2F"),
            '\n' => out.push_str("%0A"),
            '\r' => out.push_str("%0D"),
            '\u{2028}' => out.push_str("%E2%80%A8"),
            '\u{2029}' => out.push_str("%E2%80%A9"),
            it => out.push(it),
        }
    }
}

/// How many sites have their switches in one object: so few that engines keep it as a record, and not as a table.
const TOGETHER: SiteId = 64;

/// What a guard asks in code as it was loaded.
fn switch_of(switches: &str, id: SiteId) -> String {
    format!("{switches}{}._{id}", id / TOGETHER)
}

/// Declares what the guards of a loaded text ask, behind the declaration of the guard array: a property for each site. Each object is
/// made by a function of its own, because engines learn of all objects that are made alike that a property of one has changed.
pub(super) fn switches(ops: &[Op], ids: &[SiteId], switches: &str, guards: &str) -> String {
    let mut asked: Vec<SiteId> = ops
        .iter()
        .flat_map(|it| it.text.split('\u{3}').skip(1))
        .filter_map(|it| it.split('\u{2}').next()?.parse::<usize>().ok())
        .filter_map(|it| ids.get(it).copied())
        .collect();
    asked.sort_unstable();
    asked.dedup();
    let mut out = String::new();
    for group in asked.chunk_by(|a, b| a / TOGETHER == b / TOGETHER) {
        let fields: String = group.iter().map(|it| format!("this._{it}=")).collect();
        out.push_str(&format!(",{switches}{}={guards}.on(new function(){{{fields}0}})", group[0] / TOGETHER));
    }
    out
}

/// Puts operations into the order in which they are applied.
pub(super) fn sort(ops: &mut [Op]) {
    ops.sort_by_key(|it| (it.start, it.order, it.end));
}

/// A text of operations that names sites and nothing else.
pub(super) fn expanded(text: &str, ids: &[SiteId]) -> String {
    let mut out = String::new();
    expand(text, ids, "", Mode::Load(""), &mut out);
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
        out.extend([OPEN, ';', CLOSE]);
        at = *end;
    }
    out
}

fn expand(text: &str, ids: &[SiteId], guards: &str, mode: Mode<'_>, out: &mut String) {
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
                out.push_str(if matches!(mode, Mode::Load(_)) { load } else { patch });
            }
            (4 | 15, Mode::Load(_)) => {}
            (15, Mode::Patch(rev)) => out.push_str(&format!(",{rev}")),
            (4, Mode::Patch(rev)) => out.push_str(&format!("{inner}.r={rev};")),
            (_, mode) => {
                let id = inner.parse::<usize>().ok().and_then(|it| ids.get(it)).copied().unwrap_or(0);
                match (marker, mode) {
                    (1, _) => out.push_str(&id.to_string()),
                    (_, Mode::Load(switches)) => out.push_str(&switch_of(switches, id)),
                    (_, Mode::Patch(rev)) => out.push_str(&format!("{guards}[{id}]>{rev}")),
                }
            }
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
}
