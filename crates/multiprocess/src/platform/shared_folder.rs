//! The folder of the files that are the shared memory. (Other systems than Linux have named shared memory, but don't
//! list the names, and some allow only short ones.)

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::is_portable;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Returns the folder, which stays the same even if the current folder or the environment changes.
pub(crate) fn shared_folder() -> &'static Path {
    FOLDER.get_or_init(|| {
        if !is_portable() {
            return PathBuf::from("/dev/shm");
        }
        let mut temp = std::env::temp_dir();
        // An empty variable counts as not set.
        if temp.as_os_str().is_empty() {
            temp = PathBuf::from("/tmp");
        }
        std::path::absolute(&temp).unwrap_or(temp)
    })
}

/// Returns the error for a file that can't be created there, from the system's own.
pub(crate) fn not_made(error: io::Error) -> io::Error {
    use ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};

    let folder = shared_folder().display();
    let reason = match error.kind() {
        NotFound if !is_portable() => format!(
            "{folder}, the folder for shared memory, is missing: mount it (`mount -t tmpfs tmpfs {folder}`)"
        ),
        PermissionDenied | ReadOnlyFilesystem if !is_portable() => {
            format!("this user cannot write to {folder}, the folder for shared memory: {error}")
        }
        NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem if is_portable() => {
            format!(
                "cannot create a file in {folder}: {error}; set TMPDIR to a folder that you can write to"
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
