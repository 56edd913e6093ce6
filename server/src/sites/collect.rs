//! From a syntax tree to sites: one walk that finds every function, decides where its guard and its scope's hook can stand,
//! and notes the text operations that instrument the source.
//!
//! A function for which no guard or hook can stand is no site: its text belongs to the site around it.

mod hooks;

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
use super::params::{self, Args, Body, Header};
use super::{Access, Bind, Home, Reach, Scope, SiteId, SiteKind};
use hooks::{DECLARED, HookUse, ScopeHook, USED, hook_number, with_hooks};

/// One text operation: `start..end` of the source is replaced by `text`.
///
/// In `text`, `\u{1}N\u{2}` stands for the id of site number N of this walk, `\u{3}N\u{2}` for the condition of its guard,
/// `\u{4}name\u{2}` marks the end of a hook's declaration, `\u{5}A\u{6}B\u{2}` is A when the module is loaded, B in a patch, and `\u{f}\u{2}` is
/// a last argument that says which revision the code is of.
#[derive(Debug, Clone)]
pub struct Op {
    pub start: u32,
    pub end: u32,
    pub order: Order,
    pub text: String,
}

impl Op {
    /// Where a site starts and ends, for whoever asks for the text of a function.
    pub const SITE: &'static str = "\u{10}";
    pub const SITE_END: &'static str = "\u{11}";
}

/// Which of several operations at one place comes first: what closes (inner first), what opens (outer first), replacements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(u8, i64);

impl Order {
    pub(super) fn close(depth: u32) -> Order {
        Order(0, -2 * i64::from(depth))
    }
    pub(super) fn open(depth: u32) -> Order {
        Order(1, 2 * i64::from(depth))
    }
    pub(super) fn replace() -> Order {
        Order(2, 0)
    }
    /// Around all that a site of this depth opens and closes itself.
    fn site(depth: u32) -> Order {
        Order(1, 2 * i64::from(depth) - 1)
    }
    fn site_end(depth: u32) -> Order {
        Order(0, 1 - 2 * i64::from(depth))
    }
    /// Behind everything else that closes at a place.
    pub fn last_close() -> Order {
        Order(0, i64::MAX)
    }
}

/// The hook that the function of a patch was made with, in the code of the patch.
const OUTER_HOOK: &str = "$cap_h";

impl Op {
    pub fn insert(at: u32, order: Order, text: impl Into<String>) -> Op {
        Op { start: at, end: at, order, text: text.into() }
    }
    pub fn replace(start: u32, end: u32, text: String) -> Op {
        Op { start, end, order: Order::replace(), text }
    }
}

/// A function as the walk found it. Positions are bytes in the walked text.
#[derive(Debug)]
pub struct RawSite {
    pub parent: Option<usize>,
    pub kind: SiteKind,
    pub access: Access,
    pub is_async: bool,
    pub is_generator: bool,
    pub name: String,
    pub has_own_name: bool,
    pub span: Span,
    /// The parameter list, and where the body starts.
    pub params: Span,
    pub body: u32,
    /// Its own scope, and a number for the kind of hook that it has: set when the walk ends, as `scope` is.
    own: ScopeId,
    pub hook: u64,
    /// The scope that it is made in, and what sites remember of it.
    around: ScopeId,
    pub scope: Arc<Scope>,
    pub level: u32,
    pub free: FxHashSet<Box<str>>,
    pub strict: bool,
    pub home: Home,
    /// No guard can stand here after all.
    pub dead: bool,
    /// A named function expression that calls itself by that name.
    pub self_name: Option<String>,
    /// Stands for this site in its parent's shell hash.
    pub mark: String,
    pub(crate) function_scope_depth: u32,
    depth: u32,
    /// For a class: what its text is made of.
    pub class: Option<RawClass>,
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
    scopes: FxHashMap<ScopeId, Arc<Scope>>,
    /// What stands for the scope around the walked function, which its wrapper makes.
    outer: Option<ScopeId>,
    /// What the walked declaration declares there: where the patch is made, the name is one of the scope around it.
    declared: Option<SymbolId>,
    /// For each loop around, innermost last: how many functions are around it, and from which depth on scopes belong to it.
    loops: Vec<(usize, u32)>,
    /// Variables that a function uses inside a loop, and those that functions in it use.
    looped: FxHashSet<SymbolId>,
    captured: FxHashSet<SymbolId>,
    /// Functions whose variables are reached by name, because an arrow in them needs an `eval` there.
    evals: FxHashSet<ScopeId>,
    privates: FxHashMap<ScopeId, Vec<Box<str>>>,
    /// The `#private` names of the classes around that are part of a function's or class's text.
    inner_privates: Vec<Vec<Box<str>>>,
    callee: Option<u32>,
    shorthand: Option<u32>,
    typeof_operand: Option<u32>,
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
    /// Classes in this scope whose hook variable is declared here.
    classes: Vec<String>,
    /// For a class frame: the instance field is wanted.
    in_field: bool,
}

#[derive(Debug, Default)]
struct FunctionState {
    is_arrow: bool,
    /// What arrows in here can use; `None` for an arrow itself.
    home: Option<Home>,
    uses_arguments: bool,
    uses_super: bool,
    uses_new_target: bool,
    uses_self: bool,
    id_symbol: Option<SymbolId>,
    in_params: bool,
    params_clash: bool,
    functions_in_params: bool,
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
            outer: None,
            declared: None,
            loops: Vec::new(),
            looped: FxHashSet::default(),
            captured: FxHashSet::default(),
            evals: FxHashSet::default(),
            privates: FxHashMap::default(),
            inner_privates: Vec::new(),
            callee: None,
            shorthand: None,
            typeof_operand: None,
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
            let scope = self.scope_arc(self.sites[number].around);
            let site = &mut self.sites[number];
            site.scope = scope;
            site.hook = hooks.get(&site.own).copied().unwrap_or_default();
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

    /// Whether the hook of its function leaves a variable out.
    fn is_hidden(&self, symbol: SymbolId) -> bool {
        self.looped.contains(&symbol) && !self.captured.contains(&symbol)
    }

    /// The scope as sites of it will remember it.
    fn scope_arc(&mut self, id: ScopeId) -> Arc<Scope> {
        if self.outer == Some(id) {
            return Arc::clone(&self.base.scope);
        }
        if let Some(known) = self.scopes.get(&id) {
            return Arc::clone(known);
        }
        let Some(parent) = self.scoping.scope_parent_id(id) else {
            let scope = if self.base.is_function { Arc::clone(&self.base.scope) } else { self.root_scope(id) };
            self.scopes.insert(id, Arc::clone(&scope));
            return scope;
        };
        let parent = self.scope_arc(parent);
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
            let names = bindings.iter().map(|(name, symbol)| (Box::from(name.as_str()), bind(*symbol))).collect();
            Arc::new(Scope { parent: Some(parent), names, constants: constants(self.scoping, id), privates, reach })
        };
        self.scopes.insert(id, Arc::clone(&scope));
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

    fn level_at(&self, frame: usize) -> u32 {
        let n = self.frames[..=frame]
            .iter()
            .filter(|it| {
                matches!(it.kind, FrameKind::Function { .. } | FrameKind::Block { .. } | FrameKind::Wrapped { .. })
            })
            .count();
        self.base.level + u32::try_from(n).unwrap_or(0)
    }

    /// The expression that names the hook for a function created here; notes that the hook is needed.
    fn find_hook(&mut self, is_arrow: bool) -> Option<String> {
        self.find_hook_below(self.frames.len(), is_arrow)
    }

    fn find_hook_below(&mut self, top: usize, is_arrow: bool) -> Option<String> {
        for index in (0..top).rev() {
            let frame = &self.frames[index];
            match &frame.kind {
                FrameKind::Opaque => return None,
                FrameKind::Base => {
                    return Some(match self.base.flavour {
                        Flavour::Classic(_) => format!("{}.s", self.base.flavour.guards()),
                        _ => "$cap_s0".to_owned(),
                    });
                }
                FrameKind::Function { .. } => return Some(self.hook_at(index)),
                FrameKind::Block { .. } if frame.has_bindings => return Some(self.hook_at(index)),
                FrameKind::Block { .. } | FrameKind::Wrapped { .. } => {}
                FrameKind::Head if !frame.has_bindings => {}
                FrameKind::Head => {
                    let body = index + 1;
                    let fits = body < top
                        && matches!(self.frames[body].kind, FrameKind::Block { .. } | FrameKind::Wrapped { .. });
                    return fits.then(|| self.hook_at(body));
                }
                FrameKind::Field { class, is_static } => {
                    let (class, is_static) = (*class, *is_static);
                    if is_arrow && !is_static {
                        let hook = self.class_hook(class)?;
                        self.frames[class].hook.get_or_insert_default().in_field = true;
                        return Some(format!("this.#{}", hook.replace("$cap_k", "$cap_f")));
                    }
                    return self.class_hook(class);
                }
                FrameKind::Class { .. } => return self.class_hook(index),
            }
        }
        None
    }

    /// The variable that a class's static block fills with the hook of the class's scope.
    fn class_hook(&self, frame: usize) -> Option<String> {
        match &self.frames[frame].kind {
            FrameKind::Class { name } => name.clone(),
            _ => None,
        }
    }

    /// Declares the variable for the hook of a class that stands here; `false` if there is no place for it.
    fn declare_class_hook(&mut self, name: &str) -> bool {
        let around = (0..self.frames.len()).rev().find(|it| {
            let it = &self.frames[*it];
            match it.kind {
                FrameKind::Block { .. } | FrameKind::Wrapped { .. } => it.has_bindings || it.hook.is_some(),
                FrameKind::Head => it.has_bindings,
                _ => true,
            }
        });
        let Some(around) = around else { return false };
        let around = match self.frames[around].kind {
            FrameKind::Base => {
                self.seen.base_classes.push(name.to_owned());
                return true;
            }
            FrameKind::Head => {
                let body = around + 1;
                let fits = body < self.frames.len()
                    && matches!(self.frames[body].kind, FrameKind::Block { .. } | FrameKind::Wrapped { .. });
                if !fits {
                    return false;
                }
                body
            }
            FrameKind::Function { .. } | FrameKind::Block { .. } | FrameKind::Wrapped { .. } => around,
            _ => return false,
        };
        self.frames[around].hook.get_or_insert_default().classes.push(name.to_owned());
        true
    }

    /// The frame of the function that a frame belongs to; `None` outside of functions and straight in classes.
    fn function_around(&self, frame: usize) -> Option<usize> {
        let is_own = |it: &FrameKind| {
            matches!(
                it,
                FrameKind::Base | FrameKind::Function { .. } | FrameKind::Class { .. } | FrameKind::Field { .. }
            )
        };
        let index = (0..=frame).rev().find(|it| is_own(&self.frames[*it].kind))?;
        matches!(self.frames[index].kind, FrameKind::Function { .. }).then_some(index)
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

    fn function<'f, 'a>(&mut self, entry: Entry<'f, 'a>) {
        self.depth += 1;
        let is_arrow = entry.kind == SiteKind::Arrow;
        let is_root = self.base.is_function && self.site_stack.is_empty();
        for function in &mut self.functions {
            function.functions_in_params |= function.in_params;
        }
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
        let strict = self.scoping.scope_flags(entry.scope).is_strict_mode() || self.base.strict;
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
                name: entry.name.clone(),
                has_own_name: entry.kind == SiteKind::Expression && entry.id.is_some(),
                span: entry.span,
                params: entry.params.span,
                body: entry.body.start(),
                own: entry.scope,
                hook: 0,
                around,
                scope: Arc::default(),
                level,
                free: FxHashSet::default(),
                strict,
                home,
                dead: false,
                self_name: None,
                mark: entry.mark.clone(),
                function_scope_depth: self.depths[entry.scope.index()],
                depth: self.depth,
                class: None,
            });
            self.sites.len() - 1
        });
        if let Some(number) = number {
            self.site_stack.push(number);
        } else if hook.is_none() {
            self.disabled += 1;
        }
        let root_class = self.base.is_function && self.site_stack.len() == 1;
        self.functions.push(FunctionState {
            is_arrow,
            home: Home::of(entry.kind),
            id_symbol: entry.id.filter(|_| entry.kind == SiteKind::Expression).and_then(|it| it.symbol_id.get()),
            body_start: entry.body.start(),
            scope: Some(entry.scope),
            strict,
            in_params: true,
            is_root_constructor: is_constructor && hook.is_some() && root_class,
            ..FunctionState::default()
        });
        self.opaque(|it| it.visit_formal_parameters(entry.params));
        if let Some(state) = self.functions.last_mut() {
            state.in_params = false;
        }
        let outer = if is_root { OUTER_HOOK.to_owned() } else { hook.clone().unwrap_or_default() };
        self.frames.push(Frame { scope: Some(entry.scope), ..Frame::new(FrameKind::Function { outer }) });
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

    /// An arrow uses a word of the function around it that is no variable: its patches have to be evaluated right there.
    fn stands_on_its_place(&mut self, is_root: bool) {
        if is_root {
            self.seen.needs_place |= self.cells_around() > 0;
            return;
        }
        let function = self.function_around(self.frames.len() - 1).and_then(|it| self.frames[it].scope);
        self.evals.extend(function);
    }

    /// A constructor asks whether its own class has a newer one: other classes of the same text may lack it.
    fn constructor_guard(&mut self, entry: &Entry<'_, '_>, state: &FunctionState, hook: &str, hook_text: &str) {
        let header = self.header(entry, state);
        let class = self.site_stack.last().copied().unwrap_or_default();
        let derived = entry.kind == SiteKind::DerivedConstructor;
        if state.is_root_constructor {
            let head = if derived { "const $cap_t=$cap_g.t();" } else { "super($cap_g.t());" };
            let head = head.replace("$cap_g", &self.base.flavour.guards());
            only_hook(&header, self.depth, &(head + hook_text), &mut self.ops);
            return;
        }
        let fixed = self.sites[class].class.as_ref().is_none_or(|it| it.fixed);
        let (guard, call) = self.construct_call(class, hook, derived);
        let guard = move |args: &Args| (guard.clone(), call.replace("$cap_a", &args.list()));
        if fixed || !params::write(&header, self.depth, &guard, hook_text, &mut self.ops) {
            only_hook(&header, self.depth, hook_text, &mut self.ops);
        }
    }

    /// The condition of a constructor's guard, and the call when it holds; `$cap_a` stands for the arguments.
    fn construct_call(&self, class: usize, hook: &str, derived: bool) -> (String, String) {
        let this = if derived { "(...$cap_b)=>super(...$cap_b)" } else { "this" };
        let guards = self.base.flavour.guards();
        (format!("\u{3}{class}\u{2}&&{hook}.c"), format!("{guards}.n({hook},$cap_a,{this},new.target)"))
    }

    fn header<'h, 'a>(&self, entry: &Entry<'h, 'a>, state: &FunctionState) -> Header<'h, 'a>
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
            functions_in_params: state.functions_in_params,
        }
    }

    fn guard(
        &mut self,
        number: usize,
        entry: &Entry<'_, '_>,
        state: &FunctionState,
        is_root: bool,
        hook: String,
        hook_text: &str,
    ) {
        let site = &mut self.sites[number];
        if state.uses_self {
            site.self_name = entry.id.map(|it| it.name.to_string());
        }
        if entry.kind == SiteKind::ObjectMethod && state.uses_super && !is_root {
            site.dead = true;
        }
        // A `super` of an object's method reaches through the object, which the hook can't name.
        let header = self.header(entry, state);
        if is_root || self.sites[number].dead {
            only_hook(&header, self.depth, hook_text, &mut self.ops);
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
        let yields = if entry.is_generator { "yield* " } else { "" };
        let guard = move |args: &Args| {
            (
                format!("\u{3}{number}\u{2}"),
                format!("{yields}{guards}.c(\u{1}{number}\u{2},{hook}{tail}){}", args.call("this", is_arrow)),
            )
        };
        let written = params::write(&header, self.depth, &guard, hook_text, &mut self.ops);
        if !written {
            only_hook(&header, self.depth, hook_text, &mut self.ops);
            self.sites[number].dead = true;
        }
    }

    fn reference(&mut self, name: &str, span: Span, symbol: Option<SymbolId>) {
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
        if let Some(function) = self.functions.last_mut()
            && function.in_params
            && let Some(symbol) = symbol
            && Some(self.scoping.symbol_scope_id(symbol)) == function.scope
            && self.scoping.symbol_span(symbol).start >= function.body_start
        {
            function.params_clash = true;
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
                let in_overlay =
                    !self.base.is_function && symbol.is_some_and(at_top) && self.base.overlay.contains(name);
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
    fn note_use(&mut self, symbol: SymbolId) {
        let declared = self.depths[self.scoping.symbol_scope_id(symbol).index()];
        let Some(function) = self.functions.last().and_then(|it| it.scope) else { return };
        if declared < self.depths[function.index()] {
            self.captured.insert(symbol);
        } else if self.loops.last().is_some_and(|it| it.0 == self.functions.len() && declared < it.1) {
            self.looped.insert(symbol);
        }
    }

    /// The expression for a variable of a function around the walked one.
    fn cell(&mut self, place: u32, name: &str) -> String {
        self.seen.cells.entry(place).or_default().insert(name.to_owned());
        format!("$cap_x{place}._{name}")
    }

    /// What stands for a name, as its place takes it.
    fn form(&self, name: &str, span: Span, text: String) -> String {
        // Where semicolons are left out, a parenthesis at the start of a line would go on with the line before.
        let lead = if self.seen.starts.last() == Some(&span.start) { "0," } else { "" };
        let is_member = text.contains(['.', '[']);
        let text = if self.callee == Some(span.start) && is_member { format!("{lead}(0,{text})") } else { text };
        if self.shorthand == Some(span.start) && text != name { format!("{name}:{text}") } else { text }
    }

    /// A name that the text does not declare.
    fn global(&mut self, name: &str, span: Span) {
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
                self.ops.push(Op::replace(span.start, span.end, "globalThis".to_owned()));
                return;
            }
            _ => {}
        }
        if self.typeof_operand != Some(span.start) && !self.seen.unresolved.contains(name) {
            self.seen.unresolved.insert(Box::from(name));
        }
    }

    fn at_top_level(&self) -> bool {
        self.functions.iter().all(|it| it.is_arrow)
            && !self.frames.iter().any(|it| matches!(it.kind, FrameKind::Field { .. }))
    }

    pub(super) fn named<'a>(&mut self, name: String, value: &Expression<'a>) {
        self.label = gives_name(value).then_some(name);
        self.visit_expression(value);
        self.label = None;
    }

    /// A function that becomes async, or stops being so, stays what it is for the text around it, but in a class: its constructor has
    /// to be another one for new objects to get another function.
    fn makes_fields(&self) -> bool {
        self.site_stack.last().is_some_and(|it| self.sites[*it].class.is_some())
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

    fn class_site<'a>(&mut self, it: &Class<'a>, label: String, parts: RawClass) {
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
            has_own_name: !is_declaration && own.is_some(),
            mark: format!("Class{declared}"),
            name: own.unwrap_or(label),
            span: it.span,
            params: it.body.span,
            body: it.body.span.start,
            own: it.scope_id(),
            hook: 0,
            around,
            scope: Arc::default(),
            level: self.level_at(self.frames.len() - 1),
            free: FxHashSet::default(),
            strict: true,
            home,
            dead: false,
            self_name: None,
            function_scope_depth: self.depths[it.scope_id().index()],
            depth: self.depth + 1,
            class: Some(parts),
        });
    }

    /// What stands at the start of a class's body.
    fn class_text(&self, number: usize, hook: &str, is_root: bool, wants_field: bool) -> String {
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
            text.push_str(&format!("#{}=$cap_c=>eval($cap_c);", hook.replace("$cap_k", "$cap_f")));
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

    fn field<'a>(&mut self, field: &PropertyDefinition<'a>, class: usize, is_root: bool) {
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
    fn grow(&mut self, name: &PrivateIdentifier<'_>, object: Span) {
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
    fn private_field(&mut self, field: &PropertyDefinition<'_>) {
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

    fn class_member<'a>(&mut self, method: &MethodDefinition<'a>, derived: bool) {
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

    fn method<'a>(&mut self, function: &Function<'a>, span: Span, kind: SiteKind, access: Access, name: String) {
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

/// Whether a `var` or function in the body has a parameter's name: then the parameters can't move into the body's scope.
fn body_redeclares(scoping: &Scoping, entry: &Entry<'_, '_>) -> bool {
    let body = entry.body.start();
    scoping.get_bindings(entry.scope).iter().any(|(_, symbol)| {
        let declared = scoping.symbol_span(*symbol).start;
        declared < body && scoping.symbol_redeclarations(*symbol).iter().any(|it| it.span.start >= body)
    })
}

/// The hook of a function without a guard.
fn only_hook(header: &Header<'_, '_>, depth: u32, hook: &str, ops: &mut Vec<Op>) {
    if hook.is_empty() {
        return;
    }
    match &header.body {
        Body::Block(block) => {
            let (at, lead) = match block.directives.last() {
                Some(directive) => (directive.span.end, ";"),
                None => (block.span.start + 1, ""),
            };
            ops.push(Op::insert(at, Order::open(depth), format!("{lead}{hook}")));
        }
        Body::Expression(expression) => {
            let span = expression.span();
            ops.push(Op::insert(span.start, Order::open(depth), format!("{{{hook}return (")));
            ops.push(Op::insert(span.end, Order::close(depth), ")}"));
        }
    }
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
        let label = self.take_label();
        let number = self.sites.len();
        let name = self.base.flavour.class_hook(&format!("\u{1}{number}\u{2}"));
        let is_root = self.base.is_function && self.site_stack.is_empty();
        let parts = class::parts(it, self.source, &|key| self.is_constant(key)).filter(|_| self.disabled == 0);
        let parts = parts.filter(|_| is_root || self.declare_class_hook(&name));
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
                        strict: true,
                        home: Some(Home::Method),
                        ..FunctionState::default()
                    });
                    self.frames.push(Frame::new(FrameKind::Opaque));
                    walk::walk_static_block(self, block);
                    self.frames.pop();
                    self.functions.pop();
                }
                other => self.opaque(|me| walk::walk_class_element(me, other)),
            }
        }
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
        self.reference(it.name.as_str(), it.span, symbol);
    }

    fn visit_this_expression(&mut self, it: &ThisExpression) {
        if !self.at_top_level() {
            return;
        }
        // In a patch it is an arrow's, whose `this` is that of the place where it was made.
        let is_nobodys = !self.base.is_function || self.base.home == Home::Nowhere;
        if self.base.flavour == Flavour::Esm && is_nobodys {
            self.ops.push(Op::replace(it.span.start, it.span.end, "(void 0)".to_owned()));
        } else if self.base.is_function && self.cells_around() > 0 {
            let text = self.cell(0, "this");
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
        self.seen.has_top_level_await |= self.functions.is_empty();
        walk::walk_await_expression(self, it);
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
        if text == "process.env.NODE_ENV" && self.is_global_object(&it.object) {
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
                if callee.name == "eval" && self.is_unresolved(callee) {
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
        if let Some(init) = &it.init {
            let name = match &it.id {
                BindingPattern::BindingIdentifier(id) => id.name.to_string(),
                _ => String::new(),
            };
            self.named(name, init);
        }
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
        walk::walk_while_statement(self, it);
        self.loops.pop();
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.enter_loop(None);
        walk::walk_do_while_statement(self, it);
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
        self.push(FrameKind::Head, Some(it.scope_id()));
        self.visit_expression(&it.right);
        self.enter_loop(Some(it.scope_id()));
        self.visit_for_statement_left(&it.left);
        self.loop_body(&it.body);
        self.loops.pop();
        self.frames.pop();
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.seen.has_top_level_await |= it.r#await && self.functions.is_empty();
        self.push(FrameKind::Head, Some(it.scope_id()));
        self.visit_expression(&it.right);
        self.enter_loop(Some(it.scope_id()));
        self.visit_for_statement_left(&it.left);
        self.loop_body(&it.body);
        self.loops.pop();
        self.frames.pop();
    }

    fn visit_catch_clause(&mut self, it: &CatchClause<'a>) {
        self.push(FrameKind::Head, Some(it.scope_id()));
        if let Some(param) = &it.param {
            self.visit_catch_parameter(param);
        }
        self.visit_block_statement(&it.body);
        self.frames.pop();
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.visit_expression(&it.discriminant);
        let has_bindings = !self.scoping.get_bindings(it.scope_id()).is_empty();
        if has_bindings {
            self.frames.push(Frame { scope: Some(it.scope_id()), ..Frame::new(FrameKind::Opaque) });
            self.visit_switch_cases(&it.cases);
            self.frames.pop();
        } else {
            self.visit_switch_cases(&it.cases);
        }
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'a>) {
        self.names_are_dynamic();
        self.visit_expression(&it.object);
        self.opaque(|me| me.visit_statement(&it.body));
    }
}

impl Collector<'_> {
    /// What follows runs again and again. `scope`: that of the loop's head, if it has one.
    fn enter_loop(&mut self, scope: Option<ScopeId>) {
        let around = || self.frames.iter().rev().find_map(|it| it.scope).map_or(0, |it| self.depths[it.index()] + 1);
        let depth = scope.map_or_else(around, |it| self.depths[it.index()]);
        self.loops.push((self.functions.len(), depth));
    }

    fn loop_body<'a>(&mut self, body: &Statement<'a>) {
        if matches!(body, Statement::BlockStatement(_)) {
            self.visit_statement(body);
            return;
        }
        let span = body.span();
        self.push(FrameKind::Wrapped { start: span.start, end: span.end }, None);
        self.depth += 1;
        self.visit_statement(body);
        self.depth -= 1;
        self.pop();
    }

    /// What a call gathers by a pattern. One that has other arguments than literals says when it runs that it cannot.
    fn collection(&self, it: &CallExpression<'_>) -> Option<Collection> {
        let Expression::StaticMemberExpression(callee) = &it.callee else { return None };
        match (&callee.object, callee.property.name.as_str()) {
            (Expression::Identifier(object), "context") if object.name == "require" && self.is_unresolved(object) => {
                Collection::of_require(it)
            }
            (Expression::ImportMeta(_), "webpackContext") => Collection::of_webpack_context(it),
            (Expression::ImportMeta(_), "glob") => Collection::of_glob(it),
            _ => None,
        }
        .filter(|_| !matches!(self.base.flavour, Flavour::Classic(_)))
    }

    fn gather(&mut self, span: Span, collection: Collection) {
        let text = self.text(span);
        self.seen.uses_cjs |= text.starts_with("require");
        self.seen.uses_import_meta |= text.starts_with("import");
        let lines = "\n".repeat(text.matches('\n').count());
        let key = quoted(&collection.key());
        self.ops.push(Op::replace(span.start, span.end, format!("$cap_m.gathered({key}{lines})")));
        if !self.seen.collections.contains(&collection) {
            self.seen.collections.push(collection);
        }
    }

    /// Direct `eval` or `with`: what a name means in the functions around is known only there.
    fn names_are_dynamic(&mut self) {
        self.seen.dynamic_scope = true;
        let functions = self.frames.iter().filter(|it| matches!(it.kind, FrameKind::Function { .. }));
        self.evals.extend(functions.filter_map(|it| it.scope));
        self.seen.needs_place |= self.base.is_function && self.cells_around() > 0;
    }

    /// The constructor that takes over reaches the one above through the call that it takes over.
    fn super_call(&mut self, it: &CallExpression<'_>) {
        let arrows = self.functions.iter().rev().take_while(|it| it.is_arrow).count();
        let around = self.functions.len().checked_sub(arrows + 1);
        if !around.is_some_and(|it| self.functions[it].is_root_constructor) {
            return;
        }
        if let Some(at) = params::find_char(self.source, it.callee.span().end, it.span.end, b'(') {
            let comma = if it.arguments.is_empty() { "" } else { "," };
            self.ops.push(Op::insert(at + 1, Order::open(self.depth), format!("$cap_t{comma}")));
        }
    }

    fn is_unresolved(&self, it: &IdentifierReference<'_>) -> bool {
        let resolved = it.reference_id.get().is_some_and(|id| self.scoping.get_reference(id).symbol_id().is_some());
        !(resolved || self.base.is_function && self.base.scope.lookup(it.name.as_str()).is_some())
    }

    /// Whether `process.env`'s `process` is nobody's variable.
    fn is_global_object(&self, env: &Expression<'_>) -> bool {
        match env {
            Expression::StaticMemberExpression(member) => match &member.object {
                Expression::Identifier(it) => self.is_unresolved(it),
                _ => false,
            },
            _ => false,
        }
    }
}

/// What only bundlers and Node have, also in ES modules.
fn is_of_cjs(object: &str, property: &str) -> bool {
    match object {
        "module" => property == "hot",
        "require" => matches!(property, "resolve" | "cache" | "context" | "main"),
        _ => false,
    }
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

/// `css` of `{ with: { type: "css" } }`.
fn type_of<'e>(options: &'e Expression<'_>) -> Option<&'e str> {
    let property = |object: &'e Expression<'_>, name: &str| match object {
        Expression::ObjectExpression(it) => it.properties.iter().find_map(|it| match it {
            ObjectPropertyKind::ObjectProperty(it) if it.key.is_specific_static_name(name) => Some(&it.value),
            _ => None,
        }),
        _ => None,
    };
    match property(property(options, "with")?, "type")? {
        Expression::StringLiteral(it) => Some(it.value.as_str()),
        _ => None,
    }
}
