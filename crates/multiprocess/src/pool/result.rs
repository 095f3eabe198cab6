//! The result of a call that the caller waits for later.

use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
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

    /// Waits for the result, but not longer than `limit`; `None` if it is not there then.
    ///
    /// It can be called again. Python: `AsyncResult.get(timeout=seconds)`, which raises `TimeoutError`.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get); [`Error::ResultTaken`] if an earlier call gave the result.
    pub fn get_timeout(&mut self, limit: Duration) -> Result<Option<T>> {
        let is_there = self.wait_until(Instant::now().checked_add(limit))?;
        is_there.then(|| self.finish()).transpose()
    }

    /// Waits until the result is there, or has failed, but not longer than `limit`; whether it is there.
    ///
    /// Python: `AsyncResult.wait(seconds)`, followed by `ready()`.
    pub fn wait(&mut self, limit: Duration) -> bool {
        // The end of the pool is a result too: `get` reports it.
        self.wait_until(Instant::now().checked_add(limit))
            .unwrap_or(true)
    }

    /// Returns whether the result is there, or has failed. Python: `AsyncResult.ready()`.
    pub fn is_ready(&mut self) -> bool {
        self.wait(Duration::ZERO)
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
