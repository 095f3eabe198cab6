//! The event: a flag that processes wait for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::errors::error::Result;
use crate::memory::layout::words;
use crate::memory::segment::{Access, Segment};
use crate::memory::timeout::is_over;
use crate::platform::futex;
use crate::sync::monitor::next_check;
use crate::sync::typed_memory::create;
use crate::transfer::handle::handle;

/// A flag that processes set, clear, and wait for.
///
/// It is a handle, like [`Lock`](crate::Lock). Setting it is one store, so no death leaves it half set. Waiters wake up
/// at once, or, if the process that set it died before it could wake them, a tenth of a second later.
///
/// Python: `multiprocessing.Event`. Different here: a waiting process that is killed does not disturb the others;
/// in Python `set` can then wait for ever.
///
/// # Examples
///
/// ```
/// use multiprocess::{Event, spawn, task};
///
/// fn runner(start: Event) -> String {
///     start.wait();
///     "running".to_owned()
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(runner)]);
///     let start = Event::new()?;
///     let child = spawn(runner, (start.clone(),))?;
///     start.set();
///     assert_eq!(child.join()?, "running");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Event {
    memory: Arc<Segment>,
}

/// The lowest bit of the word says whether the event is set; the others count how often it was set, for threads
/// that wait while it is set and cleared again.
const SET: u32 = 1;
const ONCE_MORE: u32 = 2;

impl Event {
    /// Makes an event that is not set.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new() -> Result<Event> {
        let memory = create::<u8>(0, Access::Atomic, || CONTENT.to_owned())?;
        Ok(Event { memory })
    }

    fn word(&self) -> &AtomicU32 {
        &self.memory.words()[words::EVENT]
    }

    /// Returns whether the event is set. What was written before it was set can be read after this has returned true.
    #[must_use]
    pub fn is_set(&self) -> bool {
        is_set(self.word().load(Ordering::Acquire))
    }

    /// Sets the event and wakes all waiters. Does nothing if it is set.
    pub fn set(&self) {
        let set = |word: u32| (!is_set(word)).then_some((word | SET).wrapping_add(ONCE_MORE));
        let word = self.word();
        if word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, set)
            .is_ok()
        {
            futex::wake(word, u32::MAX >> 1);
        }
    }

    /// Clears the event: a wait that begins from now on waits for the next [`set`](Event::set).
    pub fn clear(&self) {
        self.word().fetch_and(!SET, Ordering::AcqRel);
    }

    /// Waits until the event is set. It also returns if the event was cleared again meanwhile.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until the event is set, but not longer than `limit`; returns whether it was set.
    ///
    /// Python: `Event.wait(seconds)`.
    #[must_use]
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let word = self.word();
        let first = word.load(Ordering::Acquire);
        let mut seen = first;
        loop {
            if has_happened(first, seen) {
                return true;
            }
            if is_over(deadline) {
                return false;
            }
            // No longer, in case the process that sets it dies before it wakes this one.
            futex::wait_while(word, seen, Some(next_check(deadline)));
            seen = word.load(Ordering::Acquire);
        }
    }
}

fn is_set(word: u32) -> bool {
    word & SET != 0
}

/// Returns whether the event is set, or was since the word was read first.
fn has_happened(first: u32, now: u32) -> bool {
    is_set(now) || first / ONCE_MORE != now / ONCE_MORE
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .field("memory", &self.memory)
            .finish()
    }
}

const CONTENT: &str = "an Event";

handle!(
    Event,
    CONTENT,
    |event| Ok((&event.memory, ())),
    |memory, ()| Ok(Event { memory }),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_set_and_cleared_has_happened() {
        let set = |word: u32| (word | SET).wrapping_add(ONCE_MORE);
        let mut word = 0;
        for _ in 0..3 {
            assert!(!has_happened(word, word));
            let first = word;
            word = set(word);
            assert!(is_set(word) && has_happened(first, word));
            word &= !SET;
            assert!(!is_set(word) && has_happened(first, word));
        }
        // The count begins anew after its largest value.
        let last = u32::MAX - SET;
        assert!(has_happened(last, set(last)) && is_set(set(last)));
    }
}
