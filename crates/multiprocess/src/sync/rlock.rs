//! A lock that its holder can take again.

use std::marker::PhantomData;

use crate::memory::slot::Slot;
use crate::platform::file_lock::Refused;
use crate::sync::lock::named_lock;
use crate::sync::locking::locking;

named_lock! {
    /// A reentrant lock: a [`Lock`](crate::Lock) that the thread which holds it can take again.
    ///
    /// It becomes free when the last guard is dropped. Otherwise it works like a [`Lock`](crate::Lock).
    ///
    /// Python: `multiprocessing.RLock`. Different here: the lock becomes free when its holder is killed, where Python
    /// waits forever; and only a guard can release it, so it can't be released too often.
    ///
    /// # Examples
    ///
    /// ```
    /// let books = multiprocess::RLock::new()?;
    /// let transfer = books.lock()?;
    /// // A function called here can take the lock again, since this thread holds it.
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
        let memory: &Slot = &lock.memory;
        match locked {
            Ok(held) => held.keep(),
            Err(Refused::HeldByThisThread) => memory.keep_again(),
            Err(refused) => return Err(refused),
        }
        Ok(RLockGuard { memory, not_send: PhantomData })
    },
    memory: memory
);

/// A guard of an [`RLock`] that is held; dropping the last guard releases the lock.
///
/// The guards of a thread can be dropped in any order. A guard can't move to another thread.
#[must_use = "dropping the guard releases the lock at once"]
pub struct RLockGuard<'a> {
    memory: &'a Slot,
    /// The lock belongs to the thread that took it.
    not_send: PhantomData<*mut ()>,
}

impl Drop for RLockGuard<'_> {
    fn drop(&mut self) {
        self.memory.release_kept();
    }
}
