//! The pool of `multiprocess`, over several machines: the same `map`, by MPI.
//!
//! ```no_run
//! use cluster::{ClusterPool, task};
//!
//! fn doubler(number: i64) -> i64 {
//!     2 * number
//! }
//!
//! fn main() -> Result<(), cluster::Error> {
//!     cluster::init([task(doubler)]);
//!     let pool = ClusterPool::new()?;
//!     assert_eq!(pool.map(doubler, [5, 10, 20])?, [10, 20, 40]);
//!     Ok(())
//! }
//! ```
//!
//! `mpirun -n 4 program` starts the program four times; MPI calls each of these processes a *rank*. In rank 0, `main`
//! goes on after [`init`]; the others stay in it. Each rank, including rank 0, has a [`multiprocess::Pool`] and runs
//! what `main` sends it. Without `mpirun`, there is only rank 0, and the same program works on its own pool.
//!
//! A panic and a killed worker are errors that name the input, the rank and its host; the worker is replaced, and the
//! job goes on. If a rank dies, MPI ends the whole job. If only the network is cut, a call waits as long as MPI does.

mod calls;
mod error;
mod messages;
mod pool;
mod rank;

pub use error::{Error, Result};
pub use pool::ClusterPool;
pub use rank::init;
// The same functions can run in this machine's processes.
pub use multiprocess::{RegisteredTask, Task, TaskFailure, task};
