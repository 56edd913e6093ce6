//! What JSX becomes in a module: React's calls, or those of another library that the text names.

use super::shape::{member, specifier_of};
use super::*;

/// What makes elements: what a pragma names, what the text imports (`React`, `h`), or else the package `react`.
pub(super) fn jsx_of(source: &str, program: &Program<'_>, ids: &Ids) -> Jsx {
    let pragma = |name: &str| {
        let comments = program.comments.iter().map(|it| &source[it.span.start as usize..it.span.end as usize]);
        comments.flat_map(|it| it.split("@")).find_map(|it| {
            let rest = it.strip_prefix(name)?.strip_prefix(char::is_whitespace)?;
            rest.split_whitespace().next().map(|it| it.trim_end_matches("*/").to_owned())
        })
    };
    let imports = program.body.iter().filter_map(|it| match it {
        Statement::ImportDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        Statement::ExportFromDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        Statement::ExportAllDeclaration(it) => Some(specifier_of(&it.source, it.with_clause.as_deref())),
        _ => None,
    });
    // The numbers that holders get once the imports of the text have theirs.
    let mut after = ids.clone();
    imports.for_each(|it| {
        after.holder(&it);
    });
    // Imported names read from a namespace holder, as everywhere else.
    let mut bound: FxHashMap<&str, String> = FxHashMap::default();
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                let (holder, _) = after.known_holder(&specifier_of(&import.source, import.with_clause.as_deref()));
                for specifier in import.specifiers.iter().flatten() {
                    let local = specifier.local().name.as_str();
                    let value = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(it) => member(holder, &it.imported.name()),
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => member(holder, "default"),
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => format!("$cap_i{holder}"),
                    };
                    bound.insert(local, value);
                }
            }
            other => {
                let (_, names) = describe(other);
                for name in ["React", "h", "Fragment"] {
                    if names.iter().any(|it| it == name) {
                        bound.insert(name, name.to_owned());
                    }
                }
            }
        }
    }
    let value = |name: &str| {
        let (first, rest) = name.split_once('.').map_or((name, ""), |(first, rest)| (first, rest));
        let base = bound.get(first).cloned().unwrap_or_else(|| first.to_owned());
        if rest.is_empty() { base } else { format!("{base}.{rest}") }
    };
    if let Some(factory) = pragma("jsx") {
        let fragment = pragma("jsxFrag").unwrap_or_else(|| "React.Fragment".to_owned());
        return Jsx { factory: call(value(&factory)), fragment: value(&fragment), source: None };
    }
    let package = pragma("jsxImportSource");
    if package.is_none() && bound.contains_key("React") {
        return Jsx { factory: value("React.createElement"), fragment: value("React.Fragment"), source: None };
    }
    if package.is_none() && bound.contains_key("h") {
        return Jsx { factory: call(value("h")), fragment: value("Fragment"), source: None };
    }
    let package = package.unwrap_or_else(|| "react".to_owned());
    let (holder, _) = after.known_holder(&package);
    Jsx {
        factory: format!("$cap_i{holder}.createElement"),
        fragment: format!("$cap_i{holder}.Fragment"),
        source: Some(package),
    }
}

/// An imported function is called without a receiver.
pub(super) fn call(value: String) -> String {
    if value.contains('.') { format!("(0,{value})") } else { value }
}
