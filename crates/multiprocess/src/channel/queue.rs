//! The queue: many put, many get, in any processes.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::iter::{is_shared, takes_messages};
use crate::channel::mpmc::Mpmc;
use crate::channel::peers;
use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::errors::send_error::SendError;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events;

/// A queue between processes: first in, first out, for any number that put and any number that get.
///
/// It is a handle: clones of it, and what arrives in another process, are the same queue. Items are anything that serde
/// can serialise, and the handles of this crate; each is got once. They are in shared memory, which grows as they need
/// it.
///
/// Python: `multiprocessing.Queue`, and `JoinableQueue` by [`task_done`](Queue::task_done) and
/// [`join`](Queue::join). Different here:
///
/// - When [`put`](Queue::put) returns, the item is in the queue, and its process may be joined. (Python's is in a buffer
///   of the process: joining that before the item is taken waits for ever.)
/// - [`len`](Queue::len) is exact, and [`close`](Queue::close) lets the consumers know that nothing more comes.
/// - A process that is killed in the middle of a put or a get only loses the item it was putting, or had got.
/// - An item that cannot be serialised is an error where it is put.
///
/// A queue does not end when its other users do, so a process may wait for ever for items from one that has returned. Use
/// [`channel`](crate::channel()) for one that ends by itself when no producer is left.
///
/// # Limits
///
/// Handles of the `ipc-channel` package cannot be in items: putting one is an error, and uses up an `IpcReceiver`. A
/// handle of this crate in an item that is never got is freed with the last handle of the queue; the
/// [limits](crate#limits) list the exceptions.
///
/// # Examples
///
/// ```
/// use multiprocess::{Queue, spawn, task};
///
/// fn square(numbers: Vec<i64>, squares: Queue<i64>) {
///     for number in numbers {
///         squares.put(number * number).expect("the queue is open");
///     }
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(square)]);
///     let squares = Queue::new()?;
///     spawn(square, (vec![2, 3, 5], squares.clone()))?.join()?;
///     assert_eq!(squares.get()?, 4);
///     assert_eq!(squares.get()?, 9);
///     assert_eq!(squares.get()?, 25);
///     assert!(squares.is_empty());
///     Ok(())
/// }
/// ```
pub struct Queue<T> {
    end: Arc<Typed<T>>,
}

impl<T: Serialize + DeserializeOwned + 'static> Queue<T> {
    /// Makes a queue that grows as it needs to: [`put`](Queue::put) never waits. Python: `Queue()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new() -> Result<Queue<T>> {
        Queue::make(0)
    }

    /// Makes a queue for `capacity` items at most: [`put`](Queue::put) waits for room. Python: `Queue(capacity)`.
    ///
    /// # Errors
    ///
    /// [`Error::NoCapacity`] if the capacity is 0, which in Python means no limit; [`Error::Memory`] if there is no
    /// shared memory for the queue.
    pub fn bounded(capacity: usize) -> Result<Queue<T>> {
        if capacity == 0 {
            return Err(Error::NoCapacity);
        }
        Queue::make(capacity)
    }

    fn make(capacity: usize) -> Result<Queue<T>> {
        let segment = Mpmc::segment(1);
        let segment = segment.map_err(|source| Error::memory(content::<T>(), source))?;
        let end = Typed::shared(segment, None, content::<T>);
        events::made(&end.mpmc, content::<T>);
        end.mpmc.rings.set_capacity(capacity);
        Ok(Queue { end })
    }
}

impl<T> Queue<T> {
    /// Returns whether the queue is full at this moment; one without a limit never is. Python: `full()`.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.capacity()
            .is_some_and(|capacity| self.len() >= capacity)
    }

    /// Returns whether any process has called [`close`](Queue::close).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.end.mpmc.rings.is_closed()
    }

    /// Closes the queue: no process can put any more. What is in the queue can still be got; then it is at its end.
    /// (Python's `close()` concerns only the process that calls it.)
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the system refuses the lock, which should not happen.
    pub fn close(&self) -> Result<()> {
        let limit = WaitUntil::Until(None);
        let closed = self.end.mpmc.close(limit);
        closed.map_err(|stop| self.end.stopped(stop, limit, "the lock of"))
    }

    /// Marks an item that was got as done. Python: `JoinableQueue.task_done()`.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyDone`] if all items that were put are done with.
    pub fn task_done(&self) -> Result<()> {
        if self.end.mpmc.done() {
            return Ok(());
        }
        Err(Error::TooManyDone {
            what: (self.end.name)(),
        })
    }

    /// Waits until every item that was put is done with, by [`task_done`](Queue::task_done). Python:
    /// `JoinableQueue.join()`.
    ///
    /// It waits for ever for an item that a killed process had got; [`join_timeout`](Queue::join_timeout) does not.
    ///
    /// # Errors
    ///
    /// None at present.
    ///
    /// # Examples
    ///
    /// ```
    /// let jobs = multiprocess::Queue::new()?;
    /// jobs.put(1)?;
    /// // In a worker:
    /// jobs.get()?;
    /// jobs.task_done()?;
    ///
    /// jobs.join()?;
    /// # Ok::<(), multiprocess::Error>(())
    /// ```
    pub fn join(&self) -> Result<()> {
        self.wait_until_done(WaitUntil::Until(None))
    }

    /// Waits until every item that was put is done with, but not longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if the time is over.
    pub fn join_timeout(&self, limit: Duration) -> Result<()> {
        self.wait_until_done(WaitUntil::within(limit))
    }

    fn wait_until_done(&self, limit: WaitUntil) -> Result<()> {
        let done = self.end.mpmc.wait_until_done(limit);
        done.map_err(|stop| self.end.stopped(stop, limit, "the last `task_done` for"))
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts an item into the queue; waits while a [bounded](Queue::bounded) queue is full. Python: `put(item)`.
    ///
    /// # Errors
    ///
    /// Each contains the item. [`Error::Closed`] if the queue is closed; [`Error::Unsendable`] if the item cannot
    /// be serialised; [`Error::Memory`] if it needs more memory than there is.
    pub fn put(&self, item: T) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::Until(None))
    }

    /// Puts an item into the queue if there is room. Python: `put(item, block=False)`, or `put_nowait(item)`.
    ///
    /// # Errors
    ///
    /// As [`put`](Queue::put), and [`Error::Full`] if there is no room, or others were putting for a millisecond.
    pub fn try_put(&self, item: T) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::Try)
    }

    /// Puts an item into the queue; waits for room, but not longer than `limit`. Python: `put(item, timeout=seconds)`.
    ///
    /// # Errors
    ///
    /// As [`put`](Queue::put), and [`Error::Timeout`] if there was no room in time.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::within(limit))
    }
}

takes_messages! {
    Queue<T>, T, end;
    get " Python: `get()`.";
    try_get " Python: `get(block=False)`, or `get_nowait()`.";
    get_timeout " Python: `get(timeout=seconds)`.";
    " As [`get`](Queue::get)," ""
}

is_shared!(
    Queue,
    " Python: `qsize()`, which is approximate, and missing on macOS.",
    " Python: `empty()`.",
    &content::<T>(),
    None
);

fn content<T>() -> String {
    format!("a Queue<{}>", type_name::<T>())
}
