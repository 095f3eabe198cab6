//! Files without a name, which are gone with the last process that has them open.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Makes an empty file. Where a file has a name for a moment, `name` chooses it, and returns what keeps its folder there
/// until the name is removed.
pub(crate) fn create<G>(name: impl FnOnce() -> io::Result<(PathBuf, G)>) -> io::Result<File> {
    dispatch!(anonymous_file::create(name))
}
