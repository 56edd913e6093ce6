//! Compiles one function alone, from its own text and what was known of the place it stands in.

use std::sync::Arc;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ClassElement, Expression, Function as FunctionNode, ObjectPropertyKind, Program, PropertyKey, Statement,
};
use oxc::ast_visit::Visit;
use oxc::parser::{Parser, config::TokensParserConfig};
use oxc::semantic::SemanticBuilder;
use oxc::span::{GetSpan, SourceType, Span};
use rustc_hash::FxHashMap;

use super::Problem;
use super::depth::with_room;
use super::early;
use super::emit::{self, Mode};
use crate::sites::class::{Key, RawClass};
use crate::sites::collect::{Base, Collector, Flavour, is_identifier, quoted};
use crate::sites::collection::Collection;
use crate::sites::diff::{self, Ids};
use crate::sites::jsx::Jsx;
use crate::sites::params::past_word;
use crate::sites::{Access, Bind, Code, Home, Rev, Scope, Site, SiteId, SiteKind, tree};

/// The place a function stands in.
pub struct Context<'c> {
    pub flavour: Flavour,
    /// The site as it was: its kind and name must stay for the function to be compiled alone.
    pub old: &'c Site,
    /// The revision that the code will be.
    pub rev: Rev,
    pub jsx: &'c Jsx,
    /// The `#private` names of the classes around that objects may lack.
    pub late: FxHashMap<Box<str>, SiteId>,
}

/// A compiled function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its tree, identities adopted; `start` is that of the old site.
    pub site: Site,
    pub code: Code,
    /// Bytes that the code has before the first byte of the function's text: what the first line is off by.
    pub lead: u32,
    /// Bytes of the text that stand before the function itself: the word `static`.
    pub skipped: u32,
    /// Names that nothing on the server declares: the page has to have them.
    pub unresolved: Vec<Box<str>>,
    /// For a class: the class that takes over the constructor and the fields, if they changed.
    pub construct: Option<Construct>,
    /// For a class: the `#private` names that classes made earlier may lack.
    pub privates: Vec<LatePrivate>,
    /// Calls that gather modules by a pattern.
    pub collections: Vec<Collection>,
}

/// A part of what a `#private` name stands for.
#[derive(Debug, Clone)]
pub struct LatePrivate {
    pub name: String,
    pub is_static: bool,
    pub since: Rev,
    pub gaps: Vec<(Rev, Rev)>,
    /// An element of a class's body.
    pub code: String,
    /// Where it stands: lines from the start of the class, and characters from the start of the line.
    pub line: u32,
    pub column: u32,
}

/// New code for the constructor and the fields of instances of a class.
#[derive(Debug, Clone)]
pub struct Construct {
    /// Classes whose text is of this revision or a later one have it already.
    pub rev: Rev,
    /// An expression that gives a class when it is evaluated in the class's scope.
    pub code: String,
    /// The names of the public fields that it makes.
    pub fields: Vec<String>,
}

/// Compiles `text` as the new text of `context.old`.
///
/// # Errors
/// A [`Problem`] when the text is not one function of the same kind and name: positions are bytes of `text`.
pub fn compile_function(text: &str, context: &Context<'_>, ids: &mut Ids) -> Result<Function, Problem> {
    if text.contains("$cap_") {
        return Err(needs_place(text));
    }
    let mut late = context.late.clone();
    loop {
        // Which names of a class are new is known when its text has been compared with the old one.
        late.extend(context.old.late_privates().map(|it| (it.name.clone(), context.old.id)));
        let mut numbered = ids.clone();
        let function = with_room(text, || compile(text, context, &mut numbered, late.clone()))??;
        let new: Vec<_> = function.site.late_privates().filter(|it| !late.contains_key(&it.name)).collect();
        if new.is_empty() {
            *ids = numbered;
            return Ok(function);
        }
        late.extend(new.into_iter().map(|it| (it.name.clone(), function.site.id)));
    }
}

fn compile(
    text: &str,
    context: &Context<'_>,
    ids: &mut Ids,
    late: FxHashMap<Box<str>, SiteId>,
) -> Result<Function, Problem> {
    let old = context.old;
    let strict_around = old.strict && !old.says_strict;
    let (prefix, suffix) = wrapper(old, strict_around);
    let source = format!("{prefix}{text}{suffix}");
    let shift = prefix.len() as u32;
    let span = Span::new(shift, shift + text.len() as u32);
    let allocator = Allocator::default();
    let source_type =
        if strict_around && context.flavour == Flavour::Esm { SourceType::mjs() } else { SourceType::script() };
    let parser = Parser::new(&allocator, &source, source_type.with_jsx(true)).with_options(early::strictly());
    let parsed = parser.with_config(TokensParserConfig).parse();
    let here = |it: Problem| it.moved(-i64::from(shift));
    if let Some(first) = parsed.diagnostics.iter().next() {
        return Err(here(Problem::from_oxc(first)));
    }
    let semantic = SemanticBuilder::new_compiler().with_check_syntax_error(true).build(&parsed.program);
    if let Some(first) = semantic.diagnostics.iter().next() {
        return Err(here(Problem::from_oxc(first)));
    }
    if let Some(problem) = early::problem(&parsed.program) {
        return Err(here(problem));
    }
    let scoping = semantic.semantic.scoping();
    let base = Base {
        flavour: context.flavour,
        scope: Arc::clone(&old.scope),
        level: old.level,
        strict: strict_around,
        home: old.home,
        is_function: true,
        jsx: context.jsx.clone(),
        overlay: ids.overlay().clone(),
        late,
    };
    let mut collector = Collector::new(&source, scoping, base);
    if !walk_root(&mut collector, &parsed.program, old, span) {
        return Err(Problem {
            message: "this is no longer one function of the same kind and name".to_owned(),
            start: 0,
            end: text.len() as u32,
        });
    }
    if collector.seen.needs_place {
        return Err(needs_place(text));
    }
    collector.finish();
    let built = tree::build(&source, &parsed.tokens, &collector.sites, &[], &collector.seen, span.start, span.end);
    let root = &collector.sites[0];
    let in_parentheses = matches!(
        (old.kind, root.kind),
        (SiteKind::Declaration, SiteKind::Expression) | (SiteKind::Class, SiteKind::ClassExpression)
    );
    let anonymous = in_parentheses && old.name.is_empty();
    let is_same = (root.kind == old.kind || anonymous)
        && root.access == old.access
        && (root.is_async == old.is_async || root.is_async && !root.is_generator)
        && root.is_generator == old.is_generator
        && root.uses_super == old.uses_super
        && root.says_strict == old.says_strict
        && built.root.children.first().is_some_and(|it| it.class.made == old.class.made)
        && match old.kind {
            SiteKind::Arrow => true,
            SiteKind::Expression => root.has_own_name == old.has_own_name,
            SiteKind::ClassExpression => root.has_own_name == old.has_own_name,
            _ => root.name == old.name,
        };
    let Some(mut site) = built.root.children.into_iter().next().filter(|_| is_same) else {
        return Err(Problem {
            message: "this is no longer one function of the same kind and name".to_owned(),
            start: 0,
            end: text.len() as u32,
        });
    };
    // The last one to use a variable: the hook around would leave it out in a fresh load.
    let is_let_go = |name: &str| {
        matches!(old.scope.find(name), Some((Some(_), Bind::Kept)))
            && site.free.binary_search_by(|it| (**it).cmp(name)).is_err()
    };
    if old.free.iter().any(|it| is_let_go(it)) {
        return Err(needs_place(text));
    }
    site.start = old.start;
    site.scope = Arc::clone(&old.scope);
    site.level = old.level;
    site.kind = old.kind;
    (site.runs, site.lists, site.is_put) = (old.runs, old.lists, old.is_put);
    if !site.has_own_name && matches!(old.kind, SiteKind::Arrow | SiteKind::Expression | SiteKind::ClassExpression) {
        site.name.clone_from(&old.name);
    }
    diff::adopt(old, &mut site, ids);
    let mut numbers = Vec::new();
    site.walk(0, &mut |it, _| numbers.push(it.id));
    let mut by_raw = vec![0; collector.sites.len()];
    for (raw, id) in built.raw.iter().zip(&numbers) {
        by_raw[*raw] = *id;
    }
    emit::sort(&mut collector.ops);
    let guards = context.flavour.guards();
    let mode = Mode::Patch(context.rev);
    let part = |from: u32, to: u32| emit::emit(&source, &collector.ops, from, to, &by_raw, &guards, mode);
    let mut unresolved: Vec<Box<str>> = std::mem::take(&mut collector.seen.unresolved).into_iter().collect();
    unresolved.sort_unstable();
    let collections = std::mem::take(&mut collector.seen.collections);
    if let Some(class) = &root.class {
        let parts = Parts { source: &source, class, site: &site, ids: &by_raw, collector: &collector };
        let (code, construct, privates) = (parts.members(&part), parts.construct(&part), parts.privates(&part));
        // The code is made of pieces, each where it stands: nothing has to be put in front of it.
        // The members are not the whole class.
        let text = code + &emit::remark(&source, &collector.ops, span.start, span.end, &by_raw);
        let code = Code { text, how: "class", cells: None };
        return Ok(Function { site, code, lead: u32::MAX, skipped: 0, unresolved, construct, privates, collections });
    }
    let name = if site.name.is_empty() || site.name.contains(['#', '(']) && !site.kind.is_class_member() {
        String::new()
    } else {
        site.name.clone()
    };
    let (mut head, mut tail) = envelope(&site, &name);
    let mut lead = head.len();
    let skipped = if site.kind == SiteKind::StaticMethod { past_word(text, 0, "static") } else { 0 };
    let body = match site.kind {
        SiteKind::Arrow => part(span.start, span.end),
        SiteKind::Constructor | SiteKind::DerivedConstructor => {
            part(root.params.start, root.params.end) + "=>" + &part(root.params.end, span.end)
        }
        _ => {
            lead = lead.saturating_sub((root.params.start - span.start) as usize);
            emit::headed(
                &source[(span.start + skipped) as usize..root.params.start as usize],
                &part(root.params.start, span.end),
            )
        }
    };
    let mut how = match site.kind {
        SiteKind::Arrow => "arrow",
        SiteKind::Constructor | SiteKind::DerivedConstructor => "derived",
        _ => "fn",
    };
    // An expression's own name is bound in no scope that a hook reaches: it has to be handed in. Functions in it may come to use it.
    let self_name = root.self_name.clone().or_else(|| {
        let has_inner = root.kind == SiteKind::Expression && root.has_own_name && !site.children.is_empty();
        has_inner.then(|| root.name.clone())
    });
    if let Some(callee) = self_name {
        // Its name can't be assigned: that throws in strict code, and does nothing elsewhere. A parameter of that name would take it.
        let (named, end) = if old.strict {
            (format!("$cap_f=>{{const {callee}=$cap_f;return "), "}")
        } else if root.assigns_self {
            (format!("$cap_f=>{{with({{__proto__:null,get {callee}(){{return $cap_f}}}})return "), "}")
        } else {
            (format!("{callee}=>"), "")
        };
        lead += named.len();
        head = named + &head;
        tail.push_str(end);
        how = "named";
    }
    if site.uses_super {
        let named = "$cap_p=>";
        lead += named.len();
        head.insert_str(0, named);
        how = "named";
    }
    let depth = old.scope.cells();
    let mut cells = None;
    if depth > 0 || collector.seen.uses_outer_hook {
        let takes: String = (0..depth).map(|it| format!(",$cap_x{it}")).collect();
        // It is made further out, where code may be sloppy.
        let says_strict = strict_around && context.flavour != Flavour::Esm;
        let (open, close) = if says_strict { ("{\"use strict\";return (", ")}") } else { ("(", ")") };
        let taking = format!("($cap_h{takes})=>{open}");
        lead += taking.len();
        head = taking + &head;
        tail.push_str(close);
        let mut used = collector.seen.cells;
        cells = Some((0..depth).map(|it| used.remove(&it).unwrap_or_default().into_iter().collect()).collect());
    }
    let code = Code { text: emit::amid(&head, &body, &tail, text), how, cells };
    Ok(Function {
        site,
        code,
        lead: lead as u32,
        skipped,
        unresolved,
        construct: None,
        privates: Vec::new(),
        collections,
    })
}

/// Why `text` is compiled as a part of the function around it.
pub(crate) fn needs_place(text: &str) -> Problem {
    let message = "this changes what the function around it keeps for it, so that function has to be compiled, too";
    Problem { message: message.to_owned(), start: 0, end: text.len() as u32 }
}

/// What a page makes of a class's text.
struct Parts<'p> {
    source: &'p str,
    class: &'p RawClass,
    site: &'p Site,
    ids: &'p [SiteId],
    collector: &'p Collector<'p>,
}

impl Parts<'_> {
    /// All members that can be put on a class that was made before, with those that came since the module was loaded.
    fn members(&self, part: &impl Fn(u32, u32) -> String) -> String {
        let id_at = |at: u32| {
            let found = self.collector.sites.iter().position(|it| it.span.start == at && it.class.is_none());
            found.map(|it| self.ids[it]).unwrap_or_default()
        };
        let mut keys = Vec::new();
        let mut late = Vec::new();
        for member in &self.class.members {
            let key = match &member.key {
                Key::Plain(key) => key.clone(),
                Key::Computed(span) => part(span.start, span.end),
                Key::Private => continue,
            };
            let id = id_at(member.span.start);
            let access = match member.access {
                Access::Plain => "value",
                Access::Get => "get",
                Access::Set => "set",
            };
            keys.push(format!("[{id},{},\"{access}\",{key}]", u8::from(member.is_static)));
            if self.site.children.iter().any(|it| it.id == id && it.born > 0) {
                late.push((member.span.start, member.span.end));
            }
        }
        let late = emit::pieces(self.source, self.class.body, &late, part);
        // Members of which only the code can change.
        let sites = self.collector.sites.iter().filter(|it| it.parent == Some(0) && it.kind.is_class_member());
        let others = sites.filter(|it| !self.class.has_member(it.span.start)).map(|it| id_at(it.span.start));
        // Those that are gone could not come back.
        let gone = self.site.ghosts.iter().filter(|it| it.kind.is_class_member() && !it.is_put).map(|it| it.id);
        let others: Vec<String> = others.chain(gone).map(|it| it.to_string()).collect();
        let hook = self.collector.base.flavour.class_hook(&self.site.id.to_string());
        let (keys, others) = (keys.join(","), others.join(","));
        format!("({{c:class{{{late}}},k:[{keys}],x:[{others}],h:$cap_h=>{{{hook}=$cap_h}}}})")
    }

    /// The `#private` names that classes made earlier may lack.
    fn privates(&self, part: &impl Fn(u32, u32) -> String) -> Vec<LatePrivate> {
        let guards = self.collector.base.flavour.guards();
        let start = self.class.made.first().map_or(self.class.body, |it| it.start);
        let place = |at: u32| {
            let before = &self.source[..at as usize];
            let line = self.source[start as usize..at as usize].matches('\n').count() as u32;
            (line, before.rsplit('\n').next().unwrap_or_default().chars().count() as u32)
        };
        let mut list = Vec::new();
        // Static fields come with the class.
        for raw in self.class.privates.iter().filter(|it| !it.is_static || it.field.is_none()) {
            let Some(late) = self.site.late_privates().find(|it| it.name == raw.name) else { continue };
            let name = raw.name.to_string();
            let code = match raw.field {
                // Those that exist already get the initial value when they are asked for it first.
                Some(Some(value)) => {
                    let text = part(value.start, value.end);
                    // Where it stands now, the field itself is called so.
                    let naming = format!("}}[{}]", quoted(&format!("#{name}")));
                    let text = text.replace(&format!("\u{c}{naming}\u{b}"), "");
                    let text = text.strip_suffix(&naming).unwrap_or(&text);
                    format!("#{name}={guards}.q()?{text}:void 0")
                }
                Some(None) => format!("#{name}"),
                None if raw.is_static => part(raw.span.start, raw.span.end).replacen("static", "      ", 1),
                None => part(raw.span.start, raw.span.end),
            };
            let (line, column) = place(raw.span.start);
            let (is_static, since, gaps) = (raw.is_static, late.since, late.gaps.clone());
            list.push(LatePrivate { name, is_static, since, gaps, code, line, column });
        }
        // Arrows in them are patched through a hook of the object's.
        let field = self.collector.base.flavour.class_hook(&self.site.id.to_string()).replace("$cap_k", "$cap_f");
        let used = format!("this.#{field}");
        let names_field =
            |code: &str| code.split(&used).skip(1).any(|rest| !rest.starts_with(|it: char| it.is_ascii_digit()));
        let hooked = list.iter().filter(|it| names_field(&it.code));
        let since = hooked.map(|it| it.gaps.last().map_or(it.since, |it| it.1)).max();
        if let Some(since) = since {
            let (code, gaps) = (format!("#{field}=$cap_c=>eval($cap_c)"), Vec::new());
            list.push(LatePrivate { name: field, is_static: false, since, gaps, code, line: 0, column: 0 });
        }
        list
    }

    /// The class that takes over the constructor and the fields.
    fn construct(&self, part: &impl Fn(u32, u32) -> String) -> Option<Construct> {
        if self.site.construct_rev == 0 || self.class.fixed {
            return None;
        }
        let guards = self.collector.base.flavour.guards();
        let kept: Vec<(u32, u32)> = self.class.construct.iter().map(|it| (it.start, it.end)).collect();
        let body = emit::pieces(self.source, self.class.body, &kept, part);
        let head = emit::expanded(&self.class.head, self.ids);
        let above = if self.class.derived { "d" } else { "b" };
        Some(Construct {
            rev: self.site.construct_rev,
            code: format!("(class extends {guards}.{above}{{{head}{body}}})"),
            fields: self.class.field_names.clone(),
        })
    }
}

/// What stands around a function's text so that it parses alone.
fn wrapper(site: &Site, strict: bool) -> (String, String) {
    let strict = if strict { "\"use strict\";" } else { "" };
    match site.kind {
        SiteKind::ObjectMethod => (format!("{strict}({{"), "})".to_owned()),
        kind if kind.is_class_member() => {
            let heritage = if kind == SiteKind::DerivedConstructor { " extends Object" } else { "" };
            // The method declares its own private name.
            let own = site.name.strip_prefix('#').unwrap_or("");
            let privates: String = privates(&site.scope, own).map(|it| format!("#{it};")).collect();
            (format!("{strict}(class{heritage}{{{privates}"), "})".to_owned())
        }
        _ => {
            // A declaration stands as itself: in parentheses its name would be a binding of its own. A default export may have none.
            let is_named = matches!(site.kind, SiteKind::Declaration | SiteKind::Class) && !site.name.is_empty();
            let (open, close) = if is_named { ("", "") } else { ("(", ")") };
            // The text may use the `#private` names of the classes around it, and an arrow the words of its home.
            let privates: String = privates(&site.scope, "").map(|it| format!("#{it};")).collect();
            let has_home = site.kind == SiteKind::Arrow || site.kind.is_class();
            let home = if has_home { site.home } else { Home::Nowhere };
            let (head, tail) = match home {
                Home::DerivedConstructor => (format!("(class extends Object{{{privates}constructor(){{"), "}})"),
                _ if !privates.is_empty() => (format!("(class{{{privates}m(){{"), "}})"),
                Home::Method => ("({m(){".to_owned(), "}})"),
                Home::Function => ("(function(){".to_owned(), "})"),
                Home::Nowhere => (String::new(), ""),
            };
            (format!("{strict}{head}{open}"), format!("{close}{tail}"))
        }
    }
}

fn privates<'s>(scope: &'s Scope, except: &'s str) -> impl Iterator<Item = &'s str> {
    scope.privates.iter().map(AsRef::as_ref).filter(move |it| *it != except)
}

fn envelope(site: &Site, name: &str) -> (String, String) {
    let star = if site.is_generator { "*" } else { "" };
    let flags = if site.is_async { "async " } else { "" };
    let key = quoted(name);
    let take = format!("}})[{key}]");
    match site.kind {
        SiteKind::Arrow => (String::new(), String::new()),
        SiteKind::Constructor | SiteKind::DerivedConstructor => (String::new(), String::new()),
        SiteKind::Method => (format!("({{__proto__:Object.getPrototypeOf(this.prototype),{flags}{star}{key}"), take),
        SiteKind::StaticMethod => (format!("({{__proto__:Object.getPrototypeOf(this),{flags}{star}{key}"), take),
        SiteKind::ObjectMethod if site.uses_super => (format!("({{__proto__:$cap_p,{flags}{star}{key}"), take),
        SiteKind::ObjectMethod => (format!("({{{flags}{star}{key}"), take),
        _ if name.is_empty() || !is_identifier(name) || name == "__proto__" => {
            (format!("({flags}function{star}"), ")".to_owned())
        }
        _ => (format!("({{{key}:{flags}function{star}"), take),
    }
}

/// Walks the one function of a wrapped text; `false` if the text is something else.
fn walk_root<'a>(collector: &mut Collector<'_>, program: &Program<'a>, old: &Site, span: Span) -> bool {
    let statement = match program.body.as_slice() {
        [Statement::ExpressionStatement(statement)] => statement,
        [statement] => return walk_declaration(collector, statement, span),
        _ => return false,
    };
    let Expression::ParenthesizedExpression(outer) = &statement.expression else { return false };
    match (&outer.expression, old.kind) {
        (Expression::ObjectExpression(object), SiteKind::ObjectMethod) => {
            let [ObjectPropertyKind::ObjectProperty(property)] = object.properties.as_slice() else { return false };
            let Expression::FunctionExpression(function) = &property.value else { return false };
            let is_method = property.method || property.kind != oxc::ast::ast::PropertyKind::Init;
            if property.span != span || !is_method {
                return false;
            }
            let access = match property.kind {
                oxc::ast::ast::PropertyKind::Get => Access::Get,
                oxc::ast::ast::PropertyKind::Set => Access::Set,
                oxc::ast::ast::PropertyKind::Init => Access::Plain,
            };
            walk_member(collector, function, &property.key, property.computed, span, SiteKind::ObjectMethod, access)
        }
        (Expression::ClassExpression(class), kind) if kind.is_class_member() => {
            let Some(ClassElement::MethodDefinition(method)) = class.body.body.last() else { return false };
            let declared = privates(&old.scope, old.name.strip_prefix('#').unwrap_or("")).count();
            if method.span != span || class.body.body.len() != declared + 1 {
                return false;
            }
            use oxc::ast::ast::MethodDefinitionKind as Kind;
            let access = match method.kind {
                Kind::Get => Access::Get,
                Kind::Set => Access::Set,
                _ => Access::Plain,
            };
            let found = match (method.kind, method.r#static) {
                (Kind::Constructor, _) if matches!(kind, SiteKind::Constructor | SiteKind::DerivedConstructor) => kind,
                (Kind::Constructor, _) => return false,
                (_, true) => SiteKind::StaticMethod,
                (_, false) => SiteKind::Method,
            };
            walk_member(collector, &method.value, &method.key, method.computed, span, found, access)
        }
        (expression, _) if expression.span() == span => walk_plain(collector, expression, span),
        (expression, kind) => match wrapped(expression, kind) {
            Some([Statement::ExpressionStatement(statement)]) => match &statement.expression {
                Expression::ParenthesizedExpression(inner) => walk_plain(collector, &inner.expression, span),
                _ => false,
            },
            Some([statement]) => walk_declaration(collector, statement, span),
            Some(_) => false,
            None => walk_plain(collector, expression, span),
        },
    }
}

/// What stands in the function that [`wrapper`] put around the text.
fn wrapped<'p, 'a>(expression: &'p Expression<'a>, kind: SiteKind) -> Option<&'p [Statement<'a>]> {
    let function = match expression {
        Expression::ClassExpression(class) => match class.body.body.last()? {
            ClassElement::MethodDefinition(method) => &method.value,
            _ => return None,
        },
        Expression::ObjectExpression(object) => match object.properties.first()? {
            ObjectPropertyKind::ObjectProperty(property) => match &property.value {
                Expression::FunctionExpression(function) => function,
                _ => return None,
            },
            _ => return None,
        },
        Expression::FunctionExpression(function) if kind == SiteKind::Arrow || kind.is_class() => function,
        _ => return None,
    };
    function.body.as_ref().map(|it| it.statements.as_slice())
}

fn walk_member<'a>(
    collector: &mut Collector<'_>,
    function: &FunctionNode<'a>,
    key: &PropertyKey<'a>,
    computed: bool,
    span: Span,
    kind: SiteKind,
    access: Access,
) -> bool {
    let name = collector.class_member_name(key, computed);
    collector.root_member(function, span, kind, access, name);
    true
}

fn walk_declaration<'a>(collector: &mut Collector<'_>, statement: &Statement<'a>, span: Span) -> bool {
    if !matches!(statement, Statement::FunctionDeclaration(_) | Statement::ClassDeclaration(_))
        || statement.span() != span
    {
        return false;
    }
    collector.visit_statement(statement);
    true
}

fn walk_plain<'a>(collector: &mut Collector<'_>, expression: &Expression<'a>, span: Span) -> bool {
    let is_site = matches!(
        expression,
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) | Expression::ClassExpression(_)
    );
    if !is_site || expression.span() != span {
        return false;
    }
    collector.visit_expression(expression);
    true
}
