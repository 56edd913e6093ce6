//! Documents and files: from a changed text to verdicts for the editor and work for the pages.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ropey::Rope;
use rustc_hash::FxHashMap;

use super::event::{Level, Notice, ProblemNotice, ReasonNotice, SiteNotice, TextRange, VerdictNotice};
use super::hot::{Hot, Planned};
use super::problems::{Problem, solved};
use super::{Engine, OpenDocument, UPDATE_IDLE};
use crate::graph::Missing;
use crate::pages::SentDocument;
use crate::patch::{PlannedSite, Program, Reason};
use crate::sites::Rev;
use crate::sites::collect::Flavour;
use crate::text::Document;
use crate::wire::{Change, ModuleKind, Target, When};

/// What one turn has to tell the pages.
#[derive(Default)]
pub(super) struct Turn {
    /// Functions that changed, by module, with the revision before.
    pub(super) patched: FxHashMap<String, (Rev, Vec<PlannedSite>)>,
    /// Changes that are the same for every page.
    pub(super) others: Vec<Change>,
    /// The documents that the changes come from, by module id or URL.
    pub(super) documents: FxHashMap<String, SentDocument>,
    /// Modules with another problem than before, or without the one they had.
    pub(super) problems: Vec<String>,
    /// What the editor is told once the pages were.
    notices: Vec<Notice>,
}

impl Engine {
    pub(super) fn open(&mut self, uri: String, path: Option<PathBuf>, version: i32, text: &str) {
        let located = path.and_then(|it| self.graph.resolver.root().locate(&it));
        let mut open = OpenDocument {
            path: None,
            module: None,
            document: Document::new(version, text),
            encoding: crate::text::PositionEncoding::Utf16,
            unplanned: Some(Instant::now()),
            was_edited: true,
            is_lost: false,
            has_problems: false,
        };
        // What is not below the root is never served and never patched.
        if let Some((id, real)) =
            located.filter(|(_, real)| crate::dev_server::may_serve(self.graph.resolver.root().path(), real))
        {
            self.graph.buffers.insert(real.clone(), open.document.rope.clone());
            if is_script(&real) && self.own(&id, &real) {
                if let Some(hot) = self.hot.get_mut(&id) {
                    hot.replace(open.document.rope.clone());
                }
                open.module = Some(id);
            }
            open.was_edited = read_disk(&real).is_none_or(|disk| open.document.rope != *disk);
            open.path = Some(real);
        } else {
            tracing::info!("{uri} is not below the served folder; it is not patched");
        }
        self.documents.insert(uri, open);
    }

    /// Makes a module the engine's, with the program that pages may have loaded. `false` if it has none that parses.
    fn own(&mut self, id: &str, path: &Path) -> bool {
        if self.hot.contains_key(id) {
            return true;
        }
        let options = self.graph.options(id, path);
        let loaded = self.graph.take(id);
        let on_disk = || read_disk(path);
        // What pages have is of that revision, however much has changed in other modules since.
        let loaded_rev = loaded.as_ref().filter(|it| !it.source.is_empty()).map(|it| it.def.rev);
        let source: Option<Arc<str>> = match &loaded {
            // Whatever the file holds by now: what pages have is the error.
            Some(loaded) if loaded.def.kind == ModuleKind::Error => None,
            Some(loaded) if !loaded.source.is_empty() => Some(Arc::clone(&loaded.source)),
            _ => on_disk().map(Arc::from),
        };
        let imports = loaded.iter().flat_map(|it| it.def.deps.iter().chain(&it.def.dynamic));
        let imports = imports.filter_map(|it| match &it.target {
            Target::Id(id) => Some(id.clone()),
            _ => None,
        });
        let imports = imports.collect();
        let rev = loaded_rev.unwrap_or_else(|| self.graph.rev());
        let program = source
            .and_then(|it| Program::load(&it, options, rev).ok())
            .map(|(program, _)| program)
            .or_else(|| Program::nothing(options, rev));
        match program {
            Some(program) => {
                let mut hot = Hot::new(program);
                hot.imports = imports;
                self.hot.insert(id.to_owned(), hot);
                true
            }
            None => false,
        }
    }

    /// A file that an editor had open before a page loaded it turns out to be a plain script.
    pub(super) fn make_classic(&mut self, id: &str) {
        let Some(hot) = self.hot.get_mut(id).filter(|it| !matches!(it.program.flavour, Flavour::Classic(_))) else {
            return;
        };
        let Some(path) = self.graph.resolver.root().path_of(id) else { return };
        let text = hot.program.text.to_string();
        let rev = self.graph.next_rev();
        // What is no script, a module that is loaded as one, stays what it is; the browser says what is wrong with it.
        let Ok((program, _)) = Program::load(&text, self.graph.options(id, &path), rev) else { return };
        *hot = Hot::new(program);
        for open in self.documents.values_mut().filter(|it| it.module.as_deref() == Some(id)) {
            hot.replace(open.document.rope.clone());
            open.unplanned.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn save(&mut self, uri: &str) {
        let Some(open) = self.documents.get(uri) else { return };
        if open.path.as_deref().is_some_and(is_html) {
            self.push_html(open.path.clone());
            return;
        }
        let Some(id) = open.module.clone() else { return };
        if let Some(hot) = self.hot.get_mut(&id).filter(|it| !it.is_settled()) {
            hot.insist();
            if let Some(open) = self.documents.get_mut(uri) {
                open.unplanned.get_or_insert_with(Instant::now);
            }
            self.plan_changed(When::Save);
        }
        if let Some(problem) = self.problems.get(&id) {
            tracing::warn!("saved, but {}", problem.sentence(&id));
        }
        self.update_module(&id, When::Save);
    }

    pub(super) fn close(&mut self, uri: &str) {
        let Some(open) = self.documents.remove(uri) else { return };
        if open.has_problems {
            self.notify(Notice::Problems { uri: uri.to_owned(), version: None, problems: Vec::new() });
        }
        let Some(path) = open.path else { return };
        self.graph.buffers.remove(&path);
        if open.module.is_none() && !open.was_edited {
            return;
        }
        // Pages go back to what the disk has.
        self.file_changed(&path);
    }

    pub(super) fn files_changed(&mut self, paths: &[PathBuf]) {
        let mut seen = Vec::new();
        for path in paths {
            let Some((_, real)) = self.graph.resolver.root().locate(path) else { continue };
            // An open document's buffer wins over the disk.
            let is_open = self.documents.values().any(|it| it.path.as_ref() == Some(&real));
            if !is_open && !seen.contains(&real) {
                self.file_changed(&real);
                seen.push(real);
            }
        }
        let needs_resolving =
            paths.iter().any(|it| !it.is_file() || it.file_name().is_some_and(|it| it == "package.json"));
        let may_be_new = paths.iter().any(|it| it.is_file());
        if needs_resolving || may_be_new {
            self.graph.resolver.forget();
            let healed = self.graph.forget_errors();
            self.push_again(&healed);
            self.look_for_missing_imports();
        }
    }

    /// A file that no editor has open is another one now.
    fn file_changed(&mut self, path: &Path) {
        let Some((id, real)) = self.graph.resolver.root().locate(path) else { return };
        if is_html(&real) {
            self.push_html(Some(real));
            return;
        }
        if is_script(&real) {
            self.script_changed(&id, &real);
            return;
        }
        if !real.exists() {
            // It may have been a folder.
            for id in self.graph.known_below(&id) {
                if let Some(path) = self.graph.resolver.root().path_of(&id).filter(|it| is_script(it)) {
                    self.script_changed(&id, &path);
                }
            }
        }
        let mut turn = Turn::default();
        self.asset_changed(&id, &real, &mut turn);
        self.push(turn, When::Disk);
    }

    fn script_changed(&mut self, id: &str, path: &Path) {
        if !self.graph.is_known(id) {
            return;
        }
        if !path.is_file() {
            self.script_gone(id, path);
            return;
        }
        let Some(text) = read_disk(path) else { return };
        if !self.own(id, path) {
            return;
        }
        let Some(hot) = self.hot.get_mut(id) else { return };
        hot.replace(Rope::from_str(&text));
        let gone_since = hot.gone_since.take();
        let mut turn = Turn::default();
        if hot.is_settled() {
            self.set_problem(id, None, &mut turn);
        } else {
            self.plan_module(id, &mut turn);
        }
        self.push(turn, When::Disk);
        if let Some(since) = gone_since {
            self.push_to_those_without(id, since);
        }
        self.update_module(id, When::Disk);
    }

    /// A script was deleted. Pages that run it go on: whatever imports it could not be loaded again. If nothing does, pages
    /// dispose of it.
    fn script_gone(&mut self, id: &str, path: &Path) {
        let mut turn = Turn::default();
        if self.is_in_use(id) {
            // It stays the engine's, so that what pages run is known when the file is back.
            if !self.own(id, path) {
                return;
            }
            let rev = self.graph.next_rev();
            let Some(hot) = self.hot.get_mut(id) else { return };
            hot.gone_since.get_or_insert(rev);
            self.set_problem(id, Some(Problem::new("was deleted: pages that run it go on")), &mut turn);
        } else {
            self.graph.forget(id);
            self.hot.remove(id);
            self.set_problem(id, None, &mut turn);
            turn.others.push(Change::Remove { module: id.to_owned(), rev: self.graph.next_rev() });
            // What comes under this id later is newer.
            self.graph.next_rev();
        }
        self.push(turn, When::Disk);
    }

    fn is_in_use(&self, id: &str) -> bool {
        self.graph.is_in_use(id) || self.hot.values().any(|it| it.imports.iter().any(|it| it == id))
    }

    /// Plans every document that changed, in its newest version, and pushes the results together.
    pub(super) fn plan_changed(&mut self, when: When) {
        let mut uris: Vec<String> =
            self.documents.iter().filter(|(_, it)| it.unplanned.is_some()).map(|(uri, _)| uri.clone()).collect();
        if uris.is_empty() {
            return;
        }
        uris.sort_unstable();
        let mut turn = Turn::default();
        for uri in uris {
            self.plan_document(&uri, &mut turn);
        }
        // Pages first: they are what the user looks at, and the editor's share of the work would hold them up on a small machine.
        let notices = std::mem::take(&mut turn.notices);
        self.push(turn, when);
        notices.into_iter().for_each(|it| self.notify(it));
    }

    fn plan_document(&mut self, uri: &str, turn: &mut Turn) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        let Some(arrived) = open.unplanned.take() else { return };
        let version = open.document.version;
        let Some(path) = open.path.clone() else {
            let message = "this document is not a file below the served folder, so no page runs it".to_owned();
            let reason = Reason { code: "outside", message, start: 0, end: 0 };
            self.tell_verdict(turn, uri, "unchanged", Some(&reason), Vec::new());
            return;
        };
        self.graph.buffers.insert(path.clone(), open.document.rope.clone());
        let sent = |id: &str| (id.to_owned(), SentDocument { uri: uri.to_owned(), version, arrived });
        let Some(id) = open.module.clone() else {
            if !open.was_edited {
                self.tell_verdict(turn, uri, "unchanged", None, Vec::new());
                return;
            }
            if let Some((id, _)) = self.graph.resolver.root().locate(&path) {
                let kind = if is_html(&path) { "reloadPage" } else { "patch" };
                let reason = is_html(&path).then(|| Reason {
                    code: "html",
                    message: "pages take a new HTML file when it is saved".to_owned(),
                    start: 0,
                    end: 0,
                });
                self.tell_verdict(turn, uri, kind, reason.as_ref(), Vec::new());
                if !is_html(&path) {
                    turn.documents.extend([sent(&id)]);
                    self.asset_changed(&id, &path, turn);
                }
            }
            return;
        };
        turn.documents.extend([sent(&id)]);
        let Some(planned) = self.plan_module(&id, turn) else { return };
        let Planned { patched, top, update, hold } = planned;
        let (verdict, reason) = match (&update, patched.is_empty() && !top, &hold) {
            (Some(reason), ..) => ("updateModule", Some(reason)),
            (None, false, hold) => ("patch", hold.as_ref()),
            (None, true, Some(reason)) => ("hold", Some(reason)),
            (None, true, None) => ("unchanged", None),
        };
        let is_same = patched.is_empty() && !top && update.is_none();
        let unresolved = self.unresolved(&id, &patched, is_same);
        let reason = reason.cloned().or(unresolved);
        let is_unresolved = reason.as_ref().is_some_and(|it| it.code == "unresolved");
        let verdict = if matches!(verdict, "patch" | "unchanged") && is_unresolved { "hold" } else { verdict };
        self.tell_verdict(turn, uri, verdict, reason.as_ref(), patched);
        self.tell_problems(turn, uri, hold.as_ref());
    }

    /// A name in edited code that nothing declares: no page that is known has it either. While no code is newer, that is
    /// what keeps it from running.
    fn unresolved(&mut self, id: &str, patched: &[PlannedSite], is_same: bool) -> Option<Reason> {
        let hot = self.hot.get_mut(id)?;
        if !is_same {
            hot.unresolved = undeclared(patched);
            return hot.unresolved.clone();
        }
        // Its place has moved.
        hot.unresolved.clone().map(|it| Reason { start: 0, end: 0, ..it })
    }

    /// Plans one module's buffer and notes what pages have to be told.
    fn plan_module(&mut self, id: &str, turn: &mut Turn) -> Option<Planned> {
        let hot = self.hot.get_mut(id)?;
        let before = hot.program.rev;
        let was_nothing = hot.program.is_nothing;
        let could_not_run = hot.missing.iter().any(|it| it.is_static);
        let rev = self.graph.next_rev();
        let planned = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hot.plan(rev))) {
            Ok(planned) => planned,
            Err(_) => {
                // What is half planned can't be trusted; the module starts again from its whole text.
                hot.start_again();
                self.warn(format!(
                    "{id} could not be planned because of a mistake in Capuchin; pages keep the last good program"
                ));
                return None;
            }
        };
        let mut planned = self.without_needless_update(id, planned, turn);
        let hot = self.hot.get_mut(id)?;
        if was_nothing && !hot.program.is_nothing {
            // Pages that asked meanwhile got the error.
            self.graph.forget(id);
        }
        if let Some(reason) = &planned.update {
            hot.update_reason = Some(reason.clone());
        }
        if planned.update.is_some() || hot.update_since.is_some() {
            hot.update_since = Some(Instant::now());
        }
        self.look_for_imports(id);
        if let Some(hot) = self.hot.get_mut(id) {
            hot.held.clone_from(&planned.hold);
            // Without the import that kept it from running the text may be the same to pages that run it, not to those that failed.
            planned.top |= could_not_run && !hot.missing.iter().any(|it| it.is_static);
        }
        self.note_problem(id, turn);
        if !planned.patched.is_empty() || planned.top || planned.update.is_some() {
            turn.patched.insert(id.to_owned(), (before, planned.patched.clone()));
        }
        Some(planned)
    }

    /// The text may be back at a top level that the pages run, after one that they never took: then only functions are due.
    fn without_needless_update(&mut self, id: &str, mut planned: Planned, turn: &mut Turn) -> Planned {
        let Some(hot) = self.hot.get_mut(id).filter(|_| planned.update.is_some()) else { return planned };
        let program = &hot.program;
        let newest = program.root_at(program.rev);
        let mut known: Vec<_> = self.pages.connected_mut().filter_map(|(_, page)| page.modules.get_mut(id)).collect();
        let is_there = !known.is_empty() && known.iter().all(|it| program.root_at(it.root_rev).shell == newest.shell);
        if !is_there {
            return planned;
        }
        // What pages show of an update that they tried is over, too.
        let was_refused = known.iter().any(|it| it.refused != 0);
        for it in &mut known {
            it.root_rev = newest.rev;
            it.refused = 0;
        }
        if was_refused {
            turn.others.push(solved(id));
        }
        let due = known.iter().map(|it| program.catch_up(it.rev, &it.skipped, newest).0.sites);
        planned.patched = due.max_by_key(Vec::len).unwrap_or_default();
        planned.update = None;
        hot.update_since = None;
        hot.update_reason = None;
        planned
    }

    /// A stylesheet, data file or asset changed.
    fn asset_changed(&mut self, id: &str, path: &Path, turn: &mut Turn) {
        self.graph.forget(id);
        let rev = self.graph.next_rev();
        let url = id.to_owned();
        let is_css = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("css"));
        let change = if is_css { Change::Css { url, rev } } else { Change::Asset { url, rev } };
        self.files.insert(id.to_owned(), (rev, change.clone()));
        turn.others.push(change);
        if !self.pages.connected().any(|(_, page)| page.modules.contains_key(id)) {
            return;
        }
        let def = self.graph.define(id);
        if def.kind == ModuleKind::Error {
            // What imports it could only fail: pages keep what they have.
            self.set_problem(id, Some(Problem::new(format!("could not be loaded: {}", def.code))), turn);
            return;
        }
        self.set_problem(id, None, turn);
        turn.others.push(Change::Update { module: id.to_owned(), from: 0, rev, defs: vec![(*def).clone()] });
    }

    fn push_html(&mut self, path: Option<PathBuf>) {
        let Some((id, _)) = path.and_then(|it| self.graph.resolver.root().locate(&it)) else { return };
        let mut turn = Turn::default();
        let change = Change::Html { url: id.clone() };
        self.files.insert(id, (self.graph.next_rev(), change.clone()));
        turn.others.push(change);
        self.push(turn, When::Save);
    }

    /// The next moment at which a module may have to run again.
    pub(super) fn next_update(&self) -> Option<Instant> {
        self.hot.values().filter_map(|it| it.update_since).min().map(|it| it + UPDATE_IDLE)
    }

    pub(super) fn update_idle_modules(&mut self) {
        let now = Instant::now();
        let due: Vec<String> = self
            .hot
            .iter()
            .filter(|(_, hot)| hot.update_since.is_some_and(|it| it + UPDATE_IDLE <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.update_module(&id, When::Typing);
        }
    }

    fn tell_verdict(
        &self,
        turn: &mut Turn,
        uri: &str,
        verdict: &'static str,
        reason: Option<&Reason>,
        patched: Vec<PlannedSite>,
    ) {
        let Some(open) = self.documents.get(uri) else { return };
        let reason = reason.map(|it| ReasonNotice {
            code: it.code.to_owned(),
            message: it.message.clone(),
            range: (it.end > it.start).then(|| open.range(it.start, it.end)),
        });
        let sites = patched
            .into_iter()
            .map(|it| SiteNotice { range: open.range(it.start, it.end), kind: it.kind.describe(), name: it.name })
            .collect();
        let version = open.document.version;
        turn.notices.push(Notice::Verdict(VerdictNotice { uri: uri.to_owned(), version, verdict, reason, sites }));
    }

    /// Looks again for what was missing: something new is on disk.
    fn look_for_missing_imports(&mut self) {
        let mut ids: Vec<String> =
            self.hot.iter().filter(|(_, it)| !it.missing.is_empty()).map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        for id in ids {
            let Some(hot) = self.hot.get_mut(&id) else { continue };
            let before = std::mem::take(&mut hot.missing);
            hot.missing_at = None;
            self.look_for_imports(&id);
            if self.hot.get(&id).is_none_or(|it| it.missing == before) {
                continue;
            }
            let mut turn = Turn::default();
            self.note_problem(&id, &mut turn);
            self.push(turn, When::Disk);
            self.push_imports(&id);
            let mut is_open = false;
            for open in self.documents.values_mut().filter(|it| it.module.as_ref() == Some(&id)) {
                open.unplanned.get_or_insert_with(Instant::now);
                is_open = true;
            }
            // A module that has to run again may have waited for it.
            match self.hot.get_mut(&id).filter(|_| is_open) {
                Some(hot) => hot.update_since = Some(Instant::now()),
                None => self.update_module(&id, When::Disk),
            }
        }
    }

    /// Looks for what a module imports, if its top level has changed since that was last looked for.
    fn look_for_imports(&mut self, id: &str) {
        let Some(hot) = self.hot.get_mut(id) else { return };
        let newest = hot.program.roots.last().map(|it| it.rev);
        if hot.missing_at != newest {
            hot.missing_at = newest;
            (hot.imports, hot.missing) = hot.program.module().map(|it| self.graph.imports(id, &it)).unwrap_or_default();
        }
    }

    fn tell_problems(&mut self, turn: &mut Turn, uri: &str, hold: Option<&Reason>) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        let hot = open.module.as_ref().and_then(|it| self.hot.get(it));
        let missing: &[Missing] = hot.map_or(&[], |it| &it.missing);
        if hold.is_none() && missing.is_empty() && !open.has_problems {
            return;
        }
        open.has_problems = hold.is_some() || !missing.is_empty();
        let held = hold.map(|it| ProblemNotice {
            range: open.range(it.start, it.end.max(it.start)),
            message: format!("{}: pages keep the last good program", it.message.trim_end_matches('.')),
            code: it.code.to_owned(),
            level: Level::Info,
        });
        let missing = missing.iter().map(|it| {
            let (start, end) = find_specifier(&open.document.rope, &it.spec);
            ProblemNotice {
                range: open.range(start, end),
                message: it.message.clone(),
                code: "import".to_owned(),
                level: Level::Error,
            }
        });
        let problems = held.into_iter().chain(missing).collect();
        let version = Some(open.document.version);
        turn.notices.push(Notice::Problems { uri: uri.to_owned(), version, problems });
    }
}

impl OpenDocument {
    fn range(&self, start: u32, end: u32) -> TextRange {
        let at = |byte: u32| {
            let position = self.document.position((byte as usize).min(self.document.len_bytes()), self.encoding);
            (position.line, position.character)
        };
        TextRange { start: at(start), end: at(end) }
    }
}

/// Where a specifier stands in a text, as far as a search for its quoted form can tell.
pub(super) fn find_specifier(text: &Rope, spec: &str) -> (u32, u32) {
    let text = text.to_string();
    let at = ['"', '\''].iter().filter_map(|quote| text.find(&format!("{quote}{spec}{quote}"))).min();
    at.map_or((0, 0), |it| (it as u32, (it + spec.len() + 2) as u32))
}

fn undeclared(patched: &[PlannedSite]) -> Option<Reason> {
    let missing = |site: &PlannedSite| site.needs.iter().find(|name| !crate::globals::is_known(name)).cloned();
    let (site, name) = patched.iter().find_map(|site| Some((site, missing(site)?)))?;
    let message =
        format!("`{name}` is declared nowhere: the page keeps the last good {} until it is", site.kind.describe());
    Some(Reason { code: "unresolved", message, start: site.start, end: site.end })
}

fn read_disk(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(extension.as_str(), "js" | "mjs" | "cjs" | "jsx" | "es6")
}

fn is_html(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("html") || it.eq_ignore_ascii_case("htm"))
}
