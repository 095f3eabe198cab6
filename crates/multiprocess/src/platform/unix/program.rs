//! The file of the running program, to start it again: whatever is at its path then.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Does nothing: the path is available at any time.
pub(crate) fn note() {}

/// Returns a command that runs this program again; the caller adds the arguments.
pub(crate) fn command() -> io::Result<Command> {
    Ok(named(std::env::current_exe()?, std::env::args_os().next()))
}

/// Returns a command that runs the file under that name, which is its first argument.
pub(crate) fn named(file: PathBuf, name: Option<OsString>) -> Command {
    let mut command = Command::new(file);
    command.arg0(name.unwrap_or_else(|| "multiprocess".into()));
    command
}
