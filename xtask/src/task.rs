//! What tasks have in common.

use std::io;
use std::process::ExitCode;

/// Returns the exit status of a task that has told what it found: also if its output is closed.
pub(crate) fn verdict(told: anyhow::Result<()>, is_good: bool) -> anyhow::Result<ExitCode> {
    match told {
        Err(error) if !is_output_closed(&error) => Err(error),
        _ => Ok(ExitCode::from(u8::from(!is_good))),
    }
}

/// Treats a closed standard output as success: the work goes on, and its exit status says how it went.
pub(crate) fn though_unread(told: io::Result<()>) -> io::Result<()> {
    told.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Whether the reader of standard output, such as `head`, has gone away.
pub(crate) fn is_output_closed(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
