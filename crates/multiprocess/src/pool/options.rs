//! The ways in which a pool calls a function: at once or later, for one input or many.

use std::any::type_name;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::errors::error::Result;
use crate::pool::chunker::{Chunker, MAX_AHEAD};
use crate::pool::imap::{Imap, Tuples};
use crate::pool::job::Caller;
use crate::pool::message::append_input;
use crate::pool::result::{AsyncResult, Collection, Finish, InOrder};
use crate::pool::supervisor::Supervisor;
use crate::process::task::Task;
use crate::process::task_table;

/// A pool with options for its next call, to be used like the pool itself.
///
/// [`Pool::chunk_size`](crate::Pool::chunk_size) and [`Pool::on_progress`](crate::Pool::on_progress) return it.
#[must_use = "options do nothing until a method such as `map` is called on them"]
pub struct MapOptions<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) chunk: Option<usize>,
    pub(super) progress: Box<dyn FnMut(Progress) + 'a>,
}

impl<'a> MapOptions<'a> {
    /// Sets how many inputs are sent to a worker at a time; 0 counts as 1. By default, the pool measures how many take
    /// about 2 milliseconds.
    ///
    /// Python: the argument `chunksize`. A batch also ends after 1 MiB of inputs, and an input that contains handles is
    /// a batch of its own: if a worker dies with them, no other input needs them.
    pub fn chunk_size(mut self, inputs: usize) -> MapOptions<'a> {
        self.chunk = Some(inputs);
        self
    }

    /// Sets a function to call each time results have arrived, for example to show a progress bar.
    ///
    /// The thread that waits for the results calls it, so it is called only by [`map`](MapOptions::map),
    /// [`starmap`](MapOptions::starmap) and [`map_each`](MapOptions::map_each). Python: `callback=`.
    pub fn on_progress(mut self, report: impl FnMut(Progress) + 'a) -> MapOptions<'a> {
        self.progress = Box::new(report);
        self
    }

    fn open_call<F: Task<Args, How>, Args, How>(&self, function: F) -> Result<Caller> {
        let task = task_table::index_of(function)?;
        self.supervisor.open_call(task, type_name::<F>())
    }

    /// Sends the inputs and collects the results, in the caller's thread.
    pub(super) fn gather<F: Task<Args, How>, Args, How>(
        mut self,
        function: F,
        inputs: impl IntoIterator<Item = Args>,
    ) -> Result<Collection<F::Output>> {
        let start = Instant::now();
        let call = self.open_call(function)?;
        let (inputs, append) = (inputs.into_iter(), append_input::<F, Args, How>);
        let mut chunker = Chunker::new(self.supervisor, call, inputs, append, self.chunk);
        let mut results = Collection::new(chunker.total().unwrap_or(0));
        let mut report = |done, total| {
            let elapsed = start.elapsed();
            (self.progress)(Progress {
                done,
                total,
                elapsed,
            });
        };
        let mut reported = None;
        loop {
            chunker.send(|_| false);
            chunker.resume_panic();
            if chunker.is_done() {
                // The number of inputs may be known only now.
                if chunker.total() != reported {
                    report(chunker.done, chunker.total());
                }
                return Ok(results);
            }
            for some in chunker.take()? {
                chunker.done += some.count;
                results.add(some);
            }
            reported = chunker.total();
            report(chunker.done, reported);
        }
    }

    /// Sends the inputs, and leaves the results to `finish`.
    pub(super) fn begin<F: Task<Args, How>, Args, T, How>(
        self,
        function: F,
        inputs: impl IntoIterator<Item = Args>,
        finish: Finish<T>,
    ) -> Result<AsyncResult<T>> {
        let call = self.open_call(function)?;
        let inputs: Vec<Args> = inputs.into_iter().collect();
        let missing = inputs.len();
        // No thread reads the first results to measure calls, so divide the inputs now: four batches for each worker.
        let divided = missing.div_ceil(self.supervisor.settings.workers.saturating_mul(4));
        let size = Some(self.chunk.unwrap_or(divided));
        let (inputs, append) = (inputs.into_iter(), append_input::<F, Args, How>);
        let mut chunker = Chunker::new(self.supervisor, call, inputs, append, size);
        while !chunker.exhausted {
            chunker.send(|_| false);
            // Don't wait for their results.
            chunker.done = chunker.sent;
        }
        chunker.resume_panic();
        Ok(AsyncResult {
            call: chunker.call,
            arrived: Vec::new(),
            missing,
            finish: Some(finish),
        })
    }

    /// Returns an iterator, by which the caller reads the results.
    pub(super) fn one_by_one<F, A, I, How>(
        self,
        function: F,
        inputs: I,
        in_order: Option<InOrder>,
    ) -> Result<Imap<'a, I::IntoIter, F::Output>>
    where
        F: Task<(A,), How>,
        I: IntoIterator<Item = A>,
    {
        let call = self.open_call(function)?;
        let inputs: Tuples<I::IntoIter> = inputs.into_iter().map(|input| (input,));
        let append = append_input::<F, (A,), How>;
        let mut chunker = Chunker::new(self.supervisor, call, inputs, append as _, self.chunk);
        chunker.most = MAX_AHEAD;
        Ok(Imap {
            chunker,
            in_order,
            ready: VecDeque::new(),
        })
    }
}

/// The progress of a map: the argument of the function given to
/// [`MapOptions::on_progress`](crate::MapOptions::on_progress).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use multiprocess::Progress;
///
/// let elapsed = Duration::from_secs(5);
/// let progress = Progress { done: 25, total: Some(100), elapsed };
/// assert!((progress.per_second() - 5.0).abs() < 1e-9);
/// assert_eq!(progress.time_left(), Some(Duration::from_secs(15)));
/// assert_eq!(Progress { done: 0, ..progress }.time_left(), None);
/// assert_eq!(Progress { total: None, ..progress }.time_left(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The number of inputs that are done, whether they succeeded or failed.
    pub done: usize,
    /// The number of all inputs, if it is known in advance.
    pub total: Option<usize>,
    /// The time since the call began.
    pub elapsed: Duration,
}

impl Progress {
    /// Returns the rate so far, in inputs per second; 0 before the first result.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Returns the time that the rest will take at the rate so far; `None` if that is unknown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate has few digits")]
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        let rate = self.per_second();
        (rate > 0.0).then(|| Duration::try_from_secs_f64(left as f64 / rate).ok())?
    }
}
