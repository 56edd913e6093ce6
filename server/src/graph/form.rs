//! The forms of a file that a query or an import's type asks for.

use crate::modules::split_suffix;

/// What is made of a file, as the query of its id asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Url,
    /// The text, or the bytes as an address.
    Inline,
    Raw,
    Bytes,
    Json,
    Css,
    /// A style sheet as an object.
    Sheet,
}

impl Form {
    pub(super) fn asked(query: &str) -> Option<Form> {
        let names = query.trim_start_matches('?').split('#').next().unwrap_or_default().split('&');
        names.map(|it| it.split('=').next().unwrap_or_default()).find_map(|name| match name {
            "url" => Some(Form::Url),
            "inline" => Some(Form::Inline),
            "raw" => Some(Form::Raw),
            "bytes" => Some(Form::Bytes),
            "json" => Some(Form::Json),
            "sheet" => Some(Form::Sheet),
            _ => None,
        })
    }

    pub(super) fn of(extension: &str) -> Form {
        match extension {
            "json" => Form::Json,
            "css" => Form::Css,
            _ => Form::Url,
        }
    }
}

/// The query that asks for a module of this type; empty where the file is of that type anyway.
pub(super) fn query_for(asked: &str, id: &str) -> Option<&'static str> {
    let is = |ending: &str| split_suffix(id).0.to_ascii_lowercase().ends_with(ending);
    match asked {
        "json" if is(".json") => Some(""),
        "json" => Some("json"),
        "css" => Some("sheet"),
        "text" => Some("raw"),
        "bytes" => Some("bytes"),
        _ => None,
    }
}

pub(super) fn with_query(id: &str, query: &str) -> String {
    let (rest, fragment) = id.split_at(id.find('#').unwrap_or(id.len()));
    let separator = if rest.contains('?') { '&' } else { '?' };
    format!("{rest}{separator}{query}{fragment}")
}
