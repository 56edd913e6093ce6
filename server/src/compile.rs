//! From source text to what a page runs: whole modules when they are loaded, single functions when they are patched.
//!
//! oxc parses, so this is also the gate for code that does not parse. Text is instrumented in place, by insertions that
//! never add a line, so that lines on the page are the user's lines. This room knows oxc; it must not know pages or files.

mod depth;
mod early;
mod emit;
mod function;
mod module;
mod purity;
mod rename;
mod uses;

pub(crate) use emit::{amid, headed};
pub(crate) use function::needs_place;
pub use function::{Construct, Context, Function, LatePrivate, compile_function};
pub(crate) use module::without_directive;
pub use module::{
    Binding, DEFAULT, Export, Form, Item, ItemKind, Made, Module, Options, StaticField, compile_module, own_key,
    syntax_error,
};
pub use rename::{Places, rename};
pub use uses::Use;

/// Why a text can't be compiled: one sentence, with the place (bytes of the text given).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub start: u32,
    pub end: u32,
}

impl Problem {
    fn from_oxc(diagnostic: &oxc::diagnostics::OxcDiagnostic) -> Problem {
        let (start, end) = diagnostic.labels.first().map_or((0, 0), |it| (it.offset(), it.offset() + it.len()));
        Problem { message: diagnostic.message.to_string(), start, end }
    }

    /// The same problem in a text that this one is a part of.
    #[must_use]
    pub fn moved(mut self, by: i64) -> Problem {
        let moved = |at: u32| u32::try_from((i64::from(at) + by).max(0)).unwrap_or(0);
        (self.start, self.end) = (moved(self.start), moved(self.end));
        self
    }
}
