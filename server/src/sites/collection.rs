//! Calls that gather modules by a pattern: `require.context(…)`, `import.meta.webpackContext(…)` and `import.meta.glob(…)`.
//!
//! What such a call means is read from its literals alone, without looking at the disk: the arguments of a call that
//! counts are all literals, as for the bundlers that these calls come from.

use std::hash::{Hash, Hasher};

use oxc::ast::ast::{
    Argument, ArrayExpression, ArrayExpressionElement, CallExpression, Expression, ObjectExpression,
    ObjectPropertyKind, PropertyKey,
};

/// Modules that a call gathers. Paths and patterns are as the source says them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Collection {
    Context(Context),
    Glob(Glob),
}

/// As webpack has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context {
    pub folder: String,
    pub is_deep: bool,
    /// A regular expression: its source and flags.
    pub filter: Option<(String, String)>,
    pub mode: Mode,
}

/// When the modules of a context are run, and what asking it for one gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    Sync,
    Eager,
    Weak,
    Lazy,
    LazyOnce,
    AsyncWeak,
}

/// As Vite has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Glob {
    pub patterns: Vec<String>,
    pub is_eager: bool,
    /// The export that is taken of each module; `None`: all of it.
    pub import: Option<String>,
    /// With its question mark; empty if there is none.
    pub query: String,
    /// Whether hidden files and those in `node_modules` count.
    pub is_exhaustive: bool,
    pub base: Option<String>,
}

impl Mode {
    /// The word that programs use.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Sync => "sync",
            Mode::Eager => "eager",
            Mode::Weak => "weak",
            Mode::Lazy => "lazy",
            Mode::LazyOnce => "lazy-once",
            Mode::AsyncWeak => "async-weak",
        }
    }

    fn parse(word: &str) -> Option<Mode> {
        let all = [Mode::Sync, Mode::Eager, Mode::Weak, Mode::Lazy, Mode::LazyOnce, Mode::AsyncWeak];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

impl Collection {
    /// Stands for the call in compiled code: equal for equal calls, in one file and in patches of it.
    pub fn key(&self) -> String {
        let mut hasher = rustc_hash::FxHasher::default();
        self.hash(&mut hasher);
        format!("*{:016x}", hasher.finish())
    }

    /// Whether the modules run before the one that holds the call.
    pub fn comes_first(&self) -> bool {
        matches!(self, Collection::Glob(glob) if glob.is_eager)
    }

    /// What `require.context(…)` with these arguments gathers.
    pub fn of_require(call: &CallExpression<'_>) -> Option<Collection> {
        let mut context = Context { folder: String::new(), is_deep: true, filter: None, mode: Mode::Sync };
        let arguments = expressions(call)?;
        context.folder = text(arguments.first()?)?;
        if let Some(deep) = arguments.get(1).filter(|it| !is_undefined(it)) {
            context.is_deep = boolean(deep)?;
        }
        if let Some(filter) = arguments.get(2).filter(|it| !is_undefined(it)) {
            context.filter = Some(pattern(filter)?);
        }
        if let Some(mode) = arguments.get(3).filter(|it| !is_undefined(it)) {
            context.mode = Mode::parse(&text(mode)?)?;
        }
        Some(Collection::Context(context))
    }

    /// What `import.meta.webpackContext(…)` with these arguments gathers.
    pub fn of_webpack_context(call: &CallExpression<'_>) -> Option<Collection> {
        let mut context = Context { folder: String::new(), is_deep: true, filter: None, mode: Mode::Sync };
        let arguments = expressions(call)?;
        context.folder = text(arguments.first()?)?;
        for (name, value) in options(arguments.get(1))? {
            match name.as_str() {
                "recursive" => context.is_deep = boolean(value)?,
                "regExp" => context.filter = Some(pattern(value)?),
                "mode" => context.mode = Mode::parse(&text(value)?)?,
                _ => return None,
            }
        }
        Some(Collection::Context(context))
    }

    /// What `import.meta.glob(…)` with these arguments gathers.
    pub fn of_glob(call: &CallExpression<'_>) -> Option<Collection> {
        let arguments = expressions(call)?;
        let patterns = match arguments.first()? {
            Expression::ArrayExpression(list) => texts(list)?,
            one => vec![text(one)?],
        };
        let mut glob = Glob { patterns, ..Glob::default() };
        for (name, value) in options(arguments.get(1))? {
            match name.as_str() {
                "eager" => glob.is_eager = boolean(value)?,
                "import" => glob.import = Some(text(value)?).filter(|it| it != "*"),
                "query" => glob.query = query(value)?,
                "exhaustive" => glob.is_exhaustive = boolean(value)?,
                "base" => glob.base = Some(text(value)?),
                _ => return None,
            }
        }
        let is_usable = |it: &String| {
            let pattern = it.trim_start_matches('!');
            pattern.starts_with(['.', '/']) || pattern.starts_with("**") || glob.base.is_some()
        };
        (!glob.patterns.is_empty() && glob.patterns.iter().all(is_usable)).then_some(Collection::Glob(glob))
    }
}

fn expressions<'c, 'a>(call: &'c CallExpression<'a>) -> Option<Vec<&'c Expression<'a>>> {
    call.arguments.iter().map(Argument::as_expression).collect()
}

fn text(value: &Expression<'_>) -> Option<String> {
    match value {
        Expression::StringLiteral(it) => Some(it.value.to_string()),
        Expression::TemplateLiteral(it) if it.expressions.is_empty() => {
            it.quasis.first()?.value.cooked.map(|it| it.to_string())
        }
        _ => None,
    }
}

fn texts(list: &ArrayExpression<'_>) -> Option<Vec<String>> {
    list.elements.iter().map(|it: &ArrayExpressionElement<'_>| text(it.as_expression()?)).collect()
}

fn boolean(value: &Expression<'_>) -> Option<bool> {
    match value {
        Expression::BooleanLiteral(it) => Some(it.value),
        // As minified code writes them.
        Expression::UnaryExpression(it) => match &it.argument {
            Expression::NumericLiteral(number) if it.operator.as_str() == "!" => Some(number.value == 0.0),
            _ => None,
        },
        _ => None,
    }
}

fn pattern(value: &Expression<'_>) -> Option<(String, String)> {
    match value {
        Expression::RegExpLiteral(it) => {
            Some((it.regex.pattern.text.to_string(), it.regex.flags.to_inline_string().to_string()))
        }
        _ => None,
    }
}

fn is_undefined(value: &Expression<'_>) -> bool {
    match value {
        Expression::Identifier(it) => it.name == "undefined",
        Expression::UnaryExpression(it) => it.operator.as_str() == "void",
        _ => false,
    }
}

/// The properties of an object literal; none if there is no object.
fn options<'c, 'a>(value: Option<&&'c Expression<'a>>) -> Option<Vec<(String, &'c Expression<'a>)>> {
    let object: &ObjectExpression<'a> = match value {
        None => return Some(Vec::new()),
        Some(it) if is_undefined(it) => return Some(Vec::new()),
        Some(Expression::ObjectExpression(it)) => it,
        Some(_) => return None,
    };
    let named = |it: &'c ObjectPropertyKind<'a>| match it {
        ObjectPropertyKind::ObjectProperty(it) if !it.computed && !it.method => {
            let name = match &it.key {
                PropertyKey::StaticIdentifier(key) => key.name.to_string(),
                PropertyKey::StringLiteral(key) => key.value.to_string(),
                _ => return None,
            };
            Some((name, &it.value))
        }
        _ => None,
    };
    object.properties.iter().map(named).collect()
}

/// `'?raw'`, `'raw'` or `{ raw: true, n: 1 }`.
fn query(value: &Expression<'_>) -> Option<String> {
    if let Some(it) = text(value) {
        return Some(if it.is_empty() || it.starts_with('?') { it } else { format!("?{it}") });
    }
    let parts = options(Some(&value))?
        .into_iter()
        .map(|(name, value)| match value {
            Expression::NumericLiteral(it) => Some(format!("{name}={}", it.value)),
            other => match boolean(other) {
                Some(true) => Some(name),
                Some(false) => Some(String::new()),
                None => text(other).map(|it| format!("{name}={it}")),
            },
        })
        .collect::<Option<Vec<_>>>()?;
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    Some(if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) })
}
