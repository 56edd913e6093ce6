//! From bytes to JSON-RPC, forgiving.

use serde_json::{Map, Value};
use tower_lsp::jsonrpc::{Error, Id, Request};

/// What one body turned out to be.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// A request or a notification.
    Request(Request),
    /// An answer to a request of ours.
    Response,
    /// Neither. `id` is what the answer with `error` goes to.
    Unreadable { id: Id, error: Error, sentence: String },
}

pub(super) fn parse(body: &[u8]) -> Message {
    let value = serde_json::from_slice(body).or_else(|err| match without_lone_surrogates(body) {
        Some(body) => serde_json::from_slice(&body),
        None => Err(err),
    });
    match value {
        Ok(Value::Object(message)) => from_object(message),
        Ok(Value::Array(_)) => unreadable(
            Id::Null,
            Error::invalid_request(),
            "the LSP has no batches of messages, so this one was skipped".into(),
        ),
        Ok(_) => unreadable(Id::Null, Error::invalid_request(), "a message that is no JSON object was skipped".into()),
        Err(err) => {
            unreadable(Id::Null, Error::parse_error(), format!("a message that is no valid JSON was skipped: {err}"))
        }
    }
}

fn from_object(mut message: Map<String, Value>) -> Message {
    let id = match message.remove("id").map(serde_json::from_value::<Id>) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => {
            return unreadable(
                Id::Null,
                Error::invalid_request(),
                "a request whose id is neither number nor string was skipped".into(),
            );
        }
    };
    let method = match message.remove("method") {
        Some(Value::String(method)) => method,
        None if message.contains_key("result") || message.contains_key("error") => return Message::Response,
        _ => {
            return unreadable(
                id.unwrap_or_default(),
                Error::invalid_request(),
                "a message without a method was skipped".into(),
            );
        }
    };
    let mut request = Request::build(method);
    if let Some(params) = message.remove("params") {
        request = request.params(params);
    }
    if let Some(id) = id {
        request = request.id(id);
    }
    Message::Request(request.finish())
}

fn unreadable(id: Id, error: Error, sentence: String) -> Message {
    Message::Unreadable { id, error, sentence }
}

/// Editors whose strings are UTF-16 can hold half a character, and escape it as `\ud83d` alone. No Rust string can hold
/// that, so U+FFFD stands in for it, which is as wide in UTF-16 and in UTF-8: positions stay right. `None`: there is none.
fn without_lone_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let mut fixed = body.to_vec();
    let mut changed = false;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        at += match byte {
            b'\\' => match (surrogate(body, at), surrogate(body, at + 6)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (Some(_), _) => {
                    fixed[at + 2..at + 6].copy_from_slice(b"fffd");
                    changed = true;
                    6
                }
                (None, _) => 2,
            },
            _ => 1,
        };
    }
    changed.then_some(fixed)
}

fn surrogate(body: &[u8], at: usize) -> Option<u16> {
    let escape = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let unit = u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn text(body: &str) -> String {
        match parse(body.as_bytes()) {
            Message::Request(request) => request.params().unwrap()["t"].as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn half_characters_are_replaced_and_whole_ones_kept() {
        assert_eq!(
            text(r#"{"method":"x","params":{"t":"a\ud83db\\ud83d\ud83d\ude00\ude00"}}"#),
            "a\u{fffd}b\\ud83d😀\u{fffd}"
        );
    }

    #[test]
    fn a_missing_jsonrpc_field_is_forgiven() {
        let expected = Request::build("x").id(1).params(json!({})).finish();
        assert_eq!(parse(br#"{"id":1,"method":"x","params":{}}"#), Message::Request(expected));
    }

    #[test]
    fn answers_are_told_from_requests() {
        assert_eq!(parse(br#"{"jsonrpc":"2.0","id":1,"result":null}"#), Message::Response);
        assert_eq!(parse(br#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#), Message::Response);
    }

    #[test]
    fn what_is_no_message_says_so() {
        for body in ["", "{", "[]", "1", "{}", r#"{"id":[],"method":"x"}"#, r#"{"method":1}"#, "\u{0}"] {
            assert!(matches!(parse(body.as_bytes()), Message::Unreadable { .. }), "{body}");
        }
        assert!(matches!(parse(b"\xff"), Message::Unreadable { .. }));
        assert!(matches!(parse(br#"{"id":7}"#), Message::Unreadable { id: Id::Number(7), .. }));
    }
}
