//! A file without a name: its name is removed as soon as it is made.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

pub(crate) fn create<G>(name: impl FnOnce() -> io::Result<(PathBuf, G)>) -> io::Result<File> {
    let (path, _guard) = name()?;
    let mut how = File::options();
    let file = how
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)?;
    match std::fs::remove_file(path) {
        // Removed with what killed processes left.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(file),
    }
}
