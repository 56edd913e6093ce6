//! Hashes of a function's tokens: white space, comments and what a formatter moves about do not count.

use std::hash::{Hash, Hasher};

use oxc::parser::{Kind, Token};
use rustc_hash::FxHasher;

use super::collect::Seen;

/// A span of a live site, in source order, with what stands for it in its parent's hash.
pub(crate) struct Span<'s> {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) mark: &'s str,
}

/// The shell hash of the whole text (index 0) and of every span (index + 1), and one hash per top-level statement (`cuts`: their starts). Spans are in pre-order and nest properly.
pub(crate) fn shells(
    source: &str,
    tokens: &[Token],
    spans: &[Span<'_>],
    cuts: &[u32],
    seen: &Seen,
    from: u32,
    to: u32,
) -> (Vec<u64>, Vec<u64>) {
    let mut hashers: Vec<FxHasher> = Vec::new();
    hashers.resize_with(spans.len() + 1, FxHasher::default);
    // What ends a statement is that another one starts, whether or not a semicolon says so.
    let mut starts = seen.starts.clone();
    starts.sort_unstable();
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
        let begins_site = open.last().is_some_and(|it| spans[*it].start == at);
        if !begins_site && starts.binary_search(&at).is_ok() {
            feed_text(&mut hashers[owner], "\u{1}");
            if owner == 0 && !items.is_empty() {
                feed_text(&mut items[item], "\u{1}");
            }
        }
        let ends_statement =
            token.kind() == Kind::Semicolon && !seen.heads.iter().any(|it| it.start <= at && at < it.end);
        if ends_statement || is_trailing_comma(token.kind(), prev, next) {
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

/// A comma that formatters add and remove.
fn is_trailing_comma(kind: Kind, prev: Option<Kind>, next: Option<&Token>) -> bool {
    kind == Kind::Comma
        && matches!(next.map(Token::kind), Some(Kind::RParen | Kind::RCurly | Kind::RBrack))
        && !matches!(prev, Some(Kind::Comma | Kind::LBrack))
}

fn feed_text(hasher: &mut FxHasher, text: &str) {
    text.hash(hasher);
}
