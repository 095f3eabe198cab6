//! The builder of a pool.

use std::num::NonZero;
use std::thread;

use bytemuck::bytes_of;

use crate::errors::error::{self, Error, Travelling};
use crate::pool::message::{Request, append_input};
use crate::process::task::Task;
use crate::process::task_table;
use crate::transfer::attachments::Attachments;

/// Builds a pool: sets its options, and then starts it. Python: the arguments of `Pool`.
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
#[derive(Debug)]
#[must_use = "a builder starts nothing until `build` is called"]
pub struct PoolBuilder {
    pub(super) workers: usize,
    pub(super) name: String,
    pub(super) initializer: Option<Initializer>,
    pub(super) calls_per_worker: u64,
}

impl Default for PoolBuilder {
    fn default() -> PoolBuilder {
        PoolBuilder {
            workers: thread::available_parallelism().map_or(1, NonZero::get),
            name: "PoolWorker".to_owned(),
            initializer: None,
            calls_per_worker: u64::MAX,
        }
    }
}

impl PoolBuilder {
    /// Sets the number of workers; the default is one per core.
    pub fn workers(mut self, workers: usize) -> PoolBuilder {
        self.workers = workers;
        self
    }

    /// Sets the prefix of the workers' names: `clerk-1`, `clerk-2`, …. The default is `PoolWorker`.
    pub fn name(mut self, name: impl Into<String>) -> PoolBuilder {
        self.name = name.into();
        self
    }

    /// Sets a function that each worker calls once, before anything else. Its result is ignored.
    ///
    /// If it panics, or returns an [error](crate::Task), the worker ends. If that happens repeatedly, the pool is
    /// broken ([`Error::PoolBroken`]), where Python's pool starts workers forever. Python: the arguments `initializer`
    /// and `initargs`.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] if the function is not in the list given to `init`; [`Error::Encode`] if the arguments
    /// can't be sent.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "arguments move to the workers"
    )]
    pub fn initializer<F, Args, How>(
        mut self,
        function: F,
        args: Args,
    ) -> error::Result<PoolBuilder>
    where
        F: Task<Args, How>,
    {
        let task = task_table::index_of(function)?;
        let kept = pack::<F, Args, How>(task, &args)
            .map_err(|reason| Error::encode(Travelling::Arguments, "initializer", reason))?;
        self.initializer = Some(Initializer(kept));
        Ok(self)
    }

    /// Sets how many calls a worker makes before it is replaced by a new one. It finishes the batch that it has begun.
    /// 0 counts as 1.
    ///
    /// Python: `maxtasksperchild`, which counts batches.
    pub fn calls_per_worker(mut self, calls: u64) -> PoolBuilder {
        self.calls_per_worker = calls.max(1);
        self
    }
}

/// The request to a worker, and the handles in it.
pub(crate) type Packed = (Vec<u8>, Attachments);

/// What each worker does before anything else: calls a function with its own copy of the arguments.
pub(crate) struct Initializer(Packed);

impl Initializer {
    /// Returns the request for another worker.
    pub(crate) fn request(&self) -> Packed {
        self.0.clone()
    }
}

impl std::fmt::Debug for Initializer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Initializer").finish_non_exhaustive()
    }
}

fn pack<F: Task<Args, How>, Args, How>(task: u32, args: &Args) -> Result<Packed, String> {
    let head = Request {
        task,
        count: 1,
        ..Request::default()
    };
    let mut request = bytes_of(&head).to_vec();
    let attachments = append_input::<F, Args, How>(&mut request, args)?;
    Ok((request, attachments))
}
