//! The error type.

use multiprocess::TaskFailure;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every operation in this crate.
///
/// `function` is the path of a function, `index` the number of an input, counted from 0, `rank` the number of one of
/// the job's processes, and `host` its machine. `Debug` prints the message too, so `main` can return this error.
#[derive(thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields of one name are explained once")]
pub enum Error {
    /// This process is a worker, or the program has not called [`init`](crate::init).
    #[error(
        "a ClusterPool belongs to `main` in rank 0, after `cluster::init`, its first statement; \
         a function that a pool calls can have a `multiprocess::Pool`"
    )]
    NotInitialized,

    /// The function is not in the list given to [`init`](crate::init).
    #[error("`{function}` is not in the list given to `cluster::init`; add it there, in `task(…)`")]
    NotRegistered { function: &'static str },

    /// The function takes or returns something that exists on one machine only.
    #[error(
        "`{function}` cannot run in a cluster: {what} is a handle to the memory or the sockets of \
         one machine; pass the data itself, or use `multiprocess::Pool`"
    )]
    Handle {
        function: &'static str,
        what: String,
    },

    /// An input failed: `failure` says why.
    #[error("`{function}` gave no result for input {index}, on rank {rank} ({host}): {failure}")]
    Task {
        function: &'static str,
        index: usize,
        rank: usize,
        host: String,
        failure: TaskFailure,
    },

    /// A rank can't take part.
    #[error("rank {rank} ({host}) cannot work: {reason}")]
    Rank {
        rank: usize,
        host: String,
        reason: String,
    },

    /// `main` has ended, and with it all ranks.
    #[error("`main` ends, and the cluster with it")]
    Ended,

    /// An MPI operation failed.
    #[error("MPI failed: {0}")]
    Mpi(#[from] ferrompi::Error),
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
