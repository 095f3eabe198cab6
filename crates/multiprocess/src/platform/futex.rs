//! Waiting for a number in shared memory to change, without using the processor.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

pub(crate) use crate::platform::unix::futex::Seen;

/// Waits until `word` differs from `seen` or the deadline has passed. It may return early: the caller checks what it
/// waits for, and calls again.
pub(crate) fn wait_while(word: &AtomicU32, seen: u32, deadline: Option<Instant>) {
    wait_for_any(&[(word, seen)], deadline);
}

/// Waits until one of the numbers changes or the deadline has passed; as [`wait_while`].
pub(crate) fn wait_for_any(words: &[Seen<'_>], deadline: Option<Instant>) {
    let has_changed = |(word, seen): &Seen<'_>| word.load(Ordering::Acquire) != *seen;
    if words.is_empty()
        || words.iter().any(has_changed)
        || deadline.is_some_and(|deadline| Instant::now() >= deadline)
    {
        return;
    }
    dispatch!(futex::wait(words, deadline));
}

/// Wakes up to `count` waiters of the word. Returns whether it is certain that no waiter is left that began before the
/// word changed.
#[inline]
pub(crate) fn wake(word: &AtomicU32, count: u32) -> bool {
    dispatch!(futex::wake(word, count))
}
