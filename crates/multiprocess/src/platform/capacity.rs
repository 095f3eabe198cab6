//! How much memory and how large a file a process may use.

use std::fs::File;
use std::io;

pub(crate) use crate::platform::limits::{largest_file, too_large};
pub(crate) use crate::platform::native::capacity::{free_memory, not_made, release, reserve};

/// Returns an error if this process may not make a file so large: trying would end it by a signal.
pub(crate) fn check_file_size(bytes: u64) -> io::Result<()> {
    if largest_file().is_some_and(|most| bytes > most) {
        let reason = "it is larger than this process's limit for files (`ulimit -f`)";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// Up to this size, nothing asks how much is free, which takes longer than making a lock: if there is no room,
/// [reserving](reserve) it fails.
const LITTLE: u64 = 16 << 10;

/// Returns an error if fewer than that many bytes are free.
pub(crate) fn check(bytes: u64) -> io::Result<()> {
    check_file_size(bytes)?;
    if bytes <= LITTLE {
        return Ok(());
    }
    match free_memory() {
        Some(free) if bytes > free => Err(too_large(free)),
        _ => Ok(()),
    }
}

/// Returns a new file that has no name, and is gone with the last process that has it open; `None` where the system has
/// no such files.
pub(crate) fn memfd() -> Option<io::Result<File>> {
    dispatch!(capacity::memfd())
}
