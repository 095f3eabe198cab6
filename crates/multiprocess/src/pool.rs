//! A pool of workers: processes that keep running, and call functions for many inputs.

mod builder;
mod chunker;
mod imap;
mod job;
mod message;
mod options;
mod progress_cells;
pub mod raw;
mod result;
mod scheduler;
mod supervisor;
mod worker;

use std::any::type_name;
use std::sync::Arc;
use std::thread;

pub use self::builder::PoolBuilder;
pub use self::imap::Imap;
pub use self::options::{MapOptions, Progress};
pub use self::result::AsyncResult;

use self::job::Phase;
use self::result::{Collection, InOrder, only};
use self::supervisor::Supervisor;
use crate::errors::error::{Error, Result};
use crate::process::task::Task;
use crate::process::task_table::{self, RegisteredTask};

/// Defines the methods that take many inputs, for a pool and for its options, which do the work.
macro_rules! on_inputs {
    ($(
        $(#[$documentation:meta])+
        $method:ident: Task<$arguments:ty> => $answer:ty,
        |$options:ident, $function:ident, $inputs:ident| $work:expr;
    )+) => {
        #[allow(clippy::needless_lifetimes, reason = "only some of the results have it")]
        impl Pool {$(
            $(#[$documentation])+
            ///
            /// # Errors
            ///
            /// [`Error::NotRegistered`] if the function is not in the list given to `init`; [`Error::PoolClosed`],
            /// [`Error::PoolTerminated`] or [`Error::PoolBroken`] if the pool takes no calls; [`Error::Task`], which
            /// says why, for an input that failed.
            pub fn $method<'a, F, A, I, How>(&'a self, function: F, inputs: I) -> Result<$answer>
            where
                F: Task<$arguments, How>,
                I: IntoIterator<Item = A>,
            {
                self.options().$method(function, inputs)
            }
        )+}

        #[expect(clippy::missing_errors_doc, reason = "the methods of the pool have it")]
        impl<'a> MapOptions<'a> {$(
            #[doc = concat!("As [`Pool::", stringify!($method), "`].")]
            pub fn $method<F, A, I, How>(self, $function: F, $inputs: I) -> Result<$answer>
            where
                F: Task<$arguments, How>,
                I: IntoIterator<Item = A>,
            {
                let $options = self;
                $work
            }
        )+}
    };
}

/// A pool of worker processes, which keep running and call functions for many inputs.
///
/// Python: `multiprocessing.Pool`. Different here: if a worker is killed in the middle of a call, the call returns an
/// error with the index of the input, and the worker is replaced, where Python waits forever; a panic is an error with
/// its location; and the pool works out how many inputs to send at a time. (Results that a killed worker had not sent
/// yet are [lost](crate::TaskFailure::Lost) too; with [`chunk_size(1)`](Pool::chunk_size) there are none.)
///
/// Several threads can call the methods at once. A function that a pool calls can have a pool of its own. Dropping the
/// pool ends its workers at once, like the end of Python's `with Pool() as pool:`.
///
/// # Examples
///
/// ```
/// use multiprocess::{Pool, task};
///
/// fn doubler(number: i64) -> i64 {
///     2 * number
/// }
///
/// fn power(base: u64, exponent: u32) -> u64 {
///     base.pow(exponent)
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(doubler), task(power)]);
///     let pool = Pool::new(3)?;
///     assert_eq!(pool.map(doubler, [5, 10, 20])?, [10, 20, 40]);
///     assert_eq!(pool.starmap(power, [(2, 10), (3, 2)])?, [1024, 9]);
///     // Infinitely many inputs, and the results one by one.
///     let doubled: Result<Vec<i64>, _> = pool.imap(doubler, 1..)?.take(3).collect();
///     assert_eq!(doubled?, [2, 4, 6]);
///     Ok(())
/// }
/// ```
pub struct Pool {
    supervisor: Arc<Supervisor>,
    listener: Option<thread::JoinHandle<()>>,
}

impl PoolBuilder {
    /// Starts the workers, and returns the pool.
    ///
    /// # Errors
    ///
    /// [`Error::NoWorkers`] for a pool of 0 workers; [`Error::Memory`] if there is no memory for it; [`Error::Spawn`]
    /// if the workers can't be started.
    pub fn build(self) -> Result<Pool> {
        if self.workers == 0 {
            return Err(Error::NoWorkers);
        }
        let supervisor = Arc::new(Supervisor::new(self)?);
        let runner = Arc::clone(&supervisor);
        let listener = thread::Builder::new().name("pool".to_owned());
        let listener = listener.spawn(move || runner.run());
        let listener = listener.map_err(|source| Error::System {
            doing: "start a thread for the pool of",
            name: "workers".to_owned(),
            source,
        })?;
        let pool = Pool {
            supervisor,
            listener: Some(listener),
        };
        pool.supervisor.start_workers()?;
        Ok(pool)
    }
}

impl Pool {
    /// Starts a pool with `workers` workers. Python: `Pool(workers)`.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn new(workers: usize) -> Result<Pool> {
        Pool::builder().workers(workers).build()
    }

    /// Returns a builder for a pool, by default one with a worker per core.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Calls the function once, in a worker, with the arguments in the tuple `args`, and returns its result. Python:
    /// `pool.apply(function, args)`.
    ///
    /// # Errors
    ///
    /// As [`map`](Pool::map).
    pub fn apply<F, Args, How>(&self, function: F, args: Args) -> Result<F::Output>
    where
        F: Task<Args, How>,
    {
        self.apply_async(function, args)?.get()
    }

    /// Starts a call as [`apply`](Pool::apply) does, but returns at once. Python: `pool.apply_async(function, args)`.
    ///
    /// # Errors
    ///
    /// As [`map`](Pool::map).
    pub fn apply_async<F, Args, How>(
        &self,
        function: F,
        args: Args,
    ) -> Result<AsyncResult<F::Output>>
    where
        F: Task<Args, How>,
    {
        self.options().begin(function, [args], only)
    }

    /// Sets the chunk size of the next call: `pool.chunk_size(10).map(function, inputs)`. See
    /// [`MapOptions::chunk_size`].
    pub fn chunk_size(&self, inputs: usize) -> MapOptions<'_> {
        self.options().chunk_size(inputs)
    }

    /// Reports the progress of the next call: `pool.on_progress(|progress| …).map(function, inputs)`. See
    /// [`MapOptions::on_progress`].
    pub fn on_progress<'a>(&'a self, report: impl FnMut(Progress) + 'a) -> MapOptions<'a> {
        self.options().on_progress(report)
    }

    fn options(&self) -> MapOptions<'_> {
        MapOptions {
            supervisor: &self.supervisor,
            chunk: None,
            progress: Box::new(|_| {}),
        }
    }

    /// Returns the number of workers; one that died and isn't replaced yet counts too.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.supervisor.settings.workers
    }

    /// Returns the process ids of the workers that run at this moment.
    #[must_use]
    pub fn worker_pids(&self) -> Vec<u32> {
        let state = self.supervisor.state();
        let workers = state.workers.iter().flatten();
        workers.map(|worker| worker.handle.pid()).collect()
    }

    /// Closes the pool: it accepts no more calls, and its workers end when the running calls are done. Python:
    /// `pool.close()`.
    pub fn close(&self) {
        self.supervisor.close();
    }

    /// Closes the pool, and waits until the running calls are done and the workers have ended. Python: `pool.close()`
    /// and `pool.join()`.
    pub fn join(self) {
        self.supervisor.close();
        self.supervisor.wait_for_end();
    }

    /// Ends the workers at once, even in the middle of a call; callers that wait for results get an error. Python:
    /// `pool.terminate()`.
    pub fn terminate(&self) {
        let supervisor = &self.supervisor;
        if supervisor.is_own() {
            supervisor.end(&mut supervisor.state(), Phase::Terminated);
            supervisor.wait_for_end();
        }
    }
}

on_inputs! {
    /// Calls the function for each input and returns the results, in the order of the inputs.
    ///
    /// Python: `pool.map(function, inputs)`. If inputs fail, it returns the error of the first one. The function is
    /// called for the others all the same; [`map_each`](Pool::map_each) returns their results.
    map: Task<(A,)> => Vec<F::Output>,
    |options, function, inputs| options.starmap(function, inputs.into_iter().map(|input| (input,)));

    /// Calls the function with each tuple as its arguments, as [`map`](Pool::map) does with single inputs. Python:
    /// `pool.starmap(function, inputs)`.
    starmap: Task<A> => Vec<F::Output>,
    |options, function, inputs| options.gather(function, inputs)?.all(type_name::<F>());

    /// Calls the function for each input and returns the result of each, or its error.
    ///
    /// Python has no equivalent: there, the first failure hides all results.
    map_each: Task<(A,)> => Vec<Result<F::Output>>,
    |options, function, inputs| {
        let results = options.gather(function, inputs.into_iter().map(|input| (input,)))?;
        Ok(results.each(type_name::<F>()))
    };

    /// Starts calls as [`map`](Pool::map) does, but returns at once. Python: `pool.map_async(function, inputs)`.
    map_async: Task<(A,)> => AsyncResult<Vec<F::Output>>,
    |options, function, inputs| {
        options.starmap_async(function, inputs.into_iter().map(|input| (input,)))
    };

    /// Starts calls as [`starmap`](Pool::starmap) does, but returns at once. Python: `pool.starmap_async(function,
    /// inputs)`.
    starmap_async: Task<A> => AsyncResult<Vec<F::Output>>,
    |options, function, inputs| {
        options.begin(function, inputs, |results, function| Collection::of(results).all(function))
    };

    /// Calls the function for each input, and returns an iterator over the results, in the order of the inputs.
    ///
    /// The inputs can be an infinite iterator: only a bounded number of them is read ahead. Python:
    /// `pool.imap(function, inputs)`.
    imap: Task<(A,)> => Imap<'a, I::IntoIter, F::Output>,
    |options, function, inputs| options.one_by_one(function, inputs, Some(InOrder::default()));

    /// Works like [`imap`](Pool::imap), but yields each result as soon as it arrives. Python:
    /// `pool.imap_unordered(function, inputs)`.
    imap_unordered: Task<(A,)> => Imap<'a, I::IntoIter, F::Output>,
    |options, function, inputs| options.one_by_one(function, inputs, None);
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.terminate();
        if let Some(listener) = self.listener.take().filter(|_| self.supervisor.is_own()) {
            let _ = listener.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.worker_pids())
            .finish()
    }
}

/// Returns the crate's own tasks, which every program has.
pub(crate) fn tasks() -> [RegisteredTask; 1] {
    [task_table::task(worker::work)]
}
