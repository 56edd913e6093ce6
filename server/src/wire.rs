//! Every message between server and page, and the module graph a page loads. The only room, with `lsp`, that knows JSON.
//!
//! The inner rooms have types of their own; what is here is the outside, so a change here is a change of the protocol
//! (`docs/protocol.md`). The samples in `fixtures/wire/` are parsed by the test below and by the page's runtime.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The version of this protocol. A page that speaks another one is told to reload.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "capuchin";

/// One loaded page: made by the server for each HTML answer, so a reload is another page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PageId(String);

impl PageId {
    /// `None` unless `id` is 1 to 64 characters of `A-Za-z0-9_-`: a page id is written to logs, URLs and HTML as it is.
    pub fn parse(id: &str) -> Option<PageId> {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        let is_valid = matches!(id.len(), 1..=64) && id.bytes().all(is_plain);
        is_valid.then(|| PageId(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PageId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<PageId, Self::Error> {
        PageId::parse(&id).ok_or("a page id is 1 to 64 letters, digits, dashes and underscores")
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a page says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromPage {
    /// First on each socket, and again when the page missed something: what it has now.
    /// `look`: files that changed on disk count even if their change was not noticed yet.
    Hello {
        v: u32,
        page: PageId,
        server: String,
        url: String,
        /// The id of the HTML file that it was made from; empty: of none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        html: String,
        user_agent: String,
        modules: Vec<ModuleRev>,
        #[serde(default, skip_serializing_if = "is_false")]
        look: bool,
        /// The revision that its HTML was made at: what has changed since is not in it. 0: not known.
        #[serde(default, skip_serializing_if = "is_zero")]
        rev: u64,
    },
    /// What became of push `seq`.
    Outcome { seq: u64, results: Vec<ModuleOutcome> },
    /// Modules that were defined after the hello, by a dynamic import.
    Loaded { modules: Vec<ModuleRev> },
    /// `import.meta.hot.send`.
    Custom {
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<serde_json::Value>,
    },
    /// An uncaught error of the program.
    Error {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        module: Option<String>,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stack: Option<String>,
        /// How often it has come by now.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        count: u32,
    },
}

fn is_zero(rev: &u64) -> bool {
    *rev == 0
}

fn once() -> u32 {
    1
}

fn is_once(count: &u32) -> bool {
    *count == 1
}

impl FromPage {
    /// Reads one text frame. Unknown fields are ignored, an unknown type is an error.
    pub fn parse(text: &str) -> Result<FromPage, NotAMessage> {
        serde_json::from_str(text).map_err(NotAMessage)
    }
}

/// A frame that is no message of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("not a message of the Capuchin protocol: {0}")]
pub struct NotAMessage(serde_json::Error);

/// A module and the program revision of the code that the page runs for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRev {
    pub id: String,
    pub rev: u64,
    /// In a hello: the revision of the module's top level, which can be older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u64>,
    /// The newest stamp that the page was sent for the module: lets a restarted server see that nothing was missed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stamp: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleOutcome {
    pub module: String,
    pub rev: u64,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Milliseconds in the page, from the message's arrival.
    pub ms: f64,
}

/// What became of a change in one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Live,
    NextCall,
    Held,
    ModuleUpdated,
    NeedsReload,
    Refused,
    Threw,
}

impl Outcome {
    /// The word that the protocol uses, on the socket and in `capuchin/outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Live => "live",
            Outcome::NextCall => "nextCall",
            Outcome::Held => "held",
            Outcome::ModuleUpdated => "moduleUpdated",
            Outcome::NeedsReload => "needsReload",
            Outcome::Refused => "refused",
            Outcome::Threw => "threw",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code for programs and one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: Cow<'static, str>,
    pub message: String,
}

/// What a page is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToPage {
    /// The answer to a hello.
    /// `modules`: the numbers that this server has for what the page got from another one.
    Welcome {
        v: u32,
        server: String,
        page: PageId,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        modules: Vec<ModuleRev>,
        /// Whether events of the program are taken.
        #[serde(default, skip_serializing_if = "is_false")]
        custom: bool,
    },
    /// An event for `import.meta.hot.on`.
    Custom {
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<serde_json::Value>,
    },
    /// A hello asked to look at the disk: what came of that, and what the page lacked, was sent before this.
    Looked {},
    /// Changes that apply together. `seq` counts from 1 for each page, without gaps.
    Push {
        seq: u64,
        when: When,
        changes: Vec<Change>,
    },
    Reload {
        reason: Reason,
    },
}

impl ToPage {
    /// The text frame.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists always serialise")
    }
}

/// What made the server push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    Typing,
    Save,
    Disk,
}

/// One change of a push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Change {
    /// New code for functions of a module. The page's revision of it must be `from`; if it is not, the page says hello again.
    Patch {
        module: String,
        from: u64,
        rev: u64,
        stamp: String,
        sites: Vec<SitePatch>,
        nsites: u32,
        /// What the module's top level takes over first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top: Option<TopPatch>,
    },
    /// The module has to run again: `defs[0]` is the module, the others are modules new to the page.
    Update {
        module: String,
        from: u64,
        rev: u64,
        defs: Vec<ModuleDef>,
    },
    /// The file was deleted.
    Remove {
        module: String,
        rev: u64,
    },
    /// A stylesheet of a `<link>` changed.
    Css {
        url: String,
        rev: u64,
    },
    Asset {
        url: String,
        rev: u64,
    },
    Html {
        url: String,
        rev: u64,
    },
    /// The problem of a module that the page shows; no message: it is solved.
    Problem {
        module: String,
        message: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<u32>,
    },
}

/// Declarations that are added to a running module, or get other values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopPatch {
    /// Imports that the module has now: their modules run before the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Dep>,
    /// Modules that these imports reach and the page lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defs: Vec<ModuleDef>,
    pub steps: Vec<TopStep>,
}

/// An expression that is evaluated through the hook of the module's scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopStep {
    pub code: String,
    /// The line of the module, from 0, that the first line of `code` is on.
    pub line: u32,
    /// The variable that keeps its value, because it was written since, when the expression gives `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<String>,
}

/// New code for one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitePatch {
    pub id: u32,
    pub rev: u64,
    /// An expression that is evaluated in the site's scope and gives the new function.
    pub code: String,
    /// The variables that `code` uses of the functions around the site, innermost first. With it `code` is evaluated at the end of
    /// the chain of hooks, and what it gives is called with the site's hook and an object for each list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<Vec<String>>>,
    /// Free names that have to exist on `globalThis`; when one is missing the whole push is held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The form of the function: `fn`, `arrow`, `method`, `static`, `get`, `set` …
    pub how: Cow<'static, str>,
    pub name: String,
    /// The line of the module, from 0, that the first line of `code` is on.
    #[serde(default)]
    pub line: u32,
    /// Closures whose scope's hook is older than this revision (`hook.r`, 0 as loaded) can't run `code`.
    #[serde(default)]
    pub scope: u64,
    /// What those older closures run: the newest code that their scope can run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseCode>,
    /// Why closures made before keep what they run: the outcome is then `nextCall`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
    /// For a class whose constructor or fields changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct: Option<Construct>,
    /// For a class: `#private` names that classes whose text is older may lack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub privates: Vec<Private>,
}

/// A `#private` method, accessor or field of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    pub name: String,
    #[serde(rename = "static", default, skip_serializing_if = "is_false")]
    pub is_static: bool,
    /// Classes whose text is older do not have it.
    pub since: u64,
    /// From which revisions to which others the text was without it since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(u64, u64)>,
    /// An element of a class's body; of a static method without the word.
    pub code: String,
    /// Where it stands in the module, from 0.
    pub line: u32,
    pub column: u32,
}

/// The constructor and the fields of a class, for objects that are made from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Construct {
    /// Classes whose text is of this revision or a later one have them already.
    pub rev: u64,
    /// An expression that is evaluated in the class's scope and gives the class that takes over.
    pub code: String,
    /// The public fields that it makes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// Code that closures of every scope can run; the fields mean what they mean in [`SitePatch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseCode {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<Vec<String>>>,
    pub how: Cow<'static, str>,
}

/// Modules for a page: everything that `entry` reaches and the page lacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    pub entry: String,
    pub server: String,
    pub modules: Vec<ModuleDef>,
}

impl Graph {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists always serialise")
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleDef {
    /// The root-relative URL path.
    pub id: String,
    pub kind: ModuleKind,
    /// The program revision that `code` stands for. Counted for the whole server, never backwards.
    pub rev: u64,
    /// Equal for the same text with the same site ids, on any server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stamp: String,
    /// The number of site ids in use at `rev`: the length of the guard array.
    pub sites: u32,
    /// An ES module with top-level await.
    #[serde(rename = "async", default, skip_serializing_if = "is_false")]
    pub is_async: bool,
    /// ES module: static imports in source order. CommonJS: the `require` calls found. Each once.
    pub deps: Vec<Dep>,
    /// `import()` calls with a literal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic: Vec<Dep>,
    /// Literals in `hot.accept` and `hot.decline` calls, and the module each resolves to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepts: BTreeMap<String, Option<String>>,
    /// A CSS module: its names, and the classes that each stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<BTreeMap<String, String>>,
    /// Shared, because every page that loads the module is sent the same text.
    #[serde(with = "shared_text")]
    pub code: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModuleKind {
    /// `code` is a factory.
    Esm,
    /// `code` is a factory.
    Cjs,
    /// `code` is the text.
    Json,
    /// `code` is the text.
    Css,
    /// `code` is the URL that the module exports.
    Url,
    /// `code` is the text that the module exports.
    Text,
    /// `code` is what the module exports, in base64.
    Bytes,
    /// `code` is the text of the `CSSStyleSheet` that the module exports.
    Sheet,
    /// `code` is a JSON object that says which modules a call gathers, and how.
    Gathered,
    /// `code` is the message.
    Error,
}

/// The `code` of a module of the kind [`ModuleKind::Gathered`].
#[derive(Debug, Serialize)]
pub struct Gathered<'g> {
    /// `glob`, `glob-eager`, or the mode of a `require.context`.
    pub mode: &'g str,
    /// The export that is taken of each module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<&'g str>,
    /// What the program asks for, and the module's id.
    pub files: &'g BTreeMap<String, String>,
}

impl Gathered<'_> {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings always serialise")
    }
}

/// One specifier in a module, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dep {
    /// As the source says it; `./x with css` where the import asks for a type.
    pub spec: String,
    #[serde(flatten)]
    pub target: Target,
    /// The names that a static import uses; `*` stands for all. `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
}

/// Where a specifier leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A module of the page's registry.
    Id(String),
    /// A module elsewhere, left to the browser.
    Url(String),
    /// It did not resolve: one sentence.
    Error(String),
}

impl Dep {
    pub fn new(spec: impl Into<String>, target: Target) -> Dep {
        Dep { spec: spec.into(), target, names: None }
    }
}

fn is_false(it: &bool) -> bool {
    !it
}

mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_messages_survive_a_round_trip() {
        fn check<T: Serialize + for<'de> Deserialize<'de>>(text: &str, path: &std::path::Path) {
            let message: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let again = serde_json::to_value(&message).expect("JSON");
            assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).expect("JSON"), "{}", path.display());
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/wire");
        let mut n_samples = 0;
        for entry in std::fs::read_dir(&folder).expect("the samples") {
            let path = entry.expect("the samples").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            let text = std::fs::read_to_string(&path).expect("a sample");
            match name.split('.').next() {
                Some("from-page") => check::<FromPage>(&text, &path),
                Some("to-page") => check::<ToPage>(&text, &path),
                Some("graph") => check::<Graph>(&text, &path),
                _ => panic!("{name} is no sample"),
            }
            n_samples += 1;
        }
        assert!(n_samples >= 10, "only {n_samples} samples were found");
    }

    #[test]
    fn unknown_fields_are_ignored_and_unknown_types_are_errors() {
        assert_eq!(
            FromPage::parse(r#"{"type":"loaded","modules":[],"new":1}"#).expect("a message"),
            FromPage::Loaded { modules: Vec::new() }
        );
        let dep: Dep = serde_json::from_str(r#"{"spec":"./a","new":{},"id":"/a.js"}"#).expect("a dependency");
        assert_eq!(dep, Dep::new("./a", Target::Id("/a.js".to_owned())));
        for text in [
            r#"{"type":"other"}"#,
            r#"{"type":"Loaded","modules":[]}"#,
            r#"{"modules":[]}"#,
            "[]",
            "null",
            "",
            r#"{"type":"loaded"}"#,
        ] {
            assert!(FromPage::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn page_ids_are_plain() {
        for id in ["p1-abc_D", "a", &"a".repeat(64)] {
            assert_eq!(PageId::parse(id).expect(id).to_string(), id);
        }
        for id in ["", "a b", "<a>", "é", "a\n", &"a".repeat(65)] {
            assert_eq!(PageId::parse(id), None, "{id:?}");
        }
        assert!(serde_json::from_str::<PageId>("\"a b\"").is_err());
    }

    #[test]
    fn outcomes_are_called_the_same_everywhere() {
        for outcome in [
            Outcome::Live,
            Outcome::NextCall,
            Outcome::Held,
            Outcome::ModuleUpdated,
            Outcome::NeedsReload,
            Outcome::Refused,
            Outcome::Threw,
        ] {
            assert_eq!(serde_json::to_value(outcome).expect("JSON"), outcome.as_str());
        }
    }
}
