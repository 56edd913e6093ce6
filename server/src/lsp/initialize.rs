//! What the editor says in `initialize`, read piece by piece: a wrong piece costs itself, never the session.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::dev_server::Cleanup;
use crate::lsp::{InitOptions, uri};
use crate::text::PositionEncoding;

#[derive(Debug)]
pub(super) struct Hello {
    pub(super) options: InitOptions,
    pub(super) process: Option<u32>,
    pub(super) wants_diagnostics: bool,
    /// Sentences about the pieces that could not be used.
    pub(super) problems: Vec<String>,
}

/// `here` is what relative paths are relative to when the editor has no folder open.
pub(super) fn read(params: &Value, here: &Path) -> Hello {
    let mut problems = Vec::new();
    let own = &params["initializationOptions"];
    let folders = folders(params);
    let base = folders.first().map_or(here, PathBuf::as_path);
    let root = match &own["root"] {
        Value::Null => None,
        Value::String(root) if root.is_empty() => None,
        Value::String(root) => Some(uri::to_path(root).unwrap_or_else(|| normalized(&base.join(root)))),
        other => {
            problems.push(format!("the option `root` must be a folder, not {other}, so it was not used"));
            None
        }
    };
    let port = match &own["port"] {
        Value::Null => None,
        port => {
            let valid = port.as_u64().and_then(|it| u16::try_from(it).ok());
            if valid.is_none() {
                problems.push(format!(
                    "the option `port` must be a number from 0 to 65535, not {port}, so it was not used"
                ));
            }
            valid
        }
    };
    let cleanup = match &own["cleanup"] {
        Value::Null => None,
        word => {
            let all = [Cleanup::Off, Cleanup::Warn, Cleanup::On];
            let valid = all.into_iter().find(|it| word == it.as_str());
            if valid.is_none() {
                problems.push(format!("the option `cleanup` must be off, warn or on, not {word}, so it was not used"));
            }
            valid
        }
    };
    let options = InitOptions {
        root: root.or_else(|| folders.first().cloned()),
        folders,
        port,
        cleanup,
        encoding: encoding(&params["capabilities"]["general"]["positionEncodings"]),
        client: params["clientInfo"]["name"].as_str().map(str::to_owned),
    };
    let process = params["processId"].as_u64().and_then(|it| u32::try_from(it).ok());
    Hello { options, process, wants_diagnostics: wants_diagnostics(params), problems }
}

/// Our text is UTF-8, so that is cheapest; UTF-16 is what every client has to know.
fn encoding(offered: &Value) -> PositionEncoding {
    let offers = |name: &str| offered.as_array().is_some_and(|it| it.iter().any(|it| it == name));
    match () {
        () if offers("utf-8") => PositionEncoding::Utf8,
        () if offers("utf-32") && !offers("utf-16") => PositionEncoding::Utf32,
        () => PositionEncoding::Utf16,
    }
}

/// The newest way to name folders that the client uses.
fn folders(params: &Value) -> Vec<PathBuf> {
    let path = |uri: &Value| uri.as_str().and_then(uri::to_path);
    let mut folders: Vec<PathBuf> =
        params["workspaceFolders"].as_array().into_iter().flatten().filter_map(|it| path(&it["uri"])).collect();
    if folders.is_empty() {
        let root_path = || params["rootPath"].as_str().filter(|it| !it.is_empty()).map(|it| normalized(Path::new(it)));
        folders.extend(path(&params["rootUri"]).or_else(root_path));
    }
    folders
}

/// A client that lists what it can do with documents and leaves diagnostics out does not show them. One that lists
/// nothing may.
fn wants_diagnostics(params: &Value) -> bool {
    let documents = &params["capabilities"]["textDocument"];
    let shows_them = !documents.is_object() || documents["publishDiagnostics"].is_object();
    shows_them && params["initializationOptions"]["diagnostics"] != false
}

fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            other => normalized.push(other),
        }
    }
    normalized
}

#[cfg(all(test, unix))]
mod tests {
    use serde_json::json;

    use super::*;

    fn hello(params: Value) -> Hello {
        read(&params, Path::new("/here"))
    }

    #[track_caller]
    fn check_root(params: Value, root: Option<&str>) {
        assert_eq!(hello(params).options.root.as_deref(), root.map(Path::new));
    }

    #[test]
    fn the_root_is_found_wherever_the_client_put_it() {
        check_root(
            json!({ "workspaceFolders": [{ "uri": "file:///a%20b" }, { "uri": "file:///c" }], "rootUri": "file:///d" }),
            Some("/a b"),
        );
        check_root(json!({ "workspaceFolders": null, "rootUri": "file:///d", "rootPath": "/e" }), Some("/d"));
        check_root(json!({ "workspaceFolders": [], "rootUri": null, "rootPath": "/e/x/.." }), Some("/e"));
        check_root(
            json!({ "workspaceFolders": [{ "uri": "vscode-remote://box/a" }, { "uri": "file:///c d" }] }),
            Some("/c d"),
        );
        check_root(json!({ "rootUri": null, "rootPath": null }), None);
        check_root(json!({}), None);
        check_root(Value::Null, None);
    }

    #[test]
    fn the_option_root_is_relative_to_the_first_folder() {
        let folders = json!([{ "uri": "file:///a" }, { "uri": "file:///b" }]);
        let with = |root: Value| json!({ "workspaceFolders": folders, "initializationOptions": { "root": root } });
        check_root(with(json!("web/app")), Some("/a/web/app"));
        check_root(with(json!("./web/../x")), Some("/a/x"));
        check_root(with(json!("/abs/./x")), Some("/abs/x"));
        check_root(with(json!("file:///abs/x%20y")), Some("/abs/x y"));
        check_root(with(json!("")), Some("/a"));
        check_root(with(json!(7)), Some("/a"));
        check_root(json!({ "initializationOptions": { "root": "x" } }), Some("/here/x"));
        assert_eq!(hello(with(json!("x"))).options.folders, [Path::new("/a"), Path::new("/b")]);
        assert_eq!(hello(with(json!(7))).problems.len(), 1);
    }

    #[test]
    fn the_port_is_a_number_or_nothing() {
        let port = |port: Value| hello(json!({ "initializationOptions": { "port": port } }));
        assert_eq!(port(json!(0)).options.port, Some(0));
        assert_eq!(port(json!(4177)).options.port, Some(4177));
        assert_eq!((port(json!(65536)).options.port, port(json!(65536)).problems.len()), (None, 1));
        assert_eq!((port(json!("x")).options.port, port(json!("x")).problems.len()), (None, 1));
        assert_eq!((port(Value::Null).options.port, port(Value::Null).problems.len()), (None, 0));
        assert_eq!(hello(json!({ "initializationOptions": "odd" })).options.port, None);
    }

    #[test]
    fn utf_8_if_offered_else_utf_16() {
        let encoding = |offered: Value| {
            hello(json!({ "capabilities": { "general": { "positionEncodings": offered } } })).options.encoding
        };
        assert_eq!(encoding(json!(["utf-8", "utf-16"])), PositionEncoding::Utf8);
        assert_eq!(encoding(json!(["utf-16", "utf-8"])), PositionEncoding::Utf8);
        assert_eq!(encoding(json!(["utf-16", "utf-32"])), PositionEncoding::Utf16);
        assert_eq!(encoding(json!(["utf-32"])), PositionEncoding::Utf32);
        assert_eq!(encoding(json!([])), PositionEncoding::Utf16);
        assert_eq!(encoding(json!(["utf-7"])), PositionEncoding::Utf16);
        assert_eq!(hello(json!({ "capabilities": {} })).options.encoding, PositionEncoding::Utf16);
    }

    #[test]
    fn diagnostics_go_where_they_are_shown() {
        let wants = |params: Value| hello(params).wants_diagnostics;
        assert!(wants(json!({})));
        assert!(wants(json!({ "capabilities": { "textDocument": { "publishDiagnostics": {} } } })));
        assert!(!wants(json!({ "capabilities": { "textDocument": { "synchronization": {} } } })));
        assert!(!wants(json!({ "initializationOptions": { "diagnostics": false } })));
    }
}
