//! Records: the format of messages in a ring of shared memory.
//!
//! A ring is an array of 64-bit numbers that wraps around. A record is one number with the length of the message, and
//! as many more as its bytes need; up to seven bytes are in the first number itself. If there are handles in the
//! message, their references come between the two, after their count, so that they can be released by a process that
//! can't read the message.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::sent::Sent;
use crate::transfer::block::Message;

/// The lowest byte of a record's first number: 1 to 8 for a message of 0 to 7 bytes, which is in the other bytes, …
const LONG: u64 = 9;
/// … or this: a message with handles, …
const LOADED: u64 = 10;
/// … or this: the ring ends here, and the other bytes are the number of the next ring.
const ONWARD: u64 = 11;

/// Bytes of a message that fit into the first number.
const SHORT: usize = 7;

/// Returns how many numbers a message takes in a ring.
pub(crate) fn size(message: usize, sent: usize) -> usize {
    match (message, sent) {
        (..=SHORT, 0) => 1,
        (_, 0) => 1 + message.div_ceil(8),
        _ => 2 + sent * Sent::NUMBERS + message.div_ceil(8),
    }
}

/// Writes a message at a place of the ring that has room for it; returns the place after it.
pub(crate) fn write(ring: &[AtomicU64], at: usize, message: &[u8], sent: &[Sent]) -> usize {
    let first = &ring[at];
    let mut after = step(ring, at, 1);
    if sent.is_empty() && message.len() <= SHORT {
        let mut bytes = [0; 8];
        bytes[1..=message.len()].copy_from_slice(message);
        let number = u64::from_le_bytes(bytes) | (message.len() as u64 + 1);
        first.store(number, Ordering::Relaxed);
        return after;
    }
    let kind = if sent.is_empty() { LONG } else { LOADED };
    first.store((message.len() as u64) << 8 | kind, Ordering::Relaxed);
    if !sent.is_empty() {
        ring[after].store(sent.len() as u64, Ordering::Relaxed);
        after = write_bytes(ring, step(ring, after, 1), bytemuck::cast_slice(sent));
    }
    write_bytes(ring, after, message)
}

fn write_bytes(ring: &[AtomicU64], at: usize, bytes: &[u8]) -> usize {
    let (whole, rest) = bytes.as_chunks::<8>();
    let (from_start, until_end) = ring.split_at(at);
    let split = whole.len().min(until_end.len());
    store(until_end, &whole[..split]);
    store(from_start, &whole[split..]);
    let at = step(ring, at, whole.len());
    if rest.is_empty() {
        return at;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    ring[at].store(u64::from_le_bytes(last), Ordering::Relaxed);
    step(ring, at, 1)
}

/// Writes a link to the next ring in place of a record.
pub(crate) fn write_onward(ring: &[AtomicU64], at: usize, next: u64) {
    ring[at].store(next << 8 | ONWARD, Ordering::Relaxed);
}

/// The content of a place in a ring.
pub(crate) enum Found {
    /// A message: the place after it, and how many numbers it takes.
    Message(usize, usize),
    /// The number of the next ring.
    Onward(u64),
}

/// Reads a place in the ring; passes a message to `receive`, and adds the references of the handles in it to `sent`.
#[inline]
pub(crate) fn read(
    ring: &[AtomicU64],
    at: usize,
    receive: impl FnOnce(Message<'_>),
    sent: &mut Vec<Sent>,
) -> io::Result<Found> {
    let first = ring.get(at).ok_or_else(broken)?.load(Ordering::Relaxed);
    let after = step(ring, at, 1);
    let length = || usize::try_from(first >> 8).map_err(|_| broken());
    match first & 0xff {
        1..=8 => {
            let bytes = first.to_le_bytes();
            let length = usize::from(bytes[0]) - 1;
            receive(Message::Bytes(&bytes[1..=length]));
            Ok(Found::Message(after, 1))
        }
        LONG => {
            let length = length()?;
            let words = words(ring, after, length.div_ceil(8), 1)?;
            receive(Message::Words(words, length));
            let size = words[0].len() + words[1].len();
            Ok(Found::Message(step(ring, after, size), size + 1))
        }
        LOADED => read_loaded(ring, after, length()?, receive, sent),
        ONWARD => Ok(Found::Onward(first >> 8)),
        _ => Err(broken()),
    }
}

/// Reads a message with handles, from its second number on.
#[cold]
fn read_loaded(
    ring: &[AtomicU64],
    at: usize,
    length: usize,
    receive: impl FnOnce(Message<'_>),
    sent: &mut Vec<Sent>,
) -> io::Result<Found> {
    let count = usize::try_from(ring[at].load(Ordering::Relaxed)).map_err(|_| broken())?;
    let numbers = count.checked_mul(Sent::NUMBERS).ok_or_else(broken)?;
    let [front, back] = words(ring, step(ring, at, 1), numbers, 2)?;
    let words_of_sent = front.iter().chain(back);
    let copied: Vec<u64> = words_of_sent
        .map(|word| word.load(Ordering::Relaxed))
        .collect();
    sent.extend_from_slice(bytemuck::cast_slice(&copied));
    let after = step(ring, step(ring, at, 1), numbers);
    let size = length.div_ceil(8);
    receive(Message::Words(
        words(ring, after, size, 2 + numbers)?,
        length,
    ));
    Ok(Found::Message(step(ring, after, size), 2 + numbers + size))
}

/// Returns so many numbers from a place on, in two pieces, if they fit into the ring with those `before`.
fn words(
    ring: &[AtomicU64],
    at: usize,
    count: usize,
    before: usize,
) -> io::Result<[&[AtomicU64]; 2]> {
    if count > ring.len().saturating_sub(before) {
        return Err(broken());
    }
    let (from_start, until_end) = ring.split_at(at);
    let split = count.min(until_end.len());
    Ok([&until_end[..split], &from_start[..count - split]])
}

/// Returns the place `count` numbers later.
fn step(ring: &[AtomicU64], at: usize, count: usize) -> usize {
    let to = at + count;
    if to < ring.len() { to } else { to - ring.len() }
}

fn store(cells: &[AtomicU64], bytes: &[[u8; 8]]) {
    for (cell, bytes) in cells.iter().zip(bytes) {
        cell.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
    }
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "something else wrote into the shared memory",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(length: usize) -> Vec<AtomicU64> {
        (0..length).map(|_| AtomicU64::new(u64::MAX)).collect()
    }

    #[test]
    fn a_message_of_any_length_at_any_place_comes_back() {
        for length in 0..=40 {
            let message: Vec<u8> = (1..=length).collect();
            let size = size(message.len(), 0);
            let ring = ring(size + 1);
            for at in 0..ring.len() {
                let after = write(&ring, at, &message, &[]);
                assert_eq!(after, (at + size) % ring.len());
                let mut read_back = vec![9; 3];
                let found = read(
                    &ring,
                    at,
                    |message| message.copy_to(&mut read_back),
                    &mut Vec::new(),
                )
                .expect("it was written");
                assert!(matches!(found, Found::Message(place, _) if place == after));
                assert_eq!(read_back, message);
            }
        }
    }

    #[test]
    fn the_number_of_the_next_ring_comes_back_and_an_invalid_record_is_an_error() {
        let ring = ring(3);
        write_onward(&ring, 2, 70_000);
        let found = read(&ring, 2, |_| {}, &mut Vec::new()).expect("it was written");
        assert!(matches!(found, Found::Onward(70_000)));
        for number in [0, 12, u64::MAX, 1 << 20 | LONG] {
            ring[0].store(number, Ordering::Relaxed);
            assert!(read(&ring, 0, |_| {}, &mut Vec::new()).is_err());
        }
        assert!(read(&ring, 3, |_| {}, &mut Vec::new()).is_err());
    }
}
