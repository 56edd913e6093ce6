//! Hashes of a function's tokens: white space, comments and what a formatter moves about do not count.

use std::hash::{Hash, Hasher};

use oxc::parser::{Kind, Token};
use rustc_hash::FxHasher;

use super::ClassHashes;
use super::class::RawClass;
use super::collect::Seen;

/// A span of a live site, in source order, with what stands for it in its parent's hash.
pub(crate) struct Span<'s> {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) mark: &'s str,
    /// The name that it has in its own text.
    pub(crate) own_name: Option<&'s str>,
    pub(crate) class: Option<&'s RawClass>,
}

/// The hashes of a text and of the spans in it.
pub(crate) struct Shells {
    /// Of the whole text (index 0) and of every span (index + 1).
    pub(crate) shells: Vec<u64>,
    /// Of every span, without its own name.
    pub(crate) gists: Vec<u64>,
    /// Of what spans of classes are made of.
    pub(crate) classes: Vec<ClassHashes>,
    /// Of the top-level statements.
    pub(crate) items: Vec<u64>,
}

/// Where tokens go.
struct Hashers<'s> {
    spans: &'s [Span<'s>],
    shells: Vec<FxHasher>,
    /// As [`ClassHashes`]: the constructor with the fields, the fields alone, what makes the class.
    classes: Vec<[FxHasher; 3]>,
    /// What stands for the members of a class, and for those that instances are made with: their order does not matter.
    members: Vec<[u64; 2]>,
    items: Vec<FxHasher>,
    item: usize,
}

impl Hashers<'_> {
    /// Feeds what stands at `at` to whom it belongs: the innermost open span, unless that is a class that it makes; then the
    /// text around the class.
    fn feed(&mut self, open: &[usize], at: u32, feed: impl Fn(&mut FxHasher)) {
        for span in open.iter().rev() {
            let Some(class) = self.spans[*span].class else { return feed(&mut self.shells[span + 1]) };
            let [construct, fields, made] = &mut self.classes[*span];
            if class.is_made(at) {
                feed(made);
                continue;
            }
            if class.constructs(at) {
                feed(construct);
            }
            if class.is_field(at) {
                feed(fields);
            }
            return feed(&mut self.shells[span + 1]);
        }
        feed(&mut self.shells[0]);
        if let Some(item) = self.items.get_mut(self.item) {
            feed(item);
        }
    }

    /// Feeds what stands for a span that is about to be opened.
    fn mark(&mut self, open: &[usize], span: usize) {
        let Span { start, mark, .. } = self.spans[span];
        let parent = open.last().copied();
        match parent.and_then(|it| self.spans[it].class) {
            Some(class) if class.has_member(start) => {
                let mut hasher = FxHasher::default();
                mark.hash(&mut hasher);
                let [all, made_with] = &mut self.members[parent.unwrap_or_default()];
                *all = all.wrapping_add(hasher.finish());
                if class.is_private_method(start) {
                    *made_with = made_with.wrapping_add(hasher.finish());
                }
            }
            // A member that can't be put on a class that was made before belongs to what makes the class.
            Some(class) if !class.is_made(start) && !class.constructs(start) => {
                mark.hash(&mut self.classes[parent.unwrap_or_default()][2]);
                self.feed(&open[..open.len() - 1], start, |it| mark.hash(it));
            }
            _ => self.feed(open, start, |it| mark.hash(it)),
        }
    }
}

/// Hashes the text between `from` and `to`; `cuts` are the starts of its top-level statements. Spans are in pre-order and nest properly.
pub(crate) fn shells(
    source: &str,
    tokens: &[Token],
    spans: &[Span<'_>],
    cuts: &[u32],
    seen: &Seen,
    from: u32,
    to: u32,
) -> Shells {
    let fresh = |n: usize| std::iter::repeat_with(FxHasher::default).take(n).collect::<Vec<_>>();
    let mut hashers = Hashers {
        spans,
        shells: fresh(spans.len() + 1),
        classes: std::iter::repeat_with(Default::default).take(spans.len()).collect(),
        members: vec![[0; 2]; spans.len()],
        items: fresh(cuts.len()),
        item: 0,
    };
    let mut gists = fresh(spans.len());
    // What ends a statement is that another one starts, whether or not a semicolon says so.
    let mut starts = seen.starts.clone();
    starts.sort_unstable();
    let mut open: Vec<usize> = Vec::new();
    let mut next_span = 0;
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
        while hashers.item + 1 < cuts.len() && at >= cuts[hashers.item + 1] {
            hashers.item += 1;
        }
        while next_span < spans.len() && spans[next_span].start <= at {
            hashers.mark(&open, next_span);
            open.push(next_span);
            next_span += 1;
        }
        let prev = index.checked_sub(1).map(|it| tokens[it].kind());
        let next = tokens.get(index + 1);
        let begins_site = open.last().is_some_and(|it| spans[*it].start == at);
        if !begins_site && starts.binary_search(&at).is_ok() {
            hashers.feed(&open, at, |it| feed_text(it, "\u{1}"));
        }
        let ends_statement =
            token.kind() == Kind::Semicolon && !seen.heads.iter().any(|it| it.start <= at && at < it.end);
        if ends_statement || is_trailing_comma(token.kind(), prev, next) {
            continue;
        }
        hashers.feed(&open, at, |it| feed(it, source, token, prev));
        if let Some(last) = open.last()
            && spans[*last].own_name != Some(&source[at as usize..token.end() as usize])
        {
            feed(&mut gists[*last], source, token, prev);
        }
    }
    let Hashers { shells, classes, members, items, .. } = hashers;
    let mut shells: Vec<u64> = shells.into_iter().map(|it| it.finish()).collect();
    for (shell, [all, _]) in shells[1..].iter_mut().zip(&members) {
        *shell = shell.wrapping_add(*all);
    }
    Shells {
        shells,
        gists: gists.into_iter().map(|it| it.finish()).collect(),
        classes: classes.into_iter().zip(members).map(|(it, [_, made_with])| class_hashes(it, made_with)).collect(),
        items: items.into_iter().map(|it| it.finish()).collect(),
    }
}

fn class_hashes(hashers: [FxHasher; 3], made_with: u64) -> ClassHashes {
    let [construct, fields, made] = hashers.map(|it| it.finish());
    ClassHashes { construct: construct.wrapping_add(made_with), fields, made }
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
