//! One call of a pool's method, as the pool and the caller see it: batches go out, results come in.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::luggage::Luggage;
use crate::pool::failure::TaskFailure;

/// A map, or a single call, that is under way.
pub(crate) struct Call {
    /// Place of the function in the list of tasks, and its path.
    pub(crate) task: u32,
    pub(crate) function: &'static str,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    arrived: VecDeque<Arrived>,
    /// Why nothing more will arrive, where the pool has ended.
    ended: Option<PoolEnd>,
    /// Whether the caller has gone: what is not under way yet need not be begun.
    abandoned: bool,
}

/// Why a pool does not give results any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PoolEnd {
    Terminated,
    Broken(String),
}

/// What came of a part of a call.
pub(crate) enum Arrived {
    /// The results of `count` inputs from `first` on.
    Results {
        first: usize,
        count: usize,
        bytes: Vec<u8>,
        took: Duration,
    },
    /// `count` inputs from `first` on failed for one reason.
    Failed {
        first: usize,
        count: usize,
        failure: TaskFailure,
    },
}

impl Arrived {
    /// How many inputs it concerns.
    pub(crate) fn count(&self) -> usize {
        match self {
            Arrived::Results { count, .. } | Arrived::Failed { count, .. } => *count,
        }
    }
}

impl Call {
    pub(crate) fn new(task: u32, function: &'static str) -> Arc<Call> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Call {
            task,
            function,
            state,
            changed,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands something in, for the caller to take.
    pub(crate) fn arrive(&self, arrived: Arrived) {
        self.state().arrived.push_back(arrived);
        self.changed.notify_all();
    }

    /// Tells the caller that nothing more will arrive.
    pub(crate) fn end(&self, end: PoolEnd) {
        self.state().ended.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Tells the pool that nobody waits any more.
    pub(crate) fn abandon(&self) {
        self.state().abandoned = true;
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.state().abandoned
    }

    /// Takes what has arrived, without waiting.
    pub(crate) fn try_take(&self) -> Option<Arrived> {
        self.state().arrived.pop_front()
    }

    /// Waits for something to arrive; `None` if the deadline has passed.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Result<Option<Arrived>, PoolEnd> {
        let mut state = self.state();
        loop {
            if let Some(arrived) = state.arrived.pop_front() {
                return Ok(Some(arrived));
            }
            if let Some(end) = &state.ended {
                return Err(end.clone());
            }
            state = match deadline {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        return Ok(None);
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
    pub(crate) call: Arc<Call>,
    /// Number of the first input.
    pub(crate) first: usize,
    /// Where in the bytes each input ends.
    pub(crate) ends: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
    /// Handles that stand in the inputs, until a worker has read them.
    pub(crate) luggage: Luggage,
}

impl Batch {
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).expect("a batch is cut long before that")
    }

    /// The inputs from `number` on as a batch of their own.
    pub(crate) fn split_off(&mut self, number: u32) -> Batch {
        let ends = self.ends.split_off(number as usize);
        let start = self.ends.last().copied().unwrap_or(0);
        Batch {
            call: Arc::clone(&self.call),
            first: self.first + number as usize,
            ends: ends.into_iter().map(|end| end - start).collect(),
            bytes: self.bytes.split_off(start as usize),
            // The handles cannot be told apart; they stay with the first part, which is as good as read.
            luggage: Luggage::default(),
        }
    }
}
