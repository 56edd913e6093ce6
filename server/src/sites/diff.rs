//! Which site of a new tree is which of an old one: identities pass from old to new here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Past, Private, Rev, Shape, Site, SiteId, SiteKind, Veil};

/// What a function's new text changes, found by comparing it with the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub id: SiteId,
    /// The path of the site in the new tree, from the root of the comparison.
    pub path: Vec<usize>,
    /// Its own tokens changed, not only those of functions in it.
    pub own: bool,
    /// It cannot be patched by itself: what it names is behind a veil.
    pub is_veiled: bool,
}

/// Hands out site ids of one module: never the same twice.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    next: SiteId,
    /// The revision that is being planned.
    rev: Rev,
    /// The specifiers that the module ever imported; an import's holder is its index here, for ever.
    holders: Vec<String>,
    /// Other specifiers for the module behind a holder.
    aliases: FxHashMap<String, u32>,
    /// Names (and holders, as `$cap_iN`) that were added while pages ran: patches reach them through the overlay.
    overlay: BTreeSet<String>,
    /// Names that were removed while pages ran, with the hash of what declared each: some pages may still have them.
    ghosts: BTreeMap<String, u64>,
    /// Those of the ghosts whose variable has another name now.
    moved: BTreeSet<String>,
    /// For the text that is compiled: functions and classes of the top level that are older ones all the same, with another name or as
    /// declarations of another kind. Where they start, and which children the older ones are.
    pub(crate) same: Vec<(u32, usize)>,
}

impl Ids {
    /// The same ids, for planning this revision.
    #[must_use]
    pub fn at(&self, rev: Rev) -> Ids {
        Ids { rev, same: Vec::new(), ..self.clone() }
    }

    pub fn fresh(&mut self) -> SiteId {
        self.next += 1;
        self.next - 1
    }

    /// How many ids have been given out: the length of a guard array that holds them all.
    pub fn len(&self) -> u32 {
        self.next
    }

    /// The number of the namespace holder for `specifier`.
    pub fn holder(&mut self, specifier: &str) -> u32 {
        let (holder, is_known) = self.known_holder(specifier);
        if !is_known {
            self.holders.push(specifier.to_owned());
        }
        holder
    }

    /// `specifier` leads to the module that `known` led to, which has a holder.
    pub(crate) fn add_alias(&mut self, specifier: &str, known: &str) {
        if let (holder, true) = self.known_holder(known) {
            self.aliases.insert(specifier.to_owned(), holder);
        }
    }

    /// The number that [`Ids::holder`] would give, and whether it was given already.
    pub fn known_holder(&self, specifier: &str) -> (u32, bool) {
        let first = self.holders.iter().position(|it| it == specifier).map(|it| it as u32);
        let known = first.or_else(|| self.aliases.get(specifier).copied());
        (known.unwrap_or(self.holders.len() as u32), known.is_some())
    }

    pub fn overlay(&self) -> &BTreeSet<String> {
        &self.overlay
    }

    pub(crate) fn add_to_overlay(&mut self, name: &str) {
        self.overlay.insert(name.to_owned());
    }

    pub(crate) fn remove_name(&mut self, name: &str, declaration: u64) {
        self.ghosts.insert(name.to_owned(), declaration);
    }

    pub(crate) fn is_ghost(&self, name: &str) -> bool {
        self.ghosts.contains_key(name) && !self.moved.contains(name)
    }

    /// Whether the name was removed with the very declaration that it has now.
    pub(crate) fn comes_back(&self, name: &str, declaration: u64) -> bool {
        self.is_ghost(name) && self.ghosts.get(name) == Some(&declaration)
    }

    /// Whether the text declared the name once and does not now, as far as that is known.
    pub(crate) fn was_removed(&self, name: &str) -> bool {
        self.ghosts.contains_key(name)
    }

    /// The variable `from` is now `to`.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        self.remove_name(from, 0);
        self.add_to_overlay(to);
        self.moved.insert(from.to_owned());
        self.moved.remove(to);
    }

    pub fn is_empty(&self) -> bool {
        self.next == 0
    }
}

/// How many sites that are gone are remembered in each site, beside those that just went.
const GHOSTS: usize = 32;

/// How many texts that a site had are remembered.
const SHAPES: usize = 64;

/// Gives every site of `new` the identity of its counterpart below `old`, or a fresh one. `new` itself is taken to be `old`.
pub fn adopt(old: &Site, new: &mut Site, ids: &mut Ids) {
    new.id = old.id;
    new.changed = old.changed;
    new.born = old.born;
    new.construct_rev = if old.class.construct == new.class.construct { old.construct_rev } else { ids.rev };
    new.scope_rev = old.scope_rev;
    new.apart = old.apart;
    new.fallback.clone_from(&old.fallback);
    new.needs.clone_from(&old.needs);
    new.ran.clone_from(&old.ran);
    new.since = old.since;
    new.past.clone_from(&old.past);
    new.shapes.clone_from(&old.shapes);
    if !old.scope.same_locals(&new.scope) {
        new.since = ids.rev;
        new.past = Some(Arc::new(Past::with(old.past.as_deref(), &old.scope)));
    }
    adopt_name(old, new, ids.rev);
    let same = if old.kind == SiteKind::Module { std::mem::take(&mut ids.same) } else { Vec::new() };
    let pairs = pair_children(old, new, &same);
    let mut stayed = vec![false; old.children.len()];
    let mut returned = vec![false; old.ghosts.len()];
    for (child, pair) in new.children.iter_mut().zip(&pairs) {
        match pair.map(|it| it.checked_sub(old.children.len()).ok_or(it)) {
            Some(Err(index)) => {
                stayed[index] = true;
                let before = &old.children[index];
                adopt(before, child, ids);
                if child.kind.is_class_member() && loses_async(before, child) {
                    // Classes get another function for it.
                    child.born = ids.rev;
                }
            }
            Some(Ok(ghost)) => {
                returned[ghost] = true;
                adopt(&old.ghosts[ghost], child, ids);
                child.born = ids.rev;
            }
            None => {
                number(child, ids);
                child.born = ids.rev;
            }
        }
    }
    adopt_privates(old, new, ids.rev);
    let gone = old.children.iter().zip(&stayed).filter(|(_, stayed)| !**stayed).map(|(it, _)| it);
    let still = old.ghosts.iter().zip(&returned).filter(|(_, returned)| !**returned).map(|(it, _)| it);
    let most = GHOSTS.max(gone.clone().count());
    new.ghosts = still.chain(gone).cloned().collect();
    let surplus = new.ghosts.len().saturating_sub(most);
    new.ghosts.drain(..surplus);
    remember_shape(old, new);
}

/// Notes which sites stood at the places of the old text, unless the new one has the same places.
fn remember_shape(old: &Site, new: &mut Site) {
    let hash = shape(old);
    let ids: Box<[SiteId]> = placed(old).map(|it| old.children[it].id).collect();
    if ids.is_empty() || hash == shape(new) {
        return;
    }
    new.shapes.retain(|it| it.hash != hash);
    new.shapes.push(Arc::new(Shape { hash, ids }));
    let surplus = new.shapes.len().saturating_sub(SHAPES);
    new.shapes.drain(..surplus);
}

/// What is equal for two texts that make their functions at the same places.
fn shape(site: &Site) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    (site.shell, site.class.construct, site.class.made).hash(&mut hasher);
    hasher.finish()
}

/// The children whose order counts: what is declared, and the members of a class, have names.
fn placed(site: &Site) -> impl Iterator<Item = usize> {
    let is_named = |it: &Site| it.kind == SiteKind::Declaration || it.kind.is_class_member();
    site.children.iter().enumerate().filter(move |(_, it)| !is_named(it)).map(|(index, _)| index)
}

/// The name of a class expression is known only in its text: classes that were made before go on without it, or with another one.
fn adopt_name(old: &Site, new: &mut Site, rev: Rev) {
    if new.kind != SiteKind::ClassExpression {
        return;
    }
    new.own_names.clone_from(&old.own_names);
    let name = |it: &Site| it.has_own_name.then(|| Box::from(it.name.as_str()));
    let (before, now) = (name(old), name(new));
    if before != now {
        new.since = rev;
        new.own_names.extend(before.into_iter().chain(now));
    }
}

/// Numbers a tree that has no past.
pub fn number(site: &mut Site, ids: &mut Ids) {
    site.id = ids.fresh();
    for child in &mut site.children {
        number(child, ids);
    }
    name_privates(site);
}

/// Notes which methods and accessors the `#private` names of a class stand for.
fn name_privates(class: &mut Site) {
    for private in &mut class.privates {
        let members = class.children.iter().filter(|it| it.kind.is_class_member());
        let same = members.filter(|it| it.name.strip_prefix('#') == Some(&*private.name));
        private.sites = same.map(|it| it.id).collect();
        private.sites.sort_unstable();
    }
}

fn adopt_privates(old: &Site, new: &mut Site, rev: Rev) {
    name_privates(new);
    for private in &mut new.privates {
        private.since = rev;
        if let Some(before) = old.privates.iter().find(|it| it.is_same(private)) {
            private.since = before.since;
            private.gaps.clone_from(&before.gaps);
            private.gaps.extend(before.gone.map(|it| (it, rev)));
        }
    }
    let gone = old.privates.iter().filter(|it| !new.privates.iter().any(|now| now.name == it.name));
    let gone: Vec<Private> = gone.map(|it| Private { gone: it.gone.or(Some(rev)), ..it.clone() }).collect();
    new.privates.extend(gone);
}

/// The sites whose text differs between `old` and `new`, outermost first. Identities must have been adopted.
pub(crate) fn changed(old: &Site, new: &Site, veils: &[Veil]) -> Vec<Changed> {
    let mut found = Vec::new();
    compare(old, new, &mut veils.to_vec(), &mut Vec::new(), &mut found);
    found
}

/// Gives whether what is around has to be made anew with it.
fn compare(old: &Site, new: &Site, veils: &mut Vec<Veil>, path: &mut Vec<usize>, found: &mut Vec<Changed>) -> bool {
    if old.deep == new.deep {
        return false;
    }
    let place = found.len();
    let by_id: FxHashMap<SiteId, &Site> = old.children.iter().chain(&old.ghosts).map(|it| (it.id, it)).collect();
    // What makes functions has to make others where those that it made can't become what they are now.
    let makes_others = new.children.iter().any(|it| match by_id.get(&it.id) {
        Some(before) => loses_async(before, it),
        None => new.kind.is_class(),
    });
    let mut own = old.shell != new.shell || makes_others;
    let around = veils.len();
    veils.extend(old.veil());
    for (index, child) in new.children.iter().enumerate() {
        if let Some(before) = by_id.get(&child.id) {
            path.push(index);
            own |= compare(before, child, veils, path, found);
            path.pop();
        }
    }
    veils.truncate(around);
    let is_veiled = own && new.is_veiled(veils);
    if own && new.kind != SiteKind::Module {
        // Before what is in it.
        found.insert(place, Changed { id: new.id, path: path.clone(), own, is_veiled });
    }
    is_veiled
}

/// For each child of `new` the index of its counterpart among the children of `old`, or behind these among its ghosts.
fn pair_children(old: &Site, new: &Site, same: &[(u32, usize)]) -> Vec<Option<usize>> {
    let same_shape = shape(old) == shape(new);
    let same_places = same_shape && old.children.len() == new.children.len();
    if same_places && old.kind != SiteKind::Module && !old.kind.is_class() {
        return (0..new.children.len()).map(Some).collect();
    }
    let all: Vec<&Site> = old.children.iter().chain(&old.ghosts).collect();
    let living = old.children.len();
    let mut pairs = Pairs { taken: vec![false; all.len()], of: vec![None; new.children.len()], old: &all, new };
    let same: FxHashMap<u32, usize> = same.iter().copied().collect();
    for child in 0..new.children.len() {
        if let Some(index) = same.get(&new.child_start(child)) {
            pairs.take(child, *index);
        }
    }
    // What the same text around them made at one place was made of whatever stands there.
    if same_shape {
        for (child, index) in placed(new).zip(placed(old)) {
            if kind_of(all[index]) == kind_of(&new.children[child]) {
                pairs.take(child, index);
            }
        }
    } else if let Some(before) = old.shapes.iter().find(|it| it.hash == shape(new)) {
        let by_id: FxHashMap<SiteId, usize> = all.iter().enumerate().map(|(index, it)| (it.id, index)).collect();
        for (child, id) in placed(new).zip(&before.ids) {
            if let Some(index) = by_id.get(id).filter(|it| key(all[**it]) == key(&new.children[child])) {
                pairs.take(child, *index);
            }
        }
    }
    // The same text under the same name first, then the same name: in order, each used once.
    pairs.by(0..living, |it| (key(it), it.deep));
    pairs.by(living..all.len(), |it| (key(it), it.deep));
    pairs.by(0..living, |it| (key(it), 0));
    if old.kind != SiteKind::Module && !old.kind.is_class() {
        // What a guard passes on is enough for a function of the same name in another form, and for one that is given to another callee.
        pairs.by_some(0..living, other_form);
        pairs.by_some(0..living, |it| Some((kind_of(it), it.deep, argument(it)?)));
        pairs.renamed(0..living);
    }
    let Pairs { mut taken, mut of, .. } = pairs;
    for (pair, child) in of.iter_mut().zip(&new.children) {
        pair.take_if(|it| is_made_anew(all[*it], child));
    }
    // Of what is gone the newest, from the last on: what went together comes back in its order.
    for (pair, child) in of.iter_mut().zip(&new.children).rev().filter(|it| it.0.is_none()) {
        let fits = |it: &usize| !taken[*it] && key(all[*it]) == key(child) && !is_made_anew(all[*it], child);
        let found = (living..all.len()).rev().find(fits);
        found.iter().for_each(|it| taken[*it] = true);
        *pair = found;
    }
    of
}

/// The name of a function that can be declared in another way and still be the same: guards pass everything on but `this`.
fn other_form(site: &Site) -> Option<&str> {
    let is_function = matches!(site.kind, SiteKind::Declaration | SiteKind::Expression | SiteKind::Arrow);
    let can_become = is_function && !site.is_generator && !site.uses_this && !site.has_own_name;
    (can_become && !site.name.is_empty()).then_some(site.name.as_str())
}

/// Which argument of a call a function is.
fn argument(site: &Site) -> Option<&str> {
    let is_value = matches!(site.kind, SiteKind::Expression | SiteKind::Arrow) && !site.has_own_name;
    site.name.rsplit_once('#').filter(|_| is_value).map(|it| it.1)
}

/// Which sites of an old text those of a new one are, as far as that is decided.
struct Pairs<'s> {
    old: &'s [&'s Site],
    new: &'s Site,
    taken: Vec<bool>,
    of: Vec<Option<usize>>,
}

impl<'s> Pairs<'s> {
    fn take(&mut self, child: usize, index: usize) {
        if self.of[child].is_none() && !self.taken[index] {
            self.taken[index] = true;
            self.of[child] = Some(index);
        }
    }

    fn by<K: std::hash::Hash + Eq>(&mut self, range: std::ops::Range<usize>, key: impl Fn(&'s Site) -> K) {
        self.by_some(range, |it| Some(key(it)));
    }

    /// As [`Pairs::by`], but for those without a key.
    fn by_some<K: std::hash::Hash + Eq>(&mut self, range: std::ops::Range<usize>, key: impl Fn(&'s Site) -> Option<K>) {
        let mut free: FxHashMap<K, Vec<usize>> = FxHashMap::default();
        for index in range.rev().filter(|it| !self.taken[*it]) {
            if let Some(key) = key(self.old[index]) {
                free.entry(key).or_default().push(index);
            }
        }
        for (child, site) in self.new.children.iter().enumerate() {
            if self.of[child].is_none()
                && let Some(index) = key(site).and_then(|it| free.get_mut(&it)).and_then(Vec::pop)
            {
                self.take(child, index);
            }
        }
    }

    /// What differs from one that is gone only in its name is that one, if there is no other.
    fn renamed(&mut self, range: std::ops::Range<usize>) {
        for child in 0..self.of.len() {
            if self.of[child].is_some() {
                continue;
            }
            let it = essence(&self.new.children[child]);
            let is_alone = (0..self.of.len())
                .all(|other| other == child || self.of[other].is_some() || essence(&self.new.children[other]) != it);
            let mut same = range.clone().filter(|other| !self.taken[*other] && essence(self.old[*other]) == it);
            if let (true, Some(found), None) = (is_alone, same.next(), same.next()) {
                self.take(child, found);
            }
        }
    }
}

/// A function that was async gives promises whatever it runs, and a private method can't be taken from a class for another one.
fn is_made_anew(old: &Site, new: &Site) -> bool {
    new.kind.is_class_member() && new.name.starts_with('#') && loses_async(old, new)
}

/// Whether something of the same name went from the text around, for which `site` can't stand.
pub(crate) fn is_left_behind(around: &Site, site: &Site) -> bool {
    let has_none = around.kind == SiteKind::Module || around.kind.is_class() || site.name.is_empty();
    !has_none && around.ghosts.iter().any(|it| it.name == site.name && kind_of(it) != kind_of(site))
}

/// Whether functions made of the old text can't be what the new text says: they go on giving promises.
pub fn loses_async(old: &Site, new: &Site) -> bool {
    old.is_async && !new.is_async
}

/// What is equal for two functions or classes that differ at most in their own name. Only code with an own name is handed the function
/// that it is.
fn essence(site: &Site) -> impl PartialEq {
    let is_named = site.kind == SiteKind::Expression && site.has_own_name;
    (kind_of(site), is_named, site.gist, site.below)
}

type Nature = (bool, bool, bool, bool);
type Key<'s> = ((SiteKind, super::Access, Nature), &'s str);

/// Whether it is a generator, and an async one: what generators give can't be passed on by functions of another kind. And whether its
/// guard hands over a `super`. And whether it says "use strict": the guard of a sloppy function has another `this` to pass on.
fn nature(site: &Site) -> Nature {
    (site.is_generator, site.is_generator && site.is_async, site.uses_super, site.says_strict)
}

fn kind_of(site: &Site) -> (SiteKind, super::Access, Nature) {
    (site.kind, site.access, nature(site))
}

fn key(site: &Site) -> Key<'_> {
    (kind_of(site), site.name.as_str())
}

/// Marks `site` and everything in it as new at `rev`.
pub fn stamp(site: &mut Site, rev: Rev) {
    site.changed = rev;
    for child in &mut site.children {
        stamp(child, rev);
    }
}
