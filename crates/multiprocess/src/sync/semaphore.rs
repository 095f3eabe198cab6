//! The semaphore: a fixed number of permits that processes take and release.

use std::time::Duration;

use crate::errors::error::{Error, Result};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::locking::refusal;
use crate::sync::permits::Permits;
use crate::transfer::handle::handle;

/// A fixed number of permits: that many threads, of any processes, can hold one at the same time.
///
/// It is a handle, like [`Lock`](crate::Lock). A permit is released when its [`Permit`] is dropped, also by a panic,
/// and within a tenth of a second after its process dies.
///
/// Python: `multiprocessing.Semaphore(n)`. Different here: a killed process's permit is released, where Python loses
/// it; and only its guard releases a permit, so there are never more permits than at the beginning, as with Python's
/// `BoundedSemaphore`. To signal another process, as Python programs do by `release` without `acquire`, use
/// [`Event`](crate::Event) or [`Condition`](crate::Condition).
///
/// # Examples
///
/// ```
/// let downloads = multiprocess::Semaphore::new(2)?;
/// let first = downloads.acquire()?;
/// let second = downloads.acquire()?;
/// // At most two at the same time, in all processes that have the semaphore.
/// assert!(downloads.try_acquire().unwrap_err().is_would_block());
/// drop(first);
/// assert_eq!(downloads.free()?, 1);
/// # Ok::<(), multiprocess::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore(Permits);

impl Semaphore {
    /// Creates a semaphore with `permits` permits, all free.
    ///
    /// At most 1024 processes can use it at a time. Another one waits, as if all permits were taken, until one of them
    /// has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new(permits: u32) -> Result<Semaphore> {
        Permits::make(permits, CONTENT).map(Semaphore)
    }

    /// Waits until a permit is free, and takes it. Python: `Semaphore.acquire()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>> {
        self.take(|| WaitUntil::Until(None))
    }

    /// Takes a permit if one is free, without waiting for it. Python: `Semaphore.acquire(block=False)`.
    ///
    /// If none is free, it looks for permits of dead processes. If another process is doing the same, it waits for that
    /// at most a millisecond.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire), and [`Error::WouldBlock`] if none is free, or the millisecond is over.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>> {
        self.take(|| WaitUntil::Try)
    }

    /// Waits at most `limit` until a permit is free, and takes it.
    ///
    /// Python: `Semaphore.acquire(timeout=seconds)`, which returns False where this returns an error that names the
    /// holders of the permits.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire); [`Error::PermitTimeout`] if none was free within `limit`;
    /// [`Error::LockTimeout`] if that is unknown, because a process was stopped while it looked for permits of dead
    /// processes.
    #[inline]
    pub fn acquire_timeout(&self, limit: Duration) -> Result<Permit<'_>> {
        self.take(|| WaitUntil::within(limit))
    }

    /// Returns the total number of permits, free or taken.
    #[must_use]
    pub fn permits(&self) -> u32 {
        self.0.all
    }

    /// Returns the number of permits that are free at this moment. Python: `Semaphore.get_value()`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn free(&self) -> Result<u32> {
        let free = self.0.free();
        free.map_err(|refused| self.refusal(refused, WaitUntil::Until(None)))
    }

    #[inline]
    fn take(&self, limit: impl FnOnce() -> WaitUntil) -> Result<Permit<'_>> {
        if !self.0.take_at_once() {
            self.wait(limit())?;
        }
        Ok(Permit { semaphore: self })
    }

    /// Waits for a permit and takes it.
    #[cold]
    fn wait(&self, limit: WaitUntil) -> Result<()> {
        let taken = self.0.take(limit);
        if taken.is_err() {
            // The wake-up may have been for a free permit: pass it on.
            self.0.freed().notify_one();
        }
        match (taken, limit) {
            (Ok(true), _) => Ok(()),
            (Ok(false), WaitUntil::Within(limit, _)) => Err(Error::PermitTimeout {
                limit,
                permits: self.0.all,
                holders: self.0.holders(),
            }),
            (Ok(false) | Err(Refused::Busy), WaitUntil::Try | WaitUntil::Until(_)) => {
                let reason = format!("none of {} permits is free", self.0.all);
                Err(Error::WouldBlock { reason })
            }
            (Err(refused), _) => Err(self.refusal(refused, limit)),
        }
    }

    fn refusal(&self, refused: Refused, limit: WaitUntil) -> Error {
        refusal(refused, &self.0.memory, CONTENT.to_owned(), limit)
    }
}

const CONTENT: &str = "a Semaphore";

handle!(
    Semaphore,
    CONTENT,
    |semaphore| Ok((&semaphore.0.memory, semaphore.0.all)),
    |memory, permits| Ok(Semaphore(Permits::of(memory, permits))),
);

/// A permit of a [`Semaphore`]; dropping it releases the permit. Python: the block of `with semaphore:`.
///
/// Another thread of the process can drop it. If it is leaked, the permit is released when the process ends.
#[derive(Debug)]
#[must_use = "dropping the permit releases it at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.0.release();
    }
}
