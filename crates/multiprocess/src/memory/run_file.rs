//! The files of runs: created, opened and locked so that no file of another user is mistaken for one, since every user
//! can write to the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::platform::shared_folder;

/// Whether a file has to exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    New,
    Old,
    Either,
}

const MODE: u32 = 0o600;

pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens a file of this user; never follows a link.
pub(crate) fn open(path: &Path, existence: Existence) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create_new(existence == Existence::New)
        .create(existence == Existence::Either)
        .mode(MODE)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let opened = options.open(path).or_else(|error| {
        if error.kind() != ErrorKind::PermissionDenied || !is_half_made(path) {
            return Err(error);
        }
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        options.open(path)
    });
    let file = opened.map_err(|error| match existence {
        Existence::Old => error,
        _ => shared_folder::not_made(error),
    })?;
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != user() {
        let complaint = format!("{} is not a file of this user", path.display());
        return Err(io::Error::new(ErrorKind::PermissionDenied, complaint));
    }
    // Regardless of the umask.
    if found.mode() & 0o777 != MODE && existence != Existence::Old {
        file.set_permissions(fs::Permissions::from_mode(MODE))?;
    }
    Ok(file)
}

/// Returns whether it is a file of this user whose creator was killed before it had set the mode.
fn is_half_made(path: &Path) -> bool {
    let found = fs::symlink_metadata(path);
    found
        .is_ok_and(|found| found.is_file() && found.uid() == user() && found.mode() & 0o777 != MODE)
}

/// Opens a file and locks it, shared; `NotFound` if an old one was removed meanwhile.
pub(crate) fn hold(path: &Path, existence: Existence) -> io::Result<File> {
    loop {
        let file = open(path, existence)?;
        lock(|| file.lock_shared())?;
        if is_at(&file, path) {
            return Ok(file);
        }
        // Another process mistook it for a dead process's file, and removed it before this one locked it.
        if existence == Existence::Old {
            return Err(ErrorKind::NotFound.into());
        }
    }
}

/// Locks a file, also if signals interrupt that.
pub(super) fn lock(mut lock: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match lock() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            locked => return locked,
        }
    }
}

/// Returns whether the path still refers to the open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(opened), Ok(found)) => place(opened) == place(found),
        _ => false,
    }
}

/// Returns the file, locked exclusively, if it still exists and no other process has it locked.
pub(crate) fn lock_alone(path: &Path) -> Option<File> {
    let file = open(path, Existence::Old).ok()?;
    (file.try_lock().is_ok() && is_at(&file, path)).then_some(file)
}
