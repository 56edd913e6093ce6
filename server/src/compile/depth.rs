//! How deep a text may nest. Whoever reads code goes down with it, by calls, and a stack that ends takes the server with it: so deep
//! texts get a stack of their own, and what no engine would run is refused before.

use super::Problem;

/// More than any engine takes: V8 stops at some ten thousand.
const DEEPEST: usize = 50_000;
/// As deep as code goes that people write. It fits on any stack.
const USUAL: usize = 400;
/// Bytes of stack for one step down, in the builds that need the most.
const STEP: usize = 16 * 1024;

/// Runs `read` with a stack that is large enough for the text.
///
/// # Errors
/// A [`Problem`] when the text nests too deeply to be read at all.
pub(super) fn with_room<T>(text: &str, read: impl FnOnce() -> T) -> Result<T, Problem> {
    match depth(text) {
        deep if deep > DEEPEST => Err(Problem {
            message: "this nests too deeply for any engine to run it".to_owned(),
            start: 0,
            end: u32::try_from(text.len()).unwrap_or(u32::MAX),
        }),
        deep if deep > USUAL => Ok(stacker::grow(deep * STEP, read)),
        _ => Ok(read()),
    }
}

/// What is open where a text is read.
#[derive(Default)]
struct Level {
    /// Words and signs since the statement or the element began: all that can stand in each other without brackets.
    tokens: usize,
    /// A substitution of a template literal, whose text goes on behind it.
    in_template: bool,
}

/// How deep the syntax tree of a text can be, or more. Nothing is understood but brackets, strings, comments and where statements end:
/// a regular expression may be taken for something else, which does little harm.
fn depth(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut levels = vec![Level::default()];
    let (mut open, mut most, mut at) = (0, 0, 0);
    let mut last = b';';
    // A block or a line has ended: what comes may be another statement.
    let mut may_begin = false;
    while at < bytes.len() {
        let from = at;
        at += 1;
        let level = levels.last_mut().expect("the text's own level is never taken away");
        match bytes[from] {
            b'\n' | b'\r' => {
                may_begin = true;
                continue;
            }
            b' ' | b'\t' => continue,
            b'/' if bytes.get(at) == Some(&b'/') => {
                at = find(bytes, at, b"\n");
                continue;
            }
            b'/' if bytes.get(at) == Some(&b'*') => {
                at = find(bytes, at, b"*/") + 2;
                continue;
            }
            quote @ (b'"' | b'\'') => at = past_string(bytes, at, quote),
            b'`' => at = past_template(bytes, at, &mut levels),
            b'(' | b'[' | b'{' => levels.push(Level::default()),
            b')' | b']' | b'}' => {
                let ended = if levels.len() > 1 { levels.pop() } else { None };
                open -= ended.as_ref().map_or(0, |it| it.tokens);
                if ended.is_some_and(|it| it.in_template) {
                    at = past_template(bytes, at, &mut levels);
                }
                last = bytes[from];
                may_begin = last == b'}';
                continue;
            }
            b';' | b',' => {
                open -= level.tokens;
                level.tokens = 0;
                continue;
            }
            byte if is_word(byte) => {
                while bytes.get(at).is_some_and(|it| is_word(*it)) {
                    at += 1;
                }
                let word = &bytes[from..at];
                // Behind `if (a)` a statement goes on, but not with another one inside of the next.
                if may_begin && !goes_on(word) && (last != b')' || ends(word)) {
                    open -= level.tokens;
                    level.tokens = 0;
                }
            }
            _ => {}
        }
        (may_begin, last) = (false, bytes[from]);
        let level = levels.last_mut().expect("the text's own level is never taken away");
        level.tokens += 1;
        open += 1;
        most = most.max(open + levels.len());
    }
    most
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || byte >= 0x80
}

/// Whether a statement goes on with a word behind a block or on the next line.
fn goes_on(word: &[u8]) -> bool {
    matches!(word, b"else" | b"in" | b"instanceof" | b"of" | b"as" | b"extends")
}

/// Whether what a word begins can hold no statement but in a block.
fn ends(word: &[u8]) -> bool {
    matches!(word, b"const" | b"let" | b"var" | b"function" | b"class" | b"import" | b"export" | b"return" | b"throw")
}

/// Where something is found; the end if it is not.
fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> usize {
    (from..bytes.len()).find(|it| bytes[*it..].starts_with(wanted)).unwrap_or(bytes.len())
}

/// Behind a string that began before `at`. A line end ends it, too: strings have none.
fn past_string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len()) + usize::from(at < bytes.len())
}

/// Behind the text of a template literal that began before `at`, or in its next substitution.
fn past_template(bytes: &[u8], mut at: usize, levels: &mut Vec<Level>) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'`' => return at + 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                levels.push(Level { tokens: 0, in_template: true });
                return at + 2;
            }
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_is_deep_with_and_without_brackets() {
        for (text, deep) in [
            ("[".repeat(3000), 3000),
            ("1".to_owned() + &"+1".repeat(3000), 3000),
            ("if(a){}".to_owned() + &"else if(a){}".repeat(3000), 3000),
            ("function f(){".repeat(3000), 3000),
            ("`${".repeat(3000), 3000),
            ("a=>".repeat(3000), 3000),
            ("x?y:".repeat(3000), 3000),
            ("if(a)\n".repeat(3000), 3000),
        ] {
            assert!(depth(&text) >= deep, "{}…: {}", &text[..12], depth(&text));
        }
    }

    #[test]
    fn long_texts_are_not_deep() {
        for text in [
            "let a = f(1);\n".repeat(3000),
            "const a = f(1)\n".repeat(3000),
            "function f() { return 1; }\n".repeat(3000),
            "[".to_owned() + &"1,".repeat(3000) + "]",
            "// a b c\n/* d e */".repeat(3000),
            "'a b c';\"d'\";`${a}b`;".repeat(3000),
            "case 1:\nbreak\n".repeat(3000),
        ] {
            assert!(depth(&text) < 100, "{}…: {}", &text[..12], depth(&text));
        }
    }
}
