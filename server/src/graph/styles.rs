//! Style sheets that modules import: what they import is written into them, their addresses count from the root, and those of
//! CSS modules get names of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Graph, Loaded, data};
use crate::modules::{ImportKind, Resolved, split_suffix};
use crate::sites::Rev;
use crate::styles::{self, Part, References};
use crate::wire::{Dep, ModuleKind, Target};

/// A sheet as a page gets it.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) text: String,
    /// Everything that it is made of, itself included: when one of them changes, so does the sheet.
    pub(super) files: BTreeSet<PathBuf>,
    /// The exports of a CSS module.
    pub(super) names: Option<BTreeMap<String, String>>,
    /// The sheets whose classes its classes are composed of.
    pub(super) deps: Vec<Dep>,
    /// Imports from elsewhere, which have to stand in front.
    elsewhere: String,
}

impl Graph {
    /// A style sheet as a module of this kind.
    pub(super) fn style(&self, id: &str, path: &Path, rev: Rev, kind: ModuleKind) -> Result<Loaded, String> {
        let sheet = self.sheet(split_suffix(id).0, path)?;
        for file in sheet.files {
            self.made_of.entry(file).or_default().insert(id.to_owned());
        }
        let mut loaded = data(id, rev, kind, &sheet.text, None);
        if let Some(def) = Arc::get_mut(&mut loaded.def).filter(|_| kind == ModuleKind::Css) {
            (def.names, def.deps) = (sheet.names, sheet.deps);
        }
        Ok(loaded)
    }

    /// Makes the sheet of the module `id`.
    ///
    /// # Errors
    /// One sentence, when it or something that it imports cannot be read.
    pub(super) fn sheet(&self, id: &str, path: &Path) -> Result<Sheet, String> {
        self.sheet_with(id, path, &mut vec![id.to_owned()])
    }

    /// `above`: the CSS modules whose names are being composed.
    fn sheet_with(&self, id: &str, path: &Path, above: &mut Vec<String>) -> Result<Sheet, String> {
        let mut sheet = Sheet::default();
        let text = self.written_out(path, &mut vec![path.to_owned()], &mut sheet)?;
        sheet.text = std::mem::take(&mut sheet.elsewhere) + &text;
        if is_css_module(path) {
            self.scope(id, &mut sheet, above)?;
        }
        Ok(sheet)
    }

    /// The text of a sheet with the texts of what it imports in it. `within`: the sheets that are being written out.
    fn written_out(&self, path: &Path, within: &mut Vec<PathBuf>, sheet: &mut Sheet) -> Result<String, String> {
        let text = self.text(path)?;
        sheet.files.insert(path.to_owned());
        let References { charset, imports, addresses } = styles::references(&text);
        let mut edits = Vec::new();
        edits.extend(charset.map(|range| (range, String::new())));
        for address in &addresses {
            if let Some((url, file)) = self.address(&address.value, path) {
                sheet.files.extend(file);
                edits.push((address.range.clone(), address.with(&url)));
            }
        }
        for import in imports {
            let value = &import.address.value;
            if is_elsewhere(value) {
                sheet.elsewhere.push_str(&text[import.range.clone()]);
                edits.push((import.range, String::new()));
                continue;
            }
            let imported = self.imported_sheet(value, path)?;
            let new = if within.contains(&imported) {
                String::new()
            } else {
                within.push(imported.clone());
                let inside = self.written_out(&imported, within, sheet);
                within.pop();
                import.around(&inside?)
            };
            edits.push((import.range, new));
        }
        Ok(styles::replace(&text, &mut edits))
    }

    fn imported_sheet(&self, value: &str, importer: &Path) -> Result<PathBuf, String> {
        let root = self.resolver.root();
        let id = root.id_of(importer).unwrap_or_default();
        let beside = joined_id(&id, value).and_then(|it| root.path_of(&it));
        let is_there = |it: &PathBuf| it.is_file() || self.buffers.contains_key(it);
        if let Some(path) = beside.filter(is_there) {
            return Ok(path.canonicalize().unwrap_or(path));
        }
        match self.resolver.resolve(value, &id, ImportKind::Import) {
            Resolved::Module { path, .. } => Ok(path),
            _ => Err(format!("'{value}' was not found (imported by {id})")),
        }
    }

    /// An address of a sheet from the root, and the file that it means. `None`: it stays as it is.
    fn address(&self, value: &str, sheet: &Path) -> Option<(String, Option<PathBuf>)> {
        if value.is_empty() || value.starts_with('#') || is_elsewhere(value) {
            return None;
        }
        let root = self.resolver.root();
        let id = joined_id(&root.id_of(sheet)?, value)?;
        let file = root.path_of(&id);
        Some((self.with_revision(&id), file))
    }

    /// The address of a file, other than before if the file has changed while the server ran: browsers keep what they have.
    pub(crate) fn with_revision(&self, url: &str) -> String {
        let (id, suffix) = crate::modules::split_suffix(url);
        let Some(rev) = self.changed_files.get(id).map(|it| *it) else { return url.to_owned() };
        let (query, fragment) = suffix.split_at(suffix.find('#').unwrap_or(suffix.len()));
        let separator = if query.is_empty() { '?' } else { '&' };
        format!("{id}{query}{separator}t={rev}{fragment}")
    }

    /// The text of a sheet that a page loads by itself: what has changed while the server ran has another address in it.
    pub(crate) fn linked_sheet(&self, path: &Path, text: &str) -> Option<String> {
        let own = self.resolver.root().id_of(path)?;
        let newest = self.changed_files.iter().filter(|it| it.key().ends_with(".css")).map(|it| *it).max();
        let References { imports, addresses, .. } = styles::references(text);
        let mut edits = Vec::new();
        for address in &addresses {
            let id = (!is_elsewhere(&address.value)).then(|| joined_id(&own, &address.value)).flatten();
            if let Some(new) = id.map(|it| (self.with_revision(&it), it)).filter(|(new, id)| new != id) {
                edits.push((address.range.clone(), address.with(&new.0)));
            }
        }
        // Of a sheet that is imported, what that imports may have changed, too.
        for import in imports.iter().filter(|it| newest.is_some() && !is_elsewhere(&it.address.value)) {
            let separator = if import.address.value.contains('?') { '&' } else { '?' };
            let value = format!("{}{separator}t={}", import.address.value, newest.unwrap_or_default());
            edits.push((import.address.range.clone(), import.address.with(&value)));
        }
        (!edits.is_empty()).then(|| styles::replace(text, &mut edits))
    }

    fn scope(&self, id: &str, sheet: &mut Sheet, above: &mut Vec<String>) -> Result<(), String> {
        let scoped = styles::scope(&sheet.text, &suffix_of(id)).ok_or_else(|| format!("{id} is no style sheet"))?;
        let mut names = BTreeMap::new();
        for (name, parts) in scoped.names {
            let mut classes: Vec<String> = Vec::new();
            for part in parts {
                match part {
                    Part::Class(class) => classes.push(class),
                    Part::From { name, file } => classes.push(self.composed(id, &name, &file, sheet, above)?),
                }
            }
            names.insert(name, classes.join(" "));
        }
        sheet.text = scoped.text;
        sheet.names = Some(names);
        Ok(())
    }

    /// The classes that a name of another CSS module stands for.
    fn composed(
        &self,
        id: &str,
        name: &str,
        file: &str,
        sheet: &mut Sheet,
        above: &mut Vec<String>,
    ) -> Result<String, String> {
        let Resolved::Module { id: other, path } = self.resolver.resolve(file, id, ImportKind::Import) else {
            return Err(format!("'{file}' was not found (composed by {id})"));
        };
        if above.contains(&other) {
            return Err(format!("{id} and {other} are composed of each other"));
        }
        above.push(other.clone());
        let composed = self.sheet_with(&other, &path, above);
        above.pop();
        let composed = composed?;
        sheet.files.extend(composed.files);
        let dep = Dep::new(file, Target::Id(other.clone()));
        if !sheet.deps.contains(&dep) {
            sheet.deps.push(dep);
        }
        composed
            .names
            .and_then(|it| it.get(name).cloned())
            .ok_or_else(|| format!("{other} has no class '{name}' (composed by {id})"))
    }
}

/// `x.module.css`: its names are its own.
pub(super) fn is_css_module(path: &Path) -> bool {
    path.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.to_ascii_lowercase().ends_with(".module.css"))
}

/// Something that is not a file of this server: `https://x`, `//x`, `data:…`.
fn is_elsewhere(address: &str) -> bool {
    let scheme = address.find(':').map(|at| &address[..at]);
    address.starts_with("//")
        || scheme.is_some_and(|it| it.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it)))
}

/// What an address in the file `id` means, as an id with query and fragment.
fn joined_id(id: &str, address: &str) -> Option<String> {
    // As browsers do it, escapes and `..` included.
    let base = url::Url::parse("http://x").ok()?.join(id).ok()?;
    let joined = base.join(address).ok()?;
    Some(joined[url::Position::BeforePath..].to_owned())
}

/// What the names of a CSS module end with: the same for the same file, so that names stay while the sheet is edited.
fn suffix_of(id: &str) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    id.hash(&mut hasher);
    let mut rest = hasher.finish();
    let mut suffix = String::new();
    for _ in 0..5 {
        suffix.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0'));
        rest /= 36;
    }
    suffix
}
