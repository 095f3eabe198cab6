//! Waiting for a number by polling: pauses that grow from 20 microseconds to 2 milliseconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A number to wait for, and the value that the caller has seen.
pub(crate) type Seen<'a> = (&'a AtomicU32, u32);

/// Waits until one of the numbers has changed or the deadline has passed.
pub(crate) fn wait(words: &[Seen<'_>], deadline: Option<Instant>) {
    let mut pause = Duration::from_micros(20);
    while words
        .iter()
        .all(|(word, seen)| word.load(Ordering::Acquire) == *seen)
    {
        let now = Instant::now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            return;
        }
        let rest = deadline.map_or(pause, |deadline| deadline - now);
        std::thread::sleep(pause.min(rest));
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

/// Does nothing: the waiters poll.
pub(crate) fn wake(_word: &AtomicU32, _count: u32) -> bool {
    true
}
