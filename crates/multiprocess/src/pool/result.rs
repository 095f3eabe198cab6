//! The result of a call that the caller waits for later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::pool::job::{Arrived, Job};
use crate::pool::supervisor::Supervisor;

/// The result of a call that a pool is busy with.
///
/// Python: `AsyncResult`. Dropping it abandons the call; the pool doesn't begin what is not under way yet.
#[must_use = "dropping it gives up the result"]
pub struct AsyncResult<T> {
    /// Keeps the pool's state while the result is waited for.
    _supervisor: Arc<Supervisor>,
    call: Arc<Job>,
    total: usize,
    arrived: Vec<Arrived>,
    done: usize,
    finish: Finish<T>,
    taken: bool,
}

/// Makes the result of what has arrived.
type Finish<T> = Box<dyn Fn(Vec<Arrived>, &str) -> Result<T> + Send>;

impl<T> AsyncResult<T> {
    pub(crate) fn new<R: DeserializeOwned + 'static>(
        supervisor: Arc<Supervisor>,
        call: Arc<Job>,
        total: usize,
        finish: impl Fn(super::collect::Collection<R>, &str) -> Result<T> + Send + 'static,
    ) -> AsyncResult<T> {
        let finish = Box::new(move |arrived: Vec<Arrived>, function: &str| {
            let mut results = super::collect::Collection::new(Some(total));
            for some in arrived {
                results.add(some);
            }
            finish(results, function)
        });
        AsyncResult {
            _supervisor: supervisor,
            call,
            total,
            arrived: Vec::new(),
            done: 0,
            finish,
            taken: false,
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
        if self.taken {
            return Err(Error::ResultTaken);
        }
        if self.wait_until(Instant::now().checked_add(limit))? {
            self.finish().map(Some)
        } else {
            Ok(None)
        }
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
        while self.done < self.total {
            let arrived = self.call.take(deadline)?;
            if arrived.is_empty() {
                return Ok(false);
            }
            self.done += arrived.iter().map(|arrived| arrived.count).sum::<usize>();
            self.arrived.extend(arrived);
        }
        Ok(true)
    }

    fn finish(&mut self) -> Result<T> {
        self.taken = true;
        (self.finish)(std::mem::take(&mut self.arrived), self.call.function)
    }
}

impl<T> std::fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncResult")
            .field("function", &self.call.function)
            .field("inputs", &self.total)
            .finish_non_exhaustive()
    }
}

impl<T> Drop for AsyncResult<T> {
    fn drop(&mut self) {
        self.call.abandon();
    }
}
