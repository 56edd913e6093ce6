//! Capuchin: a language server that live-patches running JavaScript on every keystroke.
pub mod compile;
pub mod dev_server;
pub mod engine;
mod globals;
pub mod graph;
pub mod lsp;
pub mod modules;
mod pages;
pub mod patch;
pub mod run;
pub mod sites;
pub mod styles;
mod syntax;
pub mod text;
pub mod wire;
