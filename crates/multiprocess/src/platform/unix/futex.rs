//! Waiting for a number by polling.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::platform::wait_until::{Pauses, WaitUntil};

/// A number to wait for, and the value that the caller has seen.
pub(crate) type Seen<'a> = (&'a AtomicU32, u32);

pub(crate) fn wait(words: &[Seen<'_>], deadline: Instant) {
    let has_changed = |(word, seen): &Seen<'_>| word.load(Ordering::Acquire) != *seen;
    let mut pauses = Pauses::new();
    while !words.iter().any(has_changed) && pauses.sleep(WaitUntil::Until(Some(deadline))) {}
}

/// Does nothing: the waiters poll.
pub(crate) fn wake(_word: &AtomicU32, _count: u32) -> bool {
    true
}
