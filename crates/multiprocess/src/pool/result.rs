//! The results of a call, collected in the order of its inputs, at once or later.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::errors::task_failure::TaskFailure;
use crate::pool::job::{Arrived, Caller};

/// The future result of a call that a pool is running.
///
/// Python: `AsyncResult`. Dropping it abandons the call: the pool doesn't start those of its inputs that still wait.
#[must_use = "dropping it abandons the call"]
pub struct AsyncResult<T> {
    pub(super) call: Caller,
    pub(super) arrived: Vec<Arrived>,
    /// The number of inputs whose results haven't arrived yet.
    pub(super) missing: usize,
    /// `None` after the result was returned.
    pub(super) finish: Option<Finish<T>>,
}

/// Makes the result of the function with that name from what has arrived.
pub(super) type Finish<T> = fn(Vec<Arrived>, &str) -> Result<T>;

impl<T> AsyncResult<T> {
    /// Waits for the result and returns it. Python: `AsyncResult.get()`.
    ///
    /// # Errors
    ///
    /// [`Error::Task`] for the first input that failed; [`Error::PoolTerminated`] or [`Error::PoolBroken`] if the pool
    /// ended before that.
    pub fn get(mut self) -> Result<T> {
        self.get_timeout(Duration::MAX)
    }

    /// Waits at most `limit` for the result and returns it.
    ///
    /// After a timeout, you can call it again. Python: `AsyncResult.get(timeout=seconds)`, which raises `TimeoutError`.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get); [`Error::Timeout`] if it doesn't arrive within `limit`; [`Error::ResultTaken`] if
    /// an earlier call has already returned the result.
    pub fn get_timeout(&mut self, limit: Duration) -> Result<T> {
        self.wait(limit)?;
        let finish = self.finish.take().ok_or(Error::ResultTaken)?;
        finish(std::mem::take(&mut self.arrived), self.call.0.function)
    }

    /// Waits at most `limit` until the call has succeeded or failed.
    ///
    /// Python: `AsyncResult.wait(seconds)`, followed by `ready()`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if the call is still running. If it failed, [`get`](AsyncResult::get) returns the error.
    pub fn wait_timeout(&mut self, limit: Duration) -> Result<()> {
        match self.wait(limit) {
            Err(late) if late.is_timeout() => Err(late),
            // The end of the pool is a result too, which `get` returns.
            _ => Ok(()),
        }
    }

    /// Returns whether the call has succeeded or failed. Python: `AsyncResult.ready()`.
    pub fn is_ready(&mut self) -> bool {
        self.wait_timeout(Duration::ZERO).is_ok()
    }

    fn wait(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now().checked_add(limit);
        while self.missing > 0 {
            let arrived = self.call.take(deadline)?;
            if arrived.is_empty() {
                let event = format!("the result of `{}`", self.call.0.function);
                return Err(Error::timeout(event, limit));
            }
            self.missing -= arrived.iter().map(|some| some.count).sum::<usize>();
            self.arrived.extend(arrived);
        }
        Ok(())
    }
}

impl<T> std::fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncResult")
            .field("function", &self.call.0.function)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// Puts results into the order of the inputs. Those that arrive early wait unread.
#[derive(Default)]
pub(crate) struct InOrder {
    next: usize,
    early: BTreeMap<usize, Arrived>,
}

impl InOrder {
    /// Adds what has arrived, and reads the results that are next in order.
    pub(crate) fn add<R: DeserializeOwned + 'static>(
        &mut self,
        arrived: Arrived,
        mut each: impl FnMut(usize, Result<R, TaskFailure>),
    ) {
        self.early.insert(arrived.first, arrived);
        while let Some(next) = self.early.remove(&self.next) {
            self.next += next.count;
            next.for_each(&mut each);
        }
    }
}

/// All results of a call.
pub(crate) struct Collection<R> {
    in_order: InOrder,
    results: Vec<R>,
    failures: BTreeMap<usize, TaskFailure>,
}

impl<R: DeserializeOwned + 'static> Collection<R> {
    pub(crate) fn new(expected: usize) -> Collection<R> {
        let mut results = Vec::new();
        // An iterator's size hint may be wrong.
        let _ = results.try_reserve_exact(expected);
        Collection {
            in_order: InOrder::default(),
            results,
            failures: BTreeMap::new(),
        }
    }

    pub(crate) fn of(arrived: Vec<Arrived>) -> Collection<R> {
        let mut results = Collection::new(arrived.iter().map(|some| some.count).sum());
        for some in arrived {
            results.add(some);
        }
        results
    }

    pub(crate) fn add(&mut self, arrived: Arrived) {
        self.in_order.add(arrived, |index, result| match result {
            Ok(value) => self.results.push(value),
            Err(failure) => drop(self.failures.insert(index, failure)),
        });
    }

    /// Returns all results, or the failure of the first input that failed.
    pub(crate) fn all(mut self, function: &str) -> Result<Vec<R>> {
        match self.failures.pop_first() {
            Some((index, failure)) => Err(failed(function, index, failure)),
            None => Ok(self.results),
        }
    }

    /// Returns the result of each input, or its failure.
    pub(crate) fn each(mut self, function: &str) -> Vec<Result<R>> {
        let mut values = self.results.into_iter();
        let result = |index| match self.failures.remove(&index) {
            Some(failure) => Some(Err(failed(function, index, failure))),
            None => values.next().map(Ok),
        };
        (0..).map_while(result).collect()
    }
}

/// Returns the result of the only input.
pub(crate) fn only<R: DeserializeOwned + 'static>(
    arrived: Vec<Arrived>,
    function: &str,
) -> Result<R> {
    let mut one = Collection::of(arrived).all(function)?;
    Ok(one.pop().expect("a call has a result or a failure"))
}

pub(crate) fn failed(function: &str, index: usize, failure: TaskFailure) -> Error {
    Error::Task {
        function: function.to_owned(),
        index,
        failure,
    }
}
