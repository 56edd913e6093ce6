//! Early errors that oxc does not find: code with them must not reach a page.

use oxc::ast::ast::{
    ArrowFunctionExpression, BreakStatement, ContinueStatement, Function, LabeledStatement, Program, StaticBlock,
    SwitchStatement,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::ParseOptions;
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

use super::Problem;

/// How the user's code is parsed. What a regular expression says is checked, too.
pub(super) fn strictly() -> ParseOptions {
    ParseOptions { parse_regular_expression: true, ..ParseOptions::default() }
}

/// `break` and `continue` that would leave the arrow function they stand in; of other functions oxc knows that they can't.
pub(super) fn problem(program: &Program<'_>) -> Option<Problem> {
    let mut jumps = Jumps::default();
    jumps.visit_program(program);
    jumps.problem
}

#[derive(Default)]
struct Jumps<'a> {
    /// What a jump can reach, in the innermost function; `None` outside of arrows.
    reach: Option<Reach<'a>>,
    problem: Option<Problem>,
}

#[derive(Default)]
struct Reach<'a> {
    loops: u32,
    switches: u32,
    labels: Vec<&'a str>,
}

impl<'a> Jumps<'a> {
    /// Visits a function with its own reach.
    fn within(&mut self, reach: Option<Reach<'a>>, visit: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.reach, reach);
        visit(self);
        self.reach = around;
    }

    fn in_loop(&mut self, visit: impl FnOnce(&mut Self)) {
        self.count(|reach| &mut reach.loops, visit);
    }

    fn count(&mut self, counter: for<'r> fn(&'r mut Reach<'a>) -> &'r mut u32, visit: impl FnOnce(&mut Self)) {
        if let Some(reach) = &mut self.reach {
            *counter(reach) += 1;
        }
        visit(self);
        if let Some(reach) = &mut self.reach {
            *counter(reach) -= 1;
        }
    }

    fn jump(&mut self, word: &str, label: Option<&str>, span: Span, can_leave_switch: bool) {
        let Some(reach) = &self.reach else { return };
        let is_known = match label {
            Some(label) => reach.labels.contains(&label),
            None => reach.loops > 0 || can_leave_switch && reach.switches > 0,
        };
        if !is_known {
            let message = format!("Illegal {word} statement");
            self.problem.get_or_insert(Problem { message, start: span.start, end: span.end });
        }
    }
}

impl<'a> Visit<'a> for Jumps<'a> {
    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.within(Some(Reach::default()), |jumps| walk::walk_arrow_function_expression(jumps, it));
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.within(None, |jumps| walk::walk_function(jumps, it, flags));
    }

    fn visit_static_block(&mut self, it: &StaticBlock<'a>) {
        self.within(None, |jumps| walk::walk_static_block(jumps, it));
    }

    fn visit_do_while_statement(&mut self, it: &oxc::ast::ast::DoWhileStatement<'a>) {
        self.in_loop(|jumps| walk::walk_do_while_statement(jumps, it));
    }

    fn visit_while_statement(&mut self, it: &oxc::ast::ast::WhileStatement<'a>) {
        self.in_loop(|jumps| walk::walk_while_statement(jumps, it));
    }

    fn visit_for_statement(&mut self, it: &oxc::ast::ast::ForStatement<'a>) {
        self.in_loop(|jumps| walk::walk_for_statement(jumps, it));
    }

    fn visit_for_in_statement(&mut self, it: &oxc::ast::ast::ForInStatement<'a>) {
        self.in_loop(|jumps| walk::walk_for_in_statement(jumps, it));
    }

    fn visit_for_of_statement(&mut self, it: &oxc::ast::ast::ForOfStatement<'a>) {
        self.in_loop(|jumps| walk::walk_for_of_statement(jumps, it));
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.count(|reach| &mut reach.switches, |jumps| walk::walk_switch_statement(jumps, it));
    }

    fn visit_labeled_statement(&mut self, it: &LabeledStatement<'a>) {
        if let Some(reach) = &mut self.reach {
            reach.labels.push(it.label.name.as_str());
        }
        walk::walk_labeled_statement(self, it);
        if let Some(reach) = &mut self.reach {
            reach.labels.pop();
        }
    }

    fn visit_break_statement(&mut self, it: &BreakStatement<'a>) {
        self.jump("break", it.label.as_ref().map(|it| it.name.as_str()), it.span(), true);
    }

    fn visit_continue_statement(&mut self, it: &ContinueStatement<'a>) {
        self.jump("continue", it.label.as_ref().map(|it| it.name.as_str()), it.span(), false);
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::Options;
    use crate::patch::Program;

    #[track_caller]
    fn check(source: &str, expected: Option<&str>) {
        let found = Program::load(source, Options::default(), 1).err();
        let message = found.and_then(|it| it.into_iter().next()).map(|it| it.message);
        assert_eq!(message.as_deref().map(kind), expected, "{source}");
        // The same in a function that is typed.
        let (mut program, _) = Program::load("function f() {}", Options::default(), 1).expect("it parses");
        let planned = program.plan_function(&[0], 0, &format!("function f() {{ {source} }}"), 2);
        assert_eq!(planned.err().map(|it| it.message).as_deref().map(kind), expected, "in a function: {source}");
    }

    /// What a message says before it says more.
    fn kind(message: &str) -> &str {
        message.split(':').next().unwrap_or_default()
    }

    #[test]
    fn jumps_out_of_arrow_functions_are_errors() {
        check("for (;;) (() => { break; })();", Some("Illegal break statement"));
        check("for (;;) (() => { continue; })();", Some("Illegal continue statement"));
        check("a: for (;;) (() => { for (;;) break a; })();", Some("Illegal break statement"));
        check("switch (1) { case 1: (() => { break; })(); }", Some("Illegal break statement"));
        check("(() => { for (const x of y) { if (x) continue; else break; } })();", None);
        check("(() => { switch (1) { default: break; } a: { break a; } b: for (;;) { continue b; } })();", None);
        check("(() => { switch (1) { default: continue; } })();", Some("Illegal continue statement"));
        check("for (;;) { (() => { for (const x in y) z(() => { while (1) break; }); })(); break; }", None);
    }

    #[test]
    fn regular_expressions_are_checked() {
        check("let a = /+/;", Some("Invalid regular expression"));
        check("let a = /(?<year>[0-9]{4})-\\k<year>/u.test(b);", None);
    }
}
