//! The editor's page and the files that it shows.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use lol_html::html_content::ContentType;
use lol_html::{RewriteStrSettings, element, rewrite_str};
use serde_json::json;

use super::{Demo, EXAMPLES, bundle};
use crate::dev_server::{Refusal, has_token, query};
use crate::lsp::uri;

/// Where the demo is.
pub(super) const ADDRESS: &str = "/@capuchin/demo/";

const NO_EXAMPLE: Refusal =
    Refusal::new(StatusCode::NOT_FOUND, "There is no example of this name: there are game, todo and clock.");
const NO_FILE: Refusal = Refusal::new(StatusCode::NOT_FOUND, "The examples have no such file.");

/// What the page may do: run its own script, style itself, talk to this server, and show the program. Nobody may show it in a
/// frame, because it holds the token.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `/@capuchin/demo/?example=NAME`: the page, with all that it has to know in one meta element.
pub(super) async fn index(State(demo): State<Arc<Demo>>, uri: Uri) -> Result<Response, Refusal> {
    let asked = query(&uri).find(|(key, _)| key == "example").map(|(_, value)| value.into_owned());
    let example = asked.unwrap_or_else(|| demo.example.clone());
    if !EXAMPLES.contains(&example.as_str()) {
        return Err(NO_EXAMPLE);
    }
    let html = bundle::editor_file("index.html").and_then(|it| str::from_utf8(it).ok()).ok_or(Refusal::FAILED)?;
    let html = with_meta(html, &about(&demo, &example)).map_err(|error| {
        tracing::error!("the demo's page could not be made: {error}");
        Refusal::FAILED
    })?;
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Ok((head, html).into_response())
}

/// What the build made beside the page.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Refusal> {
    let content = bundle::editor_file(&name).filter(|_| name != "index.html").ok_or(Refusal::NOT_OURS)?;
    let kind = mime_guess::from_path(&name).first_or_octet_stream();
    let head =
        [(header::CONTENT_TYPE, format!("{kind}; charset=utf-8")), (header::CACHE_CONTROL, "no-cache".to_owned())];
    Ok((head, content).into_response())
}

/// `/@capuchin/demo/file?path=P&token=T`: what the editor opens a file with. The text on disk, never the buffer: the editor
/// compares with it to know what was edited.
pub(super) async fn file(State(demo): State<Arc<Demo>>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    if !has_token(&uri, &headers, &demo.token) {
        return Err(Refusal::NO_TOKEN);
    }
    let (_, path) = query(&uri).find(|(key, _)| key == "path").ok_or(NO_FILE)?;
    // A list of names, and so no way out of the folder.
    if !bundle::has_file(&path) {
        return Err(NO_FILE);
    }
    let text = tokio::fs::read_to_string(demo.root.path().join(&*path)).await.map_err(|error| {
        tracing::warn!("{path} cannot be read: {error}");
        Refusal::UNREADABLE
    })?;
    let head = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((head, text).into_response())
}

/// The content of the meta element; `demo/editor/README.md` specifies it.
fn about(demo: &Demo, example: &str) -> String {
    let root = demo.root.path();
    json!({
        "token": demo.token.as_str(),
        "root": root.display().to_string(),
        "rootUri": uri::from_path(root),
        "files": bundle::files_of(example),
        "example": example,
        "examples": EXAMPLES,
        "app": format!("/{example}/"),
    })
    .to_string()
}

fn with_meta(html: &str, content: &str) -> Result<String, lol_html::errors::RewritingError> {
    let meta = format!(r#"<meta name="capuchin-demo" content="{}">"#, escaped(content));
    let append = element!("head", |head| {
        head.append(&meta, ContentType::Html);
        Ok(())
    });
    rewrite_str(html, RewriteStrSettings::new().append_element_content_handler(append))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_has_to_know_stands_in_its_head() {
        let html =
            with_meta("<!doctype html><html><head><title>T</title></head><body></body></html>", r#"{"a":"<&>'"}"#);
        let expected = "<!doctype html><html><head><title>T</title>\
             <meta name=\"capuchin-demo\" content=\"{&quot;a&quot;:&quot;&lt;&amp;&gt;'&quot;}\"></head><body></body></html>";
        assert_eq!(html.unwrap(), expected);
    }
}
