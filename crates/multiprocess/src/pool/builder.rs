//! How a pool is to be, and its start.

use std::num::NonZero;
use std::thread;

use crate::errors::error::{Error, Result, Travelling};
use crate::pool::initializer::Initializer;
use crate::pool::supervisor::Settings;
use crate::process::task::Task;
use crate::process::task_table;

/// The options of a pool, before it starts.
///
/// # Examples
///
/// ```
/// use multiprocess::{Pool, task};
///
/// fn prepare(greeting: String) {
///     println!("{greeting} from {}", multiprocess::current().name());
/// }
///
/// fn who(_: u32) -> String {
///     multiprocess::current().name().to_owned()
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(prepare), task(who)]);
///     let pool = Pool::builder()
///         .workers(1)
///         .name("clerk")
///         .initializer(prepare, ("hello".to_owned(),))?
///         .calls_per_worker(2)
///         .build()?;
///     assert_eq!(pool.chunk_size(1).map(who, 0..4)?, ["clerk-1", "clerk-1", "clerk-2", "clerk-2"]);
///     Ok(())
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing until `build` is called"]
pub struct PoolBuilder {
    workers: Option<usize>,
    name: Option<String>,
    initializer: Option<Initializer>,
    calls_per_worker: Option<u64>,
}

impl PoolBuilder {
    /// Sets how many workers the pool has; one per core if this is not called.
    pub fn workers(mut self, workers: usize) -> PoolBuilder {
        self.workers = Some(workers);
        self
    }

    /// Sets the prefix of the workers' names: `clerk-1`, `clerk-2`, …; `PoolWorker-1`, … if this is not called.
    pub fn name(mut self, name: impl Into<String>) -> PoolBuilder {
        self.name = Some(name.into());
        self
    }

    /// Sets a function that each worker calls once, before anything else; what it returns is ignored.
    ///
    /// If it panics the worker ends; if that goes on, the pool is broken ([`Error::PoolBroken`]), where Python's starts
    /// workers for ever. Python: the arguments `initializer` and `initargs`.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] if the function is not in the list given to `init`, [`Error::Encode`] if the arguments
    /// cannot travel.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "arguments move to the workers"
    )]
    pub fn initializer<F, Args>(mut self, function: F, args: Args) -> Result<PoolBuilder>
    where
        F: Task<Args>,
    {
        let task = task_table::index_of(function)?;
        let unsendable = |reason| Error::encode(Travelling::Arguments, "initializer", reason);
        let initializer = Initializer::new::<F, Args>(task, &args).map_err(unsendable)?;
        self.initializer = Some(initializer);
        Ok(self)
    }

    /// Sets how many calls a worker does before it is replaced by a fresh one; it finishes the batch that it has begun.
    ///
    /// Python: `maxtasksperchild`, which counts batches. 0 counts as 1.
    pub fn calls_per_worker(mut self, calls: u64) -> PoolBuilder {
        self.calls_per_worker = Some(calls.max(1));
        self
    }

    /// Returns what was chosen, and the defaults for the rest.
    pub(super) fn settings(self) -> Settings {
        Settings {
            workers: self
                .workers
                .unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get)),
            name: self.name.unwrap_or_else(|| "PoolWorker".to_owned()),
            initializer: self.initializer,
            calls_per_worker: self.calls_per_worker,
        }
    }
}
