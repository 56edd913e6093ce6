//! Who is let in. The outermost layer: it decides from the head of a request alone, before any other work.
//!
//! A dev server on loopback is reachable by every web page in the browser, and by every page of another port. Each rule
//! has a test below that fails without it.
//!
//! **Host**: exactly `localhost:PORT`, `127.0.0.1:PORT` or `[::1]:PORT` (without the port if it is 80). Any other name
//! may be DNS rebinding. Decided on purpose: `LOCALHOST:PORT`, `localhost.:PORT` and `a.localhost:PORT` are refused,
//! because browsers send the plain form, and addresses of the local network are, because we are not bound to them. No
//! Host (HTTP/1.0) and two of them are refused with 400.
//!
//! **Origin**, where there is one: exactly `http://` and this request's Host. Pages of other local ports are other
//! people's code.
//!
//! **Sec-Fetch-Site**, where there is one: `same-origin` or `none`. The exception is a link: another site may send
//! the user here (a top-level navigation), and another port of this machine may show us in a frame; neither can read the
//! answer, and our own addresses (`/@capuchin/`) are no part of it. We do not rely on this header:
//! `Cross-Origin-Resource-Policy` is on every answer, and nothing is sent that permits CORS.
//!
//! **Methods**: GET and HEAD, without a body.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::refusal::Refusal;
use super::{PREFIX, Shared};

/// The secret of one start of the server. It is only ever written into our own HTML.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// 32 random bytes.
    pub fn random() -> std::io::Result<Token> {
        random_text::<32>().map(Token)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the same time for every text of the right length: the length is no secret.
    pub fn matches(&self, given: &str) -> bool {
        let (ours, given) = (self.0.as_bytes(), given.as_bytes());
        let differences = ours.iter().zip(given).fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
        ours.len() == given.len() && differences == 0
    }
}

/// Without the secret, since configurations get logged.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// `N` random bytes as base64url.
pub(super) fn random_text<const N: usize>() -> std::io::Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The names under which this server may be spoken to.
#[derive(Debug)]
pub(super) struct Rules {
    hosts: Vec<String>,
}

const REBINDING: Refusal =
    Refusal::new(StatusCode::FORBIDDEN, "Capuchin answers only on localhost, 127.0.0.1 and [::1], with its own port.");
const ONE_HOST: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "A request needs exactly one Host.");
const METHOD: Refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "");
const BODY: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "Capuchin takes no request bodies.");
const EXPECT: Refusal = Refusal::new(StatusCode::EXPECTATION_FAILED, "Capuchin takes no request bodies.");
const OTHER_ORIGIN: Refusal = Refusal::new(StatusCode::FORBIDDEN, "Capuchin answers only to the project's own pages.");

impl Rules {
    pub(super) fn for_port(port: u16) -> Rules {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(str::to_owned));
        }
        Rules { hosts }
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = self.host(uri, headers)?;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(METHOD);
        }
        let has_body = headers.contains_key(header::TRANSFER_ENCODING)
            || headers.get_all(header::CONTENT_LENGTH).iter().any(|length| length != "0");
        if has_body {
            return Err(BODY);
        }
        if headers.contains_key(header::EXPECT) {
            return Err(EXPECT);
        }
        if headers.get_all(header::ORIGIN).iter().any(|origin| !is_origin_of(origin, host)) {
            return Err(OTHER_ORIGIN);
        }
        if headers.get_all("sec-fetch-site").iter().any(|site| !may_fetch(site, uri, headers)) {
            return Err(OTHER_ORIGIN);
        }
        Ok(())
    }

    /// The request's one Host, when it is ours.
    fn host<'a>(&self, uri: &Uri, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(ONE_HOST) };
        let host = host.to_str().map_err(|_| REBINDING)?;
        if !self.hosts.iter().any(|known| known == host) {
            return Err(REBINDING);
        }
        // `GET http://elsewhere/ HTTP/1.1`
        if uri.authority().is_some_and(|authority| authority != host) {
            return Err(REBINDING);
        }
        Ok(host)
    }
}

/// Whether a page of `host`, and no other, sent this. The socket asks again, because there the header is required.
pub fn has_own_origin(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origins.next(), origins.next(), host) {
        (Some(origin), None, Some(host)) => is_origin_of(origin, host),
        _ => false,
    }
}

fn is_origin_of(origin: &HeaderValue, host: &str) -> bool {
    origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://")) == Some(host)
}

fn may_fetch(site: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> bool {
    let is = |name: &str, wanted: &[&str]| {
        let mut values = headers.get_all(name).iter();
        let (value, more) = (values.next(), values.next());
        value.is_some_and(|value| wanted.iter().any(|it| value == it)) && more.is_none()
    };
    let may_link_here = !uri.path().starts_with(PREFIX);
    match site.as_bytes() {
        b"same-origin" | b"none" => true,
        b"same-site" => {
            may_link_here
                && is("sec-fetch-mode", &["navigate"])
                && is("sec-fetch-dest", &["document", "iframe", "frame"])
        }
        _ => may_link_here && is("sec-fetch-mode", &["navigate"]) && is("sec-fetch-dest", &["document"]),
    }
}

/// The layer around everything.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = match shared.rules.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::debug!(status = %refusal.status, "refused a request: {}", refusal.sentence);
            let mut response = refusal.into_response();
            // What follows on this connection may be a body that nobody asked for.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    if is_head {
        if let (Some(length), false) =
            (response.body().size_hint().exact(), response.headers().contains_key(header::CONTENT_LENGTH))
        {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = axum::body::Body::empty();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::testing::Served;
    use super::*;

    fn check(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let uri = uri.parse().expect("a URI");
        Rules::for_port(4177).check(&method, &uri, &map).map_or_else(|refusal| refusal.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_our_own_names_are_answered_to() {
        let hosts = [
            ("localhost:4177", 200),
            ("127.0.0.1:4177", 200),
            ("[::1]:4177", 200),
            ("evil.example", 403),
            ("evil.example:4177", 403),
            ("localhost.evil.example:4177", 403),
            ("evillocalhost:4177", 403),
            ("127.0.0.1.evil.example", 403),
            ("localhost", 403),
            ("localhost:41777", 403),
            ("localhost:80", 403),
            ("localhost:04177", 403),
            ("localhost:4177@evil.example", 403),
            ("evil@localhost:4177", 403),
            ("localhost:4177, evil.example", 403),
            ("localhost:4177 ", 403),
            ("localhost.", 403),
            ("localhost.:4177", 403),
            ("LOCALHOST:4177", 403),
            ("a.localhost:4177", 403),
            ("10.0.0.9:4177", 403),
            ("0.0.0.0:4177", 403),
            ("[::]:4177", 403),
            ("[::1", 403),
            ("[", 403),
            ("@", 403),
            ("%", 403),
            ("a b", 403),
            ("", 403),
            ("\u{e9}", 403),
        ];
        for (host, status) in hosts {
            assert_eq!(check("GET", "/", &[("host", host)]), status, "{host:?}");
        }
        assert_eq!(check("GET", "/", &[("host", &"a".repeat(9_000))]), 403);
    }

    #[test]
    fn a_request_has_exactly_one_host() {
        assert_eq!(check("GET", "/", &[]), 400);
        assert_eq!(check("GET", "/", &[("host", "localhost:4177"), ("host", "localhost:4177")]), 400);
        assert_eq!(check("GET", "/", &[("host", "localhost:4177"), ("host", "evil.example")]), 400);
    }

    #[test]
    fn an_absolute_target_has_to_be_ours_too() {
        assert_eq!(check("GET", "http://localhost:4177/", &[("host", "localhost:4177")]), 200);
        assert_eq!(check("GET", "http://evil.example/", &[("host", "localhost:4177")]), 403);
        assert_eq!(check("GET", "http://user@localhost:4177/", &[("host", "localhost:4177")]), 403);
    }

    #[test]
    fn the_port_may_be_left_out_only_if_it_is_80() {
        let names = |port| Rules::for_port(port).hosts;
        assert!(names(80).contains(&"localhost".to_owned()));
        assert!(!names(8080).contains(&"localhost".to_owned()));
    }

    #[test]
    fn only_our_own_origin_is_answered_to() {
        let origins = [
            ("http://localhost:4177", 200),
            ("http://127.0.0.1:4177", 403),
            ("http://evil.example", 403),
            ("http://localhost.evil.example:4177", 403),
            ("http://localhost:9", 403),
            ("http://localhost", 403),
            ("https://localhost:4177", 403),
            ("http://user@localhost:4177", 403),
            ("http://10.0.0.9", 403),
            ("http://localhost:4177/", 403),
            ("file://", 403),
            ("null", 403),
            ("http://", 403),
            ("[", 403),
            ("%", 403),
            ("", 403),
        ];
        for (origin, status) in origins {
            assert_eq!(
                check("GET", "/main.js", &[("host", "localhost:4177"), ("origin", origin)]),
                status,
                "{origin:?}"
            );
        }
        let twice = [("host", "localhost:4177"), ("origin", "http://localhost:4177"), ("origin", "null")];
        assert_eq!(check("GET", "/", &twice), 403);
    }

    #[test]
    fn other_sites_may_only_link_here() {
        let requests = [
            ("same-origin", "no-cors", "script", "/main.js", 200),
            ("none", "navigate", "document", "/", 200),
            ("cross-site", "no-cors", "script", "/main.js", 403),
            ("cross-site", "no-cors", "image", "/a.png", 403),
            ("cross-site", "cors", "empty", "/main.js", 403),
            ("cross-site", "navigate", "document", "/", 200),
            ("cross-site", "navigate", "iframe", "/", 403),
            ("cross-site", "navigate", "document", "/@capuchin/graph", 403),
            ("same-site", "no-cors", "script", "/main.js", 403),
            ("same-site", "navigate", "document", "/", 200),
            ("same-site", "navigate", "iframe", "/", 200),
            ("same-site", "navigate", "iframe", "/@capuchin/entry", 403),
            ("same-site", "navigate", "embed", "/", 403),
            ("nonsense", "no-cors", "script", "/main.js", 403),
        ];
        for (site, mode, dest, path, status) in requests {
            let headers = [
                ("host", "localhost:4177"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            assert_eq!(check("GET", path, &headers), status, "{site} {mode} {dest} {path}");
        }
        let twice = [("host", "localhost:4177"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check("GET", "/", &twice), 403);
    }

    #[test]
    fn only_get_and_head_and_no_bodies() {
        for (method, status) in [
            ("GET", 200),
            ("HEAD", 200),
            ("POST", 405),
            ("PUT", 405),
            ("DELETE", 405),
            ("PATCH", 405),
            ("OPTIONS", 405),
            ("TRACE", 405),
            ("BREW", 405),
        ] {
            assert_eq!(check(method, "/", &[("host", "localhost:4177")]), status, "{method}");
        }
        for header in [("content-length", "5"), ("transfer-encoding", "chunked"), ("content-length", "-1")] {
            assert_eq!(check("GET", "/", &[("host", "localhost:4177"), header]), 400, "{header:?}");
        }
        assert_eq!(check("GET", "/", &[("host", "localhost:4177"), ("content-length", "0")]), 200);
        assert_eq!(check("GET", "/", &[("host", "localhost:4177"), ("expect", "100-continue")]), 417);
    }

    #[test]
    fn a_refused_method_gets_no_body() {
        let served = Served::new();
        let answer = served.ask("POST", "/main.js", &[]);
        assert_eq!((answer.status, answer.text().as_str(), answer.header("allow")), (405, "", Some("GET, HEAD")));
    }

    #[test]
    fn tokens_are_long_new_and_compared_whole() {
        let (token, other) = (Token::random().expect("random numbers"), Token::random().expect("random numbers"));
        assert_eq!(token.as_str().len(), 43);
        assert_ne!(token.as_str(), other.as_str());
        assert!(token.matches(token.as_str()));
        let mut wrong_end = token.as_str().to_owned();
        let last = if wrong_end.pop() == Some('A') { 'B' } else { 'A' };
        wrong_end.push(last);
        let longer = format!("{}A", token.as_str());
        for wrong in ["", "A", other.as_str(), &wrong_end, &longer, &token.as_str()[..42]] {
            assert!(!token.matches(wrong), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn every_answer_has_the_guarding_headers_and_no_cors() {
        let served = Served::new();
        let token = served.token().to_owned();
        let graph = format!("/@capuchin/graph?m=/main.js&page=p&token={token}");
        let entry = format!("/@capuchin/entry?m=/main.js&n=0&page=p&token={token}");
        let paths = [
            "/",
            "/main.js",
            "/missing.js",
            "/.env",
            "/@capuchin/boot.js",
            "/@capuchin/runtime/client.js",
            "/@capuchin/nothing",
            "/@capuchin/socket",
            &graph,
            &entry,
        ];
        for path in paths {
            for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                for origin in ["http://evil.example", "null", "http://localhost:9", "http://user@localhost:4177"] {
                    let headers =
                        [format!("origin: {origin}"), "access-control-request-private-network: true".to_owned()];
                    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
                    check_head(&served.ask(method, path, &headers), path);
                }
                check_head(&served.ask(method, path, &[]), path);
            }
        }
    }

    #[track_caller]
    fn check_head(answer: &super::super::testing::Answer, path: &str) {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(!answer.headers().any(|name| name.starts_with("access-control-")), "{path}");
    }

    #[test]
    fn routes_of_others_are_behind_the_guard_too() {
        use tower::ServiceExt;
        let served = Served::new();
        let more = axum::Router::new().route("/@capuchin/demo/", axum::routing::get(async || "demo"));
        let app = super::super::app_with(served.config.clone(), served.backend.clone(), more);
        for (host, status) in [(served.host(), 200), ("evil.example".to_owned(), 403)] {
            let request = Request::builder()
                .uri("/@capuchin/demo/")
                .header("host", host)
                .body(axum::body::Body::empty())
                .expect("a request");
            let response = served.block_on(app.clone().oneshot(request)).expect("it cannot fail");
            assert_eq!(response.status(), status);
            assert!(response.headers().contains_key("cross-origin-resource-policy"));
        }
    }

    #[test]
    fn head_has_the_length_but_no_body() {
        let served = Served::new();
        let (get, head) = (served.get("/main.js", &[]), served.ask("HEAD", "/main.js", &[]));
        assert_eq!(get.body.len(), 10);
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some("10"));
        assert_eq!(head.header("etag"), get.header("etag"));
    }
}
