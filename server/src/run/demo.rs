//! `capuchin demo`.

use std::process::ExitCode;

/// What to show.
#[derive(Debug)]
pub struct DemoOptions {
    pub example: String,
    pub port: u16,
    pub open: bool,
}

/// Serves the demo until it is interrupted.
pub fn demo(_: DemoOptions) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
