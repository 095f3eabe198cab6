//! The ways to have a pool call a function: at once or later, for one input or many.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::error::{Error, Result};
use crate::pool::chunker::{ChunkSize, Feeder, MOST_CHOSEN};
use crate::pool::collect::Collection;
use crate::pool::imap::Imap;
use crate::pool::job::{Arrived, Call};
use crate::pool::progress::Progress;
use crate::pool::result::AsyncResult;
use crate::pool::supervisor::Staff;
use crate::process::task::Task;
use crate::process::task_table;

/// A pool together with how the next call is to be done; made by [`Pool::chunk_size`](crate::Pool::chunk_size) or
/// [`Pool::on_progress`](crate::Pool::on_progress), and used like the pool itself.
#[must_use = "options do nothing until a method such as `map` is called on them"]
pub struct MapOptions<'a> {
    pub(crate) staff: &'a Arc<Staff>,
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

    /// Calls `tell` each time that results have arrived; for a progress bar, for example.
    ///
    /// It is called by the thread that waits for the results, so only [`map`](MapOptions::map),
    /// [`starmap`](MapOptions::starmap) and [`map_each`](MapOptions::map_each) call it.
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + 'a) -> MapOptions<'a> {
        self.progress = Some(Box::new(tell));
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
        A: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.starmap(function, single(inputs))
    }

    /// As [`Pool::starmap`](crate::Pool::starmap).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn starmap<F, Args, I>(self, function: F, inputs: I) -> Result<Vec<F::Output>>
    where
        F: Task<Args>,
        Args: Serialize + DeserializeOwned,
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
        A: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        Ok(self
            .gather(function, single(inputs))?
            .each(std::any::type_name::<F>()))
    }

    /// Sends the inputs and gathers the results, in the thread of the caller.
    fn gather<F, Args, I>(mut self, function: F, inputs: I) -> Result<Collection<F::Output>>
    where
        F: Task<Args>,
        Args: Serialize + DeserializeOwned,
        I: Iterator<Item = Args>,
    {
        let start = Instant::now();
        let call = self.open::<F, F::Output>(function)?;
        let _leave = AbandonOnDrop(&call);
        let mut size = ChunkSize::new(self.chunk, MOST_CHOSEN, self.staff.size());
        let mut feeder = Feeder::new(&call, inputs);
        let mut results = Collection::new(feeder.total());
        let mut told = None;
        loop {
            feeder.send(self.staff, size, results.done(), || false);
            feeder.resume_panic();
            if feeder.is_exhausted() && results.done() == feeder.sent() {
                // Where the number of inputs was not known beforehand, it is now.
                if let Some(tell) = &mut self.progress
                    && feeder.total() != told
                {
                    tell(Progress::since(start, results.done(), feeder.total()));
                }
                return Ok(results);
            }
            for some in call.take(None)? {
                if let Arrived::Results { count, took, .. } = &some {
                    size.learn(*count, *took);
                }
                results.add(some);
            }
            if let Some(tell) = &mut self.progress {
                told = feeder.total();
                tell(Progress::since(start, results.done(), told));
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
        A: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let call = self.open::<F, F::Output>(function)?;
        let inputs: Vec<(A,)> = single(inputs).collect();
        let (workers, total) = (self.staff.size(), inputs.len());
        // As nobody is there to learn from the first results, the inputs are dealt out beforehand, some to spare.
        let size = self
            .chunk
            .unwrap_or_else(|| total.div_ceil(workers.saturating_mul(4)));
        let size = ChunkSize::new(Some(size), MOST_CHOSEN, workers);
        let mut feeder = Feeder::new(&call, inputs.into_iter());
        let result = AsyncResult::new(
            Arc::clone(self.staff),
            Arc::clone(&call),
            total,
            Collection::all,
        );
        while !feeder.is_exhausted() {
            self.staff.submit(feeder.next_batch(size));
        }
        feeder.tell_if_exhausted();
        feeder.resume_panic();
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
        A: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let call = self.open::<F, F::Output>(function)?;
        Ok(Imap::new(
            self.staff,
            call,
            self.chunk,
            inputs.into_iter(),
            true,
        ))
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
        A: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let call = self.open::<F, F::Output>(function)?;
        Ok(Imap::new(
            self.staff,
            call,
            self.chunk,
            inputs.into_iter(),
            false,
        ))
    }

    fn open<F: 'static, R: DeserializeOwned>(&self, function: F) -> Result<Arc<Call>> {
        open_call::<F, R>(self.staff, function)
    }
}

/// Makes tuples of one.
fn single<I: IntoIterator>(inputs: I) -> impl Iterator<Item = (I::Item,)> {
    inputs.into_iter().map(|input| (input,))
}

pub(crate) fn open_call<F: 'static, R: DeserializeOwned>(
    staff: &Staff,
    function: F,
) -> Result<Arc<Call>> {
    let task = task_table::index_of(function)?;
    let call = Call::new::<R>(task, std::any::type_name::<F>());
    staff.open_call(&call)?;
    Ok(call)
}

/// Sends one input.
pub(crate) fn apply_async<F, Args>(
    staff: &Arc<Staff>,
    function: F,
    args: Args,
) -> Result<AsyncResult<F::Output>>
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    let call = open_call::<F, F::Output>(staff, function)?;
    let size = ChunkSize::new(Some(1), 1, staff.size());
    let mut feeder = Feeder::new(&call, std::iter::once(args));
    staff.submit(feeder.next_batch(size));
    call.all_is_in();
    feeder.resume_panic();
    let one = |results: Collection<F::Output>, function: &str| -> Result<F::Output> {
        let one = results.all(function)?.pop();
        one.ok_or_else(|| Error::PoolBroken {
            reason: "a result is missing".to_owned(),
        })
    };
    Ok(AsyncResult::new(Arc::clone(staff), call, 1, one))
}

/// Tells the pool, however the wait for results ends, that it has ended.
struct AbandonOnDrop<'a>(&'a Call);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
