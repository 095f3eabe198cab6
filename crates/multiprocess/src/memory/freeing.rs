//! Freeing slots that have no owner any more, with what belongs to them.

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use crate::memory::allocator;
use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Pointer};
use crate::memory::liveness::UniquePid;
use crate::memory::owner::{self, Owner, Phase, State, inline};

/// Discards the messages of a channel that nothing uses.
pub(crate) type Discard = fn(&Arc<Chunk>, u32);

static DISCARD: OnceLock<Discard> = OnceLock::new();

/// Sets what [discards](Discard) messages; a process that can have a reference to a channel has called it.
pub(crate) fn discard_with(discard: Discard) {
    let _ = DISCARD.set(discard);
}

type Slots = Vec<(Arc<Chunk>, u32)>;

thread_local! {
    /// Slots that this thread has to look at when it has freed the one that it frees now, which may be a part of a long
    /// chain; `None` while it frees nothing.
    static LATER: RefCell<Option<Slots>> = const { RefCell::new(None) };
}

/// Frees a slot if it has no owner.
pub(super) fn collect(chunk: &Arc<Chunk>, unit: u32) {
    /// Also if something panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            let _ = LATER.try_with(RefCell::take);
        }
    }
    let is_later = LATER.try_with(|later| {
        let mut later = later.borrow_mut();
        let is_later = later.is_some();
        let slots = later.get_or_insert_default();
        if is_later {
            slots.push((Arc::clone(chunk), unit));
        }
        is_later
    });
    if is_later == Ok(true) {
        return;
    }
    let _end = End;
    free_if_unowned(chunk, unit);
    while let Ok(Some((chunk, unit))) = LATER.try_with(|later| later.borrow_mut().as_mut()?.pop()) {
        free_if_unowned(&chunk, unit);
    }
}

fn free_if_unowned(chunk: &Arc<Chunk>, unit: u32) {
    let slot = chunk.slot(unit);
    let me = Owner::process(UniquePid::current());
    loop {
        let seen = State::of(&slot.state);
        if seen.phase() != Phase::Live || owner::has_any(chunk, unit, |_| true).unwrap_or(true) {
            return;
        }
        // If this process is killed from here on, the one that releases its references continues.
        let places = inline(chunk, unit);
        let Some(index) = places.iter().position(|place| me.take(place)) else {
            return;
        };
        let place = &places[index];
        let dying = State::new(seen.generation(), Phase::Dying(index));
        if seen.change(&slot.state, dying) {
            return finish(chunk, unit, me, place);
        }
        me.release(place);
    }
}

/// Frees a slot that is dying, and what belongs to it; `owner`, at that place, is the only one.
pub(super) fn finish(chunk: &Arc<Chunk>, unit: u32, owner: Owner, place: &AtomicU64) {
    let content = chunk.content(unit);
    if content.is_some_and(|content| content.access == Access::Channel)
        && let Some(discard) = DISCARD.get()
    {
        discard(chunk, unit);
    }
    let this = Pointer {
        chunk: chunk.number,
        unit,
    };
    let generation = State::of(&chunk.slot(unit).state).generation();
    let this = Owner::part(this, generation);
    let mut parts = Vec::new();
    let mut next = owner::first_part(chunk, unit);
    while let Some(pointer) = next
        && let Ok(part) = Chunk::find(chunk.run, pointer)
    {
        next = owner::next_part(&part, pointer.unit);
        parts.push((part, pointer.unit));
    }
    // From the last to the first: if this process is killed meanwhile, the next one finds those that are left.
    for (part, unit) in parts.iter().rev() {
        release_part(part, *unit, this);
    }
    if cfg!(debug_assertions)
        && let Some(content) = content.filter(|content| content.access != Access::Owners)
    {
        // A process that still used it would notice.
        chunk.fill(unit, 0xa5, content);
    }
    allocator::free(chunk, unit, owner, place);
}

/// Releases a part of a slot.
pub(super) fn release_part(part: &Arc<Chunk>, unit: u32, owner: Owner) {
    let mut places = inline(part, unit).iter();
    if places.any(|place| owner.release(place)) {
        collect(part, unit);
    }
}
