//! The pipe: two ends, both of which send and receive.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::iter::takes_messages;
use crate::channel::mpmc::Mpmc;
use crate::channel::peers::{self, PeerToken, Peers, Side};
use crate::channel::select;
use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::errors::quoted::without_paths;
use crate::errors::send_error::SendError;
use crate::memory::slot::Slot;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events;
use crate::transfer::attachments::{self, Attachment};
use crate::transfer::handle::handle;

/// Creates a pipe and returns its two ends: each receives what the other sends.
///
/// The first end sends `A` and receives `B`, the second sends `B` and receives `A`.
///
/// Python: `multiprocessing.Pipe()`. Different here: the messages have types, and sending never waits for the other end
/// to receive.
///
/// # Errors
///
/// [`Error::Memory`] if there is no shared memory for it.
///
/// # Examples
///
/// ```
/// use multiprocess::{Connection, pipe, spawn, task};
///
/// fn add_one(client: Connection<i64, i64>) {
///     for number in &client {
///         let number = number.expect("a number is readable");
///         client.send(number + 1).expect("the other end is open");
///     }
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(add_one)]);
///     let (ours, theirs) = pipe::<i64, i64>()?;
///     let child = spawn(add_one, (theirs,))?;
///     ours.send(10)?;
///     assert_eq!(ours.recv()?, 11);
///     ours.close();
///     child.join()
/// }
/// ```
pub fn pipe<A, B>() -> Result<(Connection<A, B>, Connection<B, A>)>
where
    A: Serialize + DeserializeOwned + 'static,
    B: Serialize + DeserializeOwned + 'static,
{
    let made = Mpmc::sides(2);
    let (memory, left, right) = made.map_err(|source| Error::memory(content::<A, B>(), source))?;
    let left = Connection::new(&memory, left);
    events::made(&left.outgoing.mpmc, content::<A, B>);
    events::made(&left.incoming.mpmc, content::<A, B>);
    Ok((left, Connection::new(&memory, right)))
}

fn content<S, R>() -> String {
    let (sent, received) = (type_name::<S>(), type_name::<R>());
    format!("the end of a pipe that sends {sent} and receives {received}")
}

/// One end of a [`pipe`]: it sends `S` and receives `R`.
///
/// It has one owner: it can't be cloned, and when you pass it to [`spawn`](crate::spawn) or send it in a message, it
/// moves to the other process. (In Python, two processes can use one end, and corrupt the data.)
///
/// When the other end is dropped or [closed](Connection::close), or its process dies, you can still receive what it
/// sent before; after that, receiving returns [`Error::Closed`].
///
/// # Examples
///
/// ```compile_fail,E0382
/// fn chat(other: multiprocess::Connection<String, String>) {}
///
/// let (ours, theirs) = multiprocess::pipe::<String, String>()?;
/// let first = multiprocess::spawn(chat, (theirs,))?;
/// let second = multiprocess::spawn(chat, (theirs,))?; // error: use of moved value
/// # Ok::<(), multiprocess::Error>(())
/// ```
pub struct Connection<S, R> {
    outgoing: Typed<S>,
    incoming: Typed<R>,
    side: Side,
    /// Whether this end was sent to another process.
    given_away: Arc<AtomicBool>,
}

/// Becomes true when the message is sent.
impl Attachment for AtomicBool {
    fn commit(&self) {
        self.store(true, Ordering::Relaxed);
    }
}

impl<S: DeserializeOwned + 'static, R: DeserializeOwned + 'static> Connection<S, R> {
    fn new(memory: &Arc<Slot>, token: PeerToken) -> Connection<S, R> {
        let side = token.side();
        let other = Arc::new(Peers::new(memory, side.other()));
        let mpmc =
            |side: Side| Mpmc::new(Arc::clone(memory), side.index(), Some(Arc::clone(&other)));
        Connection {
            outgoing: Typed::new(mpmc(side), None, content::<S, R>),
            incoming: Typed::new(mpmc(side.other()), Some(token), content::<S, R>),
            side,
            given_away: Arc::default(),
        }
    }
}

impl<S, R> Connection<S, R> {
    fn check(&self) -> Result<()> {
        if self.given_away.load(Ordering::Relaxed) {
            let what = without_paths(&content::<S, R>());
            return Err(Error::GivenAway { what });
        }
        Ok(())
    }

    /// Waits at most `limit` for a message, and returns whether [`recv`](Connection::recv) would return at once.
    ///
    /// That is also true after the other end was closed. Python: `Connection.poll(seconds)`. To wait for one of several
    /// ends, use [`wait`](crate::wait()).
    ///
    /// # Errors
    ///
    /// [`Error::GivenAway`] if this end was sent to another process.
    pub fn poll(&self, limit: Duration) -> Result<bool> {
        self.check()?;
        Ok(select::wait_timeout(&[self], limit).is_ok())
    }

    /// Closes this end: the other end receives what was sent, and then [`Error::Closed`].
    ///
    /// Dropping it does the same. Python: `Connection.close()`.
    pub fn close(self) {}
}

impl<S: Serialize, R> Connection<S, R> {
    /// Sends a message, without waiting for the other end to receive it. Python: `Connection.send(message)`.
    ///
    /// # Errors
    ///
    /// The error contains the message. [`Error::Closed`] if the other end is closed, or its process has died;
    /// [`Error::Unsendable`] if the message can't be serialised; [`Error::Memory`] if there is not enough memory for
    /// it; [`Error::GivenAway`] if this end was sent to another process.
    pub fn send(&self, message: S) -> Result<(), SendError<S>> {
        match self.check() {
            Ok(()) => self.outgoing.put(message, WaitUntil::Until(None)),
            Err(error) => Err(SendError::new(message, error)),
        }
    }
}

takes_messages! {
    Connection<S, R>, R, incoming, check;
    recv " Python: `Connection.recv()`, which raises `EOFError` at the end.";
    try_recv "";
    recv_timeout "";
    " As [`recv`](Connection::recv),"
    " [`Error::GivenAway`] if this end was sent to another process."
}

impl<S, R> fmt::Debug for Connection<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("sends", &type_name::<S>())
            .field("receives", &type_name::<R>())
            .field("memory", &self.incoming.mpmc.rings.slot)
            .finish_non_exhaustive()
    }
}

handle!(
    Connection<S: DeserializeOwned + 'static, R: DeserializeOwned + 'static>,
    &content::<S, R>(),
    |end| {
        end.check().map_err(|error| error.to_string())?;
        let memory = end.incoming.depart()?;
        attachments::add(Arc::clone(&end.given_away));
        Ok((memory, end.side))
    },
    |memory, side| Ok(Connection::new(&memory, peers::arrive(&memory, side)?)),
);
