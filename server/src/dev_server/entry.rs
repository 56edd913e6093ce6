//! The addresses that hand out modules: what a page loads first, and what it loads later.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use axum::response::{IntoResponse, Response};

use super::addresses;
use super::guard::Token;
use super::refusal::Refusal;
use super::{PREFIX, Shared};
use crate::wire::{Graph, PageId};

pub(super) const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-capuchin-token");

/// `/@capuchin/entry?m=ID&n=0&also=ID…&page=P&token=T`: the module script that stands for one of the page's own.
///
/// The page's first one (`n` = 0) carries the modules of them all, those of the others are named by `also`; the later
/// ones only run.
pub(super) async fn entry(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = Asked::parse(&uri, &headers, &shared)?;
    let is_first = asked.n == 0;
    let graph = if method == Method::HEAD || !is_first {
        Graph { entry: asked.entries[0].clone(), server: shared.server.clone(), modules: Vec::new() }
    } else {
        load(&shared, asked).await?
    };
    Ok(answer("text/javascript; charset=utf-8", entry_script(&graph)))
}

/// `/@capuchin/graph?m=ID&page=P&token=T`: modules for a page that runs already, as JSON.
pub(super) async fn graph(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = Asked::parse(&uri, &headers, &shared)?;
    if method == Method::HEAD {
        return Ok(answer("application/json", String::new()));
    }
    Ok(answer("application/json", load(&shared, asked).await?.to_json()))
}

/// The address of the entry script that stands for module script `n` of a page.
pub(super) fn entry_url(id: &str, n: usize, also: &[&str], page: &PageId, token: &str) -> String {
    let mut url = format!("{PREFIX}entry?m={}&n={n}", addresses::query_value(id));
    for id in also {
        write!(url, "&also={}", addresses::query_value(id)).expect("a string takes all");
    }
    write!(url, "&page={page}&token={token}").expect("a string takes all");
    url
}

/// A request for modules that may have an answer.
struct Asked {
    /// At least one.
    entries: Vec<String>,
    n: usize,
    page: PageId,
}

impl Asked {
    fn parse(uri: &Uri, headers: &HeaderMap, shared: &Shared) -> Result<Asked, Refusal> {
        check_token(uri, headers, shared)?;
        let (mut entries, mut n, mut page) = (Vec::new(), 0, None);
        for (key, value) in addresses::query(uri) {
            match &*key {
                "m" | "also" => entries.push(addresses::valid_id(&shared.root, &value)?),
                "n" => n = value.parse().map_err(|_| Refusal::BAD_QUERY)?,
                "page" => page = PageId::parse(&value),
                _ => {}
            }
        }
        match page {
            Some(page) if !entries.is_empty() => Ok(Asked { entries, n, page }),
            _ => Err(Refusal::BAD_QUERY),
        }
    }
}

pub(super) fn check_token(uri: &Uri, headers: &HeaderMap, shared: &Shared) -> Result<(), Refusal> {
    if has_token(uri, headers, &shared.token) { Ok(()) } else { Err(Refusal::NO_TOKEN) }
}

/// The token comes in the query or in a header, exactly once.
pub(crate) fn has_token(uri: &Uri, headers: &HeaderMap, token: &Token) -> bool {
    let in_query = addresses::query(uri).filter(|(key, _)| key == "token").map(|(_, value)| value.into_owned());
    let in_headers = headers.get_all(TOKEN_HEADER).iter().map(|value| value.to_str().unwrap_or_default().to_owned());
    let mut given = in_query.chain(in_headers);
    matches!((given.next(), given.next()), (Some(given), None) if token.matches(&given))
}

async fn load(shared: &Arc<Shared>, asked: Asked) -> Result<Graph, Refusal> {
    let backend = shared.backend.clone();
    let loading = tokio::task::spawn_blocking(move || backend.graph(&asked.entries, &asked.page));
    loading.await.map_err(|error| {
        tracing::error!("loading modules failed: {error}");
        Refusal::FAILED
    })
}

/// The graph goes through `JSON.parse` and not into the script as a literal, where a key `__proto__` would not be a key.
fn entry_script(graph: &Graph) -> String {
    let json = graph.to_json();
    let mut script = String::with_capacity(json.len() + json.len() / 8 + 128);
    script.push_str("import { enter } from \"/@capuchin/runtime/client.js\";\nenter(JSON.parse('");
    let mut rest = json.as_str();
    while let Some(at) = rest.find(['\\', '\'', '\u{2028}', '\u{2029}']) {
        let (plain, special) = rest.split_at(at);
        script.push_str(plain);
        let first = special.chars().next().expect("it was found");
        match first {
            '\u{2028}' => script.push_str("\\u2028"),
            '\u{2029}' => script.push_str("\\u2029"),
            quote_or_backslash => script.extend(['\\', quote_or_backslash]),
        }
        rest = &special[first.len_utf8()..];
    }
    script.push_str(rest);
    script.push_str("'));\n");
    script
}

fn answer(kind: &'static str, body: String) -> Response {
    // The script's address holds the token: it must not go to other sites as a referrer.
    let head =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")];
    (head, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Served;
    use super::*;

    #[test]
    fn the_first_entry_carries_the_modules_of_all() {
        let served = Served::new();
        let page = PageId::parse("p1").expect("plain");
        let url = entry_url("/main.js", 0, &["/b c.js", "/index.html?inline=0"], &page, served.token());
        let answer = served.get(&url, &[]);
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(answer.text().starts_with(
            "import { enter } from \"/@capuchin/runtime/client.js\";\nenter(JSON.parse('{\"entry\":\"/main.js\""
        ));
        assert_eq!(served.backend.notes(), [r#"graph ["/main.js", "/b%20c.js", "/index.html?inline=0"] for p1"#]);
    }

    #[test]
    fn later_entries_only_run() {
        let served = Served::new();
        let url = entry_url("/b.js", 1, &[], &PageId::parse("p1").expect("plain"), served.token());
        assert!(served.get(&url, &[]).text().contains(r#"{"entry":"/b.js","server":""#));
        assert!(served.get(&url, &[]).text().contains(r#""modules":[]}"#));
        assert_eq!(served.backend.notes(), [""; 0]);
    }

    #[test]
    fn code_cannot_leave_its_string() {
        let graph = Graph {
            entry: "/a'b\\c\u{2028}\u{2029}\n</script>\"".to_owned(),
            server: "S".to_owned(),
            modules: Vec::new(),
        };
        let script = entry_script(&graph);
        let literal =
            script.split_once("JSON.parse('").and_then(|(_, rest)| rest.strip_suffix("'));\n")).expect("one literal");
        assert!(!literal.contains(['\n', '\u{2028}', '\u{2029}']));
        // Each quote has a backslash, and that backslash has none.
        let mut is_escaped = false;
        for c in literal.chars() {
            assert!(c != '\'' || is_escaped, "{literal}");
            is_escaped = c == '\\' && !is_escaped;
        }
        let unescaped = literal
            .replace("\\u2028", "\u{2028}")
            .replace("\\u2029", "\u{2029}")
            .replace("\\'", "'")
            .replace("\\\\", "\\");
        assert_eq!(serde_json::from_str::<Graph>(&unescaped).expect("JSON"), graph);
    }

    #[test]
    fn the_graph_comes_as_json_to_those_with_the_token() {
        let served = Served::new();
        let token = served.token().to_owned();
        let in_query = served.get(&format!("/@capuchin/graph?m=%2Fa.js&m=/b.js&page=p1&token={token}"), &[]);
        let in_header =
            served.get("/@capuchin/graph?m=%2Fa.js&m=/b.js&page=p1", &[&format!("x-capuchin-token: {token}")]);
        for answer in [in_query, in_header] {
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
            let graph: Graph = serde_json::from_slice(&answer.body).expect("a graph");
            assert_eq!(graph.modules.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["/a.js", "/b.js"]);
        }
    }

    #[test]
    fn without_the_token_there_are_no_modules() {
        let served = Served::new();
        let token = served.token().to_owned();
        let mut other = token.clone();
        other.replace_range(..1, if token.starts_with('A') { "B" } else { "A" });
        let wrong = [
            String::new(),
            "&token=".to_owned(),
            format!("&token={other}"),
            format!("&token={token}x"),
            format!("&token={token}&token={token}"),
            format!("&token={token}&token=x"),
            format!("&Token={token}"),
        ];
        for token in wrong {
            for path in ["graph", "entry"] {
                let answer = served.get(&format!("/@capuchin/{path}?m=/a.js&page=p1{token}"), &[]);
                assert_eq!(answer.status, 403, "{path} {token}");
            }
        }
        assert_eq!(
            served
                .get(
                    &format!("/@capuchin/graph?m=/a.js&page=p&token={token}"),
                    &[&format!("x-capuchin-token: {token}")]
                )
                .status,
            403
        );
        assert_eq!(served.backend.notes(), [""; 0]);
    }

    #[test]
    fn requests_that_make_no_sense_are_refused() {
        let served = Served::new();
        let token = served.token().to_owned();
        for query in [
            "",
            "page=p1",
            "m=/a.js",
            "m=/a.js&page=",
            "m=/a.js&page=a%22b",
            "m=a.js&page=p",
            "m=/../a.js&page=p",
            "m=/.env&page=p",
            "m=%2Fetc%2Fpasswd&page=p",
            "m=/a.js&page=p&n=x",
            "m=file:///etc/passwd&page=p",
            "m=/a.js&also=/.env&page=p",
        ] {
            for path in ["graph", "entry"] {
                let answer = served.get(&format!("/@capuchin/{path}?{query}&token={token}"), &[]);
                assert!(matches!(answer.status, 400 | 403), "{path} {query}: {}", answer.status);
            }
        }
        assert_eq!(served.backend.notes(), [""; 0]);
    }

    #[test]
    fn a_backend_that_fails_is_one_clear_answer() {
        let served = Served::new();
        let answer = served.get(&format!("/@capuchin/graph?m=/panic.js&page=p&token={}", served.token()), &[]);
        assert_eq!((answer.status, answer.text().as_str()), (500, Refusal::FAILED.sentence));
    }

    #[test]
    fn head_asks_nothing_of_the_backend() {
        let served = Served::new();
        for path in ["graph", "entry"] {
            let answer = served.ask("HEAD", &format!("/@capuchin/{path}?m=/a.js&page=p&token={}", served.token()), &[]);
            assert_eq!(answer.status, 200);
        }
        assert_eq!(served.backend.notes(), [""; 0]);
    }
}
