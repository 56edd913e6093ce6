//! A list of named steps: each runs, whatever became of the ones before, and the end says what failed.

use std::time::{Duration, Instant};

use crate::shell::Outcome;

pub(crate) struct Step {
    pub(crate) name: String,
    action: Box<dyn Fn() -> Outcome>,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, action: impl Fn() -> Outcome + 'static) -> Step {
        Step { name: name.into(), action: Box::new(action) }
    }
}

/// Runs all steps, prints the summary, and fails if one failed.
pub(crate) fn run_all(steps: &[Step]) -> Outcome {
    let results: Vec<Done<'_>> = steps.iter().map(run_one).collect();
    println!("\n{}", summary(&results));
    match results.iter().filter(|it| it.outcome.is_err()).map(|it| it.name).collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        failed => Err(format!("failed: {}", failed.join(", "))),
    }
}

struct Done<'a> {
    name: &'a str,
    took: Duration,
    outcome: Outcome,
}

fn run_one(step: &Step) -> Done<'_> {
    println!("\n── {} ──", step.name);
    let start = Instant::now();
    let outcome = (step.action)();
    if let Err(sentence) = &outcome {
        println!("✗ {}: {sentence}", step.name);
    }
    Done { name: &step.name, took: start.elapsed(), outcome }
}

/// The last line is read by machines.
fn summary(results: &[Done<'_>]) -> String {
    let mut lines = vec!["── summary ──".to_owned()];
    for Done { name, took, outcome } in results {
        let seconds = took.as_secs_f64();
        lines.push(match outcome {
            Ok(()) => format!("ok      {seconds:7.1} s  {name}"),
            Err(sentence) => format!("FAILED  {seconds:7.1} s  {name}: {sentence}"),
        });
    }
    let n_failed = results.iter().filter(|it| it.outcome.is_err()).count();
    lines.push(format!("\n{} passed, {n_failed} failed", results.len() - n_failed));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn the_summary_ends_with_the_counts() {
        let done = |name, outcome| Done { name, took: Duration::from_millis(1250), outcome };
        let results = [done("fmt", Ok(())), done("clippy", Err("it said no".to_owned()))];
        let expected = "\
── summary ──
ok          1.2 s  fmt
FAILED      1.2 s  clippy: it said no

1 passed, 1 failed";
        assert_eq!(summary(&results), expected);
    }

    #[test]
    fn a_failure_does_not_stop_the_others_but_counts() {
        let ran = Rc::new(RefCell::new(Vec::new()));
        let step = |name: &'static str, outcome: Outcome| {
            let ran = Rc::clone(&ran);
            Step::new(name, move || {
                ran.borrow_mut().push(name);
                outcome.clone()
            })
        };
        let steps = [step("a", Ok(())), step("b", Err("no".to_owned())), step("c", Ok(()))];
        assert_eq!(run_all(&steps), Err("failed: b".to_owned()));
        assert_eq!(*ran.borrow(), ["a", "b", "c"]);
        assert_eq!(run_all(&steps[..1]), Ok(()));
    }
}
