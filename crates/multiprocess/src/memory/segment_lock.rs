//! The lock of a segment: taken, taken over from a process that died, and released.

use std::marker::PhantomData;
use std::sync::atomic::{Ordering, compiler_fence};
use std::time::{Duration, Instant};

use tracing::Level;

use crate::memory::liveness::UniquePid;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::{FileLock, Refused};
use crate::trace::events;

impl Segment {
    /// Waits for the lock until the deadline; without a deadline, as long as it takes.
    #[inline]
    pub(crate) fn lock(&self, deadline: Option<Instant>) -> Result<SegmentGuard<'_>, Refused> {
        events::lock_awaited(self);
        self.check_number()?;
        self.lock_raw(deadline)?;
        if self.holder().is_some() {
            self.take_over(deadline)?;
        }
        Ok(self.held())
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_lock(&self) -> Result<SegmentGuard<'_>, Refused> {
        self.check_number()?;
        match &self.file_lock {
            Some(file) => self.lock_file(file, Some(Instant::now()))?,
            None => self.header().lock.mutex.try_lock()?,
        }
        if self.holder().is_some() {
            self.take_over(Some(Instant::now()))?;
        }
        Ok(self.held())
    }

    /// An error in a copy made by `fork` that has a number of its own: the segment's other users don't know it.
    #[inline]
    fn check_number(&self) -> Result<(), Refused> {
        if self.opened_by.0 != UniquePid::own() {
            self.check_process().map_err(Refused::System)?;
        }
        Ok(())
    }

    #[inline]
    fn lock_raw(&self, deadline: Option<Instant>) -> Result<(), Refused> {
        match (&self.file_lock, deadline) {
            (None, None) => self.header().lock.mutex.lock(),
            (None, Some(deadline)) => self.header().lock.mutex.lock_until(deadline),
            (Some(file), deadline) => self.lock_file(file, deadline),
        }
    }

    /// A copy made by `fork` shares the open file, and with it the lock.
    fn lock_file(&self, file: &FileLock, deadline: Option<Instant>) -> Result<(), Refused> {
        if self.is_forked() {
            self.check_process().map_err(Refused::System)?;
        }
        file.lock_until(deadline)
    }

    #[inline]
    fn unlock_raw(&self) {
        match &self.file_lock {
            None => self.header().lock.mutex.unlock(),
            Some(file) => file.unlock(),
        }
    }

    /// Takes the lock over from a holder that did not release it; the caller has locked the mutex or the file.
    ///
    /// The system frees the mutex as soon as the holder's thread ends, but as long as its process exists, another
    /// thread there may still write to the memory. Until that process is gone, the lock counts as held. (The file is
    /// freed only when the whole process has ended.)
    #[cold]
    fn take_over(&self, deadline: Option<Instant>) -> Result<(), Refused> {
        const LONGEST_PAUSE: Duration = Duration::from_millis(10);
        let mut pause = Duration::from_micros(100);
        while let Some(holder) = self.holder() {
            if self.length == 0 || self.file_lock.is_some() || holder.has_ended(self.run()) {
                // Before `held` overwrites the holder: a death between the two leaves both as they are.
                let death = &self.header().lock.death;
                death.store(holder.number(), Ordering::Relaxed);
                break;
            }
            self.unlock_raw();
            if holder == UniquePid::own() {
                let reason = "its guard was leaked by a thread of this process that has ended; \
                              it stays locked until this process ends";
                return Err(Refused::System(std::io::Error::other(reason)));
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Err(Refused::Busy);
            }
            std::thread::sleep(deadline.map_or(pause, |deadline| pause.min(deadline - now)));
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.lock_raw(deadline)?;
        }
        Ok(())
    }

    #[inline]
    fn held(&self) -> SegmentGuard<'_> {
        assert_eq!(
            self.usage,
            Access::Locked,
            "memory used by atomics is not locked"
        );
        // Written before the memory is lent, and not later: after this process dies, the next holder must see it.
        let holder = &self.header().lock.holder;
        holder.store(UniquePid::own().number(), Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let held = SegmentGuard {
            segment: self,
            not_send: PhantomData,
        };
        events::lock_held(self);
        held
    }

    /// Returns the pid of the last process that died while it held the lock, until the notice is
    /// [cleared](Segment::clear_death).
    pub(crate) fn dead_holder(&self) -> Option<u32> {
        let death = self.header().lock.death.load(Ordering::Relaxed);
        UniquePid::from_number(death).map(UniquePid::pid)
    }

    /// Clears the notice that a holder died. The caller holds the lock.
    pub(crate) fn clear_death(&self) {
        self.header().lock.death.store(0, Ordering::Relaxed);
    }

    /// Keeps a lock once more that this thread has [kept](SegmentGuard::keep).
    pub(crate) fn keep_again(&self) {
        self.times_kept.fetch_add(1, Ordering::Relaxed);
    }

    /// Releases a lock that this thread has kept, when it was called as often as the lock was kept.
    pub(crate) fn release_kept(&self) {
        assert_eq!(self.length, 0, "only a lock without memory is kept");
        if self.times_kept.fetch_sub(1, Ordering::Relaxed) == 1 {
            drop(SegmentGuard {
                segment: self,
                not_send: PhantomData,
            });
        }
    }
}

impl Drop for SegmentGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let at = events::moment(Level::TRACE);
        // After all that was written to the memory, and not earlier.
        let holder = &self.segment.header().lock.holder;
        holder.store(0, Ordering::Release);
        self.segment.unlock_raw();
        events::lock_released(self.segment, at);
    }
}
