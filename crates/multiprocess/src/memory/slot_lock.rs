//! The locks of a slot: that of its memory, which can be taken over from a dead process, and the turns.

#![allow(
    clippy::inline_always,
    reason = "the less time passes between two locks, the less often a waiting process is woken in between"
)]

use std::marker::PhantomData;
use std::sync::atomic::{Ordering, compiler_fence};

use tracing::Level;

use crate::memory::layout::LOCK;
use crate::memory::liveness::UniquePid;
use crate::memory::registry;
use crate::memory::slot::{Slot, SlotGuard};
use crate::platform::file_lock::{FileLock, Refused};
use crate::platform::is_portable;
use crate::platform::wait_until::{Pauses, WaitUntil};
use crate::trace::events::{self, event};

/// A turn of a slot, held by this thread: a lock that guards no memory, but lets processes do something one after
/// the other. A holder must leave nothing half done if it dies.
pub(crate) struct Turn<'a> {
    slot: &'a Slot,
    which: usize,
    /// The mutex belongs to the thread that locked it.
    not_send: PhantomData<*mut ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Not in a copy made by `fork`: no user code runs while a turn is held.
        self.slot.unlock_raw(self.which);
    }
}

impl Slot {
    /// Locks a turn, or the [`LOCK`]: its mutex, or its file where the portable version is used.
    #[inline(always)]
    fn lock_raw(&self, which: usize, limit: WaitUntil) -> Result<(), Refused> {
        if !self.is_own() {
            self.check_process()?;
        }
        if is_portable() {
            return self.file_lock(which)?.lock(limit);
        }
        self.lock_place(which).mutex.lock(limit)
    }

    #[inline(always)]
    fn unlock_raw(&self, which: usize) {
        match self.files[which].get() {
            None => self.lock_place(which).mutex.unlock(),
            Some(file) => file.unlock(),
        }
    }

    #[cold]
    fn file_lock(&self, which: usize) -> std::io::Result<&FileLock> {
        if let Some(file) = self.files[which].get() {
            return Ok(file);
        }
        let _making = registry::making()?;
        let file = registry::file_lock(self.run(), self.pointer(), which)?;
        Ok(self.files[which].get_or_init(|| file))
    }

    /// Waits for a turn.
    pub(crate) fn turn(&self, which: usize, limit: WaitUntil) -> Result<Turn<'_>, Refused> {
        self.lock_raw(which, limit)?;
        Ok(Turn {
            slot: self,
            which,
            not_send: PhantomData,
        })
    }

    /// Waits for the lock.
    #[inline(always)]
    pub(crate) fn lock(&self, limit: WaitUntil) -> Result<SlotGuard<'_>, Refused> {
        if !matches!(limit, WaitUntil::Try) {
            event!(TRACE, lock = ?self, "lock awaited");
        }
        self.lock_raw(LOCK, limit)?;
        if self.holder().is_some() {
            self.take_over(limit)?;
        }
        // Written before the memory is lent: after this process dies, the next holder must see it.
        let holder = &self.lock_place(LOCK).holder;
        holder.store(UniquePid::own().number(), Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let held = self.guard();
        event!(TRACE, lock = ?self, "lock held");
        Ok(held)
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
            if self.len() == 0 || self.files[LOCK].get().is_some() || holder.has_ended(self.run()) {
                // Before `lock` overwrites the holder: a death between the two leaves both as they are.
                let death = &self.lock_place(LOCK).death;
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
    /// [cleared](Slot::clear_death).
    pub(crate) fn dead_holder(&self) -> Option<u32> {
        let death = self.lock_place(LOCK).death.load(Ordering::Relaxed);
        UniquePid::from_number(death).map(UniquePid::pid)
    }

    /// Clears [`dead_holder`](Slot::dead_holder). The caller holds the lock.
    pub(crate) fn clear_death(&self) {
        self.lock_place(LOCK).death.store(0, Ordering::Relaxed);
    }

    /// Keeps a lock again that this thread has [kept](SlotGuard::keep).
    pub(crate) fn keep_again(&self) {
        self.times_kept.fetch_add(1, Ordering::Relaxed);
    }

    /// Releases a lock that this thread has kept, when called as often as the lock was kept.
    pub(crate) fn release_kept(&self) {
        assert_eq!(self.len(), 0, "only a lock without memory is kept");
        if self.times_kept.fetch_sub(1, Ordering::Relaxed) == 1 {
            drop(self.guard());
        }
    }
}

impl Drop for SlotGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // The original still holds it.
        if !self.slot.is_own() {
            return;
        }
        let at = events::moment(Level::TRACE);
        // Only after everything that was written to the memory.
        let holder = &self.slot.lock_place(LOCK).holder;
        holder.store(0, Ordering::Release);
        self.slot.unlock_raw(LOCK);
        if at.is_some() {
            event!(TRACE, lock = ?self.slot, at, "lock released");
        }
    }
}
