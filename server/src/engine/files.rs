//! Files: what changed on disk, and what is no program, whether it changed there or in the editor.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ropey::Rope;

use super::Engine;
use super::hot::Hot;
use super::planning::Turn;
use super::problems::Problem;
use crate::pages::SentDocument;
use crate::wire::{Change, ModuleKind, When};

impl Engine {
    pub(super) fn push_html(&mut self, path: Option<PathBuf>) {
        let Some((id, _)) = path.and_then(|it| self.graph.resolver.root().locate(&it)) else { return };
        let mut turn = Turn::default();
        turn.others.push(self.new_html(id));
        self.push(turn, When::Save);
    }

    fn new_html(&mut self, id: String) -> Change {
        let rev = self.graph.next_rev();
        let change = Change::Html { url: id.clone(), rev };
        self.files.insert(id, (rev, change.clone()));
        change
    }

    /// What changed on disk together reaches pages together. Something may be there that was not, so what was missing is looked for.
    pub(super) fn files_changed(&mut self, paths: &[PathBuf]) {
        let mut turn = Turn::default();
        let mut seen = Vec::new();
        for path in paths {
            let Some((_, real)) = self.graph.resolver.root().locate(path) else { continue };
            // An open document's buffer wins over the disk.
            let is_open = self.documents.values().any(|it| it.path.as_ref() == Some(&real));
            if !is_open && !seen.contains(&real) {
                self.file_changed(&real, &mut turn);
                seen.push(real);
            }
        }
        self.graph.resolver.forget();
        self.gather_again(&mut turn);
        self.push_files(turn);
        self.look_for_what_was_missing();
    }

    /// Something new is on disk: modules that could not be loaded without it may be all right now.
    pub(super) fn look_for_what_was_missing(&mut self) {
        let healed = self.graph.forget_errors();
        self.push_again(&healed);
        self.look_for_missing_imports();
    }

    /// Sends what files on disk have brought.
    pub(super) fn push_files(&mut self, mut turn: Turn) {
        let returned = std::mem::take(&mut turn.returned);
        // The functions of a single file need not wait for what becomes of its top level.
        let updates = if turn.updates.len() == 1 { std::mem::take(&mut turn.updates) } else { Vec::new() };
        self.push(turn, When::Disk);
        for (id, since) in returned {
            self.push_to_those_without(&id, since);
        }
        self.update_modules(&updates, When::Disk);
    }

    /// Looks at the files of modules, and for what was missing, as if the watcher had named what changed.
    pub(super) fn look_at_files<'i>(&mut self, ids: impl Iterator<Item = &'i str>) {
        let mut changed: Vec<PathBuf> = Vec::new();
        for id in ids {
            // A module in an HTML file is no file; that one's watcher tells of it.
            let Some(path) = self.graph.resolver.root().path_of(id).filter(|it| !is_html(it)) else { continue };
            let is_known = self.hot.contains_key(id) || self.graph.is_current(id, &path);
            let differs = match self.hot.get(id) {
                Some(hot) => read_disk(&path).is_none_or(|it| !hot.has_text(&it)),
                None => !is_known,
            };
            if differs && !changed.contains(&path) {
                changed.push(path);
            }
        }
        self.files_changed(&changed);
    }

    /// A file that no editor has open is another one now.
    pub(super) fn file_changed(&mut self, path: &Path, turn: &mut Turn) {
        let Some((id, real)) = self.graph.resolver.root().locate(path) else { return };
        if is_html(&real) {
            if real.is_file() {
                turn.others.push(self.new_html(id));
            } else {
                // A reload could show nothing, and would never hear that it is back.
                tracing::warn!("{id} does not exist any more: pages that show it go on");
            }
        } else if is_script(&real) {
            self.script_changed(&id, &real, turn);
        } else {
            if !real.exists() {
                // It may have been a folder.
                for id in self.graph.known_below(&id) {
                    if let Some(path) = self.graph.resolver.root().path_of(&id).filter(|it| is_script(it)) {
                        self.script_changed(&id, &path, turn);
                    }
                }
            }
            self.asset_changed(&id, &real, turn);
        }
    }

    fn script_changed(&mut self, id: &str, path: &Path, turn: &mut Turn) {
        if !self.graph.is_known(id) {
            return;
        }
        if !path.is_file() {
            self.script_gone(id, path, turn);
            return;
        }
        let Some(text) = read_disk(path) else { return };
        if !self.own(id, path) {
            return;
        }
        let Some(hot) = self.hot.get_mut(id) else { return };
        hot.replace(Rope::from_str(&text));
        // What is on disk was meant.
        hot.insist();
        let gone_since = hot.gone_since.take();
        let is_settled = hot.is_settled();
        self.remake(path, turn);
        if is_settled {
            self.set_problem(id, None, turn);
        } else {
            self.plan_module(id, turn);
        }
        turn.returned.extend(gone_since.map(|since| (id.to_owned(), since)));
        turn.updates.push(id.to_owned());
    }

    /// A script was deleted. Pages that run it go on: whatever imports it could not be loaded again. If nothing does, pages
    /// dispose of it.
    fn script_gone(&mut self, id: &str, path: &Path, turn: &mut Turn) {
        if self.is_in_use(id) {
            // It stays the engine's, so that what pages run is known when the file is back.
            if !self.own(id, path) {
                return;
            }
            let rev = self.graph.next_rev();
            let Some(hot) = self.hot.get_mut(id) else { return };
            hot.gone_since.get_or_insert(rev);
            self.set_problem(id, Some(Problem::new("does not exist any more: pages that run it go on")), turn);
        } else {
            self.graph.forget(id);
            self.hot.remove(id);
            self.set_problem(id, None, turn);
            turn.others.push(Change::Remove { module: id.to_owned(), rev: self.graph.next_rev() });
            // What comes under this id later is newer.
            self.graph.next_rev();
        }
    }

    fn is_in_use(&self, id: &str) -> bool {
        self.graph.is_in_use(id) || self.hot.values().any(|it| it.imports.iter().any(|it| it == id))
    }

    /// Lists again what calls gather by a pattern: files have come or gone.
    pub(super) fn gather_again(&mut self, turn: &mut Turn) {
        for id in self.graph.outdated_collections() {
            self.graph.forget(&id);
            self.graph.next_rev();
            turn.again.push((*self.graph.define(&id)).clone());
        }
    }

    /// A stylesheet, data file or asset changed.
    pub(super) fn asset_changed(&mut self, id: &str, path: &Path, turn: &mut Turn) {
        self.graph.forget(id);
        let rev = self.graph.next_rev();
        self.graph.note_change(id, rev);
        let url = id.to_owned();
        let is_css = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("css"));
        let change = if is_css { Change::Css { url, rev } } else { Change::Asset { url, rev } };
        self.files.insert(id.to_owned(), (rev, change.clone()));
        turn.others.push(change);
        self.remake(path, turn);
    }

    /// Modules that are made of a file without being its program: styles, data, texts. While somebody types, those that make
    /// others run again wait for a moment.
    pub(super) fn remake(&mut self, path: &Path, turn: &mut Turn) {
        let ids = self.graph.forget_made_of(path);
        let buffer = self.documents.iter().find(|(_, it)| it.path.as_deref() == Some(path));
        let document = buffer.map(|(uri, it)| (uri.clone(), it.document.version));
        for id in ids {
            if !self.pages.connected().any(|(_, page)| page.modules.contains_key(&id)) {
                continue;
            }
            let def = (*self.graph.define(&id)).clone();
            if def.kind == ModuleKind::Error {
                // What imports it could only fail: pages keep what they have.
                self.remade.remove(&id);
                let problem = Problem::new(format!("could not be loaded: {}", def.code));
                self.set_problem(&id, Some(problem), turn);
                continue;
            }
            self.set_problem(&id, None, turn);
            let is_at_once = matches!(def.kind, ModuleKind::Css | ModuleKind::Sheet | ModuleKind::Url);
            match &document {
                Some((uri, version)) if !is_at_once => {
                    let sent = SentDocument { uri: uri.clone(), version: *version, arrived: Instant::now() };
                    self.remade.insert(id, (Instant::now(), sent));
                }
                _ => turn.again.push(def),
            }
        }
    }

    /// Sends what was made anew and has waited.
    pub(super) fn push_remade(&mut self, when: When) {
        if self.remade.is_empty() {
            return;
        }
        let mut turn = Turn::default();
        for (id, (_, document)) in std::mem::take(&mut self.remade) {
            turn.again.push((*self.graph.define(&id)).clone());
            turn.documents.insert(id, document);
        }
        self.push(turn, when);
    }

    /// Looks again for what was missing: something new is on disk.
    fn look_for_missing_imports(&mut self) {
        let waits = |it: &Hot| it.held.as_ref().is_some_and(|it| it.code == "import");
        let mut waiting: Vec<String> = self.hot.iter().filter(|(_, it)| waits(it)).map(|(id, _)| id.clone()).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.plan_again(&id);
        }
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
            // A module that has to run again may have waited for it, or was sent without it and is held by the page.
            let Some(hot) = self.hot.get_mut(&id) else { continue };
            let is_being_typed = is_open && hot.update_since.is_some();
            hot.update_since = Some(Instant::now());
            if !is_being_typed {
                self.update_modules(&[id], if is_open { When::Typing } else { When::Disk });
            }
        }
    }

    /// Plans a text that waited for something on disk.
    fn plan_again(&mut self, id: &str) {
        let mut is_open = false;
        for open in self.documents.values_mut().filter(|it| it.module.as_deref() == Some(id)) {
            open.unplanned.get_or_insert_with(Instant::now);
            is_open = true;
        }
        if !is_open {
            let mut turn = Turn::default();
            self.plan_module(id, &mut turn);
            self.push(turn, When::Disk);
            self.update_modules(&[id.to_owned()], When::Disk);
        }
    }
}

pub(super) fn read_disk(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

pub(super) fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(extension.as_str(), "js" | "mjs" | "cjs" | "jsx" | "es6")
}

pub(super) fn is_html(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("html") || it.eq_ignore_ascii_case("htm"))
}
