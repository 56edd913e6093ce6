//! Which file a module specifier means: the project root, module ids, the resolver, import maps, and how a file is to be
//! evaluated. Reads the file system, but knows nothing of pages, sockets or editors.
//!
//! A module's *id* is its root-relative URL path (`/src/main.js`), so that it can be requested, shown in stack traces and
//! used as a registry key alike. [`Root`] converts between ids and paths, [`Resolver`] turns specifiers into ids.

mod gather;
mod import_map;
mod kind;
mod resolver;
mod root;

pub use gather::{Files, Place, gather};
pub use kind::{ModuleKind, PackageType, Syntax};
pub use resolver::{ImportKind, ImportMapUpdate, Resolved, Resolver};
pub(crate) use root::split_suffix;
pub use root::{Root, RootProblem};
