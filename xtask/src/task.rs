//! Exit statuses of tasks, and closed outputs.

use std::io;
use std::process::ExitCode;

/// Returns the exit status of a task that has shown its result, even if the output was closed.
pub(crate) fn verdict(shown: anyhow::Result<()>, is_good: bool) -> anyhow::Result<ExitCode> {
    match shown {
        Err(error) if !is_output_closed(&error) => Err(error),
        _ => Ok(ExitCode::from(u8::from(!is_good))),
    }
}

/// Treats a closed standard output as success: the task continues, and its exit status shows the result.
pub(crate) fn ignore_broken_pipe(shown: io::Result<()>) -> io::Result<()> {
    shown.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Returns whether the reader of standard output, such as `head`, has closed the pipe.
pub(crate) fn is_output_closed(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
