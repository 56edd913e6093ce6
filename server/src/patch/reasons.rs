//! What people are told of a change: why a module has to run again, and what stays as it was made.

use super::*;

/// Why closures of a site that were made before can't run its text.
pub(super) fn later(site: &Site, is_veiled: bool, lacked: Option<&str>) -> String {
    let name = if site.name.is_empty() { "this function" } else { &site.name };
    if is_veiled {
        return format!(
            "what was made of {name} before keeps its code: only the function around it reaches its variables"
        );
    }
    if let Some(lacked) = lacked {
        return format!(
            "objects whose class was made before keep the code of {name}: their class has no such {lacked}"
        );
    }
    if site.kind.is_class() && site.late_privates().any(Private::is_static_field) {
        return format!("{name} has a private static field that classes made before lack: they stay as they are");
    }
    match site.past.as_ref().and_then(|it| it.foreign(&site.free, &site.scope)) {
        Some(foreign) => {
            format!("closures of {name} that were made before keep their code: their scope has no such {foreign}")
        }
        None => format!("closures of {name} that were made before keep their code: their scope is of another kind"),
    }
}

/// What stays as it was made: the fields of objects that exist, that a function is async, what a function did that has run, and functions
/// that are of another kind now. `root` is the module, `around` what the function stands in.
pub(super) fn note(root: &Site, around: &Site, before: &Site, site: &Site, start: u32, rev: Rev) -> Option<Reason> {
    let end = start + site.len;
    let named = |other: &str| if site.name.is_empty() { other.to_owned() } else { format!("`{}`", site.name) };
    if site.kind.is_class() && before.class.fields != site.class.fields {
        let message = format!(
            "objects of {} that are made from now on have the new fields; those that exist stay as they are",
            named("this class")
        );
        return Some(Reason { code: "fields", message, start, end });
    }
    if let Some(message) = left_behind(before, site) {
        return Some(Reason { code: "made", message, start, end });
    }
    if before.counts != site.counts && site.counts.is_some_and(|from| from < before.lists) {
        let message = format!(
            "{} counts its arguments now: who has it already counts those that it was declared with, also when a call leaves them out",
            named("this function")
        );
        return Some(Reason { code: "arguments", message, start, end });
    }
    // The function itself counts: it may hand itself to a timer.
    let names_it = |it: &Site| it.free.binary_search_by(|name| (**name).cmp(&site.name)).is_ok();
    let has_run = match site.runs {
        Runs::Any => false,
        Runs::InPlace => true,
        Runs::ByName => !root.children.iter().any(names_it),
    };
    if has_run {
        let message = format!(
            "{} was called while its module ran, and nothing calls it again: pages show this edit when the module runs again or they are reloaded",
            named("this function")
        );
        return Some(Reason { code: "once", message, start, end });
    }
    if diff::loses_async(before, site) {
        let message = format!(
            "{} was async: who took it before this edit gets what it returns in a promise",
            named("this function")
        );
        return Some(Reason { code: "async", message, start, end });
    }
    let mut born = site.children.iter().filter(|it| it.born == rev);
    let left =
        if diff::is_left_behind(around, site) { Some(site) } else { born.find(|it| diff::is_left_behind(site, it)) };
    left.map(|it| {
        let name = &it.name;
        let message = format!("`{name}` is another kind of function now: those that were made before keep their code");
        Reason { code: "kept", message, start, end }
    })
}

/// What a function made before its edit and does not make now, where it makes something else instead: who has it goes on with it.
fn left_behind(before: &Site, site: &Site) -> Option<String> {
    let old = |it: &Site| before.children.iter().chain(&before.ghosts).find(|old| old.id == it.id);
    let name = |it: &Site, what: &str| if it.name.is_empty() { what.to_owned() } else { format!("`{}`", it.name) };
    if site.kind.is_class() {
        return None;
    }
    let is_remade = |it: &&Site| {
        let same_name = |old: &Site| old.name == it.name && old.has_own_name == it.has_own_name;
        it.kind.is_class() && old(it).is_some_and(|old| same_name(old) && old.class.made != it.class.made)
    };
    if let Some(class) = site.children.iter().find(is_remade) {
        return Some(format!(
            "{} is made anew by the next call: classes made before keep what they extend, their static fields and what static blocks did",
            name(class, "the class")
        ));
    }
    let kind = |it: &Site| (it.kind.is_class(), it.kind == SiteKind::Arrow);
    let is_gone = |it: &&Site| !site.children.iter().any(|now| now.id == it.id);
    let gone = before.children.iter().filter(is_gone);
    let (gone, _) = gone.flat_map(|gone| site.children.iter().map(move |now| (gone, now))).find(|(gone, now)| {
        !now.kind.is_class_member() && kind(gone) == kind(now) && gone.name != now.name && old(now).is_none()
    })?;
    Some(format!("what was made of {} before keeps its code", name(gone, gone.kind.describe())))
}

/// The first difference between two top levels, in words.
pub(super) fn why(old: &[Item], new: &[Item]) -> Reason {
    let missing = |from: &[Item], item: &Item| !from.iter().any(|it| it.kind == item.kind && it.hash == item.hash);
    let added: Vec<&Item> = new.iter().filter(|it| missing(old, it)).collect();
    let removed: Vec<&Item> = old.iter().filter(|it| missing(new, it)).collect();
    let item = added.first().or(removed.first());
    let (start, end) = added.first().map_or((0, 0), |it| (it.start, it.end));
    let Some(item) = item else {
        return Reason {
            code: "order",
            message: "top-level statements changed their order".to_owned(),
            start: 0,
            end: 0,
        };
    };
    let form = |it: &Item| if let [binding] = it.bindings.as_slice() { binding.form } else { None };
    let other = added.iter().find_map(|it| {
        let old = removed.iter().find(|old| old.names == it.names)?;
        Some((it, form(old)?, form(it)?)).filter(|(_, old, new)| !old.can_become(*new))
    });
    if let Some((item, old, new)) = other {
        let name = item.names.join(", ");
        let message = match (old.is_generator, new.is_generator) {
            (false, true) => format!("`{name}` became a generator: the module has to run again"),
            (true, false) => format!("`{name}` is no longer a generator: the module has to run again"),
            (true, true) => format!("the generator `{name}` is declared in another way: the module has to run again"),
            _ => format!("`{name}` has a `this` of its own in one of its forms: the module has to run again"),
        };
        return Reason { code: "kind", message, start: item.start, end: item.end };
    }
    let is_changed = !added.is_empty() && !removed.is_empty();
    let verb = match (is_changed, added.is_empty()) {
        (true, _) => "changed",
        (false, true) => "was removed",
        (false, false) => "was added",
    };
    let (code, what) = match item.kind {
        ItemKind::Import => ("imports", "an import"),
        ItemKind::Export => ("exports", "an export"),
        ItemKind::Function => ("declaration", "a function of the top level"),
        ItemKind::Class => ("class", "a class of the top level"),
        ItemKind::Variable if item.names == ["default"] => ("exports", "the default export"),
        ItemKind::Variable => ("variable", "a variable of the top level"),
        ItemKind::Statement => ("statement", "a statement of the top level"),
    };
    let names = if item.names.is_empty() || item.names == ["default"] || item.names.len() > 3 {
        String::new()
    } else {
        format!(" ({})", item.names.join(", "))
    };
    Reason { code, message: format!("{what}{names} {verb}: the module has to run again"), start, end }
}

pub(super) fn is_other_kind(flavour: Flavour) -> Reason {
    let kind = if flavour == Flavour::Esm { "an ES module" } else { "a CommonJS module" };
    Reason { code: "kind", message: format!("this is {kind} now: it has to run again"), start: 0, end: 0 }
}

pub(super) fn gathers_others() -> Reason {
    let message = "other modules are gathered by a pattern: the module has to run again".to_owned();
    Reason { code: "context", message, start: 0, end: 0 }
}

/// Why a text is not run yet: a statement that is new is a name and nothing else. By itself it does nothing; while somebody
/// types it is the start of something.
pub(super) fn lone_word(old: &[Item], module: &Module, before: &[Box<str>]) -> Option<Reason> {
    let was_there = |it: &Item| old.iter().any(|old| old.kind == it.kind && old.hash == it.hash);
    let (item, name) =
        module.items.iter().filter(|it| !was_there(it)).find_map(|item| Some((item, item.word.as_ref()?)))?;
    let names = |list: &[Box<str>]| list.iter().any(|it| **it == **name);
    let is_declared = !names(&module.unresolved) || names(before) || crate::globals::is_known(name);
    let (code, message) = if is_declared {
        ("name", format!("`{name}` alone does nothing: the module runs again when you go on, or when you save"))
    } else {
        ("unresolved", format!("`{name}` is declared nowhere: the module runs again when it is, or when you save"))
    };
    Some(Reason { code, message, start: item.start, end: item.end })
}
