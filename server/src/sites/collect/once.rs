//! Functions that run while their module does, and that nobody can call again: a patch of one waits for ever.

use super::*;
use crate::sites::Runs;

/// What code outside of functions does with functions.
#[derive(Debug, Default)]
pub(super) struct Loading {
    /// Where functions start that are called where they stand.
    in_place: FxHashSet<u32>,
    /// Constants that are functions, by where those start.
    names: FxHashMap<u32, SymbolId>,
    called: FxHashSet<SymbolId>,
    /// Used in another way: handed on, exported, called by each object that is made.
    escaped: FxHashSet<SymbolId>,
}

impl Collector<'_> {
    /// Nothing around runs more than once.
    fn is_loading(&self) -> bool {
        self.functions.iter().all(|it| it.is_static_block)
    }

    pub(super) fn note_call(&mut self, callee: &Expression<'_>) {
        let function = match callee.without_parentheses() {
            Expression::StaticMemberExpression(it) if matches!(it.property.name.as_str(), "call" | "apply") => {
                it.object.without_parentheses()
            }
            other => other,
        };
        let is_function =
            matches!(function, Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_));
        if is_function && self.is_loading() {
            self.loading.in_place.insert(function.span().start);
        }
    }

    pub(super) fn note_constant(&mut self, it: &VariableDeclarator<'_>) {
        if let (BindingPattern::BindingIdentifier(id), Some(init)) = (&it.id, &it.init)
            && gives_name(init)
            && let Some(symbol) = id.symbol_id.get()
            && self.scoping.symbol_flags(symbol).is_const_variable()
        {
            self.loading.names.insert(init.without_parentheses().span().start, symbol);
        }
    }

    pub(super) fn note_reference(&mut self, symbol: SymbolId, start: u32) {
        if self.is_loading() && self.callee == Some(start) {
            self.loading.called.insert(symbol);
        } else if self.site_stack.is_empty() {
            self.loading.escaped.insert(symbol);
        }
    }

    /// Who can call the function again. Names that functions use are looked at when it matters: they change.
    pub(super) fn runs(&self, site: &RawSite) -> Runs {
        let is_known = !self.base.is_function && !self.seen.has_top_level_await;
        // A generator runs when it is asked, and `arguments.callee` is the function.
        let is_told = site.is_generator || (!site.strict && site.counts == Some(0));
        // The top level of a plain script is everybody's.
        if !is_known || is_told || matches!(self.base.flavour, Flavour::Classic(_)) {
            return Runs::Any;
        }
        let start = site.span.start;
        if self.loading.in_place.contains(&start) && site.self_name.is_none() {
            return Runs::InPlace;
        }
        let constant = self.loading.names.get(&start).filter(|_| !site.has_own_name);
        let symbol = if site.kind == SiteKind::Declaration { site.symbol } else { constant.copied() };
        // Functions that are no sites after all.
        let names_it = |it: &RawSite| it.dead && it.free.contains(site.name.as_str());
        let is_called = |it: SymbolId| {
            site.parent.is_none()
                && self.loading.called.contains(&it)
                && !self.loading.escaped.contains(&it)
                && !self.sites.iter().any(names_it)
        };
        if symbol.is_some_and(is_called) { Runs::ByName } else { Runs::Any }
    }
}
