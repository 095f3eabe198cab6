//! One call of a pool's method, as the pool and the caller see it: batches go out, results come in.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::errors::error::Error;
use crate::errors::task_failure::TaskFailure;
use crate::pool::message::{Event, Request};
use crate::pool::progress_cells::Position;
use crate::process::batch::Results;
use crate::transfer::attachments::Attachments;
use crate::transfer::caught::without_panic;

/// A map, or a single call, that is under way.
pub(crate) struct Job {
    /// Place of the function in the list of tasks, and its path.
    pub(crate) task: u32,
    pub(crate) function: &'static str,
    /// Reads so many results and drops what it reads.
    discard: Discard,
    state: Mutex<State>,
    changed: Condvar,
}

type Discard = fn(&[u8], usize);

struct State {
    arrived: Vec<Arrived>,
    /// Whether the caller may hand in more batches.
    feeding: bool,
    /// Whether the caller sleeps until something arrives.
    waiting: bool,
    /// Why nothing more will arrive, where the pool has ended.
    ended: Option<PoolEnd>,
    /// Whether the caller has gone: what is not under way yet need not be begun.
    abandoned: bool,
}

/// Why a pool returns no more results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PoolEnd {
    Terminated,
    Broken(String),
}

impl From<PoolEnd> for Error {
    fn from(end: PoolEnd) -> Error {
        match end {
            PoolEnd::Terminated => Error::PoolTerminated,
            PoolEnd::Broken(reason) => Error::PoolBroken { reason },
        }
    }
}

/// What came of `count` inputs of a call, from `first` on: their results, or one failure for all of them.
pub(crate) struct Arrived {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) outcome: Result<Payload, TaskFailure>,
}

impl Arrived {
    /// Reads the results, one by one.
    pub(crate) fn for_each<R: DeserializeOwned + 'static>(
        self,
        mut each: impl FnMut(usize, Result<R, TaskFailure>),
    ) {
        let indices = self.first..self.first + self.count;
        match self.outcome {
            Ok(mut payload) => {
                let mut results = payload.open();
                for index in indices {
                    each(index, results.next());
                }
            }
            Err(failure) => indices.for_each(|index| each(index, Err(failure.clone()))),
        }
    }
}

/// A worker's message with the results of a batch. If it is dropped unread, the handles in it are given back.
pub(crate) struct Payload {
    message: Vec<u8>,
    count: usize,
    /// How long the worker took.
    pub(crate) took: Duration,
    /// Reads the results and drops them; `None` if no handles are among them, or when they are being read.
    discard: Option<Discard>,
}

impl Payload {
    fn open(&mut self) -> Results<'_> {
        self.discard = None;
        Results::new(&self.message[Event::SIZE..])
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if let Some(discard) = self.discard {
            discard(&self.message[Event::SIZE..], self.count);
        }
    }
}

impl Job {
    pub(crate) fn new<R: DeserializeOwned + 'static>(
        task: u32,
        function: &'static str,
    ) -> Arc<Job> {
        let state = State {
            arrived: Vec::new(),
            feeding: true,
            waiting: false,
            ended: None,
            abandoned: false,
        };
        Arc::new(Job {
            task,
            function,
            discard: |bytes, count| {
                let mut results = Results::new(bytes);
                for _ in 0..count {
                    // A result's own `Drop` may panic, and this may be the thread of the pool.
                    let _ = without_panic(|| drop(results.next::<R>()));
                }
            },
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a worker's message, for the caller to take; returns whether to [wake](Job::wake) the caller for it.
    pub(crate) fn complete(&self, batch: &Batch, event: &Event, message: Vec<u8>) -> bool {
        let count = batch.ends.len();
        let payload = Payload {
            message,
            count,
            took: event.took(),
            discard: event.has_handles.then_some(self.discard),
        };
        self.arrive(batch.first, count, Ok(payload))
    }

    /// Reports to the caller that `count` inputs from `first` on failed.
    pub(crate) fn fail(&self, first: usize, count: usize, failure: TaskFailure) {
        if self.arrive(first, count, Err(failure)) {
            self.wake();
        }
    }

    fn arrive(&self, first: usize, count: usize, outcome: Result<Payload, TaskFailure>) -> bool {
        let arrived = Arrived {
            first,
            count,
            outcome,
        };
        let mut state = self.state();
        if state.abandoned || state.ended.is_some() {
            // Dropped where nothing is locked: handles in it may be given back.
            drop(state);
            return false;
        }
        state.arrived.push(arrived);
        std::mem::take(&mut state.waiting)
    }

    /// Wakes the caller.
    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Reports to the caller that nothing more will arrive.
    pub(crate) fn end(&self, end: PoolEnd) {
        let mut state = self.state();
        state.ended.get_or_insert(end);
        state.waiting = false;
        self.changed.notify_all();
    }

    /// Marks that all batches have been submitted.
    pub(crate) fn all_is_in(&self) {
        self.state().feeding = false;
    }

    /// Returns whether more batches may be submitted.
    pub(crate) fn is_feeding(&self) -> bool {
        let state = self.state();
        state.feeding && !state.abandoned
    }

    /// Reports to the pool that the caller no longer waits.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.abandoned = true;
        let unread = std::mem::take(&mut state.arrived);
        drop(state);
        drop(unread);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.state().abandoned
    }

    /// Returns whether there is something to take.
    pub(crate) fn has_some(&self) -> bool {
        !self.state().arrived.is_empty()
    }

    /// Takes all that has arrived; waits if that is nothing. Nothing at all if the deadline has passed.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Result<Vec<Arrived>, PoolEnd> {
        let mut state = self.state();
        loop {
            if !state.arrived.is_empty() {
                return Ok(std::mem::take(&mut state.arrived));
            }
            if let Some(end) = &state.ended {
                return Err(end.clone());
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state.waiting = true;
            state = match rest {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(rest) => {
                    if rest.is_zero() {
                        state.waiting = false;
                        return Ok(Vec::new());
                    }
                    let waited = self.changed.wait_timeout(state, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Inputs of a call that go to a worker together.
pub(crate) struct Batch {
    pub(crate) call: Arc<Job>,
    /// Number of the first input.
    pub(crate) first: usize,
    /// Where in the bytes each input ends.
    pub(crate) ends: Vec<u32>,
    /// The inputs, behind room for the [`Request`].
    pub(crate) bytes: Vec<u8>,
    /// Handles in the inputs, by number of the input in the batch, until a worker has read them.
    pub(crate) attachments: Vec<(u32, Attachments)>,
    /// How many workers died when they had taken it and not begun.
    pub(crate) mishaps: u32,
}

impl Batch {
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).expect("a batch is cut long before that")
    }

    /// Where in the bytes the last input ends.
    pub(crate) fn bytes_end(&self) -> usize {
        self.ends.last().map_or(Request::SIZE, |&end| end as usize)
    }

    /// Splits off the inputs from `number` on as a batch of their own.
    pub(crate) fn split_off(&mut self, number: u32) -> Batch {
        let ends = self.ends.split_off(number as usize);
        let start = self.bytes_end();
        let mut bytes = vec![0; Request::SIZE];
        bytes.extend_from_slice(&self.bytes[start..]);
        self.bytes.truncate(start);
        // No batch is longer than 4 GiB.
        let moved = u32::try_from(start - Request::SIZE).unwrap_or(u32::MAX);
        let attachments = std::mem::take(&mut self.attachments);
        let (first, second) = attachments
            .into_iter()
            .partition(|&(input, _)| input < number);
        self.attachments = first;
        let behind = |(input, attachments)| (input - number, attachments);
        Batch {
            call: Arc::clone(&self.call),
            first: self.first + number as usize,
            ends: ends.into_iter().map(|end| end - moved).collect(),
            bytes,
            attachments: Vec::into_iter(second).map(behind).collect(),
            mishaps: 0,
        }
    }

    /// A worker has done it, with these results. The handles in the inputs that it could not read are taken back; those
    /// in the others have arrived.
    pub(crate) fn was_read(&mut self, results: &[u8]) {
        if self.attachments.is_empty() {
            return;
        }
        let unreadable = Results::new(results).unreadable();
        for (input, attachments) in self.attachments.drain(..) {
            if !unreadable.contains(&input) {
                attachments.commit();
            }
        }
    }

    /// A worker has died there in it. The handles in the inputs that it could not read are taken back.
    pub(crate) fn was_read_until(&mut self, position: Position) {
        let is_done = |(input, _): &mut (u32, Attachments)| *input < position.inputs_read;
        for (input, attachments) in self.attachments.extract_if(.., is_done) {
            if position.has_read(input) {
                attachments.commit();
            }
        }
    }
}
