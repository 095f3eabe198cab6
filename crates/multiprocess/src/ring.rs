//! The rings of a lane: messages in shared memory, in the order in which they were put there.
//!
//! The first ring lies in the lane's own memory. When it is full, the putter makes a larger one, in a *dependent* of
//! that memory, writes into the full one that it goes on there, and goes on there; nothing is copied. Who takes the
//! last message out of a ring follows and removes it. When a large ring is empty, both sides go back to the first.
//!
//! What is valid is said by two numbers, the *tail* of the putters and the *head* of the takers. Each says in one
//! number how many messages there were so far, and where the next is put, or taken. So one store puts a message or
//! takes it, or moves to another ring, and a process may be killed at any instant: either the store has happened or
//! nothing has. Putters take turns among themselves, and so do takers; putters and takers do not wait for each other.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a 64-bit number is taken apart into its halves"
)]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::memory::Segment;
use crate::record::{self, Found};

/// Where the numbers of a lane stand. The putters' and the takers' are on different lines of memory, and so are
/// those that hardly ever change.
mod place {
    /// The putters' mark.
    pub(super) const TAIL: usize = 0;
    /// The ring that the tail is in, two of them: the tail says which is valid.
    pub(super) const PUT_RING: usize = 1;
    /// Where the head was when a putter last looked: the ring in the upper half, the place in the lower.
    pub(super) const HEAD_SEEN: usize = 3;
    /// How many messages had been taken when a putter last looked.
    pub(super) const TAKEN_SEEN: usize = 4;
    /// The highest number that a ring has had, unless it is that of the tail.
    pub(super) const LAST_RING: usize = 5;

    /// The takers' mark.
    pub(super) const HEAD: usize = 16;
    /// The ring that the head is in, as for the tail.
    pub(super) const TAKE_RING: usize = 17;
    /// How many messages had been put when a taker last looked.
    pub(super) const PUT_SEEN: usize = 19;
    /// The highest number of a ring that was removed.
    pub(super) const REMOVED: usize = 20;

    /// How many messages there may be, 0 for any number.
    pub(super) const CAPACITY: usize = 32;
    /// Whether nothing more may be put.
    pub(super) const CLOSED: usize = 33;
    /// How many messages were said to be done with.
    pub(super) const DONE: usize = 34;
    /// Whether handles were in any of the messages.
    pub(super) const LOADED: usize = 35;

    /// Here the first ring begins.
    pub(super) const RING: usize = 48;
}

/// 64-bit numbers in the first ring.
pub(crate) const FIRST: usize = 8 * 1024;

/// 64-bit numbers that a lane takes in its segment.
pub(crate) const LANE: usize = place::RING + FIRST;

/// The second ring is that long at least.
const SECOND: usize = 128 * 1024;

/// A ring of that length is given up when it is empty.
const LARGE: usize = 512 * 1024;

/// The longest ring.
const LONGEST: usize = 1 << 31;

/// The tail or the head: a count of messages, and a place in a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    /// How many messages there were; it begins again at 2³².
    count: u32,
    /// Which of the two numbers for the ring is valid.
    second: bool,
    at: usize,
}

impl Mark {
    fn from_number(number: u64) -> Mark {
        let low = number as u32;
        Mark {
            count: (number >> 32) as u32,
            second: low >> 31 == 1,
            at: (low & !(1 << 31)) as usize,
        }
    }

    fn number(self) -> u64 {
        u64::from(self.count) << 32 | u64::from(self.second) << 31 | self.at as u64
    }

    /// The mark after one more message.
    fn after(self, at: usize) -> Mark {
        Mark {
            count: self.count.wrapping_add(1),
            at,
            ..self
        }
    }

    /// The beginning of another ring.
    fn elsewhere(self) -> Mark {
        Mark {
            second: !self.second,
            at: 0,
            ..self
        }
    }
}

/// A ring other than the first that this process has open.
type Far = Mutex<Option<(u32, Arc<Segment>)>>;

/// The rings of one lane.
pub(crate) struct Rings {
    segment: Arc<Segment>,
    /// Where in the segment the lane begins, and the suffix of the names of its rings.
    base: usize,
    suffix: &'static str,
    put_far: Far,
    take_far: Far,
}

impl Rings {
    /// The rings of a segment's lane, of which it may have several.
    pub(crate) fn new(segment: Arc<Segment>, lane: usize) -> Rings {
        Rings {
            segment,
            base: lane * LANE,
            suffix: if lane == 0 { "a" } else { "b" },
            put_far: Mutex::default(),
            take_far: Mutex::default(),
        }
    }

    fn cells(&self) -> &[AtomicU64] {
        &self.segment.atomics()[self.base..self.base + LANE]
    }

    fn cell(&self, place: usize) -> &AtomicU64 {
        &self.cells()[place]
    }

    fn get(&self, place: usize) -> u64 {
        self.cell(place).load(Ordering::Acquire)
    }

    fn set(&self, place: usize, number: u64) {
        self.cell(place).store(number, Ordering::Release);
    }

    /// Half a number, where the whole was made of a 32-bit one.
    fn get_small(&self, place: usize) -> u32 {
        self.get(place) as u32
    }

    fn mark(&self, place: usize) -> Mark {
        Mark::from_number(self.get(place))
    }

    fn put_ring(&self, tail: Mark) -> u32 {
        self.get_small(place::PUT_RING + usize::from(tail.second))
    }

    fn take_ring(&self, head: Mark) -> u32 {
        self.get_small(place::TAKE_RING + usize::from(head.second))
    }

    /// How many messages were put so far; it begins again at 2³².
    pub(crate) fn put_count(&self) -> u32 {
        self.mark(place::TAIL).count
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> u32 {
        let mut head = self.get(place::HEAD);
        loop {
            let tail = self.mark(place::TAIL);
            let again = self.get(place::HEAD);
            if again == head {
                return tail.count.wrapping_sub(Mark::from_number(head).count);
            }
            head = again;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.put_count() == self.mark(place::HEAD).count
    }

    /// How many messages there may be, if there is a limit.
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

    /// Says that nothing more may be put; the caller has the putters' turn.
    pub(crate) fn close(&self) {
        self.set(place::CLOSED, 1);
    }

    /// Says that handles are in the messages.
    pub(crate) fn mark_loaded(&self) {
        self.set(place::LOADED, 1);
    }

    /// Whether handles were in any of the messages.
    pub(crate) fn is_loaded(&self) -> bool {
        self.get(place::LOADED) != 0
    }

    /// Counts a message as done with; false if all that were put are.
    pub(crate) fn done(&self) -> bool {
        self.cell(place::DONE)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |done| {
                let put = self.put_count();
                (done as u32 != put).then(|| u64::from((done as u32).wrapping_add(1)))
            })
            .is_ok()
    }

    /// How many messages were put and are not done with.
    pub(crate) fn unfinished(&self) -> u32 {
        let done = self.get_small(place::DONE);
        self.put_count().wrapping_sub(done)
    }

    /// Whether there are as many messages as there may be; the caller has the putters' turn.
    pub(crate) fn is_full(&self) -> bool {
        let Some(capacity) = self.capacity() else {
            return false;
        };
        let put = self.put_count();
        let full = |taken: u32| put.wrapping_sub(taken) as usize >= capacity;
        if !full(self.get_small(place::TAKEN_SEEN)) {
            return false;
        }
        let taken = self.mark(place::HEAD).count;
        self.set(place::TAKEN_SEEN, u64::from(taken));
        full(taken)
    }

    /// Puts a message; the caller has the putters' turn. An error leaves everything as it was.
    pub(crate) fn put(&self, message: &[u8]) -> io::Result<()> {
        let tail = self.mark(place::TAIL);
        let number = self.put_ring(tail);
        let size = record::size(message.len());
        let write = |ring: &[AtomicU64]| {
            self.has_room(ring.len(), number, tail, size)
                .then(|| record::write(ring, tail.at, message))
                .ok_or(ring.len())
        };
        match self.within(&self.put_far, number, write)? {
            Ok(at) => self.set(place::TAIL, tail.after(at).number()),
            Err(length) => self.put_onward(tail, number, length, message)?,
        }
        Ok(())
    }

    /// Whether the ring of the tail has room for so many numbers, and one more, which says where it goes on.
    fn has_room(&self, length: usize, number: u32, tail: Mark, size: usize) -> bool {
        let has_room = |head: usize| {
            let used = if tail.at >= head {
                tail.at - head
            } else {
                length - head + tail.at
            };
            size < length - used
        };
        let seen = self.get(place::HEAD_SEEN);
        if (seen >> 32) as u32 == number && has_room((seen & 0xffff_ffff) as usize) {
            return true;
        }
        let head = match self.head() {
            (head, ring) if ring == number => head.at,
            // The takers have not come here yet.
            _ => 0,
        };
        self.set(place::HEAD_SEEN, u64::from(number) << 32 | head as u64);
        has_room(head)
    }

    /// The head and its ring, which belong together.
    fn head(&self) -> (Mark, u32) {
        loop {
            let head = self.mark(place::HEAD);
            let ring = self.take_ring(head);
            if self.mark(place::HEAD) == head {
                return (head, ring);
            }
        }
    }

    /// Makes a longer ring, and puts the message there.
    fn put_onward(&self, tail: Mark, full: u32, length: usize, message: &[u8]) -> io::Result<()> {
        let size = record::size(message.len());
        let too_much = |what| io::Error::new(io::ErrorKind::OutOfMemory, what);
        if self.len() > u32::MAX / 2 {
            return Err(too_much("there are two thousand million messages in it"));
        }
        if size + 2 > LONGEST {
            return Err(too_much("a message of more than 16 GiB"));
        }
        let length = (2 * length).clamp(SECOND, LONGEST).max(size + 2);
        self.remember_last_ring(full);
        let last = self.get_small(place::LAST_RING);
        let next = last
            .checked_add(1)
            .ok_or_else(|| too_much("it has grown too often"))?;
        let name = self.name(next);
        let segment = self
            .segment
            .create_dependent(&name, length.next_multiple_of(512) * 8)?;
        let at = record::write(segment.atomics(), 0, message);
        self.within(&self.put_far, full, |ring| {
            record::write_onward(ring, tail.at, next);
        })?;
        *lock(&self.put_far) = Some((next, segment));
        self.move_tail(tail, next, |mark| mark.after(at));
        Ok(())
    }

    /// Moves the tail to another ring, in one store.
    fn move_tail(&self, tail: Mark, ring: u32, further: impl FnOnce(Mark) -> Mark) {
        let moved = tail.elsewhere();
        self.set(place::PUT_RING + usize::from(moved.second), u64::from(ring));
        self.set(place::HEAD_SEEN, u64::from(ring) << 32);
        self.set(place::TAIL, further(moved).number());
    }

    fn remember_last_ring(&self, ring: u32) {
        let last = self.get_small(place::LAST_RING).max(ring);
        self.set(place::LAST_RING, u64::from(last));
    }

    /// Takes the next message into `message`; false if there is none. The caller has the takers' turn.
    ///
    /// The second value says whether a ring that is empty now takes more memory than it should.
    pub(crate) fn take(&self, message: &mut Vec<u8>) -> io::Result<Option<Wasteful>> {
        let mut head = self.mark(place::HEAD);
        if !self.has_more(head) {
            return Ok(None);
        }
        loop {
            let number = self.take_ring(head);
            let (found, length) = self.within(&self.take_far, number, |ring| {
                (record::read(ring, head.at, message), ring.len())
            })?;
            match found? {
                Found::Message(at) => {
                    let head = head.after(at);
                    self.set(place::HEAD, head.number());
                    let fits_well = record::size(message.len()) >= length / 4;
                    let wasteful =
                        number != 0 && length > LARGE && !fits_well && !self.has_more(head);
                    return Ok(Some(Wasteful(wasteful)));
                }
                Found::Onward(next) => head = self.move_head(head, number, next),
            }
        }
    }

    /// Whether a message was put that has not been taken.
    fn has_more(&self, head: Mark) -> bool {
        if self.get_small(place::PUT_SEEN) != head.count {
            return true;
        }
        let put = self.put_count();
        self.set(place::PUT_SEEN, u64::from(put));
        put != head.count
    }

    /// Moves the head to another ring, in one store, and removes the rings before.
    fn move_head(&self, head: Mark, from: u32, to: u32) -> Mark {
        let moved = head.elsewhere();
        self.set(place::TAKE_RING + usize::from(moved.second), u64::from(to));
        self.set(place::HEAD, moved.number());
        *lock(&self.take_far) = None;
        // Also those that somebody could not remove because he was killed.
        let removed = self.get_small(place::REMOVED);
        for number in removed.saturating_add(1)..=from {
            self.segment.remove_dependent(&self.name(number));
        }
        self.set(place::REMOVED, u64::from(from.max(removed)));
        moved
    }

    /// Whether the rings are empty, and take more memory than the first.
    pub(crate) fn is_wasteful(&self) -> bool {
        let (head, ring) = self.head();
        ring != 0 && head.count == self.put_count()
    }

    /// Goes back to the first ring, if the rings are still empty; the caller has the turns of both sides.
    pub(crate) fn go_home(&self) -> io::Result<()> {
        let (tail, head) = (self.mark(place::TAIL), self.mark(place::HEAD));
        let (put_ring, take_ring) = (self.put_ring(tail), self.take_ring(head));
        if tail.count != head.count || put_ring != take_ring || put_ring == 0 {
            return Ok(());
        }
        self.remember_last_ring(put_ring);
        self.within(&self.put_far, put_ring, |ring| {
            record::write_onward(ring, tail.at, 0);
        })?;
        *lock(&self.put_far) = None;
        self.move_tail(tail, 0, |mark| mark);
        self.move_head(head, take_ring, 0);
        Ok(())
    }

    /// Works with the numbers of a ring.
    #[inline]
    fn within<R>(
        &self,
        far: &Far,
        number: u32,
        work: impl FnOnce(&[AtomicU64]) -> R,
    ) -> io::Result<R> {
        if number == 0 {
            return Ok(work(&self.cells()[place::RING..]));
        }
        let mut far = lock(far);
        if let Some((open, segment)) = &*far
            && *open == number
        {
            return Ok(work(segment.atomics()));
        }
        let segment = self.segment.open_dependent(&self.name(number));
        let segment = segment.map_err(io::Error::other)?;
        let (_, segment) = far.insert((number, segment));
        Ok(work(segment.atomics()))
    }

    fn name(&self, number: u32) -> String {
        format!("{}{number}", self.suffix)
    }
}

/// Whether the rings should [go home](Rings::go_home).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wasteful(pub(crate) bool);

fn lock(far: &Far) -> std::sync::MutexGuard<'_, Option<(u32, Arc<Segment>)>> {
    far.lock().unwrap_or_else(PoisonError::into_inner)
}
