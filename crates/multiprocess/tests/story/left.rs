//! The files of a program in shared memory.

use std::path::PathBuf;

/// The folder with the files that are shared memory.
pub(crate) fn folder() -> PathBuf {
    if super::is_portable() {
        std::env::temp_dir()
    } else {
        PathBuf::from("/dev/shm")
    }
}

/// The files of the runs that a process has begun: their leases, processes and memory, and the files that belong to it.
pub(crate) fn files(pid: u32) -> Vec<PathBuf> {
    let beginning = format!("mp-{pid:x}-");
    let entries = std::fs::read_dir(folder()).unwrap().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// The segments of the runs that a process has begun, without those of other segments.
pub(crate) fn segments(pid: u32) -> Vec<PathBuf> {
    let mut found = files(pid);
    found.retain(|path| path.extension().is_none());
    found
}
