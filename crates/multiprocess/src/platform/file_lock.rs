//! A lock on a file, which guards a segment without a robust mutex; and why a lock is refused.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crate::platform::wait_until::{Pauses, WaitUntil};

/// Why a thread did not get a lock.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another thread holds it, and the limit has passed.
    Busy,
    /// This thread already holds it.
    HeldByThisThread,
    /// The operating system refused.
    System(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::System(error)
    }
}

/// A lock between processes made of a lock on a file: the portable version of the robust mutex.
///
/// The system drops the lock when its holder dies. Threads of one process share the open file, and so the lock;
/// a mutex of the process serialises them.
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

    pub(crate) fn lock(&self, limit: WaitUntil) -> Result<(), Refused> {
        let me = std::thread::current().id();
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(thread) = *holder {
            let rest = limit.rest(Duration::MAX);
            if thread == me {
                return Err(Refused::HeldByThisThread);
            } else if rest.is_zero() {
                return Err(Refused::Busy);
            }
            let released = self.released.wait_timeout(holder, rest);
            (holder, _) = released.unwrap_or_else(PoisonError::into_inner);
        }
        *holder = Some(me);
        drop(holder);
        self.lock_file(limit).inspect_err(|_| self.release())
    }

    fn lock_file(&self, limit: WaitUntil) -> Result<(), Refused> {
        let mut pauses = Pauses::new();
        loop {
            let locked = match limit {
                WaitUntil::Until(None) => self.file.lock().map_err(TryLockError::Error),
                _ => self.file.try_lock(),
            };
            match locked {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if pauses.sleep(limit) => {}
                Err(TryLockError::WouldBlock) => return Err(Refused::Busy),
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn unlock(&self) {
        let unlocked = self.file.unlock();
        debug_assert!(unlocked.is_ok(), "its thread has locked it");
        self.release();
    }

    fn release(&self) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.released.notify_one();
    }
}
