//! The dev server: files, pages and the socket.

pub mod backend;
