//! What the dev server asks of the rest of the program. It knows files and addresses; what a module is, it asks here.

use std::path::Path;
use std::sync::Arc;

use crate::engine::event::Handle;
use crate::wire::{Graph, PageId};

/// The program behind the dev server.
///
/// All methods but [`Backend::events`] are called on threads that may block. Paths are canonical: symbolic links are
/// followed already. Ids and URLs were checked for form, not for existence.
pub trait Backend: Send + Sync + 'static {
    /// The unsaved text of a file, if an editor has it open with that path.
    fn buffer(&self, path: &Path) -> Option<Arc<str>>;

    /// The modules that `entries` (module ids, at least one) reach, instrumented, without those that the page has already.
    /// The graph's `entry` is `entries[0]`.
    fn graph(&self, entries: &[String], page: &PageId) -> Graph;

    /// The answer for the classic script at `url`, instrumented. `None`: it is served as it is.
    fn classic(&self, path: &Path, url: &str) -> Option<String>;

    /// The text of a style sheet that a page loads by itself, where it refers to files that have changed since. `None`: it is
    /// served as it is.
    fn stylesheet(&self, path: &Path, text: &str) -> Option<String>;

    /// Keeps an inline module script of an HTML page as the module `id` (`/index.html?inline=0`).
    /// `first_line` counts from 1: the line of the HTML file on which `source` starts.
    fn inline_module(&self, id: &str, source: &str, first_line: u32);

    /// Keeps the import map of the HTML page with the id `document`, instead of the one that it had before: `{}` if it has
    /// none now. Relative addresses in it are root-relative already.
    fn import_map(&self, document: &str, json: &str);

    /// The newest revision: what is read from now on has all changes up to it.
    fn rev(&self) -> u64;

    /// Where what pages say goes.
    fn events(&self) -> Handle;
}
