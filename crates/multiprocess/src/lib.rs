//! Processes with the shape of [`std::thread`]: what Python's `multiprocessing` gives, in safe Rust.
//!
//! ```
//! use multiprocess::{spawn, task};
//!
//! fn doubler(number: i64) -> i64 {
//!     println!("process {} doubles {number}", std::process::id());
//!     2 * number
//! }
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([task(doubler)]);
//!     let child = spawn(doubler, (5,))?;
//!     assert_eq!(child.join()?, 10);
//!     Ok(())
//! }
//! ```
//!
//! # What happens
//!
//! 1. [`init`], the first statement of `main`, notes the functions that children may run.
//! 2. [`spawn`] packs the arguments, runs the same program again, and sends it the place of the function in
//!    the list, and the arguments.
//! 3. In that new process [`init`] finds that it is a child, runs the function, sends the value back, and
//!    exits. Nothing after `init` runs there.
//! 4. [`JoinHandle::join`] waits for the end of the process and returns the value, or says why there is
//!    none: a panic, an exit code, a signal ([`Error`]).
//!
//! # Values that travel
//!
//! Arguments and results are any owned types that serde can serialise and deserialise. The bytes are in
//! [postcard](https://docs.rs/postcard)'s format, which carries no types: a type that asks the bytes what
//! they are (`#[serde(untagged)]`, `#[serde(flatten)]`, `serde_json::Value`) is an error. Senders,
//! receivers and shared memory of the `ipc-channel` package travel too, up to 63 of them in a value (on
//! Linux). The crate's own handles (queues, channels, pipes, locks, shared values and the like) travel in messages of
//! this crate: arguments, results, and what is put or sent. Another serialiser, and `ipc-channel`'s own `send`, get an
//! error for them, and so does reading one from bytes that came with no message. A value of more than 32 KiB goes
//! through memory that the system keeps only as long as one of the two processes has it open, so neither ever waits for
//! the other to read.
//!
//! # Printing
//!
//! Processes share standard output and standard error, and the system keeps whole what one call writes: on a pipe up to
//! 4 096 bytes. So lines that several processes print at once stay whole
//!
//! - with `println!`, up to 1 024 bytes with the end of the line: so much Rust collects before it writes. It writes a
//!   longer line in several pieces, and the line of another process may come between them;
//! - with `print!` of a line that is formatted already, up to 4 096 bytes. Standard error is not collected at all, so
//!   there even short lines want that;
//! - at any length, while the printing process holds a [`Lock`] that they share.
//!
//! ```
//! let words = "a long line ".repeat(300);
//! let line = format!("{words}\n");
//! print!("{line}");
//! eprint!("{line}");
//! ```
//!
//! # Limits
//!
//! - Linux is tested, and so are, on Linux, the portable parts that other Unix systems would use; on those systems
//!   themselves nothing was run, and handles of `ipc-channel` do not travel there. There is no implementation for
//!   Windows.
//! - A function that runs in a child is a plain function, known when the program starts.
//! - Tests that libtest runs have no `main` of their own, so processes cannot be started from a `#[test]`;
//!   give such a test `harness = false`.
//! - A child that closes every descriptor it can find also closes its line to the parent; its answer is lost,
//!   its end is seen all the same.
//! - Each Lock, Value, Array and Semaphore takes two descriptors in every process that has it, a queue or a pipe a few
//!   more: at the usual limit of 1 024 (`ulimit -n`) a process has about 500 of them. For many numbers use one
//!   [`Array`], which takes no more than a [`Value`].
//! - A child closes the descriptors that the start of a program would leave open, and that its parent has: on Linux, and
//!   where it may look at its parent in `/proc`. One that the parent closes in the moment of the start may stay open.
//! - A handle in a message is there as long as the message may still be received. If nobody does, it is given back when
//!   the last handle of the queue, channel or pipe is gone (what was given to a child counts until the child has ended);
//!   of a channel or pipe also when somebody sends, or drops a sender, and no receiver is left. It is not given
//!   back if all processes that had the queue, channel or pipe were killed; if a process was killed when it had taken the
//!   message, and not yet read it; or if something before it in the message cannot be read; or if it stands in the
//!   arguments of a process that was killed together with its parent before it had read them. Then its memory stays until
//!   all processes of the program have ended, and a channel whose `Sender` it was does not end:
//!   [`recv_timeout`](Receiver::recv_timeout) does not wait for that.
//! - Other memory of a killed process is free again within seconds, as soon as the process that started it notices the
//!   death: when that one waits for it, asks how it is or has ended it, has dropped its handle, or has given it handles.
//! - A daemon or a worker of a pool that is stopped (SIGSTOP) while its parent is killed ends at once on Linux, unless it
//!   was stopped before it reached [`init`]; elsewhere it ends when it goes on.
//! - While a program ends, its other threads get an error when they start a process or make something shared.

#[cfg(not(unix))]
compile_error!(
    "multiprocess runs on Unix systems; its line between processes has no Windows version yet"
);

mod array;
mod available;
mod barrier;
mod bell;
#[cfg_attr(
    not(all(target_os = "linux", not(multiprocess_twins))),
    path = "no_bridge.rs"
)]
mod bridge;
mod broken_by;
mod channel;
mod child;
mod children;
mod condition;
mod current;
mod deadlock;
mod death;
mod end;
mod error;
mod event;
mod events;
mod holder;
mod incarnation;
mod inherited;
mod ipc_handles;
mod iter;
mod join_handle;
mod journal;
mod lane;
mod ledger;
mod limits;
mod link;
mod lock;
mod luggage;
mod memory;
mod message;
mod monitor;
mod panic;
mod parcel;
mod party;
mod pipe;
mod pool;
mod portable;
mod presence;
mod process;
mod program;
mod queue;
mod raw;
mod raw_lock;
mod reaper;
mod record;
mod ring;
mod rlock;
#[cfg_attr(
    not(all(target_os = "linux", not(multiprocess_twins))),
    path = "not_robust.rs"
)]
mod robust;
mod run;
mod semaphore;
mod send_error;
mod shown;
mod signal;
mod spawner;
mod task;
mod value;
mod wait;
mod waitable;

pub use array::{Array, ArrayGuard};
pub use barrier::Barrier;
pub use broken_by::BrokenBy;
pub use channel::{Receiver, Sender, bounded_channel, channel};
pub use child::init;
pub use children::active_children;
pub use condition::{Condition, ConditionGuard};
pub use current::{ProcessInfo, current, parent};
pub use deadlock::{Deadlock, Wait};
pub use error::{Error, Result, Travelling};
pub use event::Event;
pub use events::recorder::recorder;
pub use holder::Holder;
pub use iter::Iter;
pub use join_handle::JoinHandle;
pub use lock::{Lock, LockGuard};
pub use pipe::{Connection, pipe};
pub use pool::{AsyncResult, Imap, MapOptions, Pool, PoolBuilder, Progress, TaskFailure};
pub use process::{Builder, spawn};
pub use queue::Queue;
pub use raw::{Number, RawArray, RawValue};
pub use rlock::{RLock, RLockGuard};
pub use semaphore::{Permit, Semaphore};
pub use send_error::SendError;
pub use signal::Signal;
pub use task::{RegisteredTask, Task, task};
pub use value::{Value, ValueGuard};
pub use waitable::{Waitable, wait, wait_timeout};
