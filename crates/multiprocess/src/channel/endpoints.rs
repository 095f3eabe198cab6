//! The channel: a queue in two halves, which ends when one half is gone.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::iter::{is_shared, takes_messages};
use crate::channel::mpmc::Mpmc;
use crate::channel::peers::{self, Side};
use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::errors::send_error::SendError;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events;

/// Creates a channel without a limit, and returns its two halves.
///
/// When no [`Sender`] is left in any process, and every message has been received, receiving returns [`Error::Closed`];
/// so does sending when no [`Receiver`] is left. A half also counts as gone if the processes that had it were killed.
/// Both halves can be cloned, and sent to other processes. A process that gives clones to its children still has its
/// own half: the channel doesn't end until it drops that one, too.
///
/// Python has no equivalent: there you put a *sentinel*, an item that means the end, once for each consumer. It works
/// like [`std::sync::mpsc::channel`], except that receivers can be cloned.
///
/// # Errors
///
/// [`Error::Memory`] if there is no shared memory for it.
///
/// # Examples
///
/// ```
/// use multiprocess::{Sender, channel, spawn, task};
///
/// fn count(numbers: Sender<u32>) {
///     for number in 1..=3 {
///         numbers.send(number).expect("there is a receiver");
///     }
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(count)]);
///     let (sender, receiver) = channel()?;
///     let children = [spawn(count, (sender.clone(),))?, spawn(count, (sender.clone(),))?];
///     drop(sender);
///     for number in &receiver {
///         println!("{}", number?);
///     }
///     for child in children {
///         child.join()?;
///     }
///     Ok(())
/// }
/// ```
pub fn channel<T: Serialize + DeserializeOwned + 'static>() -> Result<(Sender<T>, Receiver<T>)> {
    make(0)
}

/// Creates a channel for at most `capacity` messages: sending waits while it is full.
///
/// Otherwise it works like [`channel`]. It corresponds to [`std::sync::mpsc::sync_channel`].
///
/// # Errors
///
/// [`Error::NoCapacity`] if the capacity is 0; [`Error::Memory`] if there is no shared memory for the channel.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = multiprocess::bounded_channel(1)?;
/// sender.send(1)?;
/// assert!(sender.try_send(2).unwrap_err().is_would_block());
/// drop(sender);
/// assert_eq!(receiver.recv()?, 1);
/// assert!(receiver.recv().unwrap_err().is_closed());
/// # Ok::<(), multiprocess::Error>(())
/// ```
pub fn bounded_channel<T: Serialize + DeserializeOwned + 'static>(
    capacity: usize,
) -> Result<(Sender<T>, Receiver<T>)> {
    if capacity == 0 {
        return Err(Error::NoCapacity);
    }
    make(capacity)
}

fn make<T: Serialize + DeserializeOwned + 'static>(
    capacity: usize,
) -> Result<(Sender<T>, Receiver<T>)> {
    let made = Mpmc::sides(1);
    let (memory, left, right) = made.map_err(|source| Error::memory(content::<T>(), source))?;
    let left = Typed::shared(Arc::clone(&memory), Some(left), content::<T>);
    let right = Typed::shared(memory, Some(right), content::<T>);
    events::made(&left.mpmc, content::<T>);
    left.mpmc.rings.set_capacity(capacity);
    Ok((Sender { end: left }, Receiver { end: right }))
}

fn content<T>() -> String {
    format!("a channel of {}", type_name::<T>())
}

/// The sending half of a [`channel`].
///
/// It is a handle: its clones, in any process, send into the same channel.
pub struct Sender<T> {
    end: Arc<Typed<T>>,
}

impl<T: Serialize> Sender<T> {
    /// Sends a message; waits while a [bounded](bounded_channel) channel is full.
    ///
    /// # Errors
    ///
    /// The error contains the message. [`Error::Closed`] if no receiver is left; [`Error::Unsendable`] if the message
    /// can't be serialised; [`Error::Memory`] if there is not enough memory for it.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.end.put(message, WaitUntil::Until(None))
    }

    /// Sends a message if there is room, without waiting for it.
    ///
    /// # Errors
    ///
    /// As [`send`](Sender::send), and [`Error::Full`] if there is no room, or others kept the channel busy for a
    /// millisecond.
    pub fn try_send(&self, message: T) -> Result<(), SendError<T>> {
        self.end.put(message, WaitUntil::Try)
    }

    /// Sends a message; waits at most `limit` for room.
    ///
    /// # Errors
    ///
    /// As [`send`](Sender::send), and [`Error::Timeout`] if there was no room within `limit`.
    pub fn send_timeout(&self, message: T, limit: Duration) -> Result<(), SendError<T>> {
        self.end.put(message, WaitUntil::within(limit))
    }
}

/// The receiving half of a [`channel`].
///
/// It is a handle: its clones, in any process, receive from the same channel; each message is received once.
pub struct Receiver<T> {
    end: Arc<Typed<T>>,
}

takes_messages! {
    Receiver<T>, T, end;
    recv "";
    try_recv "";
    recv_timeout "";
    " As [`recv`](Receiver::recv)," ""
}

is_shared!(
    Sender,
    "",
    "",
    &format!("a Sender of {}", content::<T>()),
    Some(Side::Left)
);
is_shared!(
    Receiver,
    "",
    "",
    &format!("a Receiver of {}", content::<T>()),
    Some(Side::Right)
);
