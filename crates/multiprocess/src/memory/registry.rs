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
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::memory::name;

/// A run of which this process is a part, and its lease.
struct Membership {
    folder: PathBuf,
    lease: File,
}

struct Memberships {
    /// The run whose folder takes the names that this process gives out.
    own: Option<PathBuf>,
    all: Vec<Membership>,
    /// Whether all were left, at the end of the process.
    left: bool,
}

static MEMBERSHIPS: Mutex<Memberships> = Mutex::new(Memberships {
    own: None,
    all: Vec::new(),
    left: false,
});

fn memberships() -> MutexGuard<'static, Memberships> {
    MEMBERSHIPS.lock().unwrap_or_else(PoisonError::into_inner)
}

const LEASE: &str = "lease";

/// Whether this process has left its runs, which it does once, at its end. Locked for reading while something is made
/// in the folder of a run: other threads go on while the main thread ends.
static LEFT: RwLock<bool> = RwLock::new(false);

/// Keeps this process from leaving its runs while something is made in their folders; an error if it has left them. A
/// thread must not call it twice.
pub(crate) fn making() -> io::Result<RwLockReadGuard<'static, bool>> {
    let left = LEFT.read().unwrap_or_else(PoisonError::into_inner);
    if *left {
        return Err(about_to_end());
    }
    Ok(left)
}

fn about_to_end() -> io::Error {
    io::Error::other("this process is about to end")
}

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
    if memberships.left {
        return Err(about_to_end());
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
    if memberships.left {
        return Err(about_to_end());
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

/// Leaves all runs; those that nobody else is a part of are cleared away. For those that others are a part of at the
/// moment, it waits that long.
pub(crate) fn leave(patience: Duration) {
    stop_making();
    let mut memberships = memberships();
    memberships.own = None;
    memberships.left = true;
    let deadline = Instant::now() + patience;
    for Membership { folder, lease } in memberships.all.drain(..) {
        while !clear_if_over(&folder, &lease) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// From now on nothing is made in the folders of runs.
fn stop_making() {
    // Making takes only a moment; whoever takes longer is not waited for.
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        match LEFT.try_write() {
            Ok(mut left) => return *left = true,
            Err(_) if Instant::now() >= deadline => return,
            Err(_) => std::thread::sleep(Duration::from_micros(100)),
        }
    }
}

/// Whether there may be something that a killed process of this user has left.
pub(crate) fn may_have_left_something() -> bool {
    base().is_ok_and(|base| base.exists())
}

/// The folders of the runs that this process is a part of.
pub(crate) fn folders() -> Vec<PathBuf> {
    memberships()
        .all
        .iter()
        .map(|part| part.folder.clone())
        .collect()
}

/// The lease of this process's run, to be held by a child from its start on.
pub(crate) fn lease() -> Option<OwnedFd> {
    let memberships = memberships();
    let own = memberships.own.as_ref()?;
    let own = memberships.all.iter().find(|part| part.folder == *own)?;
    own.lease.try_clone().ok().map(OwnedFd::from)
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

static BASE: OnceLock<PathBuf> = OnceLock::new();

/// The folder of all runs of this user: found once, so that it stays the same when the current folder changes.
pub(crate) fn base() -> io::Result<PathBuf> {
    if let Some(base) = BASE.get() {
        return Ok(base.clone());
    }
    let user = rustix::process::getuid().as_raw();
    let mut temp = std::env::temp_dir();
    // A variable that is empty counts as not set.
    if temp.as_os_str().is_empty() {
        temp = PathBuf::from("/tmp");
    }
    let base = std::path::absolute(temp.join(format!("multiprocess-{user}")))?;
    Ok(BASE.get_or_init(|| base).clone())
}

/// Takes the folder of all runs from the parent, whose current folder may have changed since it found it.
pub(crate) fn inherit_base(base: PathBuf) {
    let _ = BASE.set(base);
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
        let mut new = OpenOptions::new();
        new.read(true).write(true).create_new(true).mode(0o600);
        let lease = open_base(base).and_then(|()| hold(&folder.with_extension(LEASE), &new));
        attempts += 1;
        match lease {
            // The name is taken; or another process removed the lease before it was locked, or the folder of all runs
            // with the last run in it.
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
    if same_file(&file, path)? {
        Ok(file)
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

/// Whether the path still leads to the open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    matches!(same_file(file, path), Ok(true))
}

fn same_file(file: &File, path: &Path) -> io::Result<bool> {
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

/// As [`is_alone`], of a file that others lock for an instant to see whether it has a user: they are not taken for one.
pub(crate) fn is_last(file: &File) -> bool {
    // They don't come twice within an instant. Whoever keeps it locked alone is the last user himself.
    is_alone(file)
        || (0..10).any(|_| {
            let shared = file.try_lock_shared().is_ok();
            if !shared {
                std::thread::sleep(Duration::from_micros(50));
            }
            shared
        }) && is_alone(file)
}

/// Clears a run away if it is over; false if others are a part of it.
fn clear_if_over(folder: &Path, lease: &File) -> bool {
    let path = folder.with_extension(LEASE);
    if !is_alone(lease) {
        return !is_at(lease, &path);
    }
    if !is_at(lease, &path) {
        return true;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_none_or(name::remove) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // What cannot be removed now stays written down, to be tried again.
    if fs::remove_dir(folder).is_err_and(|error| error.kind() != ErrorKind::NotFound) {
        return true;
    }
    let _ = fs::remove_file(path);
    // The folder of all runs goes with the last of them; if another run is there, it stays.
    if let Some(base) = folder.parent() {
        let _ = fs::remove_dir(base);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Duration, begin, clear_if_over, fs};

    #[test]
    fn a_run_begins_while_others_end() {
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().join("base");
        let done = AtomicBool::new(false);
        let failed = std::thread::scope(|scope| {
            // As the last of other runs does.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = fs::remove_dir(&base);
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
            let failed = (0..500).find_map(|_| match begin(&base) {
                Ok(run) => {
                    assert!(clear_if_over(&run.folder, &run.lease));
                    None
                }
                Err(error) => Some(error),
            });
            done.store(true, Ordering::Relaxed);
            failed
        });
        assert!(failed.is_none(), "{failed:?}");
    }
}
