//! Events: emitted to `tracing`, printed, and recorded.

use std::io::Write;

pub(crate) mod events;
#[cfg(any(feature = "print", feature = "record"))]
mod listener;
#[cfg_attr(not(feature = "print"), path = "trace/no_printer.rs")]
pub(crate) mod printer;
#[cfg_attr(not(feature = "record"), path = "trace/no_recorder.rs")]
pub(crate) mod recorder;

pub(crate) const TARGET: &str = "multiprocess";

/// Prints a line on standard error, in one piece. A closed one is ignored: there is nowhere to report it.
fn warn(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
