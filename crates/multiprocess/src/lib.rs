//! Python's `multiprocessing` in safe Rust: processes that you use like [`std::thread`].
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
//! 1. [`init`], the first statement of `main`, registers the functions that child processes may run.
//! 2. [`spawn`] serialises the arguments, runs the same program again, and sends it the arguments and the function's
//!    index in that list.
//! 3. In the new process, [`init`] sees that it runs in a child, calls the function, sends the result back, and exits.
//!    Nothing after `init` runs there.
//! 4. [`JoinHandle::join`] waits until the process has ended and returns the result, or an [`Error`] that says why
//!    there is none: a panic, an exit code, a signal.
//!
//! # Values that travel
//!
//! Arguments and results can be any owned types that serde can serialise and deserialise; a function [may also return
//! an error](Task). For your own types, derive `Serialize` and `Deserialize` from the package `serde` with its feature
//! `derive`. The wire format is [postcard](https://docs.rs/postcard), which doesn't store types: a type whose
//! `Deserialize` has to find them in the bytes (`#[serde(untagged)]`, `#[serde(flatten)]`, `serde_json::Value`) is an
//! error.
//!
//! A vector of plain numbers (`Vec<u8>`, `Vec<f64>` and the like, but not of `bool`, `char` or 128-bit integers) that
//! is itself an argument, a result or a message is copied as one block of memory, many times faster than number by
//! number. In a struct or a tuple it is serialised like any other value, so give a function two arguments rather than
//! one pair. A value larger than 32 KiB goes through shared memory that the system frees when both processes have
//! closed it, so neither process waits for the other to read.
//!
//! The crate's own handles (queues, channels, pipes, locks, shared values and so on, also in a `Vec` or a struct) can
//! travel in arguments, results and messages. Serialising one with anything else is an error, and so is deserialising
//! one from bytes that didn't arrive in a message.
//!
//! # From Python
//!
//! | Python | Rust | Difference |
//! |---|---|---|
//! | `if __name__ == "__main__":` | [`init`], first in `main` | lists the functions that child processes may run |
//! | `Process(target=f, args=(5,))` and `start()` | [`spawn(f, (5,))`](spawn) | starts at once; wrong arguments don't compile |
//! | `Process(name=…, daemon=…)` | [`Builder`] | a daemon may have children; a builder also sets arguments, environment, current folder and standard streams |
//! | `sys.argv` | [`args_os`] | |
//! | `join()`, `join(seconds)` | [`join`](JoinHandle::join), [`join_timeout`](JoinHandle::join_timeout) | return the function's result, or why there is none |
//! | an exception | an error that the function [returns](Task), or a panic | `join`, `map` and the others return it |
//! | `exitcode` | [`exit_status`](JoinHandle::exit_status), and the variants of [`Error`] after a join | distinguishes exit codes, signals, panics and errors |
//! | `is_alive`, `name`, `pid`, `daemon`, `terminate`, `kill` | the same on [`JoinHandle`] (`is_daemon`) | a signal never goes to a process that was already reaped |
//! | `current_process()`, `parent_process()`, `active_children()` | [`current`], [`parent`], [`active_children`] | the parent has [`is_alive`](Parent::is_alive) |
//! | `cpu_count()` | [`std::thread::available_parallelism`] | the cores that this program may use |
//! | `Pipe()`; `send`, `recv`, `poll`, `close` | [`pipe`]; the same on [`Connection`] | a message type for each direction; each end has one owner, and notices when the other's dies |
//! | `Pipe(duplex=False)` | [`channel`], [`bounded_channel`] | any number of senders and receivers |
//! | `send_bytes`, `recv_bytes` | a `Connection` of `Vec<u8>` | copied as one block |
//! | `connection.wait(list, seconds)`, `sentinel` | [`wait`], [`wait_timeout`] | also for queues, receivers and processes ([`JoinHandle`]) |
//! | `Queue`, `SimpleQueue`, `JoinableQueue` | [`Queue`] | no background thread: an item is in the queue when `put` returns; has `close`, `task_done`, `join` |
//! | `put`, `put_nowait`, `put(timeout=…)`; `get` alike | `put`, `try_put`, `put_timeout`; `get` alike | an item that could not be put comes back in the error ([`SendError`]) |
//! | `qsize`, `empty`, `full` | `len`, `is_empty`, `is_full` | `len` is exact |
//! | `join_thread`, `cancel_join_thread` | not needed | there is no such thread |
//! | `Lock`, `RLock` | [`Lock`], [`RLock`]: `lock`, `try_lock`, `lock_timeout` | becomes free when its holder dies, and later holders can see that; only the guard releases it |
//! | `Semaphore`, `BoundedSemaphore` | [`Semaphore`]: `acquire`, `try_acquire`, `acquire_timeout` | always bounded; a dead process's permits become free |
//! | `Event` | [`Event`] | |
//! | `Condition` | [`Condition`]: its guard has `wait`, `wait_for`, `notify_one`, `notify(n)`, `notify_all` | |
//! | `Barrier` | [`Barrier`] | also breaks when a participant dies |
//! | `Barrier(n, action=f)` | [`barrier.wait_with(f)`](Barrier::wait_with) | runs the action of the last one to arrive |
//! | `Value('d', 0.0)`, `Array('i', 5)` | [`Value::new(0.0)`](Value), [`Array::<i32>::new(5)`](Array), [`Array::from_slice`] | any type that is [`bytemuck::Pod`]; the guard is the data |
//! | `RawValue`, `RawArray` | [`RawValue`], [`RawArray`] | numbers, accessed by atomic operations |
//! | `shared_memory.SharedMemory` | [`Array<u8>`](Array) | no name to unlink |
//! | `Pool(4, initializer, initargs, maxtasksperchild)`, `Pool()` | [`Pool::new`], [`Pool::builder`] | replaces a killed worker; by default has one worker per core |
//! | `apply`, `apply_async`, `map`, `map_async`, `starmap`, `starmap_async`, `imap`, `imap_unordered` | the same on [`Pool`] | an error names the input that failed, and [`map_each`](Pool::map_each) also returns the other results; `imap` reads only a bounded number of inputs ahead |
//! | `chunksize=10` | [`pool.chunk_size(10).map(…)`](Pool::chunk_size) | by default, the pool measures how long calls take and chooses the size |
//! | `callback=…` | [`pool.on_progress(…)`](Pool::on_progress) | |
//! | `AsyncResult.get`, `wait`, `ready`, `successful` | [`AsyncResult`]: `get`, `get_timeout`, `wait_timeout`, `is_ready` | the `Result` of `get` replaces `successful` |
//! | `with pool:`, `close`, `join`, `terminate` | dropping the pool; `close`, `join`, `terminate` | workers never outlive the pool |
//! | `log_to_stderr()` | `MULTIPROCESS_LOG=info`, feature `print` | events also go to `tracing` |
//! | `Manager()`, proxies, `Namespace` | none | a server process behind each access is slow, and hides who owns what: send messages, or share an `Array` |
//! | `sharedctypes.copy`, `synchronized` | `to_vec`, `Array::from_slice` | |
//! | `Listener`, `Client`, `authkey` | none | use sockets between programs and machines; for a pool on several machines, there is the crate `cluster` |
//! | `set_start_method`, `get_context` | none | a child is always this program, started again: there is no `fork` |
//! | `set_executable`, `freeze_support` | not needed | |
//! | `multiprocessing.dummy` | `std::thread` | |
//!
//! # Outcomes
//!
//! | What happened | How you see it |
//! |---|---|
//! | the call timed out | a `…_timeout` method returns an error with [`is_timeout`](Error::is_timeout): the limit of this call, never one inside a child |
//! | the call would have to wait | a `try_…` method returns an error with [`is_would_block`](Error::is_would_block) |
//! | no more messages can come | `get` and `recv` return an error with [`is_closed`](Error::is_closed); `for message in &receiver` ends |
//! | a message wasn't sent | [`SendError`], which contains the message |
//! | the holder of a lock died | [`holder_died`](LockGuard::holder_died) of each later guard is true, until one calls [`clear_death`](LockGuard::clear_death) |
//!
//! # Cargo features
//!
//! All are off by default.
//!
//! | Feature | What it adds |
//! |---|---|
//! | `ipc` | on Linux, senders, receivers and shared memory of the `ipc-channel` package can travel in arguments and results of processes, up to 63 per value |
//! | `print` | `MULTIPROCESS_LOG=info` (or `debug`, `trace`) prints every process's events to standard error (Python: `log_to_stderr`) |
//! | `record` | `MULTIPROCESS_RECORD=FOLDER` makes every process write its events to a file in that folder; with [`recorder`] you add your own |
//!
//! Events always go to the program's own `tracing` subscriber, if it has one.
//!
//! Where handles of `ipc-channel` can't travel, sending one is an error. Without the feature, the crate recognises them
//! only by the name of the value's type, such as `Vec<IpcSender<u8>>`. A handle in a field of a struct is an error only
//! in the process that reads it, and stays open until the sending thread sends something through `ipc-channel`.
//!
//! # Printing
//!
//! Processes share standard output and standard error. A single write is atomic (on a pipe, up to 4 096 bytes), so
//! lines that several processes print at the same time stay whole if they are
//!
//! - printed by `println!`, and no longer than Rust's buffer: 1 024 bytes with the line break;
//! - formatted first and then printed by one `print!`, up to 4 096 bytes. Standard error has no buffer, so there even
//!   short lines need this;
//! - printed while the process holds a [`Lock`] that all of them use, at any length.
//!
//! # Limits
//!
//! - The crate is tested on Linux. The portable code that other Unix systems would use is tested on Linux too, but
//!   never ran on those systems, and handles of `ipc-channel` can't travel there. Windows is not supported.
//! - Only a plain function that is known when the program starts can run in a child.
//! - Tests run by libtest don't have their own `main`, so a `#[test]` can't start processes; set `harness = false` for
//!   such a test.
//! - A child that closes every file descriptor it finds also closes its socket to the parent: its result is lost, but
//!   the parent still notices when it ends.
//! - On Linux, a child closes the descriptors that it inherited from its parent, if it may read its parent's list in
//!   `/proc`. One that the parent closes at the moment of the start may stay open.
//! - A handle in a message is freed with the message, if no process receives it: with the last handle of the queue,
//!   channel or pipe; in a channel or pipe also when no receiver is left. A queue in one of its own messages is freed
//!   when all processes of the program have ended. A handle in the arguments of a pool's initializer counts until the pool
//!   has ended, since later workers get it too.
//! - A copy of a process made by `fork` without `exec` can create shared memory and start processes of its own. It
//!   can't use what it got from the original, which may be something else by then: handles and pools return errors, and
//!   an [`Event`], a [`RawValue`] and a [`RawArray`], which don't return any, panic.
//! - The memory of a killed process is freed within seconds, once the process that started it notices the death: when
//!   it waits for the child, queries its state, has ended it, has dropped its handle, or has given it handles.
//! - If a parent is killed while its daemon or pool worker is stopped (SIGSTOP), the daemon or worker ends at once on
//!   Linux, unless it was stopped before it reached [`init`]; elsewhere it ends when it continues.
//! - While a program ends, its other threads get an error if they start a process or create something shared.

#[cfg(not(unix))]
compile_error!(
    "multiprocess supports only Unix systems; there is no implementation for Windows yet"
);

mod channel;
mod errors;
mod memory;
mod platform;
mod pool;
mod process;
mod sync;
mod trace;
mod transfer;

pub use channel::endpoints::{Receiver, Sender, bounded_channel, channel};
pub use channel::iter::Iter;
pub use channel::pipe::{Connection, pipe};
pub use channel::queue::Queue;
pub use channel::select::{Waitable, wait, wait_timeout};
pub use errors::broken_by::BrokenBy;
pub use errors::current::{Parent, ProcessInfo, current, parent};
pub use errors::error::{Error, Result, Travelling};
pub use errors::holder::Holder;
pub use errors::send_error::SendError;
pub use errors::task_failure::TaskFailure;
pub use platform::signal::Signal;
pub use pool::{AsyncResult, Imap, MapOptions, Pool, PoolBuilder, Progress};
pub use process::builder::{Builder, spawn};
pub use process::children::active_children;
pub use process::join_handle::JoinHandle;
pub use process::start::args_os;
pub use process::task::{OrBoxedError, OrDynError, OrError, Plain, Task};
pub use process::task_table::{RegisteredTask, task};
pub use sync::array::{Array, ArrayGuard};
pub use sync::barrier::Barrier;
pub use sync::condition::{Condition, ConditionGuard};
pub use sync::deadlock::{Deadlock, LockWait};
pub use sync::event::Event;
pub use sync::lock::{Lock, LockGuard};
pub use sync::raw::{Number, RawArray, RawValue};
pub use sync::rlock::{RLock, RLockGuard};
pub use sync::semaphore::{Permit, Semaphore};
pub use sync::value::{Value, ValueGuard};
pub use trace::recorder::recorder;

#[doc(hidden)]
pub use pool::raw;

// Their traits are bounds of public functions.
pub use {bytemuck, serde};

/// Has the README's example tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Registers the functions that child processes may run; must be the first statement of `main`.
///
/// In the first process, `init` returns, and `main` continues. In a child, it runs the function that the parent chose,
/// and exits: code after `init` runs only in the first process. Code before it runs in every child too, so put there
/// only what children need as well, such as a `tracing` subscriber. An async `main` (`#[tokio::main]`) would start its
/// threads too early: call `init` in a plain `main`, and then start the runtime.
///
/// Python: `if __name__ == "__main__":`. Python's children find functions by importing the module again.
///
/// When the first process ends (its `main` returns or panics, or its main thread calls [`std::process::exit`]), it ends
/// its daemons and waits for its other children.
///
/// # Panics
///
/// If it is called a second time.
///
/// # Examples
///
/// ```
/// use multiprocess::{init, task};
///
/// fn doubler(number: i64) -> i64 {
///     2 * number
/// }
///
/// fn main() {
///     init([task(doubler)]);
///     // Only the first process gets here.
/// }
/// ```
pub fn init(tasks: impl IntoIterator<Item = RegisteredTask>) {
    process::bootstrap::begin(tasks.into_iter().chain(pool::tasks()).collect());
}
