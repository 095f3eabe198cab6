//! A lock that its holder may take again.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::errors::error::Result;
use crate::memory::segment::{Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::death_notice::death_notice;
use crate::sync::lock::{Kind, Lock};
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
#[derive(Clone)]
pub struct RLock(Lock);

thread_local! {
    /// How often this thread holds each lock, by the address of the lock's segment in this process.
    static TIMES: RefCell<Vec<(usize, u32)>> = const { RefCell::new(Vec::new()) };
}

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

    /// Waits until the lock is free, or held by this thread, and takes it. Python: `RLock.acquire()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if the operating system refuses.
    pub fn acquire(&self) -> Result<RLockGuard<'_>> {
        self.guard(self.0.segment.lock(WaitUntil::Until(None)))
            .map_err(|refused| self.0.refusal(refused, None))
    }

    /// Takes the lock if it is free, or held by this thread; `None` if another thread holds it.
    ///
    /// Python: `RLock.acquire(block=False)`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](RLock::acquire).
    pub fn try_acquire(&self) -> Result<Option<RLockGuard<'_>>> {
        match self.guard(self.0.segment.lock(WaitUntil::Try)) {
            Ok(guard) => Ok(Some(guard)),
            Err(Refused::Busy) => Ok(None),
            Err(refused) => Err(self.0.refusal(refused, None)),
        }
    }

    /// As [`acquire`](RLock::acquire), but waits no longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::LockTimeout`](crate::Error::LockTimeout) if another thread held it all the time; it names the holder's
    /// process.
    pub fn acquire_timeout(&self, limit: Duration) -> Result<RLockGuard<'_>> {
        self.guard(
            self.0
                .segment
                .lock(WaitUntil::Until(Instant::now().checked_add(limit))),
        )
        .map_err(|refused| self.0.refusal(refused, Some(limit)))
    }

    fn guard<'a>(
        &'a self,
        locked: Result<SegmentGuard<'a>, Refused>,
    ) -> Result<RLockGuard<'a>, Refused> {
        let segment: &Segment = &self.0.segment;
        let key = std::ptr::from_ref(segment).addr();
        let first = match locked {
            Ok(held) => {
                held.keep();
                true
            }
            Err(Refused::HeldByThisThread) => false,
            Err(refused) => return Err(refused),
        };
        TIMES.with_borrow_mut(|all| {
            match all.iter_mut().find(|(known, _)| *known == key) {
                // The count of a forgotten guard is void.
                Some((_, times)) if first => *times = 1,
                Some((_, times)) => *times += 1,
                None => all.push((key, 1)),
            }
        });
        Ok(RLockGuard {
            segment,
            not_send: PhantomData,
        })
    }
}

impl fmt::Display for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

handle!(
    RLock,
    Kind::RLock.content(),
    |lock| Ok((&lock.0.segment, lock.0.name.as_deref())),
    |segment, name| Ok(RLock(Lock::of(Kind::RLock, segment, name))),
);

/// An [`RLock`] that is held, once for each guard; dropping the last guard releases it.
///
/// The guards of a thread may be dropped in any order. A guard stays with its thread.
#[must_use = "dropping the guard releases the lock at once"]
pub struct RLockGuard<'a> {
    segment: &'a Segment,
    /// The lock belongs to the thread that took it.
    not_send: PhantomData<*mut ()>,
}

death_notice!(RLockGuard, |guard| guard.segment);

impl Drop for RLockGuard<'_> {
    fn drop(&mut self) {
        let key = std::ptr::from_ref(self.segment).addr();
        // If the count is gone, the thread is ending, which releases the lock too.
        let last = TIMES.try_with(|all| {
            let mut all = all.borrow_mut();
            let place = all.iter().position(|(known, _)| *known == key);
            let Some(place) = place else { return false };
            all[place].1 -= 1;
            if all[place].1 > 0 {
                return false;
            }
            all.swap_remove(place);
            true
        });
        if last == Ok(true) {
            self.segment.release_kept();
        }
    }
}

impl fmt::Debug for RLockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RLockGuard")
            .field("holder_died", &self.holder_died())
            .finish()
    }
}
