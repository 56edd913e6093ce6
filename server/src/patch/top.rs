//! Changes of the top level that need no new run of the module: declarations added, removed, or with other pure values.

use crate::compile::{Binding, Export, Item, ItemKind, Made, Module, Use};
use crate::sites::Rev;
use crate::sites::collect::{is_identifier, quoted};
use crate::sites::diff::Ids;

use super::{Reason, Step, Top};

/// What changed, as indexes into the items of the old and the new text.
pub(super) struct Soft {
    added: Vec<usize>,
    /// Declarations of the same name whose value differs: old, new.
    changed: Vec<(Item, usize)>,
    removed: Vec<String>,
    /// Pure declarations that read a changed value, in the order in which they stand.
    dependants: Vec<usize>,
    exports: Vec<Export>,
    /// What people have to know of it.
    pub(super) note: Option<Reason>,
}

/// The difference between two top levels, if all of it can be taken over; else why not, where that is not plain.
pub(super) fn soften(
    old: &[Item],
    old_exports: &[Export],
    module: &Module,
    source: &str,
) -> Result<Soft, Option<Reason>> {
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

    let mut changed = Vec::new();
    come.retain(|index| {
        let item = &new[*index];
        let before = gone.iter().position(|it| old[*it].kind == item.kind && old[*it].names == item.names);
        let Some(before) = before else { return true };
        let old_item = &old[gone[before]];
        let same_form = old_item.bindings.len() == item.bindings.len()
            && old_item.bindings.iter().zip(&item.bindings).all(|(a, b)| a.is_const == b.is_const);
        let fits = item.kind == ItemKind::Variable
            && !item.is_shared
            && !old_item.is_shared
            && same_form
            && old_item.is_pure
            && item.is_pure
            && !item.bindings.is_empty();
        if fits {
            changed.push((old_item.clone(), *index));
            gone.remove(before);
        }
        !fits
    });
    come.extend(come_functions);
    gone.extend(gone_functions);
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
    let exports = added_exports(old_exports, &module.exports).ok_or(None)?;
    let mut stale = Stale::default();
    for (old_item, index) in &changed {
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
    if are_keys { Err(None) } else { Ok(Soft { added: come, changed, removed, dependants, exports, note }) }
}

/// The variables that have other values than before.
#[derive(Default)]
struct Stale {
    values: Vec<String>,
    /// Objects and lists, which stay the same ones.
    containers: Vec<String>,
    /// Those that the program writes.
    states: Vec<String>,
}

impl Stale {
    fn add(&mut self, binding: &Binding, stays: bool) {
        let list = if stays && binding.made != Made::Value { &mut self.containers } else { &mut self.values };
        list.push(binding.name.clone());
        if binding.is_assigned {
            self.states.push(binding.name.clone());
        }
    }

    /// The first of them that a statement made something of which is older now.
    fn used_by<'i>(&self, item: &'i Item) -> Option<&'i str> {
        let is_stale =
            |it: &&Use| self.values.contains(&it.name) || !it.is_passed && self.containers.contains(&it.name);
        item.uses.iter().filter(is_stale).max_by_key(|it| !self.is_state(&it.name)).map(|it| it.name.as_str())
    }

    fn is_state(&self, name: &str) -> bool {
        self.states.iter().any(|it| it == name)
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

/// The exports that `new` has and `old` lacks; `None` when anything else about the exports changed.
fn added_exports(old: &[Export], new: &[Export]) -> Option<Vec<Export>> {
    let kept = old.iter().all(|it| new.contains(it));
    kept.then(|| new.iter().filter(|it| !old.contains(it)).cloned().collect())
}

/// Which of two lists, whose order counts, have no counterpart in the other: by the longest common subsequence.
fn unmatched(old: &[Item], new: &[Item], a: &[usize], b: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let same = |x: usize, y: usize| old[x].kind == new[y].kind && old[x].hash == new[y].hash;
    let start = a.iter().zip(b).take_while(|(x, y)| same(**x, **y)).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| same(**x, **y)).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    if a.len() * b.len() > 250_000 {
        return (a.to_vec(), b.to_vec());
    }
    let mut table = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = if same(a[i], b[j]) { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    let (mut gone, mut come, mut i, mut j) = (Vec::new(), Vec::new(), 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && same(a[i], b[j]) {
            i += 1;
            j += 1;
        } else if j == b.len() || i < a.len() && table[i + 1][j] >= table[i][j + 1] {
            gone.push(a[i]);
            i += 1;
        } else {
            come.push(b[j]);
            j += 1;
        }
    }
    (gone, come)
}

fn unmatched_unordered(old: &[Item], new: &[Item], a: &[usize], b: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut gone = a.to_vec();
    let come = b
        .iter()
        .copied()
        .filter(|y| match gone.iter().position(|x| old[*x].hash == new[*y].hash) {
            Some(found) => {
                gone.remove(found);
                false
            }
            None => true,
        })
        .collect();
    (gone, come)
}

impl Soft {
    /// Whether a name that goes gives way to one that pages have anyway: running code would go on with what it hid.
    pub(super) fn uncovers(&self, module: &Module) -> bool {
        let is_used = |name: &String| module.unresolved.iter().any(|it| **it == **name);
        self.removed.iter().any(|it| is_used(it) && crate::globals::is_known(it))
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
        self.added.iter().flat_map(|it| module.items[*it].names.clone()).collect()
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
        self.removed.iter().for_each(|it| ids.remove_name(it));
    }

    /// Other values of declarations that stay: what the program wrote since is state, and is kept.
    fn new_values(&self, module: &Module, source: &str, old_source: &str, ids: &Ids, rev: Rev, top: &mut Top) {
        let guards = module.flavour.guards();
        let text_of = |at: Option<(u32, u32)>, text: &str| {
            at.map_or_else(|| "void 0".to_owned(), |it| text[it.0 as usize..it.1 as usize].to_owned())
        };
        let mut all: Vec<(&Binding, String)> = Vec::new();
        for (old, index) in &self.changed {
            for (before, binding) in old.bindings.iter().zip(&module.items[*index].bindings) {
                all.push((binding, text_of(before.value, old_source)));
            }
        }
        for index in &self.dependants {
            for binding in &module.items[*index].bindings {
                all.push((binding, text_of(binding.value, source)));
            }
        }
        if all.is_empty() {
            return;
        }
        // The values as they were initialized, all before the first one changes: some are made of others.
        let first: Vec<String> = all.iter().map(|(_, text)| format!("({text})")).collect();
        top.steps.push(Step { code: format!("{guards}.w=[{}]", first.join(",")), line: 0, keeps: None });
        for (number, (binding, _)) in all.iter().enumerate() {
            let name = target(&binding.name, ids, &guards);
            let text = value_text(binding, module, source, rev);
            let line = binding.value.map_or(0, |it| source[..it.0 as usize].matches('\n').count() as u32);
            let code = format!("$cap_m.merge({name},{guards}.w[{number}],({text}),$cap_v=>{{{name}=$cap_v}})");
            top.steps.push(Step { code, line, keeps: Some(binding.name.clone()) });
        }
    }

    /// What pages have to run. `module` was compiled with the names of [`Soft::name`].
    pub(super) fn steps(&self, module: &Module, source: &str, old_source: &str, ids: &Ids, rev: Rev) -> Top {
        let guards = module.flavour.guards();
        let line = |at: u32| source[..at as usize].matches('\n').count() as u32;
        let value = |binding: &Binding| value_text(binding, module, source, rev);
        let mut top = Top { removed: self.removed.clone(), ..Top::default() };
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
        // Functions are hoisted: they are there before any value is made.
        let (functions, rest): (Vec<&usize>, Vec<&usize>) =
            self.added.iter().partition(|it| module.items[**it].kind == ItemKind::Function);
        for index in functions.into_iter().chain(rest) {
            for binding in &module.items[*index].bindings {
                let name = &binding.name;
                let text = value(binding);
                let code = if ids.is_ghost(name) {
                    // Pages that had the name before it was removed have it still.
                    format!(
                        "(()=>{{const $cap_v={text};try{{{name};{name}=$cap_v;Object.defineProperty({guards}.o,{key},{{configurable:true,get:()=>{name},set($cap_v){{{name}=$cap_v}}}})}}catch{{Object.defineProperty({guards}.o,{key},{{configurable:true,writable:true,value:$cap_v}})}}}})()",
                        key = quoted(name)
                    )
                } else {
                    format!("{guards}.o.{name}={text}")
                };
                top.steps.push(Step { code, line: binding.value.map_or(0, |it| line(it.0)), keeps: None });
            }
        }
        self.new_values(module, source, old_source, ids, rev, &mut top);
        if !self.exports.is_empty() {
            let getters: Vec<String> = self
                .exports
                .iter()
                .map(|it| {
                    let first = it.value.split('.').next().unwrap_or_default();
                    let in_overlay = ids.overlay().contains(first);
                    let value = if in_overlay { format!("{guards}.o.{}", it.value) } else { it.value.clone() };
                    format!("{}:()=>{value}", quoted(&it.name))
                })
                .collect();
            let code = format!("$cap_m.exports({{__proto__:null,{}}})", getters.join(","));
            top.steps.push(Step { code, line: 0, keeps: None });
        }
        top
    }
}

fn target(name: &str, ids: &Ids, guards: &str) -> String {
    if ids.overlay().contains(name) { format!("{guards}.o.{name}") } else { name.to_owned() }
}

/// An expression for the value of an added or changed binding.
fn value_text(binding: &Binding, module: &Module, source: &str, rev: Rev) -> String {
    let Some((start, end)) = binding.value else { return "void 0".to_owned() };
    let key = quoted(&binding.name);
    let plain_key = is_identifier(&binding.name) && binding.name != "__proto__";
    if let Some(params) = binding.params {
        let text = module.patch_text(source, (params, end), rev);
        let head = format!(
            "{}function{}",
            if binding.is_async { "async " } else { "" },
            if binding.is_generator { "*" } else { "" }
        );
        return if plain_key { format!("({{{key}:{head}{text}}})[{key}]") } else { format!("({head}{text})") };
    }
    let text = module.patch_text(source, (start, end), rev);
    let classes = module.class_variables(&text);
    // An object's key gives an anonymous function or class its name, as the declaration did.
    let named = if plain_key { format!("({{{key}:{text}}})[{key}]") } else { format!("({text})") };
    if classes.is_empty() { named } else { format!("(()=>{{{classes}return {named}}})()") }
}
