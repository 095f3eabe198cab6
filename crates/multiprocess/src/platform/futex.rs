//! Waiting for a number in shared memory to change, without using the processor.

use std::sync::atomic::AtomicU32;
use std::time::Instant;

pub(crate) use crate::platform::unix::futex::Seen;

/// Waits until one of the numbers differs from what was seen, or the deadline has passed. It may return early: the
/// caller checks what it waits for, and calls again.
pub(crate) fn wait(words: &[Seen<'_>], deadline: Instant) {
    dispatch!(futex::wait(words, deadline));
}

/// Wakes up to `count` waiters of the word. Returns whether it is certain that no waiter is left that began before the
/// word changed.
#[inline]
pub(crate) fn wake(word: &AtomicU32, count: u32) -> bool {
    dispatch!(futex::wake(word, count))
}
