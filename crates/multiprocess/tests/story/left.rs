//! What a program has in shared memory.

use std::path::{Path, PathBuf};

/// The folders with the names of shared memory: that of the system, and with the portable versions also the one for
/// temporary files, which has a file for each name.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/dev/shm")];
    if super::is_portable() {
        folders.push(temp());
    }
    folders
}

/// The folder of the files beside the memory.
pub(crate) fn folder_of_files() -> PathBuf {
    folders().pop().expect("there is one")
}

fn temp() -> PathBuf {
    std::env::temp_dir()
}

/// The files of the runs that a process has begun: their leases, their processes, their memory and what goes with it.
pub(crate) fn files(pid: u32) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folders()
        .iter()
        .flat_map(|folder| names_in(folder, pid))
        .collect();
    found.sort();
    found
}

/// The segments of the runs that a process has begun, as the system lists them, without those of other segments.
pub(crate) fn segments(pid: u32) -> Vec<PathBuf> {
    let mut found = names_in(Path::new("/dev/shm"), pid);
    found.retain(|path| path.extension().is_none());
    found
}

fn names_in(folder: &Path, pid: u32) -> Vec<PathBuf> {
    let beginning = format!("mp-{pid:x}-");
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(&beginning)
        })
        .collect()
}
