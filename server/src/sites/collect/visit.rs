//! The walk itself: what each kind of node in the syntax tree means for sites and names.

use super::modules::{is_of_cjs, type_of};
use super::*;

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_function(&mut self, it: &Function<'a>, _flags: ScopeFlags) {
        let Some(body) = &it.body else { return };
        let is_declaration = it.r#type == FunctionType::FunctionDeclaration;
        let label = self.take_label();
        let kind = if is_declaration { SiteKind::Declaration } else { SiteKind::Expression };
        let own = it.id.as_ref().map(|it| it.name.to_string());
        // A declaration's name is its parent's business, an expression's is its own.
        let declared = own.as_deref().filter(|_| is_declaration).unwrap_or_default();
        let is_async = it.r#async && (it.generator || self.makes_fields());
        let mark = format!("{kind:?}{is_async}{}{declared}", it.generator);
        self.function(Entry {
            span: it.span,
            kind,
            access: Access::Plain,
            is_async: it.r#async,
            is_generator: it.generator,
            name: own.unwrap_or(label),
            mark,
            params: &it.params,
            body: Body::Block(body),
            scope: it.scope_id(),
            id: it.id.as_ref(),
            has_use_strict: has_use_strict(body),
        });
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let name = self.take_label();
        self.function(Entry {
            span: it.span,
            kind: SiteKind::Arrow,
            access: Access::Plain,
            is_async: it.r#async,
            is_generator: false,
            name,
            mark: format!("Arrow{}", it.r#async && self.makes_fields()),
            params: &it.params,
            body: Body::from(&it.body),
            scope: it.scope_id(),
            id: None,
            has_use_strict: false,
        });
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if it.computed {
            self.visit_property_key(&it.key);
        }
        let name = self.class_member_name(&it.key, it.computed);
        match &it.value {
            Expression::FunctionExpression(function) if it.method || it.kind != PropertyKind::Init => {
                let access = match it.kind {
                    PropertyKind::Get => Access::Get,
                    PropertyKind::Set => Access::Set,
                    PropertyKind::Init => Access::Plain,
                };
                self.method(function, it.span, SiteKind::ObjectMethod, access, name);
            }
            value => {
                if it.shorthand {
                    self.shorthand = Some(value.span().start);
                }
                self.named(name, value);
                self.shorthand = None;
            }
        }
    }

    fn visit_jsx_element(&mut self, it: &JSXElement<'a>) {
        self.element(it);
    }

    fn visit_jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        self.fragment(it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.note_place(it.scope_id());
        let label = self.take_label();
        let number = self.sites.len();
        let name = self.base.flavour.class_hook(&format!("\u{1}{number}\u{2}"));
        let is_root = self.base.is_function && self.site_stack.is_empty();
        let parts = class::parts(it, self.source, &|key| self.is_constant(key)).filter(|_| self.disabled == 0);
        let parts = parts.filter(|_| is_root || self.declare_hook(self.frames.len(), &name));
        let is_site = parts.is_some();
        if let Some(parts) = parts {
            self.class_site(it, label, parts);
            self.site_stack.push(number);
        }
        let privates: Vec<Box<str>> = it
            .body
            .body
            .iter()
            .filter_map(|element| match element {
                ClassElement::MethodDefinition(it) => Some(&it.key),
                ClassElement::PropertyDefinition(it) => Some(&it.key),
                ClassElement::AccessorProperty(it) => Some(&it.key),
                _ => None,
            })
            .filter_map(|key| match key {
                PropertyKey::PrivateIdentifier(it) => Some(Box::from(it.name.as_str())),
                _ => None,
            })
            .collect();
        if let Some(heritage) = &it.heritage {
            self.opaque(|me| me.visit_class_heritage(heritage));
        }
        self.inner_privates.push(if is_root { Vec::new() } else { privates.clone() });
        self.privates.insert(it.scope_id(), privates);
        let frame = FrameKind::Class { name: is_site.then(|| name.clone()) };
        self.frames.push(Frame::new(frame));
        let class = self.frames.len() - 1;
        let declared = it.id.as_ref().filter(|_| it.r#type == ClassType::ClassDeclaration).map(|it| it.symbol_id());
        let around = self.within.len();
        self.within.extend(declared);
        for element in &it.body.body {
            self.seen.starts.push(element.span().start);
            match element {
                ClassElement::MethodDefinition(method) => {
                    if method.computed {
                        if let PropertyKey::Identifier(key) = &method.key {
                            self.seen.keys.insert(Box::from(key.name.as_str()));
                        }
                        self.opaque(|me| me.visit_property_key(&method.key));
                    }
                    if method.decorators.is_empty() {
                        self.class_member(method, it.heritage.is_some());
                    } else {
                        self.opaque(|me| walk::walk_method_definition(me, method));
                    }
                }
                ClassElement::PropertyDefinition(field) => self.field(field, class, is_root),
                ClassElement::StaticBlock(block) => {
                    self.functions.push(FunctionState {
                        is_static_block: true,
                        strict: true,
                        home: Some(Home::Method),
                        ..FunctionState::default()
                    });
                    let span = block.span;
                    let brace = params::find_char(self.source, span.start, span.end, b'{').unwrap_or(span.start);
                    let frame = FrameKind::Block { at: brace + 1 };
                    self.frames.push(Frame { scope: Some(block.scope_id()), ..Frame::new(frame) });
                    self.depth += 1;
                    walk::walk_static_block(self, block);
                    self.depth -= 1;
                    self.pop();
                    self.functions.pop();
                }
                other => self.opaque(|me| walk::walk_class_element(me, other)),
            }
        }
        self.within.truncate(around);
        self.inner_privates.pop();
        let wants_field = self.frames.pop().and_then(|it| it.hook).is_some_and(|it| it.in_field);
        if is_site {
            self.site_stack.pop();
            let text = self.class_text(number, &name, is_root, wants_field);
            match self.sites[number].class.as_mut().filter(|_| is_root) {
                Some(class) => class.head = text,
                None => self.ops.push(Op::insert(it.body.span.start + 1, Order::open(self.depth), text)),
            }
        }
    }

    fn visit_private_field_expression(&mut self, it: &PrivateFieldExpression<'a>) {
        self.grow(&it.field, it.object.span());
        walk::walk_private_field_expression(self, it);
    }

    fn visit_private_in_expression(&mut self, it: &PrivateInExpression<'a>) {
        self.grow(&it.left, it.right.span());
        walk::walk_private_in_expression(self, it);
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        walk::walk_return_statement(self, it);
        // What a base constructor returns is dropped unless it is an object; the one that takes over is a derived one.
        if let Some(value) = &it.argument
            && self.functions.last().is_some_and(|it| it.is_root_constructor)
            && self.sites[0].class.as_ref().is_some_and(|it| !it.derived)
        {
            let (guards, span) = (self.base.flavour.guards(), value.span());
            self.ops.push(Op::insert(span.start, Order::open(self.depth), format!("{guards}.r(")));
            self.ops.push(Op::insert(span.end, Order::close(self.depth), ")"));
        }
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let symbol = it.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        if let Some(symbol) = symbol {
            self.note_reference(symbol, it.span.start);
        }
        self.reference(it.name.as_str(), it.span, symbol);
    }

    fn visit_this_expression(&mut self, it: &ThisExpression) {
        if let Some(function) = self.functions.last_mut() {
            function.uses_this = true;
        }
        if !self.at_top_level() {
            return;
        }
        // In a patch it is an arrow's, whose `this` is that of the place where it was made.
        let is_nobodys = !self.base.is_function || self.base.home == Home::Nowhere;
        if self.base.flavour == Flavour::Esm && is_nobodys {
            // There is nothing of that name. In parentheses it would go on with a line before that has no semicolon.
            self.ops.push(Op::replace(it.span.start, it.span.end, "$cap_m.nothing".to_owned()));
        } else if let Some(text) = self.outer_this() {
            self.ops.push(Op::replace(it.span.start, it.span.end, text));
        }
    }

    fn visit_new_target(&mut self, _it: &NewTarget) {
        if let Some(function) = self.functions.last_mut() {
            function.uses_new_target = true;
        }
    }

    fn visit_super(&mut self, _it: &Super) {
        if let Some(function) = self.functions.last_mut() {
            function.uses_super = true;
        }
    }

    fn visit_import_meta(&mut self, it: &ImportMeta) {
        self.seen.uses_import_meta = true;
        if self.base.flavour == Flavour::Esm {
            self.ops.push(Op::replace(it.span.start, it.span.end, "$cap_m.meta".to_owned()));
        }
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(literal) = &it.source {
            self.seen.dynamic.push(with_type(&literal.value, it.options.as_ref().and_then(type_of)));
        }
        if !matches!(self.base.flavour, Flavour::Classic(_)) {
            self.ops.push(Op::replace(it.span.start, it.span.start + 6, "$cap_m.import".to_owned()));
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        self.waits();
        walk::walk_await_expression(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        if it.kind == VariableDeclarationKind::AwaitUsing {
            self.waits();
        }
        walk::walk_variable_declaration(self, it);
    }

    fn visit_yield_expression(&mut self, it: &YieldExpression<'a>) {
        self.waits();
        walk::walk_yield_expression(self, it);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        if it.operator == UnaryOperator::Typeof
            && let Expression::Identifier(operand) = &it.argument
        {
            self.typeof_operand = Some(operand.span.start);
        }
        walk::walk_unary_expression(self, it);
        self.typeof_operand = None;
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        let text = self.text(it.span);
        let is_written = self.target == Some(it.span.start);
        if text == "process.env.NODE_ENV" && !is_written && self.is_global_object(&it.object) {
            self.ops.push(Op::replace(it.span.start, it.span.end, "\"development\"".to_owned()));
            return;
        }
        if self.base.flavour == Flavour::Esm
            && let Expression::Identifier(object) = &it.object
            && is_of_cjs(&object.name, &it.property.name)
            && self.is_unresolved(object)
        {
            // A sign of CommonJS where nothing says that it is an ES module.
            self.seen.uses_cjs = true;
            let text = format!("$cap_m.{}", object.name);
            self.ops.push(Op::replace(object.span.start, object.span.end, text));
            return;
        }
        walk::walk_static_member_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(collection) = self.collection(it) {
            self.gather(it.span, collection);
            return;
        }
        let mut label = self.text(it.callee.span());
        if label.len() > 40 || label.contains('\n') {
            label = "call";
        }
        match it.callee.without_parentheses() {
            Expression::Identifier(callee) => {
                self.callee = Some(callee.span.start);
                if self.is_direct_eval(it) {
                    self.names_are_dynamic();
                }
                if callee.name == "require" && self.is_unresolved(callee) {
                    if let Some(Argument::StringLiteral(literal)) = it.arguments.first() {
                        self.seen.requires.push(literal.value.to_string());
                    }
                    if self.base.flavour == Flavour::Esm {
                        self.ops.push(Op::replace(callee.span.start, callee.span.end, "$cap_m.require".to_owned()));
                    }
                }
            }
            Expression::StaticMemberExpression(member)
                if matches!(member.property.name.as_str(), "accept" | "decline" | "acceptExports") =>
            {
                let object = self.text(member.object.span()).replace("?.", ".");
                let is_hot = object.ends_with("hot") || object.ends_with("webpackHot");
                match it.arguments.first() {
                    Some(Argument::StringLiteral(literal)) if is_hot => {
                        self.seen.accepts.push(literal.value.to_string())
                    }
                    Some(Argument::TemplateLiteral(template)) if is_hot && template.expressions.is_empty() => {
                        self.seen
                            .accepts
                            .extend(template.quasis.first().and_then(|it| it.value.cooked).map(|it| it.to_string()));
                    }
                    Some(Argument::ArrayExpression(list)) if is_hot => {
                        self.seen.accepts.extend(list.elements.iter().filter_map(|it| match it {
                            ArrayExpressionElement::StringLiteral(literal) => Some(literal.value.to_string()),
                            _ => None,
                        }));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        if matches!(it.callee, Expression::Super(_)) {
            self.super_call(it);
        }
        self.note_call(&it.callee);
        self.visit_expression(&it.callee);
        self.callee = None;
        let first = match it.arguments.first() {
            Some(Argument::StringLiteral(literal)) => format!("({})", literal.value),
            _ => String::new(),
        };
        for (index, argument) in it.arguments.iter().enumerate() {
            match argument.as_expression() {
                Some(expression) => self.named(format!("{label}{first}#{index}"), expression),
                None => self.visit_argument(argument),
            }
        }
    }

    fn visit_assignment_target_property_identifier(&mut self, it: &AssignmentTargetPropertyIdentifier<'a>) {
        self.shorthand = Some(it.binding.span.start);
        self.visit_identifier_reference(&it.binding);
        self.shorthand = None;
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        if let Expression::Identifier(tag) = it.tag.without_parentheses() {
            self.callee = Some(tag.span.start);
        }
        self.visit_expression(&it.tag);
        self.callee = None;
        self.visit_template_literal(&it.quasi);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        self.note_constant(it);
        if let Some(init) = &it.init {
            let name = match &it.id {
                BindingPattern::BindingIdentifier(id) => id.name.to_string(),
                _ => String::new(),
            };
            self.named(name, init);
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.visit_binding_pattern(&it.pattern);
        if let Some(init) = &it.initializer {
            self.named(it.pattern.get_identifier_name().map(|it| it.to_string()).unwrap_or_default(), init);
        }
    }

    fn visit_assignment_pattern(&mut self, it: &AssignmentPattern<'a>) {
        self.visit_binding_pattern(&it.left);
        self.named(it.left.get_identifier_name().map(|it| it.to_string()).unwrap_or_default(), &it.right);
    }

    fn visit_simple_assignment_target(&mut self, it: &SimpleAssignmentTarget<'a>) {
        self.target = Some(it.span().start);
        walk::walk_simple_assignment_target(self, it);
        self.target = None;
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        let before = self.ops.len();
        self.visit_assignment_target(&it.left);
        let name = self.text(it.left.span());
        let is_renamed = matches!(it.left, AssignmentTarget::AssignmentTargetIdentifier(_)) && self.ops.len() > before;
        if is_renamed && gives_name(&it.right) && (it.operator.is_assign() || it.operator.is_logical()) {
            // What is assigned to a name is called so; the name has become a member.
            let span = it.right.span();
            self.ops.push(Op::insert(span.start, Order::open(self.depth), format!("({{{}:", quoted(name))));
            self.ops.push(Op::insert(span.end, Order::close(self.depth), format!("}})[{}]", quoted(name))));
        }
        let name = if name.len() > 60 { String::new() } else { name.to_owned() };
        self.named(name, &it.right);
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        self.seen.starts.push(it.span().start);
        walk::walk_statement(self, it);
    }

    fn visit_block_statement(&mut self, it: &BlockStatement<'a>) {
        self.push(FrameKind::Block { at: it.span.start + 1 }, Some(it.scope_id()));
        self.depth += 1;
        walk::walk_block_statement(self, it);
        self.depth -= 1;
        self.pop();
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.enter_loop(None);
        self.loop_test(&it.test);
        self.loop_body(&it.body);
        self.loops.pop();
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.enter_loop(None);
        self.loop_body(&it.body);
        self.loop_test(&it.test);
        self.loops.pop();
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        self.seen.heads.push(Span::new(it.span.start, it.body.span().start));
        self.push(FrameKind::Head, Some(it.scope_id()));
        if let Some(init) = &it.init {
            self.visit_for_statement_init(init);
        }
        self.enter_loop(Some(it.scope_id()));
        if let Some(test) = &it.test {
            self.visit_expression(test);
        }
        if let Some(update) = &it.update {
            self.visit_expression(update);
        }
        self.loop_body(&it.body);
        self.loops.pop();
        self.frames.pop();
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.loop_over(it.scope_id(), &it.left, &it.right, &it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        if it.r#await {
            self.waits();
        }
        self.loop_over(it.scope_id(), &it.left, &it.right, &it.body);
    }

    fn visit_catch_clause(&mut self, it: &CatchClause<'a>) {
        self.push(FrameKind::Head, Some(it.scope_id()));
        if let Some(param) = &it.param {
            let names = param.pattern.get_binding_identifiers();
            // A variable of the function may have the name of the parameter, of the error and of one of its own at once.
            let is_var = |it: &BindingIdentifier<'_>| !self.scoping.symbol_redeclarations(it.symbol_id()).is_empty();
            if names.iter().any(|it| is_var(it))
                && let Some(function) = self.functions.last_mut()
            {
                function.params_clash = true;
            }
            let outer = std::mem::replace(&mut self.caught, names.iter().map(|it| it.name.to_string()).collect());
            // Nor can a hook stand there.
            self.opaque(|me| me.visit_catch_parameter(param));
            self.caught = outer;
        }
        self.visit_block_statement(&it.body);
        self.frames.pop();
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.visit_expression(&it.discriminant);
        if self.scoping.get_bindings(it.scope_id()).is_empty() {
            self.visit_switch_cases(&it.cases);
            return;
        }
        let in_function = self.function_around(self.frames.len() - 1).is_some();
        let kind = if in_function && !self.runs_before_cases(it) {
            let starts = it.cases.iter().map(|case| self.case_start(case));
            FrameKind::Cases { starts: starts.collect() }
        } else {
            FrameKind::Opaque
        };
        self.frames.push(Frame { scope: Some(it.scope_id()), ..Frame::new(kind) });
        self.depth += 1;
        for case in &it.cases {
            if let Some(test) = &case.test {
                self.opaque(|me| me.visit_expression(test));
            }
            self.visit_statements(&case.consequent);
        }
        self.depth -= 1;
        self.pop();
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'a>) {
        self.names_are_dynamic();
        self.visit_expression(&it.object);
        self.opaque(|me| me.visit_statement(&it.body));
    }
}

impl Collector<'_> {
    /// Direct `eval` or `with`: what a name means in the functions around is known only there.
    pub(super) fn names_are_dynamic(&mut self) {
        self.seen.dynamic_scope = true;
        self.functions.iter_mut().for_each(|it| it.has_dynamic_names = true);
        let functions = self.frames.iter().filter(|it| matches!(it.kind, FrameKind::Function { .. }));
        self.evals.extend(functions.filter_map(|it| it.scope));
        self.seen.needs_place |= self.base.is_function && self.cells_around() > 0;
    }

    /// The constructor that takes over reaches the one above through the call that it takes over. An arrow that is patched stands in such
    /// a constructor or in the old one.
    pub(super) fn super_call(&mut self, it: &CallExpression<'_>) {
        let around = self.functions.iter().rev().find(|it| !it.is_arrow);
        let frame = match around {
            Some(around) if around.is_root_constructor => "$cap_t",
            None if self.base.is_function => "...typeof $cap_t==\"undefined\"?[]:[$cap_t]",
            _ => return,
        };
        if let Some(at) = params::find_char(self.source, it.callee.span().end, it.span.end, b'(') {
            let comma = if it.arguments.is_empty() { "" } else { "," };
            self.ops.push(Op::insert(at + 1, Order::open(self.depth), format!("{frame}{comma}")));
        }
    }

    pub(super) fn is_direct_eval(&self, it: &CallExpression<'_>) -> bool {
        matches!(it.callee.without_parentheses(), Expression::Identifier(it) if it.name == "eval" && self.is_unresolved(it))
    }

    pub(super) fn is_unresolved(&self, it: &IdentifierReference<'_>) -> bool {
        let resolved = it.reference_id.get().is_some_and(|id| self.scoping.get_reference(id).symbol_id().is_some());
        !(resolved || self.base.is_function && self.base.scope.lookup(it.name.as_str()).is_some())
    }
}
