//! What a class is made of, for its site: which parts a page takes over into a class that it has, and which only a new class has.
//!
//! Methods are sites of their own, and new ones are put on the prototype. The constructor and the fields of instances are taken
//! over together: the old constructor hands over to the new one. What runs once, when the class is made, belongs to the text
//! around the class: where that changes, the class has to be made again.

use oxc::ast::ast::*;
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;
use rustc_hash::FxHashMap;

use super::collect::{gives_name, quoted};
use super::{Access, Private};

/// The parts of a class's text. Positions are bytes in the walked text.
#[derive(Debug)]
pub struct RawClass {
    /// Behind the brace that opens the body.
    pub body: u32,
    pub end: u32,
    pub derived: bool,
    /// The constructor and the fields of instances can't be taken over.
    pub fixed: bool,
    pub has_constructor: bool,
    /// The constructor and the fields of instances, in the order of the text.
    pub construct: Vec<Span>,
    /// Fields of instances among them.
    pub fields: Vec<Span>,
    /// Their names, private ones left out.
    pub field_names: Vec<String>,
    /// What runs when the class is made: it counts for the text around the class.
    pub made: Vec<Span>,
    /// Methods and accessors that can be put on a class that was made before.
    pub members: Vec<Member>,
    /// Parts of what its `#private` names stand for.
    pub privates: Vec<RawPrivate>,
    /// For the class that is the root: what stands first in the body of the one that takes over.
    pub head: String,
}

/// A part of what a `#private` name stands for: a field, a method, or one of two accessors.
#[derive(Debug)]
pub struct RawPrivate {
    /// Without the `#`.
    pub name: Box<str>,
    pub is_static: bool,
    pub span: Span,
    /// For a field: its initializer, if it has one.
    pub field: Option<Option<Span>>,
}

/// A method or accessor.
#[derive(Debug)]
pub struct Member {
    pub span: Span,
    pub access: Access,
    pub is_static: bool,
    pub key: Key,
}

#[derive(Debug)]
pub enum Key {
    /// An expression for the key.
    Plain(String),
    /// The expression in the brackets.
    Computed(Span),
    Private,
}

impl RawClass {
    pub(super) fn is_made(&self, at: u32) -> bool {
        holds(&self.made, at)
    }

    pub(super) fn constructs(&self, at: u32) -> bool {
        holds(&self.construct, at)
    }

    pub(super) fn is_field(&self, at: u32) -> bool {
        holds(&self.fields, at)
    }

    /// Each `#private` name once, as a class has it that is loaded now.
    pub(super) fn private_names(&self) -> Vec<Private> {
        let mut list: Vec<Private> = Vec::new();
        for RawPrivate { name, is_static, .. } in &self.privates {
            if !list.iter().any(|it| it.name == *name) {
                let (name, is_static) = (name.clone(), *is_static);
                list.push(Private { name, is_static, sites: Vec::new(), since: 0, gaps: Vec::new(), gone: None });
            }
        }
        list
    }

    /// Whether what starts here is a `#private` method or accessor of instances: they get it when they are made.
    pub(super) fn is_private_method(&self, at: u32) -> bool {
        self.privates.iter().any(|it| it.span.start == at && !it.is_static)
    }

    /// Whether the member that starts here can be put on a class that was made before.
    pub(crate) fn has_member(&self, at: u32) -> bool {
        self.members.iter().any(|it| it.span.start == at)
    }
}

fn holds(spans: &[Span], at: u32) -> bool {
    let after = spans.partition_point(|it| it.start <= at);
    after.checked_sub(1).is_some_and(|it| at < spans[it].end)
}

/// What browsers read once, when an element is defined.
const ELEMENT: [&str; 11] = [
    "observedAttributes",
    "formAssociated",
    "disabledFeatures",
    "connectedCallback",
    "disconnectedCallback",
    "connectedMoveCallback",
    "adoptedCallback",
    "attributeChangedCallback",
    "formAssociatedCallback",
    "formDisabledCallback",
    "formResetCallback",
];

/// Tells whether a name stands for a `const`.
pub(super) type Constant<'c> = dyn Fn(&IdentifierReference<'_>) -> bool + 'c;

/// `None` for a class that is left alone: its text belongs to what is around it.
pub(super) fn parts(class: &Class<'_>, source: &str, is_const: &Constant<'_>) -> Option<RawClass> {
    let body = class.body.span.start + 1;
    let derived = class.heritage.is_some();
    let mut waits = Waits::default();
    if let Some(heritage) = &class.heritage {
        waits.visit_class_heritage(heritage);
    }
    let mut it = RawClass {
        body,
        end: class.span.end,
        derived,
        fixed: false,
        has_constructor: false,
        construct: Vec::new(),
        fields: Vec::new(),
        field_names: Vec::new(),
        made: vec![Span::new(class.span.start, body)],
        members: Vec::new(),
        privates: Vec::new(),
        head: String::new(),
    };
    let text = |span: Span| &source[span.start as usize..span.end as usize];
    for element in &class.body.body {
        let span = element.span();
        match element {
            ClassElement::MethodDefinition(method) if method.kind == MethodDefinitionKind::Constructor => {
                it.has_constructor = true;
                it.fixed |= mentions_receiver(&method.value.params);
                it.construct.push(span);
            }
            ClassElement::MethodDefinition(method) => {
                if method.computed {
                    waits.visit_property_key(&method.key);
                }
                if !method.decorators.is_empty() {
                    it.made.push(span);
                    continue;
                }
                let access = match method.kind {
                    MethodDefinitionKind::Get => Access::Get,
                    MethodDefinitionKind::Set => Access::Set,
                    _ => Access::Plain,
                };
                let key = match &method.key {
                    PropertyKey::PrivateIdentifier(_) => Some(Key::Private),
                    PropertyKey::StaticIdentifier(key) => Some(Key::Plain(quoted(&key.name))),
                    key if !method.computed => Some(Key::Plain(text(key.span()).to_owned())),
                    key => is_constant(key, is_const).then(|| Key::Computed(key.span())),
                };
                let name = method.key.static_name();
                let is_fixed = name.is_some_and(|it| {
                    let it = it.as_ref();
                    derived && ELEMENT.contains(&it) || method.r#static && matches!(it, "name" | "length")
                });
                if let PropertyKey::PrivateIdentifier(key) = &method.key {
                    let name = Box::from(key.name.as_str());
                    it.privates.push(RawPrivate { name, is_static: method.r#static, span, field: None });
                }
                if let Some(key) = key.filter(|_| !is_fixed) {
                    it.members.push(Member { span, access, is_static: method.r#static, key });
                }
            }
            ClassElement::PropertyDefinition(field) if !field.r#static => {
                it.fixed |= field.computed || !field.decorators.is_empty();
                it.construct.push(span);
                it.fields.push(span);
                if let PropertyKey::PrivateIdentifier(key) = &field.key {
                    let value = Some(field.value.as_ref().map(GetSpan::span));
                    let name = Box::from(key.name.as_str());
                    it.privates.push(RawPrivate { name, is_static: false, span, field: value });
                }
                if let Some(name) = field.key.static_name().filter(|_| !field.key.is_private_identifier()) {
                    it.field_names.push(name.into_owned());
                }
            }
            ClassElement::AccessorProperty(accessor) if !accessor.r#static => {
                it.fixed = true;
                it.construct.push(span);
            }
            ClassElement::PropertyDefinition(field) => {
                if let PropertyKey::PrivateIdentifier(key) = &field.key {
                    let value = Some(field.value.as_ref().map(GetSpan::span));
                    it.privates.push(RawPrivate {
                        name: Box::from(key.name.as_str()),
                        is_static: true,
                        span,
                        field: value,
                    });
                }
                it.made.push(span);
            }
            ClassElement::TSIndexSignature(_) => {}
            _ => it.made.push(span),
        }
    }
    if it.fixed {
        it.made.append(&mut it.construct);
        it.fields.clear();
        it.made.sort_unstable_by_key(|it| it.start);
    }
    without_doubles(&mut it.members);
    (class.decorators.is_empty() && !waits.found).then_some(it)
}

/// Of members with the same key only the last one is there, which is hard to tell from outside: they are left alone.
fn without_doubles(members: &mut Vec<Member>) {
    let id = |it: &Member| match &it.key {
        Key::Plain(key) => Some((it.is_static, key.clone())),
        _ => None,
    };
    let mut seen: FxHashMap<(bool, String), [usize; 3]> = FxHashMap::default();
    for (key, access) in members.iter().filter_map(|it| Some((id(it)?, it.access))) {
        seen.entry(key).or_default()[access as usize] += 1;
    }
    members.retain(|it| {
        let Some([plain, get, set]) = id(it).and_then(|it| seen.get(&it)) else { return true };
        plain + get.max(set) == 1
    });
}

/// A key that gives the same each time it is evaluated.
fn is_constant(key: &PropertyKey<'_>, is_const: &Constant<'_>) -> bool {
    match key {
        PropertyKey::StaticMemberExpression(it) => {
            matches!(&it.object, Expression::Identifier(object) if object.name == "Symbol")
        }
        PropertyKey::Identifier(it) => is_const(it),
        PropertyKey::StringLiteral(_) | PropertyKey::NumericLiteral(_) => true,
        _ => false,
    }
}

/// Whether an initializer can run once more, or in vain, without anybody noticing.
pub(super) fn is_inert(value: &Expression<'_>) -> bool {
    use Expression as E;
    match value {
        E::BooleanLiteral(_)
        | E::NullLiteral(_)
        | E::NumericLiteral(_)
        | E::BigIntLiteral(_)
        | E::StringLiteral(_)
        | E::RegExpLiteral(_)
        | E::FunctionExpression(_)
        | E::ArrowFunctionExpression(_) => true,
        E::TemplateLiteral(it) => it.expressions.is_empty(),
        E::ParenthesizedExpression(it) => is_inert(&it.expression),
        E::UnaryExpression(it) => {
            it.operator == UnaryOperator::UnaryNegation && matches!(it.argument, E::NumericLiteral(_))
        }
        E::ArrayExpression(it) => it.elements.iter().all(|it| it.as_expression().is_some_and(is_inert)),
        E::ObjectExpression(it) => it.properties.iter().all(|it| match it {
            ObjectPropertyKind::ObjectProperty(it) => !it.computed && is_inert(&it.value),
            ObjectPropertyKind::SpreadProperty(_) => false,
        }),
        _ => false,
    }
}

/// What stands around the initializer of a `#private` field to name the function that it is.
pub(super) fn naming(name: &str, value: &Expression<'_>) -> (String, String) {
    let name = quoted(&format!("#{name}"));
    if gives_name(value) { (format!("{{{name}:"), format!("}}[{name}]")) } else { (String::new(), String::new()) }
}

/// Looks for `await` and `yield`: a class whose head has them can't be read alone.
#[derive(Default)]
struct Waits {
    found: bool,
}

impl<'a> Visit<'a> for Waits {
    fn visit_await_expression(&mut self, _it: &AwaitExpression<'a>) {
        self.found = true;
    }
    fn visit_yield_expression(&mut self, _it: &YieldExpression<'a>) {
        self.found = true;
    }
    fn visit_function(&mut self, _it: &Function<'a>, _flags: ScopeFlags) {}
    fn visit_arrow_function_expression(&mut self, _it: &ArrowFunctionExpression<'a>) {}
}

/// Whether parameters use what they are called on: where constructors are taken over, it is there only in the body.
fn mentions_receiver(params: &FormalParameters<'_>) -> bool {
    struct Receiver(bool);
    impl<'a> Visit<'a> for Receiver {
        fn visit_this_expression(&mut self, _it: &ThisExpression) {
            self.0 = true;
        }
        fn visit_super(&mut self, _it: &Super) {
            self.0 = true;
        }
        fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
            if flags.contains(ScopeFlags::Arrow) {
                walk::walk_function(self, it, flags);
            }
        }
    }
    let mut receiver = Receiver(false);
    receiver.visit_formal_parameters(params);
    receiver.0
}
