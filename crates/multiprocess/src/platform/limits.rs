//! The limits of a process and of memory, and the errors that say which one was reached and what to do.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

pub(crate) use crate::platform::native::capacity::{free_memory, memfd, reserve};

/// Returns the system's text for an error, and what the caller can do.
pub(crate) fn explained(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE | Errno::TOOMANYREFS) => format!("{error}: {}", too_few_descriptors()),
        Some(Errno::NFILE) => format!(
            "{error}: all processes together have as many files open as the system allows (`fs.file-max`)"
        ),
        Some(Errno::AGAIN) => format!(
            "{error}: this user may have {} processes and threads (`ulimit -u`), and a container may have a limit of \
             its own (`pids.max`); raise the limit, or start fewer",
            limit(Resource::Nproc)
        ),
        Some(Errno::NOMEM) => format!(
            "{error}: this process may use {} bytes of address space (`ulimit -v`), and a container may have a limit \
             of its own; each shared object of more than 16 KiB is a mapping, of which a process may have as many as \
             `vm.max_map_count` says",
            limit(Resource::As)
        ),
        Some(Errno::TOOBIG) => format!(
            "{error}: Linux allows 131071 bytes for a name, and a quarter of the stack (`ulimit -s`) for arguments and \
             environment together"
        ),
        _ => error.to_string(),
    }
}

/// Returns the text for a process that has reached its limit of open files.
pub(crate) fn too_few_descriptors() -> String {
    format!(
        "this process may have {} files open (`ulimit -n`), and a child that runs uses three; raise the limit, or start \
         fewer",
        limit(Resource::Nofile)
    )
}

fn limit(resource: Resource) -> String {
    let max = getrlimit(resource).current;
    max.map_or("any number of".to_owned(), |max| max.to_string())
}

/// Returns the maximum size of a file that this process may create; `None` without a limit. A signal ends a process
/// that writes more.
pub(crate) fn largest_file() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// Returns the error for a request of more memory than the `free` bytes.
pub(crate) fn too_large(free: u64) -> io::Error {
    let reason = format!("it needs more memory than is free ({} MiB)", free >> 20);
    io::Error::new(io::ErrorKind::OutOfMemory, reason)
}

/// Returns an error if this process may not create a file of that size: a signal would end it if it tried.
pub(crate) fn check_file_size(bytes: u64) -> io::Result<()> {
    if largest_file().is_some_and(|max| bytes > max) {
        let reason = "it is larger than this process's limit for files (`ulimit -f`)";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// Up to this size, free memory isn't checked, which takes longer than creating a lock: if there is none,
/// [reserving](reserve) it fails.
const LITTLE: u64 = 16 << 10;

/// Returns an error if fewer bytes than that are free.
pub(crate) fn check(bytes: u64) -> io::Result<()> {
    check_file_size(bytes)?;
    if bytes > LITTLE {
        // No process can address more.
        let free = free_memory().unwrap_or(isize::MAX as u64);
        if bytes > free {
            return Err(too_large(free));
        }
    }
    Ok(())
}
