//! How a chunk of shared memory is laid out. It consists of atomics and mutexes, so a process that has mapped it can use
//! it through a shared reference.
//!
//! ```text
//! chunk   header, bits (where slots begin), slots
//! slot    header, locks, words, data; each begins at a multiple of 64 bytes, a *unit*
//! ```

use std::sync::atomic::{AtomicU32, AtomicU64};

use serde::{Deserialize, Serialize};

use crate::platform::robust_mutex::RobustMutex;

/// Bytes of a unit, in which a chunk is counted: a line of the processor's cache.
pub(super) const UNIT: usize = 64;

#[repr(C, align(64))]
pub(super) struct ChunkHeader {
    /// [`COMPLETE`] as soon as other processes may use the chunk.
    pub(super) mark: AtomicU64,
    /// The process that makes slots in it.
    pub(super) maker: AtomicU64,
    /// How many 64-bit numbers of bits follow: one bit for each unit, which is set where a slot begins.
    pub(super) bits: AtomicU64,
    /// How many slots other processes than the maker have freed.
    pub(super) freed: AtomicU64,
    /// Not 0 if its maker makes no more slots in it: the chunk is removed with its last slot.
    pub(super) abandoned: AtomicU32,
}

pub(super) const COMPLETE: u64 = 0x6d75_6c74_6970_0002;

/// The header of a slot.
#[repr(C, align(64))]
pub(super) struct SlotHeader {
    /// A [`State`](crate::memory::owner::State).
    pub(super) state: AtomicU64,
    /// A [`Shape`], which never changes.
    pub(super) shape: AtomicU64,
    /// A [`Content`].
    pub(super) content: AtomicU64,
    /// The first of the slots that belong to this one, and in each of them the next; 0 at the end.
    pub(super) parts: AtomicU64,
    /// Who owns a reference to the slot; more of them are in its parts.
    pub(super) owners: [AtomicU64; OWNERS],
}

/// The number of references of a slot that need no further memory.
pub(super) const OWNERS: usize = 4;

/// A lock of a slot, with the data that each operation changes, on one line of the cache.
#[repr(C, align(64))]
pub(super) struct LockPlace {
    pub(super) mutex: RobustMutex,
    /// The [`UniquePid`](crate::memory::liveness::UniquePid) of the process that holds the lock, 0 if none does. A turn
    /// doesn't record it.
    pub(super) holder: AtomicU64,
    /// The process that died while it held the lock, 0 if none did or that was cleared.
    pub(super) death: AtomicU64,
}

/// The lock of a slot that guards its data. (Other slots have turns in its place.)
pub(super) const LOCK: usize = 0;

/// The maximum number of locks, or turns, of a slot.
pub(super) const LOCKS: usize = 4;

/// 32-bit numbers in a unit of words.
pub(super) const WORDS: usize = UNIT / size_of::<u32>();

/// How the data of a slot is used, and for what.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Access {
    /// As bytes, under the lock.
    Locked,
    /// As atomic numbers.
    Atomic,
    /// As atomic numbers, by threads that hold the lock.
    AtomicLocked,
    /// As atomic numbers: a queue, channel or pipe, whose messages are discarded with it.
    Channel,
    /// As atomic numbers: a ring of a channel.
    Ring,
    /// As atomic numbers: more places in the table of the slot that it belongs to.
    Table,
    /// As atomic numbers: more owners of the slot that it belongs to.
    Owners,
}

impl Access {
    const ALL: [Access; 7] = [
        Access::Locked,
        Access::Atomic,
        Access::AtomicLocked,
        Access::Channel,
        Access::Ring,
        Access::Table,
        Access::Owners,
    ];

    /// Returns whether a slot with this use belongs to another one.
    pub(super) fn is_part(self) -> bool {
        matches!(self, Access::Ring | Access::Table | Access::Owners)
    }
}

/// The length of a slot's data in bytes, and how it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) length: usize,
    pub(crate) access: Access,
}

impl Content {
    pub(super) fn number(self) -> u64 {
        (self.length as u64) << 8 | self.access as u64
    }

    pub(super) fn of(number: u64) -> Option<Content> {
        let access = Access::ALL.get(usize::try_from(number & 0xff).ok()?)?;
        Some(Content {
            length: usize::try_from(number >> 8).ok()?,
            access: *access,
        })
    }
}

/// How many units a slot has.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Shape {
    /// Locks, of one unit each.
    pub(crate) locks: u8,
    /// Units of 32-bit [`WORDS`], which can be used without the lock.
    pub(crate) words: u8,
    /// Whether its data is for owners of another slot. Such a slot is used for nothing else: a process that
    /// looked at its places before it was freed must not find anything else there.
    pub(crate) for_owners: bool,
    /// Units of data.
    pub(crate) data: u32,
}

impl Shape {
    /// Returns the units with those of the header.
    pub(super) fn units(self) -> u64 {
        1 + u64::from(self.locks) + u64::from(self.words) + u64::from(self.data)
    }

    pub(super) fn number(self) -> u64 {
        u64::from(self.data) << 32
            | u64::from(self.for_owners) << 16
            | u64::from(self.words) << 8
            | u64::from(self.locks)
    }

    pub(super) fn of(number: u64) -> Shape {
        let [locks, words, for_owners, _, data @ ..] = number.to_le_bytes();
        Shape {
            locks,
            words,
            for_owners: for_owners != 0,
            data: u32::from_le_bytes(data),
        }
    }
}

/// Where a slot is: in which chunk of the run, and at which of its units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The number of the chunk, of 24 bits, never 0.
    pub(super) chunk: u32,
    pub(super) unit: u32,
}

impl Pointer {
    /// The number of bits of a pointer as a number.
    pub(super) const BITS: u32 = 48;

    /// The unit where a slot can begin; chunks for several slots are smaller.
    pub(super) const UNITS: u32 = 1 << 24;

    pub(crate) fn number(self) -> u64 {
        u64::from(self.chunk) << 24 | u64::from(self.unit)
    }

    /// Returns `None` for 0, which is no pointer.
    pub(crate) fn of(number: u64) -> Option<Pointer> {
        let chunk = number >> 24 & u64::from(Pointer::UNITS - 1);
        let chunk = u32::try_from(chunk).expect("24 bits");
        let unit = number & u64::from(Pointer::UNITS - 1);
        let unit = u32::try_from(unit).expect("24 bits");
        (chunk != 0).then_some(Pointer { chunk, unit })
    }
}

/// The uses of a slot's [`WORDS`]. An eventcount takes two.
pub(crate) mod words {
    use std::ops::Range;

    /// Event: whether it is set, and how often it was.
    pub(crate) const EVENT: usize = 0;

    /// Queue, channel or pipe: its eventcounts, which are the next three.
    pub(crate) const CHANNEL_EVENTCOUNTS: Range<usize> = 0..10;
    /// For each direction: waiting for a message.
    pub(crate) const NOT_EMPTY: [usize; 2] = [0, 4];
    /// For each direction: waiting for room.
    pub(crate) const NOT_FULL: [usize; 2] = [2, 6];
    /// Waiting until all messages are done with.
    pub(crate) const DONE: usize = 8;
    /// For each side: whether its last handle is gone.
    pub(crate) const SIDE_LEFT: [usize; 2] = [10, 11];

    /// Semaphore or barrier: its eventcount.
    pub(crate) const EVENTCOUNT: usize = 0;
    /// Semaphore: whether its permits have to be counted.
    pub(crate) const STALE: usize = 2;

    /// Condition: its eventcounts.
    pub(crate) const CONDITION_EVENTCOUNTS: Range<usize> = 0..2 * super::WORDS;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_the_same_as_a_number() {
        for chunk in [1, 2, (1 << 24) - 1] {
            for unit in [0, 1, Pointer::UNITS - 1] {
                let pointer = Pointer { chunk, unit };
                assert_eq!(Pointer::of(pointer.number()), Some(pointer));
                assert_eq!(pointer.number() >> Pointer::BITS, 0);
                // An owner has more in the bits above.
                let more = pointer.number() | u64::MAX << Pointer::BITS;
                assert_eq!(Pointer::of(more), Some(pointer));
            }
        }
        assert_eq!(Pointer::of(0), None);
        assert_eq!(Pointer::of(u64::from(Pointer::UNITS - 1)), None);
    }

    #[test]
    fn a_shape_is_the_same_as_a_number() {
        for locks in [0, 1, u8::MAX] {
            for words in [0, 1, u8::MAX] {
                for data in [0, 1, u32::MAX] {
                    let shape = Shape {
                        locks,
                        words,
                        for_owners: data == 7,
                        data,
                    };
                    assert_eq!(Shape::of(shape.number()), shape);
                    let units = u64::from(data) + u64::from(locks) + u64::from(words);
                    assert_eq!(shape.units(), 1 + units);
                }
            }
        }
        assert_eq!(Shape::of(0), Shape::default());
    }

    #[test]
    fn the_content_of_a_slot_is_the_same_as_a_number() {
        // A slot of the maximum shape is the longest.
        let longest = (u32::MAX as usize).saturating_mul(UNIT);
        for (number, access) in Access::ALL.into_iter().enumerate() {
            assert_eq!(access as usize, number);
            for length in [0, 1, UNIT, longest] {
                let content = Content { length, access };
                assert_eq!(Content::of(content.number()), Some(content));
            }
        }
        let unknown = Access::ALL.len() as u64;
        for number in [unknown, 0xff, 1 << 8 | unknown, u64::MAX] {
            assert_eq!(Content::of(number), None);
        }
    }

    #[test]
    fn what_a_chunk_consists_of_fits_its_units() {
        assert_eq!(size_of::<ChunkHeader>() % UNIT, 0);
        assert_eq!(size_of::<SlotHeader>(), UNIT);
        assert_eq!(size_of::<LockPlace>(), UNIT);
        assert_eq!(WORDS * size_of::<u32>(), UNIT);
    }
}
