//! The locks of a segment: that of its memory, which can be taken over from a dead process, and the turns.

use std::marker::PhantomData;
use std::sync::atomic::{Ordering, compiler_fence};

use tracing::Level;

use crate::memory::layout::LOCK;
use crate::memory::liveness::UniquePid;
use crate::memory::registry;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::is_portable;
use crate::platform::wait_until::{Pauses, WaitUntil};
use crate::trace::events::{self, event};

/// A turn of a segment, held by this thread: a lock that guards no memory, but lets processes do something one after
/// the other. A holder must leave nothing half done if it dies.
pub(crate) struct Turn<'a> {
    segment: &'a Segment,
    which: usize,
    /// The mutex belongs to the thread that locked it.
    not_send: PhantomData<*mut ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.segment.unlock_raw(self.which);
    }
}

impl Segment {
    /// Locks a turn, or the [`LOCK`], by a mutex or a file.
    #[inline]
    fn lock_raw(&self, which: usize, limit: WaitUntil) -> Result<(), Refused> {
        let Some(file) = self.files[which].get() else {
            return self.header().mutex(which).lock(limit);
        };
        // A copy made by `fork` shares the open file, and with it the lock.
        if self.is_forked() {
            self.check_process()?;
        }
        file.lock(limit)
    }

    #[inline]
    fn unlock_raw(&self, which: usize) {
        match self.files[which].get() {
            None => self.header().mutex(which).unlock(),
            Some(file) => file.unlock(),
        }
    }

    /// Waits for a turn.
    pub(crate) fn turn(&self, which: usize, limit: WaitUntil) -> Result<Turn<'_>, Refused> {
        if is_portable() && self.files[which].get().is_none() {
            let _making = registry::making()?;
            self.open_file(which)?;
        }
        self.lock_raw(which, limit)?;
        Ok(Turn {
            segment: self,
            which,
            not_send: PhantomData,
        })
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self, limit: WaitUntil) -> Result<SegmentGuard<'_>, Refused> {
        assert_ne!(
            self.address.usage,
            Access::Atomic,
            "memory used by atomics is not locked"
        );
        if !matches!(limit, WaitUntil::Try) {
            event!(TRACE, lock = ?self, "lock awaited");
        }
        // A copy made by `fork` that has a number of its own is unknown to the segment's other users.
        if self.opened_by.0 != UniquePid::own() {
            self.check_process()?;
        }
        self.lock_raw(LOCK, limit)?;
        if self.holder().is_some() {
            self.take_over(limit)?;
        }
        // Written before the memory is lent: after this process dies, the next holder must see it.
        let holder = &self.header().lock.holder;
        holder.store(UniquePid::own().number(), Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let held = self.guard();
        event!(TRACE, lock = ?self, "lock held");
        Ok(held)
    }

    fn guard(&self) -> SegmentGuard<'_> {
        SegmentGuard {
            segment: self,
            not_send: PhantomData,
        }
    }

    /// Takes the lock over from a holder that did not release it; the caller has locked the mutex or the file.
    ///
    /// The system frees the mutex as soon as the holder's thread ends, but as long as its process exists, another
    /// thread there may still write to the memory. Until that process is gone, the lock counts as held. (The file is
    /// freed only when the whole process has ended.)
    #[cold]
    fn take_over(&self, limit: WaitUntil) -> Result<(), Refused> {
        let mut pauses = Pauses::new();
        while let Some(holder) = self.holder() {
            if self.address.length == 0
                || self.files[LOCK].get().is_some()
                || holder.has_ended(self.run())
            {
                // Before `lock` overwrites the holder: a death between the two leaves both as they are.
                let death = &self.header().lock.death;
                death.store(holder.number(), Ordering::Relaxed);
                break;
            }
            self.unlock_raw(LOCK);
            if holder == UniquePid::own() {
                let reason = "its guard was leaked by a thread of this process that has ended; \
                              it stays locked until this process ends";
                return Err(std::io::Error::other(reason).into());
            }
            if !pauses.sleep(limit) {
                return Err(Refused::Busy);
            }
            self.lock_raw(LOCK, limit)?;
        }
        Ok(())
    }

    /// Returns the pid of the last process that died while it held the lock, until that is
    /// [cleared](Segment::clear_death).
    pub(crate) fn dead_holder(&self) -> Option<u32> {
        let death = self.header().lock.death.load(Ordering::Relaxed);
        UniquePid::from_number(death).map(UniquePid::pid)
    }

    /// Clears [`dead_holder`](Segment::dead_holder). The caller holds the lock.
    pub(crate) fn clear_death(&self) {
        self.header().lock.death.store(0, Ordering::Relaxed);
    }

    /// Keeps a lock again that this thread has [kept](SegmentGuard::keep).
    pub(crate) fn keep_again(&self) {
        self.times_kept.fetch_add(1, Ordering::Relaxed);
    }

    /// Releases a lock that this thread has kept, when called as often as the lock was kept.
    pub(crate) fn release_kept(&self) {
        assert_eq!(self.address.length, 0, "only a lock without memory is kept");
        if self.times_kept.fetch_sub(1, Ordering::Relaxed) == 1 {
            drop(self.guard());
        }
    }
}

impl Drop for SegmentGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let at = events::moment(Level::TRACE);
        // Only after everything that was written to the memory.
        let holder = &self.segment.header().lock.holder;
        holder.store(0, Ordering::Release);
        self.segment.unlock_raw(LOCK);
        if at.is_some() {
            event!(TRACE, lock = ?self.segment, at, "lock released");
        }
    }
}
