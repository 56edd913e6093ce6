//! Every address that is not ours: files of the project, with unsaved buffers over what is on disk.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::addresses::Address;
use super::ranges::{self, Wanted};
use super::refusal::Refusal;
use super::resolve::{self, Found};
use super::{PREFIX, Shared, html};

/// Up to here a file is read at once and its ETag made from its content. Larger ones are streamed, with an ETag from
/// length and time.
const READ_AT_ONCE: u64 = 16 << 20;

pub(super) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let work = move || answer(&shared, &head.uri, &head.headers).unwrap_or_else(IntoResponse::into_response);
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!("serving a file failed: {error}");
            Refusal::FAILED.into_response()
        }
    }
}

fn answer(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Result<Response, Refusal> {
    let address = Address::parse(uri.path())?;
    if address.segments.first().is_some_and(|name| format!("/{name}/") == PREFIX) {
        return Err(Refusal::NOT_OURS);
    }
    let (base, address) = resolve::base_of(&shared.root, uri.path(), address);
    let found = resolve::resolve(&base, &address)?;
    let is_route = matches!(found, Found::Missing(_)) && is_navigation(headers) && !address.has_extension();
    let answer = match found {
        Found::File(path) => serve_file(shared, &base, &path, uri, headers),
        // Made from the decoded names, so that it can never name another server.
        Found::Folder if !address.is_folder => redirect(shared, uri),
        Found::Missing(path) if !address.is_folder => {
            serve_file(shared, &base, &path, uri, headers).map_err(|refusal| match refusal {
                // Nothing is there, so its kind is no reason.
                Refusal::WRONG_KIND => Refusal::NOT_FOUND,
                refusal => refusal,
            })
        }
        Found::Folder | Found::Missing(_) => serve_index(shared, &base, &address, uri, headers),
    };
    // A single-page program's own route.
    let top = Address { segments: Vec::new(), is_folder: true };
    if is_route { answer.or_else(|_| serve_index(shared, shared.root.path(), &top, uri, headers)) } else { answer }
}

fn serve_index(
    shared: &Shared,
    base: &Path,
    folder: &Address,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let index = folder.join("index.html");
    match resolve::resolve(base, &index)? {
        Found::File(path) | Found::Missing(path) => {
            serve_file(shared, base, &path, uri, headers).map_err(|refusal| match refusal {
                Refusal::NOT_FOUND => Refusal::NO_INDEX,
                refusal => refusal,
            })
        }
        Found::Folder => Err(Refusal::NO_INDEX),
    }
}

/// What the bytes of an answer come from.
enum Content {
    Text(Arc<str>),
    Bytes(Vec<u8>),
    Large(File, u64, String),
}

fn serve_file(shared: &Shared, base: &Path, path: &Path, uri: &Uri, headers: &HeaderMap) -> Result<Response, Refusal> {
    resolve::check(base, path)?;
    // Asked first: the text may be newer than that, but not older.
    let rev = shared.backend.rev();
    let content = match shared.backend.buffer(path) {
        Some(text) => Content::Text(text),
        None => read(base, path)?,
    };
    let is_html = matches!(extension(path).as_str(), "html" | "htm");
    if is_html && wants_page(headers) {
        let text = match &content {
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(bytes) => bytes,
            Content::Large(..) => return Err(Refusal::UNREADABLE),
        };
        let id = shared.root.id_of(path).ok_or(Refusal::NOT_FOUND)?;
        return Ok(html_answer(shared, text, &id, rev, uri, headers));
    }
    if is_script(path)
        && wants_classic(headers)
        && let Some(url) = shared.root.id_of(path).filter(|url| shared.classic.contains(url))
        && let Some(code) = shared.backend.classic(path, &url)
    {
        return Ok(file_answer(Content::Text(code.into()), path, headers));
    }
    let content = match (extension(path).as_str(), text_of(headers, "sec-fetch-dest")) {
        ("css", Some("style")) => stylesheet(shared, path, content),
        _ => content,
    };
    Ok(file_answer(content, path, headers))
}

fn stylesheet(shared: &Shared, path: &Path, content: Content) -> Content {
    let text = match &content {
        Content::Text(text) => Some(&**text),
        Content::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        Content::Large(..) => None,
    };
    match text.and_then(|it| shared.backend.stylesheet(path, it)) {
        Some(text) => Content::Text(text.into()),
        None => content,
    }
}

fn read(root: &Path, path: &Path) -> Result<Content, Refusal> {
    let mut file = resolve::open(root, path)?;
    let metadata = file.metadata().map_err(|_| Refusal::UNREADABLE)?;
    if metadata.len() > READ_AT_ONCE {
        let time = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .unwrap_or_default();
        let etag = format!("\"{:x}-{:x}\"", metadata.len(), time.as_nanos());
        return Ok(Content::Large(file, metadata.len(), etag));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.by_ref().take(READ_AT_ONCE + 1).read_to_end(&mut bytes).map_err(|_| Refusal::UNREADABLE)?;
    Ok(Content::Bytes(bytes))
}

fn html_answer(shared: &Shared, text: &[u8], id: &str, rev: u64, uri: &Uri, headers: &HeaderMap) -> Response {
    let page = shared.new_page();
    let origin = format!("http://{}", text_of(headers, "host").unwrap_or_default());
    let site = html::Site {
        origin: &origin,
        root: &shared.root,
        id,
        path: uri.path(),
        page: &page,
        token: shared.token.as_str(),
        server: &shared.server,
        cleanup: shared.cleanup,
        rev,
    };
    let rewritten = html::rewrite(text, &site);
    shared.backend.import_map(id, &rewritten.import_map);
    for script in &rewritten.inline_modules {
        shared.backend.inline_module(&script.id, &script.source, script.first_line);
    }
    shared.classic.add(rewritten.classic);
    // A browser believes the header rather than the file, so it is only said of text that is UTF-8.
    let kind = if std::str::from_utf8(text).is_ok() { "text/html; charset=utf-8" } else { "text/html" };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], rewritten.html).into_response()
}

fn file_answer(content: Content, path: &Path, headers: &HeaderMap) -> Response {
    let (length, etag) = match &content {
        Content::Text(text) => (text.len() as u64, ranges::etag_of(text.as_bytes())),
        Content::Bytes(bytes) => (bytes.len() as u64, ranges::etag_of(bytes)),
        Content::Large(_, length, etag) => (*length, etag.clone()),
    };
    if ranges::has_current(headers, &etag) {
        return ranges::not_modified(&etag);
    }
    let mut response = match ranges::wanted(headers, &etag, length) {
        Wanted::All => part(content, 0..length),
        Wanted::Part(range) => {
            let said = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            let body = part(content, range);
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, said)], body).into_response()
        }
        Wanted::Nothing => {
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{length}"))])
                .into_response();
        }
    };
    let head = response.headers_mut();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime_type(path)));
    head.insert(header::ETAG, HeaderValue::from_str(&etag).expect("quotes, hex digits and a dash"));
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn part(content: Content, range: std::ops::Range<u64>) -> Response {
    let within = range.start as usize..range.end as usize;
    match content {
        Content::Text(text) => Bytes::copy_from_slice(&text.as_bytes()[within]).into_response(),
        Content::Bytes(bytes) => Bytes::from(bytes).slice(within).into_response(),
        Content::Large(file, ..) => stream_part(file, range),
    }
}

fn stream_part(mut file: File, range: std::ops::Range<u64>) -> Response {
    use tokio::io::AsyncReadExt;
    let length = range.end - range.start;
    if file.seek(SeekFrom::Start(range.start)).is_err() {
        return Refusal::UNREADABLE.into_response();
    }
    let reader = tokio::fs::File::from_std(file).take(length);
    let chunks = stream::try_unfold(reader, async |mut reader| {
        let mut chunk = Vec::with_capacity(64 << 10);
        let n_read = reader.read_buf(&mut chunk).await?;
        Ok::<_, std::io::Error>((n_read > 0).then_some((Bytes::from(chunk), reader)))
    });
    ([(header::CONTENT_LENGTH, length)], Body::from_stream(chunks)).into_response()
}

fn redirect(shared: &Shared, uri: &Uri) -> Result<Response, Refusal> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let folder = shared.root.normalize(uri.path()).ok_or(Refusal::NOT_FOUND)?;
    let location = format!("{folder}/{query}");
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location.as_str()), (header::CACHE_CONTROL, "no-store")])
        .into_response())
}

fn is_navigation(headers: &HeaderMap) -> bool {
    let accepts_html = || {
        headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
    };
    match text_of(headers, "sec-fetch-mode") {
        Some(mode) => mode == "navigate" && accepts_html(),
        None => accepts_html(),
    }
}

/// A program that fetches HTML as data gets it as it is: only documents become pages. `x-capuchin-page` is how the
/// runtime asks for a page, to learn the token of a server that was started anew.
fn wants_page(headers: &HeaderMap) -> bool {
    match text_of(headers, "sec-fetch-dest") {
        Some(dest) => {
            matches!(dest, "document" | "iframe" | "frame" | "embed" | "object")
                || headers.contains_key("x-capuchin-page")
        }
        None => true,
    }
}

/// Whether this may be a plain `<script src>` of a page. `fetch()`, workers and what workers load get the file as it is.
fn wants_classic(headers: &HeaderMap) -> bool {
    let is_for_script = matches!(text_of(headers, "sec-fetch-dest"), None | Some("script"));
    is_for_script && !is_sent_by_script(headers)
}

/// In `importScripts()` of a worker the referrer is the worker's file.
fn is_sent_by_script(headers: &HeaderMap) -> bool {
    let referrer = text_of(headers, "referer").unwrap_or_default();
    let path = referrer.split(['?', '#']).next().unwrap_or_default();
    is_script(Path::new(path))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

fn is_script(path: &Path) -> bool {
    matches!(extension(path).as_str(), "js" | "mjs" | "cjs" | "jsx")
}

fn mime_type(path: &Path) -> &'static str {
    match extension(path).as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "geojson" | "topojson" => "application/json",
        "txt" | "md" | "csv" | "tsv" | "glsl" | "vert" | "frag" | "wgsl" | "obj" | "mtl" => "text/plain; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        extension => mime_guess::from_ext(extension).first_raw().unwrap_or("application/octet-stream"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Served;

    #[test]
    fn files_have_their_type_and_are_revalidated() {
        let served = Served::new();
        let kinds = [
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.png", "image/png"),
            ("a.wasm", "application/wasm"),
            ("a.mp4", "video/mp4"),
            ("a.woff2", "font/woff2"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a.glb", "model/gltf-binary"),
            ("A.PNG", "image/png"),
        ];
        for (name, kind) in kinds {
            served.folders.write(&format!("root/{name}"), name);
            let answer = served.get(&format!("/{name}"), &[]);
            assert_eq!((answer.status, answer.header("content-type"), answer.text().as_str()), (200, Some(kind), name));
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
            let etag = answer.header("etag").expect("an ETag").to_owned();
            assert_eq!(served.get(&format!("/{name}"), &[&format!("if-none-match: \"x\", W/{etag}")]).status, 304);
        }
        assert_eq!(served.get("/a.js", &["if-none-match: *"]).status, 304);
        assert_eq!(served.get("/a.js", &["if-none-match: \"x\""]).status, 200);
    }

    #[test]
    fn unsaved_text_wins_over_the_disk_for_every_kind() {
        let served = Served::new();
        for name in ["main.js", "data.json", "style.css", "a.svg", "index.html"] {
            served.folders.write(&format!("root/{name}"), "on disk");
            let etag = format!(
                "if-none-match: {}",
                served.get(&format!("/{name}"), &["sec-fetch-dest: empty"]).header("etag").expect("an ETag")
            );
            served.open_buffer(name, "unsaved");
            let answer = served.get(&format!("/{name}"), &[&etag, "sec-fetch-dest: empty"]);
            assert_eq!((answer.status, answer.text().as_str()), (200, "unsaved"), "{name}");
        }
        assert!(served.get("/", &[]).text().starts_with("unsaved"));
    }

    #[test]
    fn a_file_that_was_never_saved_is_served() {
        let served = Served::new();
        served.open_buffer("new.js", "new");
        served.open_buffer("deep/er/new.css", "new");
        served.open_buffer("sub/index.html", "new");
        for path in ["/new.js", "/deep/er/new.css"] {
            assert_eq!(served.get(path, &[]).text(), "new", "{path}");
        }
        assert!(served.get("/sub/", &[]).text().starts_with("new"));
    }

    #[test]
    fn unsaved_text_of_other_kinds_is_not_served() {
        let served = Served::new();
        for name in [".env", "tls.pem", "credentials.json", ".git/config", "a.yaml", "noextension"] {
            served.open_buffer(name, super::super::testing::SECRET);
            let answer = served.get(&format!("/{name}"), &["accept: */*"]);
            assert!(matches!(answer.status, 403 | 404), "{name}: {}", answer.status);
            assert!(!answer.text().contains(super::super::testing::SECRET));
        }
    }

    #[test]
    fn html_becomes_a_page() {
        let served = Served::new();
        let (first, second) = (served.get("/", &["sec-fetch-dest: document"]).text(), served.get("/index.html", &[]));
        assert!(
            first.contains(&format!(
                "<script src=\"/@capuchin/boot.js\" data-token=\"{}\" data-page=\"p",
                served.token()
            ))
        );
        assert!(first.contains("/@capuchin/entry?m=%2Fmain%2Ejs&"));
        assert_eq!(
            (second.header("cache-control"), second.header("content-type")),
            (Some("no-store"), Some("text/html; charset=utf-8"))
        );
        assert_eq!(second.header("etag"), None);
    }

    #[test]
    fn each_html_answer_is_another_page() {
        let served = Served::new();
        let page = |text: String| {
            text.split("data-page=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a page").to_owned()
        };
        let answers = served.get_all(&[("/", &[]), ("/", &[])]);
        assert_ne!(page(answers[0].text()), page(answers[1].text()));
    }

    #[test]
    fn html_as_data_is_left_alone() {
        let served = Served::new();
        served.folders.write("root/part.html", "<p>part");
        assert_eq!(served.get("/part.html", &["sec-fetch-dest: empty"]).text(), "<p>part");
        assert!(
            served.get("/part.html", &["sec-fetch-dest: empty", "x-capuchin-page: 1"]).text().contains("data-token")
        );
        assert!(served.get("/part.html", &["sec-fetch-dest: iframe"]).text().contains("data-token"));
    }

    #[test]
    fn the_backend_hears_of_what_the_html_holds() {
        let served = Served::new();
        served
            .folders
            .write("root/sub/index.html", "<script type=importmap>{}</script>\n<script type=module>go()</script>");
        served.get("/sub/", &[]);
        assert_eq!(
            served.backend.notes(),
            ["import map of /sub/index.html: {}", "inline /sub/index.html?inline=0 from line 2: go()"]
        );
    }

    #[test]
    fn only_the_plain_script_tags_of_pages_get_instrumented_text() {
        let served = Served::new();
        served.folders.write("root/index.html", "<script src=/app.js></script><script src=broken.js></script>");
        for name in ["app.js", "other.js", "broken.js"] {
            served.folders.write(&format!("root/{name}"), "plain");
        }
        let requests: &[(&str, &[&str], &str)] = &[
            ("/app.js", &[], "plain"), // Before the page was served.
            ("/", &[], ""),
            ("/app.js", &[], "/* instrumented /app.js */"),
            ("/app.js?v=2", &["Sec-Fetch-Dest: script"], "/* instrumented /app.js */"),
            ("/app.js", &["Sec-Fetch-Dest: empty"], "plain"),
            ("/app.js", &["Sec-Fetch-Dest: worker"], "plain"),
            ("/app.js", &["Sec-Fetch-Dest: script", "Referer: http://localhost/worker.js"], "plain"),
            (
                "/app.js",
                &["Sec-Fetch-Dest: script", "Referer: http://localhost/index.html"],
                "/* instrumented /app.js */",
            ),
            ("/other.js", &["Sec-Fetch-Dest: script"], "plain"),
            ("/broken.js", &["Sec-Fetch-Dest: script"], "plain"),
        ];
        let asked: Vec<_> = requests.iter().map(|(path, headers, _)| (*path, *headers)).collect();
        for ((path, headers, expected), answer) in requests.iter().zip(served.get_all(&asked)) {
            assert!(expected.is_empty() || answer.text() == *expected, "{path} {headers:?}: {}", answer.text());
        }
    }

    #[test]
    fn only_pages_get_style_sheets_with_fresh_addresses() {
        let served = Served::new();
        served.folders.write("root/a.css", "@import 'b.css';");
        served.folders.write("root/c.css", "p{}");
        for (path, headers, expected) in [
            ("/a.css", &["Sec-Fetch-Dest: style"][..], "/* fresh */@import 'b.css';"),
            ("/a.css?t=3", &["Sec-Fetch-Dest: style"], "/* fresh */@import 'b.css';"),
            ("/a.css", &["Sec-Fetch-Dest: empty"], "@import 'b.css';"),
            ("/a.css", &[], "@import 'b.css';"),
            ("/c.css", &["Sec-Fetch-Dest: style"], "p{}"),
        ] {
            assert_eq!(served.get(path, headers).text(), expected, "{path} {headers:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_project_is_its_file() {
        let served = Served::new();
        let root = served.folders.root();
        std::os::unix::fs::symlink(root.join("main.js"), root.join("link.js")).expect("a link");
        served
            .folders
            .write("root/index.html", "<script type=module src=link.js></script><script src=link.js></script>");
        let answers = served.get_all(&[("/", &[]), ("/link.js", &[])]);
        assert!(answers[0].text().contains("entry?m=%2Fmain%2Ejs&"), "{}", answers[0].text());
        assert_eq!(answers[1].text(), "/* instrumented /main.js */");
    }

    #[test]
    fn folders_lead_to_their_index() {
        let served = Served::new();
        served.folders.write("root/sub dir/index.html", "sub");
        served.folders.write("root/empty/x.txt", "x");
        let redirect = served.get("/sub%20dir?q=1", &[]);
        assert_eq!((redirect.status, redirect.header("location")), (307, Some("/sub%20dir/?q=1")));
        assert!(served.get("/sub%20dir/", &[]).text().starts_with("sub"));
        let empty = served.get("/empty/", &[]);
        assert_eq!((empty.status, empty.text().as_str()), (404, "There is no index.html in this folder."));
        assert!(!served.get("/empty/", &["accept: text/html"]).text().contains("x.txt"));
    }

    #[test]
    fn a_route_of_a_single_page_program_gets_its_page() {
        let served = Served::new();
        let is_page = |path: &str, headers: &[&str]| served.get(path, headers).text().contains("data-token");
        assert!(is_page("/some/route", &["accept: text/html,*/*"]));
        assert!(is_page("/some/route/", &["accept: text/html", "sec-fetch-mode: navigate"]));
        assert!(!is_page("/some/route", &["accept: */*"]));
        assert!(!is_page("/some/route", &["accept: text/html", "sec-fetch-mode: cors"]));
        assert!(!is_page("/missing.js", &["accept: text/html"]));
        assert!(!is_page("/.env", &["accept: text/html"]));
        assert_eq!(served.get("/missing.js", &[]).status, 404);
        assert_eq!(served.get("/main.js/", &["accept: text/html"]).status, 404);
    }

    #[test]
    fn media_come_in_parts() {
        let served = Served::new();
        let content: Vec<u8> = (0..=255).collect();
        served.folders.write("root/a.mp4", &content);
        let whole = served.get("/a.mp4", &[]);
        assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
        let part = served.get("/a.mp4", &["range: bytes=10-19"]);
        assert_eq!(
            (part.status, part.header("content-range"), part.body.as_slice()),
            (206, Some("bytes 10-19/256"), &content[10..20])
        );
        let after = served.get("/a.mp4", &["range: bytes=256-"]);
        assert_eq!((after.status, after.header("content-range"), after.body.len()), (416, Some("bytes */256"), 0));
        assert_eq!(served.get("/a.mp4", &["range: bytes=0-1,4-5"]).body, content);
    }

    #[test]
    fn large_files_are_streamed_in_parts_too() {
        let served = Served::new();
        let length = super::READ_AT_ONCE as usize + 10;
        let mut content = vec![b'a'; length];
        content[length - 3..].copy_from_slice(b"end");
        served.folders.write("root/a.mp4", &content);
        let whole = served.get("/a.mp4", &[]);
        assert_eq!((whole.status, whole.body.len()), (200, length));
        assert_eq!(served.get("/a.mp4", &["range: bytes=-3"]).text(), "end");
        let etag = format!("if-none-match: {}", whole.header("etag").expect("an ETag"));
        assert_eq!(served.get("/a.mp4", &[&etag]).status, 304);
        let head = served.ask("HEAD", "/a.mp4", &[]);
        assert_eq!((head.header("content-length"), head.body.len()), (Some(length.to_string().as_str()), 0));
    }

    #[test]
    fn text_that_is_not_utf8_is_served_as_it_is() {
        let served = Served::new();
        served.folders.write("root/latin.js", b"'caf\xe9'");
        assert_eq!(served.get("/latin.js", &[]).body, b"'caf\xe9'");
        served.folders.write("root/latin.html", b"<title>caf\xe9</title>");
        let answer = served.get("/latin.html", &[]);
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert!(answer.body.windows(4).any(|it| it == b"caf\xe9"));
    }
}
