//! Files without a name, which are gone with the last process that has them open.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Makes an empty file. Where a file has a name for a moment, `make` makes it, and returns its path and a guard that is
/// kept until the name is removed.
pub(crate) fn create<G>(make: impl FnOnce() -> io::Result<(File, PathBuf, G)>) -> io::Result<File> {
    dispatch!(anonymous_file::create(make))
}
