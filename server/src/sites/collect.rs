//! From a syntax tree to sites: one walk that finds every function, decides where its guard and its scope's hook can stand,
//! and notes the text operations that instrument the source.
//!
//! A function for which no guard or hook can stand is no site: its text belongs to the site around it.

mod classes;
mod functions;
mod hooks;
mod loops;
mod modules;
mod names;
mod once;
mod ops;
mod scopes;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use oxc::ast::ast::*;
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SymbolId};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::{ScopeFlags, ScopeId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::class::{self, RawClass};
use super::collection::Collection;
use super::jsx::Jsx;
use super::params::{self, Args, Around, Body, Header};
use super::{Access, Bind, Home, Reach, Runs, Scope, SiteId, SiteKind};
pub use ops::{Op, Order};

use hooks::{DECLARED, HookUse, ScopeHook, USED, hook_number, with_hooks};

/// The hook that the function of a patch was made with, in the code of the patch.
const OUTER_HOOK: &str = "$cap_h";

/// A function as the walk found it. Positions are bytes in the walked text.
#[derive(Debug)]
pub struct RawSite {
    pub parent: Option<usize>,
    pub kind: SiteKind,
    pub access: Access,
    pub is_async: bool,
    pub is_generator: bool,
    pub uses_super: bool,
    pub uses_this: bool,
    pub name: String,
    pub has_own_name: bool,
    pub span: Span,
    /// The parameter list, and where the body starts.
    pub params: Span,
    pub body: u32,
    /// Its own scope, and a number for the kind of hook that it has: set when the walk ends, as `scope` is.
    own: ScopeId,
    pub hook: u64,
    /// For a class: the same for the constructor.
    pub construct_hook: u64,
    /// The scope that it is made in, and what sites remember of it.
    around: ScopeId,
    pub scope: Arc<Scope>,
    pub level: u32,
    pub free: FxHashSet<Box<str>>,
    pub strict: bool,
    pub says_strict: bool,
    pub home: Home,
    /// How many parameters the guard names one by one: it can't tell which of them a call left out.
    pub lists: u32,
    /// From which argument on the code sees how many there are.
    pub counts: Option<u32>,
    /// Set when the walk ends.
    pub runs: Runs,
    /// What a declaration declares.
    symbol: Option<SymbolId>,
    /// No guard can stand here after all.
    pub dead: bool,
    /// A named function expression that calls itself by that name.
    pub self_name: Option<String>,
    /// It assigns that name.
    pub assigns_self: bool,
    /// Stands for this site in its parent's shell hash.
    pub mark: String,
    pub(crate) function_scope_depth: u32,
    depth: u32,
    /// For a class: what its text is made of.
    pub class: Option<RawClass>,
}

impl RawSite {
    /// The name that it has in its own text.
    pub(super) fn own_name(&self) -> Option<&str> {
        let declares = matches!(self.kind, SiteKind::Declaration | SiteKind::Class) && !self.name.is_empty();
        (declares || self.has_own_name).then_some(self.name.as_str())
    }
}

/// How the text is loaded: decides what `this`, imports and globals at its top mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    #[default]
    Esm,
    Cjs,
    /// A classic script with its number: its top-level scope is the global one.
    Classic(u32),
}

impl Flavour {
    /// The name of the guard array in the instrumented text.
    pub fn guards(self) -> String {
        match self {
            Flavour::Classic(number) => format!("$cap_g{number}"),
            _ => "$cap_g".to_owned(),
        }
    }

    /// How the names of the variables begin that the guards of loaded code ask.
    pub fn switches(self) -> String {
        match self {
            Flavour::Classic(number) => format!("$cap_on{number}_"),
            _ => "$cap_on".to_owned(),
        }
    }

    /// The variable with the hook of a class's scope; `number` stands for its site.
    pub fn class_hook(self, number: &str) -> String {
        match self {
            Flavour::Classic(script) => format!("$cap_k{script}_{number}"),
            _ => format!("$cap_k{number}"),
        }
    }
}

/// What surrounds the walked text.
#[derive(Debug, Clone, Default)]
pub struct Base {
    pub flavour: Flavour,
    pub scope: Arc<Scope>,
    pub level: u32,
    pub strict: bool,
    pub home: Home,
    /// The walked text is one function, which is the root: it gets no guard of its own.
    pub is_function: bool,
    pub jsx: Jsx,
    /// Names and holders that patches reach through the overlay.
    pub overlay: BTreeSet<String>,
    /// `#private` names that objects may lack, with the classes that know how they get them.
    pub late: FxHashMap<Box<str>, SiteId>,
}

/// What the walk saw beside sites.
#[derive(Debug, Default)]
pub struct Seen {
    /// `require("x")` with its specifier.
    pub requires: Vec<String>,
    /// `import("x")` with its specifier.
    pub dynamic: Vec<String>,
    /// Specifiers named in `hot.accept` and `hot.decline`.
    pub accepts: Vec<String>,
    /// Calls that gather modules by a pattern, each once.
    pub collections: Vec<Collection>,
    pub uses_cjs: bool,
    pub uses_import_meta: bool,
    pub jsx: bool,
    pub has_top_level_await: bool,
    /// Starts of statements and class elements: what ends the one before, with or without a semicolon.
    pub starts: Vec<u32>,
    /// Heads of `for` loops, whose semicolons are no ends of statements.
    pub heads: Vec<Span>,
    /// Names that resolve nowhere in the text or around it and that are not only asked for with `typeof`.
    pub unresolved: FxHashSet<Box<str>>,
    /// Classes whose hook has to be declared at the top of the text.
    pub base_classes: Vec<String>,
    /// Names that are keys of class members: their values are in classes that were made.
    pub keys: FxHashSet<Box<str>>,
    /// Direct `eval` or `with` in the user's code: names can't be known.
    pub dynamic_scope: bool,
    /// The variables that the walked function uses of those around it, by how many hooks out they are.
    pub cells: BTreeMap<u32, BTreeSet<String>>,
    /// The walked function's own hook leads on to the one that it was made with.
    pub uses_outer_hook: bool,
    /// The walked text uses what its place does not give it: it has to be compiled with the function around it, whose hook becomes
    /// another one.
    pub needs_place: bool,
}

pub struct Collector<'s> {
    pub source: &'s str,
    pub scoping: &'s Scoping,
    pub base: Base,
    pub sites: Vec<RawSite>,
    pub ops: Vec<Op>,
    pub seen: Seen,
    /// Imported symbols of this text.
    pub imports: FxHashMap<SymbolId, Bind>,
    depths: Vec<u32>,
    frames: Vec<Frame>,
    hooks: Vec<ScopeHook>,
    functions: Vec<FunctionState>,
    site_stack: Vec<usize>,
    disabled: u32,
    label: Option<String>,
    scopes: FxHashMap<(ScopeId, Option<u32>), Arc<Scope>>,
    /// The scopes of functions and classes that stand among parameters, with where the body begins whose variables they do not see.
    in_params: FxHashMap<ScopeId, u32>,
    /// What stands for the scope around the walked function, which its wrapper makes.
    outer: Option<ScopeId>,
    /// What the walked declaration declares there: where the patch is made, the name is one of the scope around it.
    declared: Option<SymbolId>,
    /// The classes around that are declarations.
    within: Vec<SymbolId>,
    /// For each loop around, innermost last: how many functions are around it, and from which depth on scopes belong to it.
    loops: Vec<(usize, u32)>,
    /// Variables that a function uses inside a loop, and those that functions in it use.
    looped: FxHashSet<SymbolId>,
    /// Functions that are no sites.
    others: Vec<OtherFunction>,
    captured: FxHashSet<SymbolId>,
    /// Functions whose variables are reached by name, because an arrow in them needs an `eval` there.
    evals: FxHashSet<ScopeId>,
    privates: FxHashMap<ScopeId, Vec<Box<str>>>,
    /// The `#private` names of the classes around that are part of a function's or class's text.
    inner_privates: Vec<Vec<Box<str>>>,
    callee: Option<u32>,
    loading: once::Loading,
    shorthand: Option<u32>,
    typeof_operand: Option<u32>,
    /// Where what is assigned starts.
    target: Option<u32>,
    /// What the pattern of a `catch` declares, while its defaults are walked: scopes know it in the block only.
    caught: Vec<String>,
    pub(super) depth: u32,
}

#[derive(Debug)]
struct Frame {
    kind: FrameKind,
    scope: Option<ScopeId>,
    has_bindings: bool,
    hook: Option<Hook>,
}

impl Frame {
    /// A frame that counts as a scope with bindings.
    fn new(kind: FrameKind) -> Frame {
        Frame { kind, scope: None, has_bindings: true, hook: None }
    }
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum FrameKind {
    /// The text's own top.
    Base,
    /// A function body, hooked after its guard; `outer` names the hook that the function is made with.
    Function {
        outer: String,
    },
    /// A block, hooked after its brace.
    Block {
        at: u32,
    },
    /// The body of a loop without braces.
    Wrapped {
        start: u32,
        end: u32,
    },
    /// The cases of a switch in which variables are declared, with the places where they start.
    Cases {
        starts: Vec<u32>,
    },
    /// A loop head or catch clause: its bindings are hooked in the body's frame.
    Head,
    /// `name` is the variable with the class's hook; `None`: no function in here can be a site.
    Class {
        name: Option<String>,
    },
    Field {
        class: usize,
        is_static: bool,
    },
    /// No function in here can be a site.
    Opaque,
}

#[derive(Debug, Default)]
struct Hook {
    /// Functions are made with it: its number.
    number: Option<usize>,
    /// Hooks of classes and of cases in this scope whose variables are declared here.
    variables: Vec<String>,
    /// For a class frame: the instance field is wanted.
    in_field: bool,
}

/// A function whose text is part of a site around it.
#[derive(Debug)]
struct OtherFunction {
    scope: ScopeId,
    /// The number of that site.
    around: Option<usize>,
    /// Where its body starts.
    start: u32,
}

#[derive(Debug, Default)]
struct FunctionState {
    is_arrow: bool,
    is_static_block: bool,
    /// What arrows in here can use; `None` for an arrow itself.
    home: Option<Home>,
    uses_arguments: bool,
    uses_super: bool,
    uses_new_target: bool,
    uses_this: bool,
    /// An `await` or `yield` stands in here.
    waits: bool,
    uses_self: bool,
    id_symbol: Option<SymbolId>,
    in_params: bool,
    params_clash: bool,
    /// Functions among its parameters are sites.
    sites_in_params: bool,
    /// A direct `eval` or `with` stands in here.
    has_dynamic_names: bool,
    body_start: u32,
    scope: Option<ScopeId>,
    strict: bool,
    /// The constructor of the class that is the root.
    is_root_constructor: bool,
}

/// A function about to be walked.
struct Entry<'f, 'a> {
    span: Span,
    kind: SiteKind,
    access: Access,
    is_async: bool,
    is_generator: bool,
    name: String,
    mark: String,
    params: &'f FormalParameters<'a>,
    body: Body<'f, 'a>,
    scope: ScopeId,
    id: Option<&'f BindingIdentifier<'a>>,
    has_use_strict: bool,
}

impl<'s> Collector<'s> {
    pub fn new(source: &'s str, scoping: &'s Scoping, base: Base) -> Collector<'s> {
        let mut depths = vec![0; scoping.scopes_len()];
        // A scope's id is always larger than its parent's.
        for scope in 0..depths.len() {
            if let Some(parent) = scoping.scope_parent_id(ScopeId::from_usize(scope)) {
                depths[scope] = depths[parent.index()] + 1;
            }
        }
        let frames = vec![Frame::new(FrameKind::Base)];
        Collector {
            source,
            scoping,
            base,
            sites: Vec::new(),
            ops: Vec::new(),
            seen: Seen::default(),
            imports: FxHashMap::default(),
            depths,
            frames,
            hooks: Vec::new(),
            functions: Vec::new(),
            site_stack: Vec::new(),
            disabled: 0,
            label: None,
            scopes: FxHashMap::default(),
            in_params: FxHashMap::default(),
            outer: None,
            declared: None,
            within: Vec::new(),
            loops: Vec::new(),
            looped: FxHashSet::default(),
            others: Vec::new(),
            captured: FxHashSet::default(),
            evals: FxHashSet::default(),
            privates: FxHashMap::default(),
            inner_privates: Vec::new(),
            callee: None,
            loading: once::Loading::default(),
            shorthand: None,
            typeof_operand: None,
            target: None,
            caught: Vec::new(),
            depth: 0,
        }
    }

    /// The text stays without guards and hooks: what is walked from now on is read and rewritten, but no function in it is a site.
    pub fn find_no_sites(&mut self) {
        self.disabled += 1;
    }

    pub(super) fn text(&self, span: Span) -> &'s str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Ends the walk: how scopes are reached is known only now.
    pub fn finish(&mut self) {
        let mut hooks: FxHashMap<ScopeId, u64> = self.evals.iter().map(|it| (*it, 1)).collect();
        for symbol in self.looped.iter().filter(|it| self.is_hidden(**it)) {
            let mut scope = self.scoping.symbol_scope_id(*symbol);
            while let Some(parent) = self.scoping.scope_parent_id(scope).filter(|_| !self.is_function(scope)) {
                scope = parent;
            }
            let mut hasher = rustc_hash::FxHasher::default();
            self.scoping.symbol_name(*symbol).hash(&mut hasher);
            // A sum: the set has no order.
            let hook = hooks.entry(scope).or_default();
            *hook = hook.wrapping_add(hasher.finish());
        }
        for number in 0..self.sites.len() {
            let RawSite { around, own, .. } = self.sites[number];
            let scope = self.scope_arc(around, self.in_params.get(&own).copied());
            let runs = self.runs(&self.sites[number]);
            let site = &mut self.sites[number];
            (site.scope, site.runs) = (scope, runs);
            site.hook = hooks.get(&site.own).copied().unwrap_or_default();
        }
        for it in std::mem::take(&mut self.others) {
            let Some(hook) = hooks.get(&it.scope) else { continue };
            // A constructor is part of its class.
            let Some(site) = it.around.map(|number| &mut self.sites[number]) else { continue };
            let is_constructor = site.class.as_ref().is_some_and(|class| class.constructs(it.start));
            let sum = if is_constructor { &mut site.construct_hook } else { &mut site.hook };
            *sum = sum.wrapping_add(*hook);
        }
        let lazy = self.lazy_hooks();
        let texts: Vec<(String, String)> =
            (0..self.hooks.len()).map(|it| (self.declaration(it, &lazy), self.use_of(it, &lazy))).collect();
        for op in self.ops.iter_mut().filter(|it| it.text.contains([DECLARED, USED])) {
            op.text = with_hooks(&op.text, &texts);
        }
        for site in self.sites.iter().filter(|it| !it.dead) {
            // The text of a static method does not have the word.
            let is_static = site.kind == SiteKind::StaticMethod;
            let start =
                if is_static { params::past_word(self.source, site.span.start, "static") } else { site.span.start };
            self.ops.push(Op::insert(start, Order::site(site.depth), Op::SITE));
            self.ops.push(Op::insert(site.span.end, Order::site_end(site.depth), Op::SITE_END));
        }
    }

    /// How many hooks a patch of the walked text passes on its way to an `eval`. A class is its own.
    fn cells_around(&self) -> u32 {
        let is_class = self.sites.first().is_some_and(|it| it.class.is_some());
        if is_class { 0 } else { self.base.scope.cells() }
    }

    fn is_function(&self, scope: ScopeId) -> bool {
        self.scoping.scope_flags(scope).is_function()
    }

    fn level_at(&self, frame: usize) -> u32 {
        let n = self.frames[..=frame]
            .iter()
            .filter(|it| {
                use FrameKind::{Block, Cases, Function, Wrapped};
                matches!(it.kind, Function { .. } | Block { .. } | Cases { .. } | Wrapped { .. })
            })
            .count();
        self.base.level + u32::try_from(n).unwrap_or(0)
    }

    fn push(&mut self, kind: FrameKind, scope: Option<ScopeId>) {
        let has_bindings = scope.is_some_and(|it| !self.scoping.get_bindings(it).is_empty());
        self.frames.push(Frame { kind, scope, has_bindings, hook: None });
    }

    /// Leaves a block or wrapped body: writes its hook if a site wanted one.
    fn pop(&mut self) {
        let index = self.frames.len() - 1;
        let text = self.hook_text(index);
        let Some(frame) = self.frames.pop() else { return };
        if text.is_empty() {
            return;
        }
        match frame.kind {
            FrameKind::Block { at } => self.ops.push(Op::insert(at, Order::open(self.depth), text)),
            FrameKind::Cases { starts } => {
                for start in starts {
                    self.ops.push(Op::insert(start, Order::open(self.depth), text.clone()));
                }
            }
            FrameKind::Wrapped { start, end } => {
                self.ops.push(Op::insert(start, Order::open(self.depth), format!("{{{text}")));
                self.ops.push(Op::insert(end, Order::close(self.depth), "}"));
            }
            _ => {}
        }
    }

    fn opaque(&mut self, visit: impl FnOnce(&mut Self)) {
        self.frames.push(Frame::new(FrameKind::Opaque));
        visit(self);
        self.frames.pop();
    }

    pub(super) fn named<'a>(&mut self, name: String, value: &Expression<'a>) {
        self.label = gives_name(value).then_some(name);
        self.visit_expression(value);
        self.label = None;
    }

    fn take_label(&mut self) -> String {
        self.label.take().unwrap_or_default()
    }

    fn is_constant(&self, it: &IdentifierReference<'_>) -> bool {
        match it.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id()) {
            Some(symbol) => self.scoping.symbol_flags(symbol).is_const_variable(),
            None => self.base.is_function && self.base.scope.is_constant(&it.name),
        }
    }
}

/// Whether what an expression makes can be called by the name that it is given to.
pub(super) fn gives_name(value: &Expression<'_>) -> bool {
    matches!(
        value.without_parentheses(),
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) | Expression::ClassExpression(_)
    )
}

/// The names of a scope that are declared with `const`.
pub(crate) fn constants(scoping: &Scoping, id: ScopeId) -> FxHashSet<Box<str>> {
    let declared = scoping.get_bindings(id).iter();
    let constant = declared.filter(|(_, symbol)| scoping.symbol_flags(**symbol).is_const_variable());
    constant.map(|(name, _)| Box::from(name.as_str())).collect()
}

fn has_use_strict(body: &FunctionBody<'_>) -> bool {
    body.directives.iter().any(|it| it.directive == "use strict")
}

fn plain_key(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

/// Whether a name can stand behind a dot.
pub(crate) fn is_identifier(name: &str) -> bool {
    oxc::syntax::identifier::is_identifier_name(name)
}

/// A JavaScript string literal.
pub(crate) fn quoted(text: &str) -> String {
    // JSON's strings are JavaScript's, but for two line separators that old engines did not take.
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '<' => out.push_str("\\x3c"),
            c if (c as u32) < 32 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A specifier with the `type` that its import asks for: the two together say which module is meant. The page's runtime puts
/// them together in the same way.
pub fn with_type(specifier: &str, kind: Option<&str>) -> String {
    kind.map_or_else(|| specifier.to_owned(), |it| format!("{specifier}{WITH}{it}"))
}

/// What [`with_type`] put together.
pub fn without_type(specifier: &str) -> (&str, Option<&str>) {
    specifier.split_once(WITH).map_or((specifier, None), |(specifier, kind)| (specifier, Some(kind)))
}

const WITH: &str = " with ";
