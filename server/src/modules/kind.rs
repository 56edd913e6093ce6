//! How a file is to be evaluated: as an ES module, a CommonJS module, data, or just an address.

use std::ffi::OsStr;
use std::path::Path;

/// How a module is evaluated in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModuleKind {
    Esm,
    Cjs,
    Json,
    Css,
    /// An asset: its default export is its URL.
    Url,
}

/// The `type` of the nearest `package.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PackageType {
    Module,
    CommonJs,
}

/// What the text of a script looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// Has `import`, `export`, `import.meta` or a top-level `await`: nothing else can run it.
    Esm,
    /// Has no ES module syntax, but uses `require`, `module` or `exports`.
    Cjs,
    /// Could be either.
    Neither,
}

impl ModuleKind {
    /// The kind of a file. `syntax` is asked only where the name and the package leave it open, because answering it means
    /// reading and parsing the file.
    ///
    /// | file | kind |
    /// | --- | --- |
    /// | `.mjs` · `.cjs` · `.json` · `.css` | what it says |
    /// | script with ES module syntax | esm, whatever the package says: bundlers run such files, and as CommonJS they can't run |
    /// | script of a package with `"type": "module"` | esm |
    /// | script with CommonJS syntax | cjs |
    /// | other script in `node_modules` | cjs, as in Node |
    /// | other script of the project | esm, as for a browser |
    /// | anything else | its URL |
    pub fn of(path: &Path, package: Option<PackageType>, syntax: impl FnOnce() -> Syntax) -> ModuleKind {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "mjs" => ModuleKind::Esm,
            "cjs" => ModuleKind::Cjs,
            "json" => ModuleKind::Json,
            "css" => ModuleKind::Css,
            "" | "js" | "jsx" | "es" | "es6" | "esm" => of_script(path, package, syntax),
            _ => ModuleKind::Url,
        }
    }

    /// Whether the file is source code that can be instrumented.
    pub fn is_script(self) -> bool {
        matches!(self, ModuleKind::Esm | ModuleKind::Cjs)
    }
}

fn of_script(path: &Path, package: Option<PackageType>, syntax: impl FnOnce() -> Syntax) -> ModuleKind {
    if package == Some(PackageType::Module) {
        return ModuleKind::Esm;
    }
    let is_dependency = path.components().any(|it| it.as_os_str() == "node_modules");
    match (syntax(), is_dependency) {
        (Syntax::Esm, _) => ModuleKind::Esm,
        (Syntax::Cjs, _) => ModuleKind::Cjs,
        (Syntax::Neither, true) => ModuleKind::Cjs,
        (Syntax::Neither, false) => ModuleKind::Esm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        use ModuleKind::{Cjs, Css, Esm, Json, Url};
        let module = Some(PackageType::Module);
        let commonjs = Some(PackageType::CommonJs);
        for (path, package, syntax, kind) in [
            ("a.mjs", commonjs, Syntax::Cjs, Esm),
            ("a.cjs", module, Syntax::Esm, Cjs),
            ("a.json", None, Syntax::Neither, Json),
            ("a.css", None, Syntax::Neither, Css),
            ("a.PNG", None, Syntax::Neither, Url),
            ("a.wasm", None, Syntax::Neither, Url),
            ("src/a.js", None, Syntax::Esm, Esm),
            ("src/a.js", None, Syntax::Cjs, Cjs),
            ("src/a.js", None, Syntax::Neither, Esm),
            ("src/a.js", commonjs, Syntax::Neither, Esm),
            ("src/a.js", module, Syntax::Cjs, Esm),
            ("src/a.JSX", None, Syntax::Esm, Esm),
            ("node_modules/x/a.js", None, Syntax::Neither, Cjs),
            ("node_modules/x/a.js", None, Syntax::Esm, Esm),
            ("node_modules/x/a.js", commonjs, Syntax::Esm, Esm),
            ("node_modules/x/a.js", commonjs, Syntax::Neither, Cjs),
            ("node_modules/x/a.js", module, Syntax::Neither, Esm),
            ("node_modules/x/bin", None, Syntax::Cjs, Cjs),
        ] {
            assert_eq!(ModuleKind::of(Path::new(path), package, || syntax), kind, "{path} {package:?} {syntax:?}");
        }
    }

    #[test]
    fn the_text_is_looked_at_only_when_the_name_leaves_it_open() {
        let never = || -> Syntax { panic!("asked") };
        assert_eq!(ModuleKind::of(Path::new("a.mjs"), None, never), ModuleKind::Esm);
        assert_eq!(ModuleKind::of(Path::new("a.svg"), None, never), ModuleKind::Url);
        assert_eq!(ModuleKind::of(Path::new("a.js"), Some(PackageType::Module), never), ModuleKind::Esm);
    }
}
