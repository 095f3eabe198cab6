//! The rings of one direction: messages in shared memory, in the order in which they were put there.
//!
//! The first ring is in the direction's own memory, and is short. When it is full, the producer makes a longer one,
//! which belongs to that memory, writes its number into the full one, and continues there; nothing is copied. The
//! consumer of the last message in a ring follows and frees the ring. When a large ring is empty, both sides return to
//! the first.
//!
//! The [cursors](crate::channel::cursors) define which messages there are. Producers take turns among themselves, and
//! so do consumers. Producers and consumers don't wait for each other, except briefly while a consumer frees rings.
//!
//! The references of the handles in a message belong to the message as long as it is in a ring. They pass to it before
//! the store that puts it, and to its receiver before the store that takes it. A producer that dies between the two
//! leaves a note for the next one.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a 64-bit number is taken apart into its halves"
)]

use std::io;
use std::io::ErrorKind::{FileTooLarge, OutOfMemory};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, MutexGuard, PoisonError};

use crate::channel::cursors::{Cursor, DIRECTION, FIRST_RING, OpenRing, Rings, place};
use crate::channel::record::{self, Found};
use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Content, Pointer};
use crate::memory::owner::Owner;
use crate::memory::reference::Reference;
use crate::memory::sent::Sent;
use crate::memory::slot::Slot;
use crate::transfer::attachments::Attachments;
use crate::transfer::block::Message;

/// The minimum length of the second ring, in numbers, and of the third. From then on, each is twice as long as the one
/// before.
const SECOND: usize = 1016;
const THIRD: usize = 16 * 1024;

/// A longer ring is freed when it is empty.
const LARGE: usize = 512 * 1024;

/// The longest ring.
const LONGEST: usize = 1 << 31;

impl Rings {
    /// Puts a message; the caller has the producers' turn. An error leaves everything as it was.
    pub(crate) fn put(&self, message: &[u8], attachments: &Attachments) -> io::Result<()> {
        if self.get(place::LOADING) != 0 {
            self.settle_loading();
        }
        let sent: Vec<Sent> = attachments.references().map(Reference::sent).collect();
        let tail = self.cursor(place::TAIL);
        let number = self.ring(place::TAIL, tail);
        let size = record::size(message.len(), sent.len());
        let write = |ring: &[AtomicU64]| {
            self.has_room(ring.len(), number, tail, size)
                .then(|| record::write(ring, tail.at, message, &sent))
                .ok_or(ring.len())
        };
        match self.within(&self.open_put_ring, number, write)? {
            Ok(at) => {
                self.load(tail, number, tail.at, attachments);
                self.set(place::TAIL, tail.after(at).number());
            }
            Err(length) => self.put_onward(tail, number, length, message, attachments, &sent)?,
        }
        Ok(())
    }

    /// Passes the references of a message that was written at a place to the message.
    #[inline]
    fn load(&self, tail: Cursor, ring: u64, at: usize, attachments: &Attachments) {
        if !attachments.is_empty() {
            self.set(place::LOADING_RING, ring);
            self.set(place::LOADING_AT, at as u64);
            self.set(place::LOADING, Self::loading(tail.count));
            attachments.pass_to(self.message(tail.count));
        }
    }

    /// Returns the number for a message that is about to be put, which is not 0.
    fn loading(count: u32) -> u64 {
        1 << 32 | u64::from(count)
    }

    /// Returns the message with that many before it, as the owner of references.
    fn message(&self, count: u32) -> Owner {
        let direction = self.index as u32;
        Owner::message(self.slot.pointer(), count << 1 | direction)
    }

    /// Releases the references of a message that was never put, since its producer died.
    #[cold]
    fn settle_loading(&self) {
        let tail = self.cursor(place::TAIL);
        if self.get(place::LOADING) == Self::loading(tail.count) {
            let (ring, at) = (self.get(place::LOADING_RING), self.get(place::LOADING_AT));
            let mut sent = Vec::new();
            let _ = self.read_at(ring, at as usize, &mut sent);
            self.message(tail.count).release_all(&sent);
        }
        self.set(place::LOADING, 0);
    }

    fn ring_at(&self, pointer: Pointer) -> io::Result<Arc<Slot>> {
        self.slot.part_at(pointer, Access::Ring)
    }

    /// Reads a place in any ring; adds the references of the handles in a message to `sent`.
    fn read_at(&self, ring: u64, at: usize, sent: &mut Vec<Sent>) -> io::Result<Found> {
        match Pointer::of(ring) {
            None => record::read(&self.cells()[place::RING..], at, |_| {}, sent),
            Some(pointer) => record::read(self.ring_at(pointer)?.numbers(), at, |_| {}, sent),
        }
    }

    /// Returns whether the ring of the tail has room for `size` numbers, and for one more that links the next ring.
    fn has_room(&self, length: usize, number: u64, tail: Cursor, size: usize) -> bool {
        let has_room = |head: usize| {
            let lap = if tail.at < head { length } else { 0 };
            size < length - (lap + tail.at - head)
        };
        if self.get(place::HEAD_SEEN_RING) == number
            && has_room(self.get(place::HEAD_SEEN) as usize)
        {
            return true;
        }
        let head = match self.head() {
            (head, ring) if ring == number => head.at,
            // The consumers are still in an earlier ring.
            _ => 0,
        };
        self.set_head_seen(number, head);
        has_room(head)
    }

    fn set_head_seen(&self, ring: u64, head: usize) {
        // No ring has this number: a process may be killed between the stores.
        self.set(place::HEAD_SEEN_RING, u64::MAX);
        self.set(place::HEAD_SEEN, head as u64);
        self.set(place::HEAD_SEEN_RING, ring);
    }

    /// Makes a longer ring, and puts the message there.
    fn put_onward(
        &self,
        tail: Cursor,
        full: u64,
        length: usize,
        message: &[u8],
        attachments: &Attachments,
        sent: &[Sent],
    ) -> io::Result<()> {
        let size = record::size(message.len(), sent.len());
        let too_much = |what| io::Error::new(OutOfMemory, what);
        if self.len() > u32::MAX / 2 {
            return Err(too_much("it already contains two billion messages"));
        }
        if size + 2 > LONGEST {
            return Err(too_much("the message is larger than 16 GiB"));
        }
        let least = if full == FIRST_RING { SECOND } else { THIRD };
        let length = (2 * length).clamp(least, LONGEST).max(size + 2);
        // Without memory for a longer one, a short one is enough.
        let short = SECOND.max(size + 2);
        let made = self.make_ring(length).or_else(|error| match error.kind() {
            OutOfMemory | FileTooLarge if short < length => self.make_ring(short),
            _ => Err(error),
        });
        let (reference, ring) = made?;
        let at = record::write(ring.numbers(), 0, message, sent);
        let next = ring.pointer().number();
        self.within(&self.open_put_ring, full, |ring| {
            record::write_onward(ring, tail.at, next);
        })?;
        let unused = Pointer::of(self.get(place::NEW_RING));
        if let Some(unused) = unused.filter(|unused| unused.number() != full) {
            // Its producer died before it was used.
            self.slot.free_part(unused, None);
        }
        self.set(place::NEW_RING, next);
        self.slot.keep_part(&reference);
        self.load(tail, next, 0, attachments);
        *lock(&self.open_put_ring) = Some((next, ring));
        self.move_tail(next, |cursor| cursor.after(at));
        self.set(place::NEW_RING, 0);
        Ok(())
    }

    fn make_ring(&self, length: usize) -> io::Result<(Reference, Arc<Slot>)> {
        let length = length.next_multiple_of(8) * 8;
        let access = Access::Ring;
        self.slot.new_part(Content { length, access })
    }

    /// Moves the tail to another ring, in one store.
    fn move_tail(&self, ring: u64, further: impl FnOnce(Cursor) -> Cursor) {
        self.set_head_seen(ring, 0);
        self.move_to(place::TAIL, ring, further);
    }

    /// Takes the next message, if there is one, and the references of the handles in it; the caller has the consumers'
    /// turn. Returns whether a ring that is empty now takes more memory than it should.
    pub(crate) fn take(
        &self,
        receive: &mut dyn FnMut(Message<'_>),
        attachments: &mut Attachments,
    ) -> io::Result<Option<bool>> {
        let mut sent = Vec::new();
        let mut head = self.cursor(place::HEAD);
        if !self.has_more(head) {
            return Ok(None);
        }
        loop {
            let number = self.ring(place::HEAD, head);
            let (found, length) = self.within(&self.open_take_ring, number, |ring| {
                let found = record::read(ring, head.at, &mut *receive, &mut sent);
                (found, ring.len())
            })?;
            match found? {
                Found::Message(at, size) => {
                    if !sent.is_empty() {
                        *attachments = Attachments::received(&sent, &[self.message(head.count)]);
                    }
                    let head = head.after(at);
                    self.set(place::HEAD, head.number());
                    let fits_well = size >= length / 4;
                    let wasteful = number != FIRST_RING
                        && length > LARGE
                        && !fits_well
                        && !self.has_more(head);
                    return Ok(Some(wasteful));
                }
                Found::Onward(next) => head = self.move_head(number, next),
            }
        }
    }

    /// Moves the head to another ring, in one store, and frees the ring before.
    fn move_head(&self, from: u64, to: u64) -> Cursor {
        // One that a killed process did not free.
        self.free_old_ring(from);
        if let Some(old) = Pointer::of(from)
            && let Ok(old) = self.ring_at(old)
        {
            self.set(place::OLD_GENERATION, u64::from(old.generation()));
        }
        self.set(place::OLD_RING, from);
        let moved = self.move_to(place::HEAD, to, |cursor| cursor);
        *lock(&self.open_take_ring) = None;
        self.free_old_ring(to);
        moved
    }

    /// Frees the ring that the consumers have left, unless it is the `current` one, which they are about to leave.
    fn free_old_ring(&self, current: u64) {
        let old = Pointer::of(self.get(place::OLD_RING));
        if let Some(old) = old.filter(|old| old.number() != current) {
            let generation = self.get_small(place::OLD_GENERATION);
            self.slot.free_part(old, Some(generation));
        }
        self.set(place::OLD_RING, FIRST_RING);
    }

    /// Releases the references of all messages, and frees the rings; no process uses the channel.
    fn discard(&self) {
        self.settle_loading();
        let head = self.cursor(place::HEAD);
        let (mut ring, mut at) = (self.ring(place::HEAD, head), head.at);
        let end = self.put_count();
        let mut count = head.count;
        let mut rings = vec![self.get(place::NEW_RING), ring];
        if self.get(place::OLD_RING) != FIRST_RING {
            self.free_old_ring(FIRST_RING);
        }
        while count != end {
            let mut sent = Vec::new();
            match self.read_at(ring, at, &mut sent) {
                Ok(Found::Message(next, _)) => {
                    self.message(count).release_all(&sent);
                    at = next;
                    count = count.wrapping_add(1);
                }
                // No ring is left twice, except the first.
                Ok(Found::Onward(next)) if next == FIRST_RING || !rings[1..].contains(&next) => {
                    (ring, at) = (next, 0);
                    rings.push(ring);
                }
                Ok(Found::Onward(_)) | Err(_) => break,
            }
        }
        rings.push(self.ring(place::TAIL, self.cursor(place::TAIL)));
        for ring in rings.into_iter().filter_map(Pointer::of) {
            self.slot.free_part(ring, None);
        }
    }

    /// Returns whether the rings are empty, and take more memory than the first.
    pub(crate) fn is_wasteful(&self) -> bool {
        let (head, ring) = self.head();
        ring != FIRST_RING && head.count == self.put_count()
    }

    /// Returns to the first ring, if the rings are still empty; the caller has the turns of both sides.
    pub(crate) fn return_to_first_ring(&self) -> io::Result<()> {
        let (tail, head) = (self.cursor(place::TAIL), self.cursor(place::HEAD));
        let ring = self.ring(place::TAIL, tail);
        if tail.count != head.count || ring != self.ring(place::HEAD, head) || ring == FIRST_RING {
            return Ok(());
        }
        self.settle_loading();
        self.within(&self.open_put_ring, ring, |ring| {
            record::write_onward(ring, tail.at, FIRST_RING);
        })?;
        *lock(&self.open_put_ring) = None;
        self.move_tail(FIRST_RING, |cursor| cursor);
        self.move_head(ring, FIRST_RING);
        Ok(())
    }

    /// Calls `work` with the numbers of a ring.
    #[inline]
    fn within<R>(
        &self,
        open_ring: &OpenRing,
        number: u64,
        work: impl FnOnce(&[AtomicU64]) -> R,
    ) -> io::Result<R> {
        let Some(pointer) = Pointer::of(number) else {
            return Ok(work(&self.cells()[place::RING..]));
        };
        let mut open_ring = lock(open_ring);
        if let Some((open, ring)) = &*open_ring
            && *open == number
            && ring.is_current()
        {
            return Ok(work(ring.numbers()));
        }
        let (_, ring) = open_ring.insert((number, self.ring_at(pointer)?));
        Ok(work(ring.numbers()))
    }
}

/// Discards the messages of a channel that is being freed.
pub(crate) fn discard(chunk: &Arc<Chunk>, unit: u32) {
    if let Ok(slot) = Slot::unowned(chunk, unit) {
        for index in 0..slot.numbers().len() / DIRECTION {
            Rings::new(Arc::clone(&slot), index).discard();
        }
    }
}

fn lock(open_ring: &OpenRing) -> MutexGuard<'_, Option<(u64, Arc<Slot>)>> {
    open_ring.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::memory::freeing;
    use crate::memory::liveness::UniquePid;
    use crate::transfer::attachments;

    /// A channel, and a slot for its messages.
    fn rings() -> (Rings, Arc<Slot>) {
        (Rings::new(memory(), 0), memory())
    }

    fn memory() -> Arc<Slot> {
        memory_of(1)
    }

    fn memory_of(directions: usize) -> Arc<Slot> {
        freeing::discard_with(discard);
        let content = Content {
            length: directions * DIRECTION * 8,
            access: Access::Channel,
        };
        Slot::create(4, 1, content).unwrap()
    }

    fn with_reference(slot: &Slot) -> Attachments {
        let ((), attachments) = attachments::collect(|| {
            attachments::add(Arc::new(slot.reference(None).unwrap()));
        });
        attachments
    }

    /// Takes a message; returns the references of the handles in it.
    fn take(rings: &Rings) -> Attachments {
        let mut attachments = Attachments::default();
        let taken = rings.take(&mut |_| {}, &mut attachments);
        taken.unwrap().expect("there is a message");
        attachments
    }

    fn is_owned_by_message(slot: &Slot) -> bool {
        let me = Owner::process(UniquePid::current());
        slot.has_owner(|owner| owner != me).unwrap()
    }

    #[test]
    fn the_references_of_a_message_are_its_own_until_it_is_taken_or_discarded() {
        let (rings, slot) = rings();
        for round in 0..2 {
            let attachments = with_reference(&slot);
            rings.put(b"a message", &attachments).unwrap();
            drop(attachments);
            assert!(is_owned_by_message(&slot));
            if round == 0 {
                let taken = take(&rings);
                assert!(!is_owned_by_message(&slot));
                assert_eq!(taken.references().count(), 1);
            }
        }
        drop(rings);
        assert!(!is_owned_by_message(&slot));
    }

    #[test]
    fn a_producer_that_dies_before_it_has_put_its_message_leaves_no_reference() {
        // In the ring of the tail, in a new ring, and in one that is freed before anybody puts again.
        for (length, is_freed) in [(8, false), (2000, false), (2000, true)] {
            let (rings, slot) = rings();
            let attachments = with_reference(&slot);
            // As it is just before the last store.
            let (tail, taken) = (rings.get(place::TAIL), rings.get(place::HEAD));
            let (first, second) = (rings.get(place::TAIL + 1), rings.get(place::TAIL + 2));
            rings.put(&vec![1; length], &attachments).unwrap();
            drop(attachments);
            if is_freed {
                // The cursors are in the new ring, without the message.
                let now = rings.cursor(place::TAIL);
                let before = Cursor {
                    count: 0,
                    at: 0,
                    ..now
                };
                rings.set(
                    place::HEAD + 1 + usize::from(now.second),
                    rings.ring(place::TAIL, now),
                );
                rings.set(place::HEAD, before.number());
                rings.set(place::TAIL, before.number());
                rings.return_to_first_ring().unwrap();
                assert!(!is_owned_by_message(&slot));
                continue;
            }
            let new = rings.ring(place::TAIL, rings.cursor(place::TAIL));
            rings.set(place::TAIL, tail);
            rings.set(place::TAIL + 1, first);
            rings.set(place::TAIL + 2, second);
            rings.set(place::NEW_RING, new);
            assert_eq!(rings.get(place::HEAD), taken);
            *lock(&rings.open_put_ring) = None;
            assert!(is_owned_by_message(&slot));
            rings.put(b"the next", &Attachments::default()).unwrap();
            assert!(!is_owned_by_message(&slot));
            let mut bytes = Vec::new();
            let mut receive = |message: Message<'_>| message.copy_to(&mut bytes);
            rings
                .take(&mut receive, &mut Attachments::default())
                .unwrap()
                .unwrap();
            assert_eq!(bytes, b"the next");
        }
    }

    #[test]
    fn a_message_whose_receiver_died_with_its_references_is_taken_without_them() {
        let (rings, slot) = rings();
        let head = rings.get(place::HEAD);
        rings.put(b"a message", &with_reference(&slot)).unwrap();
        let first = take(&rings);
        assert_eq!(first.references().count(), 1);
        // It died before it had moved the head, and its references were released.
        drop(first);
        rings.set(place::HEAD, head);
        let second = take(&rings);
        assert_eq!(second.references().count(), 0);
        assert!(!is_owned_by_message(&slot));
    }

    #[test]
    fn rings_are_freed_with_their_channel() {
        let (rings, _) = rings();
        let mut used = Vec::new();
        for length in [10, 1000, 10_000, 100_000] {
            rings
                .put(&vec![0; length], &Attachments::default())
                .unwrap();
            used.push(rings.ring(place::TAIL, rings.cursor(place::TAIL)));
        }
        let used: Vec<_> = used.into_iter().filter_map(Pointer::of).collect();
        assert_eq!(used.len(), 3, "each but the first is in a ring of its own");
        let run = rings.slot.run();
        let is_ring = |pointer: &Pointer| {
            rings
                .slot
                .part_at(*pointer, Access::Ring)
                .is_ok_and(|ring| ring.has_owner(|_| true).unwrap())
        };
        assert!(used.iter().all(is_ring));
        let other = memory();
        assert_eq!(other.run(), run);
        drop(rings);
        let has_owner = |pointer: &Pointer| {
            let ring = other.part_at(*pointer, Access::Ring);
            ring.is_ok_and(|ring| ring.has_owner(|_| true).unwrap())
        };
        assert!(!used.iter().any(has_owner));
    }

    #[test]
    fn a_reference_that_was_passed_on_is_not_released_with_that_of_its_receiver() {
        let (rings, slot) = rings();
        let sent = with_reference(&slot);
        rings.put(b"a message", &sent).unwrap();
        // A receiver in the same process has the same place.
        let taken = take(&rings);
        let me = Owner::process(UniquePid::current());
        let count = || {
            let count = Cell::new(0);
            let counts = |owner| {
                count.set(count.get() + usize::from(owner == me));
                false
            };
            slot.has_owner(counts).unwrap();
            count.get()
        };
        assert_eq!(count(), 2);
        drop(sent);
        assert_eq!(count(), 2, "this process's own, and the receiver's");
        drop(taken);
        assert_eq!(count(), 1);
    }

    #[test]
    fn a_ring_that_is_made_where_another_was_is_opened_again() {
        let (one, _) = rings();
        // As another process has it.
        let two = Rings::new(Arc::clone(&one.slot), 0);
        let nothing = Attachments::default();
        one.put(&[1; 700], &nothing).unwrap();
        one.put(&[1; 8], &nothing).unwrap();
        let first = one.ring(place::TAIL, one.cursor(place::TAIL));
        take(&one);
        take(&two);
        one.return_to_first_ring().unwrap();
        // In a ring of another length.
        one.put(&[2; 8160], &nothing).unwrap();
        let second = one.ring(place::TAIL, one.cursor(place::TAIL));
        assert_eq!(first, second);
        take(&one);
        one.put(&[3], &nothing).unwrap();
        take(&two);
    }

    #[test]
    fn a_note_of_an_old_ring_frees_no_later_one_in_its_place() {
        let there = Rings::new(memory_of(2), 0);
        let back = Rings::new(Arc::clone(&there.slot), 1);
        let nothing = Attachments::default();
        for length in [700, 8] {
            there.put(&vec![1; length], &nothing).unwrap();
        }
        let old = there.ring(place::TAIL, there.cursor(place::TAIL));
        take(&there);
        take(&there);
        there.put(&vec![1; 9000], &nothing).unwrap();
        take(&there);
        // The consumer died before it had removed its note.
        there.set(place::OLD_RING, old);
        back.put(&vec![3; 700], &nothing).unwrap();
        let new = back.ring(place::TAIL, back.cursor(place::TAIL));
        assert_eq!(old, new, "the other direction has a ring in the same place");
        there.return_to_first_ring().unwrap();
        let ring = back.ring_at(Pointer::of(new).unwrap()).unwrap();
        assert!(ring.has_owner(|_| true).unwrap());
        take(&back);
    }

    #[test]
    fn a_message_takes_no_reference_of_a_later_one() {
        let (rings, slot) = rings();
        rings.put(b"first", &with_reference(&slot)).unwrap();
        let head = rings.get(place::HEAD);
        // The receiver died before it had moved the head, and its references were released.
        drop(take(&rings));
        rings.set(place::HEAD, head);
        // Up to as many as have numbers of their own, and in the same place.
        for _ in 0..40 {
            rings.put(b"x", &Attachments::default()).unwrap();
        }
        rings.put(b"last", &with_reference(&slot)).unwrap();
        let first = take(&rings);
        assert_eq!(first.references().count(), 0);
        for _ in 0..40 {
            take(&rings);
        }
        let last = take(&rings);
        assert_eq!(last.references().count(), 1);
    }
}
