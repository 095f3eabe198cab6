//! A lock on a file, which guards a segment where there is no robust mutex; and why a lock is refused.

use std::fs::{File, TryLockError};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// Why a thread did not get a lock.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another thread holds it, and the time limit is over.
    Busy,
    /// This thread holds it already.
    HeldByThisThread,
    /// The operating system refused.
    System(std::io::Error),
}

/// How long a `try_` operation waits for another that is under way. That one takes much less, unless it was stopped or
/// preempted.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// A lock between processes made of a lock on a file: the portable version of the robust mutex.
///
/// The system drops the lock when its holder dies. Threads of one process share the open file, and so the lock;
/// among themselves they take turns by a mutex of the process.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    holder: Mutex<Option<ThreadId>>,
    released: Condvar,
}

impl FileLock {
    pub(crate) fn new(file: File) -> FileLock {
        FileLock {
            file,
            holder: Mutex::new(None),
            released: Condvar::new(),
        }
    }

    /// Locks, waiting until the deadline; without one, as long as it takes.
    pub(crate) fn lock_until(&self, deadline: Option<Instant>) -> Result<(), Refused> {
        let me = std::thread::current().id();
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *holder {
                None => break,
                Some(thread) if thread == me => return Err(Refused::HeldByThisThread),
                Some(_) => {}
            }
            holder = match deadline {
                None => self
                    .released
                    .wait(holder)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        return Err(Refused::Busy);
                    }
                    let (holder, _) = self
                        .released
                        .wait_timeout(holder, rest)
                        .unwrap_or_else(PoisonError::into_inner);
                    holder
                }
            };
        }
        *holder = Some(me);
        drop(holder);
        self.lock_file(deadline).inspect_err(|_| self.release())
    }

    fn lock_file(&self, deadline: Option<Instant>) -> Result<(), Refused> {
        let Some(deadline) = deadline else {
            return loop {
                match self.file.lock() {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    locked => break locked.map_err(Refused::System),
                }
            };
        };
        let mut pause = Duration::from_micros(20);
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(Refused::System(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(Refused::Busy);
            }
            std::thread::sleep(pause.min(rest));
            pause = (pause * 2).min(Duration::from_millis(2));
        }
    }

    pub(crate) fn unlock(&self) {
        let unlocked = self.file.unlock();
        debug_assert!(
            unlocked.is_ok(),
            "a guard unlocks what its thread has locked"
        );
        self.release();
    }

    fn release(&self) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.released.notify_one();
    }
}
