//! The header of each segment. It consists of atomics and mutexes, so a process that has mapped the segment can use it
//! through a shared reference.

use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::platform::robust_mutex::RobustMutex;

#[repr(C, align(64))]
pub(super) struct Header {
    /// The [`mark`](crate::memory::segment::Access::mark) of a complete segment.
    pub(super) mark: AtomicU64,
    pub(super) length: AtomicU64,
    /// Handles in flight, which hold no lock on the file of the name.
    pub(super) in_flight: AtomicU32,
    pub(super) lock: LockPlace,
    pub(super) words: [AtomicU32; WORDS],
    /// Which files belong to the segment: [bits](crate::memory::name::companion_bit).
    pub(super) accompanied: AtomicU32,
    pub(super) turns: [TurnPlace; TURNS],
}

impl Header {
    /// Returns the mutex of a turn, or that of the [`LOCK`].
    #[inline]
    pub(super) fn mutex(&self, which: usize) -> &RobustMutex {
        match self.turns.get(which) {
            Some(turn) => &turn.0,
            None => &self.lock.mutex,
        }
    }
}

/// The data that each lock operation changes: on one cache line, apart from the counters.
#[repr(C, align(64))]
pub(super) struct LockPlace {
    pub(super) mutex: RobustMutex,
    /// The [`UniquePid`](crate::memory::liveness::UniquePid) of the process that holds the lock, 0 if none does.
    pub(super) holder: AtomicU64,
    /// The process that died while it held the lock, 0 if none did or that was cleared.
    pub(super) death: AtomicU64,
}

/// Each mutex has a cache line of its own too.
#[repr(C, align(64))]
pub(super) struct TurnPlace(pub(super) RobustMutex);

/// Numbers in each segment that can be read and written without its lock.
pub(crate) const WORDS: usize = 32;

/// The number of turns in each segment: locks that guard no memory, but let processes do something one after the other.
pub(crate) const TURNS: usize = 4;

/// After the turns: the lock of the memory.
pub(super) const LOCK: usize = TURNS;

/// Bytes before the memory that is lent out.
pub(super) const HEADER: usize = size_of::<Header>();

/// The uses of a segment's [`WORDS`]. An eventcount takes two.
pub(crate) mod words {
    use std::ops::Range;

    use super::WORDS;

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
    /// For each side: how many of its handles are in flight.
    pub(crate) const SIDE_IN_FLIGHT: [usize; 2] = [10, 11];
    /// For each side: whether its last handle is gone.
    pub(crate) const SIDE_LEFT: [usize; 2] = [12, 13];

    /// Semaphore, condition or barrier: its eventcounts.
    pub(crate) const EVENTCOUNTS: Range<usize> = 0..STALE;
    /// Semaphore: whether its permits have to be counted.
    pub(crate) const STALE: usize = WORDS - 2;
}
