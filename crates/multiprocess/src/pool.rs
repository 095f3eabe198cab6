//! A pool of workers: processes that stay, and call functions for many inputs.

mod builder;
mod chunker;
mod imap;
mod job;
mod message;
mod options;
mod progress_cells;
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

/// Writes the methods that take many inputs, of a pool and of its options, which do the work.
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
            /// [`Error::PoolTerminated`] or [`Error::PoolBroken`] if the pool takes no calls. A failed input is an
            /// [`Error::Task`], which says why, where its result would be.
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

/// Processes that stay, and call functions for many inputs.
///
/// Python: `multiprocessing.Pool`. Different here: a worker that is killed in the middle of a call fails that call, with
/// an error that gives the index of the input, and is replaced, where Python waits for ever; a panic is an error with
/// its place; the pool finds by itself how many inputs to send at a time. (The results that a killed worker had not sent
/// yet are [lost](crate::TaskFailure::Lost) as well; with [`chunk_size(1)`](Pool::chunk_size) there are none.)
///
/// The methods can be called from several threads at once. A function that a pool calls may have a pool of its own.
/// Dropping the pool ends its workers at once, as at the end of Python's `with Pool() as pool:`.
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
///     // Endlessly many inputs, and the results one by one.
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
    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// [`Error::NoWorkers`] for a pool of 0 workers, [`Error::Memory`] or [`Error::Spawn`] if there is no memory for it
    /// or the workers cannot be started.
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
    /// Starts a pool with that many workers.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn new(workers: usize) -> Result<Pool> {
        Pool::builder().workers(workers).build()
    }

    /// Returns a builder for a pool, which has one worker per core by default.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Calls the function once, in a worker, with a tuple of arguments. Python: `pool.apply(function, args)`.
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

    /// Begins what [`apply`](Pool::apply) does, and returns at once. Python: `pool.apply_async(function, args)`.
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

    /// As [`MapOptions::chunk_size`]: `pool.chunk_size(10).map(function, inputs)`.
    pub fn chunk_size(&self, inputs: usize) -> MapOptions<'_> {
        self.options().chunk_size(inputs)
    }

    /// As [`MapOptions::on_progress`]: `pool.on_progress(|progress| …).map(function, inputs)`.
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

    /// Returns the number of workers that the pool has, or will have again when one that died is replaced.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.supervisor.settings.workers
    }

    /// Returns the process ids of the present workers.
    #[must_use]
    pub fn worker_pids(&self) -> Vec<u32> {
        let state = self.supervisor.state();
        let workers = state.workers.iter().flatten();
        workers.map(|worker| worker.handle.pid()).collect()
    }

    /// Takes no more calls; what is under way will be done, and then the workers end. Python: `pool.close()`.
    pub fn close(&self) {
        self.supervisor.close();
    }

    /// Closes the pool, and waits until its work is done and its workers have ended. Python: `pool.close()` and
    /// `pool.join()`.
    pub fn join(self) {
        self.supervisor.close();
        self.supervisor.wait_for_end();
    }

    /// Ends the workers at once, in the middle of what they do; callers that wait for results get an error.
    /// Python: `pool.terminate()`.
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
    /// Python: `pool.map(function, inputs)`. If inputs fail, the error is that of the first one; the others were
    /// called all the same, and [`map_each`](Pool::map_each) returns their results.
    map: Task<(A,)> => Vec<F::Output>,
    |options, function, inputs| options.starmap(function, inputs.into_iter().map(|input| (input,)));

    /// Calls the function with each tuple as its arguments. Python: `pool.starmap(function, inputs)`.
    starmap: Task<A> => Vec<F::Output>,
    |options, function, inputs| options.gather(function, inputs)?.all(type_name::<F>());

    /// Calls the function for each input and returns the result of each, or why there is none.
    ///
    /// Python has no counterpart: there the first failure hides all results.
    map_each: Task<(A,)> => Vec<Result<F::Output>>,
    |options, function, inputs| {
        let results = options.gather(function, inputs.into_iter().map(|input| (input,)))?;
        Ok(results.each(type_name::<F>()))
    };

    /// Begins what [`map`](Pool::map) does, and returns at once. Python: `pool.map_async(function, inputs)`.
    map_async: Task<(A,)> => AsyncResult<Vec<F::Output>>,
    |options, function, inputs| {
        options.starmap_async(function, inputs.into_iter().map(|input| (input,)))
    };

    /// Begins what [`starmap`](Pool::starmap) does, and returns at once.
    /// Python: `pool.starmap_async(function, inputs)`.
    starmap_async: Task<A> => AsyncResult<Vec<F::Output>>,
    |options, function, inputs| {
        options.begin(function, inputs, |results, function| Collection::of(results).all(function))
    };

    /// Calls the function for each input, and yields the results one by one, in the order of the inputs.
    ///
    /// The inputs may come from an iterator without end: only a bounded number of them is read ahead.
    /// Python: `pool.imap(function, inputs)`.
    imap: Task<(A,)> => Imap<'a, I::IntoIter, F::Output>,
    |options, function, inputs| options.one_by_one(function, inputs, Some(InOrder::default()));

    /// As [`imap`](Pool::imap), but yields each result as soon as it is there.
    /// Python: `pool.imap_unordered(function, inputs)`.
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
