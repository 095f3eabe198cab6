//! A file without a name: its name is removed as soon as it is made.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Makes a file with `make`, which also returns its path and what is to be kept until the name is removed.
pub(crate) fn create<G>(make: impl FnOnce() -> io::Result<(File, PathBuf, G)>) -> io::Result<File> {
    let (file, path, _guard) = make()?;
    match std::fs::remove_file(path) {
        // Removed with what killed processes left.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(file),
    }
}
