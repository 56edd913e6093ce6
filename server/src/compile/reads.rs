//! Which names the top level of a text reads when it runs, other than in functions that it may call.

use oxc::allocator::Allocator;
use oxc::ast::ast::{ArrowFunctionExpression, Function, IdentifierReference, PropertyDefinition};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder};
use oxc::syntax::scope::ScopeFlags;

use super::Options;
use super::module::parse;

/// The places where the top level of `source` reads what it declares under one of `names`.
pub fn read_at_once(source: &str, options: Options, names: &[String]) -> Vec<(u32, String)> {
    let allocator = Allocator::default();
    let Ok((parsed, _)) = parse(&allocator, source, options) else { return Vec::new() };
    let semantic = SemanticBuilder::new_compiler().build(&parsed.program);
    let mut reads = Reads { scoping: semantic.semantic.scoping(), names, found: Vec::new() };
    reads.visit_program(&parsed.program);
    reads.found
}

struct Reads<'r> {
    scoping: &'r Scoping,
    names: &'r [String],
    found: Vec<(u32, String)>,
}

impl<'a> Visit<'a> for Reads<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let reference = it.reference_id.get().map(|it| self.scoping.get_reference(it));
        let Some(symbol) = reference.filter(|it| it.is_read()).and_then(|it| it.symbol_id()) else { return };
        let is_root = self.scoping.symbol_scope_id(symbol) == self.scoping.root_scope_id();
        if is_root && self.names.iter().any(|name| *name == it.name.as_str()) {
            self.found.push((it.span.start, it.name.to_string()));
        }
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        // Fields of objects are made with the objects.
        if it.r#static {
            walk::walk_property_definition(self, it);
        } else if it.computed {
            self.visit_property_key(&it.key);
        }
    }
}
