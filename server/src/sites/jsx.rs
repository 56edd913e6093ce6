//! JSX becomes calls, in place: each element's text turns into `factory(type, props, …children)` without leaving its line.

use oxc::ast::ast::*;
use oxc::ast_visit::Visit;
use oxc::span::{GetSpan, Span};
use oxc::syntax::xml_entities::XML_ENTITIES;

use super::collect::{Collector, Op, Order, quoted};

/// What elements become calls of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jsx {
    /// The expression for the function that makes elements.
    pub factory: String,
    /// The expression for the type of fragments.
    pub fragment: String,
    /// The package that both come from, when the text does not import them itself.
    pub source: Option<String>,
}

impl Default for Jsx {
    fn default() -> Jsx {
        Jsx { factory: "React.createElement".to_owned(), fragment: "React.Fragment".to_owned(), source: None }
    }
}

impl Collector<'_> {
    pub(super) fn element<'a>(&mut self, it: &JSXElement<'a>) {
        self.seen.jsx = true;
        let opening = &it.opening_element;
        let name = opening.name.span();
        self.replace(opening.span.start, name.start, format!("{}(", self.base.jsx.factory));
        match &opening.name {
            JSXElementName::IdentifierReference(reference) => self.visit_identifier_reference(reference),
            JSXElementName::MemberExpression(member) => self.visit_jsx_member_expression(member),
            JSXElementName::ThisExpression(this) => self.visit_this_expression(this),
            JSXElementName::Identifier(_) | JSXElementName::NamespacedName(_) => {
                let text = quoted(self.text(name));
                self.ops.push(Op::replace(name.start, name.end, text));
            }
        }
        let mut at = name.end;
        let mut lead = ",{";
        for item in &opening.attributes {
            let span = item.span();
            self.replace(at, span.start, lead.to_owned());
            lead = ",";
            at = span.end;
            match item {
                JSXAttributeItem::SpreadAttribute(spread) => {
                    let inner = spread.argument.span();
                    self.replace(span.start, inner.start, "...(".to_owned());
                    self.visit_expression(&spread.argument);
                    self.replace(inner.end, span.end, ")".to_owned());
                }
                JSXAttributeItem::Attribute(attribute) => self.attribute(attribute),
            }
        }
        let close = if opening.attributes.is_empty() { ",null" } else { "}" };
        self.replace(at, opening.span.end, close.to_owned());
        self.children(&it.children);
        match &it.closing_element {
            Some(closing) => self.replace(closing.span.start, closing.span.end, ")".to_owned()),
            None => self.ops.push(Op::insert(it.span.end, Order::close(self.depth), ")")),
        }
    }

    pub(super) fn fragment<'a>(&mut self, it: &JSXFragment<'a>) {
        self.seen.jsx = true;
        let open = it.opening_fragment.span;
        self.replace(open.start, open.end, format!("{}({},null", self.base.jsx.factory, self.base.jsx.fragment));
        self.children(&it.children);
        self.replace(it.closing_fragment.span.start, it.closing_fragment.span.end, ")".to_owned());
    }

    fn attribute<'a>(&mut self, it: &JSXAttribute<'a>) {
        let name = it.name.span();
        let text = self.text(name).to_owned();
        let key = quoted(&text);
        let Some(value) = &it.value else {
            self.ops.push(Op::replace(name.start, name.end, format!("{key}:true")));
            return;
        };
        let span = value.span();
        self.replace(name.start, span.start, format!("{key}:"));
        match value {
            JSXAttributeValue::StringLiteral(literal) => {
                let raw = self.text(literal.span);
                let inner = &raw[1..raw.len() - 1];
                let lines = inner.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
                self.replace(span.start, span.end, quoted(&decode(if inner.contains('\n') { &lines } else { inner })));
            }
            JSXAttributeValue::ExpressionContainer(container) => self.container(container, "(", &text),
            JSXAttributeValue::Element(element) => self.element(element),
            JSXAttributeValue::Fragment(fragment) => self.fragment(fragment),
        }
    }

    /// `{expression}`: the braces become what `open` says and a parenthesis.
    fn container<'a>(&mut self, it: &JSXExpressionContainer<'a>, open: &str, label: &str) {
        let Some(expression) = it.expression.as_expression() else {
            self.replace(it.span.start, it.span.end, String::new());
            return;
        };
        let inner = expression.span();
        self.replace(it.span.start, inner.start, open.to_owned());
        self.named(label.to_owned(), expression);
        self.replace(inner.end, it.span.end, ")".to_owned());
    }

    fn children<'a>(&mut self, children: &[JSXChild<'a>]) {
        for child in children {
            match child {
                JSXChild::Text(text) => {
                    let cleaned = clean(self.text(text.span));
                    let code =
                        if cleaned.is_empty() { String::new() } else { format!(",{}", quoted(&decode(&cleaned))) };
                    self.replace(text.span.start, text.span.end, code);
                }
                JSXChild::Element(element) => {
                    self.ops.push(Op::insert(element.span.start, Order::open(self.depth), ","));
                    self.element(element);
                }
                JSXChild::Fragment(fragment) => {
                    self.ops.push(Op::insert(fragment.span.start, Order::open(self.depth), ","));
                    self.fragment(fragment);
                }
                JSXChild::ExpressionContainer(container) => self.container(container, ",(", "child"),
                JSXChild::Spread(spread) => {
                    let inner = spread.expression.span();
                    self.replace(spread.span.start, inner.start, ",...(".to_owned());
                    self.visit_expression(&spread.expression);
                    self.replace(inner.end, spread.span.end, ")".to_owned());
                }
            }
        }
    }

    /// Replaces a text and keeps its line ends.
    fn replace(&mut self, start: u32, end: u32, text: String) {
        let lines = self.text(Span::new(start, end)).matches('\n').count();
        self.ops.push(Op::replace(start, end, text + &"\n".repeat(lines)));
    }
}

/// JSX text as a string: lines are trimmed, blank ones dropped, the rest joined by spaces.
fn clean(text: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    let trimmed = lines.iter().enumerate().map(|(index, line)| {
        let line = if index == 0 { line } else { line.trim_start_matches([' ', '\t', '\r']) };
        if index == last { line } else { line.trim_end_matches([' ', '\t', '\r']) }
    });
    trimmed.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

/// HTML's character references, as JSX has them.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.find(';').filter(|end| *end <= 12).and_then(|end| Some((end, reference(&rest[1..end])?)));
        match reference {
            Some((end, c)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
        None => XML_ENTITIES.get(name).copied(),
    }
}
