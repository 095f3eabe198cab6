//! Who owns a reference to a slot: a process, a message, or another slot.
//!
//! A slot is in use as long as one of its places for owners isn't 0. Each place is one number, so a reference begins,
//! passes to another owner, and ends by a single store, and a process may be killed at any instant. Nothing is counted:
//! releasing a reference twice, or by two processes, does no harm.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::chunk::Chunk;
use crate::memory::layout::{OWNERS, Pointer};
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;

/// An owner, as it is recorded in shared memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Owner(u64);

/// The owner is a message in the channel at the pointer.
const MESSAGE: u64 = 1 << 63;
/// The owner is a message on its way to the process.
const TRANSIT: u64 = 1 << 62;
/// The owner is the slot at the pointer, a part of which this is.
const PART: u64 = 1 << 61;
/// Which side of a channel the reference is for: none, the first or the second.
const SIDE: u32 = 59;
/// Bits of a message's number, behind its pointer.
const NUMBER: u32 = 59 - Pointer::BITS;

/// The kinds of owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Process(UniquePid),
    Transit(UniquePid),
    Message(Pointer),
    Part(Pointer),
}

impl Owner {
    pub(crate) fn process(process: UniquePid) -> Owner {
        Owner(process.number() & ((1 << SIDE) - 1))
    }

    /// A message on its way to a process, which may not have begun yet; no other process takes it.
    pub(crate) fn transit(process: UniquePid) -> Owner {
        Owner(Owner::process(process).0 | TRANSIT)
    }

    /// A message in a channel, with its number there.
    pub(crate) fn message(channel: Pointer, number: u32) -> Owner {
        let number = u64::from(number) & ((1 << NUMBER) - 1);
        Owner(MESSAGE | number << Pointer::BITS | channel.number())
    }

    /// The slot at the pointer, in that generation of its uses.
    pub(crate) fn part(of: Pointer, generation: u32) -> Owner {
        let generation = u64::from(generation) & ((1 << NUMBER) - 1);
        Owner(PART | generation << Pointer::BITS | of.number())
    }

    /// Returns whether a slot that this belongs to is in the same use, as far as can be seen.
    pub(super) fn is_of(self, generation: u32) -> bool {
        let mask = (1 << NUMBER) - 1;
        self.0 >> Pointer::BITS & mask == u64::from(generation) & mask
    }

    /// Returns the owner with a side of a channel, 0 or 1.
    pub(crate) fn with_side(self, side: Option<usize>) -> Owner {
        let side = side.map_or(0, |side| side as u64 + 1);
        Owner(self.0 & !(3 << SIDE) | side << SIDE)
    }

    pub(crate) fn side(self) -> Option<usize> {
        let side = usize::try_from(self.0 >> SIDE & 3).expect("two bits");
        side.checked_sub(1)
    }

    /// Returns whether it is a process that has ended; false while that is unknown.
    pub(crate) fn has_ended(self, run: Run) -> bool {
        match self.kind() {
            Some(Kind::Process(process)) => process.has_ended(run),
            // It may be a child that has just been started.
            Some(Kind::Transit(process)) => process.has_ended_or_never_begun(run),
            _ => false,
        }
    }

    pub(super) fn kind(self) -> Option<Kind> {
        let process = UniquePid::from_number(self.0 & ((1 << SIDE) - 1));
        match self.0 & (MESSAGE | TRANSIT | PART) {
            0 => process.map(Kind::Process),
            TRANSIT => process.map(Kind::Transit),
            MESSAGE => Pointer::of(self.0).map(Kind::Message),
            PART => Pointer::of(self.0).map(Kind::Part),
            _ => None,
        }
    }

    /// Returns the owner at a place.
    pub(super) fn at(place: &AtomicU64) -> Option<Owner> {
        let number = place.load(Ordering::SeqCst);
        (number != 0).then_some(Owner(number))
    }

    /// Takes a free place.
    pub(super) fn take(self, place: &AtomicU64) -> bool {
        let order = Ordering::SeqCst;
        place.compare_exchange(0, self.0, order, order).is_ok()
    }

    /// Passes the reference on to another owner; false if this one doesn't have it.
    pub(super) fn pass(self, place: &AtomicU64, to: Owner) -> bool {
        let order = Ordering::SeqCst;
        place.compare_exchange(self.0, to.0, order, order).is_ok()
    }

    /// Releases the reference; false if this owner doesn't have it.
    pub(super) fn release(self, place: &AtomicU64) -> bool {
        let order = Ordering::SeqCst;
        place.compare_exchange(self.0, 0, order, order).is_ok()
    }
}

/// What a slot is used for, which generation of uses that is, and how many references were added in it: a thread
/// that looks at all places, one by one, learns by it that a reference moved meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct State(u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Freed, and not yet known to its maker as free.
    Free,
    Live,
    /// Its maker knows that it is free.
    Kept,
    /// The owner at that place of its header frees it.
    Dying(usize),
}

impl State {
    /// Bits of the phase.
    const PHASE: u32 = 3;
    /// Where the count begins: in the highest bits, so that they wrap around without changing the others.
    const COUNT: u32 = State::PHASE + 32;

    pub(super) fn new(generation: u32, phase: Phase) -> State {
        let phase = match phase {
            Phase::Free => 0,
            Phase::Live => 1,
            Phase::Kept => 2,
            Phase::Dying(place) => 4 + place as u64,
        };
        State(u64::from(generation) << State::PHASE | phase)
    }

    pub(super) fn of(state: &AtomicU64) -> State {
        State(state.load(Ordering::SeqCst))
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }

    pub(super) fn phase(self) -> Phase {
        match self.0 & 7 {
            0 | 3 => Phase::Free,
            1 => Phase::Live,
            2 => Phase::Kept,
            dying => Phase::Dying(usize::try_from(dying - 4).expect("two bits")),
        }
    }

    /// Returns whether the slot is in use, or being freed.
    pub(super) fn is_used(self) -> bool {
        matches!(self.phase(), Phase::Live | Phase::Dying(_))
    }

    pub(super) fn generation(self) -> u32 {
        u32::try_from(self.0 >> State::PHASE & u64::from(u32::MAX)).expect("32 bits")
    }

    /// Counts one more reference, which the caller has added, and returns the state.
    pub(super) fn count(state: &AtomicU64) -> State {
        State(state.fetch_add(1 << State::COUNT, Ordering::SeqCst))
    }

    pub(super) fn change(self, state: &AtomicU64, to: State) -> bool {
        let order = Ordering::SeqCst;
        state.compare_exchange(self.0, to.0, order, order).is_ok()
    }
}

/// Returns the places for owners in the header of a slot.
pub(super) fn inline(chunk: &Chunk, unit: u32) -> &[AtomicU64; OWNERS] {
    &chunk.slot(unit).owners
}

/// Returns the first part of a slot. (In a part of a slot stands the next part of the same slot, which may be gone already
/// when both are freed.)
pub(super) fn first_part(chunk: &Chunk, unit: u32) -> Option<Pointer> {
    let content = chunk.content(unit);
    let is_part = content.is_some_and(|content| content.access.is_part());
    next_part(chunk, unit).filter(|_| !is_part)
}

/// Returns the part after one.
pub(super) fn next_part(chunk: &Chunk, unit: u32) -> Option<Pointer> {
    Pointer::of(chunk.slot(unit).parts.load(Ordering::Acquire))
}

/// Calls `find` for each group of places for the owners of a slot, with the chunk and the unit that they are in, until
/// it returns something. An error says that a chunk can't be mapped, so some were not seen.
pub(super) fn each<R>(
    chunk: &Arc<Chunk>,
    unit: u32,
    mut find: impl FnMut(&Arc<Chunk>, u32, &[AtomicU64]) -> Option<R>,
) -> io::Result<Option<R>> {
    let found = find(chunk, unit, inline(chunk, unit));
    if found.is_some() {
        return Ok(found);
    }
    let mut next = first_part(chunk, unit);
    while let Some(pointer) = next {
        let part = match Chunk::find(chunk.run, pointer) {
            // Freed meanwhile, with all that follow.
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            part => part?,
        };
        let found = find(&part, pointer.unit, part.owners(pointer.unit));
        if found.is_some() {
            return Ok(found);
        }
        next = next_part(&part, pointer.unit);
    }
    Ok(None)
}

/// Returns whether any owner of a slot `counts`, at one moment. An error says that this is unknown.
pub(super) fn has_any(
    chunk: &Arc<Chunk>,
    unit: u32,
    counts: impl Fn(Owner) -> bool,
) -> io::Result<bool> {
    let state = &chunk.slot(unit).state;
    loop {
        let before = State::of(state);
        let some = each(chunk, unit, |_, _, places| {
            let has = |place: &AtomicU64| {
                loop {
                    let owner = Owner::at(place);
                    if owner.is_some_and(&counts) {
                        return true;
                    }
                    // Otherwise it has passed the reference on, and may have ended only after that.
                    if Owner::at(place) == owner {
                        return false;
                    }
                }
            };
            places.iter().any(has).then_some(())
        });
        // Otherwise a reference may have moved from a place not yet seen to one that was free when it was.
        let found = some?.is_some();
        if found || State::of(state) == before {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest pid of Linux, and the largest random half.
    fn process() -> UniquePid {
        UniquePid::of(1 << 22, u32::MAX)
    }

    const LAST: Pointer = Pointer {
        chunk: (1 << 24) - 1,
        unit: Pointer::UNITS - 1,
    };
    const FIRST: Pointer = Pointer { chunk: 1, unit: 0 };

    #[test]
    fn an_owner_is_what_it_was_recorded_as_with_each_side() {
        let process = process();
        let own = UniquePid::current();
        let owners = [
            (Owner::process(process), Kind::Process(process)),
            (Owner::process(own), Kind::Process(own)),
            (Owner::transit(process), Kind::Transit(process)),
            (Owner::transit(own), Kind::Transit(own)),
            (Owner::message(LAST, 7), Kind::Message(LAST)),
            (Owner::message(FIRST, 0), Kind::Message(FIRST)),
            (Owner::part(LAST, 7), Kind::Part(LAST)),
            (Owner::part(FIRST, 0), Kind::Part(FIRST)),
        ];
        for (owner, kind) in owners {
            assert_eq!((owner.kind(), owner.side()), (Some(kind), None));
            for side in [Some(0), Some(1), None] {
                let with = owner.with_side(Some(1)).with_side(side);
                assert_eq!((with.kind(), with.side()), (Some(kind), side));
                assert_eq!(with.with_side(None), owner);
                assert_eq!(with == owner, side.is_none());
                assert_ne!(with.0, 0, "0 is a free place");
            }
        }
        let numbers = owners.map(|(owner, _)| owner.0);
        for (index, number) in numbers.iter().enumerate() {
            assert!(!numbers[..index].contains(number), "{owners:?}");
        }
    }

    #[test]
    fn messages_next_to_each_other_are_different_owners() {
        for number in [0, 2046, 2047, 2048, u32::MAX] {
            let (owner, next) = (
                Owner::message(LAST, number),
                Owner::message(LAST, number.wrapping_add(1)),
            );
            assert_ne!(owner, next);
            assert_eq!(owner.kind(), next.kind());
            assert_eq!((owner.side(), next.side()), (None, None));
        }
    }

    #[test]
    fn a_number_that_is_no_owner_has_no_kind() {
        let kinds = [MESSAGE, TRANSIT, PART];
        for number in kinds.into_iter().chain([0, MESSAGE | TRANSIT, u64::MAX]) {
            assert_eq!(Owner(number).kind(), None, "{number:x}");
        }
    }

    #[test]
    fn a_place_is_taken_passed_on_and_released_by_its_owner_alone() {
        let (owner, other) = (Owner::process(process()), Owner::part(FIRST, 0));
        let place = AtomicU64::new(0);
        assert_eq!(Owner::at(&place), None);
        assert!(!owner.release(&place) && !owner.pass(&place, other));
        assert!(owner.take(&place));
        assert!(!owner.take(&place) && !other.take(&place));
        assert!(!other.release(&place) && !other.pass(&place, owner));
        // The side is a part of the owner.
        assert!(!owner.with_side(Some(0)).release(&place));
        assert_eq!(Owner::at(&place), Some(owner));
        assert!(owner.pass(&place, other));
        assert!(!owner.release(&place));
        assert!(other.release(&place));
        assert!(!other.release(&place));
        assert_eq!(Owner::at(&place), None);
    }

    #[test]
    fn a_state_has_its_generation_and_its_phase() {
        for generation in [0, 1, u32::MAX] {
            for phase in [
                Phase::Free,
                Phase::Live,
                Phase::Kept,
                Phase::Dying(0),
                Phase::Dying(3),
            ] {
                let state = State::new(generation, phase);
                assert_eq!((state.generation(), state.phase()), (generation, phase));
                assert_eq!(State::of(&AtomicU64::new(state.number())), state);
            }
        }
    }

    #[test]
    fn counting_changes_a_state_but_neither_generation_nor_phase() {
        let live = State::new(u32::MAX, Phase::Live);
        let state = AtomicU64::new(live.number());
        // From the first count, and from the last, which wraps around.
        for count in [0, (1 << 29) - 2, (1 << 29) - 1] {
            state.store(live.number() | count << State::COUNT, Ordering::Relaxed);
            let before = State::of(&state);
            assert_eq!(State::count(&state), before);
            let now = State::of(&state);
            assert_ne!(now, before);
            assert_eq!((now.generation(), now.phase()), (u32::MAX, Phase::Live));
            let dying = State::new(u32::MAX, Phase::Dying(1));
            assert!(!before.change(&state, dying), "it was counted meanwhile");
            assert!(now.change(&state, dying));
            assert_eq!(State::of(&state), dying);
        }
        // The count of 29 bits begins again at 0.
        state.store(live.number() | u64::MAX << State::COUNT, Ordering::Relaxed);
        State::count(&state);
        assert_eq!(State::of(&state), live);
    }
}
