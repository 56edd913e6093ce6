//! Names in functions: which variable each reference means, and how a patch reaches it from outside of its scope.

use super::*;

impl<'s> Collector<'s> {
    /// Whether a name among the parameters of the function with this scope would mean something else in the function's body.
    pub(super) fn clashes(&self, name: &str, symbol: Option<SymbolId>, scope: ScopeId, body: u32) -> bool {
        let is_inner =
            |it: SymbolId| self.depths[self.scoping.symbol_scope_id(it).index()] > self.depths[scope.index()];
        let of_body =
            self.scoping.get_binding(scope, name.into()).filter(|it| self.scoping.symbol_span(*it).start >= body);
        of_body.is_some() && !symbol.is_some_and(is_inner)
    }

    pub(super) fn reference(&mut self, name: &str, span: Span, symbol: Option<SymbolId>) {
        if symbol.is_none() && self.caught.iter().any(|it| it == name) {
            return;
        }
        let symbol = symbol.filter(|it| self.declared != Some(*it));
        let depth = symbol.map(|it| self.depths[self.scoping.symbol_scope_id(it).index()]);
        let own_name = symbol.is_some() && self.functions.iter().any(|it| it.id_symbol == symbol);
        if own_name {
            for function in &mut self.functions {
                function.uses_self |= function.id_symbol == symbol;
            }
        }
        for number in self.site_stack.iter().rev() {
            let site = &mut self.sites[*number];
            if depth.is_some_and(|it| it >= site.function_scope_depth) {
                break;
            }
            if !site.free.contains(name) {
                site.free.insert(Box::from(name));
            }
        }
        if let Some(symbol) = symbol {
            self.note_use(symbol);
        }
        for index in 0..self.functions.len() {
            let FunctionState { in_params, scope: Some(scope), body_start, .. } = self.functions[index] else {
                continue;
            };
            self.functions[index].params_clash |= in_params && self.clashes(name, symbol, scope, body_start);
        }
        // The walked function's own name is declared around it.
        let is_around = |it: &SymbolId| self.outer == Some(self.scoping.symbol_scope_id(*it));
        let bind = match symbol.filter(|it| !self.base.is_function || !is_around(it)) {
            Some(symbol) => self.imports.get(&symbol).cloned(),
            None => match self.base.scope.find(name).filter(|_| self.base.is_function) {
                Some((Some(place), bind)) if self.cells_around() > 0 => {
                    self.seen.needs_place |= *bind == Bind::Hidden;
                    let text = self.cell(place, name);
                    let text = self.form(name, span, text);
                    self.ops.push(Op::replace(span.start, span.end, text));
                    return;
                }
                Some((_, bind)) => Some(bind.clone()),
                None if symbol.is_some() => None,
                None => {
                    self.global(name, span);
                    None
                }
            },
        };
        let guards = self.base.flavour.guards();
        let at_top = |it: SymbolId| self.depths[self.scoping.symbol_scope_id(it).index()] == 0;
        // As loaded, the top level has a binding for every name; patches reach what was added later through the overlay.
        let (load, patch) = match bind {
            Some(Bind::Import { holder, member }) => {
                let tail = match &member {
                    Some(member) if is_identifier(member) => format!(".{member}"),
                    Some(member) => format!("[{}]", quoted(member)),
                    None => String::new(),
                };
                let holder = format!("$cap_i{holder}");
                let late = self.base.overlay.contains(&holder);
                let patch = if late { format!("{guards}.o.{holder}{tail}") } else { format!("{holder}{tail}") };
                (format!("{holder}{tail}"), patch)
            }
            Some(Bind::Overlay) => (name.to_owned(), format!("{guards}.o.{name}")),
            Some(Bind::Local | Bind::Kept | Bind::Hidden) | None => {
                // A class is its own name in its body, also before anybody else has it.
                let is_reached = |it: SymbolId| at_top(it) && !self.within.contains(&it);
                let in_overlay =
                    !self.base.is_function && symbol.is_some_and(is_reached) && self.base.overlay.contains(name);
                if !in_overlay {
                    return;
                }
                (name.to_owned(), format!("{guards}.o.{name}"))
            }
        };
        let (load, patch) = (self.form(name, span, load), self.form(name, span, patch));
        let text = if load == patch { load } else { format!("\u{5}{load}\u{6}{patch}\u{2}") };
        self.ops.push(Op::replace(span.start, span.end, text));
    }

    /// Variables that a hook names live in memory, which a loop would feel. Those that only a function's own loops use stay where
    /// the engine puts them: closures that come to name one run so from the next call of that function on.
    pub(super) fn note_use(&mut self, symbol: SymbolId) {
        let declared = self.depths[self.scoping.symbol_scope_id(symbol).index()];
        let Some(function) = self.functions.last() else { return };
        // What a class runs when it or an object of it is made is a function without variables of its own.
        if function.scope.is_none_or(|it| declared < self.depths[it.index()]) {
            self.captured.insert(symbol);
        } else if self.loops.last().is_some_and(|it| it.0 == self.functions.len() && declared < it.1) {
            self.looped.insert(symbol);
        }
    }

    /// The expression for a variable of a function around the walked one.
    pub(super) fn cell(&mut self, place: u32, name: &str) -> String {
        self.seen.cells.entry(place).or_default().insert(name.to_owned());
        format!("$cap_x{place}._{name}")
    }

    /// What stands for a name, as its place takes it.
    pub(super) fn form(&self, name: &str, span: Span, text: String) -> String {
        // Where semicolons are left out, a parenthesis at the start of a line would go on with the line before.
        let lead = if self.seen.starts.last() == Some(&span.start) { "0," } else { "" };
        let is_member = text.contains(['.', '[']);
        let text = if self.callee == Some(span.start) && is_member { format!("{lead}(0,{text})") } else { text };
        if self.shorthand == Some(span.start) && text != name { format!("{name}:{text}") } else { text }
    }

    /// A name that the text does not declare.
    pub(super) fn global(&mut self, name: &str, span: Span) {
        match name {
            "arguments" => {
                // Belongs to the nearest function that is no arrow; arrows hand it outwards when they end.
                if let Some(function) = self.functions.last_mut() {
                    function.uses_arguments = true;
                }
                return;
            }
            "require" | "module" | "exports" | "__filename" | "__dirname" => {
                self.seen.uses_cjs |= name != "__filename" && name != "__dirname";
                if self.base.flavour == Flavour::Cjs {
                    // The factory's parameters: no name of the page.
                    return;
                }
            }
            "global" if self.base.flavour == Flavour::Cjs => {
                let text = self.form(name, span, "globalThis".to_owned());
                self.ops.push(Op::replace(span.start, span.end, text));
                return;
            }
            _ => {}
        }
        if self.typeof_operand != Some(span.start) && !self.seen.unresolved.contains(name) {
            self.seen.unresolved.insert(Box::from(name));
        }
    }

    pub(super) fn at_top_level(&self) -> bool {
        self.functions.iter().all(|it| it.is_arrow)
            && !self.frames.iter().any(|it| matches!(it.kind, FrameKind::Field { .. }))
    }
}
