//! A file without a name: a memfd, which lies in memory.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};

pub(crate) fn create<G>(
    _make: impl FnOnce() -> io::Result<(File, PathBuf, G)>,
) -> io::Result<File> {
    Ok(memfd_create("multiprocess", MemfdFlags::CLOEXEC)?.into())
}
