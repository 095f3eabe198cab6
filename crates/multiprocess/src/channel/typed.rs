//! Values as messages: serialised before anything is locked, read back after everything is unlocked.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Level;

use crate::channel::mpmc::{Mpmc, Stop};
use crate::channel::peers::{PeerToken, Peers};
use crate::errors::error::{Error, Result};
use crate::errors::quoted::without_paths;
use crate::errors::send_error::SendError;
use crate::memory::slot::Slot;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events::{self, event};
use crate::transfer::attachments::{self, Attachments};
use crate::transfer::block::{Block, Message};
use crate::transfer::{caught, codec, ipc};

/// One direction for values of one type, as one end has it.
pub(crate) struct Typed<T> {
    pub(crate) mpmc: Mpmc,
    /// While it exists, the side of this end hasn't left. A queue has no sides, and the two directions of a pipe's end
    /// share one token.
    token: Option<PeerToken>,
    /// Its name in errors, with the full paths of types.
    name: fn() -> String,
    /// For vectors of numbers.
    block: Option<Block<T>>,
}

thread_local! {
    /// Kept from one message to the next.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A larger buffer is not kept. (One for a message of 1 MiB is: allocating it again costs more than the message.)
const KEPT: usize = 2 << 20;

fn keep(buffer: Vec<u8>) {
    if buffer.capacity() <= KEPT {
        BUFFER.set(buffer);
    }
}

impl<T: DeserializeOwned + 'static> Typed<T> {
    pub(crate) fn new(mpmc: Mpmc, token: Option<PeerToken>, name: fn() -> String) -> Typed<T> {
        Typed {
            mpmc,
            token,
            name,
            block: Block::of(),
        }
    }

    /// Returns the end that clones of a queue or of a half of a channel share.
    pub(crate) fn shared(
        memory: Arc<Slot>,
        token: Option<PeerToken>,
        name: fn() -> String,
    ) -> Arc<Typed<T>> {
        let other = |token: &PeerToken| Arc::new(Peers::new(&memory, token.side().other()));
        let other = token.as_ref().map(other);
        Arc::new(Typed::new(Mpmc::new(memory, 0, other), token, name))
    }
}

/// Takes the messages that no process will receive, and so releases the handles in them.
fn discard_all(mpmc: &Mpmc) {
    // Pairs with the fence in `put_bytes`: either this sees the last message, or its sender sees that all consumers
    // have left.
    fence(Ordering::SeqCst);
    let take = || mpmc.take(&mut |_| {}, &mut Attachments::default(), WaitUntil::Try);
    while take().is_ok() {}
}

impl<T> Typed<T> {
    /// Attaches what a message needs for a handle of this end, and returns where it is.
    pub(crate) fn depart(&self) -> Result<&Arc<Slot>, String> {
        if let Some(token) = &self.token {
            token.depart()?;
        }
        Ok(&self.mpmc.rings.slot)
    }

    #[inline]
    fn put_bytes(&self, message: &[u8], attachments: &Attachments, limit: WaitUntil) -> Result<()> {
        let fits = attachments.check_run(self.mpmc.rings.slot.run());
        fits.map_err(|reason| Error::Unsendable {
            what: self.shown(),
            reason: reason.to_owned(),
        })?;
        let loaded = !attachments.is_empty();
        let put = self.mpmc.put(message, attachments, limit);
        if let Ok((item, at)) = put {
            if at.is_some() {
                event!(TRACE, queue = ?self.mpmc, item, at, "put");
            }
            attachments.commit();
        }
        if loaded {
            // The last consumer may have left meanwhile, and discarded only earlier messages.
            fence(Ordering::SeqCst);
        }
        let may_be_unread = loaded || matches!(put, Err(Stop::Closed));
        let consumers = self.mpmc.other.as_deref();
        if may_be_unread && consumers.is_some_and(Peers::is_known_to_have_left) {
            discard_all(&self.mpmc);
        }
        put.map_err(|stop| self.stopped(stop, limit, ROOM))?;
        Ok(())
    }

    /// Returns its name in errors.
    pub(super) fn shown(&self) -> String {
        without_paths(&(self.name)())
    }

    /// Returns the error for an operation that was stopped.
    pub(crate) fn stopped(&self, stop: Stop, limit: WaitUntil, waited_for: &str) -> Error {
        let what = self.shown();
        match (stop, limit) {
            (Stop::Closed, _) => Error::Closed { what },
            (Stop::System(source), _) => Error::Memory { what, source },
            (Stop::NotNow, WaitUntil::Within(limit, _)) => {
                Error::timeout(format!("{waited_for} {what}"), limit)
            }
            (Stop::NotNow, _) if waited_for == ROOM => Error::Full { what },
            (Stop::NotNow, _) => Error::Empty { what },
        }
    }
}

/// Leaves its side. Discards the messages that no process will take.
impl<T> Drop for Typed<T> {
    fn drop(&mut self) {
        let mpmc = &self.mpmc;
        // A side puts into the direction of its number, and takes from the other.
        let consumers_have_left = match self.token.take() {
            Some(token) if token.side().index() != mpmc.rings.index => token.leave(),
            token => {
                token.map(PeerToken::leave);
                mpmc.other.as_deref().is_some_and(Peers::has_left)
            }
        };
        if consumers_have_left {
            discard_all(mpmc);
        }
    }
}

const ROOM: &str = "room in";
const MESSAGE: &str = "a message from";

impl<T: Serialize> Typed<T> {
    /// Puts a value, or returns it in the error.
    pub(crate) fn put(&self, value: T, limit: WaitUntil) -> Result<(), SendError<T>> {
        match self.try_to_put(&value, limit) {
            Ok(()) => Ok(()),
            Err(error) => Err(SendError::new(value, error)),
        }
    }

    fn try_to_put(&self, value: &T, limit: WaitUntil) -> Result<()> {
        if let Some(block) = &self.block {
            // Numbers are copied directly.
            return self.put_bytes((block.bytes)(value), &Attachments::default(), limit);
        }
        let mut bytes = BUFFER.take();
        bytes.clear();
        let write = || codec::write_serialised(value, &mut bytes);
        let (written, attachments) = attachments::collect(|| ipc::refuse_handles::<T>(write));
        written.map_err(|reason| Error::Unsendable {
            what: self.shown(),
            reason,
        })?;
        let put = self.put_bytes(&bytes, &attachments, limit);
        keep(bytes);
        put
    }
}

impl<T: DeserializeOwned> Typed<T> {
    /// Takes the next value.
    pub(crate) fn take(&self, limit: WaitUntil) -> Result<T> {
        let since = events::moment(Level::TRACE);
        let mut value = Err(String::new());
        // Keep the handles in use until they are read.
        let mut references = Attachments::default();
        let taken = if let Some(block) = &self.block {
            let receive = &mut |message: Message<'_>| value = (block.read)(message);
            self.mpmc.take(receive, &mut references, limit)
        } else {
            let mut bytes = BUFFER.take();
            let receive = &mut |message: Message<'_>| message.copy_to(&mut bytes);
            let taken = self.mpmc.take(receive, &mut references, limit);
            if taken.is_ok() {
                value = caught::or_panic_message(|| codec::read_serialised(&mut &bytes[..]));
            }
            keep(bytes);
            taken
        };
        let item = taken.map_err(|stop| self.stopped(stop, limit, MESSAGE))?;
        if since.is_some() {
            event!(TRACE, queue = ?self.mpmc, item, since, "got");
        }
        value.map_err(|reason| Error::Unreadable {
            what: self.shown(),
            reason,
        })
    }
}
