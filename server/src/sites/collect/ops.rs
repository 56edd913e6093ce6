//! Text operations: how a walk says what is put into the source, and in what order where several stand at one place.

/// One text operation: `start..end` of the source is replaced by `text`.
///
/// In `text`, `\u{1}N\u{2}` stands for the id of site number N of this walk, `\u{3}N\u{2}` for the condition of its guard,
/// `\u{4}name\u{2}` marks the end of a hook's declaration, `\u{5}A\u{6}B\u{2}` is A when the module is loaded, B in a patch, and `\u{f}\u{2}` is
/// a last argument that says which revision the code is of.
#[derive(Debug, Clone)]
pub struct Op {
    pub start: u32,
    pub end: u32,
    pub order: Order,
    pub text: String,
}

/// Which of several operations at one place comes first: what closes (inner first), what opens (outer first), replacements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(u8, i64);

impl Order {
    pub fn close(depth: u32) -> Order {
        Order(0, -2 * i64::from(depth))
    }

    pub fn open(depth: u32) -> Order {
        Order(1, 2 * i64::from(depth))
    }

    pub fn replace() -> Order {
        Order(2, 0)
    }
    /// Around all that a site of this depth opens and closes itself.
    pub fn site(depth: u32) -> Order {
        Order(1, 2 * i64::from(depth) - 1)
    }

    pub fn site_end(depth: u32) -> Order {
        Order(0, 1 - 2 * i64::from(depth))
    }
    /// Behind everything else that closes at a place.
    pub fn last_close() -> Order {
        Order(0, i64::MAX)
    }
}

impl Op {
    /// Where a site starts and ends, for whoever asks for the text of a function.
    pub const SITE: &'static str = "\u{10}";
    pub const SITE_END: &'static str = "\u{11}";

    pub fn insert(at: u32, order: Order, text: impl Into<String>) -> Op {
        Op { start: at, end: at, order, text: text.into() }
    }

    pub fn replace(start: u32, end: u32, text: String) -> Op {
        Op { start, end, order: Order::replace(), text }
    }
}
