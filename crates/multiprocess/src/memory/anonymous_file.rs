//! Files without a name, which disappear with the last process that has them open.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;

use crate::memory::name::random;
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::platform::limits;

pub(crate) fn holding(bytes: &[u8]) -> io::Result<OwnedFd> {
    limits::check_file_size(bytes.len() as u64)?;
    let mut file = limits::memfd().unwrap_or_else(removed_file)?;
    file.write_all(bytes)?;
    Ok(file.into())
}

/// The prefix, after the run, of the name that such a file has for a moment if the system has no other way.
pub(crate) const VALUE: &str = "value-";

/// Creates a file of the run, and removes its name. If this process is killed before that, a sweep does.
fn removed_file() -> io::Result<File> {
    let _making = registry::making()?;
    let path = registry::own_run()?.file(&format!("{VALUE}{:x}", random()));
    let file = run_file::open(&path, Existence::New)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(file),
    }
}
