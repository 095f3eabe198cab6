//! Events: emitted to `tracing`, printed, and recorded.

pub(crate) mod events;
#[cfg_attr(not(feature = "print"), path = "trace/no_printer.rs")]
pub(crate) mod printer;
#[cfg_attr(not(feature = "record"), path = "trace/no_recorder.rs")]
pub(crate) mod recorder;

/// The target of the events of this crate.
pub(crate) const TARGET: &str = "multiprocess";
