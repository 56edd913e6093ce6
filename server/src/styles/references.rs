//! What a sheet refers to: `@import` statements, and the addresses of pictures and fonts.

use std::ops::Range;

use super::tokens::{Kind, Token, tokens};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Where `@charset` stands, which counts for files only.
    pub charset: Option<Range<usize>>,
    pub imports: Vec<Import>,
    pub addresses: Vec<Reference>,
}

/// `@import "x.css" layer(a) supports(b) c;`
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// The whole statement.
    pub range: Range<usize>,
    pub address: Reference,
    /// The name in `layer(…)`; empty for `layer` alone.
    pub layer: Option<String>,
    pub supports: Option<String>,
    /// What is behind these.
    pub media: String,
}

/// An address, and where it stands with its quotes or its `url(…)`.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    pub range: Range<usize>,
    pub value: String,
    /// It stands in `url(…)` without quotes, which is a part of `range`.
    pub is_bare: bool,
}

impl Reference {
    /// Another address in the form of this one.
    pub fn with(&self, value: &str) -> String {
        if self.is_bare { format!("url({})", quoted(value)) } else { quoted(value) }
    }
}

impl Import {
    /// A text with the conditions under which it was imported.
    pub fn around(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(layer) = &self.layer {
            text = format!("@layer {layer} {{\n{text}\n}}");
        }
        if let Some(supports) = &self.supports {
            let condition = if supports.contains(':') && !supports.trim_start().starts_with(['(', 'n']) {
                format!("({supports})")
            } else {
                supports.clone()
            };
            text = format!("@supports {condition} {{\n{text}\n}}");
        }
        if !self.media.is_empty() {
            text = format!("@media {} {{\n{text}\n}}", self.media);
        }
        text
    }
}

/// A text as CSS writes strings.
pub fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' | '\r' | '\u{c}' => quoted.push_str(&format!("\\{:x} ", u32::from(character))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Reads a sheet. Imports count only in front of everything else, as in browsers.
pub fn references(text: &str) -> References {
    let mut found = References::default();
    let Some(tokens) = tokens(text) else { return found };
    let mut at = 0;
    let mut is_head = true;
    while at < tokens.len() {
        let token = &tokens[at];
        let end = statement_end(&tokens, at);
        match &token.kind {
            Kind::Space | Kind::Semicolon => {
                at += 1;
                continue;
            }
            Kind::At(name) if name.eq_ignore_ascii_case("charset") => {
                found.charset = Some(token.start..tokens[end - 1].end);
            }
            Kind::At(name) if name.eq_ignore_ascii_case("import") => {
                if is_head {
                    found.imports.extend(read_import(text, &tokens[at..end]));
                }
            }
            Kind::At(name) if name.eq_ignore_ascii_case("namespace") => is_head = false,
            Kind::At(name) if name.eq_ignore_ascii_case("layer") && !tokens[at..end].iter().any(Token::opens) => {}
            _ => {
                is_head = false;
                addresses(&tokens[at..end], &mut found.addresses);
            }
        }
        at = end;
    }
    found
}

/// Behind the `;` or the block that ends the statement at `at`.
fn statement_end(tokens: &[Token], at: usize) -> usize {
    let depth = tokens[at].depth;
    let mut is_open = false;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        if token.depth != depth {
            continue;
        }
        match token.kind {
            Kind::Semicolon => return index + 1,
            Kind::Open('{') => is_open = true,
            Kind::Close if is_open => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn read_import(text: &str, statement: &[Token]) -> Option<Import> {
    let range = statement.first()?.start..statement.last()?.end;
    let mut rest = &statement[1..];
    let skip_space = |rest: &mut &[Token]| {
        while rest.first().is_some_and(Token::is_space) {
            *rest = &rest[1..];
        }
    };
    skip_space(&mut rest);
    let address = reference(rest)?;
    rest = behind(rest);
    skip_space(&mut rest);
    let mut import = Import { range, address, layer: None, supports: None, media: String::new() };
    match &rest.first()?.kind {
        Kind::Ident(name) if name.eq_ignore_ascii_case("layer") => {
            import.layer = Some(String::new());
            rest = &rest[1..];
        }
        Kind::Function(name) if name == "layer" => {
            import.layer = Some(inside(text, rest));
            rest = behind(rest);
        }
        _ => {}
    }
    skip_space(&mut rest);
    if matches!(rest.first().map(|it| &it.kind), Some(Kind::Function(name)) if name == "supports") {
        import.supports = Some(inside(text, rest));
        rest = behind(rest);
    }
    let end = rest.iter().rev().find(|it| it.kind != Kind::Semicolon).map_or(0, |it| it.end);
    if let Some(first) = rest.first().filter(|it| it.end <= end) {
        import.media = text[first.start..end].trim().to_owned();
    }
    Some(import)
}

/// The address that these tokens begin with: `"x"`, `url(x)` or `url("x")`.
fn reference(tokens: &[Token]) -> Option<Reference> {
    let first = tokens.first()?;
    match &first.kind {
        Kind::Text(value) => Some(Reference { range: first.start..first.end, value: value.clone(), is_bare: false }),
        Kind::Url(value) => Some(Reference { range: first.start..first.end, value: value.clone(), is_bare: true }),
        Kind::Function(name) if name == "url" || name == "src" => {
            let text = tokens[1..].iter().find(|it| !it.is_space())?;
            matches!(text.kind, Kind::Text(_)).then(|| reference(std::slice::from_ref(text)))?
        }
        _ => None,
    }
}

/// What follows the first token, or what it opens.
fn behind(tokens: &[Token]) -> &[Token] {
    if !tokens[0].opens() {
        return &tokens[1..];
    }
    let close = tokens.iter().position(|it| it.kind == Kind::Close && it.depth == tokens[0].depth);
    close.map_or(&[], |it| &tokens[it + 1..])
}

/// The text between the brackets that the first token opens.
fn inside(text: &str, tokens: &[Token]) -> String {
    let close = tokens.iter().find(|it| it.kind == Kind::Close && it.depth == tokens[0].depth);
    close.map_or("", |it| &text[tokens[0].end..it.start]).trim().to_owned()
}

fn addresses(tokens: &[Token], found: &mut Vec<Reference>) {
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Url(_) => found.extend(reference(&tokens[at..])),
            Kind::Function(name) if name == "url" || name == "src" => found.extend(reference(&tokens[at..])),
            Kind::Function(name) if name.ends_with("image-set") => {
                let own = tokens[at + 1..].iter().take_while(|it| it.depth > token.depth);
                let texts = own.filter(|it| it.depth == token.depth + 1 && matches!(it.kind, Kind::Text(_)));
                found.extend(texts.filter_map(|it| reference(std::slice::from_ref(it))));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, imports: &[&str], addresses: &[&str]) {
        let found = references(text);
        let shown: Vec<String> = found
            .imports
            .iter()
            .map(|it| format!("{} {:?} {:?} {:?}", it.address.value, it.layer, it.supports, it.media))
            .collect();
        assert_eq!(shown, imports, "{text}");
        let shown: Vec<&str> = found.addresses.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(shown, addresses, "{text}");
    }

    #[test]
    fn imports_are_found_in_front_of_everything_else() {
        check(
            "@charset \"utf-8\";\n/* x */ @import 'a.css';@layer base, more;\n@IMPORT url(b.css) screen and (min-width: 1px);\n\
             @import url( \"c.css\" ) layer(x.y) supports(display: grid) print;@import \"d.css\" layer;\np{} @import 'late.css';",
            &[
                "a.css None None \"\"",
                "b.css None None \"screen and (min-width: 1px)\"",
                "c.css Some(\"x.y\") Some(\"display: grid\") \"print\"",
                "d.css Some(\"\") None \"\"",
            ],
            &[],
        );
        check("@import 'half", &[], &[]);
        check("@import ;@import 5;", &[], &[]);
    }

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        check(
            "@font-face{src:local(\"F\"),url(f.woff2) format(\"woff2\")}@media x{a:hover{background:url( 'b.png' ),\
             image-set(\"c.png\" 1x, url(d.png) type(\"image/png\") 2x)}}/* url(no.png) */q{content:\"url(no)\"}",
            &[],
            &["f.woff2", "b.png", "c.png", "d.png"],
        );
        check("a{background:url(half", &[], &["half"]);
        check("@namespace url(http://www.w3.org/2000/svg);", &[], &[]);
    }

    #[test]
    fn an_import_that_is_written_out_keeps_its_conditions() {
        let text = "@import \"x.css\" layer(a) supports(display: grid) print;";
        assert_eq!(
            references(text).imports[0].around("p{}"),
            "@media print {\n@supports (display: grid) {\n@layer a {\np{}\n}\n}\n}"
        );
    }

    #[test]
    fn brackets_without_end_are_no_sheet() {
        check(&"(".repeat(100_000), &[], &[]);
        check(&"{".repeat(100_000), &[], &[]);
    }

    #[test]
    fn replaced_addresses_keep_their_form() {
        let text = "a{background:url(a.png),url('b.png')}";
        let mut edits: Vec<_> = references(text)
            .addresses
            .iter()
            .map(|it| (it.range.clone(), it.with(&format!("/x/{}", it.value))))
            .collect();
        assert_eq!(super::super::replace(text, &mut edits), "a{background:url(\"/x/a.png\"),url(\"/x/b.png\")}");
        assert_eq!(quoted("a\"\\\n"), "\"a\\\"\\\\\\a \"");
    }
}
