//! The queue: any number of producers and consumers, in any processes.

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

/// A queue between processes: first in, first out, with any number of producers and consumers.
///
/// It is a handle: its clones, in any process, are the same queue. An item is anything that serde can serialise,
/// including the handles of this crate, and one consumer gets it. Items are in shared memory, which grows as needed.
///
/// Python: `multiprocessing.Queue`, and `JoinableQueue` by [`task_done`](Queue::task_done) and
/// [`join`](Queue::join). Different here:
///
/// - When [`put`](Queue::put) returns, the item is in the queue, and you can join the process. (In Python it may still
///   be in a buffer of the process, and joining the process before the item is taken is a deadlock.)
/// - [`len`](Queue::len) is exact, and [`close`](Queue::close) tells the consumers that no more items will come.
/// - A process killed in the middle of a put or a get loses only the item that it was putting, or had taken.
/// - Putting an item that can't be serialised is an error.
///
/// A queue doesn't end when its producers do, so a consumer may wait forever for items from a process that has ended. A
/// [`channel`](crate::channel()) ends by itself when no producer is left.
///
/// # Limits
///
/// An item can't contain handles of the `ipc-channel` package: putting one is an error, and consumes an `IpcReceiver`.
/// A handle of this crate in an item that no process gets is freed with the last handle of the queue; see the
/// [limits](crate#limits) for the exceptions.
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
    /// Creates a queue without a limit: [`put`](Queue::put) never waits for room. Python: `Queue()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new() -> Result<Queue<T>> {
        Queue::make(0)
    }

    /// Creates a queue for at most `capacity` items: [`put`](Queue::put) waits while it is full. Python:
    /// `Queue(capacity)`.
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
        let memory = Mpmc::memory(1);
        let memory = memory.map_err(|source| Error::memory(content::<T>(), source))?;
        let end = Typed::shared(memory, None, content::<T>);
        events::made(&end.mpmc, content::<T>);
        end.mpmc.rings.set_capacity(capacity);
        Ok(Queue { end })
    }
}

impl<T> Queue<T> {
    /// Returns whether the queue is full at this moment; a queue without a limit never is. Python: `full()`.
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

    /// Closes the queue: no process can put any more items. Those in it can still be taken; after that, a get returns
    /// [`Error::Closed`]. (Python's `close()` concerns only the process that calls it.)
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the system refuses the lock, which should not happen.
    pub fn close(&self) -> Result<()> {
        let limit = WaitUntil::Until(None);
        let closed = self.end.mpmc.close(limit);
        closed.map_err(|stop| self.end.stopped(stop, limit, "the lock of"))
    }

    /// Reports that an item taken from the queue is done. Python: `JoinableQueue.task_done()`.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyDone`] if it was already called for every item that was put.
    pub fn task_done(&self) -> Result<()> {
        if self.end.mpmc.done() {
            return Ok(());
        }
        Err(Error::TooManyDone {
            what: self.end.shown(),
        })
    }

    /// Waits until [`task_done`](Queue::task_done) was called for every item that was put. Python:
    /// `JoinableQueue.join()`.
    ///
    /// If a process is killed with an item that it has taken, this waits forever; [`join_timeout`](Queue::join_timeout)
    /// doesn't.
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

    /// Waits as [`join`](Queue::join) does, but at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if an item is not done within `limit`.
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
    /// The error contains the item. [`Error::Closed`] if the queue is closed; [`Error::Unsendable`] if the item can't
    /// be serialised; [`Error::Memory`] if there is not enough memory for it.
    pub fn put(&self, item: T) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::Until(None))
    }

    /// Puts an item into the queue if there is room, without waiting for it. Python: `put_nowait(item)`.
    ///
    /// # Errors
    ///
    /// As [`put`](Queue::put), and [`Error::Full`] if there is no room, or others kept the queue busy for a
    /// millisecond.
    pub fn try_put(&self, item: T) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::Try)
    }

    /// Puts an item into the queue; waits at most `limit` for room. Python: `put(item, timeout=seconds)`.
    ///
    /// # Errors
    ///
    /// As [`put`](Queue::put), and [`Error::Timeout`] if there was no room within `limit`.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), SendError<T>> {
        self.end.put(item, WaitUntil::within(limit))
    }
}

takes_messages! {
    Queue<T>, T, end;
    get " Python: `get()`.";
    try_get " Python: `get_nowait()`.";
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
