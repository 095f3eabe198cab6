//! Files without a name, which are gone with the last process that has them open.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::liveness::UniquePid;
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::platform::{self, capacity};

/// Stores bytes in a file that has no name, and so is gone with the last process that has it open.
pub(crate) fn holding(bytes: &[u8]) -> io::Result<OwnedFd> {
    capacity::check_file_size(bytes.len() as u64)?;
    let mut file = new_file_without_name()?;
    file.write_all(bytes)?;
    Ok(file.into())
}

/// The prefix, after the run, of the name that such a file has for a moment.
pub(crate) const VALUE: &str = "value-";

/// How many of them this process has made in the portable way.
static MADE: AtomicU64 = AtomicU64::new(0);

fn new_file_without_name() -> io::Result<File> {
    // A file of the run, which a sweep removes if this process is killed before it does so itself.
    platform::anonymous_file::create(|| {
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let own = UniquePid::current().number();
        let making = registry::making()?;
        let path = registry::own_run()?.file(&format!("{VALUE}{own:x}-{made}"));
        Ok((run_file::open(&path, Existence::New)?, path, making))
    })
}
