//! What a program has in shared memory, and in the folder for temporary files.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of all runs, as it stands in a folder for temporary files.
pub(crate) fn base(temp: &Path) -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    temp.join(format!("multiprocess-{user}"))
}

/// The files and folders in the folder of all runs.
pub(crate) fn files(temp: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![base(temp)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

/// Names of shared memory that stand in the folders of runs, or whose run is one of them.
pub(crate) fn names(temp: &Path) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = files(temp);
    let runs: Vec<String> = files.iter().map(|path| name(path)).collect();
    let entries = fs::read_dir("/dev/shm").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            runs.iter()
                .any(|run| name.starts_with(&format!("mp-{run}-")))
        })
        .collect()
}
