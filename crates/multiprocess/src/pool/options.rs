//! The ways to have a pool call a function: at once or later, for one input or many.

use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::pool::chunker::{ChunkSize, Chunker, MAX_CHOSEN};
use crate::pool::collect::Collection;
use crate::pool::imap::{Imap, Single};
use crate::pool::job::Job;
use crate::pool::progress::Progress;
use crate::pool::result::AsyncResult;
use crate::pool::supervisor::Supervisor;
use crate::process::task::Task;
use crate::process::task_table;

/// A pool together with how the next call is to be done; made by [`Pool::chunk_size`](crate::Pool::chunk_size) or
/// [`Pool::on_progress`](crate::Pool::on_progress), and used like the pool itself.
#[must_use = "options do nothing until a method such as `map` is called on them"]
pub struct MapOptions<'a> {
    pub(crate) supervisor: &'a Arc<Supervisor>,
    pub(crate) chunk: Option<usize>,
    pub(crate) progress: Option<Box<dyn FnMut(Progress) + 'a>>,
}

impl<'a> MapOptions<'a> {
    /// Sends that many inputs to a worker at a time; by default the pool finds out how many take about 2 milliseconds.
    ///
    /// Python: the argument `chunksize`. A size of 0 counts as 1.
    pub fn chunk_size(mut self, inputs: usize) -> MapOptions<'a> {
        self.chunk = Some(inputs);
        self
    }

    /// Calls `report` each time that results have arrived; for a progress bar, for example.
    ///
    /// It is called by the thread that waits for the results, so only [`map`](MapOptions::map),
    /// [`starmap`](MapOptions::starmap) and [`map_each`](MapOptions::map_each) call it.
    pub fn on_progress(mut self, report: impl FnMut(Progress) + 'a) -> MapOptions<'a> {
        self.progress = Some(Box::new(report));
        self
    }

    /// As [`Pool::map`](crate::Pool::map).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn map<F, A, I>(self, function: F, inputs: I) -> Result<Vec<F::Output>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        self.starmap(function, Single(inputs.into_iter()))
    }

    /// As [`Pool::starmap`](crate::Pool::starmap).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn starmap<F, Args, I>(self, function: F, inputs: I) -> Result<Vec<F::Output>>
    where
        F: Task<Args>,
        I: IntoIterator<Item = Args>,
    {
        self.gather(function, inputs.into_iter())?
            .all(std::any::type_name::<F>())
    }

    /// As [`Pool::map_each`](crate::Pool::map_each).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn map_each<F, A, I>(self, function: F, inputs: I) -> Result<Vec<Result<F::Output>>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        Ok(self
            .gather(function, Single(inputs.into_iter()))?
            .each(std::any::type_name::<F>()))
    }

    /// Sends the inputs and gathers the results, in the thread of the caller.
    fn gather<F, Args, I>(mut self, function: F, inputs: I) -> Result<Collection<F::Output>>
    where
        F: Task<Args>,
        I: Iterator<Item = Args>,
    {
        let start = Instant::now();
        let call = open_call::<F, F::Output>(self.supervisor, function)?;
        let _leave = AbandonOnDrop(&call);
        let mut size = ChunkSize::new(self.chunk, MAX_CHOSEN, self.supervisor.size());
        let mut chunker = Chunker::new(&call, inputs, F::write);
        let mut results = Collection::new(chunker.total());
        let mut told = None;
        loop {
            chunker.send(self.supervisor, size, results.done(), || false);
            chunker.resume_panic();
            if chunker.is_exhausted() && results.done() == chunker.sent() {
                // Where the number of inputs was not known beforehand, it is now.
                if let Some(report) = &mut self.progress
                    && chunker.total() != told
                {
                    report(Progress::since(start, results.done(), chunker.total()));
                }
                return Ok(results);
            }
            for some in call.take(None)? {
                if let Ok(payload) = &some.outcome {
                    size.learn(some.count, payload.took);
                }
                results.add(some);
            }
            if let Some(report) = &mut self.progress {
                told = chunker.total();
                report(Progress::since(start, results.done(), told));
            }
        }
    }

    /// As [`Pool::map_async`](crate::Pool::map_async).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn map_async<F, A, I>(self, function: F, inputs: I) -> Result<AsyncResult<Vec<F::Output>>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        let call = open_call::<F, F::Output>(self.supervisor, function)?;
        let inputs: Vec<(A,)> = Single(inputs.into_iter()).collect();
        let (workers, total) = (self.supervisor.size(), inputs.len());
        // No thread learns from the first results, so the inputs are divided beforehand: four batches for each worker.
        let size = self
            .chunk
            .unwrap_or_else(|| total.div_ceil(workers.saturating_mul(4)));
        let size = ChunkSize::new(Some(size), MAX_CHOSEN, workers);
        let mut chunker = Chunker::new(&call, inputs.into_iter(), F::write);
        let result = AsyncResult::new(
            Arc::clone(self.supervisor),
            Arc::clone(&call),
            total,
            Collection::all,
        );
        while !chunker.is_exhausted() {
            self.supervisor.submit(chunker.next_batch(size));
        }
        chunker.report_if_exhausted();
        chunker.resume_panic();
        Ok(result)
    }

    /// As [`Pool::imap`](crate::Pool::imap).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn imap<F, A, I>(self, function: F, inputs: I) -> Result<Imap<'a, I::IntoIter, F::Output>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        self.imap_in_order(true, function, inputs)
    }

    /// As [`Pool::imap_unordered`](crate::Pool::imap_unordered).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn imap_unordered<F, A, I>(
        self,
        function: F,
        inputs: I,
    ) -> Result<Imap<'a, I::IntoIter, F::Output>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        self.imap_in_order(false, function, inputs)
    }

    fn imap_in_order<F, A, I>(
        self,
        ordered: bool,
        function: F,
        inputs: I,
    ) -> Result<Imap<'a, I::IntoIter, F::Output>>
    where
        F: Task<(A,)>,
        I: IntoIterator<Item = A>,
    {
        let call = open_call::<F, F::Output>(self.supervisor, function)?;
        let (chunk, inputs) = (self.chunk, inputs.into_iter());
        Ok(Imap::new(
            self.supervisor,
            call,
            chunk,
            inputs,
            F::write,
            ordered,
        ))
    }
}

fn open_call<F: 'static, R: DeserializeOwned + 'static>(
    supervisor: &Supervisor,
    function: F,
) -> Result<Arc<Job>> {
    let task = task_table::index_of(function)?;
    let call = Job::new::<R>(task, std::any::type_name::<F>());
    supervisor.open_call(&call)?;
    Ok(call)
}

/// Sends one input.
pub(crate) fn apply_async<F, Args>(
    supervisor: &Arc<Supervisor>,
    function: F,
    args: Args,
) -> Result<AsyncResult<F::Output>>
where
    F: Task<Args>,
{
    let call = open_call::<F, F::Output>(supervisor, function)?;
    let size = ChunkSize::new(Some(1), 1, supervisor.size());
    let mut chunker = Chunker::new(&call, std::iter::once(args), F::write);
    supervisor.submit(chunker.next_batch(size));
    call.all_is_in();
    chunker.resume_panic();
    let one = |results: Collection<F::Output>, function: &str| -> Result<F::Output> {
        let one = results.all(function)?.pop();
        one.ok_or_else(|| Error::PoolBroken {
            reason: "a result is missing".to_owned(),
        })
    };
    Ok(AsyncResult::new(Arc::clone(supervisor), call, 1, one))
}

/// Reports to the pool that the wait for results has ended, however it ended.
struct AbandonOnDrop<'a>(&'a Job);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
