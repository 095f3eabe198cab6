//! The folder that has the names of shared memory.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::is_portable;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Returns whether the file of a name is the memory itself, as on Linux. Elsewhere the system does not list the names
/// of its memory, so each of them has a file.
pub(crate) fn is_memory() -> bool {
    !is_portable()
}

/// Returns the folder, which stays the same when the current folder or the environment changes.
pub(crate) fn shared_folder() -> &'static Path {
    FOLDER.get_or_init(|| {
        if is_memory() {
            return PathBuf::from("/dev/shm");
        }
        let mut temp = std::env::temp_dir();
        // A variable that is empty counts as not set.
        if temp.as_os_str().is_empty() {
            temp = PathBuf::from("/tmp");
        }
        std::path::absolute(&temp).unwrap_or(temp)
    })
}

/// Returns the folder if a child can't know which one it is.
pub(crate) fn for_children() -> Option<&'static Path> {
    (!is_memory()).then(shared_folder)
}

pub(crate) fn inherit(folder: PathBuf) {
    let _ = FOLDER.set(folder);
}
