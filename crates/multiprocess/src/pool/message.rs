//! What a pool and its workers say to each other.

use std::time::Duration;

/// To a worker: a batch of inputs.
pub(crate) struct Request<'a> {
    pub(crate) batch: u32,
    /// Place of the function in the list of tasks.
    pub(crate) task: u32,
    pub(crate) count: u32,
    /// Number of the first input in its call, as far as 32 bits count.
    pub(crate) first: u32,
    pub(crate) inputs: &'a [u8],
}

/// Bytes of an order before its inputs.
pub(crate) const ORDER: usize = 16;

impl Request<'_> {
    /// Writes all but the inputs, which stand behind it.
    pub(crate) fn write_head(&self, head: &mut [u8; ORDER]) {
        for (place, number) in [self.batch, self.task, self.count, self.first]
            .iter()
            .enumerate()
        {
            head[4 * place..4 * (place + 1)].copy_from_slice(&number.to_le_bytes());
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut head = [0; ORDER];
        self.write_head(&mut head);
        [&head, self.inputs].concat()
    }

    /// Reads an order; `None` if it is none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Request<'_>> {
        let (numbers, inputs) = bytes.split_at_checked(ORDER)?;
        Some(Request {
            batch: number_at(numbers, 0)?,
            task: number_at(numbers, 4)?,
            count: number_at(numbers, 8)?,
            first: number_at(numbers, 12)?,
            inputs,
        })
    }
}

/// A worker among the workers of its pool. A place whose worker died is taken by a worker of the next generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WorkerId {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// To the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A worker is set up and waits for orders.
    Ready(WorkerId),
    /// A worker has done a batch; the results follow.
    Done {
        worker_id: WorkerId,
        batch: u32,
        took: Duration,
        /// Whether handles are among the results.
        loaded: bool,
    },
    /// A worker has died, and everything it sent was sent before this. (Said by the pool's own watch.)
    Died(WorkerId),
    /// The pool is to look what else there is to do. (Said by the pool itself.)
    Look,
}

/// Bytes of a piece of news; results follow.
pub(crate) const NEWS: usize = 21;

/// The batch that is none: what a worker is to do before all batches, or only to show that it takes orders.
pub(crate) const NO_BATCH: u32 = 0;

impl Event {
    pub(crate) fn to_bytes(self) -> [u8; NEWS] {
        let nobody = WorkerId {
            place: 0,
            generation: 0,
        };
        let (kind, worker_id, batch, took) = match self {
            Event::Ready(worker_id) => (0, worker_id, 0, Duration::ZERO),
            Event::Done {
                worker_id,
                batch,
                took,
                loaded,
            } => (if loaded { 4 } else { 1 }, worker_id, batch, took),
            Event::Died(worker_id) => (2, worker_id, 0, Duration::ZERO),
            Event::Look => (3, nobody, 0, Duration::ZERO),
        };
        let mut bytes = [0; NEWS];
        bytes[0] = kind;
        bytes[1..5].copy_from_slice(&worker_id.place.to_le_bytes());
        bytes[5..9].copy_from_slice(&worker_id.generation.to_le_bytes());
        bytes[9..13].copy_from_slice(&batch.to_le_bytes());
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        bytes[13..].copy_from_slice(&took.to_le_bytes());
        bytes
    }

    /// Reads a piece of news; `None` if it is none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Event> {
        let worker_id = WorkerId {
            place: number_at(bytes, 1)?,
            generation: number_at(bytes, 5)?,
        };
        let took = bytes.get(13..NEWS)?.try_into().ok()?;
        let took = Duration::from_nanos(u64::from_le_bytes(took));
        Some(match bytes.first()? {
            0 => Event::Ready(worker_id),
            kind @ (1 | 4) => Event::Done {
                worker_id,
                batch: number_at(bytes, 9)?,
                took,
                loaded: *kind == 4,
            },
            2 => Event::Died(worker_id),
            3 => Event::Look,
            _ => return None,
        })
    }
}

fn number_at(bytes: &[u8], place: usize) -> Option<u32> {
    let bytes = bytes.get(place..place + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let worker_id = WorkerId {
            place: 3,
            generation: 700,
        };
        let took = Duration::from_nanos(123_456_789);
        for news in [
            Event::Ready(worker_id),
            Event::Done {
                worker_id,
                batch: 9,
                took,
                loaded: false,
            },
            Event::Done {
                worker_id,
                batch: 9,
                took,
                loaded: true,
            },
            Event::Died(worker_id),
            Event::Look,
        ] {
            assert_eq!(Event::from_bytes(&news.to_bytes()), Some(news));
        }
        let order = Request {
            batch: 1,
            task: 2,
            count: 3,
            first: 4,
            inputs: b"abc",
        };
        let bytes = order.to_bytes();
        let read = Request::from_bytes(&bytes).unwrap();
        assert_eq!(
            (read.batch, read.task, read.count, read.first, read.inputs),
            (1, 2, 3, 4, &b"abc"[..])
        );
    }

    #[test]
    fn what_is_cut_off_is_not_understood() {
        assert!(Request::from_bytes(&[0; ORDER - 1]).is_none());
        assert_eq!(Event::from_bytes(&[0; NEWS - 1]), None);
        assert_eq!(Event::from_bytes(&[9; NEWS]), None);
    }
}
