//! Cutting the inputs of a call into batches.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::luggage::with_luggage;
use crate::pool::batch::append;
use crate::pool::call::{Arrived, Batch, Call};
use crate::pool::failure::TaskFailure;

/// How many inputs go into a batch.
#[derive(Clone, Copy)]
pub(crate) struct ChunkSize {
    fixed: Option<usize>,
    now: usize,
    most: usize,
    workers: usize,
}

impl ChunkSize {
    /// What a batch should take: long enough that its way there and back does not count, short enough that the workers
    /// end at about the same time.
    const GOAL: Duration = Duration::from_millis(2);

    pub(crate) fn new(fixed: Option<usize>, most: usize, workers: usize) -> ChunkSize {
        ChunkSize {
            fixed: fixed.map(|size| size.max(1)),
            now: 1,
            most,
            workers,
        }
    }

    /// Learns from what a batch took.
    pub(crate) fn learn(&mut self, count: usize, took: Duration) {
        let each = (took.as_nanos() / count.max(1) as u128).max(1);
        let fitting = usize::try_from(Self::GOAL.as_nanos() / each).unwrap_or(usize::MAX);
        self.now = fitting.clamp(1, (self.now * 8).min(self.most));
    }

    /// How many inputs the next batch gets, with so many left, as far as that is known.
    fn next(&self, left: Option<usize>) -> usize {
        let fair = left.map_or(usize::MAX, |left| left.div_ceil(self.workers * 3));
        self.fixed.unwrap_or_else(|| self.now.min(fair).max(1))
    }

    /// How many inputs may be on their way at once.
    pub(crate) fn window(&self) -> usize {
        // Small batches go out many at a time, so that a worker need not wait for each.
        self.workers * (4 * self.next(None)).max(16)
    }
}

/// The inputs that are still to be sent.
pub(crate) struct Feeder<I: Iterator> {
    call: Arc<Call>,
    inputs: std::iter::Fuse<I>,
    total: Option<usize>,
    sent: usize,
    exhausted: bool,
}

impl<I: Iterator> Feeder<I>
where
    I::Item: Serialize,
{
    pub(crate) fn new(call: &Arc<Call>, inputs: I) -> Feeder<I> {
        let total = match inputs.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        Feeder {
            call: Arc::clone(call),
            inputs: inputs.fuse(),
            total,
            sent: 0,
            exhausted: false,
        }
    }

    pub(crate) fn sent(&self) -> usize {
        self.sent
    }

    pub(crate) fn total(&self) -> Option<usize> {
        if self.exhausted {
            Some(self.sent)
        } else {
            self.total
        }
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The next batch. An input that cannot be sent has failed thereby.
    pub(crate) fn next_batch(&mut self, size: ChunkSize) -> Option<Batch> {
        // More than that in one message gains nothing.
        const BYTES: usize = 1 << 20;
        let count = size.next(self.total.map(|total| total.saturating_sub(self.sent)));
        loop {
            let first = self.sent;
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            let mut failure = None;
            let ((), luggage) = with_luggage(|| {
                while ends.len() < count && bytes.len() < BYTES {
                    let Some(input) = self.inputs.next() else {
                        self.exhausted = true;
                        return;
                    };
                    self.sent += 1;
                    let appended = append(&input, &mut bytes).and_then(|()| {
                        u32::try_from(bytes.len()).map_err(|_| "it is larger than 4 GiB".to_owned())
                    });
                    match appended {
                        Ok(end) => ends.push(end),
                        Err(reason) => {
                            bytes.truncate(ends.last().map_or(0, |&end| end as usize));
                            failure = Some(TaskFailure::UnsendableInput { reason });
                            return;
                        }
                    }
                }
            });
            if let Some(failure) = failure {
                let first = self.sent - 1;
                self.call.arrive(Arrived::Failed {
                    first,
                    count: 1,
                    failure,
                });
            }
            if !ends.is_empty() {
                return Some(Batch {
                    call: Arc::clone(&self.call),
                    first,
                    ends,
                    bytes,
                    luggage,
                });
            }
            if self.exhausted {
                return None;
            }
        }
    }
}
