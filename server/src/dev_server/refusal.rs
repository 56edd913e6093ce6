//! Why a request gets no answer: a status and one sentence of plain text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Plain text and not HTML, so that nothing of a request can become markup. The sentences are fixed for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) sentence: &'static str,
}

impl Refusal {
    pub(crate) const NOT_FOUND: Refusal = Refusal::new(StatusCode::NOT_FOUND, "There is no such file in this project.");
    pub(crate) const NO_INDEX: Refusal = Refusal::new(StatusCode::NOT_FOUND, "There is no index.html in this folder.");
    pub(crate) const NOT_OURS: Refusal = Refusal::new(StatusCode::NOT_FOUND, "Capuchin has nothing at this address.");
    pub(crate) const HIDDEN: Refusal = Refusal::new(StatusCode::FORBIDDEN, "Capuchin does not serve hidden files.");
    pub(crate) const WRONG_KIND: Refusal =
        Refusal::new(StatusCode::FORBIDDEN, "Capuchin does not serve files of this kind.");
    pub(crate) const OUTSIDE: Refusal = Refusal::new(StatusCode::FORBIDDEN, "This file lies outside the project.");
    pub(crate) const UNREADABLE: Refusal = Refusal::new(StatusCode::FORBIDDEN, "This file cannot be read.");
    pub(crate) const BAD_PATH: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "This is not a valid path.");
    pub(crate) const BAD_QUERY: Refusal =
        Refusal::new(StatusCode::BAD_REQUEST, "This is not a valid request for modules.");
    pub(crate) const NO_TOKEN: Refusal =
        Refusal::new(StatusCode::FORBIDDEN, "This page belongs to an earlier start of Capuchin: reload it.");
    pub(crate) const FAILED: Refusal =
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Capuchin could not make this answer; its log says why.");

    pub(crate) const fn new(status: StatusCode, sentence: &'static str) -> Refusal {
        Refusal { status, sentence }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], self.sentence).into_response();
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        response
    }
}
