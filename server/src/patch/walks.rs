//! Ways through a tree of sites: to a site and back, and to the functions that an edit elsewhere concerns.

use super::*;

pub(super) fn find(site: &Site, id: SiteId) -> Option<&Site> {
    if site.id == id && site.kind != SiteKind::Module {
        return Some(site);
    }
    site.children.iter().chain(&site.ghosts).find_map(|it| find(it, id))
}

pub(super) type Late = FxHashMap<Box<str>, SiteId>;

/// The `#private` names that objects may lack, of the classes around the site at `path`.
pub(super) fn late_around(root: &Site, path: &[usize]) -> Late {
    let mut late = Late::default();
    let mut site = root;
    for index in path {
        // What an inner class declares hides what the outer ones do.
        site.privates.iter().filter(|it| it.gone.is_none()).for_each(|it| {
            late.remove(&it.name);
        });
        late.extend(site.late_privates().map(|it| (it.name.clone(), site.id)));
        site = &site.children[*index];
    }
    late
}

/// Names that code of a class may use and that older classes lack, which do not take over its text; with the revision up to which
/// they do.
pub(super) type Lacks = Vec<(Rev, String)>;

/// What classes around the site at `path` may lack.
pub(super) fn lacks_around(root: &Site, path: &[usize]) -> Lacks {
    let around = (0..path.len()).map(|it| root.at(&path[..it])).filter(|it| it.apart > 0);
    around.flat_map(|class| lacks(class).into_iter().map(|it| (class.scope_rev, it))).collect()
}

fn lacks(class: &Site) -> Vec<String> {
    let members = class.children.iter().filter(|it| it.kind.is_class_member() && it.born >= class.apart);
    let members = members.map(|it| it.name.trim_matches(['[', ']']).to_owned());
    let privates = class.late_privates().filter(|it| it.newest() >= class.apart).map(|it| format!("#{}", it.name));
    members.chain(privates).collect()
}

/// The first of these names that a text mentions.
pub(super) fn lacked<'l>(text: &str, lacks: &'l [(Rev, String)]) -> Option<&'l (Rev, String)> {
    lacks.iter().find(|(_, name)| mentions(text, name) > 0)
}

/// How often a text has a name, as far as a search can tell.
pub(super) fn mentions(text: &str, name: &str) -> usize {
    let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '$');
    let is_whole = |at: usize| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part);
    text.match_indices(name).filter(|(at, _)| !name.is_empty() && is_whole(*at)).count()
}

/// Classes that take over their text again: functions in them that older ones could not run.
pub(super) fn of_classes_again(site: &Site, before: &Site, changes: &mut Vec<diff::Changed>) {
    let mut found = Vec::new();
    for change in changes.iter() {
        let class = site.at(&change.path);
        if class.apart > 0 && find_or_self(before, change.id).is_some_and(|it| it.apart > 0) {
            waiting(class, &mut change.path.clone(), &mut found);
        }
    }
    found.retain(|it| !changes.iter().any(|known| known.id == it.id));
    changes.append(&mut found);
}

fn find_or_self(site: &Site, id: SiteId) -> Option<&Site> {
    if site.id == id { Some(site) } else { find(site, id) }
}

fn waiting(site: &Site, path: &mut Vec<usize>, found: &mut Vec<diff::Changed>) {
    for (index, child) in site.children.iter().enumerate() {
        path.push(index);
        if child.scope_rev != 0 {
            found.push(diff::Changed { id: child.id, path: path.clone(), own: true, is_veiled: false });
        }
        waiting(child, path, found);
        path.pop();
    }
}

/// The veils of the sites around the one at `path`.
pub(super) fn veils_around(root: &Site, path: &[usize]) -> Vec<Veil> {
    let around = (0..path.len()).map(|it| root.at(&path[..it]));
    around.filter_map(Site::veil).collect()
}

/// Where the site with this id stands.
pub(super) fn path_to(site: &Site, id: SiteId) -> Option<Vec<usize>> {
    site.children.iter().enumerate().find_map(|(index, child)| {
        if child.id == id {
            return Some(vec![index]);
        }
        let mut path = path_to(child, id)?;
        path.insert(0, index);
        Some(path)
    })
}

/// Where the site at `path` starts, relative to the start of `site`.
pub(super) fn offset(site: &Site, path: &[usize]) -> u32 {
    let mut at = site;
    let mut sum = 0;
    for index in path {
        sum += at.child_start(*index);
        at = &at.children[*index];
    }
    sum
}

/// Brings the hashes of the ancestors of the site at `path` up to date, whose own was `before`. Gives what that of `site` was.
pub(super) fn rehash(site: &mut Site, path: &[usize], before: u64) -> u64 {
    let Some((first, rest)) = path.split_first() else { return before };
    let child_before = rehash(&mut site.children[*first], rest, before);
    let own_before = site.deep;
    crate::sites::tree::exchange(site, *first, child_before);
    own_before
}

pub(super) fn numbers(site: &Site) -> Vec<SiteId> {
    let mut list = Vec::new();
    site.walk(0, &mut |it, _| list.push(it.id));
    list
}

/// Whether every name that both top levels have stands for the same thing.
pub(super) fn same_binds(old: &Scope, new: &Scope) -> bool {
    new.names.iter().all(|(name, bind)| old.names.get(name).is_none_or(|it| it == bind))
}

/// Functions whose text is the same but that name what was just added: until now they meant a global, or nothing.
pub(super) fn uses_of(site: &Site, added: &[String], path: &mut Vec<usize>, changes: &mut Vec<diff::Changed>) {
    if added.is_empty() {
        return;
    }
    let uses = site.kind != SiteKind::Module && added.iter().any(|it| site.free.iter().any(|free| **free == **it));
    if uses && !changes.iter().any(|it| it.id == site.id) {
        changes.push(diff::Changed { id: site.id, path: path.clone(), own: true, is_veiled: false });
    }
    for (index, child) in site.children.iter().enumerate() {
        path.push(index);
        uses_of(child, added, path, changes);
        path.pop();
    }
}

/// Functions whose text is the same but that use a `#private` name which means something else now. `text` is that of `site`.
pub(super) fn uses_of_privates(site: &Site, text: &str, rev: Rev, changes: &mut Vec<diff::Changed>) {
    let mut found = Vec::new();
    for change in changes.iter() {
        let class = site.at(&change.path);
        let late: Vec<String> =
            class.late_privates().filter(|it| it.since == rev).map(|it| format!("#{}", it.name)).collect();
        if late.is_empty() {
            continue;
        }
        let mut paths: Vec<Vec<usize>> = vec![change.path.clone()];
        while let Some(path) = paths.pop() {
            for index in 0..site.at(&path).children.len() {
                let mut inner = path.clone();
                inner.push(index);
                let it = site.at(&inner);
                let start = offset(site, &inner) as usize;
                let is_use = late.iter().any(|name| text[start..start + it.len as usize].contains(name.as_str()));
                if is_use && it.born != rev {
                    found.push(diff::Changed { id: it.id, path: inner.clone(), own: true, is_veiled: false });
                    paths.push(inner);
                }
            }
        }
    }
    for it in found {
        if !changes.iter().any(|known| known.id == it.id) {
            changes.push(it);
        }
    }
}

pub(super) fn order_of(root: &Site) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    root.walk(0, &mut |it, _| it.id.hash(&mut hasher));
    hasher.finish()
}

pub(super) fn empty_site() -> Site {
    crate::sites::tree::build("", &[], &[], &[], &crate::sites::collect::Seen::default(), 0, 0).root
}
