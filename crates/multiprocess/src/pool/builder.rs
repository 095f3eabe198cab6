//! How a pool is to be.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use bytemuck::bytes_of;

use crate::errors::error::{self, Error, Travelling};
use crate::pool::message::{Request, append_input};
use crate::process::task::Task;
use crate::process::{task_table, wire};
use crate::transfer::attachments::{Attachments, collect_arriving};
use crate::transfer::caught;

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
    /// Sets how many workers the pool has; one per core if this is not called.
    pub fn workers(mut self, workers: usize) -> PoolBuilder {
        self.workers = workers;
        self
    }

    /// Sets the prefix of the workers' names: `clerk-1`, `clerk-2`, …; `PoolWorker-1`, … if this is not called.
    pub fn name(mut self, name: impl Into<String>) -> PoolBuilder {
        self.name = name.into();
        self
    }

    /// Sets a function that each worker calls once, before anything else; its value is ignored.
    ///
    /// If it panics, or [fails](crate::Task), the worker ends; if that goes on, the pool is broken
    /// ([`Error::PoolBroken`]), where Python's starts workers for ever. Python: the arguments `initializer` and
    /// `initargs`.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] if the function is not in the list given to `init`, [`Error::Encode`] if the arguments
    /// cannot travel.
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
        let mut kept = pack::<F, Args, How>(task, &args)
            .map_err(|reason| Error::encode(Travelling::Arguments, "initializer", reason))?;
        let request = move || copy::<F, Args, How>(task, &mut kept);
        self.initializer = Some(Initializer(Mutex::new(Box::new(request))));
        Ok(self)
    }

    /// Sets how many calls a worker does before it is replaced by a fresh one; it finishes the batch that it has begun.
    ///
    /// Python: `maxtasksperchild`, which counts batches. 0 counts as 1.
    pub fn calls_per_worker(mut self, calls: u64) -> PoolBuilder {
        self.calls_per_worker = calls.max(1);
        self
    }
}

/// The request to a worker, and the handles in it.
pub(crate) type Packed = (Vec<u8>, Attachments);

/// What each worker does before anything else: calls a function with its own copy of the arguments.
pub(crate) struct Initializer(Mutex<Box<dyn FnMut() -> Result<Packed, String> + Send>>);

impl Initializer {
    /// The request for one more worker.
    pub(crate) fn request(&self) -> Result<Packed, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)()
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

/// A handle that was packed is good for one reader: where there are any, the worker gets what was kept, and what is
/// read from it is packed for the next one.
fn copy<F: Task<Args, How>, Args, How>(task: u32, kept: &mut Packed) -> Result<Packed, String> {
    let (request, attachments) = kept;
    if attachments.is_empty() {
        return Ok((request.clone(), Attachments::default()));
    }
    // The handles arrive with the worker, not here.
    let (args, _) = collect_arriving(|| {
        let bytes = wire::only(&request[Request::SIZE..])?;
        caught::or_panic_message(|| F::read(bytes))
    });
    let args = args?;
    let next = pack::<F, Args, How>(task, &args);
    // The arguments' own `Drop` may panic, and this may be the thread of the pool.
    let _ = caught::without_panic(|| drop(args));
    Ok(std::mem::replace(kept, next?))
}
