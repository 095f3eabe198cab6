//! The messages between a pool and its workers (a head, and then inputs or results), and the channels for them.

use std::sync::Arc;
use std::time::Duration;

use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};

use crate::channel::mpmc::{Mpmc, Stop};
use crate::errors::error::{self, Error};
use crate::memory::slot::Slot;
use crate::platform::wait_until::WaitUntil;
use crate::process::task::Task;
use crate::process::wire::append;
use crate::transfer::attachments::{Attachments, collect};
use crate::transfer::block::Message;
use crate::transfer::handle::handle;
use crate::transfer::ipc;

/// To a worker: the head of a batch of inputs.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
pub(crate) struct Request {
    /// The number of the batch among those of the worker.
    pub(crate) batch: u32,
    /// The function's index in the list of tasks, and perhaps [`ONLY_BYTES`].
    pub(crate) task: u32,
    pub(crate) count: u32,
    /// The index of the first input in its call, modulo 2³².
    pub(crate) first: u32,
}

/// In [`Request::task`]: the results leave this machine, so a result with a handle is a failure.
pub(crate) const ONLY_BYTES: u32 = 1 << 31;

/// Not a batch: a call of the initializer, or no call, which only shows that the worker takes requests.
pub(crate) const NO_BATCH: u32 = 0;

impl Request {
    pub(crate) const SIZE: usize = size_of::<Request>();
}

/// To the pool: what happened, or the head of the results of a batch.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// The number of the worker, as in its name.
    pub(crate) worker: u32,
    pub(crate) batch: u32,
    pub(crate) unused: u32,
    /// How long the worker took for the batch.
    pub(crate) nanoseconds: u64,
}

#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) enum EventKind {
    /// A worker has finished a batch, or a request that isn't one: it waits for requests.
    Done,
    /// A worker has died, and everything it sent was sent before this. The pool sends this itself.
    Died,
}

impl Event {
    pub(crate) const SIZE: usize = size_of::<Event>();

    pub(crate) fn new(kind: EventKind, worker: u32) -> Event {
        Event {
            kind,
            worker,
            batch: NO_BATCH,
            unused: 0,
            nanoseconds: 0,
        }
    }
}

/// Splits off the head of a message, which inputs or results follow; `None` if it isn't one.
pub(crate) fn read<T: CheckedBitPattern>(message: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = message.split_at_checked(size_of::<T>())?;
    Some((bytemuck::checked::try_pod_read_unaligned(head).ok()?, rest))
}

/// Appends an input to a message, and returns the handles in it; the error says why it cannot be sent.
#[inline]
pub(crate) fn append_input<F: Task<Args, How>, Args, How>(
    message: &mut Vec<u8>,
    input: &Args,
) -> Result<Attachments, String> {
    let write = |bytes: &mut Vec<u8>| ipc::refuse_handles::<Args>(|| F::write(input, bytes));
    let mut append = || append::<Args>(message, write);
    // A type that needs no drop contains no handle.
    let (appended, attachments) = if std::mem::needs_drop::<Args>() {
        collect(append)
    } else {
        (append(), Attachments::default())
    };
    appended.map(|()| attachments)
}

/// A message, and what keeps the handles in it in use until they are read.
pub(crate) type Received = (Vec<u8>, Attachments);

/// A channel in one direction; its clones, in any process, are the same channel.
#[derive(Clone)]
pub(crate) struct ByteChannel(Arc<Mpmc>);

const CONTENT: &str = "a channel of a Pool";

impl ByteChannel {
    pub(crate) fn new() -> error::Result<ByteChannel> {
        let memory = Mpmc::memory(1).map_err(|source| Error::memory(CONTENT, source))?;
        Ok(ByteChannel::of(memory))
    }

    fn of(memory: Arc<Slot>) -> ByteChannel {
        ByteChannel(Arc::new(Mpmc::new(memory, 0, None)))
    }

    /// Puts a message; false if another process, which may be stopped, has the producers' turn until the limit is over.
    /// The error says why it failed.
    pub(crate) fn put(&self, message: &[u8], limit: WaitUntil) -> Result<bool, String> {
        self.put_with(message, &Attachments::default(), limit)
    }

    /// Puts a message with handles.
    pub(crate) fn put_with(
        &self,
        message: &[u8],
        attachments: &Attachments,
        limit: WaitUntil,
    ) -> Result<bool, String> {
        attachments.check_run(self.0.rings.slot.run())?;
        done(self.0.put(message, attachments, limit)).map(|put| put.is_some())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.rings.len() as usize
    }

    pub(crate) fn try_get(&self) -> Result<Option<Received>, String> {
        // Don't wait for a process that was stopped while it takes a message.
        const SLICE: Duration = Duration::from_millis(20);
        if self.0.rings.is_empty() {
            return Ok(None);
        }
        self.get(SLICE)
    }

    /// Takes the next message; `None` after a timeout. The error says why none will come, for example since the channel
    /// is closed.
    pub(crate) fn get(&self, limit: Duration) -> Result<Option<Received>, String> {
        let mut message = Vec::new();
        let got = self.get_into(&mut message, WaitUntil::within(limit));
        Ok(done(got)?.map(|attachments| (message, attachments)))
    }

    /// Takes the next message, and replaces an earlier one with it.
    pub(crate) fn get_into(
        &self,
        message: &mut Vec<u8>,
        limit: WaitUntil,
    ) -> Result<Attachments, Stop> {
        message.clear();
        let receive = &mut |arrived: Message<'_>| arrived.copy_to(message);
        let mut attachments = Attachments::default();
        self.0.take(receive, &mut attachments, limit)?;
        Ok(attachments)
    }

    /// Closes the channel for both sides. It is called again as long as the other side exists.
    pub(crate) fn close(&self) {
        // If the system keeps refusing a lock, the workers end with the pool.
        let _ = self.0.close(WaitUntil::Try);
    }
}

/// Returns the result; `None` after a timeout.
fn done<R>(result: Result<R, Stop>) -> Result<Option<R>, String> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(Stop::NotNow) => Ok(None),
        Err(Stop::Closed) => Err("the channel is closed".to_owned()),
        Err(Stop::System(error)) => Err(crate::platform::limits::explained(&error)),
    }
}

handle!(
    ByteChannel,
    CONTENT,
    |channel| Ok((&channel.0.rings.slot, ())),
    |memory, ()| Ok(ByteChannel::of(memory)),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_unknown_is_refused() {
        assert_eq!(read::<Request>(&[0; Request::SIZE - 1]), None);
        assert_eq!(read::<Event>(&[0; Event::SIZE - 1]), None);
        assert_eq!(read::<Event>(&[9; Event::SIZE]), None);
    }
}
