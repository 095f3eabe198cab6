//! A lock that its holder may take again.

use std::marker::PhantomData;

use crate::memory::segment::Segment;
use crate::platform::file_lock::Refused;
use crate::sync::lock::named_lock;
use crate::sync::locking::locking;

named_lock! {
    /// A lock that processes and threads take in turns, and that the thread which holds it may take again.
    ///
    /// It becomes free when its last guard is dropped. All else is as with a [`Lock`](crate::Lock).
    ///
    /// Python: `multiprocessing.RLock`. Different here: Python waits for ever when the holder was killed; and only the
    /// guard can release it, so it cannot be released once too often.
    ///
    /// # Examples
    ///
    /// ```
    /// let books = multiprocess::RLock::new()?;
    /// let transfer = books.lock()?;
    /// // A function called here may take the lock too: this thread holds it.
    /// let check = books.lock()?;
    /// drop(transfer);
    /// // The last guard releases it.
    /// drop(check);
    /// # Ok::<(), multiprocess::Error>(())
    /// ```
    pub struct RLock, "an RLock", "an RLock", "the RLock"
}

locking!(
    RLock,
    called: ToString::to_string,
    RLockGuard: |lock, locked| {
        let memory: &Segment = &lock.memory;
        match locked {
            Ok(held) => held.keep(),
            Err(Refused::HeldByThisThread) => memory.keep_again(),
            Err(refused) => return Err(refused),
        }
        Ok(RLockGuard { memory, not_send: PhantomData })
    },
    memory: memory
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
