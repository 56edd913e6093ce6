//! Names of the top level that are another name for what was there before.

use rustc_hash::FxHashSet;

use crate::compile::{Item, ItemKind, Module, Places, compile_module, rename};
use crate::sites::Site;

use super::Program;

/// A top level under the names that the new text has for it.
pub(super) struct Renamed {
    pub(super) names: Vec<Rename>,
    pub(super) source: String,
    pub(super) items: Vec<Item>,
    /// Functions and classes of the new text that are the old ones: where they start, and which children of the old root they are.
    pub(super) same: Vec<(u32, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rename {
    pub(super) from: String,
    pub(super) to: String,
    /// An import: functions do not read it by its name.
    pub(super) is_import: bool,
    /// A function or class, which has the name, too.
    pub(super) is_named: bool,
}

/// A declaration of the old text that may be one of the new text: the items, and the names that differ.
struct Candidate {
    old: usize,
    new: usize,
    names: Vec<(String, String)>,
}

impl Program {
    /// The text of the program with those names that `module` has for the same declarations; `None` if there are none. In a text
    /// that is being changed place by place only the declaration has its new name yet.
    pub(super) fn renamed(&self, module: &Module, source: &str, places: Places) -> Option<Renamed> {
        let (old_names, new_names) = (&self.root.scope.names, &module.root.scope.names);
        let is_gone = |it: &str| old_names.contains_key(it) && !new_names.contains_key(it);
        let is_new = |it: &str| new_names.contains_key(it) && !old_names.contains_key(it);
        if !old_names.keys().any(|it| is_gone(it)) || !new_names.keys().any(|it| is_new(it)) {
            return None;
        }
        let text = self.text.to_string();
        let words = Words { old: &text, new: source };
        let mut candidates = candidates(&self.items, &module.items, &is_gone, &is_new, &words);
        while !candidates.is_empty() {
            let names: Vec<_> = candidates.iter().flat_map(|it| it.names.clone()).collect();
            let renamed_text = rename(&text, self.options, &names, places)?;
            let mut ids = self.ids.at(self.rev);
            let renamed = compile_module(&renamed_text, self.options, Some(&self.root), &mut ids).ok()?;
            let before = candidates.len();
            candidates.retain(|it| is_same(it, &renamed, module, &words, places));
            if candidates.len() == before {
                let plain = compile_module(&text, self.options, Some(&self.root), &mut self.ids.at(self.rev)).ok()?;
                return Some(self.taken(&candidates, &plain, renamed_text, renamed, module));
            }
        }
        None
    }

    /// `plain`: the text of the program with its own names. What is compiled at once may lack sites that the program has: functions
    /// in whose newest text no guard could stand.
    fn taken(
        &self,
        candidates: &[Candidate],
        plain: &Module,
        source: String,
        renamed: Module,
        module: &Module,
    ) -> Renamed {
        let mut names = Vec::new();
        let mut same = Vec::new();
        for it in candidates {
            let new = &module.items[it.new];
            let sites = sites_of(&plain.items[it.old], &self.root, new, &module.root);
            same.extend(sites.iter().map(|it| (it.2, it.0)));
            names.extend(it.names.iter().map(|(from, to)| Rename {
                from: from.clone(),
                to: to.clone(),
                is_import: new.kind == ItemKind::Import,
                is_named: sites.iter().any(|it| module.root.children[it.1].name == *to),
            }));
        }
        Renamed { names, source, items: renamed.items, same }
    }
}

struct Words<'w> {
    old: &'w str,
    new: &'w str,
}

impl Words<'_> {
    /// Whether each place that had the old name has the new one, and no other.
    fn agree(&self, from: &str, to: &str) -> bool {
        count(self.new, from) == 0 && count(self.new, to) == count(self.old, to) + count(self.old, from)
    }

    /// How far a pair is from that.
    fn distance(&self, from: &str, to: &str) -> usize {
        (count(self.old, from) + count(self.old, to)).abs_diff(count(self.new, to) + count(self.new, from))
    }
}

/// How often a text has a word.
fn count(text: &str, word: &str) -> usize {
    let is_part = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == '$');
    let starts = text.match_indices(word);
    let whole = starts.filter(|(at, _)| {
        !is_part(text[..*at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    });
    whole.count()
}

fn candidates(
    old: &[Item],
    new: &[Item],
    is_gone: &dyn Fn(&str) -> bool,
    is_new: &dyn Fn(&str) -> bool,
    words: &Words<'_>,
) -> Vec<Candidate> {
    let mut taken = FxHashSet::default();
    let mut found = Vec::new();
    for (index, item) in new.iter().enumerate().filter(|(_, it)| it.names.iter().any(|it| is_new(it))) {
        let fits = |it: &Item| {
            it.kind == item.kind
                && !it.is_shared
                && !item.is_shared
                && it.names.len() == item.names.len()
                && it.names.iter().zip(&item.names).all(|(a, b)| a == b || is_gone(a) && is_new(b))
        };
        let differing = |it: &Item| -> Vec<(String, String)> {
            it.names.iter().cloned().zip(item.names.iter().cloned()).filter(|(a, b)| a != b).collect()
        };
        let best = old.iter().enumerate().filter(|(at, it)| !taken.contains(at) && fits(it)).min_by_key(|(at, it)| {
            let far: usize = differing(it).iter().map(|(from, to)| words.distance(from, to)).sum();
            (far, at.abs_diff(index))
        });
        if let Some((at, it)) = best {
            taken.insert(at);
            found.push(Candidate { old: at, new: index, names: differing(it) });
        }
    }
    found
}

/// Whether the declarations are the same but for the names.
fn is_same(it: &Candidate, renamed: &Module, module: &Module, words: &Words<'_>, places: Places) -> bool {
    let (Some(old), new) = (renamed.items.get(it.old), &module.items[it.new]) else { return false };
    if new.kind == ItemKind::Import {
        let (old, new) = (&renamed.root.scope.names, &module.root.scope.names);
        return it.names.iter().all(|(_, to)| old.get(to.as_str()) == new.get(to.as_str()));
    }
    let sites = sites_of(old, &renamed.root, new, &module.root);
    let are_same = sites.iter().all(|it| renamed.root.children[it.0].deep == module.root.children[it.1].deep);
    let is_told = places == Places::All && it.names.iter().all(|(from, to)| words.agree(from, to));
    old.kind == new.kind && (old.hash == new.hash && are_same || is_told)
}

/// The functions and classes that are values of both declarations: their numbers in both roots, and where the new one starts.
fn sites_of(old: &Item, old_root: &Site, new: &Item, new_root: &Site) -> Vec<(usize, usize, u32)> {
    let pairs = old.bindings.iter().zip(&new.bindings).filter_map(|(a, b)| Some((a.value?.0, b.value?.0)));
    pairs.filter_map(|(a, b)| Some((child_at(old_root, a)?, child_at(new_root, b)?, b))).collect()
}

/// The child that starts at a place.
pub(super) fn child_at(root: &Site, start: u32) -> Option<usize> {
    (0..root.children.len()).find(|it| root.child_start(*it) == start)
}
