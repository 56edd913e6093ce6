//! A module that has changed since pages could load it: its program, its buffer, and what is between them.

use std::path::PathBuf;
use std::time::Instant;

use ropey::Rope;

use super::drift::Drifts;
use crate::compile::Problem;
use crate::patch::{PlannedSite, Program, Reason, Verdict};
use crate::sites::Rev;
use crate::syntax::Tree;
use crate::text::TextEdit;

pub(crate) struct Hot {
    pub(crate) path: PathBuf,
    pub(crate) program: Program,
    /// The text as it is in the editor or on disk.
    buffer: Rope,
    drifts: Drifts,
    tree: Tree,
    /// Set while the top level has changes that pages lack: when it last changed.
    pub(crate) update_since: Option<Instant>,
    /// Why the module has to run again.
    pub(crate) update_reason: Option<Reason>,
    /// What the page overlay says of this module.
    pub(crate) shown_problem: bool,
}

/// What one planning of a buffer came to. Places are bytes of the buffer.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) patched: Vec<PlannedSite>,
    pub(crate) update: Option<Reason>,
    pub(crate) hold: Option<Reason>,
}

impl Hot {
    pub(crate) fn new(path: PathBuf, program: Program) -> Hot {
        let buffer = program.text.clone();
        Hot {
            path,
            program,
            buffer,
            drifts: Drifts::default(),
            tree: Tree::default(),
            update_since: None,
            update_reason: None,
            shown_problem: false,
        }
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
            self.drifts.push(super::drift::Drift {
                good: start as u32..good_end as u32,
                buffer: start as u32..new_end as u32,
            });
        }
        self.buffer = buffer;
    }

    /// Brings the program to the buffer as far as the buffer parses. `rev` is what the result will be.
    pub(crate) fn plan(&mut self, rev: Rev) -> Planned {
        let mut planned = Planned::default();
        let mut local_problem: Option<(Problem, u32)> = None;
        let mut index = 0;
        while let Some(drift) = self.drifts.get(index).cloned() {
            match self.plan_function_around(&drift.good, rev) {
                Some(Ok((verdict, buffer_start))) => add(&mut planned, verdict, Some(buffer_start)),
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
        self.plan_rest(rev, &mut planned, local_problem);
        planned
    }

    /// Plans the innermost function that holds a drift; `None` if no function does.
    #[expect(
        clippy::type_complexity,
        reason = "a verdict or a problem, each with where the function starts in the buffer"
    )]
    fn plan_function_around(
        &mut self,
        good: &std::ops::Range<u32>,
        rev: Rev,
    ) -> Option<Result<(Verdict, u32), (Problem, u32)>> {
        let (path, origin) = self.program.root.enclosing(0, good.start, good.end);
        if path.is_empty() {
            return None;
        }
        let len = self.program.root.at(&path).len;
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
                }
                Some(Ok((verdict, start)))
            }
            Err(problem) => Some(Err((problem, start))),
        }
    }

    /// What no function holds alone: the whole text, if it parses; else each remaining place by itself.
    fn plan_rest(&mut self, rev: Rev, planned: &mut Planned, local: Option<(Problem, u32)>) {
        let (first, last) = (self.drifts.get(0).cloned(), self.drifts.get(self.drifts.len() - 1).cloned());
        let (Some(first), Some(last)) = (first, last) else { return };
        let touched = first.buffer.start as usize..last.buffer.end as usize;
        // Asking the tolerant parser first spares the strict one the work on text that is half typed.
        let broken = self.tree.broken_near(&self.buffer, touched.start, touched.end);
        let source = self.buffer.to_string();
        let mut problems = Vec::new();
        if broken.is_none() {
            match self.program.plan_module(&source, rev) {
                Ok(verdict) => {
                    self.drifts.clear();
                    add(planned, verdict, None);
                    return;
                }
                Err(found) => problems = found,
            }
        }
        if self.drifts.len() > 1 {
            self.plan_each(rev, planned);
            if self.drifts.is_empty() {
                return;
            }
        }
        let hold = |message: String, start: u32, end: u32| Reason { code: "syntax", message, start, end };
        planned.hold = Some(match (local, problems.into_iter().next(), broken) {
            (Some((problem, base)), ..) => hold(problem.message, base + problem.start, base + problem.end),
            (None, Some(problem), _) => hold(problem.message, problem.start, problem.end),
            (None, None, Some(broken)) => hold(broken.message, broken.start as u32, broken.end as u32),
            (None, None, None) => hold("this does not parse yet".to_owned(), first.buffer.start, last.buffer.end),
        });
    }

    /// A broken place must not hold up the others: the good text with one place after the other.
    fn plan_each(&mut self, rev: Rev, planned: &mut Planned) {
        let mut index = 0;
        while let Some(drift) = self.drifts.get(index).cloned() {
            let mut candidate = self.program.text.clone();
            let (start, end) = (drift.good.start as usize, drift.good.end as usize);
            let at = candidate.byte_to_char(start);
            candidate.remove(at..candidate.byte_to_char(end));
            let new = self.buffer.byte_slice(drift.buffer.start as usize..drift.buffer.end as usize).to_string();
            candidate.insert(at, &new);
            match self.program.plan_module(&candidate.to_string(), rev) {
                Ok(verdict) => {
                    self.drifts.settle(drift.good.clone(), new.len() as u32);
                    add(planned, verdict, None);
                }
                Err(_) => index += 1,
            }
        }
    }

    /// Whether everything in the buffer is in the program.
    pub(crate) fn is_settled(&self) -> bool {
        self.drifts.is_empty()
    }
}

fn add(planned: &mut Planned, verdict: Verdict, _buffer_start: Option<u32>) {
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Hold(reason) => planned.hold = Some(reason),
        Verdict::UpdateModule(reason) => planned.update = Some(reason),
        Verdict::Patch(plan) => {
            // One text can change a function twice in one plan (two places in it): the later code counts.
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
