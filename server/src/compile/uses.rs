//! Which variables of the top level a statement reads while the module runs: what it made of them stays when their values
//! change, unless it runs again. What functions read when they are called later is not among it.

use oxc::ast::ast::*;
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::Scoping;
use oxc::syntax::scope::ScopeFlags;

/// One variable that a statement reads at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub name: String,
    /// The value is only passed on: whoever has it sees what is written into it.
    pub is_passed: bool,
    /// The member of it that is read; empty: some, which cannot be told.
    pub member: Option<String>,
    /// Where, in bytes of the module's text.
    pub at: u32,
}

/// What `statement`, one of the top level, reads at once.
pub(super) fn of(statement: &Statement<'_>, scoping: &Scoping) -> Vec<Use> {
    let mut finder = Finder { scoping, found: Vec::new() };
    finder.visit_statement(statement);
    finder.found
}

struct Finder<'s> {
    scoping: &'s Scoping,
    found: Vec<Use>,
}

impl Finder<'_> {
    fn note(&mut self, identifier: &IdentifierReference<'_>, is_passed: bool, member: Option<&str>) {
        let Some(reference) = identifier.reference_id.get() else { return };
        let reference = self.scoping.get_reference(reference);
        let Some(symbol) = reference.symbol_id().filter(|_| reference.is_read()) else { return };
        if self.scoping.symbol_scope_id(symbol) == self.scoping.root_scope_id() {
            let (name, member) = (identifier.name.to_string(), member.map(str::to_owned));
            self.found.push(Use { name, is_passed, member, at: identifier.span.start });
        }
    }

    /// An expression whose value goes on as it is.
    fn passed<'a>(&mut self, expression: &Expression<'a>) {
        match expression.without_parentheses() {
            Expression::Identifier(it) => self.note(it, true, None),
            _ => self.visit_expression(expression),
        }
    }

    /// An object whose members are read.
    fn taken_apart<'a>(&mut self, object: &Expression<'a>, member: &str) {
        match object.without_parentheses() {
            Expression::Identifier(it) => self.note(it, false, Some(member)),
            _ => self.visit_expression(object),
        }
    }

    fn arguments<'a>(&mut self, arguments: &[Argument<'a>]) {
        for argument in arguments {
            match argument.as_expression() {
                Some(it) => self.passed(it),
                None => self.visit_argument(argument),
            }
        }
    }

    /// A function that runs at once.
    fn called<'a>(&mut self, function: &Expression<'a>) {
        match function.without_parentheses() {
            Expression::FunctionExpression(it) => walk::walk_function(self, it, ScopeFlags::Function),
            Expression::ArrowFunctionExpression(it) => walk::walk_arrow_function_expression(self, it),
            _ => {}
        }
    }
}

/// Whether a method of this name calls the functions that it gets before it returns, as those of lists do.
fn calls_at_once(callee: &Expression<'_>) -> bool {
    let Expression::StaticMemberExpression(it) = callee.without_parentheses() else { return false };
    matches!(
        it.property.name.as_str(),
        "every"
            | "filter"
            | "find"
            | "findIndex"
            | "findLast"
            | "findLastIndex"
            | "flatMap"
            | "forEach"
            | "from"
            | "groupBy"
            | "map"
            | "reduce"
            | "reduceRight"
            | "replace"
            | "replaceAll"
            | "some"
            | "sort"
            | "toSorted"
    )
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.note(it, false, None);
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        self.taken_apart(&it.object, &it.property.name);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        self.taken_apart(&it.object, "");
        self.visit_expression(&it.expression);
    }

    fn visit_spread_element(&mut self, it: &SpreadElement<'a>) {
        self.taken_apart(&it.argument, "");
    }

    fn visit_function(&mut self, _: &oxc::ast::ast::Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.called(&it.callee);
        self.visit_expression(&it.callee);
        self.arguments(&it.arguments);
        if calls_at_once(&it.callee) {
            it.arguments.iter().filter_map(Argument::as_expression).for_each(|it| self.called(it));
        }
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        self.visit_expression(&it.callee);
        self.arguments(&it.arguments);
        if matches!(&it.callee, Expression::Identifier(name) if name.name == "Promise") {
            it.arguments.iter().filter_map(Argument::as_expression).for_each(|it| self.called(it));
        }
    }

    fn visit_array_expression(&mut self, it: &ArrayExpression<'a>) {
        for element in &it.elements {
            match element.as_expression() {
                Some(it) => self.passed(it),
                None => self.visit_array_expression_element(element),
            }
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        self.visit_property_key(&it.key);
        self.passed(&it.value);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        self.visit_assignment_target(&it.left);
        match it.left {
            AssignmentTarget::ArrayAssignmentTarget(_) | AssignmentTarget::ObjectAssignmentTarget(_) => {
                self.visit_expression(&it.right);
            }
            _ => self.passed(&it.right),
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        match (&it.id, &it.init) {
            (BindingPattern::BindingIdentifier(_), Some(init)) => self.passed(init),
            (_, Some(init)) => self.taken_apart(init, ""),
            (_, None) => {}
        }
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        match it.declaration.as_expression() {
            Some(it) => self.passed(it),
            None => walk::walk_export_default_declaration(self, it),
        }
    }

    // Importers read what it is then.
    fn visit_export_named_declaration(&mut self, _: &ExportNamedDeclaration<'a>) {}

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        it.decorators.iter().for_each(|it| self.visit_decorator(it));
        if it.computed {
            self.visit_property_key(&it.key);
        }
        if let Some(value) = it.value.as_ref().filter(|_| it.r#static) {
            self.passed(value);
        }
    }
}
