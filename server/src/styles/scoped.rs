//! CSS modules: names of classes, ids and animations that belong to one sheet.
//!
//! A name is local unless it stands in `:global(…)` or behind `:global`. It gets its sheet's suffix, so it stays the same
//! however the sheet is edited, and a page can take the new rules over without running its modules again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::tokens::{Kind, Token, tokens};

#[derive(Debug, PartialEq, Eq)]
pub struct Scoped {
    pub text: String,
    /// What each local name stands for, in the order of the sheet's first mention.
    pub names: BTreeMap<String, Vec<Part>>,
}

/// One class of those that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands in the page.
    Class(String),
    /// `composes: name from "file"`.
    From { name: String, file: String },
}

/// Makes the names of a sheet its own. `None` for what is no sheet.
pub fn scope(text: &str, suffix: &str) -> Option<Scoped> {
    let tokens = tokens(text)?;
    let mut scoper = Scoper {
        text,
        suffix,
        tokens: &tokens,
        animations: BTreeSet::new(),
        edits: Vec::new(),
        names: BTreeMap::new(),
    };
    scoper.find_animations();
    scoper.items(0..tokens.len());
    let Scoper { mut edits, names, .. } = scoper;
    Some(Scoped { text: super::replace(text, &mut edits), names })
}

struct Scoper<'t> {
    text: &'t str,
    suffix: &'t str,
    tokens: &'t [Token],
    animations: BTreeSet<String>,
    edits: Vec<(Range<usize>, String)>,
    names: BTreeMap<String, Vec<Part>>,
}

impl Scoper<'_> {
    fn scoped(&self, name: &str) -> String {
        format!("_{name}_{}", self.suffix)
    }

    /// Marks a name in the text as local.
    fn rename(&mut self, range: Range<usize>, name: &str) {
        let scoped = self.scoped(name);
        self.edits.push((range.start..range.start, "_".to_owned()));
        self.edits.push((range.end..range.end, format!("_{}", self.suffix)));
        self.names.entry(name.to_owned()).or_insert_with(|| vec![Part::Class(scoped)]);
    }

    /// Animations are used in front of their definition, too.
    fn find_animations(&mut self) {
        for (at, token) in self.tokens.iter().enumerate() {
            if matches!(&token.kind, Kind::At(name) if is_keyframes(name))
                && let Some(Token { kind: Kind::Ident(name) | Kind::Text(name), .. }) =
                    self.tokens[at + 1..].iter().find(|it| !it.is_space())
            {
                self.animations.insert(name.clone());
            }
        }
    }

    /// Rules and declarations.
    fn items(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            if matches!(self.tokens[at].kind, Kind::Space | Kind::Semicolon) {
                at += 1;
                continue;
            }
            at = self.item(at, range.end);
        }
    }

    fn item(&mut self, start: usize, limit: usize) -> usize {
        let depth = self.tokens[start].depth;
        let is_custom = matches!(&self.tokens[start].kind, Kind::Ident(name) if name.starts_with("--"));
        let own = |it: &Token| it.depth == depth;
        let ends = |it: &Token| own(it) && (it.kind == Kind::Semicolon || it.kind == Kind::Open('{') && !is_custom);
        let end = (start..limit).find(|it| ends(&self.tokens[*it])).unwrap_or(limit);
        if end == limit || self.tokens[end].kind == Kind::Semicolon {
            if !matches!(self.tokens[start].kind, Kind::At(_)) {
                self.declaration(start..end, None);
            }
            return (end + 1).min(limit);
        }
        let close = (end + 1..limit).find(|it| own(&self.tokens[*it]) && self.tokens[*it].kind == Kind::Close);
        let close = close.unwrap_or(limit);
        match &self.tokens[start].kind {
            Kind::At(name) if is_keyframes(name) => self.keyframes(start + 1..end),
            Kind::At(name) => {
                if name.eq_ignore_ascii_case("scope") {
                    self.selector(start + 1..end);
                }
                self.items(end + 1..close);
            }
            _ => {
                let classes = self.selector(start..end);
                self.rule(end + 1..close, &classes);
            }
        }
        (close + 1).min(limit)
    }

    /// The inside of a style rule: as [`Scoper::items`], with what its classes are composed of.
    fn rule(&mut self, range: Range<usize>, classes: &[String]) {
        let mut at = range.start;
        while at < range.end {
            let is_composes = matches!(&self.tokens[at].kind, Kind::Ident(name) if name.eq_ignore_ascii_case("composes") || name.eq_ignore_ascii_case("compose-with"));
            if is_composes {
                let depth = self.tokens[at].depth;
                let ends = |it: &usize| self.tokens[*it].depth == depth && self.tokens[*it].kind == Kind::Semicolon;
                let end = (at..range.end).find(ends).unwrap_or(range.end);
                self.declaration(at..end, Some(classes));
                at = (end + 1).min(range.end);
            } else if matches!(self.tokens[at].kind, Kind::Space | Kind::Semicolon) {
                at += 1;
            } else {
                at = self.item(at, range.end);
            }
        }
    }

    fn keyframes(&mut self, prelude: Range<usize>) {
        let named = prelude.clone().find(|it| !self.tokens[*it].is_space());
        let Some(token) = named.map(|it| self.tokens[it].clone()) else { return };
        match token.kind {
            Kind::Ident(name) => self.rename(token.start..token.end, &name),
            Kind::Text(name) => self.rename(token.start + 1..token.end - 1, &name),
            _ => {}
        }
    }

    /// Renames what a selector names; gives the classes that stand alone in it.
    fn selector(&mut self, range: Range<usize>) -> Vec<String> {
        let base = self.tokens.get(range.start).map_or(0, |it| it.depth);
        let mut alone = Vec::new();
        // The classes of the current selector of the list, and whether it has anything else.
        let (mut classes, mut is_simple) = (Vec::new(), true);
        // Where `:global` or `:local` without brackets holds: until the comma. With brackets: until they close.
        let mut switches: Vec<(u32, bool, bool)> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let token = self.tokens[at].clone();
            let next = self.tokens.get(at + 1).filter(|_| at + 1 < range.end).cloned();
            let is_global = switches.last().is_some_and(|it| it.1);
            match (&token.kind, next) {
                (Kind::Dot, Some(Token { kind: Kind::Ident(name), start, end, .. })) => {
                    if !is_global {
                        self.rename(start..end, &name);
                        classes.push(name);
                    }
                    is_simple &= !is_global && token.depth == base;
                    at += 1;
                }
                (Kind::Id(name), _) => {
                    if !is_global {
                        self.rename(token.start + 1..token.end, name);
                    }
                    is_simple = false;
                }
                (Kind::Colon, Some(Token { kind: Kind::Ident(name), end, .. })) if is_switch(&name) => {
                    switches.retain(|it| it.2);
                    switches.push((token.depth, name.eq_ignore_ascii_case("global"), false));
                    // With the space that set it apart from the compound behind it.
                    let space = self.tokens.get(at + 2).filter(|it| it.is_space()).map_or(end, |it| it.end);
                    self.edits.push((token.start..space, String::new()));
                    at += 1;
                }
                (Kind::Colon, Some(Token { kind: Kind::Function(name), end, .. })) if is_switch(&name) => {
                    switches.push((token.depth, name == "global", true));
                    self.edits.push((token.start..end, String::new()));
                    at += 1;
                }
                (Kind::Close, _) => {
                    if switches.last().is_some_and(|it| it.2 && it.0 == token.depth) {
                        switches.pop();
                        self.edits.push((token.start..token.end, String::new()));
                    }
                }
                (Kind::Comma, _) => {
                    switches.retain(|it| it.2 || it.0 < token.depth);
                    if token.depth == base {
                        if is_simple && classes.len() == 1 {
                            alone.append(&mut classes);
                        }
                        (classes, is_simple) = (Vec::new(), true);
                    }
                }
                (Kind::Open('['), _) => {
                    is_simple = false;
                    while at + 1 < range.end
                        && !(self.tokens[at].kind == Kind::Close && self.tokens[at].depth == token.depth)
                    {
                        at += 1;
                    }
                }
                (Kind::Space, _) => {}
                _ => is_simple = false,
            }
            at += 1;
        }
        if is_simple && classes.len() == 1 {
            alone.append(&mut classes);
        }
        alone
    }

    fn declaration(&mut self, range: Range<usize>, classes: Option<&[String]>) {
        let Some(Token { kind: Kind::Ident(property), start, .. }) = self.tokens.get(range.start).cloned() else {
            return;
        };
        let Some(colon) = range.clone().skip(1).find(|it| self.tokens[*it].kind == Kind::Colon) else { return };
        if let Some(classes) = classes {
            let end = self.tokens[range.end - 1].end;
            let semicolon = self.tokens.get(range.end).filter(|it| it.kind == Kind::Semicolon);
            self.composes(colon + 1..range.end, classes);
            let lines = "\n".repeat(self.text[start..end].matches('\n').count());
            self.edits.push((start..semicolon.map_or(end, |it| it.end), lines));
            return;
        }
        let property = property.to_ascii_lowercase();
        let property = property
            .rsplit_once('-')
            .filter(|_| property.starts_with('-'))
            .map_or(property.as_str(), |_| property.trim_start_matches('-').split_once('-').map_or("", |it| it.1));
        if !matches!(property, "animation" | "animation-name") {
            return;
        }
        for at in colon + 1..range.end {
            let token = self.tokens[at].clone();
            match token.kind {
                Kind::Ident(name) if self.animations.contains(&name) => self.rename(token.start..token.end, &name),
                Kind::Text(name) if self.animations.contains(&name) => {
                    self.rename(token.start + 1..token.end - 1, &name);
                }
                _ => {}
            }
        }
    }

    /// `a b`, `a from "file"`, `a from global`, several with commas.
    fn composes(&mut self, value: Range<usize>, classes: &[String]) {
        let mut parts = Vec::new();
        let mut group: Vec<String> = Vec::new();
        let mut from: Option<Option<String>> = None;
        let mut is_behind_from = false;
        let mut flush = |group: &mut Vec<String>, from: &mut Option<Option<String>>, scoper: &Self| {
            for name in group.drain(..) {
                parts.push(match &from {
                    None => Part::Class(scoper.scoped(&name)),
                    Some(None) => Part::Class(name),
                    Some(Some(file)) => Part::From { name, file: file.clone() },
                });
            }
            *from = None;
        };
        for at in value {
            match &self.tokens[at].kind {
                Kind::Ident(word) if is_behind_from && word == "global" => from = Some(None),
                Kind::Ident(word) if word == "from" && !group.is_empty() => is_behind_from = true,
                Kind::Ident(name) => group.push(name.clone()),
                Kind::Text(file) if is_behind_from => from = Some(Some(file.clone())),
                Kind::Comma => {
                    flush(&mut group, &mut from, self);
                    is_behind_from = false;
                }
                _ => {}
            }
        }
        flush(&mut group, &mut from, self);
        for class in classes {
            // What a local class is composed of counts, too, if it stands in front, as it has to.
            let mut all = Vec::new();
            for part in &parts {
                let local = self.names.iter().find(|(name, _)| *part == Part::Class(self.scoped(name)));
                all.extend(local.map_or_else(|| vec![part.clone()], |(_, parts)| parts.clone()));
            }
            if let Some(list) = self.names.get_mut(class) {
                let new = all.into_iter().filter(|it| !list.contains(it)).collect::<Vec<_>>();
                list.extend(new);
            }
        }
    }
}

fn is_switch(name: &str) -> bool {
    name.eq_ignore_ascii_case("global") || name.eq_ignore_ascii_case("local")
}

fn is_keyframes(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("keyframes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, names: &str) {
        let scoped = scope(text, "x").expect("a sheet");
        assert_eq!(scoped.text, expected, "{text}");
        let shown: Vec<String> = scoped
            .names
            .iter()
            .map(|(name, parts)| {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|it| match it {
                        Part::Class(class) => class.clone(),
                        Part::From { name, file } => format!("{name}<{file}"),
                    })
                    .collect();
                format!("{name}={}", parts.join("+"))
            })
            .collect();
        assert_eq!(shown.join(" "), names, "{text}");
    }

    #[test]
    fn classes_and_ids_are_local() {
        check(".a{color:red}", "._a_x{color:red}", "a=_a_x");
        check(
            "a.b:hover > #c .d::after,.e{}",
            "a._b_x:hover > #_c_x ._d_x::after,._e_x{}",
            "b=_b_x c=_c_x d=_d_x e=_e_x",
        );
        check(":is(.a, :not(.b)):has(> .c){}", ":is(._a_x, :not(._b_x)):has(> ._c_x){}", "a=_a_x b=_b_x c=_c_x");
        check("[class~=\".no\"] p{margin:.5em;color:#abc}", "[class~=\".no\"] p{margin:.5em;color:#abc}", "");
        check(r".sm\:x{}", r"._sm\:x_x{}", "sm:x=_sm:x_x");
        check(
            "@media (x){@supports (y){.a{}}}@layer b{.c{}}",
            "@media (x){@supports (y){._a_x{}}}@layer b{._c_x{}}",
            "a=_a_x c=_c_x",
        );
        check(
            ".a{.b &{color:red}&.c{}&:hover{}}",
            "._a_x{._b_x &{color:red}&._c_x{}&:hover{}}",
            "a=_a_x b=_b_x c=_c_x",
        );
        check("@scope (.a) to (.b){.c{}}", "@scope (._a_x) to (._b_x){._c_x{}}", "a=_a_x b=_b_x c=_c_x");
    }

    #[test]
    fn global_names_stay() {
        check(":global(.a) .b{}", ".a ._b_x{}", "b=_b_x");
        check(":global .a .b, .c{}", ".a .b, ._c_x{}", "c=_c_x");
        check(".a :global(.b .c).d{}", "._a_x .b .c._d_x{}", "a=_a_x d=_d_x");
        check(":global .a :local(.b) .c{}", ".a ._b_x .c{}", "b=_b_x");
        check(".a:global(.on){}", "._a_x.on{}", "a=_a_x");
    }

    #[test]
    fn animations_are_local() {
        check(
            ".a{animation:spin 1s, out 2s;-webkit-animation-name:spin}@keyframes spin{from{top:0}50.5%{top:1px}}",
            "._a_x{animation:_spin_x 1s, out 2s;-webkit-animation-name:_spin_x}@keyframes _spin_x{from{top:0}50.5%{top:1px}}",
            "a=_a_x spin=_spin_x",
        );
        check(
            ".a{transition:spin 1s;--animation:spin}@keyframes spin{}",
            "._a_x{transition:spin 1s;--animation:spin}@keyframes _spin_x{}",
            "a=_a_x spin=_spin_x",
        );
    }

    #[test]
    fn composed_names() {
        check(".a{}.b{composes:a;color:red}", "._a_x{}._b_x{color:red}", "a=_a_x b=_b_x+_a_x");
        check(
            ".a{}.b{\n composes: a;\n}.c{composes: b}",
            "._a_x{}._b_x{\n \n}._c_x{}",
            "a=_a_x b=_b_x+_a_x c=_c_x+_b_x+_a_x",
        );
        check(
            ".a{composes: b c from './o.module.css', d from global}",
            "._a_x{}",
            "a=_a_x+b<./o.module.css+c<./o.module.css+d",
        );
        check(".a,.b{composes:c}", "._a_x,._b_x{}", "a=_a_x+_c_x b=_b_x+_c_x");
    }

    #[test]
    fn custom_properties_and_broken_texts_are_left_alone() {
        check(".a{--x:{.no{}};color:var(--x)}", "._a_x{--x:{.no{}};color:var(--x)}", "a=_a_x");
        check(".a{color:re", "._a_x{color:re", "a=_a_x");
        check(".a .", ".a .", "");
        check("} .a{}", "} ._a_x{}", "a=_a_x");
        check(".a{composes", "._a_x{composes", "a=_a_x");
        assert!(scope(&"{".repeat(10_000), "x").is_none());
    }
}
