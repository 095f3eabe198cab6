//! The folder of the files that are the shared memory. (Other systems than Linux have memory with names of its own, but
//! don't list the names, and some have no long ones.)

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::is_portable;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Returns the folder, which stays the same when the current folder or the environment changes.
pub(crate) fn shared_folder() -> &'static Path {
    FOLDER.get_or_init(|| {
        if !is_portable() {
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

/// Returns the error for a file that cannot be made there, from the system's own.
pub(crate) fn not_made(error: io::Error) -> io::Error {
    use ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};

    let folder = shared_folder().display();
    let reason = match error.kind() {
        NotFound if !is_portable() => format!(
            "{folder} is missing, where shared memory lies: mount it (`mount -t tmpfs tmpfs {folder}`)"
        ),
        PermissionDenied | ReadOnlyFilesystem if !is_portable() => format!(
            "{folder}, where shared memory lies, cannot be written to by this user: {error}"
        ),
        NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem if is_portable() => {
            format!(
                "no file can be made in {folder}: {error}; set TMPDIR to a folder that can be written to"
            )
        }
        _ => return error,
    };
    io::Error::new(error.kind(), reason)
}

/// Returns the folder if a child can't know which one it is.
pub(crate) fn for_children() -> Option<&'static Path> {
    is_portable().then(shared_folder)
}

pub(crate) fn inherit(folder: PathBuf) {
    let _ = FOLDER.set(folder);
}
