//! Tables of specifiers on small projects in temporary folders.

use std::fs;

use tempfile::TempDir;

use super::*;
use ImportKind::{Import, Require};

/// A project below `app/` of a temporary folder, so that there is something above the root too.
struct Project {
    folder: TempDir,
    resolver: Resolver,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("app")).unwrap();
        for (path, text) in files {
            write_file(&folder, path, text);
        }
        let root = Root::open(&folder.path().join("app")).unwrap();
        Project { folder, resolver: Resolver::new(root) }
    }

    fn write(&self, path: &str, text: &str) {
        write_file(&self.folder, path, text);
    }

    /// `id`, `empty`, `url …` or `problem: …`
    fn resolve(&self, spec: &str, importer_id: &str, kind: ImportKind) -> String {
        match self.resolver.resolve(spec, importer_id, kind) {
            Resolved::Module { id, path } => {
                assert!(path.is_file(), "{path:?}");
                assert_eq!(self.resolver.root().path_of(&id), Some(path));
                id
            }
            Resolved::Empty => "empty".to_owned(),
            Resolved::Url(url) => format!("url {url}"),
            Resolved::Problem(sentence) => format!("problem: {sentence}"),
        }
    }

    #[track_caller]
    fn check(&self, importer_id: &str, kind: ImportKind, table: &[(&str, &str)]) {
        for (spec, expected) in table {
            assert_eq!(self.resolve(spec, importer_id, kind), *expected, "{kind:?} {spec} from {importer_id}");
        }
    }
}

fn write_file(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn files_of_the_project() {
    let project = Project::new(&[
        ("app/main.js", ""),
        ("app/src/a.js", ""),
        ("app/src/b.mjs", ""),
        ("app/src/c.cjs", ""),
        ("app/src/d.jsx", ""),
        ("app/src/e.json", "{}"),
        ("app/src/f.css", ""),
        ("app/src/both.js", ""),
        ("app/src/both.json", "{}"),
        ("app/src/folder/index.js", ""),
        ("app/src/twice.js", ""),
        ("app/src/twice/index.js", ""),
        ("app/src/pkg/package.json", r#"{"main": "lib/start"}"#),
        ("app/src/pkg/lib/start.js", ""),
        ("app/src/with space.js", ""),
        ("app/src/logo.svg", ""),
        ("app/src/plain", ""),
        ("app/src/a.b.js", ""),
    ]);
    project.check(
        "/src/a.js",
        Import,
        &[
            ("./a.js", "/src/a.js"),
            ("./b", "/src/b.mjs"),
            ("./c", "/src/c.cjs"),
            ("./d", "/src/d.jsx"),
            ("./e", "/src/e.json"),
            ("./f", "/src/f.css"),
            ("./both", "/src/both.js"),
            ("./folder", "/src/folder/index.js"),
            ("./folder/", "/src/folder/index.js"),
            ("./twice", "/src/twice.js"),
            ("./twice/", "/src/twice/index.js"),
            ("./pkg", "/src/pkg/lib/start.js"),
            ("./plain", "/src/plain"),
            ("./a.b", "/src/a.b.js"),
            ("./logo.svg", "/src/logo.svg"),
            ("./logo.svg?url", "/src/logo.svg?url"),
            ("./a.js?v=1#top", "/src/a.js?v=1#top"),
            ("./a?raw", "/src/a.js?raw"),
            ("./with space.js", "/src/with%20space.js"),
            ("./with%20space.js", "/src/with%20space.js"),
            ("../main.js", "/main.js"),
            ("..", "problem: '..' was not found (imported by /src/a.js)"),
            ("/src/a.js", "/src/a.js"),
            ("/src/folder", "/src/folder/index.js"),
            ("/main", "/main.js"),
            ("/src/a.js?x", "/src/a.js?x"),
            ("../../../main.js", "/main.js"),
            ("./nowhere.js", "problem: './nowhere.js' was not found (imported by /src/a.js)"),
            ("/nowhere.js", "problem: '/nowhere.js' was not found (imported by /src/a.js)"),
            ("", "problem: '' is empty (imported by /src/a.js)"),
        ],
    );
    project.check(
        "/src/a.js",
        Require,
        &[
            ("./b", "/src/b.mjs"),
            (".", "problem: '.' was not found (required by /src/a.js)"),
            ("./with%20space.js", "problem: './with%20space.js' was not found (required by /src/a.js)"),
        ],
    );
    project.check("/src/folder/index.js", Require, &[(".", "/src/folder/index.js"), ("./", "/src/folder/index.js")]);
    project.check("/index.html?inline=0", Import, &[("./main.js", "/main.js"), ("./src/a.js", "/src/a.js")]);
    project.check("nonsense", Import, &[("./main.js", "problem: 'nonsense' is no module of this project")]);
}

// `?` is no file name on Windows.
#[cfg(unix)]
#[test]
fn names_with_characters_that_mean_something_in_a_url() {
    let project = Project::new(&[("app/what?.js", ""), ("app/a#b.js", ""), ("app/100%.js", ""), ("app/a%20b.js", "")]);
    project.check(
        "/main.js",
        Import,
        &[
            ("./what%3F.js", "/what%3F.js"),
            ("./a%23b.js", "/a%23b.js"),
            ("./100%25.js", "/100%25.js"),
            ("./100%.js", "/100%25.js"),
            ("./a%2520b.js", "/a%2520b.js"),
            ("./a%20b.js", "/a%2520b.js"),
            ("./..%2fx.js", "problem: './..%2fx.js' was not found (imported by /main.js)"),
        ],
    );
}

#[test]
fn addresses_are_the_browsers() {
    let project = Project::new(&[]);
    project.check(
        "/main.js",
        Import,
        &[
            ("https://esm.sh/lit@3", "url https://esm.sh/lit@3"),
            ("HTTP://x.example/y.js", "url HTTP://x.example/y.js"),
            ("//cdn.example/x.js", "url //cdn.example/x.js"),
            ("data:text/javascript,1", "url data:text/javascript,1"),
            ("blob:http://localhost/1-2", "url blob:http://localhost/1-2"),
            (
                "file:///etc/passwd",
                "problem: 'file:///etc/passwd' is not an address that a page can load (imported by /main.js)",
            ),
            ("C:\\x.js", "problem: 'C:\\x.js' is not an address that a page can load (imported by /main.js)"),
            ("virtual:pwa", "problem: 'virtual:pwa' is not an address that a page can load (imported by /main.js)"),
        ],
    );
}

#[test]
fn packages() {
    let project = Project::new(&[
        ("app/main.js", ""),
        ("app/helper.js", ""),
        ("app/node_modules/main-only/package.json", r#"{"main": "./lib/index"}"#),
        ("app/node_modules/main-only/lib/index.js", ""),
        ("app/node_modules/main-only/sub/index.js", ""),
        ("app/node_modules/no-main/index.js", ""),
        ("app/node_modules/fields/package.json", r#"{"main": "m.js", "module": "esm.js"}"#),
        ("app/node_modules/fields/m.js", ""),
        ("app/node_modules/fields/esm.js", ""),
        ("app/node_modules/browser-field/package.json", r#"{"main": "m.js", "module": "esm.js", "browser": "web.js"}"#),
        ("app/node_modules/browser-field/web.js", ""),
        ("app/node_modules/browser-field/m.js", ""),
        ("app/node_modules/browser-field/esm.js", ""),
        (
            "app/node_modules/@s/exports/package.json",
            r#"{"name": "@s/exports", "main": "no.js", "exports": {
                ".": {"node": "./node.js", "import": {"development": "./dev.mjs", "default": "./prod.mjs"}, "require": "./r.cjs"},
                "./deep/*": "./lib/*.js", "./deep/secret": null
            }}"#,
        ),
        ("app/node_modules/@s/exports/dev.mjs", ""),
        ("app/node_modules/@s/exports/r.cjs", ""),
        ("app/node_modules/@s/exports/lib/x.js", ""),
        ("app/node_modules/@s/exports/lib/secret.js", ""),
        ("app/node_modules/broken/package.json", "{"),
    ]);
    project.check(
        "/main.js",
        Import,
        &[
            ("main-only", "/node_modules/main-only/lib/index.js"),
            ("main-only/sub", "/node_modules/main-only/sub/index.js"),
            ("main-only/lib/index.js?x", "/node_modules/main-only/lib/index.js?x"),
            ("no-main", "/node_modules/no-main/index.js"),
            ("fields", "/node_modules/fields/esm.js"),
            ("browser-field", "/node_modules/browser-field/web.js"),
            ("@s/exports", "/node_modules/@s/exports/dev.mjs"),
            ("@s/exports/deep/x", "/node_modules/@s/exports/lib/x.js"),
            (
                "@s/exports/deep/secret",
                "problem: '@s/exports/deep/secret' is not among the \"exports\" of the package 'exports' (imported by /main.js)",
            ),
            (
                "@s/exports/lib/x.js",
                "problem: '@s/exports/lib/x.js' is not among the \"exports\" of the package 'exports' (imported by /main.js)",
            ),
            (
                "main-only/nope.js",
                "problem: 'main-only/nope.js' was not found in the installed package 'main-only' (imported by /main.js)",
            ),
            (
                "@s/other/x",
                "problem: '@s/other/x' was not found: the package '@s/other' is not installed (imported by /main.js)",
            ),
            (
                "helper.js",
                "problem: 'helper.js' was not found: there is no such package; the file beside it is './helper.js' (imported by /main.js)",
            ),
        ],
    );
    project.check(
        "/main.js",
        Require,
        &[("@s/exports", "/node_modules/@s/exports/r.cjs"), ("fields", "/node_modules/fields/esm.js")],
    );
    let broken = project.resolve("broken", "/main.js", Import);
    assert!(broken.contains("package.json' is not valid JSON (line 1"), "{broken}");
}

#[test]
fn the_browser_field_maps_files_and_packages() {
    let project = Project::new(&[
        (
            "app/node_modules/x/package.json",
            r#"{"main": "./server.js", "browser": {
                "./server.js": "./client.js", "./node/io.js": false, "fs": false, "node:os": false, "ws": "./ws.js", "./y": "./z.js"
            }}"#,
        ),
        ("app/node_modules/x/server.js", ""),
        ("app/node_modules/x/client.js", ""),
        ("app/node_modules/x/ws.js", ""),
        ("app/node_modules/x/z.js", ""),
        ("app/node_modules/x/node/io.js", ""),
        ("app/node_modules/ws/index.js", ""),
    ]);
    project.check(
        "/main.js",
        Require,
        &[("x", "/node_modules/x/client.js"), ("x/node/io.js", "empty"), ("ws", "/node_modules/ws/index.js")],
    );
    project.check(
        "/node_modules/x/client.js",
        Require,
        &[
            ("./server", "/node_modules/x/client.js"),
            ("./node/io", "empty"),
            ("fs", "empty"),
            ("node:os", "empty"),
            ("ws", "/node_modules/x/ws.js"),
            ("./y", "/node_modules/x/z.js"),
        ],
    );
}

#[test]
fn modules_of_node_are_explained_unless_installed() {
    let project = Project::new(&[("app/node_modules/path/index.js", ""), ("app/node_modules/events/events.js", "")]);
    project.check(
        "/main.js",
        Import,
        &[
            ("fs", "problem: 'fs' is a module of Node.js, which browsers do not have (imported by /main.js)"),
            (
                "fs/promises",
                "problem: 'fs/promises' is a module of Node.js, which browsers do not have (imported by /main.js)",
            ),
            (
                "node:crypto",
                "problem: 'node:crypto' is a module of Node.js, which browsers do not have (imported by /main.js)",
            ),
            ("path", "/node_modules/path/index.js"),
            ("node:path", "/node_modules/path/index.js"),
        ],
    );
}

#[test]
fn a_package_knows_itself_and_its_internals() {
    let project = Project::new(&[
        (
            "app/package.json",
            r##"{"name": "app", "exports": {"./util": "./src/util.js"}, "imports": {"#dep": "lib", "#in/*": "./src/*.js", "#gone": null}}"##,
        ),
        ("app/src/util.js", ""),
        ("app/node_modules/lib/index.js", ""),
    ]);
    project.check(
        "/src/main.js",
        Import,
        &[
            ("app/util", "/src/util.js"),
            ("#dep", "/node_modules/lib/index.js"),
            ("#in/util", "/src/util.js"),
            ("#in/util?x", "/src/util.js?x"),
            (
                "#other",
                "problem: '#other' is not among the \"imports\" of the nearest package.json (imported by /src/main.js)",
            ),
        ],
    );
}

#[test]
fn two_versions_are_two_modules() {
    let project = Project::new(&[
        ("app/node_modules/d/index.js", ""),
        ("app/node_modules/a/index.js", ""),
        ("app/node_modules/b/index.js", ""),
        ("app/node_modules/b/node_modules/d/index.js", ""),
    ]);
    project.check("/main.js", Import, &[("d", "/node_modules/d/index.js")]);
    project.check("/node_modules/a/index.js", Require, &[("d", "/node_modules/d/index.js")]);
    project.check("/node_modules/b/index.js", Require, &[("d", "/node_modules/b/node_modules/d/index.js")]);
}

#[test]
fn packages_hoisted_above_the_root_are_found_and_nothing_else_there() {
    let project = Project::new(&[
        ("node_modules/up/index.js", ""),
        ("node_modules/up/lib/part.js", ""),
        ("node_modules/@s/dep/index.js", ""),
        ("secret.js", ""),
        ("app/main.js", ""),
    ]);
    project.check("/main.js", Import, &[("up", "/@modules/up/index.js"), ("up/lib/part", "/@modules/up/lib/part.js")]);
    project.check(
        "/@modules/up/index.js",
        Require,
        &[
            ("./lib/part", "/@modules/up/lib/part.js"),
            ("@s/dep", "/@modules/@s/dep/index.js"),
            ("..", "problem: '..' was not found (required by /@modules/up/index.js)"),
        ],
    );
    project.check(
        "/index.html",
        Import,
        &[("/@modules/up/index.js", "/@modules/up/index.js"), ("/@modules/up", "/@modules/up/index.js")],
    );
    let outside = project.resolve("../secret.js", "/main.js", Import);
    assert!(outside.starts_with("problem: '../secret.js' is outside the folder that is served"), "{outside}");
}

#[cfg(unix)]
#[test]
fn linked_packages_are_their_real_files() {
    use std::os::unix::fs::symlink;
    let project = Project::new(&[
        ("app/packages/ui/package.json", r#"{"name": "ui", "main": "src/ui.js"}"#),
        ("app/packages/ui/src/ui.js", ""),
        ("app/packages/ui/node_modules/own/index.js", ""),
        ("app/node_modules/shared/index.js", ""),
        ("elsewhere/linked/index.js", ""),
        ("app/node_modules/.store/p@1/node_modules/p/index.js", ""),
        ("app/node_modules/.store/p@1/node_modules/q/index.js", ""),
    ]);
    let app = project.folder.path().join("app");
    symlink("../packages/ui", app.join("node_modules/ui")).unwrap();
    symlink("../../elsewhere/linked", app.join("node_modules/linked")).unwrap();
    symlink(".store/p@1/node_modules/p", app.join("node_modules/p")).unwrap();
    symlink("packages/ui/src/ui.js", app.join("alias.js")).unwrap();
    project.check(
        "/main.js",
        Import,
        &[
            ("ui", "/packages/ui/src/ui.js"),
            ("./alias.js", "/packages/ui/src/ui.js"),
            ("p", "/node_modules/.store/p@1/node_modules/p/index.js"),
        ],
    );
    project.check(
        "/packages/ui/src/ui.js",
        Import,
        &[("own", "/packages/ui/node_modules/own/index.js"), ("shared", "/node_modules/shared/index.js")],
    );
    project.check(
        "/node_modules/.store/p@1/node_modules/p/index.js",
        Require,
        &[("q", "/node_modules/.store/p@1/node_modules/q/index.js")],
    );
    let linked = project.resolve("linked", "/main.js", Import);
    assert!(linked.starts_with("problem: 'linked' is outside the folder that is served"), "{linked}");
}

#[test]
fn import_maps_come_first() {
    let project = Project::new(&[
        ("app/node_modules/three/index.js", ""),
        ("app/node_modules/lit/index.js", ""),
        ("app/vendor/three.js", ""),
        ("app/vendor/addons/orbit.js", ""),
        ("app/pages/local.js", ""),
    ]);
    let json = r#"{"imports": {
        "three": "/vendor/three.js", "three/addons/": "/vendor/addons/", "local": "./local.js",
        "cdn": "https://cdn.example/x.js", "gone": "/vendor/gone.js", "off": null
    }}"#;
    let update = project.resolver.set_import_map("/pages/index.html", json);
    assert_eq!(update, ImportMapUpdate { changed: true, problems: Vec::new() });
    project.check(
        "/src/main.js",
        Import,
        &[
            ("three", "/vendor/three.js"),
            ("three/addons/orbit.js", "/vendor/addons/orbit.js"),
            ("local", "/pages/local.js"),
            ("cdn", "url https://cdn.example/x.js"),
            ("lit", "/node_modules/lit/index.js"),
            ("gone", "problem: '/vendor/gone.js' was not found (imported by /src/main.js)"),
            ("off", "problem: the import map leads 'off' nowhere (imported by /src/main.js)"),
        ],
    );
    project.check("/src/main.js", Require, &[("three", "/node_modules/three/index.js")]);

    assert!(!project.resolver.set_import_map("/pages/index.html", json).changed);
    assert!(
        project.resolver.set_import_map("/other.html", r#"{"imports": {"three": "/vendor/addons/orbit.js"}}"#).changed
    );
    project.check("/src/main.js", Import, &[("three", "/vendor/addons/orbit.js"), ("local", "/pages/local.js")]);
    assert!(project.resolver.set_import_map("/other.html", "{}").changed);
    project.check("/src/main.js", Import, &[("three", "/vendor/three.js")]);
}

#[test]
fn new_and_deleted_files_are_seen_after_forget() {
    let project = Project::new(&[("app/a.js", "")]);
    project.check("/main.js", Import, &[("./a", "/a.js")]);
    assert!(project.resolve("./b", "/main.js", Import).starts_with("problem"));

    project.write("app/b.js", "");
    fs::remove_file(project.folder.path().join("app/a.js")).unwrap();
    project.resolver.forget();
    project.check("/main.js", Import, &[("./b", "/b.js")]);
    assert!(project.resolve("./a", "/main.js", Import).starts_with("problem"));
}

#[test]
fn the_nearest_package_says_the_type() {
    let project = Project::new(&[
        ("app/package.json", "\u{feff}{\"type\": \"module\"}"),
        ("app/node_modules/x/package.json", r#"{"name": "x"}"#),
        ("app/node_modules/x/esm/package.json", r#"{"type": "module"}"#),
        ("app/node_modules/x/cjs/package.json", r#"{"type": "commonjs"}"#),
    ]);
    for (path, expected) in [
        ("main.js", Some(PackageType::Module)),
        ("src/deep/a.js", Some(PackageType::Module)),
        ("node_modules/x/index.js", None),
        ("node_modules/x/esm/a.js", Some(PackageType::Module)),
        ("node_modules/x/cjs/deep/a.js", Some(PackageType::CommonJs)),
        ("node_modules/y/a.js", None),
    ] {
        let path = project.resolver.root().path().join(path);
        assert_eq!(project.resolver.package_type(&path), expected, "{path:?}");
        assert_eq!(project.resolver.package_type(&path), expected, "{path:?} again");
    }
    project.write("app/package.json", "{}");
    project.resolver.forget();
    let main = project.resolver.root().path().join("main.js");
    assert_eq!(project.resolver.kind_of(&main, || Syntax::Cjs), ModuleKind::Cjs);
}

#[test]
fn several_threads_may_ask_while_one_forgets() {
    let project = Project::new(&[("app/a.js", ""), ("app/node_modules/x/index.js", "")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    project.check("/main.js", Import, &[("./a", "/a.js"), ("x", "/node_modules/x/index.js")]);
                }
            });
        }
        for _ in 0..50 {
            project.resolver.forget();
        }
    });
}
