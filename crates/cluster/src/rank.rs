//! What each rank is and does: one thread receives its messages, and others run chunks in its pool of worker processes.

use std::cell::Cell;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::exit;
use std::sync::OnceLock;
use std::{fs, thread};

use crossbeam_channel::{Receiver, unbounded};
use ferrompi::{Communicator, Mpi, ThreadLevel};
use multiprocess::raw::append_failure;
use multiprocess::{Pool, RegisteredTask, TaskFailure};

use crate::calls;
use crate::messages::{Answer, Chunk, Head, Hello, MAX_BYTES, receive, send};

/// What a process knows of the job.
pub(crate) struct Rank {
    pub(crate) world: Communicator,
    /// The hash of its program.
    pub(crate) program: u64,
    number: usize,
    host: String,
    /// How many workers it should have.
    workers: usize,
}

static THIS: OnceLock<Rank> = OnceLock::new();

thread_local! {
    static AT_END: Cell<Option<AtEnd>> = const { Cell::new(None) };
}

/// Ends all ranks, and then MPI, when the main thread of rank 0 ends.
struct AtEnd(Option<thread::JoinHandle<()>>, Mpi);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if calls::end(&self.1.world()).is_ok() {
            self.0.take().map(thread::JoinHandle::join);
        }
    }
}

/// Returns the number of ranks.
pub(crate) fn size(world: &Communicator) -> usize {
    usize::try_from(world.size()).unwrap_or(1)
}

/// Registers the functions that ranks and their workers may run; must be the first statement of `main`.
///
/// It returns in rank 0 only. The other ranks run what rank 0 sends, and exit when rank 0 ends; a worker runs what its
/// rank sends, as with [`multiprocess::init`]. The program can use all of `multiprocess` too, on its own machine. If
/// MPI can't be started, the program exits with status 2, unless MPI has ended it already, as Open MPI does.
///
/// The job ends when `main` returns or panics, or its thread calls [`std::process::exit`].
///
/// Python: with mpi4py, the program is started by `python -m mpi4py.futures`, which runs it in rank 0 only.
///
/// # Panics
///
/// If it is called a second time.
pub fn init(tasks: impl IntoIterator<Item = RegisteredTask>) {
    assert!(
        THIS.get().is_none(),
        "cluster::init was called twice; call it once, as the first statement of `main`"
    );
    multiprocess::init(tasks);
    if let Err(reason) = begin() {
        eprintln!("cannot start MPI: {reason}");
        exit(2);
    }
}

fn begin() -> Result<(), Box<dyn Error>> {
    let mpi = Mpi::init_thread(ThreadLevel::Multiple)?;
    match Rank::new(&mpi) {
        Ok((_, Some(receiver))) => AT_END.set(Some(AtEnd(Some(receiver), mpi))),
        Ok((this, None)) => {
            this.receive();
            drop(mpi);
            exit(0);
        }
        // The others would wait for this one.
        Err(reason) => {
            eprintln!("rank {} cannot start: {reason}", mpi.world().rank());
            mpi.world().abort(2);
        }
    }
    Ok(())
}

/// Ends the job if the thread that has it panics: `main` would wait for ever for what the thread should have sent.
struct AbortAtPanic<'a>(&'a Rank);

impl Drop for AbortAtPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.world.abort(1);
        }
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Returns the number of cores that this rank may use, divided by the number of ranks that may use the same.
fn share_of_cores(world: &Communicator) -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines();
    let own = [hash(&lines.find(|line| line.starts_with("Cpus_allowed:")))];
    let here = world.split_shared()?;
    let mut all = vec![0; size(&here)];
    here.allgather(&own, &mut all)?;
    let cores = thread::available_parallelism()?.get();
    Ok((cores / all.iter().filter(|it| **it == own[0]).count()).max(1))
}

/// How many chunks a rank with so many workers should have: each worker has one, and the next is there.
pub(crate) fn at_a_time(workers: usize) -> usize {
    workers + 1
}

type New = (&'static Rank, Option<thread::JoinHandle<()>>);

impl Rank {
    /// Returns what this process is; if it is rank 0, also the thread that receives its messages.
    fn new(mpi: &Mpi) -> Result<New, Box<dyn Error>> {
        if mpi.thread_level() < ThreadLevel::Multiple {
            return Err("the MPI library has no MPI_THREAD_MULTIPLE; take one that has it".into());
        }
        let world = mpi.world();
        let this = Rank {
            number: usize::try_from(world.rank())?,
            host: world.processor_name()?,
            workers: share_of_cores(&world)?,
            program: hash(&fs::read("/proc/self/exe")?),
            world,
        };
        let this = THIS.get_or_init(|| this);
        let receiver = || thread::Builder::new().spawn(|| this.receive());
        Ok((this, (this.number == 0).then(receiver).transpose()?))
    }

    pub(crate) fn this() -> Option<&'static Rank> {
        THIS.get()
    }

    /// Receives all messages. It never sends one meanwhile, so that no two ranks wait for each other to receive.
    fn receive(&self) {
        let _abort = AbortAtPanic(self);
        // The name is in what a panic prints.
        let pool = Pool::builder().workers(self.workers);
        let pool = pool.name(format!("Rank{}Worker", self.number)).build();
        let workers = pool.as_ref().map(Pool::workers);
        let hello = Hello {
            rank: self.number,
            host: self.host.clone(),
            workers: workers.map_err(ToString::to_string),
            program: self.program,
        };
        thread::scope(|scope| {
            let (sender, chunks) = unbounded();
            let pool = &pool;
            scope.spawn(move || {
                let _abort = AbortAtPanic(self);
                self.send(&Head::Hello(hello), Vec::new());
                self.work(pool.as_ref().ok(), &chunks);
                self.send(&Head::Ended, Vec::new());
            });
            let mut sender = Some(sender);
            // The ranks that this one has to wait for.
            let mut left = size(&self.world) * usize::from(self.number == 0);
            while left > 0 || sender.is_some() {
                match self.or_abort(receive(&self.world)) {
                    (Head::Hello(hello), _) => calls::hello(hello),
                    (Head::Answer(answer), results) => calls::answer(answer, results),
                    (Head::Ended, _) => left -= 1,
                    (Head::Chunk(chunk), inputs) => {
                        let _ = sender.as_ref().map(|sender| sender.send((chunk, inputs)));
                    }
                    (Head::End, _) => {
                        sender = None;
                        pool.iter().for_each(Pool::terminate);
                    }
                }
            }
        });
    }

    /// Runs chunks until no more can come.
    fn work(&self, pool: Option<&Pool>, chunks: &Receiver<(Chunk, Vec<u8>)>) {
        thread::scope(|scope| {
            for pool in pool.iter().cycle().take(at_a_time(self.workers)) {
                scope.spawn(move || {
                    let _abort = AbortAtPanic(self);
                    for (chunk, inputs) in chunks {
                        self.run(pool, &chunk, &inputs);
                    }
                });
            }
        });
    }

    fn run(&self, pool: &Pool, chunk: &Chunk, inputs: &[u8]) {
        let mut done = 0;
        let answer = |first, count, is_last, each_took, results| {
            let answer = Answer {
                rank: self.number,
                call: chunk.call,
                first: chunk.first + first,
                count,
                is_last,
                each_took,
            };
            self.send(&Head::Answer(answer), results);
        };
        let result = pool.call_raw(chunk.task, chunk.count, inputs, |mut part| {
            if part.results.len() > MAX_BYTES {
                part.results = Vec::new();
                let reason = "it and the others of its batch are larger than 1 GiB".to_owned();
                let failure = TaskFailure::UnsendableResult { reason };
                (0..part.count).for_each(|_| append_failure(&failure, &mut part.results));
            }
            done += part.count;
            let is_last = Ok(done == chunk.count);
            answer(
                part.first,
                part.count,
                is_last,
                part.each_took,
                part.results,
            );
        });
        // The pool is broken, or has ended.
        if let Err(error) = result {
            answer(0, 0, Err(error.to_string()), None, Vec::new());
        }
    }

    fn send(&self, head: &Head, bytes: Vec<u8>) {
        self.or_abort(send(&self.world, 0, head, bytes));
    }

    /// If MPI refuses something, ends the job: rank 0 would wait for ever.
    fn or_abort<T>(&self, result: ferrompi::Result<T>) -> T {
        result.unwrap_or_else(|error| {
            eprintln!("rank {} ({}): {error}", self.number, self.host);
            self.world.abort(1)
        })
    }
}
