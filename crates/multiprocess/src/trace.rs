//! Events: emitted to `tracing`, printed, and recorded.

use std::io::Write;

pub(crate) mod events;
mod listener;
pub(crate) mod printer;
pub(crate) mod recorder;

pub(crate) const TARGET: &str = "multiprocess";

/// Prints a line on standard error, in a single write. Ignores errors, since there is nowhere to report them.
fn warn(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
