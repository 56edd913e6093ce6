//! Loops and the cases of a `switch`: what runs again and again, and where hooks of their variables can stand.

use super::*;

impl Collector<'_> {
    /// Whether a test may call a function that is declared in the cases, before any of them has started.
    pub(super) fn runs_before_cases(&self, it: &SwitchStatement<'_>) -> bool {
        let declares = |it: &SymbolId| self.scoping.symbol_flags(*it).is_function();
        let is_still = |test: &Expression<'_>| {
            test.is_literal() || test.is_identifier_reference() || matches!(test, Expression::StaticMemberExpression(_))
        };
        self.scoping.get_bindings(it.scope_id()).values().any(declares)
            && it.cases.iter().filter_map(|it| it.test.as_ref()).any(|it| !is_still(it))
    }

    /// Behind the colon of a case.
    pub(super) fn case_start(&self, case: &SwitchCase<'_>) -> u32 {
        let from = case.test.as_ref().map_or(case.span.start, |it| it.span().end);
        let end = case.consequent.first().map_or(case.span.end, |it| it.span().start);
        params::find_char(self.source, from, end, b':').map_or(end, |it| it + 1)
    }

    /// What follows runs again and again. `scope`: that of the loop's head, if it has one.
    pub(super) fn enter_loop(&mut self, scope: Option<ScopeId>) {
        let around = || self.frames.iter().rev().find_map(|it| it.scope).map_or(0, |it| self.depths[it.index()] + 1);
        let depth = scope.map_or_else(around, |it| self.depths[it.index()]);
        self.loops.push((self.functions.len(), depth));
    }

    /// `for … in` and `for … of`: what is gone over is evaluated once, before the loop has variables.
    pub(super) fn loop_over<'a>(
        &mut self,
        scope: ScopeId,
        left: &ForStatementLeft<'a>,
        right: &Expression<'a>,
        body: &Statement<'a>,
    ) {
        self.push(FrameKind::Head, Some(scope));
        self.visit_expression(right);
        self.enter_loop(Some(scope));
        self.visit_for_statement_left(left);
        self.loop_body(body);
        self.loops.pop();
        self.frames.pop();
    }

    /// Evaluated again and again, and never inside the body.
    pub(super) fn loop_test<'a>(&mut self, test: &Expression<'a>) {
        self.push(FrameKind::Head, None);
        self.visit_expression(test);
        self.frames.pop();
    }

    pub(super) fn loop_body<'a>(&mut self, body: &Statement<'a>) {
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
}
