//! A module that has changed since pages could load it: its program, its buffer, and what is between them.

use std::time::Instant;

use ropey::Rope;

use super::drift::{Drift, Drifts};
use crate::compile::Problem;
use crate::graph::Missing;
use crate::patch::{Lead, PlannedSite, Program, Reason, Verdict};
use crate::sites::{Rev, SiteKind};
use crate::syntax::Tree;
use crate::text::TextEdit;

/// A text of more bytes than this is long.
const LONG: usize = 200_000;

pub(crate) struct Hot {
    pub(crate) program: Program,
    /// The text as it is in the editor or on disk.
    buffer: Rope,
    drifts: Drifts,
    tree: Tree,
    /// Set while the top level has changes that pages lack: when it last changed.
    pub(crate) update_since: Option<Instant>,
    /// Why the module has to run again.
    pub(crate) update_reason: Option<Reason>,
    /// What keeps the newest code from running, until newer code comes.
    pub(crate) unresolved: Option<Reason>,
    /// Why the newest text is not all in the program.
    pub(crate) held: Option<Reason>,
    /// The next planning parses the whole text, however long it is.
    insists: bool,
    /// The revision since which its file is deleted: pages that loaded it before go on.
    pub(crate) gone_since: Option<Rev>,
    /// The modules that it imports, as they were when `missing_at` was the newest top level.
    pub(crate) imports: Vec<String>,
    /// What it imports that is not there, as it was when `missing_at` was the newest top level.
    pub(crate) missing: Vec<Missing>,
    pub(crate) missing_at: Option<Rev>,
}

/// What belongs together.
#[derive(PartialEq, Eq)]
struct Home {
    path: Vec<usize>,
    statement: usize,
    is_between: bool,
}

/// What one planning of a buffer came to. Places are bytes of the buffer.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) patched: Vec<PlannedSite>,
    /// Declarations of the top level were taken over.
    pub(crate) top: bool,
    pub(crate) update: Option<Reason>,
    pub(crate) hold: Option<Reason>,
    /// What people have to know of a patch.
    pub(crate) note: Option<Reason>,
}

impl Hot {
    pub(crate) fn new(program: Program) -> Hot {
        let buffer = program.text.clone();
        Hot {
            program,
            buffer,
            drifts: Drifts::default(),
            tree: Tree::default(),
            update_since: None,
            update_reason: None,
            unresolved: None,
            held: None,
            insists: false,
            gone_since: None,
            imports: Vec::new(),
            missing: Vec::new(),
            missing_at: None,
        }
    }

    /// The text as it is in the editor or on disk.
    pub(crate) fn buffer(&self) -> &Rope {
        &self.buffer
    }

    /// The buffer has taken these edits and is now `buffer`.
    pub(crate) fn edit(&mut self, edits: &[TextEdit], buffer: Rope) {
        for edit in edits {
            self.drifts.edit(edit.start as u32, edit.old_end as u32, edit.new_text.len() as u32);
            self.tree.edit(edit);
        }
        self.buffer = buffer;
    }

    /// The buffer is now a text that nobody described the way to.
    pub(crate) fn replace(&mut self, buffer: Rope) {
        self.tree = Tree::default();
        self.drifts.clear();
        let (start, good_end, new_end) = difference(&self.program.text, &buffer);
        if start != good_end || start != new_end {
            self.drifts.push(Drift { good: start as u32..good_end as u32, buffer: start as u32..new_end as u32 });
        }
        self.buffer = buffer;
    }

    /// Brings the program to the buffer as far as the buffer parses. `rev` is what the result will be; `lead` says where
    /// imports lead.
    pub(crate) fn plan(&mut self, rev: Rev, lead: Lead<'_>) -> Planned {
        let mut planned = Planned::default();
        let mut local_problem: Option<(Problem, u32)> = None;
        let mut index = 0;
        while let Some(drift) = self.drifts.get(index).cloned() {
            match self.plan_function_around(&drift.good, rev) {
                Some(Ok(verdict)) => add(&mut planned, verdict),
                Some(Err((problem, buffer_start))) => {
                    local_problem.get_or_insert((problem, buffer_start));
                    index += 1;
                }
                None => index += 1,
            }
        }
        if self.drifts.is_empty() {
            return planned;
        }
        self.plan_rest(rev, &mut planned, local_problem, lead);
        planned
    }

    /// Plans the innermost function that holds a drift; `None` if no function does.
    fn plan_function_around(
        &mut self,
        good: &std::ops::Range<u32>,
        rev: Rev,
    ) -> Option<Result<Verdict, (Problem, u32)>> {
        let (mut path, mut origin) = self.program.root.enclosing(0, good.start, good.end);
        if let Some((index, start)) = self.arrow_that_ends(&path, origin, good) {
            path.push(index);
            origin = start;
        }
        if path.is_empty() {
            return None;
        }
        let len = self.program.root.at(&path).len;
        if self.drifts.cross(origin, origin + len) {
            // Where the function starts or ends in the buffer can't be said.
            return None;
        }
        let start = self.drifts.to_buffer_start(origin);
        let end = self.drifts.to_buffer(origin + len);
        let text = self.buffer.byte_slice(start as usize..end as usize).to_string();
        match self.program.plan_function(&path, origin, &text, rev) {
            Ok(mut verdict) => {
                self.drifts.settle(origin..origin + len, text.len() as u32);
                if let Verdict::Patch(plan) = &mut verdict {
                    for site in &mut plan.sites {
                        site.start = site.start - origin + start;
                        site.end = site.end - origin + start;
                    }
                    if let Some(note) = &mut plan.note {
                        note.start = note.start - origin + start;
                        note.end = note.end - origin + start;
                    }
                }
                Some(Ok(verdict))
            }
            Err(problem) => Some(Err((problem, start))),
        }
    }

    /// The arrow in the site at `path` whose expression a drift prolongs: `() => n + 1` on the way to `() => n + 12`.
    /// What follows must be a token that ends the expression whatever stands before it.
    fn arrow_that_ends(&self, path: &[usize], origin: u32, good: &std::ops::Range<u32>) -> Option<(usize, u32)> {
        let site = self.program.root.at(path);
        let index = site.last_child_before(good.start - origin)?;
        let child = &site.children[index];
        let start = origin + site.child_start(index);
        let ends_here = child.kind == SiteKind::Arrow && start + child.len == good.end;
        let after = self.drifts.to_buffer(good.end) as usize;
        let next = self.buffer.bytes_at(after.min(self.buffer.len_bytes())).find(|it| !matches!(it, b' ' | b'\t'));
        (ends_here && matches!(next, Some(b';' | b',' | b')' | b']' | b'}'))).then_some((index, start))
    }

    /// What no function holds alone: the whole text, if it parses; else each remaining place by itself.
    fn plan_rest(&mut self, rev: Rev, planned: &mut Planned, local: Option<(Problem, u32)>, lead: Lead<'_>) {
        let (first, last) = (self.drifts.get(0).cloned(), self.drifts.get(self.drifts.len() - 1).cloned());
        let (Some(first), Some(last)) = (first, last) else { return };
        let hold = |message: String, start: u32, end: u32| Reason { code: "syntax", message, start, end };
        // In a long text, half-typed code must not cost a parse of all of it with every key. What this overlooks is found on save.
        let insists = std::mem::take(&mut self.insists);
        let spares = self.buffer.len_bytes() > LONG && !insists;
        if let Some((problem, base)) = self.broken_for_sure().filter(|_| spares) {
            let (problem, base) = local.unwrap_or((problem, base));
            planned.hold = Some(hold(problem.message, base + problem.start, base + problem.end));
            return;
        }
        let touched = first.buffer.start as usize..last.buffer.end as usize;
        let broken = self.tree.broken_near(&self.buffer, touched.start, touched.end).filter(|_| spares);
        let source = self.buffer.to_string();
        let mut problems = Vec::new();
        if broken.is_none() {
            match self.program.plan_module(&source, rev, lead, insists) {
                // The program stays what it was: what the buffer has more is still to come.
                Ok(Verdict::Hold(reason)) => planned.hold = Some(reason),
                Ok(verdict) => {
                    self.drifts.clear();
                    add(planned, verdict);
                    return;
                }
                Err(found) => problems = found,
            }
        }
        if self.drifts.len() > 1 {
            self.plan_each(rev, planned, lead, insists);
            if self.drifts.is_empty() {
                return;
            }
        }
        if planned.hold.is_some() {
            return;
        }
        planned.hold = Some(match (local, problems.into_iter().next(), broken) {
            (Some((problem, base)), ..) => hold(problem.message, base + problem.start, base + problem.end),
            (None, Some(problem), _) => hold(problem.message, problem.start, problem.end),
            (None, None, Some(broken)) => hold(broken.message, broken.start as u32, broken.end as u32),
            (None, None, None) => hold("unfinished code".to_owned(), first.buffer.start, last.buffer.end),
        });
    }

    /// The problem of the only place that is not settled, with where its text starts in the buffer, if no text elsewhere can heal
    /// it: half-typed code is the usual case and must not cost more in a long file.
    fn broken_for_sure(&self) -> Option<(Problem, u32)> {
        let drift = self.drifts.get(0).filter(|_| self.drifts.len() == 1)?;
        let (start, end) = self.program.statements_around(drift.good.start, drift.good.end);
        let (start, end) = (self.drifts.to_buffer_start(start), self.drifts.to_buffer(end));
        let text = self.buffer.byte_slice(start as usize..end as usize).to_string();
        Some((self.program.broken(&text)?, start))
    }

    /// A broken place must not hold up the others: the good text with what is new in one place after the other. What was
    /// typed into one function, or into one statement, belongs together: half of it is a text that nobody wrote.
    fn plan_each(&mut self, rev: Rev, planned: &mut Planned, lead: Lead<'_>, insists: bool) {
        let mut failed = Vec::new();
        loop {
            let next = self.drifts.iter().map(|it| self.home(it)).find(|it| !failed.contains(it));
            let Some(home) = next else { return };
            let drifts: Vec<_> = self.drifts.iter().filter(|it| self.home(it) == home).cloned().collect();
            let mut candidate = self.program.text.clone();
            // From behind, so that the places before stay where they are.
            for drift in drifts.iter().rev() {
                let at = candidate.byte_to_char(drift.good.start as usize);
                candidate.remove(at..candidate.byte_to_char(drift.good.end as usize));
                let new = self.buffer.byte_slice(drift.buffer.start as usize..drift.buffer.end as usize);
                candidate.insert(at, &new.to_string());
            }
            match self.program.plan_module(&candidate.to_string(), rev, lead, insists) {
                Ok(Verdict::Hold(reason)) => {
                    planned.hold = Some(reason);
                    failed.push(home);
                }
                Ok(verdict) => {
                    for drift in drifts.iter().rev() {
                        self.drifts.settle(drift.good.clone(), drift.buffer.end - drift.buffer.start);
                    }
                    add(planned, verdict);
                }
                Err(_) => failed.push(home),
            }
        }
    }

    /// What a drift belongs to: the innermost function, and outside of functions the statement. Whole statements between two
    /// others belong to themselves.
    fn home(&self, drift: &Drift) -> Home {
        let (path, _) = self.program.root.enclosing(0, drift.good.start, drift.good.end);
        let (statement, is_its_start) = self.program.statement_at(drift.good.start);
        let new = self.buffer.byte_slice(drift.buffer.start as usize..drift.buffer.end as usize);
        let is_between =
            path.is_empty() && is_its_start && drift.good.is_empty() && self.program.parses_alone(&new.to_string());
        Home { path, statement, is_between }
    }

    /// What is not settled is planned again, with the whole text.
    pub(crate) fn insist(&mut self) {
        self.insists = !self.drifts.is_empty();
    }

    /// Forgets how the buffer came about: the next planning takes it as a whole.
    pub(crate) fn start_again(&mut self) {
        let buffer = self.buffer.clone();
        self.replace(buffer);
    }

    /// Whether the buffer is this text.
    pub(crate) fn has_text(&self, text: &str) -> bool {
        self.buffer == *text
    }

    /// Whether everything in the buffer is in the program.
    pub(crate) fn is_settled(&self) -> bool {
        self.drifts.is_empty()
    }
}

fn add(planned: &mut Planned, verdict: Verdict) {
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Hold(reason) => planned.hold = Some(reason),
        Verdict::UpdateModule(reason) => planned.update = Some(reason),
        Verdict::Patch(plan) => {
            // One text can change a function twice in one plan (two places in it): the later code counts.
            planned.top |= !plan.top.is_empty();
            planned.note = plan.note.or(planned.note.take());
            for site in plan.sites {
                planned.patched.retain(|it| it.id != site.id);
                planned.patched.push(site);
            }
        }
    }
}

/// Where two texts differ: the common start, and the ends of what differs in each. Bytes, on character boundaries.
fn difference(old: &Rope, new: &Rope) -> (usize, usize, usize) {
    let mut start = 0;
    for (a, b) in old.bytes().zip(new.bytes()) {
        if a != b {
            break;
        }
        start += 1;
    }
    while start > 0 && (!is_boundary(old, start) || !is_boundary(new, start)) {
        start -= 1;
    }
    let (mut old_end, mut new_end) = (old.len_bytes(), new.len_bytes());
    let mut old_bytes = old.bytes_at(old_end);
    let mut new_bytes = new.bytes_at(new_end);
    while old_end > start && new_end > start {
        match (old_bytes.prev(), new_bytes.prev()) {
            (Some(a), Some(b)) if a == b => {
                old_end -= 1;
                new_end -= 1;
            }
            _ => break,
        }
    }
    while !is_boundary(old, old_end) || !is_boundary(new, new_end) {
        old_end += 1;
        new_end += 1;
    }
    (start, old_end, new_end)
}

fn is_boundary(rope: &Rope, byte: usize) -> bool {
    byte == rope.len_bytes() || rope.byte(byte) & 0xC0 != 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compile::Options;
    use crate::sites::Site;
    use crate::text::{ContentChange, Document, Position, PositionEncoding};

    const PROGRAM: &str = r##"import { q } from "./q.js";
let total = 0;
export function counter(start, { step = 1 } = {}) {
  let n = start;
  for (let i = 0; i < 2; i++) {
    handlers.push(() => { total += i; });
  }
  return { inc() { n += step; return n; }, get value() { return n; }, add: (k) => n + k };
}
class Shape extends Base {
  #side = 2;
  onclick = () => this.#side;
  constructor(side) { super(); this.#side = side; }
  area() { return this.#side ** 2; }
  static unit() { return new Shape(1); }
}
const twice = (f) => (x) => f(f(x));
button.addEventListener("click", async function onClick(event) { await q(event); });
function* walk(tree) { yield tree; /* ü */ }
"##;

    fn hot(source: &str) -> (Hot, Document) {
        let (program, _) = Program::load(source, Options::default(), 1).expect("the program parses");
        (Hot::new(program), Document::new(1, source))
    }

    /// Every import leads to a module of its own.
    fn lead(specifier: &str) -> Result<String, String> {
        Ok(specifier.to_owned())
    }

    fn apply(hot: &mut Hot, document: &mut Document, start: usize, end: usize, text: &str) {
        let at = |byte: usize| document.position(byte, PositionEncoding::Utf8);
        let range = Some((at(start), at(end)));
        let change = ContentChange { range, text: text.to_owned() };
        let edits =
            document.apply(document.version + 1, &[change], PositionEncoding::Utf8).expect("the edit is inside");
        hot.edit(&edits, document.rope.clone());
    }

    /// Everything of a tree that does not depend on its history.
    fn shape(site: &Site) -> String {
        let mut lines = String::new();
        site.walk(site.start, &mut |it, start| {
            let mut names: Vec<_> = it.scope.names.keys().collect();
            names.sort();
            lines.push_str(&format!(
                "{start}+{} {:?} {} {:x} {:x} {names:?} {} {}\n",
                it.len, it.kind, it.name, it.shell, it.deep, it.level, it.strict
            ));
        });
        lines
    }

    fn assert_fresh(hot: &Hot, text: &str) {
        assert_eq!(hot.program.text.to_string(), text);
        let (fresh, _) = Program::load(text, hot.program.options, 1).expect("what is settled parses");
        assert_eq!(shape(&hot.program.root), shape(&fresh.root));
    }

    #[test]
    fn a_typed_statement_is_planned_in_its_function() {
        let (mut hot, mut document) = hot(PROGRAM);
        let at = PROGRAM.find("return n; }, get").expect("it is there");
        for (offset, key) in "n *= 2; ".chars().enumerate() {
            apply(&mut hot, &mut document, at + offset, at + offset, &key.to_string());
            let planned = hot.plan(offset as u64 + 2, &lead);
            assert!(planned.update.is_none());
        }
        assert_fresh(&hot, &document.rope.to_string());
    }

    #[test]
    fn the_end_of_an_arrow_is_typed_in_the_arrow() {
        let (mut hot, mut document) = hot("let n = 0;\nconst next = () => n + 1;\nother();\n");
        let at = "let n = 0;\nconst next = () => n + 1".len();
        apply(&mut hot, &mut document, at, at, "2");
        let planned = hot.plan(2, &lead);
        assert_eq!(planned.patched.iter().map(|it| it.code.text.trim()).collect::<Vec<_>>(), ["() => n + 12"]);
        apply(&mut hot, &mut document, at + 1, at + 1, ", 3");
        assert!(hot.plan(3, &lead).patched.is_empty());
    }

    #[test]
    fn a_rename_in_many_places_at_once_is_taken_as_one() {
        let source = "let count = 0;\nfunction inc() { count += 1; return () => count; }\nexport const read = () => [count];\ninc(count);\n";
        let (mut hot, mut document) = hot(source);
        for (at, _) in source.rmatch_indices("count") {
            apply(&mut hot, &mut document, at, at + "count".len(), "total");
        }
        let planned = hot.plan(2, &lead);
        assert!(planned.top && planned.update.is_none() && planned.hold.is_none(), "{planned:?}");
        assert!(planned.patched.iter().all(|it| it.needs.is_empty()), "{planned:?}");
        assert!(planned.patched.iter().all(|it| it.code.text.contains("$cap_g.o.total")), "{planned:?}");
        assert_fresh(&hot, &source.replace("count", "total"));
    }

    #[test]
    fn a_broken_function_does_not_hold_up_another() {
        let (mut hot, mut document) = hot(PROGRAM);
        let at = PROGRAM.find("n += step").expect("it is there");
        apply(&mut hot, &mut document, at, at, "if (");
        assert!(hot.plan(2, &lead).hold.is_some());
        let at = document.rope.to_string().find("yield tree").expect("it is there");
        apply(&mut hot, &mut document, at, at + 10, "yield 1");
        let planned = hot.plan(3, &lead);
        assert_eq!(planned.patched.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["walk"]);
        assert!(planned.hold.is_none() || !hot.is_settled());
        let at = document.rope.to_string().find("if (n +=").expect("it is there");
        apply(&mut hot, &mut document, at, at + 4, "");
        hot.plan(4, &lead);
        assert_fresh(&hot, &document.rope.to_string());
    }

    #[test]
    fn what_was_typed_into_one_function_is_taken_as_a_whole_or_not_at_all() {
        for source in ["function f(a, b, c) {\n  return a - b;\n}\n", "const a = 3, b = 2, c = 1;\nconst f = a - b;\n"]
        {
            let (mut hot, mut document) = hot(source);
            let at = source.find("a - b").expect("it is there");
            apply(&mut hot, &mut document, at, at, "(");
            assert!(hot.plan(2, &lead).hold.is_some());
            // `a - b * c` parses, and is nothing that anybody typed.
            let end = at + "(a - b".len();
            apply(&mut hot, &mut document, end, end, " * c");
            let planned = hot.plan(3, &lead);
            assert!(planned.hold.is_some() && planned.patched.is_empty() && planned.update.is_none(), "{planned:?}");
            let close = at + "(a - b".len();
            apply(&mut hot, &mut document, close, close, ")");
            hot.plan(4, &lead);
            assert_fresh(&hot, &document.rope.to_string());
        }
    }

    #[test]
    fn a_broken_function_does_not_hold_up_the_one_around_it() {
        let (mut hot, mut document) = hot(PROGRAM);
        let at = PROGRAM.find("n += step").expect("it is there");
        apply(&mut hot, &mut document, at, at, "if (");
        assert!(hot.plan(2, &lead).hold.is_some());
        let at = document.rope.to_string().find("i < 2").expect("it is there");
        apply(&mut hot, &mut document, at, at + 5, "i < 3");
        let planned = hot.plan(3, &lead);
        assert_eq!(planned.patched.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["counter"]);
    }

    #[test]
    fn a_file_that_opens_broken_holds_only_its_broken_place() {
        let (program, _) = Program::load(PROGRAM, Options::default(), 1).expect("the program parses");
        let mut hot = Hot::new(program);
        let broken = PROGRAM.replace("return n; }, get", "return n +; }, get");
        hot.replace(Rope::from_str(&broken));
        let planned = hot.plan(2, &lead);
        assert_eq!(planned.hold.map(|it| it.code), Some("syntax"));
        assert!(planned.patched.is_empty() && planned.update.is_none());
    }

    #[test]
    fn undo_to_the_original_is_patched() {
        let (mut hot, mut document) = hot(PROGRAM);
        let at = PROGRAM.find("** 2").expect("it is there");
        apply(&mut hot, &mut document, at, at + 4, "** 3");
        assert_eq!(hot.plan(2, &lead).patched.len(), 1);
        apply(&mut hot, &mut document, at, at + 4, "** 2");
        let planned = hot.plan(3, &lead);
        assert_eq!(planned.patched.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["area"]);
    }

    #[test]
    fn formatting_and_moving_functions_change_nothing() {
        let (mut hot, _) = hot(PROGRAM);
        let formatted =
            PROGRAM.replace("{ n += step; return n; }", "{\n      n += step\n      return n\n    }").replace('"', "'");
        hot.replace(Rope::from_str(&formatted));
        let planned = hot.plan(2, &lead);
        assert!(planned.patched.is_empty() && planned.update.is_none() && planned.hold.is_none(), "{planned:?}");
        let walk = PROGRAM.find("function* walk").expect("it is there");
        let moved = format!("{}\n{}", &PROGRAM[walk..], &PROGRAM[..walk]);
        hot.replace(Rope::from_str(&moved));
        let planned = hot.plan(3, &lead);
        assert!(planned.patched.is_empty() && planned.update.is_none(), "{planned:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// Whatever is typed wherever: once everything has settled, the tree is that of the text, and typing it all back
        /// gives the first tree again.
        #[test]
        fn planning_step_by_step_gives_the_fresh_tree(
            edits in prop::collection::vec((0usize..PROGRAM.len(), 0usize..6, r#"[a-z(){};=>.,+ "'`/\n]{0,4}|n \+ 1|\{ \}|\(\) => 1|function g\(\) \{\}"#), 1..12)
        ) {
            let (mut hot, mut document) = hot(PROGRAM);
            let mut rev = 1;
            for (start, len, text) in edits {
                let whole = document.rope.to_string();
                let start = whole.floor_char_boundary(start.min(whole.len()));
                let end = whole.floor_char_boundary((start + len).min(whole.len()).max(start));
                apply(&mut hot, &mut document, start, end, &text);
                rev += 1;
                let planned = hot.plan(rev, &lead);
                let now = document.rope.to_string();
                let fresh = Program::load(&now, hot.program.options, 1);
                // A value that reads what nothing declares waits until something does.
                let waits = planned.hold.is_some_and(|it| it.code == "unresolved");
                let is_whole = fresh.is_ok() && !waits;
                prop_assert_eq!(hot.is_settled(), is_whole, "settled exactly when the text parses:\n{}", now);
                if hot.is_settled() {
                    assert_fresh(&hot, &now);
                }
            }
            let last = document.position(document.len_bytes(), PositionEncoding::Utf8);
            let change = ContentChange { range: Some((Position::new(0, 0), last)), text: PROGRAM.to_owned() };
            let edits = document.apply(document.version + 1, &[change], PositionEncoding::Utf8).expect("the edit is inside");
            hot.edit(&edits, document.rope.clone());
            hot.plan(rev + 1, &lead);
            assert_fresh(&hot, PROGRAM);
        }
    }
}
