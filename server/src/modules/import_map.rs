//! Import maps, as the HTML standard resolves them. Pure: specifier in, address out; what the address means is the
//! resolver's business.

use serde_json::{Map, Value};
use url::Url;

/// Stands for the dev server, whose real address does not matter here.
const ORIGIN: &str = "http://root.invalid";

/// One document's `<script type="importmap">`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ImportMap {
    imports: Rules,
    /// Longest prefix first, as the standard wants them tried.
    scopes: Vec<(String, Rules)>,
}

/// What an import map says about a specifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mapped {
    /// A root-relative URL path, or the address of something elsewhere.
    Address(String),
    /// Mapped to nothing on purpose, or led astray.
    Blocked(String),
}

/// Longest key first.
type Rules = Vec<(String, Option<Url>)>;

impl ImportMap {
    /// Reads a map; what is wrong with it is told and left out, as browsers do.
    pub(crate) fn parse(json: &str, document_id: &str) -> (ImportMap, Vec<String>) {
        let mut problems = Vec::new();
        let base = address_of(document_id);
        let value = match serde_json::from_str::<Value>(json) {
            Ok(Value::Object(value)) => value,
            Ok(_) => {
                return (ImportMap::default(), vec!["the import map is not an object".to_owned()]);
            }
            Err(error) => {
                return (ImportMap::default(), vec![format!("the import map is not valid JSON: {error}")]);
            }
        };
        let imports = match value.get("imports") {
            Some(imports) => rules("imports", imports, &base, &mut problems),
            None => Rules::new(),
        };
        let scopes = match value.get("scopes") {
            Some(scopes) => scopes_of(scopes, &base, &mut problems),
            None => Vec::new(),
        };
        (ImportMap { imports, scopes }, problems)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.imports.is_empty() && self.scopes.is_empty()
    }

    /// What the map makes of a specifier; `None` if it says nothing about it.
    pub(crate) fn map(&self, spec: &str, importer_id: &str) -> Option<Mapped> {
        let base = address_of(importer_id);
        let as_url = url_like(spec, &base);
        let normalized = as_url.as_ref().map_or(spec, Url::as_str);
        let is_special = as_url.as_ref().is_none_or(Url::is_special);
        self.scopes
            .iter()
            .filter(|(scope, _)| scope == base.as_str() || (scope.ends_with('/') && base.as_str().starts_with(scope)))
            .map(|(_, rules)| rules)
            .chain([&self.imports])
            .find_map(|rules| apply(rules, normalized, is_special))
    }
}

fn scopes_of(value: &Value, base: &Url, problems: &mut Vec<String>) -> Vec<(String, Rules)> {
    let Some(value) = object("scopes", value, problems) else {
        return Vec::new();
    };
    let mut scopes = Vec::new();
    for (prefix, imports) in value {
        match base.join(prefix) {
            Ok(url) => scopes.push((String::from(url), rules(prefix, imports, base, problems))),
            Err(_) => problems.push(format!("the import map's scope '{prefix}' is not an address")),
        }
    }
    scopes.sort_by(|(a, _), (b, _)| b.cmp(a));
    scopes
}

fn rules(name: &str, value: &Value, base: &Url, problems: &mut Vec<String>) -> Rules {
    let Some(value) = object(name, value, problems) else {
        return Rules::new();
    };
    let mut rules = Rules::new();
    for (key, target) in value {
        if key.is_empty() {
            problems.push("the import map has an empty name".to_owned());
            continue;
        }
        let address = target.as_str().and_then(|target| url_like(target, base));
        let keeps_slash = address.as_ref().is_none_or(|it| !key.ends_with('/') || it.as_str().ends_with('/'));
        if address.is_none() && !target.is_null() {
            problems.push(format!(
                "the import map's address for '{key}' must begin with '/', './', '../' or be a full address"
            ));
        } else if !keeps_slash {
            problems.push(format!("the import map's address for '{key}' must end with '/', as '{key}' does"));
        }
        let key = url_like(key, base).map_or_else(|| key.clone(), String::from);
        rules.push((key, address.filter(|_| keeps_slash)));
    }
    rules.sort_by(|(a, _), (b, _)| b.cmp(a));
    rules
}

fn object<'a>(name: &str, value: &'a Value, problems: &mut Vec<String>) -> Option<&'a Map<String, Value>> {
    if value.as_object().is_none() {
        problems.push(format!("'{name}' of the import map is not an object"));
    }
    value.as_object()
}

fn apply(rules: &Rules, spec: &str, is_special: bool) -> Option<Mapped> {
    let (key, address) = rules
        .iter()
        .find(|(key, _)| key == spec || (key.ends_with('/') && is_special && spec.starts_with(key.as_str())))?;
    let Some(address) = address else {
        return Some(Mapped::Blocked(format!("the import map leads '{spec}' nowhere")));
    };
    if key == spec {
        return Some(Mapped::Address(shown(address)));
    }
    match address.join(&spec[key.len()..]) {
        Ok(url) if url.as_str().starts_with(address.as_str()) => Some(Mapped::Address(shown(&url))),
        _ => Some(Mapped::Blocked(format!("'{spec}' leads out of the folder that the import map gives for '{key}'"))),
    }
}

/// A specifier that is an address by itself: `/x`, `./x`, `../x` or `scheme:…`. A bare name is none.
fn url_like(spec: &str, base: &Url) -> Option<Url> {
    if spec.starts_with('/') || spec.starts_with("./") || spec.starts_with("../") {
        return base.join(spec).ok();
    }
    Url::parse(spec).ok()
}

fn address_of(id: &str) -> Url {
    let mut url = Url::parse(ORIGIN).expect("the constant is a URL");
    if let Ok(joined) = url.join(id) {
        url = joined;
    }
    url
}

/// Back to a root-relative path where the address is on this server.
fn shown(address: &Url) -> String {
    match address.as_str().strip_prefix(ORIGIN) {
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, importer_id: &str, table: &[(&str, &str)]) {
        let (map, problems) = ImportMap::parse(json, "/pages/index.html");
        assert_eq!(problems, Vec::<String>::new());
        for (spec, expected) in table {
            let actual = match map.map(spec, importer_id) {
                None => "-".to_owned(),
                Some(Mapped::Address(address)) => address,
                Some(Mapped::Blocked(why)) => format!("blocked: {why}"),
            };
            assert_eq!(&actual, expected, "{spec} from {importer_id}");
        }
    }

    #[test]
    fn exact_names_and_prefixes() {
        let json = r#"{"imports": {
            "three": "/vendor/three.js", "three/": "/vendor/three/", "three/addons/": "./addons/",
            "lit": "https://cdn.example/lit@3.js", "off": null, "/src/a.js": "/src/b.js", "https://cdn.example/x.js": "/x.js"
        }}"#;
        check(
            json,
            "/src/main.js",
            &[
                ("three", "/vendor/three.js"),
                ("three/src/math.js", "/vendor/three/src/math.js"),
                ("three/addons/orbit.js?v=1", "/pages/addons/orbit.js?v=1"),
                ("threes", "-"),
                ("lit", "https://cdn.example/lit@3.js"),
                ("lit/x", "-"),
                ("off", "blocked: the import map leads 'off' nowhere"),
                ("./a.js", "/src/b.js"),
                ("../src/a.js", "/src/b.js"),
                ("./c.js", "-"),
                ("https://cdn.example/x.js", "/x.js"),
                (
                    "three/../../secret.js",
                    "blocked: 'three/../../secret.js' leads out of the folder that the import map gives for 'three/'",
                ),
            ],
        );
    }

    #[test]
    fn the_narrowest_scope_wins() {
        let json = r#"{
            "imports": {"x": "/x1.js", "y": "/y1.js"},
            "scopes": {"/lib/": {"x": "/x2.js"}, "/lib/deep/": {"x": "/x3.js"}, "/only.js": {"x": "/x4.js"}}
        }"#;
        check(json, "/main.js", &[("x", "/x1.js"), ("y", "/y1.js")]);
        check(json, "/lib/a.js", &[("x", "/x2.js"), ("y", "/y1.js")]);
        check(json, "/lib/deep/a.js", &[("x", "/x3.js"), ("y", "/y1.js")]);
        check(json, "/only.js", &[("x", "/x4.js")]);
    }

    #[test]
    fn what_is_wrong_is_told_and_the_rest_counts() {
        let json = r#"{"imports": {"a": "bare", "b/": "/b", "c": "/c.js", "d": 4}, "scopes": []}"#;
        let (map, problems) = ImportMap::parse(json, "/index.html");
        assert_eq!(problems.len(), 4, "{problems:#?}");
        assert_eq!(map.map("c", "/main.js"), Some(Mapped::Address("/c.js".to_owned())));
        assert!(matches!(map.map("a", "/main.js"), Some(Mapped::Blocked(_))));

        for (json, problem) in [("[]", "not an object"), ("{", "not valid JSON")] {
            let (map, problems) = ImportMap::parse(json, "/index.html");
            assert!(map.is_empty());
            assert!(problems[0].contains(problem), "{problems:?}");
        }
    }
}
