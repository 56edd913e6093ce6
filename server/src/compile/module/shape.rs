//! The top level as a page gets it: imports and exports leave the text, declarations stay.

use super::*;

/// Imports, exports and statements of an ES module, gathered while its statements are walked.
#[derive(Default)]
pub(super) struct Shape {
    /// Specifiers in source order, with the numbers of their namespace holders.
    pub(super) specifiers: Vec<String>,
    pub(super) holder_of: FxHashMap<String, u32>,
    /// The holders that something is read from, with their specifiers.
    pub(super) holders: BTreeMap<u32, String>,
    pub(super) exports: Vec<Export>,
    pub(super) stars: Vec<String>,
    /// The names that are imported by each specifier; `*` stands for all of them.
    pub(super) used: BTreeMap<String, BTreeSet<String>>,
    pub(super) items: Vec<Item>,
    /// A default export's function that has no name of its own.
    pub(super) anonymous_default: bool,
}

impl Shape {
    pub(super) fn request(&mut self, specifier: &str, ids: &mut Ids) -> u32 {
        if let Some(known) = self.holder_of.get(specifier) {
            return *known;
        }
        let holder = ids.holder(specifier);
        self.specifiers.push(specifier.to_owned());
        self.holder_of.insert(specifier.to_owned(), holder);
        holder
    }

    pub(super) fn used(&mut self, specifier: &str) -> &mut BTreeSet<String> {
        self.used.entry(specifier.to_owned()).or_default()
    }

    /// The holder of a specifier that [`Shape::read_imports`] has seen; something is read from it.
    pub(super) fn holder(&mut self, specifier: &str) -> u32 {
        let holder = self.holder_of.get(specifier).copied().unwrap_or_default();
        self.holders.insert(holder, specifier.to_owned());
        holder
    }

    /// Imports are hoisted: all of them are known before the first statement is walked.
    pub(super) fn read_imports(&mut self, program: &Program<'_>, collector: &mut Collector<'_>, ids: &mut Ids) {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) => {
                    let specifier = specifier_of(&import.source, import.with_clause.as_deref());
                    self.request(&specifier, ids);
                    // Also for an import of nothing: a name may be imported from it while pages run.
                    self.holder(&specifier);
                    self.used(&specifier);
                    for it in import.specifiers.iter().flatten() {
                        let (local, member): (&BindingIdentifier<'_>, Option<Box<str>>) = match it {
                            ImportDeclarationSpecifier::ImportSpecifier(it) => {
                                (&it.local, Some(Box::from(it.imported.name().as_str())))
                            }
                            ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => {
                                (&it.local, Some(Box::from("default")))
                            }
                            ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, None),
                        };
                        self.used(&specifier).insert(member.as_deref().unwrap_or("*").to_owned());
                        let holder = self.holder_of.get(&specifier).copied().unwrap_or_default();
                        collector.imports.insert(local.symbol_id(), Bind::Import { holder, member });
                    }
                }
                Statement::ExportFromDeclaration(it) => {
                    let specifier = specifier_of(&it.source, it.with_clause.as_deref());
                    self.request(&specifier, ids);
                    let names = it.specifiers.iter().map(|it| it.local.name().to_string());
                    self.used(&specifier).extend(names);
                }
                Statement::ExportAllDeclaration(it) => {
                    let specifier = specifier_of(&it.source, it.with_clause.as_deref());
                    self.request(&specifier, ids);
                    self.used(&specifier).insert("*".to_owned());
                }
                _ => {}
            }
        }
    }

    /// A `const` whose initializer may be changed while pages run is loaded as a `let`. Assigning it stays an error,
    /// because one that is assigned anywhere is left alone.
    pub(super) fn soften_const(
        &self,
        statement: &Statement<'_>,
        item: &mut Item,
        scoping: &Scoping,
        collector: &mut Collector<'_>,
    ) {
        let declaration = match statement {
            Statement::VariableDeclaration(it) => it,
            Statement::ExportDeclaration(it) => match &it.declaration {
                Declaration::VariableDeclaration(it) => it,
                _ => return,
            },
            _ => return,
        };
        let is_classic = matches!(collector.base.flavour, Flavour::Classic(_));
        let is_const = item.bindings.iter().any(|it| it.is_const);
        let assigned = declaration
            .declarations
            .iter()
            .flat_map(|it| it.id.get_binding_identifiers())
            .any(|it| scoping.get_resolved_references(it.symbol_id()).any(Reference::is_write));
        item.is_fixed = is_const && (!item.is_pure || assigned || is_classic);
        if is_const && !item.is_fixed {
            let start = declaration.span.start;
            collector.ops.push(Op::replace(start, start + 5, "let".to_owned()));
        }
    }

    pub(super) fn statement<'a>(
        &mut self,
        statement: &Statement<'a>,
        scoping: &Scoping,
        collector: &mut Collector<'_>,
    ) {
        let span = statement.span();
        let (kind, names) = describe(statement);
        let is_shared = names.iter().any(|it| is_declared_twice(it, scoping, collector.base.flavour));
        let is_list = matches!(
            statement,
            Statement::ExportNamedDeclaration(_)
                | Statement::ExportFromDeclaration(_)
                | Statement::ExportAllDeclaration(_)
        );
        let item = Item { kind, start: span.start, end: span.end, names, is_shared, is_list, ..Item::default() };
        let (uses, word) = (uses::of(statement, scoping), lone_word(statement));
        let mut item = Item { uses, word, ..takeable(statement, item, scoping) };
        self.soften_const(statement, &mut item, scoping, collector);
        self.items.push(item);
        match statement {
            Statement::ImportDeclaration(_) => collector.ops.push(empty_statement(collector.source, span)),
            Statement::ExportAllDeclaration(it) => {
                let specifier = specifier_of(&it.source, it.with_clause.as_deref());
                match &it.exported {
                    Some(name) => {
                        let holder = self.holder(&specifier);
                        self.exports.push(Export { name: name.name().to_string(), value: format!("$cap_i{holder}") });
                    }
                    None => self.stars.push(specifier),
                }
                collector.ops.push(empty_statement(collector.source, span));
            }
            Statement::ExportFromDeclaration(it) => {
                let holder = self.holder(&specifier_of(&it.source, it.with_clause.as_deref()));
                for specifier in &it.specifiers {
                    let value = member(holder, &specifier.local.name());
                    self.exports.push(Export { name: specifier.exported.name().to_string(), value });
                }
                collector.ops.push(empty_statement(collector.source, span));
            }
            Statement::ExportNamedDeclaration(it) => {
                for specifier in &it.specifiers {
                    let value = match &specifier.local {
                        ModuleExportName::IdentifierReference(local) => {
                            let symbol = local.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id());
                            match symbol.and_then(|it| collector.imports.get(&it)) {
                                Some(Bind::Import { holder, member: Some(name) }) => member(*holder, name),
                                Some(Bind::Import { holder, member: None }) => format!("$cap_i{holder}"),
                                _ => local.name.to_string(),
                            }
                        }
                        other => other.name().to_string(),
                    };
                    self.exports.push(Export { name: specifier.exported.name().to_string(), value });
                }
                collector.ops.push(empty_statement(collector.source, span));
            }
            Statement::ExportDeclaration(it) => {
                for name in declared(&it.declaration) {
                    self.exports.push(Export { value: name.clone(), name });
                }
                let start = it.declaration.span().start;
                collector.ops.push(blank(collector.source, Span::new(span.start, start)));
                collector.visit_declaration(&it.declaration);
            }
            Statement::ExportDefaultDeclaration(it) => {
                let is_pure = self.items.last().is_some_and(|it| it.is_pure);
                self.default_export(&it.declaration, span, is_pure, collector);
            }
            other => collector.visit_statement(other),
        }
    }

    pub(super) fn default_export<'a>(
        &mut self,
        declaration: &ExportDefaultDeclarationKind<'a>,
        span: Span,
        is_pure: bool,
        collector: &mut Collector<'_>,
    ) {
        let start = declaration.span().start;
        let head = Span::new(span.start, start);
        match declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                let name = match &function.id {
                    Some(id) => id.name.to_string(),
                    None => {
                        // It is hoisted like any declaration, so it gets a name to be found by.
                        collector.ops.push(Op::insert(
                            function.params.span.start,
                            Order::last_close(),
                            " $cap_default",
                        ));
                        self.anonymous_default = true;
                        DEFAULT.to_owned()
                    }
                };
                self.exports.push(Export { name: "default".to_owned(), value: name });
                collector.ops.push(blank(collector.source, head));
                collector.visit_function(function, oxc::syntax::scope::ScopeFlags::Function);
            }
            ExportDefaultDeclarationKind::ClassDeclaration(class) if class.id.is_some() => {
                let name = class.id.as_ref().map(|it| it.name.to_string()).unwrap_or_default();
                self.exports.push(Export { name: "default".to_owned(), value: name });
                collector.ops.push(blank(collector.source, head));
                collector.visit_class(class);
            }
            other => {
                // The object's key gives an anonymous function or class the name `default`.
                self.exports.push(Export { name: "default".to_owned(), value: DEFAULT.to_owned() });
                let mut lead = blank(collector.source, head);
                // As any constant whose value may be changed.
                let word = if is_pure { "let" } else { "const" };
                lead.text = format!("{word} $cap_default={{default:{}", lead.text);
                collector.ops.push(lead);
                let end = other.span().end;
                collector.ops.push(Op::insert(end, Order::last_close(), DEFAULT_END));
                match other {
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => collector.visit_class(class),
                    _ => walk::walk_export_default_declaration_kind(collector, other),
                }
            }
        }
    }
}

/// What a static import asks for: see [`with_type`].
pub(super) fn specifier_of(source: &StringLiteral<'_>, clause: Option<&WithClause<'_>>) -> String {
    let kind = clause.into_iter().flat_map(|it| &it.with_entries).find(|it| match &it.key {
        ImportAttributeKey::Identifier(key) => key.name == "type",
        ImportAttributeKey::StringLiteral(key) => key.value == "type",
    });
    with_type(&source.value, kind.map(|it| it.value.value.as_str()))
}

pub(super) fn member(holder: u32, name: &str) -> String {
    if is_identifier(name) { format!("$cap_i{holder}.{name}") } else { format!("$cap_i{holder}[{}]", quoted(name)) }
}

/// Takes a statement out and keeps its line ends, and that it ended the one before it where semicolons are left out.
pub(super) fn empty_statement(source: &str, span: Span) -> Op {
    let mut op = blank(source, span);
    op.text.insert(0, ';');
    op
}

/// Takes a text out and keeps its line ends.
pub(super) fn blank(source: &str, span: Span) -> Op {
    let lines = source[span.start as usize..span.end as usize].matches('\n').count();
    Op::replace(span.start, span.end, "\n".repeat(lines))
}

pub(super) const DEFAULT_END: &str = "}.default;";
