//! The error type, with a variant for each cause.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::errors::broken_by::BrokenBy;
use crate::errors::current::identity;
use crate::errors::holder::Holder;
use crate::errors::quoted::{Name, Process, Words, without_paths};
use crate::errors::task_failure::TaskFailure;
use crate::platform::limits::explained;
use crate::platform::signal::Signal;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every operation in this crate, with a variant for each cause.
///
/// Python reports most of these as an exit code that you have to look up (`Process.exitcode`), or as a traceback
/// on standard error that the parent never sees. Here each is a value that names the process.
///
/// A field has the same meaning in every variant: `name` and `pid` are those of the process concerned, `what` describes
/// the object or the value, `function` is the path of a function, `location` is `file:line:column`, `index` is the
/// number of the input, counted from 0, `limit` is the timeout, `event` is what the thread waited for, `holder` had the
/// lock when the wait timed out, and `source` and `reason` are what the operating system, the serialiser or this crate
/// reported.
///
/// `Debug` prints the message too, so `main` can return this error.
#[derive(thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields of one name are explained once")]
pub enum Error {
    /// This program has not called [`init`](crate::init).
    #[error(
        "cannot start a process: this program has not called `multiprocess::init`; \
         make it the first statement of `main`"
    )]
    NotInitialized,

    /// The function is not in the list given to [`init`](crate::init).
    #[error(
        "cannot start a process for `{function}`: it is not in the list given to \
         `multiprocess::init`; add `task({})` to that list",
        last_segment(function)
    )]
    NotRegistered { function: &'static str },

    /// The operating system did not start the process.
    #[error("cannot start process '{}': {}", Name(name), Words(&explained(source)))]
    Spawn { name: String, source: io::Error },

    /// The arguments or the result could not be serialised or sent.
    #[error("{what} of process '{}' cannot be sent: {}", Name(name), Words(reason))]
    Encode {
        what: Travelling,
        name: String,
        reason: String,
    },

    /// The arguments or the result arrived but could not be deserialised.
    ///
    /// The usual cause is a type whose `Deserialize` needs the types in the bytes (an untagged enum, a
    /// `serde_json::Value`): the wire format doesn't store them.
    #[error(
        "{what} of process '{}' arrived but cannot be read: {}",
        Name(name),
        Words(reason)
    )]
    Decode {
        what: Travelling,
        name: String,
        reason: String,
    },

    /// The function panicked.
    #[error("{} panicked at {location}: {}", Process(name, *pid), Words(message))]
    Panicked {
        name: String,
        pid: u32,
        message: String,
        location: String,
    },

    /// The function returned an error: see [`Task`](crate::Task).
    #[error("{} failed: {}", Process(name, *pid), Words(message))]
    Failed {
        name: String,
        pid: u32,
        /// The error's message, and those of its sources.
        message: String,
    },

    /// The process exited before its function returned, for example by `std::process::exit`.
    #[error("{} exited with code {code} before its function returned", Process(name, *pid))]
    Exited { name: String, pid: u32, code: i32 },

    /// A signal ended the process.
    #[error("{} was ended by {signal}", Process(name, *pid))]
    Killed {
        name: String,
        pid: u32,
        signal: Signal,
    },

    /// The process ended before its function returned, and its exit status is unknown.
    ///
    /// The system returns an exit status only once, and not at all if SIGCHLD is ignored or `SA_NOCLDWAIT` is set.
    #[error(
        "{} ended before its function returned, and its exit status is unknown: this program ignores SIGCHLD, or \
         something in it waits for any child; restore SIGCHLD's default action, and wait for other children by pid",
        Process(name, *pid)
    )]
    EndUnknown { name: String, pid: u32 },

    /// The process ended before it reached [`init`](crate::init).
    #[error(
        "{} ended ({status}) without reaching `multiprocess::init`; \
         it must be the first statement of `main`, before arguments are read",
        Process(name, *pid)
    )]
    NeverStarted {
        name: String,
        pid: u32,
        status: ExitStatus,
    },

    /// The process can't run the function, since it gave another list to [`init`](crate::init).
    #[error(
        "{} cannot run `{function}`: the list it gave to \
         `multiprocess::init` differs from its parent's; every process must give it the same list",
        Process(name, *pid)
    )]
    OtherProgram {
        name: String,
        pid: u32,
        function: String,
    },

    /// An earlier join has already returned the result.
    #[error(
        "process '{}' was already joined, and that join returned its result",
        Name(name)
    )]
    AlreadyJoined { name: String },

    /// Shared memory could not be created, or the system refused an operation on it.
    #[error("no shared memory for {what}: {}", explained(source))]
    Memory { what: String, source: io::Error },

    /// A lock did not become free within the timeout.
    #[error(
        "{} timed out after {limit:?} waiting for {what}, held by {}",
        this_process(),
        listed(holder.as_slice())
    )]
    LockTimeout {
        what: String,
        limit: Duration,
        holder: Option<Holder>,
    },

    /// Another thread holds the lock, or no permit of the semaphore is free, and the call doesn't wait.
    #[error("{reason} at this moment; try again later, or wait for it")]
    WouldBlock { reason: String },

    /// The thread already holds the lock, and would have waited for itself.
    #[error("this thread holds {what} already; drop the guard before asking for it again")]
    HeldAlready { what: String },

    /// No permit of a semaphore became free within the timeout.
    #[error(
        "{} timed out after {limit:?} waiting for one of {permits} permits, held by {}",
        this_process(),
        listed(holders)
    )]
    PermitTimeout {
        limit: Duration,
        permits: u32,
        holders: Vec<Holder>,
    },

    /// A barrier is broken, or broke while this thread waited at it.
    #[error("the barrier is broken: {by}; {}", how_to_repair(by))]
    BarrierBroken { by: BrokenBy },

    /// It is full, or another process was stopped while putting something, and the call doesn't wait.
    #[error(
        "{what} is full, or in use by another process at this moment; try again later, or use a method that waits"
    )]
    Full { what: String },

    /// It is empty, or another process was stopped while getting something, and the call doesn't wait.
    #[error(
        "{what} is empty, or in use by another process at this moment; try again later, or use a method that waits"
    )]
    Empty { what: String },

    /// A wait timed out.
    #[error("{} timed out after {limit:?} waiting for {event}", this_process())]
    Timeout { event: String, limit: Duration },

    /// It was closed, or no process has its other side any more.
    #[error("{what} is closed, or no process has its other side any more")]
    Closed { what: String },

    /// A message could not be serialised.
    #[error("cannot send a message through {what}: {}", Words(reason))]
    Unsendable { what: String, reason: String },

    /// A message arrived but could not be deserialised. It is lost; later messages are not.
    #[error("a message from {what} cannot be read, and is lost: {}", Words(reason))]
    Unreadable { what: String, reason: String },

    /// `task_done` was called more often than `put`.
    #[error("`task_done` was called more often than items were put into {what}")]
    TooManyDone { what: String },

    /// The capacity of a queue is 0.
    #[error(
        "a queue of capacity 0 could hold nothing; for one without a limit (Python's `Queue(0)`), \
         use `Queue::new` or `channel`"
    )]
    NoCapacity,

    /// This end of a pipe was sent to another process.
    #[error("{what} was sent to another process; this process can no longer use it")]
    GivenAway { what: String },

    /// A pool has no result for one of the inputs.
    #[error("`{function}` gave no result for input {index}: {failure}")]
    Task {
        function: String,
        index: usize,
        failure: TaskFailure,
    },

    /// A pool of 0 workers was requested.
    #[error("a pool needs at least one worker")]
    NoWorkers,

    /// The pool is closed.
    #[error("the pool is closed and takes no more calls")]
    PoolClosed,

    /// The pool was terminated, and the running calls with it.
    #[error("the pool was terminated")]
    PoolTerminated,

    /// The pool can't work any more.
    #[error("the pool is broken: {reason}")]
    PoolBroken { reason: String },

    /// An earlier call has already returned the result.
    #[error("an earlier call has already returned the result")]
    ResultTaken,

    /// The operating system refused an operation that should always succeed.
    #[error("cannot {doing} process '{}': {}", Name(name), explained(source))]
    System {
        doing: &'static str,
        name: String,
        source: io::Error,
    },
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Returns whether the call timed out; every `…_timeout` method returns such an error then.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Error::Timeout { .. } | Error::LockTimeout { .. } | Error::PermitTimeout { .. }
        )
    }

    /// Returns whether no more messages can be sent or received: [`Error::Closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Error::Closed { .. })
    }

    /// Returns whether the call would have had to wait; every `try_…` method returns such an error then.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        matches!(
            self,
            Error::Full { .. } | Error::Empty { .. } | Error::WouldBlock { .. }
        )
    }

    pub(crate) fn encode(what: Travelling, name: &str, reason: String) -> Error {
        let name = name.to_owned();
        Error::Encode { what, name, reason }
    }

    pub(crate) fn decode(what: Travelling, name: &str, reason: String) -> Error {
        let name = name.to_owned();
        Error::Decode { what, name, reason }
    }

    pub(crate) fn timeout(event: impl Into<String>, limit: Duration) -> Error {
        let event = event.into();
        Error::Timeout { event, limit }
    }

    /// Returns the error for memory; `what` is a type, whose paths it leaves out.
    pub(crate) fn memory(what: impl AsRef<str>, source: io::Error) -> Error {
        let what = without_paths(what.as_ref());
        Error::Memory { what, source }
    }
}

/// Which value was travelling between two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Travelling {
    /// The arguments, from parent to child.
    #[error("the arguments")]
    Arguments,
    /// The result, from child to parent.
    #[error("the result")]
    Answer,
}

/// Returns `doubler` for `program::doubler`, and `first::<_>` for `program::first<u32>`.
fn last_segment(path: &str) -> String {
    let (path, generic) = path.split_once('<').unwrap_or((path, ""));
    let name = path.rsplit("::").find(|name| !name.is_empty());
    let end = if generic.is_empty() { "" } else { "::<_>" };
    format!("{}{end}", name.unwrap_or(path))
}

fn this_process() -> Process<'static> {
    let this = &identity().this;
    Process(&this.name, this.pid)
}

fn how_to_repair(by: &BrokenBy) -> &'static str {
    match by {
        BrokenBy::Reset => "it can be used again now",
        _ => "call `reset` to repair it",
    }
}

fn listed(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "no process any more".to_owned();
    }
    let words: Vec<String> = holders.iter().map(ToString::to_string).collect();
    words.join(", ")
}
