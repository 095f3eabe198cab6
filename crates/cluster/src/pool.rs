//! The pool over all ranks, in rank 0's `main`.

use std::any::type_name;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use multiprocess::{Task, TaskFailure, raw};

use crate::error::{Error, Result};
use crate::messages::{Chunk, Head, Hello, MAX_BYTES, To, receive, send};
use crate::rank::{self, Rank};

/// A pool whose workers are the processes of all ranks: [`multiprocess::Pool`], on several machines.
///
/// The ranks of a machine share its cores, and each has a worker for each core of its share. Several threads can call
/// the methods; the calls run one after the other.
///
/// Python: mpi4py's `MPIPoolExecutor`. Different here: each rank has worker processes, and a killed worker is an error that
/// names the input, where mpi4py's whole job ends; and the pool measures how many inputs to send at a time.
///
/// # Examples
///
/// See [the crate's page](crate).
pub struct ClusterPool {
    this: &'static Rank,
    workers: usize,
}

/// All ranks, as `main` knows them.
struct Ranks {
    /// Empty until they have said hello.
    all: Vec<RankState>,
    /// The number of calls so far.
    calls: u64,
}

struct RankState {
    host: String,
    workers: usize,
    /// The number of chunks that it has and hasn't answered.
    chunks: usize,
    /// The number of inputs of its next chunk.
    size: usize,
}

static RANKS: Mutex<Ranks> = Mutex::new(Ranks {
    all: Vec::new(),
    calls: 0,
});

/// For how long a chunk should keep a worker busy.
const CHUNK_TAKES: Duration = Duration::from_millis(20);
/// How many bytes of inputs a chunk has, unless a single one is longer.
const LARGE: usize = 4 << 20;

impl std::fmt::Debug for ClusterPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut pool = f.debug_struct("ClusterPool");
        pool.field("workers", &self.workers).finish_non_exhaustive()
    }
}

impl ClusterPool {
    /// Waits until the workers of all ranks have been started, and returns the pool.
    ///
    /// # Errors
    ///
    /// [`Error::NotInitialized`]; [`Error::Rank`] if a rank has no workers, or runs another program.
    pub fn new() -> Result<ClusterPool> {
        let this = Rank::this().ok_or(Error::NotInitialized)?;
        let mut ranks = RANKS.lock().unwrap_or_else(PoisonError::into_inner);
        if ranks.all.is_empty() {
            let mut hellos = Vec::new();
            while hellos.len() < rank::size(&this.world) {
                if let (Head::Hello(hello), _) = receive(&this.world, To::Main)? {
                    hellos.push(hello);
                }
            }
            hellos.sort_unstable_by_key(|hello| hello.rank);
            let states = hellos.into_iter().map(|hello| RankState::new(hello, this));
            ranks.all = states.collect::<Result<_>>()?;
        }
        Ok(ClusterPool {
            this,
            workers: ranks.workers(),
        })
    }

    /// Returns the number of worker processes in all ranks.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Calls the function for each input and returns the results, in the order of the inputs.
    ///
    /// If inputs fail, it returns the error of the first one. The function is called for the others all the same. As with
    /// [`multiprocess::Pool::map`], the function can return a `Result`. Python: `list(executor.map(function, inputs))`.
    ///
    /// # Errors
    ///
    /// [`Error::Task`] for an input that failed; [`Error::NotRegistered`]; [`Error::Handle`] if the function takes or
    /// returns a handle; [`Error::Mpi`].
    pub fn map<F, A, I, How>(&self, function: F, inputs: I) -> Result<Vec<F::Output>>
    where
        F: Task<(A,), How>,
        I: IntoIterator<Item = A>,
    {
        self.starmap(function, inputs.into_iter().map(|input| (input,)))
    }

    /// Calls the function with each tuple as its arguments. Python: `list(executor.starmap(function, inputs))`.
    ///
    /// # Errors
    ///
    /// As [`map`](ClusterPool::map).
    pub fn starmap<F, A, I, How>(&self, function: F, inputs: I) -> Result<Vec<F::Output>>
    where
        F: Task<A, How>,
        I: IntoIterator<Item = A>,
    {
        let Results(values, mut failures) = self.run(function, inputs.into_iter())?;
        failures
            .pop_first()
            .map_or(Ok(values), |(_, failure)| Err(failure))
    }

    /// Calls the function for each input and returns the result of each, or its error.
    ///
    /// # Errors
    ///
    /// As [`map`](ClusterPool::map); but an input that failed is an error in its place.
    pub fn map_each<F, A, I, How>(&self, function: F, inputs: I) -> Result<Vec<Result<F::Output>>>
    where
        F: Task<(A,), How>,
        I: IntoIterator<Item = A>,
    {
        let inputs = inputs.into_iter().map(|input| (input,));
        let Results(values, mut failures) = self.run(function, inputs)?;
        let mut values = values.into_iter();
        let next = |index| match failures.remove(&index) {
            Some(failure) => Some(Err(failure)),
            None => values.next().map(Ok),
        };
        Ok((0..).map_while(next).collect())
    }

    fn run<F: Task<Args, How>, Args, How>(
        &self,
        function: F,
        mut inputs: impl Iterator<Item = Args>,
    ) -> Result<Results<F::Output>> {
        let name = type_name::<F>();
        let handle = |what| Error::Handle {
            function: name,
            what,
        };
        let not_registered = |_| Error::NotRegistered { function: name };
        let task = raw::index_of(function).map_err(not_registered)?;
        if let Some(what) = handle_in::<F, Args, How>() {
            return Err(handle(what));
        }
        let mut ranks = RANKS.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |ranks: &Ranks, index, rank: usize, failure| {
            let (function, host) = (name, ranks.all[rank].host.clone());
            Error::Task {
                function,
                index,
                rank,
                host,
                failure,
            }
        };
        let call = ranks.begin_call();
        let (mut results, mut sent) = (Results(Vec::new(), BTreeMap::new()), 0);
        // What has arrived too early.
        let mut arrived = BTreeMap::new();
        loop {
            while let Some(rank) = ranks.next() {
                let size = ranks.share(rank, inputs.size_hint());
                let mut chunk = Chunk {
                    call,
                    task,
                    first: sent,
                    count: 0,
                };
                let filled = chunk.fill::<F, Args, How>(&mut inputs, size);
                let bytes = filled.map_err(handle)?;
                sent += chunk.count;
                if chunk.count == 0 {
                    break;
                }
                ranks.all[rank].chunks += 1;
                let head = Head::Chunk(chunk);
                send(&self.this.world, (To::Rank, rank), &head, bytes)?;
            }
            if results.len() == sent {
                return Ok(results);
            }
            let (Head::Answer(answer), bytes) = receive(&self.this.world, To::Main)? else {
                continue;
            };
            ranks.all[answer.rank].answered(answer.each_took.as_ref().ok());
            // It may be one for a call that was abandoned.
            if answer.chunk.call == call {
                arrived.insert(answer.chunk.first, (answer, bytes));
            }
            while let Some((answer, bytes)) = arrived.remove(&results.len()) {
                let mut rest = &bytes[..];
                for _ in 0..answer.chunk.count {
                    let result = match &answer.each_took {
                        Ok(_) => raw::next(&mut rest),
                        Err(failure) => Err(failure.clone()),
                    };
                    let index = results.len();
                    match result {
                        Ok(value) => results.0.push(value),
                        Err(failure) => {
                            let failure = failed(&ranks, index, answer.rank, failure);
                            results.1.insert(index, failure);
                        }
                    }
                }
            }
        }
    }
}

/// The results of a call, up to some input: the values in their order, and the failures by their index.
struct Results<R>(Vec<R>, BTreeMap<usize, Error>);

impl<R> Results<R> {
    fn len(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

impl Chunk {
    /// Takes up to so many inputs, and returns their bytes. The error is the name of a handle in one of them.
    fn fill<F: Task<Args, How>, Args, How>(
        &mut self,
        inputs: &mut impl Iterator<Item = Args>,
        size: usize,
    ) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        while self.count < size
            && bytes.len() < LARGE
            && let Some(input) = inputs.next()
        {
            let start = bytes.len();
            let mut written = raw::append::<F, Args, How>(&input, &mut bytes);
            if bytes.len() - start > MAX_BYTES {
                bytes.truncate(start);
                written = Err("it is larger than 1 GiB".to_owned());
            }
            if let Err(reason) = written {
                if let Some(what) = handle_of(&reason) {
                    return Err(what);
                }
                raw::append_failure(&TaskFailure::UnsendableInput { reason }, &mut bytes);
            }
            self.count += 1;
        }
        Ok(bytes)
    }
}

/// Returns the name of a handle in the arguments or the result of a function, if their types show one.
fn handle_in<F: Task<Args, How>, Args, How>() -> Option<String> {
    // Values of those types. With zeros, vectors are empty, and options `None`; with ones, they have an element.
    [[0; 512], [1; 512]].iter().find_map(|bytes| {
        let reasons = [F::read(bytes).err(), raw::read::<F::Output>(bytes).err()];
        reasons
            .iter()
            .flatten()
            .find_map(|reason| handle_of(reason))
    })
}

/// Returns the name of the handle because of which something could not be written, or read.
fn handle_of(reason: &str) -> Option<String> {
    let written = reason.split_once(" is a handle, which travels only in messages");
    let read = || reason.strip_suffix(" is expected")?.split_once(", but ");
    let what = written
        .map(|(what, _)| what)
        .or_else(|| read().map(|(_, what)| what));
    what.map(str::to_owned)
}

impl Ranks {
    fn begin_call(&mut self) -> u64 {
        self.all.iter_mut().for_each(|rank| rank.size = 1);
        self.calls += 1;
        self.calls
    }

    fn workers(&self) -> usize {
        self.all.iter().map(|rank| rank.workers).sum()
    }

    /// Returns the rank that has the least to do; `None` if all have enough.
    fn next(&self) -> Option<usize> {
        let ranks = self.all.iter().enumerate();
        let free = ranks.filter(|(_, rank)| rank.chunks < rank::at_a_time(rank.workers));
        let least = free.min_by_key(|(_, rank)| 1024 * rank.chunks / rank.workers);
        least.map(|(rank, _)| rank)
    }

    /// Returns how many of the inputs that are left a rank should get: towards the end less and less, so that all ranks end
    /// at about the same time.
    fn share(&self, rank: usize, left: (usize, Option<usize>)) -> usize {
        let size = self.all[rank].size;
        match left {
            (left, Some(most)) if left == most => size
                .min((left / (2 * self.workers())).max(size / 20))
                .max(1),
            _ => size,
        }
    }
}

impl RankState {
    fn new(hello: Hello, this: &Rank) -> Result<RankState> {
        let Hello {
            rank,
            host,
            workers,
            program,
        } = hello;
        let is_same = program == this.program;
        let other = || "it runs another program, or another build of it; copy it again".to_owned();
        match workers.and_then(|workers| is_same.then_some(workers).ok_or_else(other)) {
            Ok(workers) => Ok(RankState {
                host,
                workers,
                chunks: 0,
                size: 1,
            }),
            Err(reason) => Err(Error::Rank { rank, host, reason }),
        }
    }

    fn answered(&mut self, each_took: Option<&Duration>) {
        self.chunks -= 1;
        if let Some(each) = each_took {
            let enough = CHUNK_TAKES.as_nanos() / each.as_nanos().max(1);
            let enough = usize::try_from(enough).unwrap_or(usize::MAX);
            self.size = enough.min(32 * self.size).max(1);
        }
    }
}
