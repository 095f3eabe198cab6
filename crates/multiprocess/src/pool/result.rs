//! The results of a call, gathered in the order of its inputs, at once or later.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::errors::task_failure::TaskFailure;
use crate::pool::job::{Arrived, Caller};

/// The result of a call that a pool is busy with.
///
/// Python: `AsyncResult`. Dropping it abandons the call; the pool doesn't begin what is not under way yet.
#[must_use = "dropping it gives up the result"]
pub struct AsyncResult<T> {
    call: Caller,
    inputs: usize,
    arrived: Vec<Arrived>,
    done: usize,
    /// `None` when the result was given.
    finish: Option<Finish<T>>,
}

/// Makes the result of a function with that name of what has arrived.
pub(super) type Finish<T> = fn(Vec<Arrived>, &str) -> Result<T>;

impl<T> AsyncResult<T> {
    pub(super) fn new(call: Caller, inputs: usize, finish: Finish<T>) -> AsyncResult<T> {
        AsyncResult {
            call,
            inputs,
            arrived: Vec::new(),
            done: 0,
            finish: Some(finish),
        }
    }

    /// Waits for the result. Python: `AsyncResult.get()`.
    ///
    /// # Errors
    ///
    /// [`Error::Task`] with the first input that failed; [`Error::PoolTerminated`] or [`Error::PoolBroken`] if the pool
    /// ended before.
    pub fn get(mut self) -> Result<T> {
        self.wait_until(None)?;
        self.finish()
    }

    /// Waits for the result, but not longer than `limit`.
    ///
    /// It can be called again. Python: `AsyncResult.get(timeout=seconds)`, which raises `TimeoutError`.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get); [`Error::Timeout`] if it is not there in time; [`Error::ResultTaken`] if an earlier call gave the result.
    pub fn get_timeout(&mut self, limit: Duration) -> Result<T> {
        if self.wait_until(Instant::now().checked_add(limit))? {
            return self.finish();
        }
        Err(self.late(limit))
    }

    /// Waits until the result is there, or has failed, but not longer than `limit`.
    ///
    /// Python: `AsyncResult.wait(seconds)`, followed by `ready()`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if it is not there in time. What failed is reported by [`get`](AsyncResult::get).
    pub fn wait_timeout(&mut self, limit: Duration) -> Result<()> {
        if self.is_there_before(Instant::now().checked_add(limit)) {
            return Ok(());
        }
        Err(self.late(limit))
    }

    /// Returns whether the result is there, or has failed. Python: `AsyncResult.ready()`.
    pub fn is_ready(&mut self) -> bool {
        self.is_there_before(Some(Instant::now()))
    }

    fn is_there_before(&mut self, deadline: Option<Instant>) -> bool {
        // The end of the pool is a result too: `get` reports it.
        self.wait_until(deadline).unwrap_or(true)
    }

    fn late(&self, limit: Duration) -> Error {
        Error::Timeout {
            event: format!("the result of `{}`", self.call.0.function),
            limit,
        }
    }

    fn wait_until(&mut self, deadline: Option<Instant>) -> Result<bool> {
        while self.done < self.inputs {
            let arrived = self.call.take(deadline)?;
            if arrived.is_empty() {
                return Ok(false);
            }
            self.done += arrived.iter().map(|some| some.count).sum::<usize>();
            self.arrived.extend(arrived);
        }
        Ok(true)
    }

    fn finish(&mut self) -> Result<T> {
        let finish = self.finish.take().ok_or(Error::ResultTaken)?;
        finish(std::mem::take(&mut self.arrived), self.call.0.function)
    }
}

impl<T> std::fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncResult")
            .field("function", &self.call.0.function)
            .field("inputs", &self.inputs)
            .finish_non_exhaustive()
    }
}

/// Results that have arrived.
pub(crate) struct Collection<R> {
    /// Those of the first inputs, one behind the other.
    results: Vec<R>,
    /// Pieces that arrived before their turn, by the number of the first.
    early: BTreeMap<usize, Vec<R>>,
    failures: BTreeMap<usize, TaskFailure>,
}

impl<R: DeserializeOwned + 'static> Collection<R> {
    /// So many results are expected.
    pub(crate) fn new(expected: usize) -> Collection<R> {
        let mut results = Vec::new();
        // An iterator's size hint may be wrong.
        let _ = results.try_reserve_exact(expected);
        Collection {
            results,
            early: BTreeMap::new(),
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
        // The piece that is being filled, and where it begins: what is there already goes on in its turn.
        let (mut begin, mut piece) = if arrived.first == self.results.len() {
            (0, std::mem::take(&mut self.results))
        } else {
            (arrived.first, Vec::with_capacity(arrived.count))
        };
        arrived.for_each(|index, result| match result {
            Ok(value) => piece.push(value),
            Err(failure) => {
                self.failures.insert(index, failure);
                self.keep(begin, std::mem::take(&mut piece));
                begin = index + 1;
            }
        });
        self.keep(begin, piece);
    }

    /// Adds results to those of the first inputs, or keeps them until it is their turn.
    fn keep(&mut self, first: usize, piece: Vec<R>) {
        if !piece.is_empty() {
            self.early.insert(first, piece);
        }
        while let Some(mut next) = self.early.remove(&self.results.len()) {
            if self.results.is_empty() {
                self.results = next;
            } else {
                self.results.append(&mut next);
            }
        }
    }

    /// Returns all results, or the failure of the first input that failed.
    pub(crate) fn all(mut self, function: &str) -> Result<Vec<R>> {
        if let Some((index, failure)) = self.failures.pop_first() {
            return Err(failed(function, index, failure));
        }
        Ok(self.results)
    }

    /// Returns the result of each input, or its failure.
    pub(crate) fn each(mut self, function: &str) -> Vec<Result<R>> {
        let mut each: Vec<_> = self.results.into_iter().map(Ok).collect();
        loop {
            let index = each.len();
            if let Some(piece) = self.early.remove(&index) {
                each.extend(piece.into_iter().map(Ok));
            } else if let Some(failure) = self.failures.remove(&index) {
                each.push(Err(failed(function, index, failure)));
            } else {
                return each;
            }
        }
    }
}

/// Returns the error for an input that failed.
pub(crate) fn failed(function: &str, index: usize, failure: TaskFailure) -> Error {
    Error::Task {
        function: function.to_owned(),
        index,
        failure,
    }
}
