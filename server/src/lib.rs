//! Capuchin: a language server that live-patches running JavaScript on every keystroke.
pub mod engine;
