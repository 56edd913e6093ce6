//! Names that a browser's page has without anybody declaring them.
//!
//! Only for the verdict: whether a name exists is the page's to say when the patch arrives.

/// Whether browsers, or JavaScript itself, have this global.
pub(crate) fn is_known(name: &str) -> bool {
    ["builtin", "browser", "es2026", "commonjs"]
        .iter()
        .any(|it| javascript_globals::GLOBALS.get(it).is_some_and(|it| it.contains_key(name)))
        || matches!(name, "__capuchin" | "undefined" | "NaN" | "Infinity")
}
