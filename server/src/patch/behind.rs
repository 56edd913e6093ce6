//! What a page lacks that loaded an older text, or missed something.

use std::collections::BTreeSet;

use super::*;
use crate::sites::Bind;
use crate::sites::collect::quoted;

impl Program {
    /// The steps that bring a page from the top level it has to the newest one, if steps can.
    pub fn top_since(&self, root_rev: Rev) -> Option<Vec<Arc<Top>>> {
        let after = self.roots_after(root_rev);
        steps(after).or_else(|| {
            // Versions that came and went need not be gone through.
            let same = after.iter().rposition(|it| self.is_same_top(root_rev, it.rev))?;
            let mut all = steps(&after[same + 1..])?;
            let bridge = self.bridge_to(&after[same]);
            if !bridge.is_empty() {
                all.insert(0, Arc::new(bridge));
            }
            Some(all)
        })
    }

    /// Whether steps lead a page through all versions of the top level since the one that it has.
    pub fn follows(&self, root_rev: Rev) -> bool {
        self.roots_after(root_rev).iter().all(|it| it.top.is_some())
    }

    fn roots_after(&self, root_rev: Rev) -> &[RootVersion] {
        &self.roots[self.roots.partition_point(|it| it.rev <= root_rev)..]
    }

    /// Steps for a page that has the same top level as `root`, but never saw what was taken from it come back: patches reach that through
    /// the overlay.
    fn bridge_to(&self, root: &RootVersion) -> Top {
        let guards = self.flavour.guards();
        let late = |name: &str, bind: &Bind| match bind {
            Bind::Overlay => Some(name.to_owned()),
            Bind::Import { holder, .. } => {
                Some(format!("$cap_i{holder}")).filter(|it| self.ids.overlay().contains(it.as_str()))
            }
            _ => None,
        };
        let names: BTreeSet<String> = root.scope.names.iter().filter_map(|(name, bind)| late(name, bind)).collect();
        let code = |name: &String| {
            let key = quoted(name);
            let accessor = format!("{{configurable:true,get:()=>{name},set($cap_v){{{name}=$cap_v}}}}");
            format!("{key} in {guards}.o||Object.defineProperty({guards}.o,{key},{accessor})")
        };
        let steps = names.iter().map(|it| Step { code: code(it), line: 0, keeps: None }).collect();
        Top { steps, ..Top::default() }
    }

    /// The top level that a page runs which loaded the module at `rev`.
    pub fn root_at(&self, rev: Rev) -> &RootVersion {
        let after = self.roots.partition_point(|it| it.rev <= rev);
        &self.roots[after.saturating_sub(1)]
    }

    /// Whether a page that runs the top level of `since` lacks nothing of the one of `until`.
    pub fn is_same_top(&self, since: Rev, until: Rev) -> bool {
        self.root_at(since).shell == self.root_at(until).shell && self.exchange_between(since, until).is_none()
    }

    fn exchange_between(&self, since: Rev, until: Rev) -> Option<Rev> {
        self.roots.iter().find(|it| it.exchanges && it.rev > since && it.rev <= until).map(|it| it.rev)
    }

    /// The current code of sites that changed after `since` and that a page with this top level can run.
    /// The second list has those that it can't.
    pub fn catch_up(&self, since: Rev, also: &[SiteId], page_root: &RootVersion) -> (PatchPlan, Vec<SiteId>) {
        let mut plan = PatchPlan::default();
        let mut left = Vec::new();
        let mut due = Vec::new();
        self.root.walk(0, &mut |site, start| {
            if site.kind != SiteKind::Module && (site.changed > since || also.contains(&site.id)) {
                due.push((site, start));
            }
        });
        for (site, start) in due {
            if !self.runs_on(site, page_root) {
                left.push(site.id);
                continue;
            }
            let text = self.slice(start, site.len);
            let Some(path) = path_to(&self.root, site.id) else { continue };
            if site.is_veiled(&veils_around(&self.root, &path)) {
                // What is around it brings it along.
                continue;
            }
            let late = late_around(&self.root, &path);
            let context = Context { flavour: self.flavour, old: site, rev: self.rev, jsx: &self.jsx, late };
            let Ok(function) = compile_function(&text, &context, &mut self.ids.clone()) else { continue };
            if !function.collections.iter().all(|it| page_root.collections.contains(it)) {
                left.push(site.id);
                continue;
            }
            let line = self.line_of(start);
            let column = self.column_of(start, line);
            let lacks = lacks_around(&self.root, &path);
            let lacked = lacked(&text, &lacks).map(|it| it.1.as_str());
            let later = (site.scope_rev != 0).then(|| later(site, false, lacked));
            plan.sites.push(PlannedSite { later, ..planned(site, site, function, &self.ids, (start, line, column)) });
        }
        (plan, left)
    }

    /// Whether a page with this top level has everything that the site names at the top level.
    pub fn runs_on(&self, site: &Site, page_root: &RootVersion) -> bool {
        if page_root.shell == self.root.shell {
            return true;
        }
        site.free.iter().all(|name| match (self.root.scope.names.get(name), page_root.scope.names.get(name)) {
            (None, _) => true,
            (Some(now), Some(then)) => now == then,
            (Some(_), None) => site.scope.lookup(name) != self.root.scope.names.get(name),
        })
    }
}

fn steps(roots: &[RootVersion]) -> Option<Vec<Arc<Top>>> {
    roots.iter().map(|it| it.top.clone()).collect()
}
