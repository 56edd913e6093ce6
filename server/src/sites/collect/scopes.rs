//! What sites remember of the scopes around them: which names a patch can use, and what each stands for.

use super::*;

impl Collector<'_> {
    /// Whether the hook of its function leaves a variable out.
    pub(super) fn is_hidden(&self, symbol: SymbolId) -> bool {
        self.looped.contains(&symbol) && !self.captured.contains(&symbol)
    }

    /// The scope as sites of it will remember it; `before`: for those that only see what is declared before that place.
    pub(super) fn scope_arc(&mut self, id: ScopeId, before: Option<u32>) -> Arc<Scope> {
        if self.outer == Some(id) {
            return Arc::clone(&self.base.scope);
        }
        if let Some(known) = self.scopes.get(&(id, before)) {
            return Arc::clone(known);
        }
        let Some(parent) = self.scoping.scope_parent_id(id) else {
            let scope = if self.base.is_function { Arc::clone(&self.base.scope) } else { self.root_scope(id) };
            self.scopes.insert((id, before), Arc::clone(&scope));
            return scope;
        };
        let parent = self.scope_arc(parent, self.in_params.get(&id).copied());
        let mut privates = parent.privates.clone();
        for name in self.privates.get(&id).into_iter().flatten() {
            if !privates.contains(name) {
                privates.push(name.clone());
            }
        }
        let bindings = self.scoping.get_bindings(id);
        let reach = if self.privates.contains_key(&id) || self.evals.contains(&id) {
            Reach::Eval
        } else if self.is_function(id) {
            Reach::Cells
        } else {
            Reach::Block
        };
        let scope = if reach == Reach::Block && bindings.is_empty() {
            parent
        } else {
            let by_cells = match reach {
                Reach::Block => parent.reaches().next() == Some(Reach::Cells),
                own => own == Reach::Cells,
            };
            let bind =
                |symbol: SymbolId| match (by_cells && self.looped.contains(&symbol), self.captured.contains(&symbol)) {
                    (false, _) => Bind::Local,
                    (true, true) => Bind::Kept,
                    (true, false) => Bind::Hidden,
                };
            let is_seen = |it: SymbolId| before.is_none_or(|before| self.scoping.symbol_span(it).start < before);
            let seen = bindings.iter().filter(|(_, symbol)| is_seen(**symbol));
            let names = seen.map(|(name, symbol)| (Box::from(name.as_str()), bind(*symbol))).collect();
            // Parameters can be assigned.
            let constants = if before.is_some() { FxHashSet::default() } else { constants(self.scoping, id) };
            Arc::new(Scope { parent: Some(parent), names, constants, privates, reach })
        };
        self.scopes.insert((id, before), Arc::clone(&scope));
        scope
    }

    /// What a name of the top level stands for in patches.
    pub fn top_bind(&self, name: &str, symbol: SymbolId) -> Bind {
        match self.imports.get(&symbol) {
            Some(import) => import.clone(),
            None if self.base.overlay.contains(name) => Bind::Overlay,
            None => Bind::Local,
        }
    }

    fn root_scope(&self, id: ScopeId) -> Arc<Scope> {
        let names = self
            .scoping
            .get_bindings(id)
            .iter()
            .map(|(name, symbol)| (Box::from(name.as_str()), self.top_bind(name.as_str(), *symbol)))
            .collect();
        Arc::new(Scope { names, constants: constants(self.scoping, id), ..Scope::default() })
    }
}
