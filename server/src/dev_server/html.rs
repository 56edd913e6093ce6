//! HTML on its way to a browser: our boot script goes in front of everything, and the page's own module scripts become
//! entries into one graph.
//!
//! Two passes over the text, because the first entry has to name all the others: the first pass only looks, the second
//! rewrites. What is not named here leaves as it came, byte for byte.
//!
//! ```html
//! <script type="module" src="./main.js"></script>          <script type="module" src="/@capuchin/entry?m=%2Fmain%2Ejs&n=0…"></script>
//! <script type="module">start()</script>            ──▶    <script type="module" src="/@capuchin/entry?m=…inline%3D0&n=1…"></script>
//! <link rel="modulepreload" href="/main.js">               (gone: the browser would load what nobody uses)
//! ```
//!
//! `integrity` goes, as the text is another one, and `async` goes: an entry that runs before the first one has arrived would
//! find no modules, and the page may not rely on it running early.

use std::cell::{Cell, RefCell};
use std::fmt;

use lol_html::html_content::{ContentType, Element, TextChunk};
use lol_html::{HtmlRewriter, Settings, element, end, text};
use serde_json::{Map, Value};
use url::Url;

use super::addresses::Address;
use super::{Cleanup, PREFIX, entry};
use crate::modules::Root;
use crate::wire::PageId;

/// What the rewriting of one HTML answer needs to know.
pub(super) struct Site<'a> {
    /// `http://` and the Host.
    pub(super) origin: &'a str,
    pub(super) root: &'a Root,
    /// The id of the HTML file.
    pub(super) id: &'a str,
    /// The path that was asked for: with a single-page program's route it is not the file's.
    pub(super) path: &'a str,
    pub(super) page: &'a PageId,
    pub(super) token: &'a str,
    pub(super) server: &'a str,
    pub(super) cleanup: Cleanup,
    /// The text has all changes up to this revision.
    pub(super) rev: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) html: Vec<u8>,
    /// All the page's import maps as one, `{}` if there is none. Relative addresses are made root-relative.
    pub(super) import_map: String,
    pub(super) inline_modules: Vec<InlineModule>,
    /// The ids of the scripts that are loaded with a plain `<script src>`.
    pub(super) classic: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct InlineModule {
    pub(super) id: String,
    pub(super) source: String,
    /// From 1.
    pub(super) first_line: u32,
}

pub(super) fn rewrite(html: &[u8], site: &Site) -> Rewritten {
    let cleanup = match site.cleanup {
        Cleanup::On => String::new(),
        other => format!(" data-cleanup=\"{}\"", other.as_str()),
    };
    let boot = format!(
        "<script src=\"{PREFIX}boot.js\" data-token=\"{}\" data-page=\"{}\" data-server=\"{}\" data-rev=\"{}\" data-html=\"{}\"{cleanup}></script>",
        site.token,
        site.page,
        site.server,
        site.rev,
        // An id has no quotes.
        site.id.replace('&', "&amp;")
    );
    rewrite_all(html, site, &boot).unwrap_or_else(|error| {
        tracing::warn!("{} could not be rewritten, its modules are not followed: {error}", site.id);
        Rewritten { html: [boot.as_bytes(), html].concat(), import_map: "{}".to_owned(), ..Rewritten::default() }
    })
}

fn rewrite_all(html: &[u8], site: &Site, boot: &str) -> Result<Rewritten, Box<dyn std::error::Error>> {
    let survey = survey(html)?;
    let base = Base::new(site, survey.base.as_deref())?;
    let mut rewritten = Rewritten::default();
    let mut import_map = ImportMap::default();
    let plans =
        survey.scripts.into_iter().map(|script| plan(script, html, &base, site.id, &mut rewritten, &mut import_map));
    let plans: Vec<Plan> = plans.collect();
    rewritten.import_map = import_map.to_string();
    let entries: Vec<&str> = plans.iter().filter_map(Plan::entry).collect();
    rewritten.html = apply(html, site, boot, &base, &plans, &entries)?;
    Ok(rewritten)
}

/// A script element as the first pass sees it.
struct Script {
    kind: Kind,
    src: Option<String>,
    /// In a `<template>` or `<noscript>` it does not run.
    is_inert: bool,
    content_start: usize,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Classic,
    Module,
    ImportMap,
    Other,
}

#[derive(Default)]
struct Survey {
    base: Option<String>,
    scripts: Vec<Script>,
}

fn survey(html: &[u8]) -> Result<Survey, lol_html::errors::RewritingError> {
    let survey = RefCell::new(Survey::default());
    let is_inert = Cell::new(false);
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("base[href]", |el: &mut Element| {
            survey.borrow_mut().base.get_or_insert_with(|| attribute(el, "href").unwrap_or_default());
            Ok(())
        }))
        // Runs before the next one for the same element.
        .append_element_content_handler(element!(
            "template script, noscript script, svg script, math script",
            |_: &mut Element| {
                is_inert.set(true);
                Ok(())
            }
        ))
        .append_element_content_handler(element!("script", |el: &mut Element| {
            survey.borrow_mut().scripts.push(Script {
                kind: kind_of(el),
                src: attribute(el, "src"),
                is_inert: is_inert.replace(false),
                content_start: el.source_location().bytes().end,
                text: String::new(),
            });
            Ok(())
        }))
        .append_element_content_handler(text!("script", |chunk: &mut TextChunk| {
            if let Some(script) = survey.borrow_mut().scripts.last_mut() {
                script.text.push_str(chunk.as_str());
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| ());
    rewriter.write(html)?;
    rewriter.end()?;
    Ok(survey.into_inner())
}

fn kind_of(el: &Element) -> Kind {
    let Some(kind) = attribute(el, "type") else {
        return if el.has_attribute("nomodule") { Kind::Other } else { Kind::Classic };
    };
    match kind.trim_ascii().to_ascii_lowercase().as_str() {
        "module" => Kind::Module,
        "importmap" => Kind::ImportMap,
        _ if el.has_attribute("nomodule") => Kind::Other,
        ""
        | "text/javascript"
        | "application/javascript"
        | "text/ecmascript"
        | "application/ecmascript"
        | "application/x-javascript" => Kind::Classic,
        _ => Kind::Other,
    }
}

/// What becomes of one script element.
enum Plan {
    Leave,
    /// A module of ours.
    Entry(String),
    /// An inline module: its text moves to the backend.
    Inline(String),
}

impl Plan {
    fn entry(&self) -> Option<&str> {
        match self {
            Plan::Leave => None,
            Plan::Entry(id) | Plan::Inline(id) => Some(id),
        }
    }
}

fn plan(
    script: Script,
    html: &[u8],
    base: &Base,
    page_id: &str,
    rewritten: &mut Rewritten,
    import_map: &mut ImportMap,
) -> Plan {
    if script.is_inert {
        return Plan::Leave;
    }
    match (script.kind, script.src) {
        (Kind::Module, Some(src)) => own_id(base, &src).map_or(Plan::Leave, Plan::Entry),
        (Kind::Module, None) => {
            let id = format!("{page_id}?inline={}", rewritten.inline_modules.len());
            let n_lines = html.iter().take(script.content_start).filter(|c| **c == b'\n').count();
            let first_line = u32::try_from(n_lines).map_or(u32::MAX, |n| n.saturating_add(1));
            rewritten.inline_modules.push(InlineModule { id: id.clone(), source: script.text, first_line });
            Plan::Inline(id)
        }
        (Kind::Classic, Some(src)) => {
            rewritten.classic.extend(own_id(base, &src));
            Plan::Leave
        }
        (Kind::ImportMap, None) => {
            add_map(import_map, &script.text, base);
            Plan::Leave
        }
        (Kind::Classic | Kind::Other | Kind::ImportMap, _) => Plan::Leave,
    }
}

fn apply(
    html: &[u8],
    site: &Site,
    boot: &str,
    base: &Base,
    plans: &[Plan],
    entries: &[&str],
) -> Result<Vec<u8>, lol_html::errors::RewritingError> {
    let mut out = Vec::with_capacity(html.len() + 1024);
    let is_booted = Cell::new(false);
    let (mut plans, mut n) = (plans.iter(), 0);
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("*", |el: &mut Element| {
            let name = el.tag_name();
            if name != "html" && !is_booted.replace(true) {
                match name.as_str() {
                    "head" => el.prepend(boot, ContentType::Html),
                    _ => el.before(boot, ContentType::Html),
                }
            }
            Ok(())
        }))
        .append_element_content_handler(element!("script", |el: &mut Element| {
            let Some(plan) = plans.next() else { return Ok(()) };
            let Some(id) = plan.entry() else { return Ok(()) };
            let also = if n == 0 { entries.get(1..).unwrap_or_default() } else { &[] };
            el.set_attribute("src", &entry::entry_url(id, n, also, site.page, site.token))?;
            for name in ["integrity", "async"] {
                el.remove_attribute(name);
            }
            if matches!(plan, Plan::Inline(_)) {
                el.set_inner_content("", ContentType::Html);
            }
            n += 1;
            Ok(())
        }))
        .append_element_content_handler(element!("link[rel][href]", |el: &mut Element| {
            let rel = attribute(el, "rel").unwrap_or_default().to_ascii_lowercase();
            let Some(id) = attribute(el, "href").and_then(|href| own_id(base, &href)) else { return Ok(()) };
            let mut words = rel.split_ascii_whitespace();
            if words.any(|word| word == "modulepreload" || (word == "preload" && entries.contains(&id.as_str()))) {
                el.remove();
            }
            Ok(())
        }))
        .append_document_content_handler(end!(|end| {
            if !is_booted.get() {
                end.append(boot, ContentType::Html);
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |chunk: &[u8]| out.extend_from_slice(chunk));
    rewriter.write(html)?;
    rewriter.end()?;
    Ok(out)
}

/// What addresses in the page are relative to.
struct Base<'a> {
    url: Url,
    own: url::Origin,
    root: &'a Root,
}

impl<'a> Base<'a> {
    fn new(site: &Site<'a>, href: Option<&str>) -> Result<Base<'a>, url::ParseError> {
        let page = Url::parse(site.origin)?;
        let own = page.origin();
        let page = page.join(site.path)?;
        // A base that is no URL is ignored, as browsers do.
        let url = href.and_then(|href| page.join(href).ok()).unwrap_or(page);
        Ok(Base { url, own, root: site.root })
    }

    /// An import map's address without the page it stands in; bare names and addresses elsewhere stay as they are.
    fn root_relative(&self, address: &str) -> String {
        let is_relative = ["/", "./", "../"].iter().any(|prefix| address.starts_with(prefix));
        let url = self.resolve_own(address).filter(|_| is_relative);
        url.map_or_else(|| address.to_owned(), |url| url[url::Position::BeforePath..].to_owned())
    }

    fn resolve_own(&self, href: &str) -> Option<Url> {
        self.url.join(href).ok().filter(|url| url.origin() == self.own)
    }
}

/// The module id of an address, if it is one of ours. A query does not make it another module.
fn own_id(base: &Base, href: &str) -> Option<String> {
    let href = href.trim_ascii();
    let url = base.resolve_own(href).filter(|url| !href.is_empty() && !url.path().starts_with(PREFIX))?;
    Address::parse(url.path()).ok().filter(|it| !it.is_folder)?;
    // The real file's id, as imports of it have.
    let located = base.root.path_of(url.path()).and_then(|path| base.root.locate(&path));
    located.map(|(id, _)| id).or_else(|| base.root.normalize(url.path()))
}

/// The import maps of a page, merged as browsers do it: what is there stays.
#[derive(Default)]
struct ImportMap {
    map: Map<String, Value>,
    /// One that is no map is passed on as it is, so that it is said what is wrong with it.
    broken: Option<String>,
}

impl fmt::Display for ImportMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broken {
            Some(text) if self.map.is_empty() => f.write_str(text),
            _ => write!(f, "{}", Value::Object(self.map.clone())),
        }
    }
}

fn add_map(to: &mut ImportMap, json: &str, base: &Base) {
    let Ok(Value::Object(map)) = serde_json::from_str::<Value>(json) else {
        to.broken = Some(json.to_owned());
        return;
    };
    for (name, mut value) in map {
        match (name.as_str(), &mut value) {
            ("imports", Value::Object(rules)) => *rules = root_relative(std::mem::take(rules), base),
            ("scopes", Value::Object(scopes)) => {
                let relative = |(scope, rules): (String, Value)| match rules {
                    Value::Object(rules) => (base.root_relative(&scope), Value::Object(root_relative(rules, base))),
                    rules => (base.root_relative(&scope), rules),
                };
                *scopes = std::mem::take(scopes).into_iter().map(relative).collect();
            }
            _ => {}
        }
        merge(&mut to.map, name, value);
    }
}

fn root_relative(rules: Map<String, Value>, base: &Base) -> Map<String, Value> {
    let relative = |(specifier, address): (String, Value)| {
        let address = match address {
            Value::String(address) => Value::String(base.root_relative(&address)),
            address => address,
        };
        (base.root_relative(&specifier), address)
    };
    rules.into_iter().map(relative).collect()
}

fn merge(map: &mut Map<String, Value>, name: String, value: Value) {
    match (map.get_mut(&name), value) {
        (None, value) => {
            map.insert(name, value);
        }
        (Some(Value::Object(old)), Value::Object(new)) => {
            for (name, value) in new {
                merge(old, name, value);
            }
        }
        (Some(_), _) => {}
    }
}

/// An attribute's value, with its character references replaced.
fn attribute(el: &Element, name: &str) -> Option<String> {
    let value = el.get_attribute(name)?;
    let mut text = String::with_capacity(value.len());
    let mut rest = value.as_str();
    while let Some((before, reference)) = rest.split_once('&') {
        text.push_str(before);
        let known = reference.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        match known {
            Some((character, after)) => {
                text.push(character);
                rest = after;
            }
            None => {
                text.push('&');
                rest = reference;
            }
        }
    }
    text.push_str(rest);
    Some(text)
}

/// The references that occur in addresses.
fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

#[cfg(test)]
mod tests;
