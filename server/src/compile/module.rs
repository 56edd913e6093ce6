//! Compiles a whole module: its tree of sites, what it imports and exports, and the factory source that a page evaluates.

use std::collections::{BTreeMap, BTreeSet};

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Declaration, ExportDefaultDeclarationKind, ImportAttributeKey,
    ImportDeclarationSpecifier, ModuleExportName, Program, Statement, StringLiteral, VariableDeclarationKind,
    WithClause,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::{Parser, ParserReturn, config::TokensParserConfig};
use oxc::semantic::{Reference, Scoping, SemanticBuilder};
use oxc::span::{GetSpan, SourceType, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Problem;
use super::early;
use super::emit::{self, Mode};
use super::purity::{self, Purity};
use crate::sites::collect::{Base, Collector, Flavour, Op, Order, constants, is_identifier, quoted, with_type};
use crate::sites::collection::Collection;
use crate::sites::diff::{self, Ids};
use crate::sites::jsx::Jsx;
use crate::sites::{Bind, Site, tree};

/// How to compile a module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// What the file is known to be; `None`: the text decides between ES module and CommonJS.
    pub flavour: Option<Flavour>,
    /// What a text without a sign of either is.
    pub otherwise: Flavour,
    /// Dependencies are served without guards.
    pub plain: bool,
}

/// A compiled module.
#[derive(Debug, Clone)]
pub struct Module {
    pub flavour: Flavour,
    /// It was compiled as an ES module, and its text says that it is CommonJS.
    pub looks_common_js: bool,
    pub root: Site,
    /// Static imports and re-exports, in source order, each once.
    pub imports: Vec<String>,
    /// The names that are imported by each of them; `*` stands for all.
    pub used: BTreeMap<String, BTreeSet<String>>,
    pub requires: Vec<String>,
    pub dynamic: Vec<String>,
    pub accepts: Vec<String>,
    pub collections: Vec<Collection>,
    pub exports: Vec<Export>,
    pub items: Vec<Item>,
    pub is_async: bool,
    /// The factory source.
    pub code: String,
    pub unresolved: Vec<Box<str>>,
    /// Direct `eval` or `with`: names of the text can't be known.
    pub dynamic_scope: bool,
    pub jsx: Jsx,
    /// Names that are keys of class members.
    pub keys: FxHashSet<Box<str>>,
    /// For [`Module::patch_text`].
    ops: Vec<Op>,
    by_raw: Vec<crate::sites::SiteId>,
    /// Variables for the hooks of the top level's classes.
    classes: Vec<String>,
}

impl Module {
    /// A part of the module's text as code of a patch of this revision. `source` is the text that was compiled.
    pub fn patch_text(&self, source: &str, part: (u32, u32), rev: crate::sites::Rev) -> String {
        emit::emit(source, &self.ops, part.0, part.1, &self.by_raw, &self.flavour.guards(), Mode::Patch(rev))
    }

    /// Declarations of the variables that a class in a patch text needs.
    pub fn class_variables(&self, text: &str) -> String {
        let used: Vec<&str> = self.classes.iter().map(String::as_str).filter(|it| text.contains(it)).collect();
        if used.is_empty() { String::new() } else { format!("let {};", used.join(",")) }
    }
}

/// One exported name and the expression that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub value: String,
}

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
    /// Top-level names whose values its initializers read.
    pub reads: Vec<String>,
}

/// One name that a top-level statement declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub name: String,
    pub is_const: bool,
    /// The initializer, or the declaration of a function or class. Bytes of the module's text.
    pub value: Option<(u32, u32)>,
    /// For a function: where its parameters start.
    pub params: Option<u32>,
    pub is_async: bool,
    pub is_generator: bool,
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

/// Compiles `source`. Sites keep the identities of their counterparts below `old`.
///
/// # Errors
/// The syntax errors, if there are any. Nothing is recovered: a page only gets code that parses.
pub fn compile_module(
    source: &str,
    options: Options,
    old: Option<&Site>,
    ids: &mut Ids,
) -> Result<Module, Vec<Problem>> {
    let allocator = Allocator::default();
    let (parsed, flavour) = parse(&allocator, source, options)?;
    let semantic = SemanticBuilder::new_compiler().with_check_syntax_error(true).build(&parsed.program);
    if !semantic.diagnostics.is_empty() {
        return Err(semantic.diagnostics.iter().map(Problem::from_oxc).collect());
    }
    if let Some(problem) = early::problem(&parsed.program) {
        return Err(vec![problem]);
    }
    let scoping = semantic.semantic.scoping();
    let strict = flavour == Flavour::Esm || parsed.program.directives.iter().any(|it| it.directive == "use strict");
    let jsx = jsx_of(source, &parsed.program, ids);
    let base = Base { flavour, strict, jsx: jsx.clone(), overlay: ids.overlay().clone(), ..Base::default() };
    let mut collector = Collector::new(source, scoping, base);
    let is_plain = options.plain || source.contains("$cap_");
    if is_plain {
        collector.find_no_sites();
    }
    let mut shape = Shape::default();
    shape.read_imports(&parsed.program, &mut collector, ids);
    let mut cuts = Vec::new();
    for statement in &parsed.program.body {
        cuts.push(statement.span().start);
        shape.statement(statement, scoping, &mut collector);
    }
    // Names that only CommonJS has tell the flavour, if nothing else did.
    let looks_esm =
        parsed.module_record.has_module_syntax || collector.seen.uses_import_meta || collector.seen.has_top_level_await;
    let looks_common_js = flavour == Flavour::Esm && collector.seen.uses_cjs && !looks_esm;
    if looks_common_js && options.flavour.is_none() {
        let again = Options { flavour: Some(Flavour::Cjs), ..options };
        return compile_module(source, again, old, ids);
    }
    collector.finish();
    if let Some(package) = jsx.source.as_ref().filter(|_| collector.seen.jsx) {
        shape.request(package, ids);
        shape.holder(package);
        shape.items.push(Item { kind: ItemKind::Import, hash: 1, ..Item::default() });
    }
    // Only the walk tells that names can't be known: then once more, without sites.
    if collector.seen.dynamic_scope && flavour == Flavour::Esm && !is_plain {
        return compile_module(source, Options { plain: true, ..options }, old, ids);
    }
    let end = source.len() as u32;
    let built = tree::build(source, &parsed.tokens, &collector.sites, &cuts, &collector.seen, 0, end);
    let mut root = built.root;
    for (item, hash) in shape.items.iter_mut().zip(&built.items) {
        item.hash = *hash;
    }
    // A function that is no site can't be patched where it stands: its text is a part of the value, and values that hold
    // functions are merged as if they were the same.
    for site in collector.sites.iter().filter(|it| it.dead) {
        let holder = shape.items.partition_point(|it| it.start <= site.span.start);
        if let Some(item) = holder.checked_sub(1).and_then(|it| shape.items.get_mut(it)) {
            item.is_pure = false;
        }
    }
    root.shell = root_shell(&shape.items, &collector.seen.collections);
    tree::hash(&mut root);
    root.scope = top_scope(scoping, &parsed.program, &collector);
    root.strict = strict;
    match old {
        Some(old) => {
            let id = root.id;
            diff::adopt(old, &mut root, ids);
            root.id = id;
        }
        None => root.children.iter_mut().for_each(|it| diff::number(it, ids)),
    }
    let mut numbers = Vec::new();
    root.walk(0, &mut |it, _| numbers.push(it.id));
    let mut by_raw = vec![0; collector.sites.len()];
    for (raw, id) in built.raw.iter().zip(numbers.iter().skip(1)) {
        by_raw[*raw] = *id;
    }
    if let Some(hashbang) = &parsed.program.hashbang {
        collector.ops.push(Op::replace(hashbang.span.start, hashbang.span.start + 2, "//".to_owned()));
    }
    emit::sort(&mut collector.ops);
    let body = emit::emit(source, &collector.ops, 0, end, &by_raw, &flavour.guards(), Mode::Load);
    let is_async = collector.seen.has_top_level_await && flavour == Flavour::Esm;
    let classes: Vec<String> = collector.seen.base_classes.iter().map(|it| emit::expanded(it, &by_raw)).collect();
    let code = factory(flavour, strict, is_async, &shape, &classes, &Added::of(ids, &root, &shape), &body);
    let mut unresolved: Vec<Box<str>> = collector.seen.unresolved.into_iter().collect();
    unresolved.sort_unstable();
    Ok(Module {
        flavour,
        looks_common_js,
        root,
        imports: shape.specifiers,
        used: shape.used,
        requires: dedup(collector.seen.requires),
        dynamic: dedup(collector.seen.dynamic),
        accepts: dedup(collector.seen.accepts),
        collections: collector.seen.collections,
        exports: shape.exports,
        items: shape.items,
        is_async,
        code,
        unresolved,
        dynamic_scope: collector.seen.dynamic_scope,
        keys: collector.seen.keys,
        jsx,
        ops: collector.ops,
        by_raw,
        classes,
    })
}

/// The first syntax error of top-level statements, found by parsing alone: what names mean is not looked at.
pub fn syntax_error(statements: &str, flavour: Flavour) -> Option<Problem> {
    let options = Options { flavour: Some(flavour), ..Options::default() };
    parse(&Allocator::default(), statements, options).err()?.into_iter().next()
}

fn parse<'a>(
    allocator: &'a Allocator,
    source: &'a str,
    options: Options,
) -> Result<(ParserReturn<'a>, Flavour), Vec<Problem>> {
    let attempt = |source_type: SourceType| {
        let parser = Parser::new(allocator, source, source_type.with_jsx(true)).with_options(early::strictly());
        parser.with_config(TokensParserConfig).parse()
    };
    let failed =
        |parsed: &ParserReturn<'_>| -> Vec<Problem> { parsed.diagnostics.iter().map(Problem::from_oxc).collect() };
    match options.flavour {
        Some(Flavour::Esm) => {
            let parsed = attempt(SourceType::mjs());
            if parsed.diagnostics.is_empty() { Ok((parsed, Flavour::Esm)) } else { Err(failed(&parsed)) }
        }
        Some(flavour) => {
            let source_type = if flavour == Flavour::Cjs { SourceType::cjs() } else { SourceType::script() };
            let parsed = attempt(source_type);
            if parsed.diagnostics.is_empty() { Ok((parsed, flavour)) } else { Err(failed(&parsed)) }
        }
        None => {
            let parsed = attempt(SourceType::mjs());
            let decided = parsed.module_record.has_module_syntax;
            if parsed.diagnostics.is_empty() && (decided || options.otherwise == Flavour::Esm) {
                return Ok((parsed, Flavour::Esm));
            }
            if decided {
                return Err(failed(&parsed));
            }
            // Sloppy code without module syntax: CommonJS.
            let sloppy = attempt(SourceType::cjs());
            if sloppy.diagnostics.is_empty() { Ok((sloppy, Flavour::Cjs)) } else { Err(failed(&parsed)) }
        }
    }
}

/// The order of function declarations does not matter; that of everything else does.
fn root_shell(items: &[Item], collections: &[Collection]) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    // Wherever in the text they are gathered: a page has to be sent the modules.
    let mut keys: Vec<String> = collections.iter().map(Collection::key).collect();
    keys.sort_unstable();
    keys.hash(&mut hasher);
    let (mut functions, rest): (Vec<_>, Vec<_>) = items.iter().partition(|it| it.kind == ItemKind::Function);
    functions.sort_by_key(|it| it.hash);
    rest.iter().chain(&functions).for_each(|it| it.hash.hash(&mut hasher));
    hasher.finish()
}

fn top_scope(
    scoping: &Scoping,
    program: &Program<'_>,
    collector: &Collector<'_>,
) -> std::sync::Arc<crate::sites::Scope> {
    let names = scoping
        .get_bindings(program.scope_id())
        .iter()
        .map(|(name, symbol)| (Box::from(name.as_str()), collector.top_bind(name.as_str(), *symbol)))
        .collect();
    let constants = constants(scoping, program.scope_id());
    std::sync::Arc::new(crate::sites::Scope { names, constants, ..crate::sites::Scope::default() })
}

/// Imports, exports and statements of an ES module, gathered while its statements are walked.
#[derive(Default)]
struct Shape {
    /// Specifiers in source order, with the numbers of their namespace holders.
    specifiers: Vec<String>,
    holder_of: FxHashMap<String, u32>,
    /// The holders that something is read from, with their specifiers.
    holders: BTreeMap<u32, String>,
    exports: Vec<Export>,
    stars: Vec<String>,
    /// The names that are imported by each specifier; `*` stands for all of them.
    used: BTreeMap<String, BTreeSet<String>>,
    items: Vec<Item>,
    /// A default export's function that has no name of its own.
    anonymous_default: bool,
}

impl Shape {
    fn request(&mut self, specifier: &str, ids: &mut Ids) -> u32 {
        if let Some(known) = self.holder_of.get(specifier) {
            return *known;
        }
        let holder = ids.holder(specifier);
        self.specifiers.push(specifier.to_owned());
        self.holder_of.insert(specifier.to_owned(), holder);
        holder
    }

    fn used(&mut self, specifier: &str) -> &mut BTreeSet<String> {
        self.used.entry(specifier.to_owned()).or_default()
    }

    /// The holder of a specifier that [`Shape::read_imports`] has seen; something is read from it.
    fn holder(&mut self, specifier: &str) -> u32 {
        let holder = self.holder_of.get(specifier).copied().unwrap_or_default();
        self.holders.insert(holder, specifier.to_owned());
        holder
    }

    /// Imports are hoisted: all of them are known before the first statement is walked.
    fn read_imports(&mut self, program: &Program<'_>, collector: &mut Collector<'_>, ids: &mut Ids) {
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
    fn soften_const(&self, statement: &Statement<'_>, item: &Item, scoping: &Scoping, collector: &mut Collector<'_>) {
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
        if is_const && item.is_pure && !assigned && !is_classic {
            let start = declaration.span.start;
            collector.ops.push(Op::replace(start, start + 5, "let".to_owned()));
        }
    }

    fn statement<'a>(&mut self, statement: &Statement<'a>, scoping: &Scoping, collector: &mut Collector<'_>) {
        let span = statement.span();
        let (kind, names) = describe(statement);
        let is_shared = names.iter().any(|it| is_declared_twice(it, scoping, collector.base.flavour));
        let item = Item { kind, start: span.start, end: span.end, names, is_shared, ..Item::default() };
        let item = takeable(statement, item);
        self.soften_const(statement, &item, scoping, collector);
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
            Statement::ExportDefaultDeclaration(it) => self.default_export(&it.declaration, span, collector),
            other => collector.visit_statement(other),
        }
    }

    fn default_export<'a>(
        &mut self,
        declaration: &ExportDefaultDeclarationKind<'a>,
        span: Span,
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
                        "$cap_default".to_owned()
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
                self.exports.push(Export { name: "default".to_owned(), value: "$cap_default".to_owned() });
                let mut lead = blank(collector.source, head);
                lead.text = format!("const $cap_default={{default:{}", lead.text);
                collector.ops.push(lead);
                let end = other.span().end;
                collector.ops.push(Op::insert(end, Order::last_close(), "}.default;"));
                match other {
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => collector.visit_class(class),
                    _ => walk::walk_export_default_declaration_kind(collector, other),
                }
            }
        }
    }
}

/// What makes elements: what a pragma names, what the text imports (`React`, `h`), or else the package `react`.
fn jsx_of(source: &str, program: &Program<'_>, ids: &Ids) -> Jsx {
    let pragma = |name: &str| {
        let comments = program.comments.iter().map(|it| &source[it.span.start as usize..it.span.end as usize]);
        comments.flat_map(|it| it.split("@")).find_map(|it| {
            let rest = it.strip_prefix(name)?.strip_prefix(char::is_whitespace)?;
            rest.split_whitespace().next().map(|it| it.trim_end_matches("*/").to_owned())
        })
    };
    let imports = program.body.iter().filter_map(|it| match it {
        Statement::ImportDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        Statement::ExportFromDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        Statement::ExportAllDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        _ => None,
    });
    // The numbers that holders get once the imports of the text have theirs.
    let mut after = ids.clone();
    imports.for_each(|it| {
        after.holder(&it);
    });
    // Imported names read from a namespace holder, as everywhere else.
    let mut bound: FxHashMap<&str, String> = FxHashMap::default();
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                let (holder, _) = after.known_holder(&specifier_of(&import.source, import.with_clause.as_deref()));
                for specifier in import.specifiers.iter().flatten() {
                    let local = specifier.local().name.as_str();
                    let value = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(it) => member(holder, &it.imported.name()),
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => member(holder, "default"),
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => format!("$cap_i{holder}"),
                    };
                    bound.insert(local, value);
                }
            }
            other => {
                let (_, names) = describe(other);
                for name in ["React", "h", "Fragment"] {
                    if names.iter().any(|it| it == name) {
                        bound.insert(name, name.to_owned());
                    }
                }
            }
        }
    }
    let value = |name: &str| {
        let (first, rest) = name.split_once('.').map_or((name, ""), |(first, rest)| (first, rest));
        let base = bound.get(first).cloned().unwrap_or_else(|| first.to_owned());
        if rest.is_empty() { base } else { format!("{base}.{rest}") }
    };
    if let Some(factory) = pragma("jsx") {
        let fragment = pragma("jsxFrag").unwrap_or_else(|| "React.Fragment".to_owned());
        return Jsx { factory: call(value(&factory)), fragment: value(&fragment), source: None };
    }
    let package = pragma("jsxImportSource");
    if package.is_none() && bound.contains_key("React") {
        return Jsx { factory: value("React.createElement"), fragment: value("React.Fragment"), source: None };
    }
    if package.is_none() && bound.contains_key("h") {
        return Jsx { factory: call(value("h")), fragment: value("Fragment"), source: None };
    }
    let package = package.unwrap_or_else(|| "react".to_owned());
    let (holder, _) = after.known_holder(&package);
    Jsx {
        factory: format!("$cap_i{holder}.createElement"),
        fragment: format!("$cap_i{holder}.Fragment"),
        source: Some(package),
    }
}

/// An imported function is called without a receiver.
fn call(value: String) -> String {
    if value.contains('.') { format!("(0,{value})") } else { value }
}

/// What a static import asks for: see [`with_type`].
fn specifier_of(source: &StringLiteral<'_>, clause: Option<&WithClause<'_>>) -> String {
    let kind = clause.into_iter().flat_map(|it| &it.with_entries).find(|it| match &it.key {
        ImportAttributeKey::Identifier(key) => key.name == "type",
        ImportAttributeKey::StringLiteral(key) => key.value == "type",
    });
    with_type(&source.value, kind.map(|it| it.value.value.as_str()))
}

fn member(holder: u32, name: &str) -> String {
    if is_identifier(name) { format!("$cap_i{holder}.{name}") } else { format!("$cap_i{holder}[{}]", quoted(name)) }
}

/// Takes a statement out and keeps its line ends, and that it ended the one before it where semicolons are left out.
fn empty_statement(source: &str, span: Span) -> Op {
    let mut op = blank(source, span);
    op.text.insert(0, ';');
    op
}

/// Takes a text out and keeps its line ends.
fn blank(source: &str, span: Span) -> Op {
    let lines = source[span.start as usize..span.end as usize].matches('\n').count();
    Op::replace(span.start, span.end, "\n".repeat(lines))
}

fn declared(declaration: &Declaration<'_>) -> Vec<String> {
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
fn is_declared_twice(name: &str, scoping: &Scoping, flavour: Flavour) -> bool {
    const OF_COMMON_JS: [&str; 6] = ["module", "exports", "require", "__filename", "__dirname", "arguments"];
    let symbol = scoping.get_binding(scoping.root_scope_id(), name.into());
    symbol.is_some_and(|it| !scoping.symbol_redeclarations(it).is_empty())
        || flavour == Flavour::Cjs && OF_COMMON_JS.contains(&name)
}

fn describe(statement: &Statement<'_>) -> (ItemKind, Vec<String>) {
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

/// Lets patches reach what was added while other pages ran: this page has it as a binding of the top level.
struct Added {
    accessors: String,
    holders: Vec<String>,
}

impl Added {
    fn of(ids: &Ids, root: &Site, shape: &Shape) -> Added {
        let used = |it: &String| shape.holders.keys().any(|holder| *it == format!("$cap_i{holder}"));
        Added {
            accessors: accessors(ids, root),
            holders: ids.overlay().iter().filter(|it| used(it)).cloned().collect(),
        }
    }
}

fn accessors(ids: &Ids, root: &Site) -> String {
    let known = |name: &str| root.scope.names.contains_key(name);
    let mut parts = Vec::new();
    for name in ids.overlay() {
        if name.starts_with("$cap_i") {
            continue;
        }
        if known(name) {
            parts.push(format!("get {name}(){{return {name}}},set {name}($cap_v){{{name}=$cap_v}}"));
        }
    }
    if parts.is_empty() { String::new() } else { format!("$cap_g.o={{__proto__:null,{}}};", parts.join(",")) }
}

/// Fills in what may be taken over into pages that run: bindings with their values.
fn takeable(statement: &Statement<'_>, mut item: Item) -> Item {
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
                value: span(function.span),
                params: Some(function.params.span.start),
                is_async: function.r#async,
                is_generator: function.generator,
            });
        }
        Declaration::ClassDeclaration(class) => {
            let Some(id) = &class.id else { return item };
            item.is_addable = purity::judge_class(class) <= Purity::Fresh;
            let name = id.name.to_string();
            item.bindings.push(Binding {
                name,
                is_const: false,
                value: span(class.span),
                params: None,
                is_async: false,
                is_generator: false,
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
                    value: declarator.init.as_ref().and_then(|it| span(it.span())),
                    params: None,
                    is_async: false,
                    is_generator: false,
                });
            }
            item.is_addable = worst <= Purity::Fresh;
            item.is_pure = worst == Purity::Pure;
        }
        _ => {}
    }
    item
}

/// The function that a page evaluates: see `docs/protocol.md`, "Factory source".
fn factory(
    flavour: Flavour,
    strict: bool,
    is_async: bool,
    shape: &Shape,
    classes: &[String],
    added: &Added,
    body: &str,
) -> String {
    let Added { accessors: overlay, holders: late } = added;
    let directive = if strict { "\"use strict\";" } else { "" };
    let classes = if classes.is_empty() { String::new() } else { format!("let {};", classes.join(",")) };
    let top = format!("const $cap_s0=$cap_c=>eval($cap_c),$cap_g=$cap_m.guards($cap_s0);{classes}{overlay}");
    match flavour {
        Flavour::Esm => {
            let mut head = String::new();
            if !shape.exports.is_empty() {
                let getters: Vec<String> =
                    shape.exports.iter().map(|it| format!("{}:()=>{}", quoted(&it.name), it.value)).collect();
                head.push_str(&format!("$cap_m.exports({{__proto__:null,{}}});", getters.join(",")));
            }
            for specifier in &shape.stars {
                head.push_str(&format!("$cap_m.star({});", quoted(specifier)));
            }
            if shape.anonymous_default {
                head.push_str("Object.defineProperty($cap_default,\"name\",{value:\"default\",configurable:true});");
            }
            let holders: Vec<String> = shape
                .holders
                .iter()
                .map(|(holder, specifier)| format!("$cap_i{holder}=$cap_m.ns({})", quoted(specifier)))
                .collect();
            // The holders stand before anything runs: a cycle can call a hoisted function of this module early.
            if !holders.is_empty() {
                head.push_str(&format!("const {};", holders.join(",")));
            }
            for holder in late {
                head.push_str(&format!("$cap_g.o.{holder}={holder};"));
            }
            head.push_str(if is_async { "await $cap_m.link();" } else { "$cap_m.link();" });
            let kind = if is_async { "async" } else { "" };
            format!("{kind}($cap_m)=>{{{directive}{top}{head}{body}\n}}")
        }
        Flavour::Cjs => {
            format!("(function($cap_m,module,exports,require,__filename,__dirname){{{directive}{top}{body}\n}})")
        }
        Flavour::Classic(_) => format!("{directive}{classes}{body}"),
    }
}

fn dedup(mut list: Vec<String>) -> Vec<String> {
    let mut seen: FxHashMap<String, ()> = FxHashMap::default();
    list.retain(|it| seen.insert(it.clone(), ()).is_none());
    list
}

#[cfg(test)]
mod tests {
    use crate::compile::Options;
    use crate::patch::Program;

    /// The code of a module, without what comes before its first line.
    fn compiled(source: &str) -> String {
        let (_, module) = Program::load(source, Options::default(), 1).expect("it parses");
        let (_, code) = module.code.split_once("$cap_m.link();").expect("a module");
        code.trim_end_matches(['}', '\n']).to_owned()
    }

    #[test]
    fn lines_without_semicolons_stay_apart() {
        let source = "import { f } from './a.js'\nlet x = 1\nf(x)\nif (x) f(2)\nelse f(3)\nf(4).y = f(5)\nf`x`";
        let expected = ";\nlet x = 1\n0,(0,$cap_i0.f)(x)\nif (x) 0,(0,$cap_i0.f)(2)\nelse 0,(0,$cap_i0.f)(3)\n\
             0,(0,$cap_i0.f)(4).y = (0,$cap_i0.f)(5)\n0,(0,$cap_i0.f)`x`";
        assert_eq!(compiled(source), expected);
    }

    #[test]
    fn what_is_taken_out_ends_the_statement_before_it() {
        for taken in ["import './b.js'", "export { x }", "export * from './b.js'", "export { y } from './b.js'"] {
            assert_eq!(compiled(&format!("let x = 1\n{taken}\n[x].pop()")), "let x = 1\n;\n[x].pop()", "{taken}");
        }
    }

    #[track_caller]
    fn check_dependency(source: &str, expected: &str) {
        let options = Options { plain: true, ..Options::default() };
        let (program, module) = Program::load(source, options, 1).expect("it parses");
        let (_, code) = module.code.split_once("$cap_m.link();").expect("a module");
        assert_eq!(code.strip_suffix("\n}"), Some(expected));
        assert!(program.root.children.is_empty());
    }

    #[test]
    fn functions_of_dependencies_are_left_alone() {
        for source in [
            "var f = ({ a = 1 }, ...b) => a;",
            "for (const x of y) z(function g() { return x; });",
            "class A { #p = () => 1; constructor({ a }) { this.#p(a); } }",
            "var f = ([a]) => eval(a);",
        ] {
            check_dependency(source, source);
        }
        check_dependency("import{p}from'q';var f = ({ a }) => p(a);", ";var f = ({ a }) => (0,$cap_i0.p)(a);");
    }
}
