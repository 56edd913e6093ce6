//! HTML before and after.

use std::path::Path;

use super::*;

const BOOT: &str = r#"<script src="/@capuchin/boot.js" data-token="T" data-page="P" data-server="S" data-rev="7" data-html="/index.html"></script>"#;

fn rewritten_at(path: &str, html: &[u8]) -> Rewritten {
    let page = PageId::parse("P").expect("plain");
    let root = Root::open(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it exists");
    let site = Site {
        root: &root,
        origin: "http://localhost:4177",
        id: "/index.html",
        path,
        page: &page,
        token: "T",
        server: "S",
        cleanup: Cleanup::On,
        rev: 7,
    };
    rewrite(html, &site)
}

fn rewritten(html: &str) -> Rewritten {
    rewritten_at("/", html.as_bytes())
}

/// Checks the HTML, with `BOOT` for our script and `ENTRY(…)` for the addresses of entries.
#[track_caller]
fn check(html: &str, expected: &str) {
    let out = String::from_utf8(rewritten(html).html).expect("UTF-8");
    let out = out.replace(BOOT, "BOOT").replace("&page=P&token=T", "").replace("/@capuchin/entry?", "ENTRY:");
    let out = percent_encoding::percent_decode_str(&out).decode_utf8().expect("UTF-8").into_owned();
    assert_eq!(out, expected);
}

#[test]
fn the_boot_script_comes_before_everything() {
    check(
        "<!doctype html><html><head lang=en><meta charset=utf-8>",
        "<!doctype html><html><head lang=en>BOOT<meta charset=utf-8>",
    );
    check("<!doctype html><script>x</script>", "<!doctype html>BOOT<script>x</script>");
    check("<html><body><p>", "<html>BOOT<body><p>");
    check("<!-- <head> --><title><head></title>", "<!-- <head> -->BOOT<title><head></title>");
    check("text only", "text onlyBOOT");
    check("", "BOOT");
    check("<HTML><HEAD></HEAD><head></head>", "<HTML><HEAD>BOOT</HEAD><head></head>");
}

#[test]
fn module_scripts_become_entries_of_one_graph() {
    check(
        "<head><script type=module src=a.js></script><script src='./b/../b.js' type=' Module '></script>",
        "<head>BOOT<script type=module src=\"ENTRY:m=/a.js&n=0&also=/b.js\"></script><script src=\"ENTRY:m=/b.js&n=1\" type=' Module '></script>",
    );
    check(
        "<head><script type=module src='http://localhost:4177/a%20b.js?v=1#x' integrity=sha256-x async defer crossorigin></script>",
        "<head>BOOT<script type=module src=\"ENTRY:m=/a%20b.js&n=0\" defer crossorigin></script>",
    );
}

#[test]
fn inline_modules_move_to_the_backend() {
    let html = "<head>\n<script type=module>\nlet a = '</div>' && 1;\n</script>\n<script type=module src=m.js></script><script type=module>b</script>";
    let out = rewritten(html);
    let module =
        |id: &str, source: &str, first_line| InlineModule { id: id.to_owned(), source: source.to_owned(), first_line };
    assert_eq!(
        out.inline_modules,
        [module("/index.html?inline=0", "\nlet a = '</div>' && 1;\n", 2), module("/index.html?inline=1", "b", 5)]
    );
    check(
        html,
        "<head>BOOT\n<script type=module src=\"ENTRY:m=/index.html?inline=0&n=0&also=/m.js&also=/index.html?inline=1\"></script>\n\
         <script type=module src=\"ENTRY:m=/m.js&n=1\"></script><script type=module src=\"ENTRY:m=/index.html?inline=1&n=2\"></script>",
    );
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let left = [
        "<script type=module src=https://esm.sh/x></script>",
        "<script type=module src=http://localhost:9/x.js></script>",
        "<script type=module src=//localhost:9/x.js></script>",
        "<script type=module src=data:text/javascript,1></script>",
        "<script type=module src=/@capuchin/x.js></script>",
        "<script type=module src=''></script>",
        "<script nomodule src=old.js integrity=x></script>",
        "<script src=classic.js integrity=x async></script>",
        "<script src=https://cdn.example/x.js></script>",
        "<script type=text/x-template><script type=module src=a.js></script>",
        "<script type=application/json>{\"type\": \"module\"}</script>",
        "<template><script type=module src=a.js></script></template>",
        "<link rel=modulepreload href=https://esm.sh/x>",
        "<link rel=stylesheet href=/main.css>",
        "<!-- <script type=module src=a.js></script> -->",
        "<textarea><script type=module src=a.js></script></textarea>",
    ];
    for html in left {
        check(&format!("<head>{html}"), &format!("<head>BOOT{html}"));
    }
}

#[test]
fn a_script_in_a_template_is_not_the_first_entry() {
    check(
        "<head><template><script type=module src=a.js></script></template><script type=module src=b.js></script>",
        "<head>BOOT<template><script type=module src=a.js></script></template><script type=module src=\"ENTRY:m=/b.js&n=0\"></script>",
    );
}

#[test]
fn preloads_of_our_modules_go() {
    check(
        "<head><link rel=modulepreload href=a.js><link rel=preload as=script href=a.js><link rel=preload href=x.css as=style><script type=module src=a.js></script>",
        "<head>BOOT<link rel=preload href=x.css as=style><script type=module src=\"ENTRY:m=/a.js&n=0\"></script>",
    );
}

#[test]
fn plain_scripts_are_remembered() {
    let html = "<script src=a.js></script><script src=b.js type=text/javascript></script><script src=c.js type=module></script>\
                <script src=d.js nomodule></script><script src=e.js type=x></script><script src=https://x.example/f.js></script><script>g</script>";
    assert_eq!(rewritten(html).classic, ["/a.js", "/b.js"]);
}

#[test]
fn addresses_are_relative_to_what_was_asked_for() {
    let classic = |path, html: &str| rewritten_at(path, html.as_bytes()).classic;
    assert_eq!(classic("/some/route", "<script src=a.js></script>"), ["/some/a.js"]);
    assert_eq!(classic("/x", "<base href=/sub/><base href=/no/><script src=a.js></script>"), ["/sub/a.js"]);
    assert_eq!(
        classic(
            "/x",
            "<base href=https://cdn.example/><script src=a.js></script><script src=http://localhost:4177/b.js></script>"
        ),
        ["/b.js"]
    );
    assert_eq!(classic("/", "<script src='/a&amp;b&#x2e;js'></script>"), ["/a&b.js"]);
}

#[test]
fn import_maps_are_read_and_left() {
    let html = r#"<head><script type="importmap">{"imports": {"a": "./a.js", "b": "https://esm.sh/b", "./c": "../c.js"}, "scopes": {"./s/": {"a": "/x.js"}}}</script>"#;
    let out = rewritten_at("/sub/page.html", html.as_bytes());
    let expected =
        r#"{"imports":{"/sub/c":"/c.js","a":"/sub/a.js","b":"https://esm.sh/b"},"scopes":{"/sub/s/":{"a":"/x.js"}}}"#;
    assert_eq!(json(&out.import_map), json(expected));
    assert_eq!(String::from_utf8(out.html).expect("UTF-8"), html.replace("<head>", &format!("<head>{BOOT}")));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_page_has_one_import_map() {
    let map = |html: &str| rewritten(html).import_map;
    assert_eq!(map("<p>"), "{}");
    assert_eq!(map("<script type=importmap>{oops</script>"), "{oops");
    let two = r#"<script type=importmap>{"imports":{"a":"/1"}}</script><script type=importmap>{"imports":{"a":"/2","b":"/3"},"scopes":{"/s/":{"c":null}}}</script>"#;
    assert_eq!(json(&map(two)), json(r#"{"imports":{"a":"/1","b":"/3"},"scopes":{"/s/":{"c":null}}}"#));
}

#[test]
fn other_encodings_pass_byte_for_byte() {
    let html = b"<head><title>caf\xe9</title><script type=module src=a.js></script><p title=\"\xff\">";
    let out = rewritten_at("/", html).html;
    let at = |part: &[u8]| out.windows(part.len()).any(|it| it == part);
    assert!(at(b"<title>caf\xe9</title>") && at(b"<p title=\"\xff\">") && at(b"/@capuchin/entry?m=%2Fa%2Ejs"));
}

#[test]
fn an_address_cannot_become_markup() {
    let out = rewritten(r#"<head><script type=module src='/a"><img src=x>.js'></script>"#).html;
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(!out.contains("<img"), "{out}");
    let out = String::from_utf8(rewritten_at("/\"><img>", b"<head><script type=module src=a.js></script>").html)
        .expect("UTF-8");
    assert!(!out.contains("<img"), "{out}");
}
