//! What each rank is and does: it runs chunks in its pool of worker processes.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::process::exit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_channel::unbounded;
use ferrompi::{Communicator, Mpi, ThreadLevel};
use multiprocess::{Pool, RegisteredTask, TaskFailure};

use crate::messages::{Answer, Chunk, Head, Hello, MAX_BYTES, To, receive, send};

/// What a process knows of the job.
pub(crate) struct Rank {
    pub(crate) world: Communicator,
    /// The hash of its program.
    pub(crate) program: u64,
    number: usize,
    host: String,
    /// How many workers it should have.
    workers: usize,
    /// How many chunks it runs at this moment.
    running: AtomicU32,
}

static THIS: OnceLock<Rank> = OnceLock::new();

thread_local! {
    static AT_END: Cell<Option<AtEnd>> = const { Cell::new(None) };
}

/// Ends all ranks, and then MPI, when the main thread of rank 0 ends.
struct AtEnd(Mpi);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let world = self.0.world();
        let mut left = size(&world);
        let end = |rank| send(&world, (To::Rank, rank), &Head::End, Vec::new());
        let mut ok = (0..left).all(|rank| end(rank).is_ok());
        // They may still be sending results, for which nobody waits.
        while ok && left > 0 {
            match receive(&world, To::Main) {
                Ok((Head::End, _)) => left -= 1,
                other => ok = other.is_ok(),
            }
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
/// rank sends, as with [`multiprocess::init`]. The program can use all of `multiprocess` too, on its own machine. If MPI
/// can't be started, the program exits with status 2.
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
    if mpi.thread_level() < ThreadLevel::Multiple {
        return Err("this library doesn't support MPI_THREAD_MULTIPLE; take one that does".into());
    }
    let world = mpi.world();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let this = Rank {
        number: usize::try_from(world.rank())?,
        host: world.processor_name()?,
        // The ranks of a machine share its cores.
        workers: (cores / size(&world.split_shared()?)).max(1),
        running: AtomicU32::new(0),
        program: program()?,
        world,
    };
    let this = THIS.get_or_init(|| this);
    if this.number == 0 {
        thread::Builder::new().spawn(|| this.serve())?;
        AT_END.set(Some(AtEnd(mpi)));
        return Ok(());
    }
    this.serve();
    drop(mpi);
    exit(0);
}

/// Returns the hash of the program's file.
fn program() -> std::io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(std::env::current_exe()?)?);
    Ok(hasher.finish())
}

/// How many chunks a rank with so many workers should have: each worker has one, and the next is there.
pub(crate) fn at_a_time(workers: usize) -> usize {
    workers + 1
}

impl Rank {
    pub(crate) fn this() -> Option<&'static Rank> {
        THIS.get()
    }

    /// Runs the chunks that it gets, until it is told to end.
    fn serve(&self) {
        // The name is in what a panic prints.
        let pool = Pool::builder().workers(self.workers);
        let pool = pool.name(format!("Rank{}Worker", self.number)).build();
        let hello = Head::Hello(Hello {
            rank: self.number,
            host: self.host.clone(),
            workers: pool
                .as_ref()
                .map(Pool::workers)
                .map_err(ToString::to_string),
            program: self.program,
        });
        self.send(&hello, Vec::new());
        thread::scope(|scope| {
            let (sender, chunks) = unbounded::<(Chunk, Vec<u8>)>();
            for pool in pool.iter().cycle().take(at_a_time(self.workers)) {
                let chunks = chunks.clone();
                scope.spawn(move || {
                    for (chunk, inputs) in chunks {
                        self.run(pool, chunk, &inputs);
                    }
                });
            }
            // This thread sends nothing, so that `main` never waits for one that waits for `main`.
            while let (Head::Chunk(chunk), inputs) = self.or_abort(receive(&self.world, To::Rank)) {
                let _ = sender.send((chunk, inputs));
            }
            pool.iter().for_each(Pool::terminate);
        });
        drop(pool);
        self.send(&Head::End, Vec::new());
    }

    fn run(&self, pool: &Pool, chunk: Chunk, inputs: &[u8]) {
        let to_u32 = |number| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        let at_once = to_u32(pool.workers().min(chunk.count));
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        let start = Instant::now();
        let results = pool.call_raw(chunk.task, chunk.count, inputs);
        // Chunks that run at the same time share the workers.
        let each_took = start.elapsed() * at_once / running / to_u32(chunk.count);
        self.running.fetch_sub(1, Ordering::Relaxed);
        let (each_took, results) = match results {
            Ok(results) if results.len() <= MAX_BYTES => (Ok(each_took), results),
            Ok(_) => {
                let reason = "it and the others of its chunk are larger than 1 GiB".to_owned();
                (Err(TaskFailure::UnsendableResult { reason }), Vec::new())
            }
            // The pool is broken, or has ended.
            Err(error) => (
                Err(TaskFailure::Lost {
                    how: error.to_string(),
                }),
                Vec::new(),
            ),
        };
        let answer = Answer {
            rank: self.number,
            chunk,
            each_took,
        };
        self.send(&Head::Answer(answer), results);
    }

    fn send(&self, head: &Head, bytes: Vec<u8>) {
        self.or_abort(send(&self.world, (To::Main, 0), head, bytes));
    }

    /// If MPI refuses something, ends the job: `main` would wait for ever.
    fn or_abort<T>(&self, result: ferrompi::Result<T>) -> T {
        result.unwrap_or_else(|error| {
            eprintln!("rank {} ({}): {error}", self.number, self.host);
            self.world.abort(1)
        })
    }
}
