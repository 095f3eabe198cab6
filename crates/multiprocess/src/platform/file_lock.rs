//! A lock on a file, which guards a slot without a robust mutex; and why a lock is refused.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

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

/// A lock between processes made of a lock on one byte of a file: the portable version of the robust mutex.
///
/// The system drops the lock when its holder dies. It belongs to the process, so a mutex of the process serialises the
/// threads.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: Arc<File>,
    /// Which byte; there is none in the file.
    at: u64,
    holder: Mutex<Option<ThreadId>>,
    released: Condvar,
}

impl FileLock {
    pub(crate) fn new(file: Arc<File>, at: u64) -> FileLock {
        FileLock {
            file,
            at,
            holder: Mutex::new(None),
            released: Condvar::new(),
        }
    }

    /// Locks or unlocks the byte; an error, `AGAIN` or `ACCES`, if another process has it locked.
    fn set(&self, kind: libc::c_int) -> nix::Result<()> {
        let kind = libc::c_short::try_from(kind).expect("a small number");
        let byte = libc::flock {
            l_type: kind,
            l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("a small number"),
            l_start: libc::off_t::try_from(self.at).expect("less than 2^60"),
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&self.file, FcntlArg::F_SETLK(&byte)).map(drop)
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
            match self.set(libc::F_WRLCK) {
                Ok(()) => return Ok(()),
                Err(Errno::EAGAIN | Errno::EACCES) if pauses.sleep(limit) => {}
                Err(Errno::EAGAIN | Errno::EACCES) => return Err(Refused::Busy),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    pub(crate) fn unlock(&self) {
        let unlocked = self.set(libc::F_UNLCK);
        debug_assert!(unlocked.is_ok(), "its thread has locked it");
        self.release();
    }

    fn release(&self) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.released.notify_one();
    }
}
