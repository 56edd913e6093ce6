//! Which top-level declarations can be taken over into a running module: those whose initializers do nothing but make a value.

use oxc::ast::ast::*;
use oxc::ast_visit::{Visit, walk};
use oxc::syntax::scope::ScopeFlags;

use oxc::span::GetSpan;

use super::module::{Form, StaticField};

/// What running an initializer again would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purity {
    /// Gives an equal value each time and does nothing else.
    Pure,
    /// Makes something new, or reads the document: may run once when it is added, but not again when it is changed.
    Fresh,
    Impure,
}

/// Judges an expression and notes the names whose values it reads.
pub(super) fn judge(expression: &Expression<'_>, reads: &mut Vec<String>) -> Purity {
    use Expression as E;
    let mut all = |parts: &[&Expression<'_>]| parts.iter().map(|it| judge(it, reads)).max().unwrap_or(Purity::Pure);
    match expression {
        E::BooleanLiteral(_) | E::NullLiteral(_) | E::NumericLiteral(_) | E::BigIntLiteral(_) | E::StringLiteral(_) => {
            Purity::Pure
        }
        E::RegExpLiteral(_) => Purity::Pure,
        E::FunctionExpression(_) | E::ArrowFunctionExpression(_) => Purity::Pure,
        E::Identifier(it) => {
            reads.push(it.name.to_string());
            Purity::Pure
        }
        E::TemplateLiteral(it) => all(&it.expressions.iter().collect::<Vec<_>>()),
        E::ParenthesizedExpression(it) => all(&[&it.expression]),
        E::UnaryExpression(it) if it.operator != UnaryOperator::Delete => all(&[&it.argument]),
        E::BinaryExpression(it) => all(&[&it.left, &it.right]),
        E::LogicalExpression(it) => all(&[&it.left, &it.right]),
        E::ConditionalExpression(it) => all(&[&it.test, &it.consequent, &it.alternate]),
        E::StaticMemberExpression(it) => all(&[&it.object]),
        E::ComputedMemberExpression(it) => all(&[&it.object, &it.expression]),
        E::ChainExpression(it) => match &it.expression {
            ChainElement::StaticMemberExpression(it) => all(&[&it.object]),
            ChainElement::ComputedMemberExpression(it) => all(&[&it.object, &it.expression]),
            _ => Purity::Impure,
        },
        E::ArrayExpression(it) => {
            let elements = it.elements.iter().map(|it| match it {
                ArrayExpressionElement::Elision(_) => Purity::Pure,
                ArrayExpressionElement::SpreadElement(it) => judge(&it.argument, reads).max(Purity::Fresh),
                other => other.as_expression().map_or(Purity::Impure, |it| judge(it, reads)),
            });
            elements.max().unwrap_or(Purity::Pure)
        }
        E::ObjectExpression(it) => {
            let properties = it.properties.iter().map(|it| match it {
                ObjectPropertyKind::SpreadProperty(it) => judge(&it.argument, reads).max(Purity::Fresh),
                ObjectPropertyKind::ObjectProperty(it) if it.computed => Purity::Impure,
                ObjectPropertyKind::ObjectProperty(it) => judge(&it.value, reads),
            });
            properties.max().unwrap_or(Purity::Pure)
        }
        E::NewExpression(it) => {
            let makes_a_collection = matches!(&it.callee, E::Identifier(name) if matches!(name.name.as_str(),
                "Map" | "Set" | "WeakMap" | "WeakSet" | "Array" | "Date" | "URL" | "RegExp" | "Error" | "AbortController"
                | "Float32Array" | "Float64Array" | "Uint8Array" | "Uint8ClampedArray" | "Uint16Array" | "Uint32Array"
                | "Int8Array" | "Int16Array" | "Int32Array"));
            if makes_a_collection { arguments(&it.arguments, reads).max(Purity::Fresh) } else { Purity::Impure }
        }
        E::CallExpression(it) => {
            let is_harmless = match &it.callee {
                E::Identifier(name) => matches!(
                    name.name.as_str(),
                    "Symbol" | "String" | "Number" | "Boolean" | "BigInt" | "parseInt" | "parseFloat"
                ),
                E::StaticMemberExpression(member) => match &member.object {
                    E::Identifier(object) => {
                        matches!(
                            object.name.as_str(),
                            "Math" | "Object" | "Number" | "String" | "Array" | "JSON" | "Symbol"
                        ) || object.name == "document"
                            && matches!(
                                member.property.name.as_str(),
                                "querySelector" | "querySelectorAll" | "getElementById"
                            )
                    }
                    _ => false,
                },
                _ => false,
            };
            if is_harmless || it.pure { arguments(&it.arguments, reads).max(Purity::Fresh) } else { Purity::Impure }
        }
        _ => Purity::Impure,
    }
}

fn arguments(arguments: &[Argument<'_>], reads: &mut Vec<String>) -> Purity {
    let each = arguments.iter().map(|it| it.as_expression().map_or(Purity::Impure, |it| judge(it, reads)));
    each.max().unwrap_or(Purity::Pure)
}

/// A class that does nothing when it is made: no static fields with effects, no computed names, no decorators.
pub(super) fn judge_class(class: &Class<'_>) -> Purity {
    let heritage = class.heritage.as_ref().map_or(Purity::Pure, |it| match &it.expression {
        Expression::Identifier(_) => Purity::Pure,
        _ => Purity::Impure,
    });
    let elements = class.body.body.iter().map(|element| match element {
        ClassElement::StaticBlock(_) | ClassElement::AccessorProperty(_) => Purity::Impure,
        ClassElement::MethodDefinition(it) if it.computed || !it.decorators.is_empty() => Purity::Impure,
        ClassElement::PropertyDefinition(it) if it.computed || !it.decorators.is_empty() => Purity::Impure,
        ClassElement::PropertyDefinition(it) if it.r#static => {
            it.value.as_ref().map_or(Purity::Pure, |it| judge(it, &mut Vec::new()))
        }
        _ => Purity::Pure,
    });
    let elements = elements.max().unwrap_or(Purity::Pure);
    if class.decorators.is_empty() { heritage.max(elements) } else { Purity::Impure }
}

/// What sort of function a value is.
pub(super) fn form_of_value(value: &Expression<'_>) -> Option<Form> {
    match value.without_parentheses() {
        Expression::FunctionExpression(it) if it.id.is_none() => Some(form(it)),
        Expression::ArrowFunctionExpression(it) => {
            let mut own = OwnThis::default();
            walk::walk_arrow_function_expression(&mut own, it);
            Some(Form { is_arrow: true, is_generator: false, uses_this: own.is_used })
        }
        _ => None,
    }
}

pub(super) fn form(function: &Function<'_>) -> Form {
    let mut own = OwnThis::default();
    walk::walk_function(&mut own, function, ScopeFlags::Function);
    Form { is_arrow: false, is_generator: function.generator, uses_this: own.is_used }
}

/// Looks for a function's own `this` and `new.target`.
#[derive(Default)]
struct OwnThis {
    is_used: bool,
}

impl<'a> Visit<'a> for OwnThis {
    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.is_used = true;
    }

    fn visit_new_target(&mut self, _: &NewTarget) {
        self.is_used = true;
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_class(&mut self, it: &Class<'a>) {
        if let Some(heritage) = &it.heritage {
            self.visit_class_heritage(heritage);
        }
    }
}

/// The static fields of a class that may get another value where the class exists: their values are pure and hold no functions.
pub(super) fn static_fields(class: &Class<'_>) -> Vec<StaticField> {
    let fields = class.body.body.iter().filter_map(|element| {
        let ClassElement::PropertyDefinition(it) = element else { return None };
        let (PropertyKey::StaticIdentifier(key), Some(value)) = (&it.key, &it.value) else { return None };
        let mut reads = Vec::new();
        let mut functions = Functions::default();
        functions.visit_expression(value);
        let is_simple = it.r#static && !it.computed && it.decorators.is_empty() && !functions.are_there;
        let span = value.span();
        (is_simple && judge(value, &mut reads) == Purity::Pure).then(|| StaticField {
            name: key.name.to_string(),
            value: (span.start, span.end),
            reads,
        })
    });
    fields.collect()
}

/// Looks for functions and classes.
#[derive(Default)]
struct Functions {
    are_there: bool,
}

impl<'a> Visit<'a> for Functions {
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {
        self.are_there = true;
    }

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {
        self.are_there = true;
    }

    fn visit_class(&mut self, _: &Class<'a>) {
        self.are_there = true;
    }
}
