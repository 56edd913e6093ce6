//! Hashes of a function's tokens: white space, comments and what a formatter moves about do not count.

use std::hash::{Hash, Hasher};

use oxc::parser::{Kind, Token};
use rustc_hash::FxHasher;

/// A span of a live site, in source order, with what stands for it in its parent's hash.
pub(crate) struct Span<'s> {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) mark: &'s str,
}

/// The shell hash of the whole text (index 0) and of every span (index + 1), and one hash per top-level statement (`cuts`: their starts).
/// `empties` holds the starts of empty statements, sorted. Spans are in pre-order and nest properly.
pub(crate) fn shells(
    source: &str,
    tokens: &[Token],
    spans: &[Span<'_>],
    cuts: &[u32],
    empties: &[u32],
    from: u32,
    to: u32,
) -> (Vec<u64>, Vec<u64>) {
    let mut hashers: Vec<FxHasher> = Vec::new();
    hashers.resize_with(spans.len() + 1, FxHasher::default);
    let mut open: Vec<usize> = Vec::new();
    let mut next_span = 0;
    let mut items = vec![FxHasher::default(); cuts.len()];
    let mut item = 0;
    for (index, token) in tokens.iter().enumerate() {
        let at = token.start();
        if at < from || token.end() > to || token.kind() == Kind::Eof {
            continue;
        }
        while let Some(last) = open.last() {
            if at < spans[*last].end {
                break;
            }
            open.pop();
        }
        while item + 1 < cuts.len() && at >= cuts[item + 1] {
            item += 1;
        }
        while next_span < spans.len() && spans[next_span].start <= at {
            let parent = open.last().map_or(0, |it| it + 1);
            spans[next_span].mark.hash(&mut hashers[parent]);
            if parent == 0 && !items.is_empty() {
                spans[next_span].mark.hash(&mut items[item]);
            }
            open.push(next_span);
            next_span += 1;
        }
        let owner = open.last().map_or(0, |it| it + 1);
        let prev = index.checked_sub(1).map(|it| tokens[it].kind());
        let next = tokens.get(index + 1);
        if is_noise(token.kind(), prev, next) && empties.binary_search(&at).is_err() {
            continue;
        }
        feed(&mut hashers[owner], source, token, prev);
        if owner == 0 && !items.is_empty() {
            feed(&mut items[item], source, token, prev);
        }
    }
    (hashers.into_iter().map(|it| it.finish()).collect(), items.into_iter().map(|it| it.finish()).collect())
}

fn feed(hasher: &mut FxHasher, source: &str, token: &Token, prev: Option<Kind>) {
    let text = &source[token.start() as usize..token.end() as usize];
    if token.kind() == Kind::Str && text.len() >= 2 {
        let inner = &text[1..text.len() - 1];
        // Which quotes were chosen does not matter, unless an escape makes it hard to tell.
        if inner.contains(['\\', '"', '\'']) {
            text.hash(hasher);
        } else {
            "\"".hash(hasher);
            inner.hash(hasher);
        }
    } else {
        text.hash(hasher);
    }
    // A line end after these words ends the statement.
    let restricted =
        matches!(prev, Some(Kind::Return | Kind::Break | Kind::Continue | Kind::Throw | Kind::Yield | Kind::Async));
    if token.is_on_new_line() && (restricted || matches!(token.kind(), Kind::Plus2 | Kind::Minus2)) {
        "\n".hash(hasher);
    }
}

/// Semicolons at the end of a line or block and trailing commas: what formatters add and remove. (`empties` has the semicolons that are statements.)
fn is_noise(kind: Kind, prev: Option<Kind>, next: Option<&Token>) -> bool {
    match kind {
        Kind::Semicolon => {
            let ends_line = next.is_none_or(|it| it.is_on_new_line() || matches!(it.kind(), Kind::RCurly | Kind::Eof));
            ends_line && prev.is_some()
        }
        Kind::Comma => {
            matches!(next.map(Token::kind), Some(Kind::RParen | Kind::RCurly | Kind::RBrack))
                && !matches!(prev, Some(Kind::Comma | Kind::LBrack))
        }
        _ => false,
    }
}
