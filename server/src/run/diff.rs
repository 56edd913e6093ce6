//! `capuchin diff`: what an edit from one text to another would do.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::compile::Options;
use crate::graph::syntax_message;
use crate::patch::{PlannedSite, Program, Reason, Verdict};

/// A file as the user named it, and its text.
#[derive(Debug)]
pub struct SourceFile {
    pub path: PathBuf,
    pub text: String,
}

/// What to compare.
#[derive(Debug)]
pub struct DiffOptions {
    pub old: SourceFile,
    pub new: SourceFile,
    pub json: bool,
}

/// Prints the verdict, the functions and their patch code.
pub fn diff(options: DiffOptions) -> anyhow::Result<ExitCode> {
    let DiffOptions { old, new, json } = options;
    let name = old.path.display().to_string();
    let (mut program, module) = Program::load(&old.text, Options::default(), 1)
        .map_err(|problems| anyhow::anyhow!(syntax_message(&name, &old.text, &problems)))?;
    let verdict = match program.plan_module(&new.text, 2, &|it| Ok(it.to_owned()), true) {
        Ok(verdict) => verdict,
        Err(problems) => {
            let message = syntax_message(&new.path.display().to_string(), &new.text, &problems);
            Verdict::Hold(Reason { code: "syntax", message, start: 0, end: 0 })
        }
    };
    let mut steps = Vec::new();
    let (word, reason, sites): (_, Option<Reason>, Vec<PlannedSite>) = match verdict {
        Verdict::Unchanged => ("unchanged", None, Vec::new()),
        Verdict::Hold(reason) => ("hold", Some(reason), Vec::new()),
        Verdict::Patch(plan) => {
            steps = plan.top.iter().flat_map(|it| it.steps.clone()).collect();
            ("patch", None, plan.sites)
        }
        Verdict::UpdateModule(reason) => ("updateModule", Some(reason), Vec::new()),
    };
    let text = if json {
        let sites: Vec<_> = sites
            .iter()
            .map(|it| {
                let base = it.fallback.as_ref().map(|it| json!({ "code": it.text, "cells": it.cells, "how": it.how }));
                json!({ "id": it.id, "name": it.name, "kind": it.kind.describe(), "line": it.line, "code": it.code.text,
                        "cells": it.code.cells, "how": it.code.how, "needs": it.needs, "scope": it.scope_rev, "base": base, "later": it.later })
            })
            .collect();
        let steps: Vec<_> =
            steps.iter().map(|it| json!({ "code": it.code, "line": it.line, "keeps": it.keeps })).collect();
        let reason = reason.map(|it| json!({ "code": it.code, "message": it.message }));
        let loaded = json!({ "code": module.code, "sites": program.ids.len() });
        serde_json::to_string_pretty(
            &json!({ "verdict": word, "reason": reason, "sites": sites, "top": steps, "loaded": loaded }),
        )?
    } else {
        let mut text = word.to_owned();
        if let Some(reason) = reason {
            write!(text, ": {}", reason.message)?;
        }
        for step in steps {
            write!(text, "\n\ntop level, line {}\n{}", step.line + 1, step.code)?;
        }
        for site in sites {
            let name = if site.name.is_empty() { "(anonymous)" } else { &site.name };
            write!(
                text,
                "\n\n{} {name}, line {}\n{}",
                site.kind.describe(),
                site.line + 1,
                site.code.text.trim_start()
            )?;
        }
        text
    };
    super::say(&text)?;
    Ok(ExitCode::SUCCESS)
}
