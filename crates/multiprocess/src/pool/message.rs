//! The messages between a pool and its workers: a head of fixed size, and inputs or results after it.

use std::time::Duration;

use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};

/// To a worker: the head of a batch of inputs.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
pub(crate) struct Request {
    pub(crate) batch: u32,
    /// Place of the function in the list of tasks.
    pub(crate) task: u32,
    pub(crate) count: u32,
    /// Number of the first input in its call, as far as 32 bits count.
    pub(crate) first: u32,
}

/// The batch that is none: what a worker is to do before all batches, or only to show that it takes requests.
pub(crate) const NO_BATCH: u32 = 0;

impl Request {
    pub(crate) const SIZE: usize = size_of::<Request>();

    /// Reads a request; the inputs follow it.
    pub(crate) fn read(message: &[u8]) -> Option<(Request, &[u8])> {
        read(message)
    }
}

/// A worker among the workers of its pool. A place whose worker died is taken by a worker of the next generation.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
pub(crate) struct WorkerId {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// To the pool: what happened, or the head of the results of a batch.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// Whether handles are among the results.
    pub(crate) has_handles: bool,
    padding: u16,
    pub(crate) worker_id: WorkerId,
    pub(crate) batch: u32,
    nanoseconds: u64,
}

#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
pub(crate) enum EventKind {
    /// A worker is set up and waits for requests.
    Ready,
    /// A worker has done a batch.
    Done,
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
            has_handles: false,
            padding: 0,
            worker_id,
            batch: NO_BATCH,
            nanoseconds: 0,
        }
    }

    pub(crate) fn done(
        worker_id: WorkerId,
        batch: u32,
        took: Duration,
        has_handles: bool,
    ) -> Event {
        Event {
            batch,
            nanoseconds: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
            has_handles,
            ..Event::new(EventKind::Done, worker_id)
        }
    }

    /// Returns how long the worker took for the batch.
    pub(crate) fn took(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }

    /// Reads an event; the results follow it.
    pub(crate) fn read(message: &[u8]) -> Option<(Event, &[u8])> {
        read(message)
    }
}

/// Splits off the head of a message; `None` if it isn't one.
fn read<T: CheckedBitPattern>(message: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = message.split_at_checked(size_of::<T>())?;
    Some((bytemuck::checked::try_pod_read_unaligned(head).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let worker_id = WorkerId {
            place: 3,
            generation: 700,
        };
        let took = Duration::from_nanos(123_456_789);
        let done = Event::done(worker_id, 9, took, true);
        let message = [bytemuck::bytes_of(&done), b"abc"].concat();
        assert_eq!(Event::read(&message), Some((done, &b"abc"[..])));
        assert_eq!(done.took(), took);
        let request = Request {
            batch: 1,
            task: 2,
            count: 3,
            first: 4,
        };
        let message = [bytemuck::bytes_of(&request), b"abc"].concat();
        assert_eq!(Request::read(&message), Some((request, &b"abc"[..])));
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_refused() {
        assert_eq!(Request::read(&[0; Request::SIZE - 1]), None);
        assert_eq!(Event::read(&[0; Event::SIZE - 1]), None);
        assert_eq!(Event::read(&[9; Event::SIZE]), None);
    }
}
