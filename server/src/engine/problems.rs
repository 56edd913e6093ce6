//! What keeps the newest text of a module from running. A problem is state: pages and the log are told when it comes, changes
//! and goes.

use ropey::Rope;

use super::Engine;
use super::planning::Turn;
use crate::patch::{Reason, find_specifier};
use crate::wire::Change;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Goes on where the module and the place were named.
    text: String,
    /// Line and column from 1, as editors show them.
    place: Option<(u32, u32)>,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Problem {
        Problem { text: text.into(), place: None }
    }

    /// `reason` is why `text` is held; `runs`: pages have an older version that works.
    fn held(reason: &Reason, text: &Rope, runs: bool) -> Problem {
        let message = reason.message.trim_end_matches('.');
        let text_of_it = match (reason.code, runs) {
            ("syntax", true) => format!("does not parse: {message}; pages keep the last version that does"),
            ("syntax", false) => format!("does not parse: {message}"),
            _ => message.to_owned(),
        };
        Problem { text: text_of_it, place: Some(place_of(text, reason.start)) }
    }

    /// For the log and for people who see no title above it.
    pub(super) fn sentence(&self, id: &str) -> String {
        match self.place {
            Some((line, column)) => format!("{id}:{line}:{column} {}", self.text),
            None => format!("{id} {}", self.text),
        }
    }

    /// What shows it in a page.
    pub(super) fn shown(&self, id: &str) -> Change {
        let (line, column) = self.place.unzip();
        Change::Problem { module: id.to_owned(), message: Some(self.text.clone()), line, column }
    }
}

/// What takes a module's problem away in a page.
pub(super) fn solved(id: &str) -> Change {
    Change::Problem { module: id.to_owned(), message: None, line: None, column: None }
}

impl Engine {
    /// Works out what keeps a module's newest text from running.
    pub(super) fn note_problem(&mut self, id: &str, turn: &mut Turn) {
        let Some(hot) = self.hot.get(id) else { return };
        let held = hot.held.as_ref().map(|it| Problem::held(it, hot.buffer(), !hot.program.is_nothing));
        let missing = hot.missing.iter().find(|it| it.is_static);
        let problem = held.or_else(|| {
            let missing = missing?;
            let (start, _) = find_specifier(&hot.buffer().to_string(), &missing.spec);
            Some(Problem { text: missing.message.clone(), place: Some(place_of(hot.buffer(), start)) })
        });
        self.set_problem(id, problem, turn);
    }

    pub(super) fn set_problem(&mut self, id: &str, problem: Option<Problem>, turn: &mut Turn) {
        if self.problems.get(id) == problem.as_ref() {
            return;
        }
        match problem {
            Some(problem) => self.problems.insert(id.to_owned(), problem),
            None => self.problems.remove(id),
        };
        turn.problems.push(id.to_owned());
    }
}

/// Line and column from 1.
fn place_of(text: &Rope, byte: u32) -> (u32, u32) {
    let char = text.byte_to_char((byte as usize).min(text.len_bytes()));
    let line = text.char_to_line(char);
    (line as u32 + 1, (char - text.line_to_char(line)) as u32 + 1)
}
