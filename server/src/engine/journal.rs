//! What the log tells of edits and pages: one calm line for what is worth knowing.
//!
//! What keeps an edit from running is state: while somebody types, it is told when it comes and when it goes, not with every
//! key. What was saved, or changed on disk, is told each time.

use rustc_hash::{FxHashMap, FxHashSet};

use super::problems::Problem;
use crate::pages::Pages;
use crate::wire::{ModuleOutcome, Outcome, PageId, When};

#[derive(Default)]
pub(super) struct Journal {
    /// Modules whose problem was told.
    problems: FxHashSet<String>,
    /// What keeps the newest code of a module from running in a page, as it was told.
    troubles: FxHashMap<(PageId, String), String>,
}

impl Journal {
    pub(super) fn page_connected(&self, page: &PageId, pages: &Pages) {
        let url = pages.get(page).map_or("", |it| &it.url);
        tracing::info!("page connected: {url} ({})", in_words(pages.count()));
    }

    pub(super) fn page_gone(&mut self, page: &PageId, pages: &Pages) {
        self.troubles.retain(|(it, _), _| it != page);
        let url = pages.get(page).map_or("", |it| &it.url);
        tracing::info!("page gone: {url} ({})", in_words(pages.count()));
    }

    /// The problem of a module is another one now.
    pub(super) fn problem(&mut self, id: &str, problem: Option<&Problem>, when: When) {
        match problem {
            Some(problem) => {
                let is_new = self.problems.insert(id.to_owned());
                let sentence = problem.sentence(id);
                match when {
                    When::Typing if is_new => tracing::info!("{sentence}"),
                    When::Typing => tracing::debug!("{sentence}"),
                    When::Save | When::Disk => tracing::warn!("{sentence}"),
                }
            }
            None => {
                if self.problems.remove(id) {
                    tracing::info!("{id}: the problem is solved");
                }
            }
        }
    }

    /// `ms`: since the edit.
    pub(super) fn outcome(&mut self, page: &PageId, pages: &Pages, it: &ModuleOutcome, when: When, ms: Option<f64>) {
        let ModuleOutcome { module, outcome, reason, .. } = it;
        if reason.as_ref().is_some_and(|it| it.code == "notLoaded") {
            return;
        }
        let whose = if pages.count() > 1 { format!(" in page {page}") } else { String::new() };
        let sentence = match reason {
            // Many begin so.
            Some(reason) if reason.message.starts_with(module.as_str()) => format!("{}{whose}", reason.message),
            Some(reason) => format!("{module}: {}{whose}: {}", words(*outcome), reason.message),
            None => format!("{module}: {}{whose}", words(*outcome)),
        };
        let key = (page.clone(), module.clone());
        match outcome {
            Outcome::Live | Outcome::NextCall | Outcome::ModuleUpdated => {
                let was_in_trouble = self.troubles.remove(&key).is_some();
                let took = ms.map(|it| format!(" ({it:.0} ms)")).unwrap_or_default();
                if when != When::Typing || was_in_trouble || *outcome == Outcome::ModuleUpdated {
                    tracing::info!("{sentence}{took}");
                } else {
                    tracing::debug!("{sentence}{took}");
                }
            }
            Outcome::Held | Outcome::NeedsReload | Outcome::Refused | Outcome::Threw => {
                let before = self.troubles.insert(key, sentence.clone());
                let is_known = when == When::Typing && before.as_ref() == Some(&sentence);
                match outcome {
                    _ if is_known => tracing::debug!("{sentence}"),
                    Outcome::Refused | Outcome::Threw => tracing::warn!("{sentence}"),
                    _ => tracing::info!("{sentence}"),
                }
            }
        }
    }

    /// An uncaught error of the program; `count`: how often it has come by now.
    pub(super) fn error(&self, module: Option<&str>, message: &str, stack: Option<&str>, count: u32) {
        let place = module.map(|it| format!(" in {it}")).unwrap_or_default();
        if count > 1 {
            tracing::warn!("the program threw{place}, {count} times by now: {message}");
        } else {
            let frames = stack.map(|it| format!("\n{it}")).unwrap_or_default();
            tracing::warn!("the program threw{place}: {message}{frames}");
        }
    }
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Live => "live",
        Outcome::NextCall => "live from the next call on",
        Outcome::ModuleUpdated => "ran again",
        Outcome::Held => "held",
        Outcome::NeedsReload => "needs reload",
        Outcome::Refused => "refused",
        Outcome::Threw => "threw",
    }
}

fn in_words(n_pages: usize) -> String {
    match n_pages {
        0 => "no page now".to_owned(),
        1 => "1 page now".to_owned(),
        n => format!("{n} pages now"),
    }
}
