//! Classes: their sites, what they hand to the runtime, their members and fields.

use super::hooks::dated;
use super::*;

impl<'s> Collector<'s> {
    /// A function that becomes async, or stops being so, stays what it is for the text around it, but in a class: its constructor has
    /// to be another one for new objects to get another function.
    pub(super) fn makes_fields(&self) -> bool {
        self.site_stack.last().is_some_and(|it| self.sites[*it].class.is_some())
    }

    pub(super) fn class_site<'a>(&mut self, it: &Class<'a>, label: String, parts: RawClass) {
        let is_declaration = it.r#type == ClassType::ClassDeclaration;
        let own = it.id.as_ref().map(|it| it.name.to_string());
        let declared = own.as_deref().filter(|_| is_declaration).unwrap_or_default();
        let around = self.scoping.scope_parent_id(it.scope_id()).unwrap_or(it.scope_id());
        if self.base.is_function && self.sites.is_empty() {
            self.outer = Some(around);
        }
        let home = self.functions.iter().rev().find_map(|it| it.home).unwrap_or(self.base.home);
        self.sites.push(RawSite {
            parent: self.site_stack.last().copied(),
            kind: if is_declaration { SiteKind::Class } else { SiteKind::ClassExpression },
            access: Access::Plain,
            is_async: false,
            is_generator: false,
            uses_super: false,
            uses_this: false,
            has_own_name: !is_declaration && own.is_some(),
            mark: format!("Class{declared}"),
            name: own.unwrap_or(label),
            span: it.span,
            params: it.body.span,
            body: it.body.span.start,
            own: it.scope_id(),
            hook: 0,
            construct_hook: 0,
            around,
            scope: Arc::default(),
            level: self.level_at(self.frames.len() - 1),
            free: FxHashSet::default(),
            strict: true,
            says_strict: false,
            home,
            lists: 0,
            counts: None,
            runs: Runs::Any,
            symbol: None,
            dead: false,
            self_name: None,
            assigns_self: false,
            function_scope_depth: self.depths[it.scope_id().index()],
            depth: self.depth + 1,
            class: Some(parts),
        });
    }

    /// What stands at the start of a class's body.
    pub(super) fn class_text(&self, number: usize, hook: &str, is_root: bool, wants_field: bool) -> String {
        let Some(class) = &self.sites[number].class else { return String::new() };
        let guards = self.base.flavour.guards();
        let mut text = String::new();
        if !is_root {
            let fields = if class.fixed || class.field_names.is_empty() {
                "\"\"".to_owned()
            } else {
                quoted(&class.field_names.join("\n"))
            };
            text.push_str(&format!(
                "static{{{guards}.k(\u{1}{number}\u{2},{hook}=$cap_c=>eval($cap_c),this,{fields}\u{f}\u{2})}}"
            ));
        }
        if wants_field {
            let (open, end) = dated(&guards);
            text.push_str(&format!("#{}={open}$cap_c=>eval($cap_c){end};", hook.replace("$cap_k", "$cap_f")));
        }
        if class.has_constructor || class.fixed {
            return text;
        }
        // Without a constructor of its own, a class could not hand over to a newer one.
        let (params, args) = if class.derived { ("...$cap_r", "$cap_r") } else { ("", "arguments") };
        let inner = if is_root {
            let rest = if class.derived { ",...$cap_r" } else { "" };
            format!("super({guards}.t(){rest})")
        } else {
            let (condition, call) = self.construct_call(number, hook, class.derived);
            let rest = if class.derived { ";super(...$cap_r)" } else { "" };
            format!("if({condition})return {}{rest}", call.replace("$cap_a", args))
        };
        text.push_str(&format!("constructor({params}){{{inner}}}"));
        text
    }

    pub(super) fn field<'a>(&mut self, field: &PropertyDefinition<'a>, class: usize, is_root: bool) {
        if field.computed {
            self.opaque(|me| me.visit_property_key(&field.key));
        }
        let hook = self.class_hook(class);
        let number = self.site_stack.last().copied().filter(|_| hook.is_some());
        let fixed = number.and_then(|it| self.sites[it].class.as_ref()).is_none_or(|it| it.fixed);
        let taken_over = !field.r#static && !fixed;
        if taken_over && is_root {
            self.private_field(field);
        } else if let (Some(hook), Some(number), Some(value)) = (&hook, number, &field.value)
            && taken_over
            && !class::is_inert(value)
        {
            // Where the constructor hands over, its fields are made there.
            let at = value.span().start;
            self.ops.push(Op::insert(at, Order::open(self.depth), format!("\u{3}{number}\u{2}&&{hook}.c?void 0:")));
        }
        let Some(value) = &field.value else { return };
        let label = self.class_member_name(&field.key, field.computed);
        self.frames.push(Frame::new(FrameKind::Field { class, is_static: field.r#static }));
        // A field's initializer is a function of its own: `this` is the object's, `arguments` is forbidden.
        self.functions.push(FunctionState { strict: true, home: Some(Home::Method), ..FunctionState::default() });
        self.named(label, value);
        self.functions.pop();
        self.frames.pop();
    }

    /// An object that was made before its class had the `#private` name gets it now.
    pub(super) fn grow(&mut self, name: &PrivateIdentifier<'_>, object: Span) {
        let Some(class) = self.base.late.get(name.name.as_str()).copied() else { return };
        if self.inner_privates.iter().flatten().any(|it| **it == *name.name) {
            return;
        }
        let guards = self.base.flavour.guards();
        let hook = self.base.flavour.class_hook(&class.to_string());
        self.ops.push(Op::insert(object.start, Order::open(self.depth), format!("{guards}.i({hook},")));
        self.ops.push(Op::insert(object.end, Order::close(self.depth), ")"));
    }

    /// A private field is there already when a newer constructor takes over: it is assigned, where it is declared.
    pub(super) fn private_field(&mut self, field: &PropertyDefinition<'_>) {
        let PropertyKey::PrivateIdentifier(key) = &field.key else { return };
        let assigned = format!("=this.#{}=", key.name);
        let declared = format!("#$cap_p{}", key.span.start);
        let Some(value) = &field.value else {
            self.ops.push(Op::replace(key.span.start, key.span.end, format!("{declared}{assigned}void 0")));
            return;
        };
        self.ops.push(Op::replace(key.span.start, key.span.end, declared));
        let Some(at) = params::find_char(self.source, key.span.end, value.span().start, b'=') else { return };
        // Assigning to a private name gives no name to a function.
        let (head, tail) = class::naming(&key.name, value);
        self.ops.push(Op::replace(at, at + 1, format!("{assigned}{head}")));
        self.ops.push(Op::insert(value.span().end, Order::close(self.depth), tail));
    }

    pub(super) fn class_member<'a>(&mut self, method: &MethodDefinition<'a>, derived: bool) {
        let key = method.key.span();
        let access = match method.kind {
            MethodDefinitionKind::Get => Access::Get,
            MethodDefinitionKind::Set => Access::Set,
            _ => Access::Plain,
        };
        let kind = match (method.kind, method.r#static) {
            (MethodDefinitionKind::Constructor, _) if derived => SiteKind::DerivedConstructor,
            (MethodDefinitionKind::Constructor, _) => SiteKind::Constructor,
            (_, true) => SiteKind::StaticMethod,
            (_, false) => SiteKind::Method,
        };
        let name = if method.computed { format!("[{}]", self.text(key)) } else { plain_key(self.text(key)) };
        self.method(&method.value, method.span, kind, access, name);
    }

    pub(super) fn method<'a>(
        &mut self,
        function: &Function<'a>,
        span: Span,
        kind: SiteKind,
        access: Access,
        name: String,
    ) {
        let Some(body) = &function.body else { return };
        let is_async = function.r#async && function.generator;
        let mark = format!("{kind:?}{access:?}{is_async}{}{name}", function.generator);
        let has_use_strict = has_use_strict(body);
        self.function(Entry {
            span,
            kind,
            access,
            is_async: function.r#async,
            is_generator: function.generator,
            name,
            mark,
            params: &function.params,
            body: Body::Block(body),
            scope: function.scope_id(),
            id: None,
            has_use_strict,
        });
    }

    /// Walks the only function of a text that is one function (`Base::is_function`), given as a class or object member.
    pub fn root_member<'a>(
        &mut self,
        function: &Function<'a>,
        span: Span,
        kind: SiteKind,
        access: Access,
        name: String,
    ) {
        self.method(function, span, kind, access, name);
    }

    pub fn class_member_name(&self, key: &PropertyKey<'_>, computed: bool) -> String {
        if computed { format!("[{}]", self.text(key.span())) } else { plain_key(self.text(key.span())) }
    }
}
