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
//! 4. [`JoinHandle::join`] waits for the end of the process and returns the value, or the reason why there is
//!    none: a panic, an exit code, a signal ([`Error`]).
//!
//! # Values that travel
//!
//! Arguments and results are any owned types that serde can serialise and deserialise; a function [may also
//! fail](Task). A type of your own gets `#[derive(Serialize, Deserialize)]` from the package `serde` with its feature
//! `derive`. The bytes are in [postcard](https://docs.rs/postcard)'s format, which carries no types: a type whose
//! `Deserialize` has to find them in the bytes (`#[serde(untagged)]`, `#[serde(flatten)]`, `serde_json::Value`) is an
//! error.
//!
//! A vector of plain numbers (`Vec<u8>`, `Vec<f64>` and the like, not of `bool`, `char` or 128 bits) that is itself an
//! argument, a result or a message goes as one block of memory, many times faster than number by number. In a struct or
//! a tuple it is serialised like any other value: give a function two arguments rather than one pair. A value of more
//! than 32 KiB goes through memory that the system keeps only as long as one of the two processes has it open, so
//! neither ever waits for the other to read.
//!
//! The crate's own handles (queues, channels, pipes, locks, shared values and the like, also in a `Vec` or a struct)
//! travel in arguments, results, and what is put or sent. Another serialiser gets an error for them, and so does
//! reading one from bytes that came with no message.
//!
//! # From Python
//!
//! | Python | here | what is different |
//! |---|---|---|
//! | `if __name__ == "__main__":` | [`init`], first in `main` | lists the functions that children may run |
//! | `Process(target=f, args=(5,))` and `start()` | [`spawn(f, (5,))`](spawn) | starts at once; wrong arguments do not compile |
//! | `Process(name=…, daemon=…)` | [`Builder`] | a daemon may have children; also sets arguments, environment, current folder and streams |
//! | `sys.argv` | [`args_os`] | |
//! | `join()`, `join(seconds)` | [`join`](JoinHandle::join), [`join_timeout`](JoinHandle::join_timeout) | give what the function returned, or why there is nothing |
//! | an exception | an error that the function [returns](Task), or a panic | arrives at `join`, `map` and the others |
//! | `exitcode` | [`exit_status`](JoinHandle::exit_status), and the variants of [`Error`] after a join | exit codes, signals, panics and errors are told apart |
//! | `is_alive`, `name`, `pid`, `daemon`, `terminate`, `kill` | the same on [`JoinHandle`] (`is_daemon`) | a signal never reaches a process that was reaped |
//! | `current_process()`, `parent_process()`, `active_children()` | [`current`], [`parent`], [`active_children`] | the parent can be asked [`is_alive`](Parent::is_alive) |
//! | `cpu_count()` | [`std::thread::available_parallelism`] | what this program may use |
//! | `Pipe()`; `send`, `recv`, `poll`, `close` | [`pipe`]; the same on [`Connection`] | two types, one for each direction; an end has one owner; it notices the other's death |
//! | `Pipe(duplex=False)` | [`channel`], [`bounded_channel`] | any number of senders and receivers |
//! | `send_bytes`, `recv_bytes` | a `Connection` of `Vec<u8>` | goes as one block |
//! | `connection.wait(list, seconds)`, `sentinel` | [`wait`], [`wait_timeout`] | also for queues, receivers and processes ([`JoinHandle`]) |
//! | `Queue`, `SimpleQueue`, `JoinableQueue` | [`Queue`] | has no thread behind it: what was put is there; has `close`, `task_done`, `join` |
//! | `put`, `put_nowait`, `put(timeout=…)`; `get` alike | `put`, `try_put`, `put_timeout`; `get` alike | what could not be put comes back in the error ([`SendError`]) |
//! | `qsize`, `empty`, `full` | `len`, `is_empty`, `is_full` | `len` is exact |
//! | `join_thread`, `cancel_join_thread` | not there | there is no such thread |
//! | `Lock`, `RLock` | [`Lock`], [`RLock`]: `lock`, `try_lock`, `lock_timeout` | free when the holder dies, and later holders are told; released by the guard alone |
//! | `Semaphore`, `BoundedSemaphore` | [`Semaphore`]: `acquire`, `try_acquire`, `acquire_timeout` | always bounded; permits of the dead come back |
//! | `Event` | [`Event`] | |
//! | `Condition` | [`Condition`]: its guard has `wait`, `wait_for`, `notify_one`, `notify(n)`, `notify_all` | |
//! | `Barrier` | [`Barrier`] | also broken by the death of a participant |
//! | `Barrier(n, action=f)` | [`barrier.wait_with(f)`](Barrier::wait_with) | the action of the last one to arrive runs |
//! | `Value('d', 0.0)`, `Array('i', 5)` | [`Value::new(0.0)`](Value), [`Array::<i32>::new(5)`](Array), [`Array::from_slice`] | any type that is [`bytemuck::Pod`]; the guard is the data |
//! | `RawValue`, `RawArray` | [`RawValue`], [`RawArray`] | numbers, by atomic operations |
//! | `shared_memory.SharedMemory` | [`Array<u8>`](Array) | has no name that must be unlinked |
//! | `Pool(4, initializer, initargs, maxtasksperchild)`, `Pool()` | [`Pool::new`], [`Pool::builder`] | a killed worker is replaced; without a number of workers there is one per core |
//! | `apply`, `apply_async`, `map`, `map_async`, `starmap`, `starmap_async`, `imap`, `imap_unordered` | the same on [`Pool`] | a failed input says which it was, and [`map_each`](Pool::map_each) gives the results of the others; `imap` reads only a bounded number of inputs ahead |
//! | `chunksize=10` | [`pool.chunk_size(10).map(…)`](Pool::chunk_size) | without it, chunks follow the time that calls take |
//! | `callback=…` | [`pool.on_progress(…)`](Pool::on_progress) | |
//! | `AsyncResult.get`, `wait`, `ready`, `successful` | [`AsyncResult`]: `get`, `get_timeout`, `wait_timeout`, `is_ready` | `get` tells success by its `Result` |
//! | `with pool:`, `close`, `join`, `terminate` | dropping it, and the same | workers never outlive the pool |
//! | `log_to_stderr()` | `MULTIPROCESS_LOG=info`, feature `print`; events go to `tracing` | |
//! | `Manager()`, proxies, `Namespace` | not there | a server process behind each access is slow, and hides who owns what: send messages, or share an `Array` |
//! | `sharedctypes.copy`, `synchronized` | not there | `to_vec`, and `Array::from_slice` |
//! | `Listener`, `Client`, `authkey` | not there | between programs and machines use sockets |
//! | `set_start_method`, `get_context` | not there | a child is always this program, started again: there is no `fork` |
//! | `set_executable`, `freeze_support` | not needed | |
//! | `multiprocessing.dummy` | `std::thread` | |
//!
//! # Answers
//!
//! | answer | how it is given |
//! |---|---|
//! | the time is over | each `…_timeout`: an error with [`is_timeout`](Error::is_timeout). It is the limit of this call, never one inside a child |
//! | not now | each `try_…`: an error with [`is_would_block`](Error::is_would_block) |
//! | the end | `get` and `recv`: an error with [`is_closed`](Error::is_closed); `for message in &receiver` ends |
//! | nothing was sent | [`SendError`], which has the value |
//! | a holder died | [`holder_died`](LockGuard::holder_died) of each guard, until one calls [`clear_death`](LockGuard::clear_death) |
//!
//! # Cargo features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `ipc` | on Linux, senders, receivers and shared memory of the `ipc-channel` package travel in arguments and results of processes, up to 63 in a value |
//! | `print` | `MULTIPROCESS_LOG=info` (or `debug`, `trace`) prints the events of every process on standard error; Python: `log_to_stderr` |
//! | `record` | `MULTIPROCESS_RECORD=FOLDER` has every process write its events into that folder; `recorder` adds events of your own |
//!
//! Events always go to the program's own `tracing` subscriber, if it has one.
//!
//! Where handles of `ipc-channel` do not travel, they are an error. Without the feature the crate finds only those in the
//! name of the value's type, such as `Vec<IpcSender<u8>>`. It does not find one in a field of a struct: that is an error
//! where it is read, and the handle stays open until the same thread sends something through `ipc-channel`.
//!
//! # Printing
//!
//! Processes share standard output and standard error, and one write call is atomic: on a pipe up to 4 096 bytes. So
//! lines that several processes print at once are not mixed
//!
//! - with `println!`, up to the 1 024 bytes of Rust's buffer, the end of the line included;
//! - with `print!` of a line that is formatted already, up to 4 096 bytes. Standard error has no buffer, so even short
//!   lines need this there;
//! - at any length, while the printing process holds a [`Lock`] that they share.
//!
//! # Limits
//!
//! - Linux is tested, and so are, on Linux, the portable parts that other Unix systems would use. Nothing was run on
//!   those systems themselves, and handles of `ipc-channel` do not travel there. There is no implementation for
//!   Windows.
//! - A function that runs in a child is a plain function, known when the program starts.
//! - Tests that libtest runs have no `main` of their own, so processes cannot be started from a `#[test]`;
//!   give such a test `harness = false`.
//! - A child that closes every descriptor it can find also closes its socket to the parent: its answer is lost, but the
//!   parent still notices its end.
//! - Each Lock, Value, Array and Semaphore takes a descriptor in every process that has it, a queue or a pipe a few
//!   more: at the usual limit of 1 024 (`ulimit -n`) a process has about 1 000 of them. For many numbers use one
//!   [`Array`], which takes no more than a [`Value`].
//! - A child closes the descriptors that `exec` would leave open, and that its parent has: on Linux, and where it may
//!   read its parent's in `/proc`. One that the parent closes at the moment of the start may stay open.
//! - A handle in a message exists as long as the message may still be received. If no process receives it, it is freed
//!   with the last handle of the queue, channel or pipe; one that was given to a child counts until the child has ended.
//!   In a channel or pipe it is also freed when no receiver is left and a process sends, or drops a sender.
//! - It is freed only when all processes of the program have ended, and a channel whose `Sender` it was does not end
//!   before ([`recv_timeout`](Receiver::recv_timeout) does not wait for that),
//!   - if all processes that had the queue, channel or pipe were killed;
//!   - if a process was killed when it had taken the message, and not yet read it;
//!   - if something before it in the message cannot be read;
//!   - if it is in the arguments of a process that was killed, together with its parent, before it had read them;
//!   - if it is in a result, and the process was killed after it had packed the result and before it had sent it.
//! - A copy of a process that `fork` made without `exec` can make shared memory and start processes of its own. It
//!   can't use its original's pools (an error), or wait for its original's children; what it holds of its original's memory it
//!   can only read and write.
//! - Other memory of a killed process is freed within seconds, as soon as the process that started it notices the
//!   death: when it waits for the child, asks for its state or has ended it, has dropped its handle, or has given it
//!   handles.
//! - A daemon or a worker of a pool that is stopped (SIGSTOP) while its parent is killed ends at once on Linux, unless
//!   it was stopped before it reached [`init`]; elsewhere it ends when it continues.
//! - While a program ends, its other threads get an error when they start a process or make something shared.

#[cfg(not(unix))]
compile_error!(
    "multiprocess runs on Unix systems; its line between processes has no Windows version yet"
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

// Their traits are bounds of public functions.
pub use {bytemuck, serde};

/// Its example is tested with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Prepares the program for having child processes; the first statement of `main`.
///
/// In the first process it notes which functions children may run, and returns. In a child it runs the function that the
/// parent asked for, and exits: what follows in `main` runs in the first process only. What stands before it runs in
/// every child too: only what children need as well, as a `tracing` subscriber. An async `main` (`#[tokio::main]`) would
/// start its threads before; let a plain `main` call `init`, and then start the runtime.
///
/// Python: `if __name__ == "__main__":`; its children find functions by importing the module again.
///
/// When the first process ends (its `main` returns or panics, or its main thread calls [`std::process::exit`]) it ends
/// its daemons and waits for its other children.
///
/// # Panics
///
/// When it is called a second time.
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
///     // From here on we are the first process.
/// }
/// ```
pub fn init(tasks: impl IntoIterator<Item = RegisteredTask>) {
    process::bootstrap::begin(tasks.into_iter().chain(pool::tasks()).collect());
}
