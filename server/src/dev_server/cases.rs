//! Bad requests that other dev servers fell for, sent as raw bytes: ordinary clients tidy them up.

use std::fs;

use super::testing::{Answer, SECRET, Served};

/// A project with secrets in it and beside it.
fn project() -> Served {
    let served = Served::new();
    for file in [
        "root/.env",
        "root/.env.js",
        "root/.git/config",
        "root/tls.pem",
        "root/src/.secret.js",
        "root/noextension",
        "outside/secret.txt",
        "outside/secret.html",
        "outside/secret.js",
        "outside/x.map",
        "outside/s.svg",
        "root-secret/secret.txt",
        "root-secret/secret.js",
    ] {
        served.folders.write(file, SECRET);
    }
    served.folders.write("root/src/a.js", "a");
    served.folders.write("root/node_modules/.cache/deps/a.map", "{}");
    served
}

#[track_caller]
fn request(served: &Served, target: &str, headers: &str) -> Answer {
    served.raw(
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n", served.host()).as_bytes(),
    )
}

/// No byte of a secret, and nothing that looks like success, but for the program's own page where a route has it.
#[track_caller]
fn assert_refused(served: &Served, target: &str, headers: &str) {
    let answer = request(served, target, headers);
    let is_own_page = answer.status == 200 && answer.text().contains("<title>Program</title>");
    assert!(is_own_page || matches!(answer.status, 400 | 403 | 404 | 414), "{target}: {}", answer.status);
    assert!(!answer.text().contains(SECRET), "{target} leaked");
}

#[test]
fn hidden_files_stay_hidden_whatever_the_query() {
    let served = project();
    let queries = [
        "",
        "?raw",
        "?import&raw",
        "?raw??",
        "?import&raw??",
        "?import&raw?&",
        "?raw?import",
        "?url",
        "?import&url&inline",
        "?inline&import",
        "?import&?inline=1.wasm?init",
        "?.svg?.wasm?init",
        "?.svg?import",
        "?direct",
        "?worker",
        "?t=1",
        "?html-proxy&index=0.js",
    ];
    let outside = served.folders.outside().join("secret.txt").display().to_string();
    let paths = [
        "/.env",
        "/.env.js",
        "/tls.pem",
        "/.git/config",
        "/src/.secret.js",
        "/noextension",
        &format!("/@fs{outside}"),
        &format!("/@fs/{outside}"),
    ];
    for path in paths {
        for query in queries {
            for headers in ["", "Sec-Fetch-Dest: script\r\n", "Accept: text/html\r\n"] {
                assert_refused(&served, &format!("{path}{query}"), headers);
            }
        }
    }
    served.assert_alive();
}

#[test]
fn hidden_files_stay_hidden_whatever_the_spelling() {
    let served = project();
    let port = served.config.port;
    let absolute = format!("http://localhost:{port}/.env");
    let targets = [
        "//.env",
        "///.env",
        "/.env/",
        "/.env/.",
        "/.env\\",
        "/.env%5c",
        "/.ENV",
        "/.EnV",
        "/.env%00",
        "/.env%20",
        "/.env.",
        "/%2eenv",
        "/./.env",
        "/x/../.env",
        "/.env;x",
        "/.env#",
        "/#/../.env",
        "/src/..%2f.env",
        &absolute,
        "/.env::$DATA?raw",
        "/ENV~1",
        "/tls.pem%20",
        "/tls.pem.",
        "/tls.pem/",
        "/tls%2epem",
        "/tls.pem;.js",
        "/tls.pem%00.js",
        "/tls.pem#.js",
        "/tls.pem?.js",
        "/src/.secret.js?import",
        "/src/%2esecret.js",
    ];
    for target in targets {
        for headers in ["", "Accept: text/html\r\n"] {
            assert_refused(&served, target, headers);
        }
    }
    for target in ["/.env", "/.nothing", "/src/.secret.js", "/src/.nothing.js"] {
        // The same for what is there and what is not.
        assert_eq!(request(&served, target, "").status, 403, "{target}");
    }
    for target in ["/.git/config", "/.git/nothing", "/.nothing/nothing", "/.git/", "/.nothing/"] {
        assert_eq!(request(&served, target, "Accept: text/html\r\n").status, 403, "{target}");
    }
    served.assert_alive();
}

#[test]
fn nothing_outside_is_reached_by_any_path() {
    let served = project();
    let (root, outside) = (served.folders.root().display().to_string(), served.folders.outside().display().to_string());
    let mut targets = Vec::new();
    for file in ["secret.txt", "secret.html", "secret.js", "x.map", "s.svg?import"] {
        for way in [
            "/../outside/",
            "/..%2foutside%2f",
            "/%2e%2e/outside/",
            "/%2e%2e%2foutside%2f",
            "/..%5coutside%5c",
            "/..\\outside\\",
            "/%252e%252e%252foutside/",
            "/....//outside/",
            "/..;/outside/",
            "/%c0%ae%c0%ae/outside/",
            "/src/%2e%2e/%2e%2e/outside/",
            "/src/../../outside/",
            "/src/a.js/../../../outside/",
        ] {
            targets.push(format!("{way}{file}"));
        }
    }
    targets.extend([
        "//etc/passwd".to_owned(),
        "/etc/passwd?import&raw".to_owned(),
        "/file:///etc/passwd".to_owned(),
        "/@fs/etc/passwd?raw".to_owned(),
        format!("/@fs{root}/../outside/secret.txt?raw"),
        format!("/@fs{root}/#/../../outside/secret.txt"),
        format!("/@fs{root}/?/../../outside/secret.txt?import&raw"),
        format!("/@id{outside}/secret.txt?raw"),
        format!("/@id/__x00__{outside}/secret.txt"),
        format!("/{outside}/secret.txt"),
        outside.clone(),
        "/node_modules/.cache/deps/../../../../outside/x.map".to_owned(),
        "/node_modules/.cache/deps/..%2f..%2f..%2f..%2foutside%2fx.map?v=1".to_owned(),
        "/../root-secret/secret.txt".to_owned(),
        "-secret/secret.txt".to_owned(),
        "/%2e%2e/root-secret/secret.js".to_owned(),
        "*".to_owned(),
        "index.html".to_owned(),
        "http://evil.example/../outside/secret.txt".to_owned(),
    ]);
    for target in &targets {
        for headers in ["", "Accept: text/html\r\n"] {
            assert_refused(&served, target, headers);
        }
    }
    assert_eq!(served.raw(format!("GET  HTTP/1.1\r\nHost: {}\r\n\r\n", served.host()).as_bytes()).status, 400);
    served.assert_alive();
}

#[cfg(unix)]
#[test]
fn links_out_of_the_project_are_not_followed() {
    use std::os::unix::fs::symlink;
    let served = project();
    let (root, outside) = (served.folders.root(), served.folders.outside());
    let link = |target: &std::path::Path, name: &str| symlink(target, root.join(name)).expect("a link");
    link(&outside.join("secret.txt"), "link.txt");
    link(&outside.join("secret.js"), "link.js");
    link(&outside.join("secret.html"), "link.html");
    link(&outside, "dir");
    link(&root.join(".env"), "env.txt");
    link(&root.join("tls.pem"), "pem.js");
    link(&root.join("nowhere.js"), "dangling.js");
    link(&outside.join("new.js"), "dangling-out.js");
    link(&root.join("src/a.js"), "inside.js");
    fs::create_dir(root.join("sub")).expect("a folder");
    link(&outside.join("secret.html"), "sub/index.html");
    for target in [
        "/link.txt",
        "/link.js",
        "/link.html",
        "/dir/secret.txt",
        "/dir/secret.js",
        "/dir/new.js",
        "/dir/",
        "/dir",
        "/env.txt",
        "/pem.js",
        "/sub/",
        "/sub/index.html",
    ] {
        let answer = request(&served, target, "");
        assert_eq!(answer.status, 403, "{target}");
        assert!(!answer.text().contains(SECRET));
    }
    // Nor does a buffer make a way: neither under the link's name nor under its target's.
    served.open_buffer("link.js", SECRET);
    served.open_buffer("dangling-out.js", SECRET);
    served.backend.open_buffer(&outside.join("secret.js"), SECRET);
    served.backend.open_buffer(&outside.join("new.js"), SECRET);
    for target in ["/link.js", "/dir/secret.js", "/dir/new.js", "/dangling.js", "/dangling-out.js"] {
        assert_refused(&served, target, "");
    }
    assert_eq!(request(&served, "/inside.js", "").text(), "a");
    served.assert_alive();
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let served = project();
    let root = served.folders.root();
    symlink(root.join("loop.js"), root.join("loop.js")).expect("a link");
    symlink("/dev/zero", root.join("zero.js")).expect("a link");
    let is_made =
        std::process::Command::new("mkfifo").arg(root.join("pipe.js")).status().is_ok_and(|status| status.success());
    assert!(is_made, "this test needs mkfifo");
    let socket = std::os::unix::net::UnixListener::bind(root.join("socket.js")).expect("a socket");
    fs::create_dir(root.join("folder.js")).expect("a folder");
    fs::create_dir(root.join("folder.js/index.html")).expect("a folder");
    served.folders.write("root/locked.js", SECRET);
    fs::set_permissions(root.join("locked.js"), fs::Permissions::from_mode(0o0)).expect("it is ours");
    for target in [
        "/loop.js",
        "/zero.js",
        "/pipe.js",
        "/socket.js",
        "/folder.js/",
        "/src/a.js/b.js",
        &format!("/{}.js", "a".repeat(5_000)),
    ] {
        let answer = request(&served, target, "");
        assert!(matches!(answer.status, 403 | 404), "{}: {}", &target[..target.len().min(20)], answer.status);
    }
    // Root reads everything, so there is nothing to see when the tests run as root.
    if fs::File::open(root.join("locked.js")).is_err() {
        assert_eq!(request(&served, "/locked.js", "").status, 403);
    }
    drop(socket);
    served.assert_alive();
}

#[test]
fn nothing_of_a_request_comes_back_as_markup() {
    let served = project();
    for target in [
        "/<script>alert(1)</script>",
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E.js",
        "/x%22%3E%3Cimg%20src=x%3E/",
        "/index.html?%22%3E%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/index.html?\"><script>alert(1)</script>",
        "/%0d%0aX-Injected:1",
    ] {
        for headers in ["", "Accept: text/html\r\n"] {
            let answer = request(&served, target, headers);
            assert!(
                !answer.text().contains("alert(1)") && !answer.text().contains("<img"),
                "{target}: {}",
                answer.text()
            );
            assert_eq!(answer.header("x-injected"), None);
        }
    }
    for target in ["/missing.js", "/.env", "/@capuchin/x", "/%"] {
        assert_eq!(request(&served, target, "").header("content-type"), Some("text/plain; charset=utf-8"), "{target}");
    }
}

#[test]
fn a_redirect_stays_here() {
    let served = project();
    for target in
        ["//evil.example/..", "//evil.example", "/\\evil.example", "/%5cevil.example", "/%2fevil.example", "//src"]
    {
        let answer = request(&served, target, "");
        assert!(matches!(answer.status, 400 | 404), "{target}: {}", answer.status);
        assert_eq!(answer.header("location"), None);
    }
    assert_eq!(request(&served, "/src?//evil.example", "").header("location"), Some("/src/?//evil.example"));
    assert_eq!(request(&served, &format!("http://{}/src", served.host()), "").header("location"), Some("/src/"));
}

#[test]
fn requests_for_another_name_get_nothing() {
    let served = project();
    let port = served.config.port;
    let raw = |head: &str| served.raw(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        &format!("localhost.evil.example:{port}"),
        &format!("localhost:{port}@evil.example"),
        &format!("localhost:{port}, evil.example"),
        "[",
        "[::1",
        "@",
        "%",
        "a b",
        "",
        &"a".repeat(9_000),
        "10.0.0.9",
    ] {
        let answer = raw(&format!("GET / HTTP/1.1\r\nHost: {host}"));
        assert_eq!(answer.status, 403, "{host}");
        assert!(!answer.text().contains("data-token"));
        assert_eq!(
            raw(&format!("GET /.env HTTP/1.1\r\nHost: {host}")).text(),
            answer.text(),
            "the host is checked before anything else"
        );
    }
    assert_eq!(raw("GET / HTTP/1.1").status, 400);
    assert_eq!(raw("GET / HTTP/1.0").status, 400);
    assert_eq!(raw(&format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nHost: localhost:{port}")).status, 400);
    assert_eq!(raw(&format!("GET / HTTP/1.0\r\nHost: localhost:{port}")).status, 200);
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        assert_eq!(raw(&format!("GET / HTTP/1.1\r\nHost: {host}:{port}")).status, 200, "{host}");
    }
    served.assert_alive();
}

#[test]
fn broken_http_is_refused_and_survived() {
    let served = project();
    let host = served.host();
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        (
            "length and chunks",
            format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            )
            .into(),
            &[400],
        ),
        (
            "two lengths",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello").into(),
            &[400],
        ),
        (
            "chunks that never end",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").into(),
            &[400],
        ),
        ("a body", format!("GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello").into(), &[400]),
        (
            "a body that never comes",
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n").into(),
            &[405],
        ),
        ("expect", format!("GET / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\n\r\n").into(), &[417]),
        (
            "a large header",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n", "a".repeat(1 << 20)).into(),
            &[431, 0],
        ),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", "X: y\r\n".repeat(2_000)).into(), &[431]),
        ("a long URL", format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "a".repeat(100_000)).into(), &[414, 431, 0]),
        ("another version", format!("GET / HTTP/9.9\r\nHost: {host}\r\n\r\n").into(), &[400, 0]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 0]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00".to_vec(), &[400, 0]),
        ("a space before the colon", format!("GET / HTTP/1.1\r\nHost: {host}\r\nX : y\r\n\r\n").into(), &[400]),
        ("CONNECT", format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n").into(), &[403, 405]),
        ("OPTIONS *", format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n").into(), &[405]),
        ("TRACE", format!("TRACE /main.js HTTP/1.1\r\nHost: {host}\r\nCookie: secret\r\n\r\n").into(), &[405]),
        ("BREW", format!("BREW / HTTP/1.1\r\nHost: {host}\r\n\r\n").into(), &[405]),
        ("PUT", format!("PUT /main.js HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n\r\nx").into(), &[405]),
        ("DELETE", format!("DELETE /main.js HTTP/1.1\r\nHost: {host}\r\n\r\n").into(), &[405]),
        ("nothing", b"\r\n\r\n\0\0\0\0".to_vec(), &[400, 0]),
    ];
    for (name, bytes, statuses) in cases {
        let answer = served.raw(&bytes);
        assert!(statuses.contains(&answer.status), "{name}: {}", answer.status);
        let is_method = answer.status == 405;
        assert!(!is_method || answer.body.is_empty(), "{name} got a body");
        served.assert_alive();
    }
    for target in ["/%", "/%E0%A4%A", "/%00", "/%zz"] {
        assert_eq!(request(&served, target, "").status, 400, "{target}");
    }
    assert_eq!(request(&served, "/main.js", "Range: bytes=99999999999-\r\n").status, 416);
    assert_eq!(request(&served, "/main.js", &format!("Range: bytes={}\r\n", vec!["0-1"; 1_000].join(","))).status, 200);
    assert_eq!(request(&served, "/main.js", "If-None-Match: *\r\n").status, 304);
    // RFC 9112 lets a server take a bare line feed; there is no proxy in front of us that could see it differently.
    assert_eq!(
        served.raw(format!("GET /main.js HTTP/1.1\nHost: {host}\nConnection: close\n\n").as_bytes()).status,
        200
    );
}

#[test]
fn a_request_that_was_refused_ends_its_connection() {
    let served = project();
    // The second request would be answered if the refused body were taken for one.
    let hidden = format!("GET /main.js HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.host());
    let answer = served.raw(
        format!("POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{hidden}", served.host(), hidden.len())
            .as_bytes(),
    );
    assert_eq!(answer.status, 405);
    assert!(!answer.text().contains("let n"));
}
