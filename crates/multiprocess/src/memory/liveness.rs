//! Whether a process that is written down in shared memory has ended.
//!
//! A process is known by a number that no other process of the run gets, and that stands in shared memory where it holds
//! something. In each run that it takes part in, it has a file of that number, and the file locked, shared. The system
//! drops the lock when the process has ended, however it ended, and only after its last thread has stopped and its
//! memory was taken down. So whoever can lock the file alone knows that the process has ended. Its pid alone would not
//! say it, because a later process may get the same one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::errors::holder::Holder;
use crate::memory::name::{Run, random};
use crate::memory::run_file::{self, Existence};

/// A process, as a number that no other process of the run gets: its pid, and 32 random bits. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UniquePid(u64);

static OWN: AtomicU64 = AtomicU64::new(0);

/// A file that this process has locked to tell others of the run about itself.
struct Mark {
    run: Run,
    path: PathBuf,
    file: File,
}

static MARKS: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

fn marks() -> MutexGuard<'static, Vec<Mark>> {
    MARKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With that begins what the name of such a file says beyond the run.
pub(super) const ALIVE: &str = "alive-";

/// The same, of a process whose parent was killed.
pub(super) const ORPHAN: &str = "orphan-";

impl UniquePid {
    /// This process. A copy made by `fork` is taken for the original until it asks for [`current`](UniquePid::current),
    /// which it does when it makes, opens, sends or drops shared memory.
    #[inline]
    pub(crate) fn own() -> UniquePid {
        match OWN.load(Ordering::Relaxed) {
            0 => UniquePid::current(),
            own => UniquePid(own),
        }
    }

    /// This process, also where it is a copy made by `fork`: it asks the system.
    pub(crate) fn current() -> UniquePid {
        let pid = std::process::id();
        let is_right = |own: UniquePid| own.0 != 0 && own.pid() == pid;
        let own = UniquePid(OWN.load(Ordering::Relaxed));
        if is_right(own) {
            return own;
        }
        let mut marks = marks();
        let own = UniquePid(OWN.load(Ordering::Relaxed));
        if is_right(own) {
            return own;
        }
        // A copy closes the files of the original, which alone says with them that it is alive.
        marks.clear();
        let own = UniquePid(u64::from(pid) << 32 | random() & 0xffff_ffff);
        OWN.store(own.0, Ordering::Relaxed);
        own
    }

    /// The number as it stands in shared memory; `None` where it is 0, and nobody.
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

    /// The process, with its name if it still has one.
    pub(crate) fn holder(self) -> Holder {
        Holder::of(self.pid())
    }

    fn file(self, run: Run, what: &str) -> PathBuf {
        run.file(&format!("{what}{:x}", self.0))
    }

    /// Whether the process has ended, with all its threads. Where it cannot be told at the moment, it has not.
    pub(crate) fn has_ended(self, run: Run) -> bool {
        if self == UniquePid::own() {
            return false;
        }
        match run_file::open(&self.file(run, ALIVE), Existence::Old) {
            // Two who ask at the same moment may both hear that it has not.
            Ok(file) => file.try_lock().is_ok(),
            // Removed by the process itself at its end, or after its death; unless somebody removed all files of the run.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                is_pid_free(self.pid()) || is_in_place(run)
            }
            // It belongs to the user that this process was before.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => is_pid_free(self.pid()),
            Err(_) => false,
        }
    }
}

/// Whether this process's own file in the run is where it was made.
fn is_in_place(run: Run) -> bool {
    let is_own = |mark: &Mark| mark.run == run && run_file::is_at(&mark.file, &mark.path);
    marks().iter().any(is_own)
}

/// Whether no process has the pid, not even one that has ended and was not yet waited for.
fn is_pid_free(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

/// Tells the other processes of a run that this one is alive.
pub(super) fn join(run: Run) -> io::Result<()> {
    mark(run, ALIVE)
}

/// Tells the other processes of a run that this one's parent is gone, so that nobody will learn of its end.
pub(super) fn become_orphan(run: Run) {
    let _ = mark(run, ORPHAN);
}

fn mark(run: Run, what: &str) -> io::Result<()> {
    let path = UniquePid::current().file(run, what);
    let mut marks = marks();
    if marks.iter().all(|mark| mark.path != path) {
        let file = run_file::hold(&path, Existence::New)?;
        marks.push(Mark { run, path, file });
    }
    Ok(())
}

/// Removes the files of this process, which is about to end.
pub(super) fn leave() {
    UniquePid::current();
    for mark in marks().drain(..) {
        let _ = fs::remove_file(mark.path);
    }
}

/// Whether a name in a run is that of a file of this process.
pub(super) fn is_own(run: Run, name: &str) -> bool {
    let is_it = |mark: &Mark| mark.run == run && mark.path.ends_with(name);
    marks().iter().any(is_it)
}

/// Removes the file of a process that was killed; false if the process has not ended.
pub(super) fn remove_if_dead(path: &Path) -> bool {
    // Locked until it is removed: one who has just made it waits for the lock, finds it gone, and makes another.
    let dead = run_file::lock_alone(path);
    if dead.is_some() {
        let _ = fs::remove_file(path);
    }
    dead.is_some() || !path.exists()
}

#[cfg(test)]
mod tests {
    use super::{UniquePid, join, leave, mark, remove_if_dead};
    use crate::memory::name::Run;
    use crate::memory::run_file::{self, Existence};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn who_has_just_come_is_not_cleared_away_with_the_dead() {
        let path = Run::new().file("alive-1");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    remove_if_dead(&path);
                }
            });
            let mut all_stay = true;
            for _ in 0..20_000 {
                let locked = run_file::hold(&path, Existence::Either).unwrap();
                std::thread::sleep(Duration::from_micros(20));
                all_stay &= path.exists();
                drop(locked);
            }
            done.store(true, Ordering::Relaxed);
            assert!(all_stay, "one was removed after it had been locked");
        });
        remove_if_dead(&path);
    }

    #[test]
    fn a_process_has_ended_when_its_file_is_free_or_removed_and_not_when_all_files_are() {
        let run = Run::new();
        let own = UniquePid::current();
        assert_eq!(own.pid(), std::process::id());
        // One of this pid, so that the pid is never free.
        let other = UniquePid(own.number() ^ 1);
        let path = other.file(run, "alive-");
        join(run).unwrap();
        assert!(!own.has_ended(run));
        assert!(other.has_ended(run));
        let file = run_file::hold(&path, Existence::New).unwrap();
        assert!(!other.has_ended(run));
        drop(file);
        assert!(other.has_ended(run));
        assert!(remove_if_dead(&path));
        assert!(other.has_ended(run));
        std::fs::remove_file(own.file(run, "alive-")).unwrap();
        assert!(!other.has_ended(run));
        assert!(!own.has_ended(run));
        mark(run, "orphan-").unwrap();
        leave();
        assert!(!own.file(run, "orphan-").exists());
    }
}
