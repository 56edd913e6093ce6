//! Documents: from a changed text to verdicts for the editor and work for the pages.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::event::{Level, Notice, ProblemNotice, ReasonNotice, SiteNotice, TextRange, VerdictNotice};
use super::files::{is_html, is_script, read_disk};
use super::hot::{Hot, Planned};
use super::problems::solved;
use super::{Engine, ONE_CHANGE, OpenDocument, UPDATE_IDLE};
use crate::graph::Missing;
use crate::pages::{PageModule, SentDocument};
use crate::patch::{PlannedSite, Program, Reason, find_specifier};
use crate::sites::Rev;
use crate::sites::collect::Flavour;
use crate::text::Document;
use crate::wire::{Change, ModuleDef, ModuleKind, Target, When};

/// What one turn has to tell the pages.
#[derive(Default)]
pub(super) struct Turn {
    /// Functions that changed, by module, with the revision before.
    pub(super) patched: FxHashMap<String, (Rev, Vec<PlannedSite>)>,
    /// Changes that are the same for every page.
    pub(super) others: Vec<Change>,
    /// Modules that pages with another top level run again.
    pub(super) updates: Vec<String>,
    /// Modules that are no program, or are one that pages have but for what it imports: pages run them again.
    pub(super) again: Vec<ModuleDef>,
    /// Modules whose file is back, and since when it was gone.
    pub(super) returned: Vec<(String, Rev)>,
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
        let mut is_new = false;
        let mut open = OpenDocument {
            path: None,
            module: None,
            document: Document::new(version, text),
            encoding: crate::text::PositionEncoding::Utf16,
            unplanned: Some(Instant::now()),
            was_edited: true,
            is_lost: false,
            has_problems: false,
            told: None,
        };
        // What is not below the root is never served and never patched.
        if let Some((id, real)) =
            located.filter(|(_, real)| crate::dev_server::may_serve(self.graph.resolver.root().path(), real))
        {
            self.graph.buffers.insert(real.clone(), open.document.rope.clone());
            is_new = !self.graph.is_known(&id);
            if is_script(&real) && self.own(&id, &real) {
                if let Some(hot) = self.hot.get_mut(&id) {
                    hot.replace(open.document.rope.clone());
                }
                open.module = Some(id);
            }
            let on_disk = read_disk(&real);
            open.was_edited = on_disk.as_ref().is_none_or(|disk| open.document.rope != **disk);
            is_new |= on_disk.is_none();
            open.path = Some(real);
        } else {
            tracing::info!("{uri} is not below the served folder; it is not patched");
        }
        self.documents.insert(uri, open);
        // A pattern may gather it although it was never saved; the watcher may not have named it yet.
        self.may_have_new_files |= is_new;
    }

    /// Makes a module the engine's, with the program that pages may have loaded. `false` if it has none that parses.
    pub(super) fn own(&mut self, id: &str, path: &Path) -> bool {
        if self.hot.contains_key(id) {
            return true;
        }
        let options = self.graph.options(id, path);
        let loaded = self.graph.take(id);
        let on_disk = || read_disk(path);
        // What pages have is of that revision, however much has changed in other modules since.
        let loaded_rev = loaded.as_ref().filter(|it| it.source.is_some()).map(|it| it.def.rev);
        let source: Option<Arc<str>> = match &loaded {
            // Whatever the file holds by now: what pages have is the error.
            Some(loaded) if loaded.def.kind == ModuleKind::Error => None,
            _ => loaded.as_ref().and_then(|it| it.source.clone()).or_else(|| on_disk().map(Arc::from)),
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
                let is_esm = program.flavour == Flavour::Esm;
                let mut hot = Hot::new(program);
                hot.imports = imports;
                hot.missing = loaded.map(|it| it.def.missing(is_esm)).unwrap_or_default();
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
        let Some(id) = open.module.clone() else {
            self.push_remade(When::Save);
            return;
        };
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
        self.update_modules(&self.due_with(&id), When::Save);
        self.push_remade(When::Save);
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
        let mut turn = Turn::default();
        self.file_changed(&path, &mut turn);
        if !path.is_file() {
            self.gather_again(&mut turn);
        }
        self.push_files(turn);
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
        self.keep_for_update(&mut turn);
        let may_have_new_files = std::mem::take(&mut self.may_have_new_files);
        if may_have_new_files {
            self.graph.resolver.forget();
            self.gather_again(&mut turn);
        }
        // Pages first: they are what the user looks at, and the editor's share of the work would hold them up on a small machine.
        let notices = std::mem::take(&mut turn.notices);
        self.push(turn, when);
        notices.into_iter().for_each(|it| self.notify(it));
        if may_have_new_files {
            self.look_for_what_was_missing();
        }
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
                // Pages that are made from now on have it.
                self.graph.next_rev();
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
        self.remake(&path, turn);
        let Some(planned) = self.plan_module(&id, turn) else { return };
        let Planned { patched, top, update, hold, note } = planned;
        let missing = self.missing_import(&id);
        // What is new at the top level cannot run without it; functions can.
        let (update, top) = if missing.is_some() { (None, false) } else { (update, top) };
        let hold = hold.or(missing);
        let (verdict, reason) = match (&update, patched.is_empty() && !top, &hold) {
            (Some(reason), ..) => ("updateModule", Some(reason)),
            (None, false, hold) => ("patch", hold.as_ref()),
            (None, true, Some(reason)) => ("hold", Some(reason)),
            (None, true, None) => ("unchanged", None),
        };
        let is_same = patched.is_empty() && !top && update.is_none();
        let unresolved = self.unresolved(&id, &patched, is_same);
        let reason = reason.cloned().or(unresolved).or(note);
        let is_unresolved = reason.as_ref().is_some_and(|it| it.code == "unresolved");
        let verdict = if matches!(verdict, "patch" | "unchanged") && is_unresolved { "hold" } else { verdict };
        self.tell_verdict(turn, uri, verdict, reason.as_ref(), patched);
        self.tell_problems(turn, uri);
    }

    /// The first static import that a module's newest text cannot run without.
    fn missing_import(&self, id: &str) -> Option<Reason> {
        let hot = self.hot.get(id)?;
        let missing = hot.missing.iter().find(|it| it.is_static)?;
        let (start, end) = find_specifier(&hot.buffer().to_string(), &missing.spec);
        Some(Reason { code: "import", message: missing.message.clone(), start, end })
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
    pub(super) fn plan_module(&mut self, id: &str, turn: &mut Turn) -> Option<Planned> {
        let hot = self.hot.get_mut(id)?;
        let before = hot.program.rev;
        let was_nothing = hot.program.is_nothing;
        let could_not_run = hot.missing.iter().any(|it| it.is_static);
        let rev = self.graph.next_rev();
        let graph = Arc::clone(&self.graph);
        let lead = |spec: &str| match graph.dependency(spec, id).target {
            Target::Id(it) | Target::Url(it) => Ok(it),
            Target::Error(message) => Err(message),
        };
        let planned = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hot.plan(rev, &lead))) {
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
        let planned = self.without_needless_update(id, planned, turn);
        let mut planned = self.with_due_update(id, planned);
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
            let runs_now = could_not_run && !hot.missing.iter().any(|it| it.is_static);
            let newest = hot.program.root.shell;
            let is_behind = |it: &PageModule| hot.program.root_at(it.root_rev).shell != newest;
            let mut known = self.pages.connected().filter_map(|(_, page)| page.modules.get(id));
            planned.top |= runs_now && known.any(is_behind);
        }
        self.note_problem(id, turn);
        if !planned.patched.is_empty() || planned.top || planned.update.is_some() {
            turn.patched.insert(id.to_owned(), (before, planned.patched.clone()));
        }
        Some(planned)
    }

    /// The text may be back at a top level that the pages run, after one that they never took: then only functions are due.
    fn without_needless_update(&mut self, id: &str, mut planned: Planned, turn: &mut Turn) -> Planned {
        let Some(hot) = self.hot.get_mut(id).filter(|_| planned.update.is_some() || planned.top) else {
            return planned;
        };
        let program = &hot.program;
        let newest = program.root_at(program.rev);
        let mut known: Vec<_> = self.pages.connected_mut().filter_map(|(_, page)| page.modules.get_mut(id)).collect();
        // Declarations that pages can take over one after another are sent, back and forth.
        let leads_nowhere = |it: &PageModule| planned.update.is_some() || !program.follows(it.root_rev);
        let is_same = |it: &PageModule| program.is_same_top(it.root_rev, newest.rev);
        let is_there = !known.is_empty() && known.iter().all(|it| is_same(it) && leads_nowhere(it));
        if !is_there {
            return planned;
        }
        // What pages show of an update that they tried is over, too.
        let was_refused = known.iter().any(|it| it.refused.is_some());
        known.iter_mut().for_each(|it| it.refused = None);
        if was_refused {
            turn.others.push(solved(id));
        }
        let due = known.iter().map(|it| program.catch_up(it.rev, &it.skipped, newest).0.sites);
        planned.patched = due.max_by_key(Vec::len).unwrap_or_default();
        planned.update = None;
        planned.top = false;
        hot.update_since = None;
        hot.update_reason = None;
        // What was wrong with the text in between is over.
        if !self.problems.contains_key(id) {
            turn.others.push(Change::Problem { module: id.to_owned(), message: None, line: None, column: None });
        }
        planned
    }

    /// Pages may run an older top level, since they have not taken the newest yet or refused to: what needs that comes with
    /// the same update.
    fn with_due_update(&self, id: &str, mut planned: Planned) -> Planned {
        let Some(hot) = self.hot.get(id) else { return planned };
        let is_whole = planned.update.is_none() && (planned.hold.is_none() || planned.top);
        let Some(reason) = hot.update_reason.as_ref().filter(|_| is_whole) else { return planned };
        let program = &hot.program;
        let mut behind = self.pages.connected().filter_map(|(_, page)| page.modules.get(id)).filter(|it| {
            let runs = program.root_at(it.root_rev);
            runs.shell != program.root.shell && program.top_since(it.root_rev).is_none()
        });
        // Functions that pages can run as they are need not wait.
        let is_due = hot.update_since.is_some() || planned.top || planned.patched.is_empty();
        let lacks = |it: &PageModule| {
            let left = program.catch_up(it.seen, &it.skipped, program.root_at(it.root_rev)).1;
            planned.patched.iter().any(|it| left.contains(&it.id))
        };
        match behind.next() {
            Some(it) if is_due || lacks(it) || behind.any(lacks) => planned.update = Some(reason.clone()),
            Some(_) => planned.note = planned.note.or_else(|| Some(reason.clone())),
            None => {}
        }
        planned
    }

    /// The moment at which modules may have to run again: when none of those that wait has changed for a while.
    pub(super) fn next_update(&self) -> Option<Instant> {
        // What waits for an update that is not needed any more goes at once.
        let kept = (!self.kept.is_empty()).then(|| Instant::now().checked_sub(UPDATE_IDLE)).flatten();
        let programs = self.hot.values().filter_map(|it| it.update_since).chain(kept);
        programs.chain(self.remade.values().map(|it| it.0)).max().map(|it| it + UPDATE_IDLE)
    }

    pub(super) fn update_idle_modules(&mut self) {
        let mut due: Vec<String> =
            self.hot.iter().filter(|(_, hot)| hot.update_since.is_some()).map(|(id, _)| id.clone()).collect();
        due.sort_unstable();
        self.update_each(due);
        self.push_remade(When::Typing);
    }

    /// Sends modules that have to run again, as it becomes them: those that nobody types, nobody will save either.
    pub(super) fn update_each(&mut self, due: Vec<String>) {
        let is_open = |id: &String| self.documents.values().any(|it| it.module.as_ref() == Some(id));
        let (typed, others): (Vec<String>, Vec<String>) = due.into_iter().partition(is_open);
        self.update_modules(&typed, When::Typing);
        self.update_modules(&others, When::Disk);
    }

    /// A module that is saved, and those that changed together with it: a name that was changed in several files.
    fn due_with(&self, id: &str) -> Vec<String> {
        let mut due = vec![id.to_owned()];
        if let Some(since) = self.hot.get(id).and_then(|it| it.update_since) {
            let is_near = |it: Instant| it.max(since).duration_since(it.min(since)) < ONE_CHANGE;
            let others = self.hot.iter().filter(|(_, hot)| hot.update_since.is_some_and(is_near));
            due.extend(others.map(|(id, _)| id.clone()).filter(|it| it != id));
            due.sort_unstable();
        }
        due
    }

    /// Functions that changed together with another module that has to run again wait for it: each may need the other. An
    /// editor that changes a name in several files sends one notification for each.
    fn keep_for_update(&mut self, turn: &mut Turn) {
        let waits = |id: &String| self.hot.get(id).is_some_and(|it| it.update_since.is_some());
        let is_near = self.hot.values().filter_map(|it| it.update_since).any(|it| it.elapsed() < ONE_CHANGE);
        let is_kept = |id: &&String| !waits(id) && (is_near || self.kept.contains_key(*id));
        let kept: Vec<String> = turn.patched.keys().filter(is_kept).cloned().collect();
        for id in kept {
            let (_, sites) = turn.patched.remove(&id).unwrap_or_default();
            let document = turn.documents.get(&id).cloned();
            let kept = self.kept.entry(id).or_default();
            kept.0.extend(sites);
            kept.1 = document;
        }
    }

    fn tell_verdict(
        &mut self,
        turn: &mut Turn,
        uri: &str,
        verdict: &'static str,
        reason: Option<&Reason>,
        patched: Vec<PlannedSite>,
    ) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        let reaches_pages = matches!(verdict, "patch" | "updateModule" | "reloadPage");
        open.told = reaches_pages.then(|| (Instant::now(), self.graph.rev()));
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

    /// Looks for what a module imports, if its top level has changed since that was last looked for.
    pub(super) fn look_for_imports(&mut self, id: &str) {
        let Some(hot) = self.hot.get_mut(id) else { return };
        let newest = hot.program.roots.last().map(|it| it.rev);
        if hot.missing_at != newest {
            hot.missing_at = newest;
            (hot.imports, hot.missing) = hot.program.module().map(|it| self.graph.imports(id, &it)).unwrap_or_default();
        }
    }

    fn tell_problems(&mut self, turn: &mut Turn, uri: &str) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        let hot = open.module.as_ref().and_then(|it| self.hot.get(it));
        let hold = hot.and_then(|it| it.held.as_ref());
        let missing: &[Missing] = hot.map_or(&[], |it| &it.missing);
        if hold.is_none() && missing.is_empty() && !open.has_problems {
            return;
        }
        open.has_problems = hold.is_some() || !missing.is_empty();
        let held = hold.map(|it| ProblemNotice {
            range: open.range(it.start, it.end.max(it.start)),
            message: match it.code {
                "syntax" => format!("{}: pages keep the last good program", it.message.trim_end_matches('.')),
                _ => it.message.clone(),
            },
            code: it.code.to_owned(),
            level: if it.code == "import" { Level::Error } else { Level::Info },
        });
        let missing = missing.iter().map(|it| {
            let (start, end) = find_specifier(&open.document.rope.to_string(), &it.spec);
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

fn undeclared(patched: &[PlannedSite]) -> Option<Reason> {
    let missing = |site: &PlannedSite| site.needs.iter().find(|name| !crate::globals::is_known(name)).cloned();
    let (site, name) = patched.iter().find_map(|site| Some((site, missing(site)?)))?;
    let message =
        format!("`{name}` is declared nowhere: the page keeps the last good {} until it is", site.kind.describe());
    Some(Reason { code: "unresolved", message, start: site.start, end: site.end })
}
