//! Builds the tree of sites from what a walk found.

use std::sync::Arc;

use oxc::parser::Token;

use super::class::RawClass;
use super::collect::{RawSite, Seen};
use super::shell::{self, Shells, Span};
use super::{Access, ClassHashes, Home, Runs, Scope, Shift, Site, SiteKind};

/// The tree, with the hashes of the top-level statements that start at `cuts`.
pub struct Built {
    pub root: Site,
    pub items: Vec<u64>,
    /// For each site of the tree in pre-order (root excluded), its number among the raw sites.
    pub raw: Vec<usize>,
}

/// Builds the tree for `from..to` of the text. Ids are all zero: [`super::diff`] gives them.
pub fn build(source: &str, tokens: &[Token], raw: &[RawSite], cuts: &[u32], seen: &Seen, from: u32, to: u32) -> Built {
    let mut live: Vec<usize> = (0..raw.len()).filter(|it| !raw[*it].dead).collect();
    live.sort_by_key(|it| raw[*it].span.start);
    let spans: Vec<Span<'_>> = live
        .iter()
        .map(|it| Span {
            start: raw[*it].span.start,
            end: raw[*it].span.end,
            mark: &raw[*it].mark,
            own_name: raw[*it].own_name(),
            class: raw[*it].class.as_ref(),
        })
        .collect();
    let hashes = shell::shells(source, tokens, &spans, cuts, seen, from, to);
    let mut root = Site {
        id: 0,
        kind: SiteKind::Module,
        access: Access::Plain,
        is_async: false,
        is_generator: false,
        uses_super: false,
        uses_this: false,
        name: String::new(),
        has_own_name: false,
        start: from,
        len: to - from,
        shell: hashes.shells[0],
        deep: 0,
        gist: 0,
        scope: Arc::new(Scope::default()),
        free: Vec::new(),
        strict: false,
        says_strict: false,
        home: Home::Nowhere,
        lists: 0,
        counts: None,
        runs: Runs::Any,
        level: 0,
        changed: 0,
        born: 0,
        is_put: false,
        class: ClassHashes::default(),
        privates: Vec::new(),
        construct_rev: 0,
        scope_rev: 0,
        apart: 0,
        own_names: Vec::new(),
        fallback: None,
        ran: None,
        needs: Vec::new(),
        since: 0,
        past: None,
        children: Vec::new(),
        ghosts: Vec::new(),
        shapes: Vec::new(),
        shift: Shift::default(),
        below: 0,
    };
    let mut next = 0;
    fill(&mut root, from, &live, raw, &hashes, &mut next);
    Built { root, items: hashes.items, raw: live }
}

fn fill(parent: &mut Site, base: u32, live: &[usize], raw: &[RawSite], hashes: &Shells, next: &mut usize) {
    let end = base + parent.len;
    while *next < live.len() && raw[live[*next]].span.start < end {
        let it = &raw[live[*next]];
        let mut free: Vec<Box<str>> = it.free.iter().cloned().collect();
        free.sort_unstable();
        let mut site = Site {
            id: 0,
            kind: it.kind,
            access: it.access,
            is_async: it.is_async,
            is_generator: it.is_generator,
            uses_super: it.uses_super,
            uses_this: it.uses_this,
            name: it.name.clone(),
            has_own_name: it.has_own_name,
            start: it.span.start - base,
            len: it.span.end - it.span.start,
            // Another kind of hook is other code, whatever the text says.
            shell: hashes.shells[*next + 1] ^ it.hook ^ it.construct_hook,
            deep: 0,
            gist: hashes.gists[*next],
            scope: Arc::clone(&it.scope),
            free,
            strict: it.strict,
            says_strict: it.says_strict,
            home: it.home,
            lists: it.lists,
            counts: it.counts,
            runs: it.runs,
            level: it.level,
            changed: 0,
            born: 0,
            is_put: it
                .parent
                .and_then(|it| raw[it].class.as_ref())
                .is_some_and(|class| class.has_member(it.span.start)),
            class: ClassHashes {
                construct: hashes.classes[*next].construct ^ it.construct_hook,
                ..hashes.classes[*next]
            },
            privates: it.class.as_ref().map_or_else(Vec::new, RawClass::private_names),
            construct_rev: 0,
            scope_rev: 0,
            apart: 0,
            own_names: Vec::new(),
            fallback: None,
            ran: None,
            needs: Vec::new(),
            since: 0,
            past: None,
            children: Vec::new(),
            ghosts: Vec::new(),
            shapes: Vec::new(),
            shift: Shift::default(),
            below: 0,
        };
        *next += 1;
        fill(&mut site, it.span.start, live, raw, hashes, next);
        parent.children.push(site);
    }
    hash(parent);
}

/// Makes the hash of a site's tokens with those of its nested sites, whose own are made.
pub fn hash(site: &mut Site) {
    site.below =
        site.children.iter().enumerate().fold(0, |sum: u64, (index, it)| sum.wrapping_add(term(index, it.deep)));
    site.deep = mixed(site.shell, site.below);
}

/// Brings the hash up to date after child number `index` became another one; `before` is that of the old one.
pub fn exchange(site: &mut Site, index: usize, before: u64) {
    let now = site.children[index].deep;
    site.below = site.below.wrapping_sub(term(index, before)).wrapping_add(term(index, now));
    site.deep = mixed(site.shell, site.below);
}

fn term(index: usize, deep: u64) -> u64 {
    mixed(index as u64, deep)
}

fn mixed(a: u64, b: u64) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    (a, b).hash(&mut hasher);
    // That much is nearly linear: in a sum two changes that are each other's opposite would cancel out, as when two functions exchange
    // a word. So every bit has to depend on every other (the last steps of MurmurHash3).
    let mut bits = hasher.finish();
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}
