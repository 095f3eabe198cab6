//! Waiting for a number in shared memory to change, without using the processor.
//!
//! On Linux by futex, which puts the process to sleep until it is woken. The portable twin looks again after
//! pauses that grow from 20 microseconds to 2 milliseconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
use rustix::thread::futex;

/// A number to wait for, and what it was when it was looked at.
pub(crate) type Seen<'a> = (&'a AtomicU32, u32);

/// Waits until `word` differs from `seen` or the deadline has passed. It may return early: the caller looks at
/// what it waits for, and comes back.
pub(crate) fn wait_while(word: &AtomicU32, seen: u32, deadline: Option<Instant>) {
    let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if rest.is_some_and(|rest| rest.is_zero()) || word.load(Ordering::Acquire) != seen {
        return;
    }
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    if !crate::platform::is_forced() {
        // Timed out, interrupted, or changed meanwhile: all the same to the caller.
        let _ = futex::wait(word, futex::Flags::empty(), seen, limit(rest).as_ref());
        return;
    }
    look_again(&[(word, seen)], deadline);
}

/// Waits until one of the numbers changes or the deadline has passed; as [`wait_while`].
pub(crate) fn wait_for_any(words: &[Seen<'_>], deadline: Option<Instant>) {
    match words {
        [] => {}
        [(word, seen)] => wait_while(word, *seen, deadline),
        words => {
            #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
            if !crate::platform::is_forced() && vector(words, deadline).is_ok() {
                return;
            }
            look_again(words, deadline);
        }
    }
}

/// The kernel's own wait for several numbers, where it has one and there are not too many of them.
#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
fn vector(words: &[Seen<'_>], deadline: Option<Instant>) -> rustix::io::Result<()> {
    use rustix::io::Errno;

    let mut waits = Vec::with_capacity(words.len());
    for (word, seen) in words {
        let mut wait = futex::Wait::new();
        wait.val = u64::from(*seen);
        wait.uaddr = futex::WaitPtr::new(std::ptr::from_ref(*word).cast_mut().cast());
        wait.flags = futex::WaitFlags::SIZE_U32;
        waits.push(wait);
    }
    let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    // This call counts time from the start of the system, not from now.
    let clock = rustix::time::ClockId::Monotonic;
    let end = limit(rest).map(|rest| rustix::time::clock_gettime(clock) + rest);
    match futex::waitv(
        &waits,
        futex::WaitvFlags::empty(),
        end.as_ref(),
        futex::ClockId::Monotonic,
    ) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
fn limit(rest: Option<Duration>) -> Option<futex::Timespec> {
    rest.map(|rest| {
        let rest = rest.min(Duration::from_hours(24));
        futex::Timespec::try_from(rest).expect("a day can be expressed")
    })
}

fn look_again(words: &[Seen<'_>], deadline: Option<Instant>) {
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

/// Wakes up to `count` of those that wait for the word to change. Returns whether it is certain that nobody is left
/// who began to wait before it changed.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> bool {
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    if !crate::platform::is_forced() {
        return futex::wake(word, futex::Flags::empty(), count)
            .is_ok_and(|woken| u32::try_from(woken).is_ok_and(|woken| woken < count));
    }
    // The portable twin looks by itself.
    let _ = (word, count);
    true
}
