//! Cursors: which messages one direction contains, and where.
//!
//! Two numbers define what is valid, the *tail* of the producers and the *head* of the consumers. Each contains how
//! many messages there were so far, and where the next is put, or taken. So one store puts a message or takes it, or
//! moves to another ring, and a process may be killed at any instant: either the store has happened or nothing has.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a 64-bit number is taken apart into its halves"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::memory::slot::Slot;

/// Where the numbers of a direction are. The producers' and the consumers' are on different lines of memory, and so are
/// those that hardly ever change.
pub(crate) mod place {
    /// The producers' cursor. Behind it are two numbers for the ring that it is in: a bit of it selects the valid one.
    pub(crate) const TAIL: usize = 0;
    /// Where the head was when a producer last checked, and in which ring.
    pub(crate) const HEAD_SEEN: usize = 3;
    pub(crate) const HEAD_SEEN_RING: usize = 4;
    /// How many messages had been taken when a producer last checked.
    pub(crate) const TAKEN_SEEN: usize = 5;
    /// A ring that was made and is about to be used.
    pub(crate) const NEW_RING: usize = 6;
    /// A message with handles that is about to be put: [its count](super::Rings::loading), and where it is.
    pub(crate) const LOADING: usize = 7;
    pub(crate) const LOADING_RING: usize = 8;
    pub(crate) const LOADING_AT: usize = 9;

    /// The consumers' cursor, like the producers'.
    pub(crate) const HEAD: usize = 16;
    /// How many messages had been put when a consumer last checked.
    pub(crate) const PUT_SEEN: usize = 19;
    /// A ring that the consumers have left, and that is about to be freed.
    pub(crate) const OLD_RING: usize = 20;
    /// In which use it is: others may have freed it, and made another one there.
    pub(crate) const OLD_GENERATION: usize = 21;

    /// The maximum number of messages, 0 for no limit.
    pub(crate) const CAPACITY: usize = 32;
    /// Whether it is closed for producers.
    pub(crate) const CLOSED: usize = 33;
    /// How many messages were marked as done.
    pub(crate) const DONE: usize = 34;

    /// The beginning of the first ring.
    pub(crate) const RING: usize = 48;
}

/// 64-bit numbers that a direction takes in its slot, with those of its first ring, which has room for a few small
/// messages.
pub(crate) const DIRECTION: usize = place::RING + 80;

/// The number of the first ring. That of any other is its [`Pointer`](crate::memory::layout::Pointer).
pub(crate) const FIRST_RING: u64 = 0;

/// The tail or the head: a count of messages, and a place in a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    /// How many messages there were; it wraps around at 2³².
    pub(crate) count: u32,
    /// Which of the two numbers for the ring is valid.
    pub(crate) second: bool,
    pub(crate) at: usize,
}

impl Cursor {
    pub(crate) fn from_number(number: u64) -> Cursor {
        let low = number as u32;
        Cursor {
            count: (number >> 32) as u32,
            second: low >> 31 == 1,
            at: (low & !(1 << 31)) as usize,
        }
    }

    pub(crate) fn number(self) -> u64 {
        u64::from(self.count) << 32 | u64::from(self.second) << 31 | self.at as u64
    }

    /// Returns the cursor after one more message.
    pub(crate) fn after(self, at: usize) -> Cursor {
        Cursor {
            count: self.count.wrapping_add(1),
            at,
            ..self
        }
    }
}

/// A ring other than the first that this process has open.
pub(crate) type OpenRing = Mutex<Option<(u64, Arc<Slot>)>>;

/// The rings of one direction, and its numbers. What moves messages is in `ring`.
pub(crate) struct Rings {
    pub(crate) slot: Arc<Slot>,
    /// Which direction of the slot it is.
    pub(crate) index: usize,
    /// Where in the slot the direction begins.
    base: usize,
    pub(crate) open_put_ring: OpenRing,
    pub(crate) open_take_ring: OpenRing,
}

impl Rings {
    pub(crate) fn new(slot: Arc<Slot>, index: usize) -> Rings {
        Rings {
            slot,
            index,
            base: index * DIRECTION,
            open_put_ring: Mutex::default(),
            open_take_ring: Mutex::default(),
        }
    }

    /// Returns the numbers of the direction, and its first ring behind them.
    pub(crate) fn cells(&self) -> &[AtomicU64] {
        &self.slot.numbers()[self.base..self.base + DIRECTION]
    }

    pub(crate) fn get(&self, place: usize) -> u64 {
        self.cells()[place].load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, place: usize, number: u64) {
        self.cells()[place].store(number, Ordering::Release);
    }

    /// Returns a number that fits into 32 bits.
    pub(crate) fn get_small(&self, place: usize) -> u32 {
        self.get(place) as u32
    }

    pub(crate) fn cursor(&self, place: usize) -> Cursor {
        Cursor::from_number(self.get(place))
    }

    /// Returns the ring that the tail or the head is in.
    pub(crate) fn ring(&self, place: usize, cursor: Cursor) -> u64 {
        self.get(place + 1 + usize::from(cursor.second))
    }

    /// Moves the tail or the head to the beginning of another ring, or to what `further` returns, in one store.
    pub(crate) fn move_to(
        &self,
        place: usize,
        ring: u64,
        further: impl FnOnce(Cursor) -> Cursor,
    ) -> Cursor {
        let cursor = self.cursor(place);
        let moved = further(Cursor {
            second: !cursor.second,
            at: 0,
            ..cursor
        });
        self.set(place + 1 + usize::from(moved.second), ring);
        self.set(place, moved.number());
        moved
    }

    /// Returns how many messages were put so far; it wraps around at 2³².
    pub(crate) fn put_count(&self) -> u32 {
        self.cursor(place::TAIL).count
    }

    /// Returns how many messages were taken so far; it wraps around at 2³².
    pub(crate) fn taken_count(&self) -> u32 {
        self.cursor(place::HEAD).count
    }

    /// Returns the number of messages.
    pub(crate) fn len(&self) -> u32 {
        loop {
            let taken = self.taken_count();
            let put = self.put_count();
            if self.taken_count() == taken {
                return put.wrapping_sub(taken);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.put_count() == self.taken_count()
    }

    /// Returns the maximum number of messages, if there is a limit.
    pub(crate) fn capacity(&self) -> Option<usize> {
        let capacity = self.get(place::CAPACITY) as usize;
        (capacity != 0).then_some(capacity)
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        self.set(place::CAPACITY, capacity as u64);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.get(place::CLOSED) != 0
    }

    /// Closes it for producers; the caller has their turn.
    pub(crate) fn close(&self) {
        self.set(place::CLOSED, 1);
    }

    /// Counts a message as done; returns false if all that were put are done.
    pub(crate) fn done(&self) -> bool {
        let one_more = |done: u64| {
            let done = done as u32;
            (done != self.put_count()).then(|| u64::from(done.wrapping_add(1)))
        };
        self.cells()[place::DONE]
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
    }

    /// Returns the number of messages that were put and aren't done.
    pub(crate) fn unfinished(&self) -> u32 {
        let done = self.get_small(place::DONE);
        self.put_count().wrapping_sub(done)
    }

    /// Returns the head and its ring, read consistently.
    pub(crate) fn head(&self) -> (Cursor, u64) {
        loop {
            let head = self.cursor(place::HEAD);
            let ring = self.ring(place::HEAD, head);
            if self.cursor(place::HEAD) == head {
                return (head, ring);
            }
        }
    }

    /// Returns whether the maximum number of messages is reached; the caller has the producers' turn.
    pub(crate) fn is_full(&self) -> bool {
        let Some(capacity) = self.capacity() else {
            return false;
        };
        let put = self.put_count();
        let full = |taken: u32| put.wrapping_sub(taken) as usize >= capacity;
        if !full(self.get_small(place::TAKEN_SEEN)) {
            return false;
        }
        let taken = self.taken_count();
        self.set(place::TAKEN_SEEN, u64::from(taken));
        full(taken)
    }

    /// Returns whether a message was put that was not taken.
    pub(crate) fn has_more(&self, head: Cursor) -> bool {
        if self.get_small(place::PUT_SEEN) != head.count {
            return true;
        }
        let put = self.put_count();
        self.set(place::PUT_SEEN, u64::from(put));
        put != head.count
    }
}
