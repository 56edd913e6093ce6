//! A text that pages can take as they are, after others that they could not: what is typed at the top level goes through many texts
//! that would make the module run again, and pages that do not run it again must not be lost for what comes out in the end.

use super::*;

impl Program {
    /// Before an update of the module: what pages have until they take it.
    pub(super) fn keep_taken(&mut self) {
        if self.taken.is_none() && !self.is_nothing {
            self.taken = Some(Box::new(self.clone()));
        }
    }

    /// Pages have taken an update, up to the top level of revision `root_rev`.
    pub fn took(&mut self, root_rev: Rev) {
        let newest = |it: &Program| it.roots.last().map_or(0, |it| it.rev);
        self.taken.take_if(|it| newest(it) < root_rev);
    }

    /// Plans a text from what pages took last. `None`: it is no smaller step from there, and nothing has changed.
    pub fn plan_from_taken(&mut self, source: &str, rev: Rev, lead: Lead<'_>) -> Option<Verdict> {
        let mut program = (**self.taken.as_ref()?).clone();
        let since = program.rev;
        program.ids.go_on_after(&self.ids);
        let mut plan = match program.plan_text(source, rev, lead, true).ok()? {
            Verdict::Patch(plan) => plan,
            Verdict::Unchanged => PatchPlan::default(),
            Verdict::Hold(_) | Verdict::UpdateModule(_) => return None,
        };
        // Functions were patched meanwhile: pages have those.
        let mut patched = Vec::new();
        self.root.walk(0, &mut |it, _| patched.extend((it.changed > since).then_some(it.id)));
        program.rev = rev;
        mark(&mut program.root, &patched, rev);
        if let Some(root) = program.roots.last() {
            plan.sites = program.catch_up(rev - 1, &[], root).0.sites;
        }
        plan.is_back = true;
        *self = program;
        Some(Verdict::Patch(plan))
    }
}

/// Notes that the sites with these ids have changed.
fn mark(site: &mut Site, ids: &[SiteId], rev: Rev) {
    if ids.contains(&site.id) && site.kind != SiteKind::Module {
        site.changed = rev;
    }
    site.children.iter_mut().for_each(|it| mark(it, ids, rev));
}
