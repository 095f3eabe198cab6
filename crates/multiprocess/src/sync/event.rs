//! The event: a flag that processes wait for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::layout::{Access, words};
use crate::memory::slot::Slot;
use crate::platform::futex;
use crate::platform::wait_until::is_over;
use crate::sync::table::next_check;
use crate::sync::typed_memory::{Layout, create};
use crate::transfer::handle::handle;

/// A flag that processes set, clear, and wait for.
///
/// It is a handle, like [`Lock`](crate::Lock). Waiters wake up at once or, if the process that set the event died
/// before it could wake them, a tenth of a second later.
///
/// Python: `multiprocessing.Event`. Different here: a waiting process that is killed doesn't affect the others; in
/// Python, `set` can then wait forever.
///
/// # Examples
///
/// ```
/// use multiprocess::{Event, spawn, task};
///
/// fn runner(start: Event) {
///     start.wait();
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(runner)]);
///     let start = Event::new()?;
///     let child = spawn(runner, (start.clone(),))?;
///     start.set();
///     child.join()
/// }
/// ```
#[derive(Clone)]
pub struct Event {
    memory: Arc<Slot>,
}

impl Event {
    /// Creates an event that is not set.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new() -> Result<Event> {
        let layout = Layout {
            locks: 0,
            words: 1,
            access: Access::Atomic,
        };
        let memory = create::<u8>(0, layout, || CONTENT.to_owned())?;
        Ok(Event { memory })
    }

    /// Counts how often the event was set and cleared: odd if it is set, and different if it was set meanwhile.
    fn word(&self) -> &AtomicU32 {
        &self.memory.owned().words()[words::EVENT]
    }

    /// Returns whether the event is set. Python: `Event.is_set()`.
    ///
    /// After it has returned true, this thread sees everything that was written before the event was set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !is_clear(self.word().load(Ordering::Acquire))
    }

    /// Sets the event and wakes all waiters. Does nothing if it is already set. Python: `Event.set()`.
    pub fn set(&self) {
        if is_clear(self.word().fetch_or(1, Ordering::AcqRel)) {
            futex::wake(self.word(), u32::MAX >> 1);
        }
    }

    /// Clears the event: a later wait waits for the next [`set`](Event::set). Python: `Event.clear()`.
    pub fn clear(&self) {
        let next = |word: u32| (!is_clear(word)).then_some(word.wrapping_add(1));
        let word = self.word();
        let _ = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }

    /// Waits until the event is set; also returns if it was cleared again right after. Python: `Event.wait()`.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits at most `limit` until the event is set.
    ///
    /// Python: `Event.wait(seconds)`, which returns False after a timeout.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if it was not set within `limit`.
    pub fn wait_timeout(&self, limit: Duration) -> Result<()> {
        if self.wait_until(Instant::now().checked_add(limit)) {
            return Ok(());
        }
        Err(Error::timeout("an event to be set", limit))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let word = self.word();
        let first = word.load(Ordering::Acquire);
        while is_clear(first) && word.load(Ordering::Acquire) == first {
            if is_over(deadline) {
                return false;
            }
            // Checks regularly, in case the process that sets the event dies before it wakes this one.
            let check = next_check();
            let until = deadline.map_or(check, |deadline| deadline.min(check));
            futex::wait(&[(word, first)], until);
        }
        true
    }
}

fn is_clear(word: u32) -> bool {
    word.is_multiple_of(2)
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Event");
        shown.field("is_set", &self.is_set());
        shown.field("memory", &self.memory).finish()
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
    fn the_count_wraps_around_after_its_largest_value() {
        let event = Event::new().unwrap();
        event.word().store(u32::MAX, Ordering::Relaxed);
        event.clear();
        assert!(!event.is_set());
        event.set();
        assert!(event.is_set());
    }
}
