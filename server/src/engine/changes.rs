//! The changes that bring a page up to date: whether it takes one, patches of functions, steps of the top level, whole modules with
//! what they import.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::event::ReasonNotice;
use super::hot::Hot;
use super::problems::{Problem, solved};
use crate::compile::LatePrivate;
use crate::graph::{Compiled, GATHERED, Graph};
use crate::pages::{Page, PageModule, Sent};
use crate::patch::{PlannedSite, Top};
use crate::sites::Rev;
use crate::wire::{self, Change, Construct, ModuleRev, Private, SitePatch, Target, TopPatch, TopStep, When};

/// What can be read while pages are written to.
#[derive(Clone, Copy)]
pub(super) struct Modules<'m> {
    pub(super) graph: &'m Graph,
    pub(super) hot: &'m FxHashMap<String, Hot>,
}

/// The patch that brings a page's copy of one module up to date, as far as its top level lets it; `held`: with what the
/// page holds.
pub(super) fn due(
    modules: Modules<'_>,
    hot: &Hot,
    id: &str,
    known: &mut PageModule,
    has: &FxHashSet<String>,
    held: bool,
) -> Option<Change> {
    let tops = tops_for(modules, hot, id, known);
    // With the steps to the newest top level, every function runs on it.
    let root_rev = if tops.is_some() { hot.program.rev } else { known.root_rev };
    let mut also = std::mem::take(&mut known.skipped);
    if held {
        also.append(&mut known.held);
    }
    let root = hot.program.root_at(root_rev);
    let (plan, left) = hot.program.catch_up(known.seen, &also, root);
    let top = tops.and_then(|it| top_patch(modules, id, &it, has));
    known.seen = hot.program.rev.max(known.seen);
    known.root_rev = root_rev.max(known.root_rev);
    known.skipped = left;
    if plan.sites.is_empty() && top.is_none() {
        // A page that is told nothing stays at its revision: that is what its next patch starts from.
        return None;
    }
    if plan.sites.iter().any(may_be_held) {
        known.held.extend(plan.sites.iter().map(|it| it.id));
    }
    let from = known.rev;
    known.rev = hot.program.rev.max(from);
    let sites = plan.sites.iter().map(|it| site_patch(it, hot.program.rev)).collect();
    let mut change = patch(hot, id, from, sites, top);
    // What runs then is no text that any server has.
    if let Change::Patch { stamp, .. } = &mut change
        && (root.shell != hot.program.root.shell || !known.skipped.is_empty() || !known.held.is_empty())
    {
        stamp.clear();
    }
    Some(change)
}

/// Whether pages are likely to hold code: what is edited next does not wait until they have said so.
pub(super) fn may_be_held(site: &PlannedSite) -> bool {
    site.needs.iter().any(|it| !crate::globals::is_known(it))
}

/// The versions of the top level that a page can take over. Imports that do not resolve hold them back, and nothing else.
pub(super) fn tops_for(
    modules: Modules<'_>,
    hot: &Hot,
    id: &str,
    known: &PageModule,
) -> Option<Vec<std::sync::Arc<Top>>> {
    let resolves = |it: &String| !matches!(modules.graph.dependency(it, id).target, Target::Error(_));
    let tops = hot.program.top_since(known.root_rev)?;
    tops.iter().all(|it| it.imports.iter().all(resolves)).then_some(tops)
}

/// Why a page does not get the newest top level: an import of it that does not resolve.
pub(super) fn missing_import(modules: Modules<'_>, hot: &Hot, id: &str, known: &PageModule) -> Option<ReasonNotice> {
    let tops = hot.program.top_since(known.root_rev)?;
    let imports = tops.iter().flat_map(|it| &it.imports);
    let message = imports.into_iter().find_map(|it| match modules.graph.dependency(it, id).target {
        Target::Error(message) => Some(message),
        _ => None,
    })?;
    Some(ReasonNotice { code: "import".to_owned(), message, range: None })
}

/// What a page has to run to get these versions of a module's top level, one after another.
pub(super) fn top_patch(
    modules: Modules<'_>,
    id: &str,
    tops: &[std::sync::Arc<Top>],
    has: &FxHashSet<String>,
) -> Option<TopPatch> {
    if tops.is_empty() {
        return None;
    }
    let mut patch = TopPatch { deps: Vec::new(), defs: Vec::new(), steps: Vec::new() };
    for top in tops {
        patch.deps.extend(top.imports.iter().map(|it| modules.graph.dependency(it, id)));
        let steps =
            top.steps.iter().map(|it| TopStep { code: it.code.clone(), line: it.line, keeps: it.keeps.clone() });
        patch.steps.extend(steps);
    }
    let entries: Vec<String> = patch
        .deps
        .iter()
        .filter_map(|it| match &it.target {
            Target::Id(id) => Some(id.clone()),
            _ => None,
        })
        .collect();
    patch.defs = crawl(modules, &entries, has);
    Some(patch)
}

pub(super) fn patch(hot: &Hot, id: &str, from: Rev, sites: Vec<SitePatch>, top: Option<TopPatch>) -> Change {
    let nsites = hot.program.ids.len();
    Change::Patch { module: id.to_owned(), from, rev: hot.program.rev, stamp: hot.program.stamp(), sites, nsites, top }
}

pub(super) fn site_patch(site: &PlannedSite, rev: Rev) -> SitePatch {
    SitePatch {
        id: site.id,
        rev,
        code: site.code.text.clone(),
        cells: site.code.cells.clone(),
        needs: site.needs.iter().map(ToString::to_string).collect(),
        how: Cow::Borrowed(site.code.how),
        name: site.name.clone(),
        line: site.line,
        scope: site.scope_rev,
        base: site.fallback.as_ref().map(|it| wire::BaseCode {
            code: it.text.clone(),
            cells: it.cells.clone(),
            how: Cow::Borrowed(it.how),
        }),
        later: site.later.clone(),
        construct: site.construct.as_ref().map(|it| Construct {
            rev: it.rev,
            code: it.code.clone(),
            fields: it.fields.clone(),
        }),
        privates: site.privates.iter().map(private).collect(),
    }
}

fn private(it: &LatePrivate) -> Private {
    let LatePrivate { name, is_static, since, gaps, code, line, column } = it.clone();
    Private { name, is_static, since, gaps, code, line, column }
}

/// A module's program as pages load it.
pub(super) fn defined(modules: Modules<'_>, hot: &Hot, id: &str) -> Option<wire::ModuleDef> {
    let program = &hot.program;
    let (rev, sites, stamp, module) = (program.rev, program.ids.len(), program.stamp(), program.module().ok()?);
    Some(modules.graph.definition(Compiled { id: id.to_owned(), rev, sites, stamp, module }))
}

/// The change that makes a page run a module again, with what it needs and the page lacks.
pub(super) fn update(modules: Modules<'_>, page: &Page, def: wire::ModuleDef, sent: &mut Sent) -> Change {
    let (id, rev) = (def.id.clone(), def.rev);
    let from = page.modules.get(&id).map_or(0, |it| it.rev);
    let target = |it: &wire::Dep| match &it.target {
        Target::Id(id) => Some(id.clone()),
        _ => None,
    };
    // What is gathered has to be there when it is asked for.
    let is_gathered = |it: &String| def.kind == wire::ModuleKind::Gathered || it.starts_with(GATHERED);
    let mut entries: Vec<String> = def.deps.iter().filter_map(target).collect();
    entries.extend(def.dynamic.iter().filter_map(target).filter(is_gathered));
    let mut without = page.module_ids();
    without.insert(id.clone());
    let mut defs = vec![def];
    defs.extend(crawl(modules, &entries, &without));
    sent.updates.insert(id.clone(), rev);
    Change::Update { module: id, from, rev, defs }
}

/// What the new imports of an updated module bring along.
fn crawl(modules: Modules<'_>, entries: &[String], without: &FxHashSet<String>) -> Vec<wire::ModuleDef> {
    let Modules { graph, hot } = modules;
    let mut seen = without.clone();
    let mut waiting: Vec<String> = entries.to_vec();
    let mut defs = Vec::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let def = match hot.get(&id) {
            Some(hot) => match hot.program.module() {
                Ok(module) => {
                    let (rev, sites, stamp) = (hot.program.rev, hot.program.ids.len(), hot.program.stamp());
                    graph.definition(Compiled { id: id.clone(), rev, sites, stamp, module })
                }
                Err(_) => continue,
            },
            None => (*graph.define(&id)).clone(),
        };
        for dep in def.deps.iter().chain(&def.dynamic) {
            if let Target::Id(id) = &dep.target {
                waiting.push(id.clone());
            }
        }
        defs.push(def);
    }
    defs
}

/// Whether a change is for this page.
pub(super) fn concerns(change: &Change, page: &Page) -> bool {
    match change {
        Change::Patch { module, .. }
        | Change::Update { module, .. }
        | Change::Remove { module, .. }
        | Change::Problem { module, .. } => page.modules.contains_key(module),
        Change::Css { .. } | Change::Asset { .. } | Change::Html { .. } => true,
    }
}

/// The module that holds the call which a module stands for.
pub(super) fn gathered_by(id: &str) -> Option<&str> {
    let rest = id.strip_prefix(GATHERED)?;
    rest.find('/').map(|at| &rest[at..])
}

/// The revision here of a module that a page got from another server: `None` unless it is the same text and numbering.
pub(super) fn same_as_ours(graph: &crate::graph::Graph, hot: Option<&Hot>, it: &ModuleRev) -> Option<Rev> {
    match hot {
        Some(hot) => (hot.program.stamp() == it.stamp).then_some(hot.program.rev),
        None => {
            let def = graph.define(&it.id);
            (def.stamp == it.stamp).then_some(def.rev)
        }
    }
}

/// Whether a page can take the newest top level of a module over without running it again.
pub(super) fn can_step(page: &Page, id: &str, hot: &Hot) -> bool {
    page.modules.get(id).is_some_and(|it| {
        let steps = hot.program.top_since(it.root_rev).unwrap_or_default();
        !it.failed && steps.iter().any(|it| !it.is_empty())
    })
}

/// Whether a page runs another top level of a module than the newest, and may take that.
pub(super) fn wants(page: &Page, id: &str, hot: &Hot, when: When) -> bool {
    page.modules.get(id).is_some_and(|it| {
        let differs = hot.program.root_at(it.root_rev).shell != hot.program.root.shell;
        let was_refused = it.refused.as_ref().is_some_and(|it| it.rev == hot.program.rev);
        (differs || it.failed) && (when != When::Typing || !was_refused)
    })
}

/// What a page that knows the module has to be told of its problem; `is_told`: also if it shows none yet.
pub(super) fn about(problem: Option<&Problem>, id: &str, known: &mut PageModule, is_told: bool) -> Option<Change> {
    match problem {
        Some(problem) if is_told || known.shows_problem => {
            known.shows_problem = true;
            Some(problem.shown(id))
        }
        None if known.shows_problem => {
            known.shows_problem = false;
            Some(solved(id))
        }
        _ => None,
    }
}
