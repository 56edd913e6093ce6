//! Changes of the top level that need no new run of the module: declarations added, removed, or with other pure values.

use rustc_hash::FxHashMap;

use crate::compile::{
    self, Binding, DEFAULT, Export, Form, Item, ItemKind, Made, Module, Options, StaticField, Use, compile_module,
    own_key,
};
use crate::sites::collect::{is_identifier, quoted};
use crate::sites::diff::Ids;
use crate::sites::{Rev, Site, SiteId, SiteKind};

use super::cuts::Cuts;
use super::matching::{unmatched, unmatched_unordered};
use super::renames::{Rename, child_at};
use super::{Reason, Step, Top};

/// What changed, as indexes into the items of the old and the new text.
pub(super) struct Soft {
    added: Vec<usize>,
    /// Declarations of the same name whose value differs: old, new.
    changed: Vec<(Item, usize)>,
    /// With the hashes of what declared them.
    removed: Vec<(String, u64)>,
    /// Pure declarations that read a changed value, in the order in which they stand.
    dependants: Vec<usize>,
    exports: Vec<Export>,
    /// Added `export * from`.
    stars: Vec<String>,
    renames: Vec<Rename>,
    /// As in [`Ids`].
    same: Vec<(u32, usize)>,
    /// What people have to know of it.
    pub(super) note: Option<Reason>,
}

/// The top level that pages run: in `renamed`, with the names that the new text has for it.
pub(super) struct Before<'b> {
    pub(super) items: &'b [Item],
    /// The text of the items.
    pub(super) source: String,
    pub(super) exports: &'b [Export],
    pub(super) stars: &'b [String],
    pub(super) names: &'b [Rename],
    pub(super) same: &'b [(u32, usize)],
    pub(super) root: &'b Site,
    /// Where its statements start.
    pub(super) cuts: &'b Cuts,
}

/// The difference between two top levels, if all of it can be taken over; else why not, where that is not plain.
pub(super) fn soften(before: &Before<'_>, module: &Module, source: &str) -> Result<Soft, Option<Reason>> {
    let old = before.items;
    if matches!(module.flavour, crate::sites::collect::Flavour::Classic(_)) {
        return Err(None);
    }
    let new = &module.items;
    let is_function = |it: &&(usize, &Item)| it.1.kind == ItemKind::Function;
    let numbered = |list: &[Item]| list.iter().enumerate().map(|(index, it)| (index, it.clone())).collect::<Vec<_>>();
    let (old_list, new_list) = (numbered(old), numbered(new));
    let (old_refs, new_refs): (Vec<_>, Vec<_>) =
        (old_list.iter().map(|it| (it.0, &it.1)).collect(), new_list.iter().map(|it| (it.0, &it.1)).collect());
    let rest =
        |list: &[(usize, &Item)]| -> Vec<usize> { list.iter().filter(|it| !is_function(it)).map(|it| it.0).collect() };
    let functions =
        |list: &[(usize, &Item)]| -> Vec<usize> { list.iter().filter(is_function).map(|it| it.0).collect() };
    let (mut gone, mut come) = unmatched(old, new, &rest(&old_refs), &rest(&new_refs));
    let (gone_functions, come_functions) = unmatched_unordered(old, new, &functions(&old_refs), &functions(&new_refs));

    let (mut gone_functions, mut come_functions) = (gone_functions, come_functions);
    let mut same = before.same.to_vec();
    let matched =
        |list: Vec<usize>, others: &[usize]| list.into_iter().filter(|it| !others.contains(it)).collect::<Vec<_>>();
    same.extend(in_place(before, module, &matched(rest(&old_refs), &gone), &matched(rest(&new_refs), &come)));
    same.extend(other_forms(before, old, module, &mut gone_functions, &mut come));
    same.extend(other_forms(before, old, module, &mut gone, &mut come_functions));
    same.extend(other_forms(before, old, module, &mut gone, &mut come));
    let mut changed = Vec::new();
    come.retain(|index| {
        let item = &new[*index];
        let found = gone.iter().position(|it| old[*it].kind == item.kind && old[*it].names == item.names);
        let Some(position) = found else { return true };
        let old_item = &old[gone[position]];
        // A constant of the loaded text that nothing assigns can be written.
        let same_form = old_item.bindings.len() == item.bindings.len() && !old_item.is_fixed;
        let fits = item.kind == ItemKind::Variable
            && !item.is_shared
            && !old_item.is_shared
            && same_form
            && old_item.is_pure
            && item.is_pure
            && !item.bindings.is_empty();
        let fits = fits || has_other_statics(before, gone[position], module, source, *index);
        if fits {
            changed.push((old_item.clone(), *index));
            gone.remove(position);
        }
        !fits
    });
    come.extend(come_functions);
    gone.extend(gone_functions);
    // What is exported is compared by itself.
    come.retain(|it| !new[*it].is_list);
    gone.retain(|it| !old[*it].is_list);
    come.sort_unstable();
    let can_come = |item: &Item| match item.kind {
        ItemKind::Import => item.hash != 1 && item.start != item.end,
        ItemKind::Export | ItemKind::Statement => false,
        _ => item.is_addable && !item.is_shared && !item.bindings.is_empty(),
    };
    let can_go = |item: &Item| match item.kind {
        _ if item.is_shared => false,
        ItemKind::Import => true,
        ItemKind::Export | ItemKind::Statement => false,
        ItemKind::Function | ItemKind::Class => item.is_addable,
        ItemKind::Variable => item.is_pure && !item.bindings.is_empty(),
    };
    if !come.iter().all(|it| can_come(&new[*it])) || !gone.iter().all(|it| can_go(&old[*it])) {
        return Err(None);
    }
    // A name that stays but is declared in another way can't be taken over; an import may stand with others than before.
    let names = |list: &[Item], indexes: &[usize], imports: bool| -> Vec<String> {
        let kept = indexes.iter().filter(|it| (list[**it].kind == ItemKind::Import) == imports);
        kept.flat_map(|it| list[*it].names.clone()).collect()
    };
    let (gone_names, come_names) = (names(old, &gone, false), names(new, &come, false));
    if come_names.iter().any(|it| gone_names.contains(it)) {
        return Err(None);
    }
    let staying = names(new, &come, true);
    let mut removed = names(old, &gone, true);
    removed.retain(|it| !staying.contains(it));
    removed.extend(gone_names);
    let declaration = |name: &String| gone.iter().find(|it| old[**it].names.contains(name)).map(|it| old[*it].hash);
    let with_declaration = |it: String| {
        let hash = declaration(&it).unwrap_or_default();
        (it, hash)
    };
    let removed = removed.into_iter().map(with_declaration).collect();
    let exports = added_exports(before, &module.exports).ok_or(None)?;
    if !before.stars.iter().all(|it| module.stars.contains(it)) {
        return Err(None);
    }
    let stars = module.stars.iter().filter(|it| !before.stars.contains(it)).cloned().collect();
    let mut stale = Stale::default();
    for (old_item, index) in &changed {
        if new[*index].kind == ItemKind::Class {
            let text = |source: &str, at: (u32, u32)| source[at.0 as usize..at.1 as usize].to_owned();
            let fields = old_item.statics.iter().zip(&new[*index].statics);
            let other = fields.filter(|(a, b)| text(&before.source, a.value) != text(source, b.value));
            let fields: Vec<&StaticField> = other.map(|it| it.1).collect();
            stale.add_fields(&new[*index], &fields);
            continue;
        }
        for (before, binding) in old_item.bindings.iter().zip(&new[*index].bindings) {
            stale.add(binding, before.made == binding.made);
        }
    }
    let mut note = None;
    let mut dependants = Vec::new();
    for (index, item) in new.iter().enumerate() {
        if come.contains(&index) || changed.iter().any(|(_, it)| *it == index) {
            continue;
        }
        let follow: Vec<&StaticField> =
            item.statics.iter().filter(|it| it.reads.iter().any(|it| stale.has(it))).collect();
        if !follow.is_empty() {
            stale.add_fields(item, &follow);
            dependants.push(index);
        }
        let Some(used) = stale.used_by(item) else { continue };
        if item.kind == ItemKind::Variable && item.is_pure && !item.is_shared && !item.bindings.is_empty() {
            item.bindings.iter().for_each(|it| stale.add(it, true));
            dependants.push(index);
        } else {
            // What the program writes is state: its first value counts for little.
            let reason = used_before(&changed, new, item, used, source);
            if !stale.is_state(used) {
                return Err(Some(reason));
            }
            note.get_or_insert(reason);
        }
    }
    // A class that was made has the keys that it was made with.
    let are_keys = stale.names().any(|it| module.keys.contains(it));
    let renames = before.names.to_vec();
    if are_keys {
        return Err(None);
    }
    Ok(Soft { added: come, changed, removed, dependants, exports, stars, renames, same, note })
}

/// The variables that have other values than before.
#[derive(Default)]
struct Stale {
    values: Vec<String>,
    /// Objects and lists, which stay the same ones.
    containers: Vec<String>,
    /// Those that the program writes.
    states: Vec<String>,
    /// Static fields with other values, with their classes.
    fields: Vec<(String, String)>,
}

impl Stale {
    fn add(&mut self, binding: &Binding, stays: bool) {
        let list = if stays && binding.made != Made::Value { &mut self.containers } else { &mut self.values };
        list.push(binding.name.clone());
        if binding.is_assigned {
            self.states.push(binding.name.clone());
        }
    }

    fn add_fields(&mut self, class: &Item, fields: &[&StaticField]) {
        for field in fields {
            self.fields.extend(class.names.iter().map(|it| (it.clone(), field.name.clone())));
        }
    }

    /// The first of them that a statement made something of which is older now.
    fn used_by<'i>(&self, item: &'i Item) -> Option<&'i str> {
        // Static fields get their new values by themselves.
        let follows = |use_: &Use| item.statics.iter().any(|it| (it.value.0..it.value.1).contains(&use_.at));
        let has_other_field = |it: &Use| {
            let Some(member) = &it.member else { return false };
            self.fields.iter().any(|(class, field)| *class == it.name && (field == member || member.is_empty()))
        };
        let has_other = |it: &Use| {
            let is_container = !it.is_passed && self.containers.contains(&it.name);
            self.values.contains(&it.name) || is_container || has_other_field(it)
        };
        let is_stale = |it: &&Use| has_other(it) && !follows(it);
        let used = item.uses.iter().filter(is_stale).max_by_key(|it| !self.is_state(&it.name));
        used.map(|it| it.name.as_str())
    }

    fn is_state(&self, name: &str) -> bool {
        self.states.iter().any(|it| it == name)
    }

    fn has(&self, name: &str) -> bool {
        self.names().chain(self.fields.iter().map(|it| it.0.as_str())).any(|it| it == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().chain(&self.containers).map(String::as_str)
    }
}

/// Why a statement would do something else if it ran now.
fn used_before(changed: &[(Item, usize)], new: &[Item], item: &Item, name: &str, source: &str) -> Reason {
    let of = changed.iter().map(|(_, it)| &new[*it]).find(|it| it.names.iter().any(|it| it == name));
    let (start, end) = of.map_or((item.start, item.end), |it| (it.start, it.end));
    let line = source[..item.start as usize].matches('\n').count() + 1;
    let message = format!(
        "the statement in line {line} ran with another value of `{name}`, and has to run again for the new one"
    );
    Reason { code: "variable", message, start, end }
}

/// The exports that `new` has and pages lack; `None` when anything else about the exports changed. What is renamed keeps its old export
/// beside the new one: who imports it may not know the new name yet.
fn added_exports(before: &Before<'_>, new: &[Export]) -> Option<Vec<Export>> {
    let name_of = |value: &str| before.names.iter().find(|it| it.from == value).map(|it| it.to.clone());
    let kept = before.exports.iter().all(|it| match name_of(&it.value) {
        Some(value) => new.iter().any(|now| now.value == value),
        None => new.contains(it),
    });
    let is_there = |it: &Export| before.exports.iter().any(|old| old.name == it.name);
    kept.then(|| new.iter().filter(|it| !is_there(it)).cloned().collect())
}

/// Whether a class differs from what it was only in the values of static fields.
fn has_other_statics(before: &Before<'_>, old: usize, module: &Module, source: &str, new: usize) -> bool {
    let (old_item, item) = (&before.items[old], &module.items[new]);
    let pairs = || old_item.statics.iter().zip(&item.statics);
    let same_names = old_item.statics.len() == item.statics.len() && pairs().all(|(a, b)| a.name == b.name);
    if item.kind != ItemKind::Class || item.is_shared || !same_names {
        return false;
    }
    let mut text = before.source.clone();
    for (a, b) in pairs().rev() {
        text.replace_range(a.value.0 as usize..a.value.1 as usize, &source[b.value.0 as usize..b.value.1 as usize]);
    }
    let options = Options { flavour: Some(module.flavour), ..Options::default() };
    let compiled = compile_module(&text, options, None, &mut Ids::default());
    compiled.is_ok_and(|it| it.items.get(old).is_some_and(|it| it.hash == item.hash))
}

/// Takes out of both lists what is the same function under the same name, declared in another way, and gives their sites.
fn other_forms(
    before: &Before<'_>,
    old: &[Item],
    module: &Module,
    gone: &mut Vec<usize>,
    come: &mut Vec<usize>,
) -> Vec<(u32, usize)> {
    let mut same = Vec::new();
    come.retain(|index| {
        let item = &module.items[*index];
        let found = gone.iter().position(|it| {
            let old = &old[*it];
            let (Some(a), Some(b)) = (form_of(old), form_of(item)) else { return false };
            old.names == item.names && a.can_become(b)
        });
        let Some(found) = found else { return true };
        let named = before.root.children.iter().enumerate().filter(|(_, it)| {
            let is_function = matches!(it.kind, SiteKind::Declaration | SiteKind::Expression | SiteKind::Arrow);
            is_function && it.name == item.names[0]
        });
        let named: Vec<usize> = named.map(|it| it.0).collect();
        let ([child], Some((start, _))) = (named.as_slice(), item.bindings[0].value) else { return true };
        // One that no guard can stand in can't take over.
        if child_at(&module.root, start).is_none() {
            return true;
        }
        same.push((start, *child));
        gone.remove(found);
        false
    });
    same
}

/// The functions of statements that stay, which ran and do not run again: what stands at a place now is what was made there. `old` and
/// `new` are these statements, in the same order.
fn in_place(before: &Before<'_>, module: &Module, old: &[usize], new: &[usize]) -> Vec<(u32, usize)> {
    let (old_places, new_places) =
        (places(before.root, before.cuts), places(&module.root, &Cuts::new(&module.items, module.root.len)));
    let mut same = Vec::new();
    for (a, b) in old.iter().zip(new) {
        let (Some(a), Some(b)) = (old_places.get(a), new_places.get(b)) else { continue };
        if a.len() == b.len() {
            same.extend(a.iter().zip(b).map(|(a, b)| (module.root.child_start(*b), *a)));
        }
    }
    same
}

/// The functions that each statement makes, but for those that it declares.
fn places(root: &Site, cuts: &Cuts) -> FxHashMap<usize, Vec<usize>> {
    let mut found: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for (index, _) in root.children.iter().enumerate().filter(|(_, it)| it.kind != SiteKind::Declaration) {
        found.entry(cuts.number_at(root.child_start(index)).0).or_default().push(index);
    }
    found
}

fn form_of(item: &Item) -> Option<Form> {
    let [binding] = item.bindings.as_slice() else { return None };
    binding.form.filter(|_| !item.is_shared)
}

impl Soft {
    /// Whether a name that goes gives way to one that pages have anyway: running code would go on with what it hid.
    pub(super) fn uncovers(&self, module: &Module) -> bool {
        let is_used = |name: &String| module.unresolved.iter().any(|it| **it == **name);
        self.removed.iter().any(|(it, _)| is_used(it) && crate::globals::is_known(it))
    }

    /// Why the page keeps what it has: a value reads a name that is new and that nothing declares, as while one is typed.
    pub(super) fn unresolved(&self, module: &Module, before: &[Box<str>]) -> Option<Reason> {
        let is_new = |name: &&String| {
            let is_free = module.unresolved.iter().any(|it| **it == **name);
            is_free && !before.iter().any(|it| **it == **name) && !crate::globals::is_known(name)
        };
        let made = self.added.iter().chain(self.changed.iter().map(|(_, index)| index));
        made.map(|it| &module.items[*it]).find_map(|item| {
            let name = item.reads.iter().find(is_new)?;
            let message = format!("`{name}` is declared nowhere: the page keeps the last good value until it is");
            Some(Reason { code: "unresolved", message, start: item.start, end: item.end })
        })
    }

    /// The names that the new text declares and the old one did not.
    pub(super) fn added_names(&self, module: &Module) -> Vec<String> {
        let added = self.added.iter().flat_map(|it| module.items[*it].names.clone());
        added.chain(self.renames.iter().map(|it| it.to.clone())).collect()
    }

    /// Notes in `ids` which names patches now reach through the overlay. `before` is what the old text imports.
    pub(super) fn name(&self, ids: &mut Ids, before: &[String], module: &Module) {
        for index in &self.added {
            let item = &module.items[*index];
            if item.kind != ItemKind::Import {
                item.names.iter().for_each(|it| ids.add_to_overlay(it));
            }
        }
        for specifier in &module.imports {
            // Also one that comes back: the module may have run without it meanwhile.
            if !before.contains(specifier) {
                // Given in the order of the text, as the compiler does.
                let holder = ids.holder(specifier);
                ids.add_to_overlay(&format!("$cap_i{holder}"));
            }
        }
        self.removed.iter().for_each(|(name, declaration)| ids.remove_name(name, *declaration));
        for it in &self.renames {
            if it.is_import {
                ids.remove_name(&it.from, 0);
            } else {
                ids.rename(&it.from, &it.to);
            }
        }
        ids.same.clone_from(&self.same);
    }

    /// Other values of declarations that stay: what the program wrote since is state, and is kept.
    /// What notes the values of before, and the steps with the items that they are of.
    fn new_values(
        &self,
        module: &Module,
        source: &str,
        old: (&str, &Site),
        ids: &Ids,
        rev: Rev,
    ) -> Option<(Step, Vec<(usize, Step)>)> {
        let (old_source, old_root) = old;
        if self.changed.is_empty() {
            return None;
        }
        let guards = module.flavour.guards();
        // Old values are read where the new ones are: by the same way to each name.
        let options = Options { flavour: Some(module.flavour), ..Options::default() };
        let Ok(old_module) = compile_module(old_source, options, Some(old_root), &mut ids.at(rev)) else { return None };
        let text_of = |at: Option<(u32, u32)>, module: &Module, source: &str| {
            at.map_or_else(|| "void 0".to_owned(), |it| module.patch_text(source, it, rev))
        };
        let line_of = |at: u32| source[..at as usize].matches('\n').count() as u32;
        let mut all: Vec<NewValue> = Vec::new();
        let mut mends = Vec::new();
        let mut add = |index: usize, old: Option<&Item>| {
            // Nobody asked for another value of what only follows.
            let is_asked = old.is_some();
            let item = &module.items[index];
            let (before, from, text) = match old {
                Some(old) => (old, &old_module, old_source),
                None => (item, module, source),
            };
            if item.kind == ItemKind::Class {
                let class = &item.names[0];
                let object = target(class, ids, &guards);
                // In its body the class is its own name, and nobody else's there.
                let in_body = |text: String| {
                    if object == *class { text } else { format!("({class}=>({text}))({object})") }
                };
                if object != *class {
                    let text = value_text(&item.bindings[0], module, source, rev);
                    let code = format!("$cap_m.values.mend({},{guards}.o,()=>{{{object}={text}}})", quoted(class));
                    mends.push((index, Step { code, line: line_of(item.start), keeps: None }));
                }
                for (before, field) in before.statics.iter().zip(&item.statics) {
                    all.push(NewValue {
                        index,
                        is_asked,
                        name: format!("{class}.{}", field.name),
                        target: format!("{object}.{}", field.name),
                        before: in_body(text_of(Some(before.value), from, text)),
                        after: in_body(module.patch_text(source, field.value, rev)),
                        line: line_of(field.value.0),
                        is_fixed: false,
                    });
                }
                return;
            }
            for (before, binding) in before.bindings.iter().zip(&item.bindings) {
                let was_const = before.is_const;
                all.push(NewValue {
                    index,
                    is_asked,
                    name: shown(binding),
                    target: target(&binding.name, ids, &guards),
                    before: text_of(before.value, from, text),
                    after: value_text(binding, module, source, rev),
                    line: binding.value.map_or(0, |it| line_of(it.0)),
                    is_fixed: was_const && binding.is_const,
                });
            }
        };
        self.changed.iter().for_each(|(old, index)| add(*index, Some(old)));
        self.dependants.iter().for_each(|index| add(*index, None));
        // The values as they were initialized, all before the first one changes: some are made of others.
        let first: Vec<String> =
            all.iter().map(|it| format!("$cap_m.values.before({},()=>({}))", quoted(&it.name), it.before)).collect();
        let first = Step { code: format!("{guards}.w=[{}]", first.join(",")), line: 0, keeps: None };
        let steps = all.into_iter().enumerate().map(|(number, it)| {
            let NewValue { index, is_asked, name, target, after, line, is_fixed, .. } = it;
            let (key, fixed) = (quoted(&name), u8::from(is_fixed));
            let code = format!(
                "$cap_m.values.change({key},()=>{target},{guards}.w[{number}],()=>({after}),$cap_v=>{{{target}=$cap_v}},{fixed})"
            );
            (index, Step { code, line, keeps: is_asked.then_some(name) })
        });
        // A class that could not be made before its fields are.
        Some((first, mends.into_iter().chain(steps).collect()))
    }

    /// What pages have to run. `module` was compiled with the names of [`Soft::name`].
    pub(super) fn steps(&self, module: &Module, source: &str, old: (&str, &Site), ids: &Ids, rev: Rev) -> Top {
        let guards = module.flavour.guards();
        let line = |at: u32| source[..at as usize].matches('\n').count() as u32;
        let value = |binding: &Binding| value_text(binding, module, source, rev);
        let mut top = Top { removed: self.removed.iter().map(|it| it.0.clone()).collect(), ..Top::default() };
        if !top.removed.is_empty() {
            let names: Vec<String> = top.removed.iter().map(|it| quoted(it)).collect();
            let code = format!("$cap_m.values.gone([{}],{guards}.o)", names.join(","));
            top.steps.push(Step { code, line: 0, keeps: None });
        }
        for it in self.renames.iter().filter(|it| !it.is_import) {
            let Rename { from, to, is_named, .. } = it;
            let (key, old_key, named) = (quoted(to), quoted(from), u8::from(*is_named));
            let code =
                format!("$cap_m.rename({guards}.o,{key},{old_key},()=>{from},$cap_v=>{{{from}=$cap_v}},{named})");
            top.steps.push(Step { code, line: 0, keeps: None });
        }
        let is_late = |holder: u32| ids.overlay().contains(&format!("$cap_i{holder}"));
        for specifier in &module.imports {
            let (holder, _) = ids.known_holder(specifier);
            if is_late(holder) {
                top.imports.push(specifier.clone());
                let name = format!("$cap_i{holder}");
                top.steps.push(Step {
                    code: format!("{guards}.o.{name}=$cap_m.ns({})", quoted(specifier)),
                    line: 0,
                    keeps: None,
                });
            }
        }
        let (first, mut values) = match self.new_values(module, source, old, ids, rev) {
            Some((first, values)) => (Some(first), values),
            None => (None, Vec::new()),
        };
        top.steps.extend(first);
        // Functions are hoisted: they are there before any value is made.
        let (functions, rest): (Vec<&usize>, Vec<&usize>) =
            self.added.iter().partition(|it| module.items[**it].kind == ItemKind::Function);
        for index in functions.into_iter().chain(rest) {
            for binding in &module.items[*index].bindings {
                let name = &binding.name;
                let text = value(binding);
                let code = if module.items[*index].kind == ItemKind::Variable
                    && ids.comes_back(name, module.items[*index].hash)
                {
                    // It was cut here and pasted there: pages that have the variable go on with it.
                    let key = quoted(name);
                    format!(
                        "(()=>{{if({key} in {guards}.o)return;try{{{name};Object.defineProperty({guards}.o,{key},{{configurable:true,get:()=>{name},set($cap_v){{{name}=$cap_v}}}})}}catch{{{guards}.o.{name}={text}}}}})()"
                    )
                } else if ids.is_ghost(name) {
                    // Pages that had the name before it was removed have it still.
                    format!(
                        "(()=>{{const $cap_v={text};try{{{name};{name}=$cap_v;Object.defineProperty({guards}.o,{key},{{configurable:true,get:()=>{name},set($cap_v){{{name}=$cap_v}}}})}}catch{{Object.defineProperty({guards}.o,{key},{{configurable:true,writable:true,value:$cap_v}})}}}})()",
                        key = quoted(name)
                    )
                } else if ids.was_removed(name) {
                    // The variable that had this name is still there, under another one.
                    let key = quoted(name);
                    format!(
                        "Object.defineProperty({guards}.o,{key},{{configurable:true,enumerable:true,writable:true,value:{text}}})"
                    )
                } else {
                    format!("{guards}.o.{name}={text}")
                };
                let is_function = module.items[*index].kind == ItemKind::Function;
                let code = if is_function {
                    code
                } else {
                    format!("$cap_m.values.add({},{guards}.o,()=>{{{code}}})", quoted(&shown(binding)))
                };
                let step = Step { code, line: binding.value.map_or(0, |it| line(it.0)), keeps: None };
                if is_function {
                    top.steps.push(step);
                } else {
                    values.push((*index, step));
                }
            }
        }
        // Added values may be made of changed ones, and these of added ones.
        values.sort_by_key(|it| it.0);
        top.steps.extend(values.into_iter().map(|it| it.1));
        for specifier in &self.stars {
            let code = format!("$cap_m.star({}),$cap_m.exports({{__proto__:null}})", quoted(specifier));
            top.steps.push(Step { code, line: 0, keeps: None });
        }
        if !self.exports.is_empty() {
            let getters: Vec<String> = self
                .exports
                .iter()
                .map(|it| {
                    let first = it.value.split('.').next().unwrap_or_default();
                    let in_overlay = ids.overlay().contains(first);
                    let value = if in_overlay { format!("{guards}.o.{}", it.value) } else { it.value.clone() };
                    format!("{}:()=>{value}", own_key(&it.name))
                })
                .collect();
            let code = format!("$cap_m.exports({{__proto__:null,{}}})", getters.join(","));
            top.steps.push(Step { code, line: 0, keeps: None });
        }
        top
    }
}

/// Another value of a binding or static field that stays.
struct NewValue {
    index: usize,
    is_asked: bool,
    name: String,
    target: String,
    /// Expressions.
    before: String,
    after: String,
    line: u32,
    /// A constant, before and now.
    is_fixed: bool,
}

/// A binding as people know it.
fn shown(binding: &Binding) -> String {
    if binding.name == DEFAULT { "the default export".to_owned() } else { binding.name.clone() }
}

fn target(name: &str, ids: &Ids, guards: &str) -> String {
    if ids.overlay().contains(name) { format!("{guards}.o.{name}") } else { name.to_owned() }
}

/// The step that gives the name of a function which stands at `start` and was async to a new one: its object can only give promises.
/// Where the name cannot be written, a function that is no longer async makes another top level.
pub(super) fn plain_again(module: &Module, source: &str, start: u32, id: SiteId, ids: &Ids, rev: Rev) -> Option<Step> {
    let is_it = |it: &&Binding| it.value.is_some_and(|(from, _)| from == start);
    let binding = module.items.iter().find_map(|it| it.bindings.iter().find(is_it))?;
    let guards = module.flavour.guards();
    let name = target(&binding.name, ids, &guards);
    let text = value_text(binding, module, source, rev);
    let code = format!("$cap_m.plain({name},{id},()=>{text},$cap_v=>{{{name}=$cap_v}})");
    Some(Step { code, line: source[..start as usize].matches('\n').count() as u32, keeps: None })
}

/// An expression for the value of an added or changed binding.
fn value_text(binding: &Binding, module: &Module, source: &str, rev: Rev) -> String {
    let Some((start, end)) = binding.value else { return "void 0".to_owned() };
    let amid = |before: &str, text: &str, after: &str| {
        compile::amid(before, text, after, &source[start as usize..end as usize])
    };
    let key = if binding.name == DEFAULT { quoted("default") } else { quoted(&binding.name) };
    let plain_key = is_identifier(&binding.name) && binding.name != "__proto__";
    if let Some(params) = binding.params {
        let text = module.patch_text(source, (params, end), rev);
        let head = format!(
            "{}function{}",
            if binding.is_async { "async " } else { "" },
            if binding.is_generator { "*" } else { "" }
        );
        let text = compile::headed(&source[start as usize..params as usize], &text);
        return if plain_key {
            amid(&format!("({{{key}:{head}"), &text, &format!("}})[{key}]"))
        } else {
            amid(&format!("({head}"), &text, ")")
        };
    }
    let text = module.patch_text(source, (start, end), rev);
    let classes = module.class_variables(&text);
    // An object's key gives an anonymous function or class its name, as the declaration did.
    let (before, after) =
        if plain_key { (format!("({{{key}:"), format!("}})[{key}]")) } else { ("(".to_owned(), ")".to_owned()) };
    if classes.is_empty() {
        amid(&before, &text, &after)
    } else {
        amid(&format!("(()=>{{{classes}return {before}"), &text, &format!("{after}}})()"))
    }
}
