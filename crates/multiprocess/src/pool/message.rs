//! The messages between a pool and its workers: a head of fixed size, and inputs or results after it.

use std::time::Duration;

use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};
use serde::{Deserialize, Serialize};

use crate::process::task::Task;
use crate::process::wire::append;
use crate::transfer::attachments::{Attachments, collect};
use crate::transfer::codec::IpcHandles;

/// To a worker: the head of a batch of inputs.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
pub(crate) struct Request {
    /// Number of the batch among those of the worker.
    pub(crate) batch: u32,
    /// Place of the function in the list of tasks.
    pub(crate) task: u32,
    pub(crate) count: u32,
    /// Number of the first input in its call, as far as 32 bits count.
    pub(crate) first: u32,
}

/// The batch that is none: a call of the initializer, or no call, only to show that the worker takes requests.
pub(crate) const NO_BATCH: u32 = 0;

impl Request {
    pub(crate) const SIZE: usize = size_of::<Request>();
}

/// A worker among the workers of its pool. A place whose worker died is taken by a worker of the next generation.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable, Serialize, Deserialize)]
pub(crate) struct WorkerId {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// To the pool: what happened, or the head of the results of a batch.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) worker_id: WorkerId,
    pub(crate) batch: u32,
    /// How long the worker took for the batch.
    pub(crate) nanoseconds: u64,
}

#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) enum EventKind {
    /// A worker has done a batch, or what is no batch: it waits for requests.
    Done,
    /// The same, and handles are among the results.
    DoneWithHandles,
    /// A worker has died, and everything it sent was sent before this. The pool sends this itself.
    Died,
    /// The pool has something to do. It sends this itself.
    Wake,
}

impl Event {
    pub(crate) const SIZE: usize = size_of::<Event>();

    pub(crate) fn new(kind: EventKind, worker_id: WorkerId) -> Event {
        Event {
            kind,
            worker_id,
            batch: NO_BATCH,
            nanoseconds: 0,
        }
    }

    pub(crate) fn took(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }
}

/// Splits off the head of a message, behind which inputs or results follow; `None` if it isn't one.
pub(crate) fn read<T: CheckedBitPattern>(message: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = message.split_at_checked(size_of::<T>())?;
    Some((bytemuck::checked::try_pod_read_unaligned(head).ok()?, rest))
}

/// Appends an input to a message, and returns the handles in it; the error says why it cannot be sent.
#[inline]
pub(crate) fn append_input<F: Task<Args>, Args>(
    message: &mut Vec<u8>,
    input: &Args,
) -> Result<Attachments, String> {
    let write = |bytes: &mut Vec<u8>| F::write(input, bytes, IpcHandles::Refused);
    let mut append = || append::<Args>(message, write);
    // A type with nothing to be dropped holds no handle.
    let (appended, attachments) = if std::mem::needs_drop::<Args>() {
        collect(append)
    } else {
        (append(), Attachments::default())
    };
    appended.map(|()| attachments)
}

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
