//! The pool over all ranks, in rank 0's `main`.

use std::any::type_name;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use multiprocess::{Task, TaskFailure, raw};

use crate::calls::{self, Call};
use crate::error::{Error, Result};
use crate::messages::{Chunk, MAX_BYTES};
use crate::rank::{self, Rank};

/// A pool whose workers are the processes of all ranks: [`multiprocess::Pool`], on several machines.
///
/// The ranks of a machine share its cores, and each has a worker for each core of its share. Several threads can call
/// the methods at once.
///
/// Python: mpi4py's `MPIPoolExecutor`. Different here: each rank has worker processes, and a killed worker is an error
/// that names the input, where mpi4py's whole job ends; and the pool measures how many inputs to send at a time.
///
/// # Examples
///
/// See [the crate's page](crate).
#[derive(Debug)]
pub struct ClusterPool {
    /// The host of each rank, and the number of its workers.
    ranks: Vec<(String, usize)>,
}

/// What a call knows of a rank.
#[derive(Clone)]
struct Progress {
    /// The number of its chunks that aren't done.
    chunks: usize,
    /// The number of inputs of its next chunk.
    size: usize,
}

/// For how long a chunk should keep a worker busy.
const CHUNK_TAKES: Duration = Duration::from_millis(20);
/// How many bytes of inputs a chunk has, unless a single one is longer.
const LARGE: usize = 4 << 20;

impl ClusterPool {
    /// Waits until the workers of all ranks have been started, and returns the pool.
    ///
    /// # Errors
    ///
    /// [`Error::NotInitialized`]; [`Error::Rank`] if a rank has no workers, or runs another program.
    pub fn new() -> Result<ClusterPool> {
        let this = Rank::this().ok_or(Error::NotInitialized)?;
        let ranks = calls::hellos(this).into_iter().map(|hello| {
            let (rank, host) = (hello.rank, hello.host);
            let other = "it runs another program, or another build of it; copy it again";
            match hello.workers {
                Ok(_) if hello.program != this.program => Err(other.to_owned()),
                workers => workers,
            }
            .map(|workers| (host.clone(), workers))
            .map_err(|reason| Error::Rank { rank, host, reason })
        });
        let ranks = ranks.collect::<Result<_>>()?;
        Ok(ClusterPool { ranks })
    }

    /// Returns the number of worker processes in all ranks.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.ranks.iter().map(|(_, workers)| workers).sum()
    }

    /// Calls the function for each input and returns the results, in the order of the inputs.
    ///
    /// If inputs fail, it returns the error of the first one. The function is called for the others all the same. As
    /// with [`multiprocess::Pool::map`], the function can return a `Result`. Python: `list(executor.map(function,
    /// inputs))`.
    ///
    /// # Errors
    ///
    /// [`Error::Task`] for an input that failed; [`Error::NotRegistered`]; [`Error::Handle`] if the function takes or
    /// returns a handle; [`Error::Rank`] if a rank can't start workers any more; [`Error::Mpi`]; [`Error::Ended`].
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
        inputs: impl Iterator<Item = Args>,
    ) -> Result<Results<F::Output>> {
        let this = Rank::this().ok_or(Error::NotInitialized)?;
        let task = raw::index_of(function);
        let function = type_name::<F>();
        let task = task.map_err(|_| Error::NotRegistered { function })?;
        let handle = |what| Error::Handle { function, what };
        let types = type_name::<(Args, F::Output)>();
        handle_type(types).map_or(Ok(()), |what| Err(handle(what)))?;
        let mut inputs = inputs.fuse();
        let call = Call::new();
        let mut ranks = vec![Progress { chunks: 0, size: 1 }; self.ranks.len()];
        let (mut sent, mut all_sent) = (0, false);
        let mut results = Results(Vec::new(), BTreeMap::new());
        // What has arrived too early.
        let mut arrived = BTreeMap::new();
        loop {
            while !all_sent && let Some(rank) = self.next(&ranks) {
                let size = self.share(ranks[rank].size, inputs.size_hint(), results.len());
                let mut chunk = Chunk {
                    call: call.number,
                    task,
                    first: sent,
                    count: 0,
                };
                let bytes = chunk
                    .fill::<F, Args, How>(&mut inputs, size)
                    .map_err(handle)?;
                all_sent = chunk.count == 0;
                if !all_sent {
                    sent += chunk.count;
                    ranks[rank].chunks += 1;
                    calls::send_chunk(this, rank, chunk, bytes)?;
                }
            }
            if all_sent && results.len() == sent {
                return Ok(results);
            }
            let (answer, bytes) = call.next()?;
            let rank = answer.rank;
            let host = |rank: usize| self.ranks[rank].0.clone();
            let is_last = answer.is_last.map_err(|reason| {
                let host = host(rank);
                Error::Rank { rank, host, reason }
            })?;
            ranks[rank].answered(is_last, answer.each_took);
            let indices = answer.first..answer.first + answer.count;
            arrived.insert(answer.first, (rank, indices, bytes));
            while let Some((rank, indices, bytes)) = arrived.remove(&results.len()) {
                let mut rest = &bytes[..];
                for index in indices {
                    let result = raw::next(&mut rest);
                    results.push(result.map_err(|failure| Error::Task {
                        function,
                        index,
                        rank,
                        host: host(rank),
                        failure,
                    }));
                }
            }
        }
    }

    /// Returns the rank that has the least to do; `None` if all have enough.
    fn next(&self, ranks: &[Progress]) -> Option<usize> {
        let ranks = self.ranks.iter().zip(ranks).enumerate();
        let free =
            ranks.filter(|(_, ((_, workers), call))| call.chunks < rank::at_a_time(*workers));
        let least = free.min_by_key(|(_, ((_, workers), call))| 1024 * call.chunks / workers);
        least.map(|(rank, _)| rank)
    }

    /// Returns how many inputs a rank should get, where `enough` keep it busy: of those that are `left`, less and less
    /// towards the end, so that all ranks end at about the same time, but about a millisecond's work. If it isn't known
    /// how many are left, as many as are done count.
    fn share(&self, enough: usize, left: (usize, Option<usize>), done: usize) -> usize {
        let left = left.1.filter(|most| *most == left.0).unwrap_or(done);
        let few = (enough / 20).min(left / self.workers());
        enough.min(few.max(left / (2 * self.workers()))).max(1)
    }
}

/// The results of a call, up to some input: the values in their order, and the failures by their index.
struct Results<R>(Vec<R>, BTreeMap<usize, Error>);

impl<R> Results<R> {
    fn len(&self) -> usize {
        self.0.len() + self.1.len()
    }

    fn push(&mut self, result: Result<R>) {
        match result {
            Ok(value) => self.0.push(value),
            Err(failure) => drop(self.1.insert(self.len(), failure)),
        }
    }
}

impl Progress {
    fn answered(&mut self, is_last: bool, each_took: Option<Duration>) {
        self.chunks -= usize::from(is_last);
        if let Some(each) = each_took {
            let enough = CHUNK_TAKES.as_nanos() / each.as_nanos().max(1);
            let enough = usize::try_from(enough).unwrap_or(usize::MAX);
            self.size = enough.min(32 * self.size).max(1);
        }
    }
}

impl Chunk {
    /// Takes up to so many inputs, and returns their bytes. The error is the name of a handle in one of them.
    fn fill<F: Task<Args, How>, Args, How>(
        &mut self,
        inputs: &mut impl Iterator<Item = Args>,
        size: usize,
    ) -> Result<Vec<u8>, String> {
        let (mut bytes, start) = (Vec::new(), Instant::now());
        // If the inputs come slowly, those that are there can be worked on meanwhile.
        while self.count < size
            && bytes.len() < LARGE
            && (!self.count.is_multiple_of(16) || start.elapsed() < CHUNK_TAKES / 10)
            && let Some(input) = inputs.next()
        {
            let begin = bytes.len();
            let mut written = raw::append::<F, Args, How>(&input, &mut bytes);
            if bytes.len() - begin > MAX_BYTES {
                bytes.truncate(begin);
                written = Err("it is larger than 1 GiB".to_owned());
            }
            if let Err(reason) = written {
                if let Some(what) = raw::handle_in(&reason) {
                    return Err(what.to_owned());
                }
                raw::append_failure(&TaskFailure::UnsendableInput { reason }, &mut bytes);
            }
            self.count += 1;
        }
        Ok(bytes)
    }
}

/// Returns the first handle of `multiprocess` in the name of a type.
fn handle_type(name: &str) -> Option<String> {
    let mut paths = name.split(|it: char| !it.is_alphanumeric() && it != ':' && it != '_');
    let is_handle = |path: &&str| {
        let mut modules = ["multiprocess::sync::", "multiprocess::channel::"].iter();
        modules.any(|module| path.starts_with(module))
    };
    let path = paths.find(is_handle)?;
    Some(format!("`{}`", path.rsplit("::").next().unwrap_or(path)))
}
