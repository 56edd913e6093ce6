//! Compiles a whole module: its tree of sites, what it imports and exports, and the factory source that a page evaluates.

mod items;
mod jsx;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression, ImportAttributeKey,
    ImportDeclarationSpecifier, ModuleExportName, Program, Statement, StringLiteral, VariableDeclarationKind,
    WithClause,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::{Parser, ParserReturn, config::TokensParserConfig};
use oxc::semantic::{Reference, Scoping, SemanticBuilder};
use oxc::span::{GetSpan, SourceType, Span};
use rustc_hash::{FxHashMap, FxHashSet};

pub use items::{Binding, DEFAULT, Form, Item, ItemKind, Made, StaticField, own_key};

use items::{declared, describe, is_declared_twice, lone_word, takeable};
use jsx::jsx_of;
use shape::{DEFAULT_END, Shape};

use super::Problem;
use super::depth::with_room;
use super::early;
use super::emit::{self, Mode};
use super::purity::{self, Purity};
use super::uses::{self, Use};
use crate::sites::collect::{Base, Collector, Flavour, Op, Order, constants, is_identifier, quoted, with_type};
use crate::sites::collection::Collection;
use crate::sites::diff::{self, Ids};
use crate::sites::jsx::Jsx;
use crate::sites::{Bind, Runs, Site, tree};

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
    /// The specifiers of `export * from`.
    pub stars: Vec<String>,
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
        let guards = self.flavour.guards();
        // What is written behind a default export is none of its text.
        let ops = self.ops.iter().filter(|it| it.text != DEFAULT_END);
        emit::emit(source, ops, part.0, part.1, &self.by_raw, &guards, Mode::Patch(rev))
    }

    /// After [`prefixes`]: the user's names are what they were.
    fn give_back(&mut self, prefix: &str, ours: &str) {
        let back = |it: &mut String| *it = it.replace(prefix, "$cap_");
        self.code = self.code.replace("$cap_", ours).replace(prefix, "$cap_");
        for list in [&mut self.imports, &mut self.requires, &mut self.dynamic, &mut self.accepts] {
            list.iter_mut().for_each(back);
        }
        for export in &mut self.exports {
            export.value = export.value.replace("$cap_", ours);
            back(&mut export.value);
            back(&mut export.name);
        }
        for item in &mut self.items {
            item.names.iter_mut().for_each(back);
        }
        let user = |it: &str| it.replace(prefix, "$cap_");
        self.used = std::mem::take(&mut self.used)
            .into_iter()
            .map(|(from, names)| (user(&from), names.iter().map(|it| user(it)).collect()))
            .collect();
        self.unresolved = self.unresolved.iter().map(|it| user(it).into()).collect();
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
    with_room(source, || compile(source, options, old, ids)).map_err(|it| vec![it])?
}

fn compile(source: &str, options: Options, old: Option<&Site>, ids: &mut Ids) -> Result<Module, Vec<Problem>> {
    if let Some((prefix, ours)) = prefixes(source) {
        let mut module =
            compile_module(&source.replace("$cap_", &prefix), Options { plain: true, ..options }, old, ids);
        // Nothing but the code tells names of the user from ours.
        if let Ok(module) = &mut module {
            module.give_back(&prefix, &ours);
        }
        return module;
    }
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
    if options.plain {
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
    if collector.seen.dynamic_scope && flavour == Flavour::Esm && !options.plain {
        return compile_module(source, Options { plain: true, ..options }, old, ids);
    }
    let end = source.len() as u32;
    let built = tree::build(source, &parsed.tokens, &collector.sites, &cuts, &collector.seen, 0, end);
    let mut root = built.root;
    for (item, hash) in shape.items.iter_mut().zip(&built.items) {
        item.hash = *hash;
    }
    // A function object gives promises for ever or never. Where its name cannot be given to another one, that is a part of the top level.
    for item in &mut shape.items {
        let is_one = |start: u32, end: u32| {
            let index = root.last_child_before(start + 1).filter(|it| root.child_start(*it) == start);
            let site = index.map(|it| &root.children[it]).filter(|it| it.is_async);
            site.is_some_and(|it| item.is_fixed || item.is_shared || start + it.len != end)
        };
        if item.bindings.iter().any(|it| it.params.is_none() && it.value.is_some_and(|(start, end)| is_one(start, end)))
        {
            item.hash = item.hash.rotate_left(1);
        }
        // In an object or array another one can take its place.
        for (start, end) in item.bindings.iter().filter(|_| item.is_pure).filter_map(|it| it.value) {
            let first = root.children.partition_point(|it| it.start <= start);
            let inside = root.children[first..].iter().take_while(|it| it.start < end);
            for (index, _) in inside.enumerate().filter(|(_, it)| it.is_async) {
                item.hash = item.hash.rotate_left(2) ^ (index as u64 + 1);
            }
        }
    }
    // A function that is no site can't be patched where it stands: its text is a part of the value, and values that hold
    // functions are merged as if they were the same. One that uses `super` means its own object.
    for site in collector.sites.iter().filter(|it| it.dead || it.uses_super) {
        let holder = shape.items.partition_point(|it| it.start <= site.span.start);
        if let Some(item) = holder.checked_sub(1).and_then(|it| shape.items.get_mut(it)) {
            item.is_pure = false;
        }
    }
    if options.plain {
        // Nor can functions that are handed out be taken over.
        shape.items.iter_mut().for_each(|it| (it.is_pure, it.is_addable) = (false, false));
    }
    for site in root.children.iter_mut().filter(|it| it.runs == Runs::ByName) {
        if shape.exports.iter().any(|it| it.value == site.name) {
            site.runs = Runs::Any;
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
    let (guards, switches) = (flavour.guards(), flavour.switches());
    let body = emit::emit(source, &collector.ops, 0, end, &by_raw, &guards, Mode::Load(&switches));
    let switches = emit::switches(&collector.ops, &by_raw, &switches, &guards);
    let is_async = collector.seen.has_top_level_await && flavour == Flavour::Esm;
    let classes: Vec<String> = collector.seen.base_classes.iter().map(|it| emit::expanded(it, &by_raw)).collect();
    let (head, tail) = factory(flavour, strict, is_async, &shape, &classes, &switches, &Added::of(ids, &root, &shape));
    let code = emit::amid(&head, &body, tail, source);
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
        stars: shape.stars,
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

/// Where the user has names that begin as ours do: what they begin with while the text is compiled, and what ours do in the end.
fn prefixes(source: &str) -> Option<(String, String)> {
    if !source.contains("$cap_") {
        return None;
    }
    let free = |it: &String| !source.contains(it.as_str());
    let prefix = ('a'..='z').flat_map(|it| ('a'..='z').map(move |next| format!("$c{it}{next}_"))).find(free)?;
    let ours = (0..).map(|it| format!("$cap{it}_")).find(free)?;
    Some((prefix, ours))
}

/// The first syntax error of top-level statements, found by parsing alone: what names mean is not looked at.
pub fn syntax_error(statements: &str, flavour: Flavour) -> Option<Problem> {
    let options = Options { flavour: Some(flavour), ..Options::default() };
    let parses = || parse(&Allocator::default(), statements, options).err()?.into_iter().next();
    with_room(statements, parses).unwrap_or_else(Some)
}

pub(super) fn parse<'a>(
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

/// The directive, in front of everything.
const STRICT: &str = "\"use strict\";";

/// A module's code behind the directive that it may begin with.
pub(crate) fn without_directive(code: &str) -> &str {
    code.strip_prefix(STRICT).unwrap_or(code)
}

/// What stands before and behind a module's text in the function that a page evaluates: see `docs/protocol.md`, "Factory source".
fn factory(
    flavour: Flavour,
    strict: bool,
    is_async: bool,
    shape: &Shape,
    classes: &[String],
    switches: &str,
    added: &Added,
) -> (String, &'static str) {
    let Added { accessors: overlay, holders: late } = added;
    let directive = if strict { STRICT } else { "" };
    let classes = if classes.is_empty() { String::new() } else { format!("let {};", classes.join(",")) };
    let top = format!("const $cap_s0=$cap_c=>eval($cap_c),$cap_g=$cap_m.guards($cap_s0){switches};{classes}{overlay}");
    match flavour {
        Flavour::Esm => {
            let mut head = String::new();
            if !shape.exports.is_empty() {
                let getters: Vec<String> =
                    shape.exports.iter().map(|it| format!("{}:()=>{}", own_key(&it.name), it.value)).collect();
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
            (format!("{kind}($cap_m)=>{{{directive}{top}{head}"), "\n}")
        }
        Flavour::Cjs => {
            let head = format!("(function($cap_m,module,exports,require,__filename,__dirname){{{directive}{top}");
            (head, "\n})")
        }
        Flavour::Classic(_) => (format!("{directive}{switches};{classes}"), ""),
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
        let code = unmarked(&module.code);
        let (_, code) = code.split_once("$cap_m.link();").expect("a module");
        code.trim_end_matches(['}', '\n']).to_owned()
    }

    /// Without the marks and what they say of the user's text.
    fn unmarked(code: &str) -> String {
        let mut parts = code.split('\u{c}');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.map(|it| match it.strip_prefix("/*") {
            Some(comment) => comment.split_once("*/").map_or("", |it| it.1),
            None => it,
        });
        (first + &rest.collect::<String>()).replace('\u{b}', "")
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
        let code = unmarked(&module.code);
        let (_, code) = code.split_once("$cap_m.link();").expect("a module");
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
