use std::io::{self, Write};
use std::process::ExitCode;

/// Prints a text and a line end. A reader that has gone away, such as `head`, is no reason to panic.
pub(crate) fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: standard output cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
