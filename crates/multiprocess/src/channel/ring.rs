//! The rings of one direction: messages in shared memory, in the order in which they were put there.
//!
//! The first ring is in the direction's own memory. When it is full, the producer makes a larger one in a *dependent*
//! of that memory, writes its number into the full one, and continues there; nothing is copied. The consumer of the
//! last message in a ring follows and removes the ring. When a large ring is empty, both sides return to the first.
//!
//! The [cursors](crate::channel::cursors) define which messages there are. Producers take turns among themselves, and
//! so do consumers. Producers and consumers don't wait for each other, except briefly while a consumer frees rings.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a 64-bit number is taken apart into its halves"
)]

use std::io;
use std::io::ErrorKind::{FileTooLarge, OutOfMemory};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, MutexGuard, PoisonError};

use crate::channel::cursors::{Cursor, OpenRing, Rings, place};
use crate::channel::record::{self, Found};
use crate::memory::segment::Segment;
use crate::transfer::block::Message;

/// The minimum length of the second ring.
const SECOND: usize = 128 * 1024;

/// A longer ring is freed when it is empty.
const LARGE: usize = 512 * 1024;

/// The longest ring.
const LONGEST: usize = 1 << 31;

impl Rings {
    /// Puts a message; the caller has the producers' turn. An error leaves everything as it was.
    pub(crate) fn put(&self, message: &[u8]) -> io::Result<()> {
        let tail = self.cursor(place::TAIL);
        let number = self.ring(place::TAIL, tail);
        let size = record::size(message.len());
        let write = |ring: &[AtomicU64]| {
            self.has_room(ring.len(), number, tail, size)
                .then(|| record::write(ring, tail.at, message))
                .ok_or(ring.len())
        };
        match self.within(&self.open_put_ring, number, write)? {
            Ok(at) => self.set(place::TAIL, tail.after(at).number()),
            Err(length) => self.put_onward(tail, number, length, message)?,
        }
        Ok(())
    }

    /// Returns whether the ring of the tail has room for `size` numbers, and for one more that links the next ring.
    fn has_room(&self, length: usize, number: u32, tail: Cursor, size: usize) -> bool {
        let has_room = |head: usize| {
            let lap = if tail.at < head { length } else { 0 };
            size < length - (lap + tail.at - head)
        };
        let seen = self.get(place::HEAD_SEEN);
        if (seen >> 32) as u32 == number && has_room((seen & 0xffff_ffff) as usize) {
            return true;
        }
        let head = match self.head() {
            (head, ring) if ring == number => head.at,
            // The consumers are still in an earlier ring.
            _ => 0,
        };
        self.set(place::HEAD_SEEN, u64::from(number) << 32 | head as u64);
        has_room(head)
    }

    /// Creates a longer ring, and puts the message there.
    fn put_onward(&self, tail: Cursor, full: u32, length: usize, message: &[u8]) -> io::Result<()> {
        let size = record::size(message.len());
        let too_much = |what| io::Error::new(OutOfMemory, what);
        if self.len() > u32::MAX / 2 {
            return Err(too_much("it already contains two billion messages"));
        }
        if size + 2 > LONGEST {
            return Err(too_much("the message is larger than 16 GiB"));
        }
        let length = (2 * length).clamp(SECOND, LONGEST).max(size + 2);
        let next = self.get_small(place::LAST_RING).checked_add(1);
        let next = next.ok_or_else(|| too_much("it has grown too often"))?;
        let name = self.name(next);
        let create = |length: usize| {
            let bytes = length.next_multiple_of(512) * 8;
            self.segment.create_dependent(&name, bytes)
        };
        // Without memory for a longer one, a short one is enough.
        let short = SECOND.max(size + 2);
        let segment = create(length).or_else(|error| match error.kind() {
            OutOfMemory | FileTooLarge if short < length => create(short),
            _ => Err(error),
        })?;
        let at = record::write(segment.atomics(), 0, message);
        self.within(&self.open_put_ring, full, |ring| {
            record::write_onward(ring, tail.at, next);
        })?;
        *lock(&self.open_put_ring) = Some((next, segment));
        self.set(place::LAST_RING, u64::from(next));
        self.move_tail(next, |cursor| cursor.after(at));
        Ok(())
    }

    /// Moves the tail to another ring, in one store.
    fn move_tail(&self, ring: u32, further: impl FnOnce(Cursor) -> Cursor) {
        self.set(place::HEAD_SEEN, u64::from(ring) << 32);
        self.move_to(place::TAIL, ring, further);
    }

    /// Takes the next message, if there is one; the caller has the consumers' turn. Returns whether a ring that is
    /// empty now takes more memory than it should.
    pub(crate) fn take(&self, receive: &mut dyn FnMut(Message<'_>)) -> io::Result<Option<bool>> {
        let mut head = self.cursor(place::HEAD);
        if !self.has_more(head) {
            return Ok(None);
        }
        loop {
            let number = self.ring(place::HEAD, head);
            let (found, length) = self.within(&self.open_take_ring, number, |ring| {
                (record::read(ring, head.at, &mut *receive), ring.len())
            })?;
            match found? {
                Found::Message(at, bytes) => {
                    let head = head.after(at);
                    self.set(place::HEAD, head.number());
                    let fits_well = record::size(bytes) >= length / 4;
                    let wasteful =
                        number != 0 && length > LARGE && !fits_well && !self.has_more(head);
                    return Ok(Some(wasteful));
                }
                Found::Onward(next) => head = self.move_head(number, next),
            }
        }
    }

    /// Moves the head to another ring, in one store, and removes the rings before.
    fn move_head(&self, from: u32, to: u32) -> Cursor {
        let moved = self.move_to(place::HEAD, to, |cursor| cursor);
        *lock(&self.open_take_ring) = None;
        // Including those that a killed process did not remove.
        let removed = self.get_small(place::REMOVED);
        for number in removed.saturating_add(1)..=from {
            self.segment.remove_dependent(&self.name(number));
        }
        self.set(place::REMOVED, u64::from(from.max(removed)));
        moved
    }

    /// Returns whether the rings are empty, and take more memory than the first.
    pub(crate) fn is_wasteful(&self) -> bool {
        let (head, ring) = self.head();
        ring != 0 && head.count == self.put_count()
    }

    /// Returns to the first ring, if the rings are still empty; the caller has the turns of both sides.
    pub(crate) fn return_to_first_ring(&self) -> io::Result<()> {
        let (tail, head) = (self.cursor(place::TAIL), self.cursor(place::HEAD));
        let ring = self.ring(place::TAIL, tail);
        if tail.count != head.count || ring != self.ring(place::HEAD, head) || ring == 0 {
            return Ok(());
        }
        self.within(&self.open_put_ring, ring, |ring| {
            record::write_onward(ring, tail.at, 0);
        })?;
        *lock(&self.open_put_ring) = None;
        self.move_tail(0, |cursor| cursor);
        self.move_head(ring, 0);
        Ok(())
    }

    /// Calls `work` with the numbers of a ring.
    #[inline]
    fn within<R>(
        &self,
        open_ring: &OpenRing,
        number: u32,
        work: impl FnOnce(&[AtomicU64]) -> R,
    ) -> io::Result<R> {
        if number == 0 {
            return Ok(work(&self.cells()[place::RING..]));
        }
        let mut open_ring = lock(open_ring);
        if let Some((open, segment)) = &*open_ring
            && *open == number
        {
            return Ok(work(segment.atomics()));
        }
        let segment = self.segment.open_dependent(&self.name(number))?;
        let (_, segment) = open_ring.insert((number, segment));
        Ok(work(segment.atomics()))
    }

    /// Returns the suffix to the name of the segment.
    fn name(&self, number: u32) -> String {
        let suffix = ["a", "b"][self.index];
        format!("{suffix}{number}")
    }
}

fn lock(open_ring: &OpenRing) -> MutexGuard<'_, Option<(u32, Arc<Segment>)>> {
    open_ring.lock().unwrap_or_else(PoisonError::into_inner)
}
