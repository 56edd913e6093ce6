//! A sheet as a flat list of tokens with their places.

use cssparser::{ParseError, Parser, ParserInput, Token as Css};

/// Brackets deeper than this are no style sheet, and would cost too much stack.
const DEEPEST: u32 = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Ident(String),
    At(String),
    /// `#name`, where that can be an id.
    Id(String),
    Text(String),
    /// `url(…)` without quotes.
    Url(String),
    /// `name(`: opens.
    Function(String),
    Open(char),
    /// What closes the newest thing that opened.
    Close,
    Colon,
    Semicolon,
    Comma,
    Dot,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many brackets are open around it.
    pub(super) depth: u32,
}

impl Token {
    pub(super) fn opens(&self) -> bool {
        matches!(self.kind, Kind::Open(_) | Kind::Function(_))
    }

    pub(super) fn is_space(&self) -> bool {
        self.kind == Kind::Space
    }
}

/// `None` for what is nested too deep.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut input = ParserInput::new(text);
    let mut found = Vec::new();
    flatten(&mut Parser::new(&mut input), text, 0, &mut found).then_some(found)
}

fn flatten(parser: &mut Parser<'_, '_>, text: &str, depth: u32, found: &mut Vec<Token>) -> bool {
    if depth > DEEPEST {
        return false;
    }
    loop {
        let start = parser.position().byte_index();
        let Ok(token) = parser.next_including_whitespace_and_comments() else { return true };
        let kind = match token {
            Css::WhiteSpace(_) | Css::Comment(_) => Kind::Space,
            Css::Ident(name) => Kind::Ident(name.to_string()),
            Css::AtKeyword(name) => Kind::At(name.to_string()),
            Css::IDHash(name) => Kind::Id(name.to_string()),
            Css::QuotedString(value) => Kind::Text(value.to_string()),
            Css::UnquotedUrl(value) => Kind::Url(value.to_string()),
            Css::Function(name) => Kind::Function(name.to_ascii_lowercase()),
            Css::ParenthesisBlock => Kind::Open('('),
            Css::SquareBracketBlock => Kind::Open('['),
            Css::CurlyBracketBlock => Kind::Open('{'),
            Css::Colon => Kind::Colon,
            Css::Semicolon => Kind::Semicolon,
            Css::Comma => Kind::Comma,
            Css::Delim('.') => Kind::Dot,
            _ => Kind::Other,
        };
        let token = Token { kind, start, end: parser.position().byte_index(), depth };
        let opens = token.opens();
        found.push(token);
        if !opens {
            continue;
        }
        let mut is_whole = true;
        let inside: Result<(), ParseError<'_, ()>> = parser.parse_nested_block(|inner| {
            is_whole = flatten(inner, text, depth + 1, found);
            Ok(())
        });
        if inside.is_err() || !is_whole {
            return false;
        }
        let end = parser.position().byte_index();
        let is_closed = end > start && matches!(text.as_bytes()[end - 1], b')' | b']' | b'}');
        found.push(Token { kind: Kind::Close, start: if is_closed { end - 1 } else { end }, end, depth });
    }
}
