//! Whether a process that is recorded in shared memory has ended.
//!
//! Each process has a number that no other process of the run gets; shared memory records it where the process holds
//! something. In each run that it belongs to, it has a file named after the number, which it has locked exclusively
//! before the file gets this name. The system drops the lock when the process has ended for whatever reason, and only
//! after its last thread has stopped and its memory is unmapped. So a process that gets a shared lock knows that the
//! other one has ended, and any number of processes can find that out at once. (A pid would be reused.)

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memory::name::{Run, random};
use crate::memory::run_file::{self, Existence};
use crate::platform::process;

/// A process, as a number that no other process of the run gets: its pid, and 32 random bits. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UniquePid(u64);

static OWN: AtomicU64 = AtomicU64::new(0);

/// That this process belongs to a run. Its files are locked, and so show its state to the others.
#[derive(Default)]
pub(super) struct Membership {
    /// The effective user, if this process creates its own memory in the run for that user.
    pub(super) own_of: Option<u32>,
    pub(super) lease: Option<File>,
    alive: Option<File>,
    orphan: Option<File>,
}

/// A copy made by `fork` begins with nothing.
pub(super) type Memberships = BTreeMap<Run, Membership>;

static MEMBERSHIPS: Mutex<Memberships> = Mutex::new(BTreeMap::new());

pub(super) fn memberships() -> MutexGuard<'static, Memberships> {
    UniquePid::current();
    MEMBERSHIPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The prefixes of a process's files, after the run. The second is for a process whose parent, which learns of its end,
/// was killed.
pub(super) const ALIVE: &str = "alive-";
pub(super) const ORPHAN: &str = "orphan-";
/// The prefix of such a file before it gets its name.
pub(super) const NEW: &str = "new-";

impl UniquePid {
    /// Returns this process. (A copy that was made without the C library's `fork` counts as the original until it asks for
    /// [`current`](UniquePid::current), which it does when it makes, opens, sends or drops shared memory.)
    #[inline]
    pub(crate) fn own() -> UniquePid {
        match OWN.load(Ordering::Relaxed) {
            0 => UniquePid::current(),
            own => UniquePid(own),
        }
    }

    /// Forgets which process this is: it was copied by `fork`.
    pub(super) fn forget() {
        OWN.store(0, Ordering::Relaxed);
    }

    /// Returns this process, even in a copy made by `fork`, by a system call.
    pub(crate) fn current() -> UniquePid {
        let pid = std::process::id();
        let known = || UniquePid::from_number(OWN.load(Ordering::Relaxed));
        let known = || known().filter(|own| own.pid() == pid);
        if let Some(own) = known() {
            return own;
        }
        let mut memberships = MEMBERSHIPS.lock().unwrap_or_else(PoisonError::into_inner);
        known().unwrap_or_else(|| {
            // A copy closes the files of the original: only the original's locks say that it is alive.
            memberships.clear();
            let own = UniquePid::of(pid, random_half());
            OWN.store(own.0, Ordering::Relaxed);
            own
        })
    }

    /// Returns the process with that pid, which was given that [`random_half`].
    pub(crate) fn of(pid: u32, random_half: u32) -> UniquePid {
        UniquePid(u64::from(pid) << 32 | u64::from(random_half))
    }

    /// Returns the process of a number in shared memory; `None` if it is 0.
    #[inline]
    pub(crate) fn from_number(number: u64) -> Option<UniquePid> {
        (number != 0).then_some(UniquePid(number))
    }

    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn pid(self) -> u32 {
        u32::try_from(self.0 >> 32).expect("the upper half")
    }

    pub(super) fn file(self, run: Run, what: &str) -> PathBuf {
        run.file(&format!("{what}{:x}", self.0))
    }

    /// Returns whether the process has ended, with all its threads; false while that is unknown.
    pub(crate) fn has_ended(self, run: Run) -> bool {
        // If its file is missing, either it was removed after the process's death, or all files of the run were removed,
        // also the lease, which is created once.
        self.has_ended_or(run, || run.lease().exists())
    }

    /// Returns whether a process that was started, and that may not yet have its file, has ended; false while that is
    /// unknown.
    pub(crate) fn has_ended_or_never_begun(self, run: Run) -> bool {
        self.has_ended_or(run, || false)
    }

    /// Returns whether the process has ended; if it has no file, and there is a process with its pid, whether `is_known`.
    fn has_ended_or(self, run: Run, is_known: impl FnOnce() -> bool) -> bool {
        if self == UniquePid::own() {
            return false;
        }
        match run_file::open(&self.file(run, ALIVE), Existence::Old) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => process::is_free(self.pid()) || is_known(),
                // It belongs to the previous user of this process.
                ErrorKind::PermissionDenied => process::is_free(self.pid()),
                _ => false,
            },
        }
    }
}

/// How many children of this process have ended, as far as it knows; it wraps around.
static ENDED_CHILDREN: AtomicU32 = AtomicU32::new(0);

pub(crate) fn ended_children() -> u32 {
    ENDED_CHILDREN.load(Ordering::Acquire)
}

/// Counts a child that has ended.
pub(crate) fn child_has_ended() {
    ENDED_CHILDREN.fetch_add(1, Ordering::Release);
}

/// Returns the random half of a process's number: a parent chooses that of its child, and so knows the child's files.
pub(crate) fn random_half() -> u32 {
    u32::try_from(random() >> 32).expect("the upper half")
}

/// Sets the half that the parent chose.
pub(crate) fn inherit(random_half: u32) {
    let own = UniquePid::of(std::process::id(), random_half);
    OWN.store(own.0, Ordering::Relaxed);
}

/// Creates a file that no process sees at its path before this one has it locked.
fn create_locked(run: Run, path: &Path) -> io::Result<File> {
    loop {
        let new = run.file(&format!("{NEW}{:x}", random()));
        let file = run_file::open(&new, Existence::New)?;
        let locked = run_file::lock(|| file.lock());
        match locked.and_then(|()| fs::rename(&new, path)) {
            Ok(()) => return Ok(file),
            // A sweep took it for one that a killed process left.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let _ = fs::remove_file(new);
                return Err(error);
            }
        }
    }
}

impl Membership {
    /// Marks this process as [alive](ALIVE), for the other processes of the run.
    pub(super) fn mark_alive(&mut self, run: Run) -> io::Result<()> {
        mark(&mut self.alive, run, ALIVE)
    }

    /// Marks this process as an [orphan](ORPHAN), for the other processes of the run.
    pub(super) fn mark_orphan(&mut self, run: Run) -> io::Result<()> {
        mark(&mut self.orphan, run, ORPHAN)
    }

    /// Unlocks the files that mark this process.
    pub(super) fn unmark(&mut self) {
        (self.alive, self.orphan) = (None, None);
    }
}

fn mark(file: &mut Option<File>, run: Run, what: &str) -> io::Result<()> {
    if file.is_none() {
        *file = Some(create_locked(run, &UniquePid::own().file(run, what))?);
    }
    Ok(())
}

/// Removes the file of a process that was killed; returns false if it hasn't ended.
pub(super) fn remove_if_dead(path: &Path) -> bool {
    let file = run_file::open(path, Existence::Old);
    let is_dead = file.is_ok_and(|file| file.try_lock_shared().is_ok());
    if is_dead {
        let _ = fs::remove_file(path);
    }
    is_dead || !path.exists()
}

#[cfg(test)]
mod tests {
    use super::{ALIVE, Membership, UniquePid, create_locked, remove_if_dead};
    use crate::memory::name::Run;
    use crate::memory::run_file::{self, Existence};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[test]
    fn a_file_that_was_just_created_is_not_removed_with_those_of_the_dead() {
        let run = Run::new();
        // Without it the run would be over each time that the files are free, also for the other tests here.
        let _lease = run_file::hold(&run.lease(), Existence::New).unwrap();
        let path = |number: u32| run.file(&format!("{ALIVE}{number:x}"));
        let current = AtomicU32::new(0);
        let last = 20_000;
        let all_stay = std::thread::scope(|scope| {
            scope.spawn(|| {
                while current.load(Ordering::Relaxed) < last {
                    remove_if_dead(&path(current.load(Ordering::Relaxed) + 1));
                }
            });
            (1..=last).all(|number| {
                let locked = create_locked(run, &path(number)).unwrap();
                std::thread::sleep(Duration::from_micros(20));
                let stays = path(number).exists();
                // At the end, so that the other thread ends.
                let next = if stays { number } else { last };
                current.store(next, Ordering::Relaxed);
                drop(locked);
                stays && remove_if_dead(&path(number))
            })
        });
        assert!(all_stay, "one was removed while it was locked");
        std::fs::remove_file(run.lease()).unwrap();
    }

    #[test]
    fn a_process_has_ended_when_its_file_is_free_or_removed_and_not_when_all_files_are() {
        let run = Run::new();
        let own = UniquePid::current();
        assert_eq!(own.pid(), std::process::id());
        // It has this pid, so that the pid is never free.
        let other = UniquePid(own.number() ^ 1);
        let path = other.file(run, "alive-");
        let mut membership = Membership::default();
        membership.mark_alive(run).unwrap();
        assert!(!own.has_ended(run));
        let file = create_locked(run, &path).unwrap();
        assert!(!other.has_ended(run));
        drop(file);
        // Also if two processes check at once.
        let check = run_file::open(&path, Existence::Old).unwrap();
        check.try_lock_shared().unwrap();
        assert!(other.has_ended(run));
        drop(check);
        assert!(remove_if_dead(&path));
        std::fs::remove_file(own.file(run, "alive-")).unwrap();
        assert!(!other.has_ended(run));
        assert!(!own.has_ended(run));
        let lease = run_file::hold(&run.lease(), Existence::New).unwrap();
        assert!(other.has_ended(run));
        // There is a process with its pid.
        assert!(!other.has_ended_or_never_begun(run));
        std::fs::remove_file(run.lease()).unwrap();
        drop(lease);
    }
}
