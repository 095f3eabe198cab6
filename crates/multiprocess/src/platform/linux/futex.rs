//! Waiting for a number in shared memory to change, by futex: the process sleeps until it is woken.

use std::sync::atomic::AtomicU32;
use std::time::Instant;

use rustix::io::Errno;
use rustix::thread::futex;

use crate::platform::is_portable;
use crate::platform::unix::futex::wait as poll;
use crate::platform::wait_until::WaitUntil;

pub(crate) use crate::platform::unix::futex::Seen;

/// Waits until one of the numbers differs from what was seen, or the deadline has passed. It may return early: the
/// caller checks what it waits for, and calls again.
pub(crate) fn wait(words: &[Seen<'_>], deadline: Instant) {
    match words {
        words if is_portable() => poll(words, deadline),
        [(word, seen)] => {
            let rest = WaitUntil::Until(Some(deadline)).timespec();
            // Timed out, interrupted, or changed meanwhile: all the same to the caller.
            let _ = futex::wait(word, futex::Flags::empty(), *seen, rest.as_ref());
        }
        words => {
            if wait_vector(words, deadline).is_err() {
                poll(words, deadline);
            }
        }
    }
}

/// Calls the kernel's wait for several numbers; an error where it has none, or there are too many of them.
fn wait_vector(words: &[Seen<'_>], deadline: Instant) -> rustix::io::Result<()> {
    let mut waits = Vec::with_capacity(words.len());
    for (word, seen) in words {
        let mut wait = futex::Wait::new();
        wait.val = u64::from(*seen);
        wait.uaddr = futex::WaitPtr::new(std::ptr::from_ref(*word).cast_mut().cast());
        wait.flags = futex::WaitFlags::SIZE_U32;
        waits.push(wait);
    }
    // This call counts time from the start of the system, not from now.
    let clock = rustix::time::ClockId::Monotonic;
    let rest = WaitUntil::Until(Some(deadline)).timespec();
    let end = rest.map(|rest| rustix::time::clock_gettime(clock) + rest);
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

/// Wakes up to `count` waiters of the word. Returns whether it is certain that no waiter is left that began before the
/// word changed.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> bool {
    let wake = || futex::wake(word, futex::Flags::empty(), count);
    is_portable() || wake().is_ok_and(|woken| u32::try_from(woken).is_ok_and(|woken| woken < count))
}
