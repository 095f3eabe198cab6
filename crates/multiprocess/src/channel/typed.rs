//! Values as messages: serialised before anything is locked, read back after everything is unlocked.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Level;

use crate::channel::mpmc::{Mpmc, Put, Stop};
use crate::channel::peers::Peers;
use crate::errors::error::{Error, Result};
use crate::errors::send_error::SendError;
use crate::memory::segment::Segment;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events::{self, event};
use crate::transfer::attachments::{self, Attachments};
use crate::transfer::block::Block;
use crate::transfer::caught;
use crate::transfer::codec::{self, IpcHandles};

/// One direction with values of one type.
pub(crate) struct Typed<T> {
    pub(crate) mpmc: Mpmc,
    /// Its name in errors.
    name: fn() -> String,
    /// [`discard_all`] for such values.
    discard: fn(&Mpmc),
    /// For vectors of numbers.
    block: Option<Block<T>>,
    values: PhantomData<fn(T) -> T>,
}

thread_local! {
    /// Kept from one message to the next.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A larger buffer is not kept. (One for a message of 1 MiB is: making it anew costs more than the message.)
const KEPT: usize = 2 << 20;

fn keep(buffer: Vec<u8>) {
    if buffer.capacity() <= KEPT {
        BUFFER.set(buffer);
    }
}

impl<T: DeserializeOwned + 'static> Typed<T> {
    pub(crate) fn new(mpmc: Mpmc, name: fn() -> String) -> Typed<T> {
        let discard = |segment: &Arc<Segment>, index| {
            discard_all::<T>(&Mpmc::new(Arc::clone(segment), index, None));
        };
        mpmc.segment.clear_with(mpmc.index, discard);
        Typed {
            mpmc,
            name,
            discard: discard_all::<T>,
            block: Block::of(),
            values: PhantomData,
        }
    }
}

fn discard_all<T: DeserializeOwned>(mpmc: &Mpmc) {
    // Pairs with the one in `takers_are_gone`: either this sees the last message, or its sender sees that all takers
    // have left.
    fence(Ordering::SeqCst);
    if !mpmc.rings.is_loaded() {
        return;
    }
    // A dropped message may hold the last sender of this very channel, which discards its messages as well.
    let this = (Arc::as_ptr(&mpmc.segment), mpmc.index);
    if DISCARDED.with_borrow(|discarded| discarded.contains(&this)) {
        return;
    }
    DISCARDED.with_borrow_mut(|discarded| discarded.push(this));
    let mut message = Vec::new();
    while mpmc.take(&mut message, WaitUntil::Try).is_ok() {
        attachments::apart(|| {
            let _ = caught::without_panic(|| drop(codec::read_serialised::<T>(&message)));
        });
    }
    DISCARDED.with_borrow_mut(Vec::pop);
}

thread_local! {
    /// The directions whose messages this thread is discarding.
    static DISCARDED: RefCell<Vec<(*const Segment, usize)>> = const { RefCell::new(Vec::new()) };
}

impl<T> Typed<T> {
    /// Returns its name in errors.
    pub(crate) fn name(&self) -> String {
        (self.name)()
    }

    /// Returns whether there may be handles in messages that no one will take.
    pub(crate) fn is_left_behind(&self) -> bool {
        let takers = self.mpmc.other.as_deref();
        self.mpmc.rings.is_loaded() && takers.is_some_and(Peers::has_left)
    }

    /// Drops the messages that no one will take, if there may be handles in them, so that those are freed.
    pub(crate) fn discard_all(&self) {
        (self.discard)(&self.mpmc);
    }

    /// Returns the error for an operation that was stopped.
    pub(crate) fn stopped(&self, stop: Stop, limit: WaitUntil, waited_for: &str) -> Error {
        let what = (self.name)();
        match (stop, limit) {
            (Stop::Closed, _) => Error::Closed { what },
            (Stop::System(source), _) => Error::Memory { what, source },
            (Stop::NotNow, WaitUntil::Within(limit, _)) => Error::Timeout {
                event: format!("{waited_for} {what}"),
                limit,
            },
            (Stop::NotNow, _) if waited_for == ROOM => Error::Full { what },
            (Stop::NotNow, _) => Error::Empty { what },
        }
    }
}

const ROOM: &str = "room in";
const MESSAGE: &str = "a message out of";

impl<T: Serialize> Typed<T> {
    /// Puts a value, or returns it in the error.
    pub(crate) fn put(&self, value: T, limit: WaitUntil) -> Result<(), SendError<T>> {
        match self.try_to_put(&value, limit) {
            Ok(()) => Ok(()),
            Err(error) => Err(SendError::new(value, error)),
        }
    }

    fn try_to_put(&self, value: &T, limit: WaitUntil) -> Result<()> {
        let unsendable = |reason| Error::Unsendable {
            what: (self.name)(),
            reason,
        };
        // Numbers go from where they are.
        let block = self.block.as_ref().map(|block| (block.bytes)(value));
        let (packed, attachments) = match block {
            Some(_) => (Vec::new(), Attachments::default()),
            None => pack(value).map_err(unsendable)?,
        };
        let message = block.unwrap_or(&packed);
        let loaded = !attachments.is_empty();
        if loaded {
            // Before it can be taken: the process that discards it has to know that there are handles in it.
            self.mpmc.rings.mark_loaded();
        }
        let put = self.mpmc.put(message, limit);
        if let Ok((item, at)) = put {
            if at.is_some() {
                event!(TRACE, queue = ?self.mpmc, item, at, "put");
            }
            attachments.commit();
        }
        if block.is_none() {
            keep(packed);
        }
        if takers_are_gone(&put, loaded, self.mpmc.other.as_deref()) {
            self.discard_all();
        }
        put.map_err(|stop| self.stopped(stop, limit, ROOM))?;
        Ok(())
    }
}

impl<T: DeserializeOwned> Typed<T> {
    /// Takes the next value.
    pub(crate) fn take(&self, limit: WaitUntil) -> Result<T> {
        let since = events::moment(Level::TRACE);
        let mut taken = Err(Stop::NotNow);
        let value = if let Some(block) = &self.block {
            (block.receive)(&mut |sink| taken = self.mpmc.take(sink, limit))
        } else {
            let mut message = BUFFER.take();
            taken = self.mpmc.take(&mut message, limit);
            let value = match taken {
                Ok(_) => caught::or_panic_message(|| codec::read_serialised(&message)),
                Err(_) => Err(String::new()),
            };
            keep(message);
            value
        };
        let item = taken.map_err(|stop| self.stopped(stop, limit, MESSAGE))?;
        if since.is_some() {
            event!(TRACE, queue = ?self.mpmc, item, since, "got");
        }
        value.map_err(|reason| Error::Unreadable {
            what: (self.name)(),
            reason,
        })
    }
}

/// Returns whether it is known, after a message was put or refused, that all takers have left.
fn takers_are_gone(put: &Result<Put, Stop>, loaded: bool, takers: Option<&Peers>) -> bool {
    match put {
        Err(Stop::Closed) => {}
        // The last taker may have left meanwhile, and discarded only what was there before.
        Ok(_) if loaded => fence(Ordering::SeqCst),
        _ => return false,
    }
    takers.is_some_and(Peers::is_known_to_have_left)
}

/// Packs a value into a buffer, with the handles in it.
fn pack<T: Serialize>(value: &T) -> Result<(Vec<u8>, Attachments), String> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    let (written, attachments) =
        attachments::collect(|| codec::write_serialised(value, &mut buffer, IpcHandles::Refused));
    written?;
    Ok((buffer, attachments))
}
