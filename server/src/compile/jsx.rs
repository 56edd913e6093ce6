//! JSX.
