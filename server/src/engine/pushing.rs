//! Pages: what each has to be told after a turn, and what it says came of it.

use std::borrow::Cow;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::mpsc;

use super::changes::{
    Modules, about, can_step, concerns, defined, due, gathered_by, may_be_held, missing_import, patch, same_as_ours,
    site_patch, top_patch, tops_for, update, wants,
};
use super::event::{Notice, OutcomeNotice, ReasonNotice};
use super::hot::Hot;
use super::planning::Turn;
use super::{Engine, OpenDocument, When};
use crate::graph::Compiled;
use crate::pages::{Page, PageModule, Sent, SentDocument};
use crate::sites::Rev;
use crate::wire::{self, Change, FromPage, ModuleOutcome, ModuleRev, Outcome, PageId, SitePatch, ToPage};

impl Engine {
    /// Sends each page its part of what a turn changed, in one message.
    pub(super) fn push(&mut self, turn: Turn, when: When) {
        let nothing_to_run = turn.patched.is_empty() && turn.updates.is_empty() && turn.again.is_empty();
        if nothing_to_run && turn.others.is_empty() && turn.problems.is_empty() {
            return;
        }
        for id in &turn.problems {
            self.journal.problem(id, self.problems.get(id), when);
        }
        for id in &turn.updates {
            if let Some(hot) = self.hot.get_mut(id) {
                hot.update_since = None;
            }
        }
        let mut common: FxHashMap<String, Vec<SitePatch>> = FxHashMap::default();
        let mut gave_up = false;
        let mut not_sent = Vec::new();
        let mut whole: FxHashMap<&String, Option<wire::ModuleDef>> = FxHashMap::default();
        let modules = Modules { graph: &self.graph, hot: &self.hot };
        let files_rev = self.graph.rev();
        for (page_id, page) in self.pages.connected_mut() {
            let mut changes = Vec::new();
            let mut sent = Sent { documents: turn.documents.clone(), ..Sent::new(when) };
            // Only a new top level can bring modules along; a page may have thousands.
            let is_behind = |id: &String| {
                let root_rev = page.modules.get(id).map(|it| it.root_rev);
                let tops = root_rev.zip(self.hot.get(id)).and_then(|(rev, hot)| hot.program.top_since(rev));
                tops.is_none_or(|it| !it.is_empty())
            };
            let has = if turn.patched.keys().any(is_behind) { page.module_ids() } else { FxHashSet::default() };
            for (id, (before, sites)) in &turn.patched {
                let Some(hot) = self.hot.get(id) else { continue };
                if turn.updates.contains(id) && wants(page, id, hot, when) && !can_step(page, id, hot) {
                    // The whole module brings its functions along.
                    continue;
                }
                let Some(known) = page.modules.get_mut(id) else { continue };
                let had = known.clone();
                let is_held = sites.iter().any(|it| hot.program.is_within(it.id, &known.held));
                let is_current = known.seen == *before && known.skipped.is_empty() && !is_held;
                let Some(steps) = tops_for(modules, hot, id, known).filter(|_| is_current) else {
                    let change = due(modules, hot, id, known, &has, is_held);
                    if change.is_none()
                        && let Some(document) = turn.documents.get(id)
                        && let Some(reason) = missing_import(modules, hot, id, known)
                    {
                        not_sent.push(held(page_id, document, reason));
                    }
                    changes.extend(change);
                    if known.root_rev != had.root_rev {
                        sent.before.insert(id.clone(), had);
                    }
                    continue;
                };
                // The usual case: every page gets the same.
                let patches = common
                    .entry(id.clone())
                    .or_insert_with(|| sites.iter().map(|it| site_patch(it, hot.program.rev)).collect());
                let top = top_patch(modules, id, &steps, &has);
                if top.is_some() {
                    sent.before.insert(id.clone(), had);
                }
                if sites.iter().any(may_be_held) {
                    known.held.extend(sites.iter().map(|it| it.id));
                }
                if !patches.is_empty() || top.is_some() {
                    changes.push(patch(hot, id, known.rev, patches.clone(), top));
                    known.rev = hot.program.rev;
                }
                known.seen = hot.program.rev;
                known.root_rev = hot.program.rev;
            }
            changes.extend(turn.others.iter().filter(|it| concerns(it, page)).cloned());
            for change in &turn.others {
                if let Change::Remove { module, .. } = change {
                    page.modules.remove(module);
                }
            }
            for id in &turn.updates {
                let Some(hot) = self.hot.get(id) else { continue };
                if !wants(page, id, hot, when) {
                    let refused = page.modules.get(id).and_then(|it| it.refused.clone());
                    let refused = refused.filter(|it| it.rev == hot.program.rev && when == When::Typing);
                    let document = turn.documents.get(id);
                    not_sent.extend(refused.zip(document).map(|(it, document)| notice(page_id, document, it)));
                    continue;
                }
                if let Some(missing) = hot.missing.iter().find(|it| it.is_static) {
                    // It could only fail: pages go on with what they run until the import is there.
                    let message = missing.message.clone();
                    let reason = ReasonNotice { code: "import".to_owned(), message, range: None };
                    not_sent.extend(turn.documents.get(id).map(|it| held(page_id, it, reason)));
                    continue;
                }
                let Some(def) = whole.entry(id).or_insert_with(|| defined(modules, hot, id)) else { continue };
                changes.push(update(modules, page, def.clone(), &mut sent));
            }
            for def in turn.again.iter().filter(|it| page.modules.contains_key(&it.id)) {
                changes.push(update(modules, page, def.clone(), &mut sent));
            }
            // While somebody types, the editor tells it; a page is bothered if it shows another problem already.
            let is_told = when != When::Typing;
            changes.extend(turn.problems.iter().filter_map(|id| {
                let known = page.modules.get_mut(id)?;
                about(self.problems.get(id), id, known, is_told)
            }));
            if !changes.is_empty() {
                page.push(changes, sent);
            }
            if page.is_connected() {
                page.files_rev = files_rev;
            }
            gave_up |= !page.is_connected();
        }
        for notice in not_sent {
            self.notify(Notice::Outcome(notice));
        }
        if gave_up {
            self.tell_page_count();
        }
    }

    /// Sends modules whose top level changed to the pages that run another one, and what waited for them.
    pub(super) fn update_modules(&mut self, ids: &[String], when: When) {
        let mut turn = Turn::default();
        for id in ids {
            let is_due = self.hot.get(id).is_some_and(|it| it.update_since.is_some());
            if is_due || when != When::Typing {
                turn.updates.push(id.clone());
                turn.documents.extend(newest_of(&self.documents, id));
            }
        }
        let still_waits = |(id, hot): (&String, &Hot)| hot.update_since.is_some() && !ids.contains(id);
        if !self.hot.iter().any(still_waits) {
            for (id, (sites, document)) in self.kept.drain() {
                turn.documents.extend(document.map(|it| (id.clone(), it)));
                // Of no revision: each page is sent what it lacks.
                turn.patched.insert(id, (0, sites));
            }
        }
        self.push(turn, when);
    }

    /// Modules that could not be loaded, or not with all that they import, may be all right now: pages get again what has
    /// changed. `failed` is how they were.
    pub(super) fn push_again(&mut self, failed: &[std::sync::Arc<wire::ModuleDef>]) {
        for old in failed {
            if self.hot.contains_key(&old.id) {
                continue;
            }
            let def = self.graph.define(&old.id);
            let is_same =
                (def.kind, &def.code, &def.deps, &def.dynamic) == (old.kind, &old.code, &old.deps, &old.dynamic);
            if !is_same {
                let rev = self.graph.next_rev();
                self.send_again(wire::ModuleDef { rev, ..(*def).clone() }, 0);
            }
            if def.kind != wire::ModuleKind::Error {
                let mut turn = Turn::default();
                self.set_problem(&old.id, None, &mut turn);
                self.push(turn, When::Disk);
            }
        }
    }

    /// What a module imports is there now: pages that loaded it without get it again, those that lack newer imports get
    /// these.
    pub(super) fn push_imports(&mut self, id: &str) {
        let Some(hot) = self.hot.get(id) else { return };
        if let Ok(module) = hot.program.module() {
            let (sites, stamp) = (hot.program.ids.len(), hot.program.stamp());
            let rev = self.graph.next_rev();
            let def = self.graph.definition(Compiled { id: id.to_owned(), rev, sites, stamp, module });
            self.send_again(def, 0);
        }
        let mut turn = Turn::default();
        turn.patched.insert(id.to_owned(), (0, Vec::new()));
        self.push(turn, When::Disk);
    }

    /// A deleted file is back: pages that loaded its module after `since` got an error in its place.
    pub(super) fn push_to_those_without(&mut self, id: &str, since: Rev) {
        let Some(hot) = self.hot.get(id) else { return };
        if let Ok(module) = hot.program.module() {
            let (sites, stamp) = (hot.program.ids.len(), hot.program.stamp());
            let rev = self.graph.next_rev();
            let def = self.graph.definition(Compiled { id: id.to_owned(), rev, sites, stamp, module });
            self.send_again(def, since);
        }
    }

    /// Sends a module to the pages that run its newest top level and loaded it at `since` or later, to run it again.
    fn send_again(&mut self, def: wire::ModuleDef, since: Rev) {
        let id = def.id.clone();
        let modules = Modules { graph: &self.graph, hot: &self.hot };
        for (_, page) in self.pages.connected_mut() {
            let Some(known) = page.modules.get(&id) else { continue };
            let is_behind = |hot: &Hot| hot.program.root_at(known.root_rev).shell != hot.program.root.shell;
            if known.root_rev < since || modules.hot.get(&id).is_some_and(is_behind) {
                continue;
            }
            let mut sent = Sent::new(When::Disk);
            let change = update(modules, page, def.clone(), &mut sent);
            page.push(vec![change], sent);
        }
    }

    pub(super) fn connect(&mut self, id: PageId, address: String, hello: FromPage, outbox: mpsc::Sender<ToPage>) {
        let page = match self.pages.take_lost(&id) {
            Some(mut page) => {
                page.reconnect(address, outbox);
                page
            }
            None => Page::new(address, outbox),
        };
        self.pages.insert(id.clone(), page);
        self.hello(&id, hello);
        self.journal.page_connected(&id, &self.pages);
        self.tell_page_count();
    }

    /// A page says what it has: it gets everything that it lacks.
    pub(super) fn hello(&mut self, id: &PageId, hello: FromPage) {
        let FromPage::Hello { v, server, url, html, user_agent, modules, rev, look, .. } = hello else { return };
        let is_ours = server == self.server;
        if look {
            self.look_at_files(modules.iter().map(|it| it.id.as_str()));
        }
        let Some(page) = self.pages.get_mut(id) else { return };
        if page.files_rev == Rev::MAX {
            page.files_rev = if is_ours && rev > 0 { rev } else { self.graph.rev() };
        }
        page.url = url;
        page.html = html;
        page.html_rev = if is_ours { rev } else { 0 };
        page.user_agent = user_agent;
        if v != wire::VERSION {
            page.send(reload("protocol", "this page speaks another version of Capuchin's protocol"));
            return;
        }
        let before = std::mem::take(&mut page.modules);
        let mut stale = Vec::new();
        let mut renumbered = Vec::new();
        if !is_ours {
            // Code of a page compares revisions: ours must be above all that it has seen.
            self.graph.rise_to(modules.iter().map(|it| it.rev).max().unwrap_or_default());
        }
        for it in modules {
            let known = before.get(&it.id);
            let hot = self.hot.get(&it.id);
            let gathered_by = gathered_by(&it.id).filter(|_| !is_ours);
            if let Some((id, hot)) = gathered_by.and_then(|id| Some((id, self.hot.get(id)?))) {
                // What it gathers is known once it is compiled.
                let modules = Modules { graph: &self.graph, hot: &self.hot };
                drop(defined(modules, hot, id));
            }
            let rev = if is_ours { Some(it.rev) } else { same_as_ours(&self.graph, hot, &it) };
            let Some(rev) = rev else {
                stale.push(it.id);
                continue;
            };
            if !is_ours {
                renumbered.push(ModuleRev { id: it.id.clone(), rev, top: None, stamp: it.stamp.clone() });
            }
            let mut known = match known {
                Some(known) if is_ours && known.rev == rev => known.clone(),
                // It lacks something: what came after its revision comes again.
                Some(known) => PageModule { rev, seen: rev, held: Vec::new(), ..known.clone() },
                None => PageModule::loaded(rev),
            };
            // It may have been sent a newer top level and not have taken it; nobody but the page knows.
            if is_ours && let Some(top) = it.top.filter(|_| hot.is_some()) {
                known.root_rev = top;
            }
            page.modules.insert(it.id, known);
        }
        page.send(ToPage::Welcome {
            v: wire::VERSION,
            server: self.server.clone(),
            page: id.clone(),
            modules: renumbered,
            custom: true,
        });
        if !stale.is_empty() {
            let message = format!("the server was restarted and {} is another text now", stale[0]);
            page.send(reload("restarted", &message));
            return;
        }
        // What was on its way is answered by this hello; who waits until everything is there lacks nothing and answers all of it.
        if !look {
            page.waiting.clear();
        }
        let new: Vec<String> = page.modules.keys().filter(|it| !before.contains_key(*it)).cloned().collect();
        self.tell_loaded(id, &new);
        self.catch_up(id, &new);
        self.send_files(id);
        self.update_behind(id);
        if look && let Some(page) = self.pages.get_mut(id) {
            page.send(ToPage::Looked {});
        }
    }

    /// A page that loaded an older top level of modules gets the newest, unless that waits for a pause in the typing.
    fn update_behind(&mut self, id: &PageId) {
        let Some(page) = self.pages.get(id) else { return };
        let is_behind = |module: &String, known: &PageModule| {
            let hot = self.hot.get(module).filter(|it| it.update_since.is_none());
            hot.is_some_and(|it| it.program.root_at(known.root_rev).shell != it.program.root.shell)
        };
        let mut behind: Vec<String> =
            page.modules.iter().filter(|(module, known)| is_behind(module, known)).map(|it| it.0.clone()).collect();
        behind.sort_unstable();
        for module in &behind {
            if let Some(hot) = self.hot.get_mut(module) {
                hot.update_since = Some(Instant::now());
            }
        }
        if !behind.is_empty() {
            self.update_each(behind);
        }
    }

    pub(super) fn loaded(&mut self, id: &PageId, modules: Vec<ModuleRev>) {
        let Some(page) = self.pages.get_mut(id) else { return };
        let new: Vec<String> = modules.iter().map(|it| it.id.clone()).collect();
        for it in modules {
            page.modules.insert(it.id, PageModule::loaded(it.rev));
        }
        self.tell_loaded(id, &new);
        self.catch_up(id, &new);
        self.update_behind(id);
    }

    /// Files that are no modules and changed after the page was made, or while it was away.
    fn send_files(&mut self, id: &PageId) {
        let Some(page) = self.pages.get_mut(id) else { return };
        let mut changes: Vec<_> = self.files.values().filter(|(rev, _)| *rev > page.files_rev).collect();
        changes.sort_unstable_by_key(|(rev, _)| *rev);
        let changes: Vec<Change> = changes.into_iter().map(|(_, it)| it.clone()).collect();
        page.files_rev = self.graph.rev();
        if !changes.is_empty() {
            page.push(changes, Sent::new(When::Disk));
        }
    }

    /// Sends a page what it lacks, for the newest versions of the documents. `new`: modules that it has just loaded.
    fn catch_up(&mut self, id: &PageId, new: &[String]) {
        let Some(page) = self.pages.get_mut(id) else { return };
        let modules = Modules { graph: &self.graph, hot: &self.hot };
        let mut changes = Vec::new();
        let mut sent = Sent::new(When::Typing);
        let mut notices = Vec::new();
        let has = page.module_ids();
        for (module, known) in &mut page.modules {
            let is_new = new.contains(module);
            let problem = self.problems.get(module);
            changes.extend(about(problem, module, known, is_new));
            let Some(hot) = modules.hot.get(module) else { continue };
            if is_new
                && let Some(reason) = &hot.held
                && let Some((_, document)) = newest_of(&self.documents, module)
            {
                let message = if hot.program.is_nothing {
                    "this page was loaded while the text did not parse, and runs nothing of it"
                } else {
                    "this page was loaded with the last version that works"
                };
                let reason = ReasonNotice { code: reason.code.to_owned(), message: message.to_owned(), range: None };
                notices.push(held(id, &document, reason));
            }
            let before = known.clone();
            let Some(change) = due(modules, hot, module, known, &has, false) else { continue };
            changes.push(change);
            if known.root_rev != before.root_rev {
                sent.before.insert(module.clone(), before);
            }
            sent.documents.extend(newest_of(&self.documents, module));
        }
        if !changes.is_empty() {
            page.push(changes, sent);
        }
        for notice in notices {
            self.notify(Notice::Outcome(notice));
        }
    }

    /// A page was loaded with the newest text of documents whose last edit no page had taken: it runs them. `new`: the modules
    /// that it has just loaded. To be asked before the page is sent what it lacks, which then counts as being there.
    fn tell_loaded(&mut self, id: &PageId, new: &[String]) {
        let Some(page) = self.pages.get(id) else { return };
        let html = self.graph.resolver.root().path_of(&page.html);
        let has_newest = |id: &String| {
            let (Some(known), Some(hot)) = (page.modules.get(id), self.hot.get(id)) else { return false };
            let runs = hot.program.root_at(known.root_rev);
            let is_whole = hot.is_settled() && known.skipped.is_empty() && known.held.is_empty();
            is_whole && known.rev == hot.program.rev && runs.shell == hot.program.root.shell
        };
        let mut notices = Vec::new();
        for (uri, open) in &mut self.documents {
            let has = |rev: Rev| match &open.module {
                Some(module) => new.contains(module) && has_newest(module),
                None => open.unplanned.is_none() && html.is_some() && open.path == html && page.html_rev >= rev,
            };
            if let Some((told, _)) = open.told.take_if(|(_, rev)| has(*rev)) {
                let message = "the page was loaded with this version".to_owned();
                let reason = Some(ReasonNotice { code: "loaded".to_owned(), message, range: None });
                let ms = told.elapsed().as_secs_f64() * 1000.0;
                let (uri, version, page) = (uri.clone(), open.document.version, id.clone());
                let outcome = Outcome::Live.as_str().to_owned();
                notices.push(OutcomeNotice { uri, version, page, outcome, reason, ms });
            }
        }
        for notice in notices {
            self.notify(Notice::Outcome(notice));
        }
    }

    pub(super) fn outcome(&mut self, id: &PageId, seq: u64, results: Vec<ModuleOutcome>) {
        let Some(page) = self.pages.get_mut(id) else { return };
        // A push can have several outcomes: what becomes of a patch is sometimes known only at its first call.
        let Some(sent) = page.waiting.get(&seq).cloned() else { return };
        let mut notices = Vec::new();
        let mut answers = Vec::new();
        let (mut again, mut changed) = (Vec::new(), Vec::new());
        let mut befores = FxHashMap::default();
        // A push that a page does not take holds up all that is in it.
        // A value whose initializer threw is left out, and all the rest is there.
        let went_wrong = |it: &ModuleOutcome| match it.outcome {
            Outcome::Held | Outcome::Refused | Outcome::NeedsReload => true,
            Outcome::Threw => it.reason.as_ref().is_none_or(|it| it.code != "value"),
            Outcome::Live | Outcome::NextCall | Outcome::ModuleUpdated => false,
        };
        let is_any = results.iter().any(went_wrong) || !sent.updates.is_empty();
        let has = if is_any { page.module_ids() } else { FxHashSet::default() };
        for result in results {
            if let Some(rev) = sent.updates.get(&result.module).copied()
                && let Some(known) = page.modules.get_mut(&result.module)
            {
                match result.outcome {
                    Outcome::ModuleUpdated | Outcome::Live => {
                        // What changed while it ran again was planned for the top level before.
                        *known = PageModule { shows_problem: known.shows_problem, ..PageModule::loaded(rev) };
                        if let Some(hot) = self.hot.get(&result.module).filter(|it| it.program.rev > rev) {
                            let modules = Modules { graph: &self.graph, hot: &self.hot };
                            let before = known.clone();
                            again.extend(due(modules, hot, &result.module, known, &has, false));
                            if known.root_rev != before.root_rev {
                                befores.insert(result.module.clone(), before);
                            }
                            changed.push(result.module.clone());
                        }
                    }
                    Outcome::NeedsReload | Outcome::Threw | Outcome::Refused => known.refused = Some(result.clone()),
                    Outcome::NextCall | Outcome::Held => {}
                }
            }
            if result.outcome == Outcome::NeedsReload
                && sent.patches.contains_key(&result.module)
                && let Some(known) = page.modules.get_mut(&result.module)
            {
                known.failed = true;
            }
            let went_wrong = went_wrong(&result);
            if let Some((_, sites)) = sent.patches.get(&result.module).filter(|_| !went_wrong)
                && let Some(known) = page.modules.get_mut(&result.module)
            {
                known.held.retain(|it| !sites.contains(it));
            }
            if let Some(before) = sent.before.get(&result.module).filter(|_| went_wrong)
                && let Some(known) = page.modules.get_mut(&result.module)
            {
                // The page's top level is still the old one: the next push brings all of it again.
                *known = before.clone();
            } else if let Some((rev, sites)) = sent.patches.get(&result.module).filter(|_| went_wrong)
                && let Some(known) = page.modules.get_mut(&result.module)
                && let Some(hot) = self.hot.get_mut(&result.module)
            {
                // Some of them may have been edited since; the rest has nobody else to bring it.
                let was_edited = sites.iter().any(|it| hot.program.was_edited(*it, *rev));
                known.held.extend(sites);
                if was_edited {
                    // The page has the newest revision, but for what it held: under that number it would take nothing.
                    hot.program.rev = self.graph.next_rev();
                    let Some(hot) = self.hot.get(&result.module) else { continue };
                    let modules = Modules { graph: &self.graph, hot: &self.hot };
                    again.extend(due(modules, hot, &result.module, known, &has, true));
                    changed.push(result.module.clone());
                }
            }
            let ms = sent.documents.get(&result.module).map(|it| it.arrived.elapsed().as_secs_f64() * 1000.0);
            answers.push((result.clone(), ms));
            if let Some(document) = sent.documents.get(&result.module) {
                // What was typed meanwhile may be the same program.
                let rev = sent.updates.get(&result.module).copied();
                let is_newest = rev.is_some() && self.hot.get(&result.module).map(|it| it.program.rev) == rev;
                let newest = newest_of(&self.documents, &result.module).filter(|_| is_newest);
                let version = newest.map_or(document.version, |(_, it)| it.version);
                notices.push(notice(id, &SentDocument { version, ..document.clone() }, result));
            }
        }
        if !again.is_empty() {
            let documents = changed.iter().filter_map(|it| newest_of(&self.documents, it)).collect();
            page.push(again, Sent { documents, before: befores, ..Sent::new(When::Typing) });
        }
        for (answer, ms) in &answers {
            self.journal.outcome(id, &self.pages, answer, sent.when, *ms);
        }
        for notice in notices {
            if matches!(notice.outcome.as_str(), "live" | "nextCall" | "moduleUpdated")
                && let Some(open) = self.documents.get_mut(&notice.uri)
            {
                open.told.take_if(|_| notice.version >= open.document.version);
            }
            self.notify(Notice::Outcome(notice));
        }
    }
}

/// The document that a module is the text of, in the version that it has now.
fn newest_of(documents: &FxHashMap<String, OpenDocument>, module: &str) -> Option<(String, SentDocument)> {
    let (uri, it) = documents.iter().find(|(_, it)| it.module.as_deref() == Some(module))?;
    let (version, arrived) = (it.document.version, Instant::now());
    Some((module.to_owned(), SentDocument { uri: uri.clone(), version, arrived }))
}

fn notice(page: &PageId, document: &SentDocument, result: ModuleOutcome) -> OutcomeNotice {
    OutcomeNotice {
        uri: document.uri.clone(),
        version: document.version,
        page: page.clone(),
        outcome: result.outcome.as_str().to_owned(),
        reason: result.reason.map(|it| ReasonNotice { code: it.code.into_owned(), message: it.message, range: None }),
        ms: document.arrived.elapsed().as_secs_f64() * 1000.0,
    }
}

/// The outcome of an edit that a page does not get for now.
fn held(page: &PageId, document: &SentDocument, reason: ReasonNotice) -> OutcomeNotice {
    OutcomeNotice {
        uri: document.uri.clone(),
        version: document.version,
        page: page.clone(),
        outcome: Outcome::Held.as_str().to_owned(),
        reason: Some(reason),
        ms: document.arrived.elapsed().as_secs_f64() * 1000.0,
    }
}

fn reload(code: &'static str, message: &str) -> ToPage {
    ToPage::Reload { reason: wire::Reason { code: Cow::Borrowed(code), message: message.to_owned() } }
}
