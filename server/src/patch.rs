//! Planning: the program that pages run, a new text, and the verdict on the difference.
//!
//! Pure: no files, no pages, no time. A [`Program`] is the last good text of a module with its tree of sites; planning a
//! new text gives a [`Verdict`] and moves the program on to it. Nothing that does not parse ever gets into a program.

mod behind;
mod cuts;
mod matching;
mod plan;
mod reasons;
mod renames;
mod top;
mod walks;

use std::sync::Arc;

use ropey::Rope;
use rustc_hash::FxHashMap;

use crate::compile::{
    self, Construct, Context, Export, Function, Item, ItemKind, LatePrivate, Module, Options, Places, Problem,
    compile_function, compile_module,
};
use crate::sites::collect::Flavour;
use crate::sites::collection::Collection;
use crate::sites::diff::{self, Changed, Ids};
use crate::sites::jsx::Jsx;
use crate::sites::{Code, Private, Rev, Runs, Scope, Site, SiteId, SiteKind, Veil};
use cuts::Cuts;
pub use plan::{PatchPlan, PlannedSite, Reason, Step, Top, Verdict};
use plan::{inner_lines, planned};
use reasons::{gathers_others, is_other_kind, later, lone_word, note, why};
use walks::{
    Lacks, Late, empty_site, find, lacked, lacks_around, late_around, mentions, numbers, of_classes_again, offset,
    order_of, path_to, rehash, same_binds, uses_of, uses_of_privates, veils_around,
};

/// The last good text of a module and what is known of it.
#[derive(Debug, Clone)]
pub struct Program {
    pub text: Rope,
    pub root: Site,
    pub ids: Ids,
    pub options: Options,
    /// What the file is known to be; `None`: the text decides, also when it changes.
    asked: Option<Flavour>,
    pub flavour: Flavour,
    /// The revision of the newest change.
    pub rev: Rev,
    /// Every shape that the top level had, oldest first: a page runs one of them.
    pub roots: Vec<RootVersion>,
    items: Vec<Item>,
    /// The text that the places in `items` are of: functions in it may have changed since.
    items_text: Rope,
    /// Names that the text uses and nothing in it declares.
    unresolved: Vec<Box<str>>,
    exports: Vec<Export>,
    /// The specifiers of `export * from`.
    stars: Vec<String>,
    /// What calls anywhere in the text gather: pages were sent it with the module.
    collections: Arc<[Collection]>,
    cuts: Cuts,
    jsx: Jsx,
    /// Hash of the site ids in source order.
    order: u64,
    /// The specifiers of its static imports.
    imports: Vec<String>,
    /// No text of it ever parsed: pages run an error in its place, so the first that does is a module update.
    pub is_nothing: bool,
}

/// The top level of a module from a revision on.
#[derive(Debug, Clone)]
pub struct RootVersion {
    pub rev: Rev,
    pub shell: u64,
    pub scope: Arc<Scope>,
    /// What its calls gather: pages with this top level were sent it.
    pub collections: Arc<[Collection]>,
    /// How a page gets here from the version before; `None`: only by running the module again.
    pub top: Option<Arc<Top>>,
    /// Functions of the top level are other objects from here on, which its text does not tell.
    pub exchanges: bool,
}

/// Which module a specifier means, as some name that is the same for the same module, or in one sentence why none.
pub type Lead<'l> = &'l dyn Fn(&str) -> Result<String, String>;

impl Program {
    /// Compiles `source` as a program that pages will first know at `rev`.
    ///
    /// # Errors
    /// The syntax errors.
    pub fn load(source: &str, options: Options, rev: Rev) -> Result<(Program, Module), Vec<Problem>> {
        let mut ids = Ids::default();
        let mut module = compile_module(source, options, None, &mut ids)?;
        let root = std::mem::replace(&mut module.root, empty_site());
        let asked = options.flavour;
        let options = Options { flavour: Some(module.flavour), ..options };
        let collections: Arc<[Collection]> = Arc::from(module.collections.as_slice());
        let (shell, scope) = (root.shell, Arc::clone(&root.scope));
        let roots =
            vec![RootVersion { rev, shell, scope, collections: Arc::clone(&collections), top: None, exchanges: false }];
        let (items, exports, jsx) = (module.items.clone(), module.exports.clone(), module.jsx.clone());
        let order = order_of(&root);
        let cuts = Cuts::new(&items, root.len);
        Ok((
            Program {
                imports: module.imports.clone(),
                exports,
                stars: module.stars.clone(),
                collections,
                cuts,
                text: Rope::from_str(source),
                items_text: Rope::from_str(source),
                unresolved: module.unresolved.clone(),
                jsx,
                order,
                is_nothing: false,
                root,
                ids,
                options,
                asked,
                flavour: module.flavour,
                rev,
                roots,
                items,
            },
            module,
        ))
    }

    /// The program of a text that does not parse.
    pub fn nothing(options: Options, rev: Rev) -> Option<Program> {
        let (program, _) = Program::load("", options, rev).ok()?;
        Some(Program { is_nothing: true, ..program })
    }

    /// The whole module as a page loads it now.
    ///
    /// # Errors
    /// None in practice: the text compiled before.
    pub fn module(&self) -> Result<Module, Vec<Problem>> {
        compile_module(&self.text.to_string(), self.options, Some(&self.root), &mut self.ids.clone())
    }

    /// Plans the text of one function, which stands at `path` and starts at byte `origin`. On success the program has it.
    ///
    /// # Errors
    /// The problem when `text` can't be compiled alone (bytes of `text`); nothing has changed then.
    pub fn plan_function(&mut self, path: &[usize], origin: u32, text: &str, rev: Rev) -> Result<Verdict, Problem> {
        let old = self.root.at(path);
        let late = late_around(&self.root, path);
        let context = Context { flavour: self.flavour, old, rev, jsx: &self.jsx, late: late.clone() };
        let mut ids = self.ids.at(rev);
        let function = compile_function(text, &context, &mut ids)?;
        if function.collections.iter().any(|it| !self.collections.contains(it)) {
            let message = "this gathers modules that pages have to be sent".to_owned();
            return Err(Problem { message, start: 0, end: text.len() as u32 });
        }
        let delta = text.len() as i64 - i64::from(old.len);
        let old = old.clone();
        let mut site = function.site.clone();
        let mut changes = diff::changed(&old, &site, &veils_around(&self.root, path));
        if changes.iter().any(|it| it.path.is_empty() && it.is_veiled) {
            return Err(compile::needs_place(text));
        }
        uses_of_privates(&site, text, rev, &mut changes);
        of_classes_again(&site, &old, &mut changes);
        let lacks = lacks_around(&self.root, path);
        let line = self.line_of(origin);
        let mut plan = PatchPlan::default();
        let own = changes.iter().any(|it| it.path.is_empty());
        if own {
            let column = self.column_of(origin, line);
            site.changed = rev;
            let lacked = lacked(text, &lacks);
            self.keep_runnable(&mut site, &old, text, lacked, rev);
            let later = (site.scope_rev != 0).then(|| later(&site, false, lacked.map(|it| it.1.as_str())));
            let own = PlannedSite { later, ..planned(&site, &old, function, &ids, (origin, line, column)) };
            site.ran = self.newest_that_ran(&old, &own.needs, rev);
            site.needs.clone_from(&own.needs);
            plan.sites.push(own);
        }
        if own {
            let around = path.split_last().map_or(&self.root, |(_, it)| self.root.at(it));
            plan.note = note(&self.root, around, &old, &site, origin, rev);
        }
        for change in changes.iter().filter(|it| !it.path.is_empty()) {
            let before = find(&old, change.id).unwrap_or(&old);
            let start = offset(&site, &change.path);
            let end = start + site.at(&change.path).len;
            let inner = &text[start as usize..end as usize];
            let lines = inner_lines(&text[..start as usize]);
            let before_it = &text[..start as usize];
            let last_line = before_it.rfind('\n').map_or(before_it, |it| &before_it[it + 1..]);
            let first = if lines == 0 { self.column_of(origin, line) } else { 0 };
            let column = first + last_line.encode_utf16().count() as u32;
            let place = Place { start: origin + start, line: line + lines, column };
            let around = site.at(&change.path[..change.path.len() - 1]);
            plan.note = plan.note.or_else(|| note(&self.root, around, before, site.at(&change.path), place.start, rev));
            match self.plan_inner(&mut site, (&late, &lacks), change, before, inner, place, rev, &mut ids) {
                Ok(planned) => plan.add(planned),
                Err(problem) => return Err(problem),
            }
        }
        if own {
            self.keep_code_of_closures(&mut site, rev);
        }
        let same_sites = numbers(&old) == numbers(&site);
        self.ids = ids;
        self.root.grow(path, delta);
        self.cuts.grow(origin, delta);
        let slot = self.root.at_mut(path);
        let start = slot.start;
        *slot = Site { start, ..site };
        rehash(&mut self.root, path, old.deep);
        if !same_sites {
            self.order = order_of(&self.root);
        }
        let char_start = self.text.byte_to_char(origin as usize);
        let char_end = self.text.byte_to_char((origin + old.len) as usize);
        self.text.remove(char_start..char_end);
        self.text.insert(char_start, text);
        if plan.sites.is_empty() {
            return Ok(Verdict::Unchanged);
        }
        self.rev = rev;
        Ok(Verdict::Patch(plan))
    }

    /// A function inside one that changed: closures of it that live on get its new code if their scope can run it; else the sentence says
    /// why only those get it that are made from now on.
    #[expect(clippy::too_many_arguments, reason = "one caller per path; a struct would only be taken apart again")]
    fn plan_inner(
        &self,
        site: &mut Site,
        (late, lacks): (&Late, &Lacks),
        Changed { path, is_veiled, .. }: &Changed,
        before: &Site,
        text: &str,
        place: Place,
        rev: Rev,
        ids: &mut Ids,
    ) -> Result<Result<PlannedSite, String>, Problem> {
        let mut lacks = lacks.clone();
        lacks.extend(lacks_around(site, path));
        let lacked = lacked(text, &lacks);
        let target = site.at_mut(path);
        target.changed = rev;
        self.keep_runnable(target, before, text, lacked, rev);
        if *is_veiled {
            target.scope_rev = rev;
        }
        let later = (target.scope_rev != 0).then(|| later(target, *is_veiled, lacked.map(|it| it.1.as_str())));
        if target.scope_rev == rev {
            // Closures made before keep what they run; those made from now on come with the new text.
            return Ok(Err(later.unwrap_or_default()));
        }
        let current = target.clone();
        let mut late = late.clone();
        late.extend(late_around(site, path));
        let context = Context { flavour: self.flavour, old: &current, rev, jsx: &self.jsx, late };
        let function = compile_function(text, &context, ids)?;
        let inner = planned(&current, before, function, ids, (place.start, place.line, place.column));
        let ran = self.newest_that_ran(before, &inner.needs, rev);
        let target = site.at_mut(path);
        target.needs.clone_from(&inner.needs);
        target.ran = ran;
        Ok(Ok(PlannedSite { later, ..inner }))
    }

    /// Older closures whose scope lacks what the new text names go on with the newest code that all can run. So do functions of classes
    /// that lack what it names.
    fn keep_runnable(&self, site: &mut Site, before: &Site, text: &str, lacked: Option<&(Rev, String)>, rev: Rev) {
        let in_scope = site.past.as_ref().is_none_or(|it| it.runs(&site.free, &site.scope));
        // Its own name stands where it is given.
        let given = |name: &str| usize::from(site.has_own_name && site.name == name);
        let is_named = site.own_names.iter().all(|it| mentions(text, it) <= given(it));
        let statics = site.late_privates().filter(|it| it.is_static_field()).map(Private::newest).max();
        if in_scope && is_named && statics.is_none() && lacked.is_none() {
            site.fallback = None;
            site.scope_rev = 0;
            site.apart = 0;
            return;
        }
        if site.kind.is_class() {
            site.apart = if site.apart == 0 { rev } else { site.apart };
        } else if site.fallback.is_none() {
            // What pages may have held is nothing that they can go on with.
            site.fallback = if before.needs.is_empty() { self.code_of(before, rev) } else { before.ran.clone() };
        }
        let scope_rev = if in_scope && is_named { 0 } else { site.since };
        site.scope_rev = scope_rev.max(statics.unwrap_or(0)).max(lacked.map_or(0, |it| it.0));
    }

    /// What a site ran before pages may come to hold its new text, which needs these names.
    fn newest_that_ran(&self, before: &Site, needs: &[Box<str>], rev: Rev) -> Option<Arc<Code>> {
        match (needs.is_empty(), before.needs.is_empty()) {
            (true, _) => None,
            (false, true) => self.code_of(before, rev),
            (false, false) => before.ran.clone(),
        }
    }

    /// Functions whose text stays may lose a variable of the function around them. When they are edited later, older closures
    /// go on with what they had before that, which still has it.
    fn keep_code_of_closures(&self, site: &mut Site, rev: Rev) {
        for child in &mut site.children {
            let is_left = child.changed != rev && child.fallback.is_none() && !child.kind.is_class();
            let runs = child.past.as_ref().is_none_or(|it| it.runs(&child.free, &child.scope));
            if is_left && !runs {
                child.fallback = find(&self.root, child.id).and_then(|it| self.code_of(it, rev));
            }
            self.keep_code_of_closures(child, rev);
        }
    }

    /// The code of a site as it is in the good text.
    fn code_of(&self, site: &Site, rev: Rev) -> Option<Arc<Code>> {
        let path = path_to(&self.root, site.id)?;
        let text = self.slice(offset(&self.root, &path), site.len);
        let late = late_around(&self.root, &path);
        if site.is_veiled(&veils_around(&self.root, &path)) {
            return None;
        }
        let context = Context { flavour: self.flavour, old: site, rev, jsx: &self.jsx, late };
        compile_function(&text, &context, &mut self.ids.clone()).ok().map(|it| Arc::new(it.code))
    }

    /// Plans a whole new text. On success the program has it. `lead` says which module a specifier means, or why none: a text
    /// that imports what is not there, and did not before, is held. So is one that would run again for a statement that is
    /// nothing but a name, as while one is typed; unless `insists`.
    ///
    /// # Errors
    /// The syntax errors (bytes of `source`); nothing has changed then.
    pub fn plan_module(
        &mut self,
        source: &str,
        rev: Rev,
        lead: Lead<'_>,
        insists: bool,
    ) -> Result<Verdict, Vec<Problem>> {
        let mut ids = self.ids.at(rev);
        let mut module = self.compile(source, &mut ids)?;
        let is_other = module.flavour != self.flavour;
        let added = || module.imports.iter().filter(|it| !self.is_nothing && !self.imports.contains(it));
        if let Some((spec, message)) = added().find_map(|it| Some((it, lead(it).err()?))) {
            let (start, end) = find_specifier(source, spec);
            return Ok(Verdict::Hold(Reason { code: "import", message, start, end }));
        }
        // `./a` on the way to `./a.js`: the same module under another name is no other import.
        let gone = || self.imports.iter().filter(|it| !module.imports.contains(it));
        let renamed = added().filter_map(|it| Some((it.clone(), gone().find(|old| lead(old) == lead(it))?.clone())));
        let renamed: Vec<(String, String)> = renamed.collect();
        if !renamed.is_empty() && !is_other {
            renamed.iter().for_each(|(it, old)| self.ids.add_alias(it, old));
            ids = self.ids.at(rev);
            module = compile_module(source, self.options, Some(&self.root), &mut ids)?;
        }
        let same_root = module.root.shell == self.root.shell && !is_other;
        let same_collections = module.collections.iter().all(|it| self.collections.contains(it));
        let mut top = None;
        let same_names = same_binds(&self.root.scope, &module.root.scope);
        let mut added = Vec::new();
        let mut plan = PatchPlan::default();
        let can_stay = !same_root && !self.is_nothing && !is_other && same_names && same_collections;
        let soft = can_stay.then(|| self.soften(&module, source));
        let hard = soft.as_ref().and_then(|it| it.as_ref().err()).cloned().flatten();
        if let Some((soft, old_source)) = soft.and_then(Result::ok).filter(|it| !it.0.uncovers(&module)) {
            if let Some(reason) = soft.unresolved(&module, &self.unresolved) {
                return Ok(Verdict::Hold(reason));
            }
            added = soft.added_names(&module);
            // Patches reach added names through the overlay, so the text is compiled again with them in it.
            let mut ids = self.ids.at(rev);
            soft.name(&mut ids, &self.imports, &module);
            let again = compile_module(source, self.options, Some(&self.root), &mut ids)?;
            top = Some(Arc::new(soft.steps(&again, source, (&old_source, &self.root), &ids, rev)));
            module = again;
            self.ids = ids;
            plan.note = soft.note;
        } else {
            let would_run = !same_root && !self.is_nothing && !is_other && !insists;
            if let Some(reason) = lone_word(&self.items, &module, &self.unresolved).filter(|_| would_run) {
                return Ok(Verdict::Hold(reason));
            }
            self.ids = ids;
        }
        let mut ids = self.ids.at(rev);
        let mut root = std::mem::replace(&mut module.root, empty_site());
        let mut changes = if is_other { Vec::new() } else { diff::changed(&self.root, &root, &[]) };
        uses_of(&root, &added, &mut Vec::new(), &mut changes);
        uses_of_privates(&root, source, rev, &mut changes);
        of_classes_again(&root, &self.root, &mut changes);
        // Those two do not look.
        changes.iter_mut().for_each(|it| it.is_veiled |= root.at(&it.path).is_veiled(&veils_around(&root, &it.path)));
        let rope = Rope::from_str(source);
        for change in &changes {
            let Some(before) = find(&self.root, change.id) else { continue };
            let start = offset(&root, &change.path);
            let end = start + root.at(&change.path).len;
            let text = &source[start as usize..end as usize];
            let line = rope.byte_to_line(start as usize) as u32;
            let column = column_of(&rope, start, line);
            let place = Place { start, line, column };
            let around = root.at(&change.path[..change.path.len() - 1]);
            plan.note = plan.note.or_else(|| note(&root, around, before, root.at(&change.path), start, rev));
            match self.plan_inner(
                &mut root,
                (&Late::default(), &Lacks::new()),
                change,
                before,
                text,
                place,
                rev,
                &mut ids,
            ) {
                Ok(planned) => plan.add(planned),
                Err(problem) => return Err(vec![problem.moved(i64::from(start))]),
            }
        }
        if !changes.is_empty() {
            self.keep_code_of_closures(&mut root, rev);
        }
        let mut exchanges = false;
        if same_root || top.is_some() {
            let lost = changes.iter().filter(|it| it.path.len() == 1).filter_map(|it| {
                let (before, site) = (find(&self.root, it.id)?, root.at(&it.path));
                diff::loses_async(before, site).then(|| (site.id, offset(&root, &it.path)))
            });
            let steps: Vec<Step> =
                lost.filter_map(|(id, start)| top::plain_again(&module, source, start, id, &ids, rev)).collect();
            exchanges = !steps.is_empty();
            if exchanges {
                let before = top.as_deref().cloned().unwrap_or_default();
                top = Some(Arc::new(Top { steps: before.steps.into_iter().chain(steps).collect(), ..before }));
            }
        }
        let is_same_root = same_root && top.is_none() && !self.is_nothing;
        let same_root = same_root && !self.is_nothing;
        let reason = (!same_root && top.is_none()).then(|| match same_collections {
            _ if is_other => is_other_kind(module.flavour),
            true => hard.unwrap_or_else(|| why(&self.items, &module.items)),
            false => gathers_others(),
        });
        let untouched = same_root && root.deep == self.root.deep;
        self.unresolved = module.unresolved;
        self.is_nothing = false;
        self.flavour = module.flavour;
        self.options.flavour = Some(module.flavour);
        self.items_text = rope.clone();
        self.text = rope;
        self.order = order_of(&root);
        self.cuts = Cuts::new(&module.items, root.len);
        self.root = root;
        self.ids = ids;
        self.items = module.items;
        self.exports = module.exports;
        self.stars = module.stars;
        self.imports = module.imports;
        self.collections = Arc::from(module.collections);
        self.jsx = module.jsx;
        if untouched {
            return Ok(Verdict::Unchanged);
        }
        self.rev = rev;
        if !is_same_root {
            let (shell, scope) = (self.root.shell, Arc::clone(&self.root.scope));
            let collections = Arc::clone(&self.collections);
            self.roots.push(RootVersion { rev, shell, scope, collections, top: top.clone(), exchanges });
        }
        match reason {
            Some(reason) => Ok(Verdict::UpdateModule(reason)),
            None if plan.sites.is_empty() && top.as_ref().is_none_or(|it| it.is_empty()) => Ok(Verdict::Unchanged),
            None => {
                plan.top.extend(top);
                Ok(Verdict::Patch(plan))
            }
        }
    }

    /// What is different at the top level, if pages can take it over, and the text of the old one.
    fn soften(&self, module: &Module, source: &str) -> Result<(top::Soft, String), Option<Reason>> {
        for places in [Places::All, Places::Declaration] {
            let Some(renamed) = self.renamed(module, source, places) else { continue };
            let renames::Renamed { names, source: old_source, items, same } = renamed;
            let (exports, stars, root) = (&self.exports, &self.stars, &self.root);
            let (items, names, same, cuts) = (&items, &names, &same, &self.cuts);
            let before = top::Before { items, source: old_source, exports, stars, names, same, root, cuts };
            if let Ok(soft) = top::soften(&before, module, source) {
                return Ok((soft, before.source));
            }
        }
        let old_source = self.items_text.to_string();
        let (items, exports, stars, root) = (&self.items, &self.exports, &self.stars, &self.root);
        let (names, same, cuts) = (&[], &[], &self.cuts);
        let before = top::Before { items, source: old_source, exports, stars, names, same, root, cuts };
        Ok((top::soften(&before, module, source)?, before.source))
    }

    /// Compiles a new text. One that says clearly that it is the other kind of module is compiled as that, with sites of its own.
    fn compile(&self, source: &str, ids: &mut Ids) -> Result<Module, Vec<Problem>> {
        let mut others = ids.clone();
        let module = compile_module(source, self.options, Some(&self.root), ids);
        if self.asked.is_none() && module.as_ref().map_or(true, |it| it.looks_common_js) {
            let anew = Options { flavour: None, ..self.options };
            let other = compile_module(source, anew, None, &mut others);
            if let Ok(other) = other
                && other.flavour != self.flavour
            {
                *ids = others;
                return Ok(other);
            }
        }
        module
    }

    /// Whole top-level statements around `start..end` of the good text, with untouched ones before and behind.
    pub fn statements_around(&self, start: u32, end: u32) -> (u32, u32) {
        self.cuts.around(start, end)
    }

    /// The number of the top-level statement that byte `at` of the good text is in, or behind, and whether it is its first.
    pub fn statement_at(&self, at: u32) -> (usize, bool) {
        self.cuts.number_at(at)
    }

    /// Whether a text has whole statements.
    pub fn parses_alone(&self, statements: &str) -> bool {
        compile::syntax_error(statements, self.flavour).is_none()
    }

    /// A syntax error that no text behind `statements` can take back, if they have one. They begin where a statement of the
    /// module does, and only the module's last statement may be missing its end.
    pub fn broken(&self, statements: &str) -> Option<Problem> {
        compile::syntax_error(statements, self.flavour)
            // What opens them may be closed anywhere, even in the middle of what was a statement.
            .filter(|it| !it.message.starts_with("Unterminated"))
    }

    /// Equal for the same text with the same site ids.
    pub fn stamp(&self) -> String {
        use std::hash::{Hash, Hasher};
        let mut hasher = rustc_hash::FxHasher::default();
        self.root.deep.hash(&mut hasher);
        self.order.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Whether one of these sites holds the site `id`, or is it.
    pub fn is_within(&self, id: SiteId, outer: &[SiteId]) -> bool {
        let Some(path) = path_to(&self.root, id).filter(|_| !outer.is_empty()) else { return false };
        (1..=path.len()).any(|it| outer.contains(&self.root.at(&path[..it]).id))
    }

    /// Whether the text of a site has changed since, anywhere in it.
    pub fn was_edited(&self, id: SiteId, since: Rev) -> bool {
        let mut was = false;
        if let Some((site, start)) = self.site(id) {
            site.walk(start, &mut |it, _| was |= it.changed > since);
        }
        was
    }

    /// The site with this id, and where it starts.
    pub fn site(&self, id: SiteId) -> Option<(&Site, u32)> {
        let mut found = None;
        self.root.walk(0, &mut |site, start| {
            if site.id == id && site.kind != SiteKind::Module {
                found = Some((site, start));
            }
        });
        found
    }

    /// `len` bytes of the good text from `start`.
    pub fn slice(&self, start: u32, len: u32) -> String {
        self.text.byte_slice(start as usize..(start + len) as usize).to_string()
    }

    fn line_of(&self, byte: u32) -> u32 {
        self.text.byte_to_line(byte as usize) as u32
    }

    fn column_of(&self, byte: u32, line: u32) -> u32 {
        column_of(&self.text, byte, line)
    }
}

/// As JavaScript counts: in UTF-16.
fn column_of(text: &Rope, byte: u32, line: u32) -> u32 {
    let units = |byte: usize| text.char_to_utf16_cu(text.byte_to_char(byte));
    (units(byte as usize) - units(text.line_to_byte(line as usize))) as u32
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u32,
    line: u32,
    column: u32,
}

/// Where a specifier stands in a text, as far as a search for its quoted form can tell.
pub(crate) fn find_specifier(text: &str, spec: &str) -> (u32, u32) {
    let (spec, _) = crate::sites::collect::without_type(spec);
    let at = ['"', '\''].iter().filter_map(|quote| text.find(&format!("{quote}{spec}{quote}"))).min();
    at.map_or((0, 0), |it| (it as u32, (it + spec.len() + 2) as u32))
}
