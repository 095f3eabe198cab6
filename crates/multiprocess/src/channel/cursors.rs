//! Cursors: which messages there are in one direction, and where.
//!
//! Two numbers define what is valid, the *tail* of the putters and the *head* of the takers. Each contains how many
//! messages there were so far, and where the next is put, or taken. So one store puts a message or takes it, or moves
//! to another ring, and a process may be killed at any instant: either the store has happened or nothing has.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a 64-bit number is taken apart into its halves"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::segment::Segment;

/// Where the numbers of a direction are. The putters' and the takers' are on different lines of memory, and so are
/// those that hardly ever change.
pub(crate) mod place {
    /// The putters' cursor. Behind it are two numbers for the ring that it is in: a bit of it selects the valid one.
    pub(crate) const TAIL: usize = 0;
    /// Where the head was when a putter last looked: the ring in the upper half, the place in the lower.
    pub(crate) const HEAD_SEEN: usize = 3;
    /// How many messages had been taken when a putter last looked.
    pub(crate) const TAKEN_SEEN: usize = 4;
    /// The highest number that a ring has had.
    pub(crate) const LAST_RING: usize = 5;

    /// The takers' cursor, as for the putters.
    pub(crate) const HEAD: usize = 16;
    /// How many messages had been put when a taker last looked.
    pub(crate) const PUT_SEEN: usize = 19;
    /// The highest number of a ring that was removed.
    pub(crate) const REMOVED: usize = 20;

    /// The maximum number of messages, 0 for any number.
    pub(crate) const CAPACITY: usize = 32;
    /// Whether nothing more may be put.
    pub(crate) const CLOSED: usize = 33;
    /// How many messages were marked as done.
    pub(crate) const DONE: usize = 34;
    /// Whether handles were in any of the messages.
    pub(crate) const LOADED: usize = 35;

    /// Here the first ring begins.
    pub(crate) const RING: usize = 48;
}

/// 64-bit numbers in the first ring.
pub(crate) const FIRST: usize = 8 * 1024;

/// 64-bit numbers that a direction takes in its segment.
pub(crate) const DIRECTION: usize = place::RING + FIRST;

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

/// The numbers of one direction, in a segment that may have several.
pub(crate) struct Cursors {
    segment: Arc<Segment>,
    /// Where in the segment the direction begins.
    base: usize,
}

impl Cursors {
    pub(crate) fn new(segment: Arc<Segment>, direction: usize) -> Cursors {
        Cursors {
            segment,
            base: direction * DIRECTION,
        }
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Returns the first ring.
    pub(crate) fn first_ring(&self) -> &[AtomicU64] {
        &self.cells()[place::RING..]
    }

    fn cells(&self) -> &[AtomicU64] {
        &self.segment.atomics()[self.base..self.base + DIRECTION]
    }

    fn cell(&self, place: usize) -> &AtomicU64 {
        &self.cells()[place]
    }

    pub(crate) fn get(&self, place: usize) -> u64 {
        self.cell(place).load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, place: usize, number: u64) {
        self.cell(place).store(number, Ordering::Release);
    }

    /// Returns a number that fits into 32 bits.
    pub(crate) fn get_small(&self, place: usize) -> u32 {
        self.get(place) as u32
    }

    pub(crate) fn cursor(&self, place: usize) -> Cursor {
        Cursor::from_number(self.get(place))
    }

    /// Returns the ring that the tail or the head is in.
    pub(crate) fn ring(&self, place: usize, cursor: Cursor) -> u32 {
        self.get_small(place + 1 + usize::from(cursor.second))
    }

    /// Moves the tail or the head to the beginning of another ring, or to what `further` returns, in one store.
    pub(crate) fn move_to(
        &self,
        place: usize,
        ring: u32,
        further: impl FnOnce(Cursor) -> Cursor,
    ) -> Cursor {
        let cursor = self.cursor(place);
        let moved = further(Cursor {
            second: !cursor.second,
            at: 0,
            ..cursor
        });
        self.set(place + 1 + usize::from(moved.second), u64::from(ring));
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
        let mut head = self.get(place::HEAD);
        loop {
            let tail = self.cursor(place::TAIL);
            let again = self.get(place::HEAD);
            if again == head {
                return tail.count.wrapping_sub(Cursor::from_number(head).count);
            }
            head = again;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.put_count() == self.taken_count()
    }

    /// Returns the maximum number of messages, if there is a limit.
    pub(crate) fn capacity(&self) -> Option<usize> {
        let capacity = self.cell(place::CAPACITY).load(Ordering::Relaxed);
        (capacity != 0).then(|| usize::try_from(capacity).unwrap_or(usize::MAX))
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        self.set(place::CAPACITY, capacity as u64);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.get(place::CLOSED) != 0
    }

    /// Closes it for putters; the caller has their turn.
    pub(crate) fn close(&self) {
        self.set(place::CLOSED, 1);
    }

    /// Marks that there are handles in the messages.
    pub(crate) fn mark_loaded(&self) {
        self.set(place::LOADED, 1);
    }

    /// Returns whether handles were in any of the messages.
    pub(crate) fn is_loaded(&self) -> bool {
        self.get(place::LOADED) != 0
    }

    /// Counts a message as done; false if all that were put are done.
    pub(crate) fn done(&self) -> bool {
        self.cell(place::DONE)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |done| {
                let put = self.put_count();
                (done as u32 != put).then(|| u64::from((done as u32).wrapping_add(1)))
            })
            .is_ok()
    }

    /// Returns how many messages were put and are not done.
    pub(crate) fn unfinished(&self) -> u32 {
        let done = self.get_small(place::DONE);
        self.put_count().wrapping_sub(done)
    }

    /// Returns the head and its ring, read consistently.
    pub(crate) fn head(&self) -> (Cursor, u32) {
        loop {
            let head = self.cursor(place::HEAD);
            let ring = self.ring(place::HEAD, head);
            if self.cursor(place::HEAD) == head {
                return (head, ring);
            }
        }
    }

    /// Returns whether the maximum number of messages is reached; the caller has the putters' turn.
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
