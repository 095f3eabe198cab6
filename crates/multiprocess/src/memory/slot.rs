//! Slots: pieces of shared memory that processes have references to. Each lock, value, queue, … is one.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use serde::{Deserialize, Serialize};

use crate::memory::chunk::{Atomic, Chunk, Lent, View};
use crate::memory::layout::{Content, LOCK, LOCKS, LockPlace, Pointer};
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::owner::{self, Owner, State};
use crate::memory::place::Target;
use crate::memory::reference::Reference;
use crate::memory::registry;
use crate::memory::run_file;
use crate::platform::file_lock::FileLock;
use crate::platform::limits::explained;

/// The data by which another process opens a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    run: Run,
    at: Pointer,
    generation: u32,
    pub(super) content: Content,
}

/// A slot that this process uses.
pub(crate) struct Slot {
    pub(super) view: View,
    pub(crate) address: Address,
    /// This process's reference; `None` for a part of a slot to which it has one.
    reference: Option<Reference>,
    /// The portable versions of the locks in the slot, where they are used.
    pub(super) files: [OnceLock<FileLock>; LOCKS],
    /// The process that opened it, and the effective user that it had.
    pub(super) opened_by: (UniquePid, u32),
    /// How often the thread that holds the lock has kept it; written under the lock.
    pub(super) times_kept: AtomicU32,
}

/// The slots to which this process has a reference: one for each.
static OPEN: Mutex<BTreeMap<(Run, Pointer), Weak<Slot>>> = Mutex::new(BTreeMap::new());

fn open_slots() -> MutexGuard<'static, BTreeMap<(Run, Pointer), Weak<Slot>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    /// Makes a slot for that content, all zero, with so many locks and units of words.
    pub(crate) fn create(locks: u8, words: u8, content: Content) -> io::Result<Arc<Slot>> {
        let _making = registry::making()?;
        let reference = Reference::make(registry::own_run()?, locks, words, content)?;
        let target = reference.target().clone();
        Ok(Slot::new(target, content, Some(reference)).share())
    }

    /// The caller has asked which process this is.
    fn new(target: Target, content: Content, reference: Option<Reference>) -> Slot {
        Slot {
            address: Address {
                run: target.chunk.run,
                at: target.pointer(),
                generation: target.generation,
                content,
            },
            view: View::new(target.chunk, target.unit, content),
            reference,
            files: Default::default(),
            opened_by: (UniquePid::own(), run_file::user()),
            times_kept: AtomicU32::new(0),
        }
    }

    fn share(self) -> Arc<Slot> {
        let mut slot = self;
        let mut open = open_slots();
        let known = open.entry((slot.address.run, slot.address.at)).or_default();
        match known.upgrade() {
            // Another thread has opened it meanwhile. (Dropped when nothing is locked.)
            Some(known) if known.address == slot.address => {
                drop(open);
                // Even if this process holds the lock.
                slot.reference.take();
                known
            }
            _ => {
                let slot = Arc::new(slot);
                *known = Arc::downgrade(&slot);
                drop(open);
                slot
            }
        }
    }

    /// Opens a slot; somebody has a reference to it meanwhile.
    pub(crate) fn at(address: &Address) -> io::Result<Arc<Slot>> {
        let known = open_slots()
            .get(&(address.run, address.at))
            .and_then(Weak::upgrade);
        if let Some(slot) = known.filter(|slot| slot.address == *address) {
            return slot.check_process().map(|()| slot);
        }
        Self::open(address).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::NotFound => "no longer exists",
                _ => "cannot be opened",
            };
            io::Error::other(format!(
                "the shared memory {address} {what}: {}",
                explained(&error)
            ))
        })
    }

    fn open(address: &Address) -> io::Result<Arc<Slot>> {
        let chunk = {
            let _making = registry::making()?;
            registry::join(address.run)?;
            Chunk::find(address.run, address.at)?
        };
        let target = Target {
            chunk,
            unit: address.at.unit,
            generation: address.generation,
        };
        let reference = Reference::take(&target, None)?;
        if target.chunk.content(target.unit) != Some(address.content) {
            let reason = "its length or kind is not what was sent";
            return Err(io::Error::new(ErrorKind::NotFound, reason));
        }
        Ok(Slot::new(target, address.content, Some(reference)).share())
    }

    /// Returns a slot without a reference to it: a part of one, or one that is being freed.
    pub(crate) fn unowned(chunk: &Arc<Chunk>, unit: u32) -> io::Result<Arc<Slot>> {
        // After this, `own` is enough.
        UniquePid::current();
        let content = chunk.content(unit).ok_or(ErrorKind::InvalidData)?;
        let target = Target {
            chunk: Arc::clone(chunk),
            unit,
            generation: State::of(&chunk.slot(unit).state).generation(),
        };
        Ok(Arc::new(Slot::new(target, content, None)))
    }

    pub(crate) fn generation(&self) -> u32 {
        self.address.generation
    }

    /// Returns whether the slot is in the use in which it was opened.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        let state = State::of(&self.view.chunk.slot(self.unit()).state);
        state.generation() == self.generation()
    }

    pub(super) fn target(&self) -> Target {
        Target {
            chunk: Arc::clone(&self.view.chunk),
            unit: self.unit(),
            generation: self.address.generation,
        }
    }

    pub(crate) fn pointer(&self) -> Pointer {
        self.address.at
    }

    /// Takes one more reference, for a message or for a side of a channel.
    pub(crate) fn reference(&self, side: Option<usize>) -> io::Result<Reference> {
        self.check_process()?;
        Reference::take(&self.target(), side)
    }

    /// Returns whether any owner of a reference `counts`.
    pub(crate) fn has_owner(&self, counts: impl Fn(Owner) -> bool) -> io::Result<bool> {
        owner::has_any(&self.view.chunk, self.unit(), counts)
    }

    #[inline]
    pub(super) fn unit(&self) -> u32 {
        self.address.at.unit
    }

    /// Returns an error if this process may use the mapped memory, but can neither open nor count anything for it: it
    /// is a copy, made by `fork`, of the process that opened the slot, or has changed its user since.
    pub(crate) fn check_process(&self) -> io::Result<()> {
        let (process, user) = self.opened_by;
        let reason = if process != UniquePid::current() {
            format!(
                "this handle belongs to the original process (pid {}), not to this copy made by `fork`",
                process.pid()
            )
        } else if user != run_file::user() {
            format!("this handle belongs to the previous user of this process (uid {user})")
        } else {
            return Ok(());
        };
        Err(io::Error::other(reason))
    }

    /// Returns whether this process is a copy, made by `fork`, of the one that opened the slot.
    pub(crate) fn is_forked(&self) -> bool {
        self.opened_by.0 != UniquePid::current()
    }

    /// Returns whether this process has opened it: another process may have made something else of it in a copy made by
    /// `fork`.
    #[inline]
    pub(crate) fn is_own(&self) -> bool {
        self.opened_by.0 == UniquePid::own()
    }

    /// Returns this slot.
    ///
    /// # Panics
    ///
    /// In a copy of the process made by `fork`.
    #[inline]
    pub(crate) fn owned(&self) -> &Slot {
        if !self.is_own()
            && let Err(error) = self.check_process()
        {
            panic!("{error}");
        }
        self
    }

    /// Returns the bytes of its data.
    pub(crate) fn len(&self) -> usize {
        self.view.content.length
    }

    pub(crate) fn run(&self) -> Run {
        self.address.run
    }

    /// Returns the numbers that can be used without the lock, for waiting.
    #[inline]
    pub(crate) fn words(&self) -> &[AtomicU32] {
        self.view.words()
    }

    #[inline]
    pub(super) fn lock_place(&self, which: usize) -> &LockPlace {
        &self.view.locks()[which]
    }

    /// Returns the process that holds the lock, or held it when it died. It may be another one by the time the caller
    /// reads this.
    #[inline]
    pub(crate) fn holder(&self) -> Option<UniquePid> {
        let lock = self.view.locks().get(LOCK)?;
        UniquePid::from_number(lock.holder.load(Ordering::Relaxed))
    }

    /// Returns the memory as atomic numbers.
    #[inline]
    pub(crate) fn atomics<A: Atomic>(&self) -> &[A] {
        self.view.atomics()
    }

    pub(crate) fn numbers(&self) -> &[AtomicU64] {
        self.atomics()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Address {
            run,
            at,
            generation,
            ..
        } = self;
        write!(f, "{run}-{:x}-{:x}-{generation:x}", at.chunk, at.unit)
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.address, self.len())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.reference.is_none() {
            return;
        }
        let place = (self.address.run, self.address.at);
        let mut open = open_slots();
        let known = open.get(&place);
        if known.is_some_and(|known| known.strong_count() == 0) {
            open.remove(&place);
        }
        drop(open);
        // A forgotten guard still holds the mutex: its thread knows the mutex by its address, so the memory stays
        // mapped, and the slot in use, until this process ends.
        if self.holder() == Some(UniquePid::own()) {
            std::mem::forget(self.reference.take());
        }
    }
}

/// The lock of a slot, held by this thread, and with it the data.
pub(crate) struct SlotGuard<'a> {
    pub(crate) slot: &'a Slot,
    lent: Lent,
    /// The mutex belongs to the thread that locked it.
    not_send: PhantomData<*mut ()>,
}

impl Slot {
    /// Returns the guard; the caller holds the lock.
    #[inline]
    pub(super) fn guard(&self) -> SlotGuard<'_> {
        SlotGuard {
            slot: self,
            lent: Lent::to_holder(),
            not_send: PhantomData,
        }
    }
}

impl SlotGuard<'_> {
    /// Keeps the lock without the guard, until [`release_kept`](Slot::release_kept).
    pub(crate) fn keep(self) {
        // The count of a forgotten guard no longer applies.
        self.slot.times_kept.store(1, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Deref for SlotGuard<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.slot.view.bytes(&self.lent)
    }
}

impl DerefMut for SlotGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.slot.view.bytes_mut(&mut self.lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::layout::Access;
    use crate::platform::wait_until::WaitUntil;

    #[test]
    fn a_handle_that_another_thread_has_opened_too_is_not_kept_for_ever() {
        let content = Content {
            length: 0,
            access: Access::Locked,
        };
        let slot = Slot::create(1, 0, content).unwrap();
        let reference = slot.reference(None).unwrap();
        let second = Slot::new(slot.target(), content, Some(reference));
        // Even while this process holds the lock.
        let guard = slot.lock(WaitUntil::Try).unwrap();
        assert!(Arc::ptr_eq(&second.share(), &slot));
        drop(guard);
        let (chunk, unit) = (Arc::clone(&slot.view.chunk), slot.unit());
        let before = State::of(&chunk.slot(unit).state).generation();
        drop(slot);
        assert_ne!(State::of(&chunk.slot(unit).state).generation(), before);
    }
}
