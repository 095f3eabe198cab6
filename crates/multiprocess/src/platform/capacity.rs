//! How much memory and how large a file a process may use.

use std::io;

pub(crate) use crate::platform::limits::{largest_file, too_large};
pub(crate) use crate::platform::native::capacity::{free_memory, give_back, not_made, reserve};

/// An error if this process may not make a file so large: trying would end it by a signal.
pub(crate) fn check_file_size(bytes: u64) -> io::Result<()> {
    if largest_file().is_some_and(|most| bytes > most) {
        let reason = "it is larger than this process's limit for files (`ulimit -f`)";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// Asking how much is free takes longer than making a lock. So little is not asked about: if there is no room for it,
/// [reserving](reserve) it fails.
const LITTLE: u64 = 16 << 10;

/// An error if there is less memory free than that many bytes.
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
