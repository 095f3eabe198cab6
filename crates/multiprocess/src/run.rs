//! The run: the processes that share memory with each other, and the folder that says what they use.
//!
//! The memory of a killed process goes by itself, a name in the system's list of shared memory does not. So
//! each name is written into the folder of the run before it is given out, and removed after it was taken
//! back. Every process that uses the run's memory holds a lock on the run's *lease*, a file; the system drops
//! the lock when the process ends, however it ends. Who can lock a lease alone knows that its run is over, and
//! removes what it left.
//!
//! ```text
//! /tmp/multiprocess-1000/        of one user, closed to all others
//!     4a1f-18c2.lease            locked, shared, by every process of the run
//!     4a1f-18c2/                 the run's folder
//!         mp-4a1f-18c2-0         a name in use; locked, shared, by every process that has it open
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::memory;

/// A run of which this process is a part, and its lease.
struct Membership {
    folder: PathBuf,
    lease: File,
}

struct Memberships {
    /// The run whose folder takes the names that this process gives out.
    own: Option<PathBuf>,
    all: Vec<Membership>,
}

static MEMBERSHIPS: Mutex<Memberships> = Mutex::new(Memberships {
    own: None,
    all: Vec::new(),
});

fn memberships() -> MutexGuard<'static, Memberships> {
    MEMBERSHIPS.lock().unwrap_or_else(PoisonError::into_inner)
}

const LEASE: &str = "lease";

/// The folder of this process's run, if it has one yet.
pub(crate) fn folder_if_any() -> Option<PathBuf> {
    memberships().own.clone()
}

/// The folder of this process's run, made if it has none yet.
pub(crate) fn folder() -> io::Result<PathBuf> {
    let mut memberships = memberships();
    if let Some(own) = &memberships.own {
        return Ok(own.clone());
    }
    let membership = begin(&base()?)?;
    memberships.own = Some(membership.folder.clone());
    let folder = membership.folder.clone();
    memberships.all.push(membership);
    Ok(folder)
}

/// Makes this process a part of its parent's run: what it makes itself will lie there too.
pub(crate) fn inherit(folder: &Path) {
    if join(folder).is_ok() {
        memberships().own = Some(folder.to_owned());
    }
}

/// Makes this process a part of a run, so that the run is not over before this process is.
pub(crate) fn join(folder: &Path) -> io::Result<()> {
    let mut memberships = memberships();
    if memberships
        .all
        .iter()
        .any(|membership| membership.folder == folder)
    {
        return Ok(());
    }
    let lease = hold(&folder.with_extension(LEASE), OpenOptions::new().read(true))?;
    memberships.all.push(Membership {
        folder: folder.to_owned(),
        lease,
    });
    Ok(())
}

/// Whether this process is a part of no run.
pub(crate) fn is_none() -> bool {
    memberships().all.is_empty()
}

/// Leaves all runs; those that nobody else is a part of are cleared away.
pub(crate) fn leave() {
    let mut memberships = memberships();
    memberships.own = None;
    for Membership { folder, lease } in memberships.all.drain(..) {
        clear_if_over(&folder, &lease);
    }
}

/// Clears away what the runs left that ended without being able to do it themselves.
pub(crate) fn clear_dead_runs() {
    let Ok(base) = base() else { return };
    let Ok(entries) = fs::read_dir(&base) else {
        return;
    };
    if check_owner(&base).is_err() {
        return;
    }
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == LEASE)
            && let Ok(lease) = File::open(&path)
        {
            clear_if_over(&path.with_extension(""), &lease);
        }
    }
}

/// The folder of all runs of this user.
fn base() -> io::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    // Two processes of a run may have different current folders.
    std::path::absolute(std::env::temp_dir().join(format!("multiprocess-{user}")))
}

fn open_base(base: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(base) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let complaint = format!(
                "the folder {} cannot be made: {error}; set TMPDIR to a folder that can be written to",
                base.display()
            );
            Err(io::Error::new(error.kind(), complaint))
        }
        _ => check_owner(base),
    }
}

/// In a folder that everybody may write to, somebody else may have been there first.
fn check_owner(base: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(base)?;
    // The six bits that let others in are off.
    let ours = found.is_dir()
        && found.uid() == rustix::process::getuid().as_raw()
        && found.mode().trailing_zeros() >= 6;
    if ours {
        return Ok(());
    }
    let complaint = format!(
        "{} is not a folder that only this user can use; remove it, or set TMPDIR to another folder",
        base.display()
    );
    Err(io::Error::new(ErrorKind::PermissionDenied, complaint))
}

/// Begins a run: the lease first, so that the folder is never without it.
fn begin(base: &Path) -> io::Result<Membership> {
    let mut attempts = 0;
    loop {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!(
            "{:x}-{:x}",
            std::process::id(),
            now.subsec_nanos() + attempts
        );
        let folder = base.join(name);
        open_base(base)?;
        let lease = hold(
            &folder.with_extension(LEASE),
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600),
        );
        attempts += 1;
        match lease {
            // Taken, or cleared away by somebody who saw it before it was locked.
            Err(error)
                if attempts < 100
                    && matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {}
            Err(error) => return Err(error),
            Ok(lease) => {
                DirBuilder::new().mode(0o700).create(&folder)?;
                return Ok(Membership { folder, lease });
            }
        }
    }
}

/// Opens a file and locks it, shared; `NotFound` if it was removed meanwhile.
pub(crate) fn hold(path: &Path, how: &OpenOptions) -> io::Result<File> {
    let file = how.open(path)?;
    while let Err(error) = file.lock_shared() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    if is_at(&file, path)? {
        Ok(file)
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

/// Whether the path still leads to the open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (opened, found) = (file.metadata()?, fs::metadata(path)?);
    Ok((opened.dev(), opened.ino()) == (found.dev(), found.ino()))
}

/// Whether this process alone has a file locked; if so, it now has it locked exclusively.
pub(crate) fn is_alone(file: &File) -> bool {
    // Not every system turns a shared lock into an exclusive one.
    let _ = file.unlock();
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

fn clear_if_over(folder: &Path, lease: &File) {
    let path = folder.with_extension(LEASE);
    if !is_alone(lease) || !matches!(is_at(lease, &path), Ok(true)) {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_none_or(memory::remove) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // What cannot be removed now stays written down, to be tried again.
    if fs::remove_dir(folder).is_err_and(|error| error.kind() != ErrorKind::NotFound) {
        return;
    }
    let _ = fs::remove_file(path);
    // The folder of all runs goes with the last of them; if another run is there, it stays.
    if let Some(base) = folder.parent() {
        let _ = fs::remove_dir(base);
    }
}
