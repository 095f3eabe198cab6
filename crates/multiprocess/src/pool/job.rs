//! A call of a pool's method, as the pool and the caller see it: batches go out, results come in.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::errors::error::Error;
use crate::errors::task_failure::TaskFailure;
use crate::pool::message::{Event, Received, Request};
use crate::process::batch::Results;
use crate::process::wire;
use crate::transfer::attachments::Attachments;

/// A map, or a single call, that is running.
pub(crate) struct Job {
    /// The function's index in the list of tasks, and its path.
    pub(crate) task: u32,
    pub(crate) function: &'static str,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    /// All batches have been submitted.
    all_is_in: bool,
    /// The caller sleeps until something arrives.
    waiting: bool,
    /// Why no more results will arrive, if the pool or the caller has ended.
    ended: Option<Phase>,
}

/// Whether a pool accepts calls, and if not, why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Open,
    /// Accepts no new calls, and finishes the running ones.
    Closed,
    Terminated,
    Broken(String),
}

impl From<Phase> for Error {
    fn from(phase: Phase) -> Error {
        match phase {
            Phase::Open | Phase::Closed => Error::PoolClosed,
            Phase::Terminated => Error::PoolTerminated,
            Phase::Broken(reason) => Error::PoolBroken { reason },
        }
    }
}

impl Job {
    pub(crate) fn new(task: u32, function: &'static str) -> Arc<Job> {
        Arc::new(Job {
            task,
            function,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a worker's message, unless the call has ended; returns whether to [wake](Job::wake) the caller.
    pub(crate) fn complete(
        &self,
        batch: &Batch,
        event: &Event,
        (message, attachments): Received,
    ) -> bool {
        self.arrive(Arrived {
            first: batch.first,
            count: batch.count as usize,
            each: Some(Duration::from_nanos(event.nanoseconds) / batch.count.max(1)),
            outcome: Ok(message),
            _attachments: attachments,
        })
    }

    /// Reports to the caller that `count` inputs, starting with `first`, failed.
    pub(crate) fn fail(&self, first: usize, count: usize, failure: TaskFailure) {
        let failed = Arrived {
            first,
            count,
            each: None,
            outcome: Err(failure),
            _attachments: Attachments::default(),
        };
        if self.arrive(failed) {
            self.wake();
        }
    }

    fn arrive(&self, arrived: Arrived) -> bool {
        let mut state = self.state();
        if state.ended.is_some() {
            return false;
        }
        state.arrived.push(arrived);
        std::mem::take(&mut state.waiting)
    }

    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    pub(crate) fn end(&self, end: Phase) {
        self.state().ended.get_or_insert(end);
        self.wake();
    }

    /// Returns whether the call has ended, so that waiting batches need not be started.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    /// Returns whether more batches may be submitted.
    pub(crate) fn is_feeding(&self) -> bool {
        let state = self.state();
        !state.all_is_in && state.ended.is_none()
    }
}

/// The caller's side of a job, which ends when it is dropped.
pub(crate) struct Caller(pub(crate) Arc<Job>);

impl Caller {
    pub(crate) fn all_is_in(&self) {
        self.0.state().all_is_in = true;
    }

    pub(crate) fn has_some(&self) -> bool {
        !self.0.state().arrived.is_empty()
    }

    /// Waits until something has arrived and takes it all; takes nothing if the deadline passes.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Result<Vec<Arrived>, Phase> {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        let limit = deadline.map_or(Duration::MAX, left);
        let is_waiting = |state: &mut State| {
            state.waiting = state.arrived.is_empty() && state.ended.is_none();
            state.waiting
        };
        let state = self.0.state();
        let waited = self.0.changed.wait_timeout_while(state, limit, is_waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting = false;
        match &state.ended {
            Some(end) if state.arrived.is_empty() => Err(end.clone()),
            _ => Ok(std::mem::take(&mut state.arrived)),
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.end(Phase::Terminated);
        // Dropping it may release handles: not while something is locked.
        let _unread = std::mem::take(&mut self.0.state().arrived);
    }
}

/// The outcome of `count` inputs of a call, starting with `first`. If it is dropped unread, the handles in it are
/// released.
pub(crate) struct Arrived {
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// How long the worker took for each, if there are results.
    pub(crate) each: Option<Duration>,
    /// A worker's message with the results, or one failure for all of them.
    outcome: Result<Vec<u8>, TaskFailure>,
    /// The handles among the results, until they are read.
    _attachments: Attachments,
}

impl Arrived {
    /// Returns each result, or why there is none, as bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let failure = match self.outcome {
            Err(failure) => failure,
            Ok(mut message) => {
                let whole = &message[Event::SIZE..];
                let rest = (0..self.count).try_fold(whole, |rest, _| Some(wire::split(rest)?.1));
                if rest == Some(&[]) {
                    message.drain(..Event::SIZE);
                    return message;
                }
                let reason = "the worker sent more or fewer than there were inputs".to_owned();
                TaskFailure::UnreadableResult { reason }
            }
        };
        let mut bytes = Vec::new();
        (0..self.count).for_each(|_| wire::append_failure(&failure, &mut bytes));
        bytes
    }

    pub(crate) fn for_each<R: DeserializeOwned + 'static>(
        self,
        mut each: impl FnMut(usize, Result<R, TaskFailure>),
    ) {
        let indices = self.first..self.first + self.count;
        match &self.outcome {
            Ok(message) => {
                let mut results = Results(&message[Event::SIZE..]);
                for index in indices {
                    each(index, results.next());
                }
            }
            Err(failure) => indices.for_each(|index| each(index, Err(failure.clone()))),
        }
    }
}

/// Inputs of a call that are sent to a worker together.
pub(crate) struct Batch {
    pub(crate) call: Arc<Job>,
    /// The index of the first input.
    pub(crate) first: usize,
    pub(crate) count: u32,
    /// The inputs, after space for the [`Request`].
    pub(crate) bytes: Vec<u8>,
    /// Handles in the input, if it is the only one: this process's until the batch is sent, and then the message's.
    pub(crate) attachments: Attachments,
    /// How many workers died after they had taken it and before they had begun.
    pub(crate) mishaps: u32,
}

impl Batch {
    /// Removes the first inputs.
    pub(crate) fn skip(&mut self, number: u32) {
        let mut rest = &self.bytes[Request::SIZE..];
        for _ in 0..number {
            rest = wire::split(rest).map_or(rest, |(_, behind)| behind);
        }
        let start = self.bytes.len() - rest.len();
        self.bytes.drain(Request::SIZE..start);
        self.first += number as usize;
        self.count -= number;
        self.mishaps = 0;
    }
}
