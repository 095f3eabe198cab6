//! A lock that its holder may take again.

use std::fmt;
use std::marker::PhantomData;

use crate::errors::error::Result;
use crate::memory::segment::Segment;
use crate::platform::file_lock::Refused;
use crate::sync::lock::{Kind, Lock};
use crate::sync::locking::locking;
use crate::transfer::handle::handle;

/// A lock that processes and threads take in turns, and that the thread which holds it may take again.
///
/// It becomes free when its last guard is dropped. Like [`Lock`](crate::Lock) it is a handle, it becomes free when its
/// holder dies, and later holders can see that.
///
/// Python: `multiprocessing.RLock`. Different here: Python waits for ever when the holder was killed; and only the
/// guard can release it, so it cannot be released once too often.
///
/// # Examples
///
/// ```
/// use multiprocess::{Error, RLock};
///
/// fn transfer(books: &RLock) -> Result<(), Error> {
///     let _alone = books.acquire()?;
///     check(books)
/// }
///
/// // Takes the lock for callers that don't hold it; `transfer` does.
/// fn check(books: &RLock) -> Result<(), Error> {
///     let _alone = books.acquire()?;
///     Ok(())
/// }
///
/// transfer(&RLock::new()?)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RLock(Lock);

locking!(
    RLock, acquire, try_acquire, acquire_timeout,
    memory: |lock| &lock.0.memory,
    called: ToString::to_string,
    RLockGuard: |lock, locked| {
        let memory: &Segment = &lock.0.memory;
        match locked {
            Ok(held) => held.keep(),
            Err(Refused::HeldByThisThread) => memory.keep_again(),
            Err(refused) => return Err(refused),
        }
        let not_send = PhantomData;
        Ok(RLockGuard { memory, not_send })
    },
    memory: |guard| guard.memory,
);

impl RLock {
    /// Makes a free lock.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new() -> Result<RLock> {
        Lock::make(Kind::RLock, None).map(RLock)
    }

    /// Makes a lock with a name, which appears in the error of a wait that times out.
    ///
    /// # Errors
    ///
    /// As [`new`](RLock::new).
    pub fn named(name: &str) -> Result<RLock> {
        Lock::make(Kind::RLock, Some(name)).map(RLock)
    }
}

impl fmt::Display for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

handle!(
    RLock,
    Kind::RLock.content(),
    |lock| Ok((&lock.0.memory, lock.0.name.as_deref())),
    |memory, name: Option<String>| Ok(RLock(Lock::of(Kind::RLock, memory, name.as_deref()))),
);

/// An [`RLock`] that is held, once for each guard; dropping the last guard releases it.
///
/// The guards of a thread may be dropped in any order. A guard stays with its thread.
#[must_use = "dropping the guard releases the lock at once"]
pub struct RLockGuard<'a> {
    memory: &'a Segment,
    /// The lock belongs to the thread that took it.
    not_send: PhantomData<*mut ()>,
}

impl Drop for RLockGuard<'_> {
    fn drop(&mut self) {
        self.memory.release_kept();
    }
}

impl fmt::Debug for RLockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RLockGuard")
            .field("holder_died", &self.holder_died())
            .finish()
    }
}
