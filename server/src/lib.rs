//! Capuchin: a language server that live-patches running JavaScript on every keystroke.
pub mod compile;
pub mod engine;
pub mod sites;
pub mod text;
pub mod wire;
