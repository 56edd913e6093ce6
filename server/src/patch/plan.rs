//! What planning says: the verdict on an edit, and what pages are to do.

use super::*;

/// What becomes of an edit.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// White space, comments and the like: positions move, nothing else.
    Unchanged,
    /// Pages keep the last good program.
    Hold(Reason),
    Patch(PatchPlan),
    /// The module has to run again.
    UpdateModule(Reason),
}

/// New code for functions of one module: applies together or not at all.
#[derive(Debug, Clone, Default)]
pub struct PatchPlan {
    pub sites: Vec<PlannedSite>,
    /// What has to run in the module's scope first: bindings that were added or have new values.
    pub top: Vec<Arc<Top>>,
    /// What people have to know of it.
    pub note: Option<Reason>,
}

/// A change of the top level that pages take over without running the module again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Top {
    /// Specifiers of added imports: their modules run first.
    pub imports: Vec<String>,
    pub steps: Vec<Step>,
    /// Names that are gone: pages keep them for code that still uses them.
    pub removed: Vec<String>,
}

impl Top {
    pub(crate) fn is_empty(&self) -> bool {
        self.imports.is_empty() && self.steps.is_empty() && self.removed.is_empty()
    }
}

/// An expression for the module's scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub code: String,
    /// Line from 0.
    pub line: u32,
    /// The variable that keeps its value when the expression gives `false`.
    pub keeps: Option<String>,
}

impl PatchPlan {
    pub(super) fn add(&mut self, planned: Result<PlannedSite, String>) {
        match planned {
            Ok(site) => self.sites.push(site),
            // The function around it is in the plan, since its scope became another one.
            Err(later) => {
                if let Some(around) = self.sites.last_mut() {
                    around.later.get_or_insert(later);
                }
            }
        }
    }
}

/// New code for one function.
#[derive(Debug, Clone)]
pub struct PlannedSite {
    pub id: SiteId,
    pub name: String,
    pub kind: SiteKind,
    /// Where it stands in the new good text, in bytes.
    pub start: u32,
    pub end: u32,
    /// Line from 0.
    pub line: u32,
    pub code: Code,
    /// Names that the page has to know.
    pub needs: Vec<Box<str>>,
    pub scope_rev: Rev,
    pub fallback: Option<Arc<Code>>,
    /// Why closures made before keep what they run: one sentence.
    pub later: Option<String>,
    pub construct: Option<Construct>,
    /// Their lines are those of the good text.
    pub privates: Vec<LatePrivate>,
}

/// Why: a code for programs, a sentence for people, and the place in bytes of the good text, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    pub message: String,
    pub start: u32,
    pub end: u32,
}

pub(super) fn planned(site: &Site, before: &Site, function: Function, ids: &Ids, at: (u32, u32, u32)) -> PlannedSite {
    let (start, line, column) = at;
    // Names that the old text used as well are not this edit's business, unless pages were asked for them and may lack them, or
    // they were declared then.
    let is_new = |name: &str| before.free.binary_search_by(|it| (**it).cmp(name)).is_err() || ids.was_removed(name);
    let needs = function.unresolved.into_iter().filter(|it| is_new(it) || before.needs.contains(it)).collect();
    // Columns of the first line are right when the code's own lead fits in front of it.
    let pad = column.checked_sub(function.lead).filter(|it| *it <= 400);
    let pad = match pad {
        Some(pad) => " ".repeat(pad as usize),
        // A class is made of pieces that stand where they should.
        None if function.lead == u32::MAX => String::new(),
        // Stack traces read it.
        None => format!("/*{}*/", column + function.skipped),
    };
    PlannedSite {
        id: site.id,
        name: site.name.clone(),
        kind: site.kind,
        start,
        end: start + function.site.len,
        line,
        code: Code { text: pad + &function.code.text, ..function.code },
        needs,
        scope_rev: site.scope_rev,
        fallback: site.fallback.clone(),
        construct: function.construct,
        privates: function.privates.into_iter().map(|it| LatePrivate { line: it.line + line, ..it }).collect(),
        later: None,
    }
}

pub(super) fn inner_lines(text: &str) -> u32 {
    text.matches('\n').count() as u32
}
