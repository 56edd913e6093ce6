//! Another name for what the top level of a text declares: the same program under other names.

use std::cell::Cell;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingProperty, ExportSpecifier, IdentifierReference,
    ImportSpecifier, ObjectProperty,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder, SymbolId};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::{ScopeFlags, ScopeId};
use rustc_hash::FxHashMap;

use super::Options;
use super::depth::with_room;
use super::module::parse;

/// Which places of a name are renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    All,
    /// Where it is declared: its uses still say the old name.
    Declaration,
}

/// `source` with other names for some of those that its top level declares; `None` where a new name would mean something else.
pub fn rename(source: &str, options: Options, names: &[(String, String)], places: Places) -> Option<String> {
    with_room(source, || renamed(source, options, names, places)).ok()?
}

fn renamed(source: &str, options: Options, names: &[(String, String)], places: Places) -> Option<String> {
    let allocator = Allocator::default();
    let (parsed, _) = parse(&allocator, source, options).ok()?;
    let semantic = SemanticBuilder::new_compiler().build(&parsed.program);
    let scoping = semantic.semantic.scoping();
    let root = scoping.root_scope_id();
    let mut symbols = FxHashMap::default();
    for (from, to) in names {
        symbols.insert(scoping.get_binding(root, from.as_str().into())?, to.as_str());
    }
    let mut renaming =
        Renaming { source, scoping, symbols, places, scopes: Vec::new(), edits: Vec::new(), is_caught: false };
    renaming.visit_program(&parsed.program);
    if renaming.is_caught {
        return None;
    }
    let mut edits = renaming.edits;
    edits.sort_unstable_by_key(|it| it.0.start);
    edits.dedup_by_key(|it| it.0);
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for (span, new) in edits {
        text.push_str(&source[done..span.start as usize]);
        text.push_str(&new);
        done = span.end as usize;
    }
    text.push_str(&source[done..]);
    Some(text)
}

struct Renaming<'r> {
    source: &'r str,
    scoping: &'r Scoping,
    symbols: FxHashMap<SymbolId, &'r str>,
    places: Places,
    scopes: Vec<ScopeId>,
    edits: Vec<(Span, String)>,
    /// A declaration in between has one of the new names.
    is_caught: bool,
}

impl Renaming<'_> {
    fn used(&mut self, it: &IdentifierReference<'_>) -> Option<String> {
        let symbol = it.reference_id.get().and_then(|it| self.scoping.get_reference(it).symbol_id())?;
        let name = *self.symbols.get(&symbol).filter(|_| self.places == Places::All)?;
        let inner = self.scopes.iter().filter(|it| **it != self.scoping.root_scope_id());
        self.is_caught |= inner.into_iter().any(|it| self.scoping.get_binding(*it, name.into()).is_some());
        Some(name.to_owned())
    }
}

impl<'a> Visit<'a> for Renaming<'_> {
    fn enter_scope(&mut self, _flags: ScopeFlags, scope_id: &Cell<Option<ScopeId>>) {
        self.scopes.extend(scope_id.get());
    }

    fn leave_scope(&mut self) {
        self.scopes.pop();
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if let Some(name) = self.used(it) {
            self.edits.push((it.span, name));
        }
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        if let Some(name) = it.symbol_id.get().and_then(|it| self.symbols.get(&it)) {
            self.edits.push((it.span, (*name).to_owned()));
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        walk::walk_object_property(self, it);
        // `{a}` is `{a:b}` then.
        self.keep_key(it.shorthand, it.key.span());
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        walk::walk_binding_property(self, it);
        self.keep_key(it.shorthand, it.key.span());
    }

    fn visit_assignment_target_property_identifier(&mut self, it: &AssignmentTargetPropertyIdentifier<'a>) {
        walk::walk_assignment_target_property_identifier(self, it);
        self.keep_key(true, it.binding.span);
    }

    fn visit_import_specifier(&mut self, it: &ImportSpecifier<'a>) {
        walk::walk_import_specifier(self, it);
        if let Some((span, text)) = self.edits.last_mut()
            && *span == it.imported.span()
        {
            text.insert_str(0, &format!("{} as ", it.imported.name()));
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        let oxc::ast::ast::ModuleExportName::IdentifierReference(local) = &it.local else { return };
        let Some(name) = self.used(local) else { return };
        let is_short = local.span == it.exported.span();
        let text = if is_short { format!("{name} as {}", local.name) } else { name };
        self.edits.push((local.span, text));
    }
}

impl Renaming<'_> {
    fn keep_key(&mut self, is_shorthand: bool, key: Span) {
        let key_text = &self.source[key.start as usize..key.end as usize];
        if let Some((_, text)) = self.edits.iter_mut().rev().find(|it| is_shorthand && it.0 == key) {
            text.insert_str(0, &format!("{key_text}:"));
        }
    }
}
