//! Waiting for a number in shared memory to change, without using the processor.
//!
//! On Linux by futex, which puts the process to sleep until it is woken. The portable twin looks again after
//! pauses that grow from 20 microseconds to 2 milliseconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use rustix::thread::futex;

/// Waits until `word` differs from `seen` or the deadline has passed. It may return early: the caller looks at
/// what it waits for, and comes back.
pub(crate) fn wait_while(word: &AtomicU32, seen: u32, deadline: Option<Instant>) {
    let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if rest.is_some_and(|rest| rest.is_zero()) || word.load(Ordering::Acquire) != seen {
        return;
    }
    #[cfg(target_os = "linux")]
    if !crate::portable::is_forced() {
        let limit = rest.map(|rest| {
            let rest = rest.min(Duration::from_hours(24));
            futex::Timespec::try_from(rest).expect("a day can be expressed")
        });
        // Woken, timed out, interrupted, or changed meanwhile: all the same to the caller.
        let _ = futex::wait(word, futex::Flags::empty(), seen, limit.as_ref());
        return;
    }
    let mut pause = Duration::from_micros(20);
    while word.load(Ordering::Acquire) == seen {
        let now = Instant::now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            return;
        }
        let rest = deadline.map_or(pause, |deadline| deadline - now);
        std::thread::sleep(pause.min(rest));
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

/// Wakes up to `count` of those that wait for the word to change.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    #[cfg(target_os = "linux")]
    if !crate::portable::is_forced() {
        let _ = futex::wake(word, futex::Flags::empty(), count);
    }
    // The portable twin looks by itself.
    let _ = (word, count);
}
