//! Waiting for the first of several channels or processes that is ready.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::channel::mpmc::Mpmc;
use crate::errors::error::{Error, Result};
use crate::memory::eventcount::{self, AdaptiveSpin, EventCount};

/// A type that [`wait`] can wait for: a [`Connection`](crate::Connection), a [`Receiver`](crate::Receiver), a
/// [`Queue`](crate::Queue), or the end of a process, by its [`JoinHandle`](crate::JoinHandle).
pub trait Waitable: sealed::Sealed + Send + Sync {}

pub(crate) mod sealed {
    /// Implemented within this crate only.
    pub trait Sealed {
        #[doc(hidden)]
        #[allow(private_interfaces, reason = "the trait has no name outside")]
        fn source(&self) -> &dyn super::Source;
    }
}

/// Something to wait for.
pub(crate) trait Source {
    /// Notified when it becomes ready.
    fn changed(&self) -> EventCount<'_>;

    /// Returns whether it is ready, as far as is known without a system call.
    fn looks_ready(&self) -> bool;

    /// Returns whether it is ready.
    fn is_ready(&self) -> bool;

    /// Returns how long to spin before sleeping, if that may help.
    fn spin(&self) -> Option<&AdaptiveSpin>;
}

impl Source for Mpmc {
    fn changed(&self) -> EventCount<'_> {
        self.not_empty()
    }

    fn looks_ready(&self) -> bool {
        // In a copy made by `fork`, taking returns an error at once.
        self.has_message_or_end() || !self.rings.slot.is_own()
    }

    fn is_ready(&self) -> bool {
        !self.rings.is_empty() || self.is_over(true)
    }

    fn spin(&self) -> Option<&AdaptiveSpin> {
        Some(&self.spin)
    }
}

/// Waits until at least one in a list is ready, and returns the indices of the ready ones, in ascending order.
///
/// A process is ready when it has ended; a queue, receiver or connection is ready when it has a message or has ended.
/// What has ended stays ready, so remove it from the list. While another one is ready, this call may not report one
/// whose other side was killed; a later call does. If other processes receive from the same queue, one of them may be
/// faster, and your receive waits again; use a `try_…` method if it must not.
///
/// Python: `multiprocessing.connection.wait(connections)`, with the `sentinel` of a process.
///
/// # Panics
///
/// If the list is empty: the call would wait forever.
///
/// # Examples
///
/// ```
/// use multiprocess::{pipe, wait};
///
/// let (first, _first_peer) = pipe::<(), i32>()?;
/// let (second, second_peer) = pipe::<(), i32>()?;
/// second_peer.send(7)?;
/// assert_eq!(wait(&[&first, &second]), [1]);
/// assert_eq!(second.recv()?, 7);
/// # Ok::<(), multiprocess::Error>(())
/// ```
///
/// Processes, in the order in which they end:
///
/// ```
/// use multiprocess::{Waitable, spawn, task, wait};
///
/// fn nap(milliseconds: u64) {
///     std::thread::sleep(std::time::Duration::from_millis(milliseconds));
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(nap)]);
///     let mut children = vec![spawn(nap, (30,))?, spawn(nap, (10,))?, spawn(nap, (20,))?];
///     while !children.is_empty() {
///         let list: Vec<&dyn Waitable> = children.iter().map(|child| child as _).collect();
///         // Backwards, since removing a child moves those after it.
///         for index in wait(&list).into_iter().rev() {
///             children.remove(index).join()?;
///         }
///     }
///     Ok(())
/// }
/// ```
#[must_use]
pub fn wait(several: &[&dyn Waitable]) -> Vec<usize> {
    assert!(
        !several.is_empty(),
        "`multiprocess::wait` needs at least one thing to wait for"
    );
    wait_until(several, None)
}

/// Waits as [`wait`] does, but at most `limit`.
///
/// Python: `multiprocessing.connection.wait(connections, seconds)`, which returns an empty list after a timeout.
///
/// # Errors
///
/// [`Error::Timeout`] if none is ready within `limit`.
pub fn wait_timeout(several: &[&dyn Waitable], limit: Duration) -> Result<Vec<usize>> {
    // A limit that the clock can't express is no limit.
    let ready = wait_until(several, Instant::now().checked_add(limit));
    if ready.is_empty() {
        return Err(Error::timeout("one of several to be ready", limit));
    }
    Ok(ready)
}

fn wait_until(several: &[&dyn Waitable], deadline: Option<Instant>) -> Vec<usize> {
    let several: Vec<&dyn Source> = several.iter().map(|one| one.source()).collect();
    let eventcounts: Vec<_> = several.iter().map(|one| one.changed()).collect();
    let is_ready = || several.iter().any(|one| one.looks_ready());
    let places_of = |is_ready: fn(&dyn Source) -> bool| -> Vec<usize> {
        let places = 0..several.len();
        places.filter(|&place| is_ready(several[place])).collect()
    };
    let mut slept = false;
    loop {
        let spin = several.iter().find_map(|one| one.spin());
        let looked = spin.is_some_and(|spin| spin.spin(is_ready));
        let mut ready = places_of(|one| one.looks_ready());
        match ready.first() {
            // Asks the system about one of the others, so that all killed ones are found eventually.
            Some(_) => {
                ready.extend(any_other(&several, &ready));
                ready.sort_unstable();
            }
            None => ready = places_of(|one| one.is_ready()),
        }
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if !ready.is_empty() || over {
            if slept {
                // The caller may not take what is ready, so pass the wake-up on to another sleeper.
                for &place in &ready {
                    several[place].changed().notify_one();
                }
            }
            return ready;
        }
        if !looked {
            slept = true;
            eventcount::sleep(&eventcounts, deadline, is_ready);
        }
    }
}

/// Returns one of the places that don't look ready, a different one each time, if the system knows that it has ended.
fn any_other(several: &[&dyn Source], ready: &[usize]) -> Option<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Mixed, so that alternating lists don't get the same places each time.
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let place = (next.wrapping_mul(0x9E37_79B9) >> 8) % several.len();
    (!ready.contains(&place) && several[place].is_ready()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::queue::Queue;

    /// Longer than anything here takes; a thread that missed its wake-up sleeps until then.
    const LIMIT: Duration = Duration::from_mins(1);
    const MOMENT: Duration = Duration::from_millis(20);

    #[test]
    fn a_thread_that_only_waits_passes_the_wake_up_on_to_one_that_takes() {
        let start = Instant::now();
        let (first, second) = (Queue::<u8>::new().unwrap(), Queue::<u8>::new().unwrap());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| wait_timeout(&[&first, &second], LIMIT));
            std::thread::sleep(MOMENT);
            let takes = scope.spawn(|| second.get_timeout(LIMIT));
            std::thread::sleep(MOMENT);
            second.put(7).unwrap();
            assert_eq!(takes.join().unwrap().unwrap(), 7);
            assert!(start.elapsed() < LIMIT / 2, "it missed its wake-up");
            // It may have been too late to see it.
            first.put(8).unwrap();
            waits.join().unwrap().unwrap();
        });
    }
}
