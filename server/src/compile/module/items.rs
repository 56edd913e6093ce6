//! The top-level statements of a module: what each declares, and what of it pages that run can take over.

use super::*;

/// One top-level statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    pub kind: ItemKind,
    pub hash: u64,
    pub start: u32,
    pub end: u32,
    /// What it declares.
    pub names: Vec<String>,
    /// One of the names is declared elsewhere, too: which value it has is said by the order of all that.
    pub is_shared: bool,
    /// The same, with what each is; empty for what can't be taken over into a running module.
    pub bindings: Vec<Binding>,
    /// It may run once where pages run already: it only makes values.
    pub is_addable: bool,
    /// It may run again: it gives equal values each time.
    pub is_pure: bool,
    /// For a class: its static fields with values that are as simple.
    pub statics: Vec<StaticField>,
    /// Constants that stay constants when they are loaded: something assigns them, or their values are not pure.
    pub is_fixed: bool,
    /// Nothing but a list of what the module exports: [`Module::exports`] and [`Module::stars`] have it.
    pub is_list: bool,
    /// Names whose values its initializers read.
    pub reads: Vec<String>,
    /// The variables of the top level that it reads while the module runs.
    pub uses: Vec<Use>,
    /// The statement is this name alone, as while one is typed.
    pub word: Option<String>,
}

/// A static field of a class with a simple value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticField {
    pub name: String,
    /// Bytes of the module's text.
    pub value: (u32, u32),
    /// Top-level names whose values it reads.
    pub reads: Vec<String>,
}

/// One name that a top-level statement declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub name: String,
    pub is_const: bool,
    /// The text writes it.
    pub is_assigned: bool,
    pub made: Made,
    /// The initializer, or the declaration of a function or class. Bytes of the module's text.
    pub value: Option<(u32, u32)>,
    /// For a function: where its parameters start.
    pub params: Option<u32>,
    pub is_async: bool,
    pub is_generator: bool,
    /// Its value is a function without a name of its own.
    pub form: Option<Form>,
}

/// What sort of function a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    pub is_arrow: bool,
    pub is_generator: bool,
    /// It says `this` or `new.target`.
    pub uses_this: bool,
}

impl Form {
    /// Whether an object of one sort can run the code of the other: guards pass everything but `this` to and from arrows.
    pub fn can_become(self, other: Form) -> bool {
        let same = self.is_arrow == other.is_arrow || !self.uses_this && !other.uses_this;
        same && !self.is_generator && !other.is_generator
    }
}

/// What an initializer makes. Objects and lists stay the same ones when their initializer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    Value,
    Object,
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemKind {
    Import,
    Export,
    Function,
    Class,
    Variable,
    #[default]
    Statement,
}

/// What a default export without a name is called.
pub const DEFAULT: &str = "$cap_default";

pub(super) fn describe(statement: &Statement<'_>) -> (ItemKind, Vec<String>) {
    match statement {
        Statement::ImportDeclaration(it) => {
            let names = it.specifiers.iter().flatten().map(|it| it.local().name.to_string()).collect();
            (ItemKind::Import, names)
        }
        Statement::ExportDeclaration(it) => match &it.declaration {
            Declaration::FunctionDeclaration(_) => (ItemKind::Function, declared(&it.declaration)),
            Declaration::ClassDeclaration(_) => (ItemKind::Class, declared(&it.declaration)),
            _ => (ItemKind::Variable, declared(&it.declaration)),
        },
        Statement::ExportNamedDeclaration(_)
        | Statement::ExportAllDeclaration(_)
        | Statement::ExportFromDeclaration(_) => (ItemKind::Export, Vec::new()),
        Statement::ExportDefaultDeclaration(it) => match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(_) => (ItemKind::Function, vec!["default".to_owned()]),
            _ => (ItemKind::Export, vec!["default".to_owned()]),
        },
        Statement::FunctionDeclaration(it) => {
            (ItemKind::Function, it.id.iter().map(|it| it.name.to_string()).collect())
        }
        Statement::ClassDeclaration(it) => (ItemKind::Class, it.id.iter().map(|it| it.name.to_string()).collect()),
        Statement::VariableDeclaration(it) => {
            let names =
                it.declarations.iter().flat_map(|it| it.id.get_binding_identifiers()).map(|it| it.name.to_string());
            (ItemKind::Variable, names.collect())
        }
        _ => (ItemKind::Statement, Vec::new()),
    }
}

pub(super) fn declared(declaration: &Declaration<'_>) -> Vec<String> {
    match declaration {
        Declaration::FunctionDeclaration(it) => it.id.iter().map(|it| it.name.to_string()).collect(),
        Declaration::ClassDeclaration(it) => it.id.iter().map(|it| it.name.to_string()).collect(),
        Declaration::VariableDeclaration(it) => it
            .declarations
            .iter()
            .flat_map(|it| it.id.get_binding_identifiers())
            .map(|it| it.name.to_string())
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a name of the top level has more than one declaration, as `var` and functions may.
pub(super) fn is_declared_twice(name: &str, scoping: &Scoping, flavour: Flavour) -> bool {
    const OF_COMMON_JS: [&str; 6] = ["module", "exports", "require", "__filename", "__dirname", "arguments"];
    let symbol = scoping.get_binding(scoping.root_scope_id(), name.into());
    symbol.is_some_and(|it| !scoping.symbol_redeclarations(it).is_empty())
        || flavour == Flavour::Cjs && OF_COMMON_JS.contains(&name)
}

/// Fills in what may be taken over into pages that run: bindings with their values.
pub(super) fn takeable(statement: &Statement<'_>, mut item: Item, scoping: &Scoping) -> Item {
    if let Statement::ExportDefaultDeclaration(it) = statement {
        return takeable_default(&it.declaration, item);
    }
    let declaration = match statement {
        Statement::ExportDeclaration(it) => &it.declaration,
        other => match other.as_declaration() {
            Some(it) => it,
            None => return item,
        },
    };
    let span = |it: Span| Some((it.start, it.end));
    match declaration {
        Declaration::FunctionDeclaration(function) => {
            let Some(id) = &function.id else { return item };
            item.is_addable = true;
            item.is_pure = true;
            item.bindings.push(Binding {
                name: id.name.to_string(),
                is_const: false,
                is_assigned: false,
                made: Made::Value,
                value: span(function.span),
                params: Some(function.params.span.start),
                is_async: function.r#async,
                is_generator: function.generator,
                form: Some(purity::form(function)),
            });
        }
        Declaration::ClassDeclaration(class) => {
            let Some(id) = &class.id else { return item };
            item.is_addable = purity::judge_class(class) <= Purity::Fresh;
            item.statics = purity::static_fields(class);
            let name = id.name.to_string();
            item.bindings.push(Binding {
                name,
                is_const: false,
                is_assigned: false,
                made: Made::Value,
                value: span(class.span),
                params: None,
                is_async: false,
                is_generator: false,
                form: None,
            });
        }
        Declaration::VariableDeclaration(variable) => {
            let mut worst = Purity::Pure;
            for declarator in &variable.declarations {
                let BindingPattern::BindingIdentifier(id) = &declarator.id else {
                    item.bindings.clear();
                    return item;
                };
                if let Some(init) = &declarator.init {
                    worst = worst.max(purity::judge(init, &mut item.reads));
                }
                item.bindings.push(Binding {
                    name: id.name.to_string(),
                    is_const: variable.kind == VariableDeclarationKind::Const,
                    is_assigned: scoping.get_resolved_references(id.symbol_id()).any(Reference::is_write),
                    made: made(declarator.init.as_ref()),
                    value: declarator.init.as_ref().and_then(|it| span(it.span())),
                    params: None,
                    is_async: false,
                    is_generator: false,
                    form: declarator.init.as_ref().and_then(purity::form_of_value),
                });
            }
            item.is_addable = worst <= Purity::Fresh;
            item.is_pure = worst == Purity::Pure;
        }
        _ => {}
    }
    item
}

/// The binding of a default export that is no class.
pub(super) fn takeable_default(declaration: &ExportDefaultDeclarationKind<'_>, mut item: Item) -> Item {
    let span = declaration.span();
    let value = Some((span.start, span.end));
    let binding = Binding {
        name: DEFAULT.to_owned(),
        is_const: true,
        is_assigned: false,
        made: made(declaration.as_expression()),
        value,
        params: None,
        is_async: false,
        is_generator: false,
        form: None,
    };
    match declaration {
        ExportDefaultDeclarationKind::FunctionDeclaration(it) => item.bindings.push(Binding {
            name: it.id.as_ref().map_or_else(|| DEFAULT.to_owned(), |it| it.name.to_string()),
            is_const: false,
            params: Some(it.params.span.start),
            is_async: it.r#async,
            is_generator: it.generator,
            form: Some(purity::form(it)),
            ..binding
        }),
        other => {
            let Some(value) = other.as_expression() else { return item };
            item.kind = ItemKind::Variable;
            item.is_pure = purity::judge(value, &mut item.reads) == Purity::Pure;
            item.is_fixed = !item.is_pure;
            item.bindings.push(Binding { form: purity::form_of_value(value), ..binding });
        }
    }
    item
}

pub(super) fn made(initializer: Option<&Expression<'_>>) -> Made {
    match initializer.map(Expression::without_parentheses) {
        Some(Expression::ObjectExpression(_)) => Made::Object,
        Some(Expression::ArrayExpression(_)) => Made::List,
        _ => Made::Value,
    }
}

/// A key of an object literal, where `"__proto__"` would be none.
pub fn own_key(name: &str) -> String {
    if name == "__proto__" { "[\"__proto__\"]".to_owned() } else { quoted(name) }
}

/// The name that a statement consists of.
pub(super) fn lone_word(statement: &Statement<'_>) -> Option<String> {
    let Statement::ExpressionStatement(it) = statement else { return None };
    let Expression::Identifier(it) = &it.expression else { return None };
    Some(it.name.to_string())
}
