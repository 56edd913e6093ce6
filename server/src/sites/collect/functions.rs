//! One function: whether a guard can stand in it, which hook the guard names, and how both are written.

use std::cell::Cell;

use super::*;

impl<'s> Collector<'s> {
    pub(super) fn function<'f, 'a>(&mut self, entry: Entry<'f, 'a>) {
        self.depth += 1;
        self.note_place(entry.scope);
        let is_arrow = entry.kind == SiteKind::Arrow;
        let is_root = self.base.is_function && self.site_stack.is_empty();
        let is_constructor = matches!(entry.kind, SiteKind::Constructor | SiteKind::DerivedConstructor);
        let hook = if is_root {
            Some(String::new())
        } else if self.disabled > 0 {
            None
        } else if entry.kind.is_class_member() {
            let class = self.frames.len() - 1;
            self.class_hook(class)
        } else {
            self.find_hook(is_arrow)
        };
        let is_strict = |it: ScopeId| self.scoping.scope_flags(it).is_strict_mode() || self.base.strict;
        let strict = is_strict(entry.scope);
        let says_strict = entry.has_use_strict && !self.scoping.scope_parent_id(entry.scope).is_some_and(is_strict);
        // A constructor belongs to its class, whose guard it has.
        let number = (hook.is_some() && !is_constructor).then(|| {
            // The text's own top is a scope, so a function has one around it.
            let around = self.scoping.scope_parent_id(entry.scope).unwrap_or(entry.scope);
            if is_root {
                self.outer = Some(around);
                let id = entry.id.filter(|_| entry.kind == SiteKind::Declaration);
                self.declared = id.and_then(|it| it.symbol_id.get());
            }
            let level = self.level_at(self.frames.len() - 1);
            let home = self.functions.iter().rev().find_map(|it| it.home).unwrap_or(self.base.home);
            self.sites.push(RawSite {
                parent: self.site_stack.last().copied(),
                kind: entry.kind,
                access: entry.access,
                is_async: entry.is_async,
                is_generator: entry.is_generator,
                uses_super: false,
                uses_this: false,
                name: entry.name.clone(),
                has_own_name: entry.kind == SiteKind::Expression && entry.id.is_some(),
                span: entry.span,
                params: entry.params.span,
                body: entry.body.start(),
                own: entry.scope,
                hook: 0,
                construct_hook: 0,
                around,
                scope: Arc::default(),
                level,
                free: FxHashSet::default(),
                strict,
                says_strict,
                home,
                lists: 0,
                counts: None,
                runs: Runs::Any,
                symbol: entry.id.and_then(|it| it.symbol_id.get()),
                dead: false,
                self_name: None,
                assigns_self: false,
                mark: format!("{}{}", entry.mark, if says_strict { "strict" } else { "" }),
                function_scope_depth: self.depths[entry.scope.index()],
                depth: self.depth,
                class: None,
            });
            self.sites.len() - 1
        });
        if let Some(number) = number {
            self.site_stack.push(number);
        } else {
            let around = self.site_stack.last().copied();
            self.others.push(OtherFunction { scope: entry.scope, around, start: entry.body.start() });
            if hook.is_none() {
                self.disabled += 1;
            }
        }
        let root_class = self.base.is_function && self.site_stack.len() == 1;
        let sites_in_params = hook.is_some() && self.has_sites_in_params(&entry);
        self.functions.push(FunctionState {
            is_arrow,
            home: Home::of(entry.kind),
            id_symbol: entry.id.filter(|_| entry.kind == SiteKind::Expression).and_then(|it| it.symbol_id.get()),
            body_start: entry.body.start(),
            scope: Some(entry.scope),
            strict,
            in_params: true,
            sites_in_params,
            is_root_constructor: is_constructor && hook.is_some() && root_class,
            ..FunctionState::default()
        });
        let outer = if is_root { OUTER_HOOK.to_owned() } else { hook.clone().unwrap_or_default() };
        let frame = Frame { scope: Some(entry.scope), ..Frame::new(FrameKind::Function { outer }) };
        if sites_in_params {
            self.frames.push(frame);
            self.visit_formal_parameters(entry.params);
        } else {
            self.opaque(|it| it.visit_formal_parameters(entry.params));
            self.frames.push(frame);
        }
        if let Some(state) = self.functions.last_mut() {
            state.in_params = false;
        }
        match &entry.body {
            Body::Block(block) => {
                for directive in &block.directives {
                    self.visit_directive(directive);
                }
                for statement in &block.statements {
                    self.visit_statement(statement);
                }
            }
            Body::Expression(expression) => self.visit_expression(expression),
        }
        let hook_text = self.hook_text(self.frames.len() - 1);
        self.frames.pop();
        let Some(state) = self.functions.pop() else { return };
        // An arrow's `arguments`, `super` and `new.target` are those of the function around it.
        if is_arrow && let Some(outer) = self.functions.last_mut() {
            outer.uses_arguments |= state.uses_arguments;
            outer.uses_super |= state.uses_super;
            outer.uses_new_target |= state.uses_new_target;
            outer.uses_this |= state.uses_this;
        }
        if is_arrow && (state.uses_arguments || state.uses_super || state.uses_new_target) {
            self.stands_on_its_place(is_root);
        }
        match (number, hook) {
            (Some(number), hook) => {
                self.site_stack.pop();
                self.guard(number, &entry, &state, is_root, hook.unwrap_or_default(), &hook_text);
            }
            (None, Some(hook)) => self.constructor_guard(&entry, &state, &hook, &hook_text),
            (None, None) => self.disabled -= 1,
        }
        self.depth -= 1;
    }

    /// What stands among parameters sees no variables of the body.
    pub(super) fn note_place(&mut self, scope: ScopeId) {
        if let Some(around) = self.functions.last().filter(|it| it.in_params) {
            self.in_params.insert(scope, around.body_start);
        }
    }

    /// Whether a function or class stands among the parameters of a function whose parameters can move.
    fn has_sites_in_params(&self, entry: &Entry<'_, '_>) -> bool {
        let params = entry.params;
        let is_plain = params.rest.is_none()
            && params.items.iter().all(|it| it.initializer.is_none() && it.pattern.is_binding_identifier());
        if is_plain || entry.is_generator || entry.access == Access::Set {
            return false;
        }
        let mut found =
            InParams { collector: self, scope: entry.scope, body: entry.body.start(), functions: false, clash: false };
        found.visit_formal_parameters(params);
        let (functions, mut clash) = (found.functions, found.clash);
        if functions && !clash {
            let mut names = DynamicNames { collector: self, found: false };
            names.visit_formal_parameters(params);
            match &entry.body {
                Body::Block(it) => names.visit_function_body(it),
                Body::Expression(it) => names.visit_expression(it),
            }
            clash = names.found || body_redeclares(self.scoping, entry);
        }
        functions && !clash
    }

    /// An arrow uses a word of the function around it that is no variable: its patches have to be evaluated right there.
    pub(super) fn stands_on_its_place(&mut self, is_root: bool) {
        if is_root {
            self.seen.needs_place |= self.cells_around() > 0;
            return;
        }
        let function = self.function_around(self.frames.len() - 1).and_then(|it| self.frames[it].scope);
        self.evals.extend(function);
    }

    /// A constructor asks whether its own class has a newer one: other classes of the same text may lack it.
    pub(super) fn constructor_guard(
        &mut self,
        entry: &Entry<'_, '_>,
        state: &FunctionState,
        hook: &str,
        hook_text: &str,
    ) {
        let header = self.header(entry, state);
        let class = self.site_stack.last().copied().unwrap_or_default();
        let derived = entry.kind == SiteKind::DerivedConstructor;
        if state.is_root_constructor {
            let head = if derived { "const $cap_t=$cap_g.t();" } else { "super($cap_g.t());" };
            let head = head.replace("$cap_g", &self.base.flavour.guards());
            params::write_hook(&header, self.depth, &(head + hook_text), &mut self.ops);
            return;
        }
        // It may stand in a constructor that takes over: its own arrows are not to find the call which that one takes over.
        let hook_text =
            &if derived && self.base.is_function { format!("let $cap_t;{hook_text}") } else { hook_text.to_owned() };
        let fixed = self.sites[class].class.as_ref().is_none_or(|it| it.fixed);
        let (guard, call) = self.construct_call(class, hook, derived);
        let guard = move |args: &Args| (guard.clone(), call.replace("$cap_a", &args.list()));
        if fixed || !params::write(&header, self.depth, &guard, hook_text, &mut self.ops) {
            params::write_hook(&header, self.depth, hook_text, &mut self.ops);
        }
    }

    /// The condition of a constructor's guard, and the call when it holds; `$cap_a` stands for the arguments.
    pub(super) fn construct_call(&self, class: usize, hook: &str, derived: bool) -> (String, String) {
        let this = if derived { "(...$cap_b)=>super(...$cap_b)" } else { "this" };
        let guards = self.base.flavour.guards();
        (format!("\u{3}{class}\u{2}&&{hook}.c"), format!("{guards}.n({hook},$cap_a,{this},new.target)"))
    }

    pub(super) fn header<'h, 'a>(&self, entry: &Entry<'h, 'a>, state: &FunctionState) -> Header<'h, 'a>
    where
        's: 'h,
    {
        Header {
            source: self.source,
            params: entry.params,
            body: match &entry.body {
                Body::Block(it) => Body::Block(it),
                Body::Expression(it) => Body::Expression(it),
            },
            end: entry.span.end,
            is_arrow: state.is_arrow,
            is_generator: entry.is_generator,
            is_setter: entry.access == Access::Set,
            is_getter: entry.access == Access::Get,
            strict: state.strict && !entry.has_use_strict,
            uses_arguments: state.uses_arguments,
            params_clash: state.params_clash || body_redeclares(self.scoping, entry),
            sites_in_params: state.sites_in_params,
            has_dynamic_names: state.has_dynamic_names,
            around: Around::default(),
            guards: self.base.flavour.guards(),
        }
    }

    pub(super) fn guard(
        &mut self,
        number: usize,
        entry: &Entry<'_, '_>,
        state: &FunctionState,
        is_root: bool,
        hook: String,
        hook_text: &str,
    ) {
        let site = &mut self.sites[number];
        let rest = entry.params.rest.as_ref().map(|_| entry.params.items.len() as u32);
        site.counts = if state.uses_arguments && !state.is_arrow { Some(0) } else { rest };
        if state.uses_self {
            site.self_name = entry.id.map(|it| it.name.to_string());
            let mut uses = site.symbol.into_iter().flat_map(|it| self.scoping.get_resolved_references(it));
            site.assigns_self = uses.any(|it| it.is_write());
        }
        site.uses_this = state.uses_this || state.uses_new_target || state.uses_super || state.has_dynamic_names;
        site.uses_super = entry.kind == SiteKind::ObjectMethod && state.uses_super;
        if site.uses_super {
            site.mark.push_str("super");
        }
        let uses_super = site.uses_super;
        let mut header = self.header(entry, state);
        header.around = self.counted(number, entry, state);
        if is_root {
            params::write_hook(&header, self.depth, hook_text, &mut self.ops);
            return;
        }
        let is_arrow = state.is_arrow;
        let guards = self.base.flavour.guards();
        if let Some(it) = hook_number(&hook).and_then(|it| self.hooks.get_mut(it)) {
            let own_name = entry.id.filter(|_| entry.kind == SiteKind::Expression).map(|it| it.name.to_string());
            it.uses.push(HookUse { scope: entry.scope, own_name, is_arrow });
        }
        let mut tail = String::new();
        if matches!(entry.kind, SiteKind::Declaration | SiteKind::Expression) && !entry.is_async && !entry.is_generator
        {
            tail.push_str(",new.target");
        } else if state.uses_self {
            tail.push_str(",void 0");
        }
        if let Some(name) = entry.id.filter(|_| entry.kind == SiteKind::Expression) {
            tail.push_str(if tail.is_empty() { ",void 0," } else { "," });
            tail.push_str(&name.name);
        }
        if uses_super {
            // It reaches through the object, which no hook can name.
            let home = "$cap_n=>super[$cap_n],($cap_n,$cap_v)=>{super[$cap_n]=$cap_v}";
            tail.push_str(&format!(",void 0,{guards}.p({home})"));
        }
        let lists = Cell::new(0);
        // With an `await` stacks go on to who called an async function.
        let yields = match (entry.is_generator, entry.is_async) {
            (true, _) => params::YIELDS,
            (false, true) => "await ",
            (false, false) => "",
        };
        let guard = |args: &Args| {
            lists.set(args.named());
            (
                format!("\u{3}{number}\u{2}"),
                format!("{yields}{guards}.c(\u{1}{number}\u{2},{hook}{tail}){}", args.call("this", is_arrow)),
            )
        };
        let written = params::write(&header, self.depth, &guard, hook_text, &mut self.ops);
        self.sites[number].lists = lists.get();
        if !written {
            header.around = Around::default();
            params::write_hook(&header, self.depth, hook_text, &mut self.ops);
            self.sites[number].dead = true;
        }
    }
}

impl Collector<'_> {
    /// Something in the innermost function lets others go on before it does itself.
    pub(super) fn waits(&mut self) {
        match self.functions.last_mut() {
            Some(function) => function.waits = true,
            None => self.seen.has_top_level_await = true,
        }
    }

    /// Counts the calls of a function that have begun and not ended, which finish the code that they began with. Those of other
    /// functions end before anything else can happen.
    fn counted(&self, number: usize, entry: &Entry<'_, '_>, state: &FunctionState) -> Around {
        // In a block, which the body becomes, a function may not be declared beside a variable of its name. In sloppy code functions of
        // blocks are variables of the function around, too, but not where a block between has their name.
        let is_function = |it: &SymbolId| self.scoping.symbol_flags(*it).is_function();
        let clashing = |it: &SymbolId| !state.strict || !self.scoping.symbol_redeclarations(*it).is_empty();
        let clashes = self.scoping.get_bindings(entry.scope).values().any(|it| is_function(it) && clashing(it));
        if !state.waits || state.has_dynamic_names || clashes {
            return Around::default();
        }
        let guards = self.base.flavour.guards();
        Around {
            enter: format!("{guards}.begin(\u{1}{number}\u{2});try{{"),
            leave: format!("}}finally{{{guards}.end(\u{1}{number}\u{2})}}"),
        }
    }
}

/// Whether a `var` or function in the body has a parameter's name: then the parameters can't move into the body's scope.
fn body_redeclares(scoping: &Scoping, entry: &Entry<'_, '_>) -> bool {
    let body = entry.body.start();
    scoping.get_bindings(entry.scope).iter().any(|(_, symbol)| {
        let declared = scoping.symbol_span(*symbol).start;
        declared < body && scoping.symbol_redeclarations(*symbol).iter().any(|it| it.span.start >= body)
    })
}

/// Looks for functions and classes among parameters, and for names there that mean what the body declares.
struct InParams<'c, 's> {
    collector: &'c Collector<'s>,
    scope: ScopeId,
    /// Where the body starts.
    body: u32,
    functions: bool,
    clash: bool,
}

impl<'a> Visit<'a> for InParams<'_, '_> {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.functions = true;
        walk::walk_function(self, it, flags);
    }
    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.functions = true;
        walk::walk_arrow_function_expression(self, it);
    }
    fn visit_class(&mut self, it: &Class<'a>) {
        self.functions = true;
        walk::walk_class(self, it);
    }
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let symbol = it.reference_id.get().and_then(|id| self.collector.scoping.get_reference(id).symbol_id());
        self.clash |= self.collector.clashes(&it.name, symbol, self.scope, self.body);
    }
}

/// Looks for a direct `eval` and for `with`.
struct DynamicNames<'c, 's> {
    collector: &'c Collector<'s>,
    found: bool,
}

impl<'a> Visit<'a> for DynamicNames<'_, '_> {
    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.found |= self.collector.is_direct_eval(it);
        walk::walk_call_expression(self, it);
    }
    fn visit_with_statement(&mut self, _it: &WithStatement<'a>) {
        self.found = true;
    }
}
