//! What can go wrong, one variant per cause.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::errors::broken_by::BrokenBy;
use crate::errors::current::identity;
use crate::errors::holder::Holder;
use crate::errors::quoted::{Name, Process, Words};
use crate::errors::task_failure::TaskFailure;
use crate::platform::limits::explained;
use crate::platform::signal::Signal;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a process could not be started, or did not give its answer.
///
/// Python reports most of these as an exit code that you have to look up (`Process.exitcode`) or as a traceback
/// on standard error that the parent never sees. Here every cause is a value that names the process.
///
/// Fields of one name mean the same in all variants: `name` and `pid` are those of the process concerned, `what` is the
/// object or the value, as the message names it, `function` is the path of a function, `location` is
/// `file:line:column`, `index` counts inputs from 0, `limit` is how long the thread waited for an `event` or what a
/// `holder` had when the time was over, and `source` and `reason` are the words of the operating system, of the
/// serialiser and of this crate.
///
/// Its `Debug` is its message too: `main` may return it.
#[derive(thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields of one name are explained once")]
pub enum Error {
    /// [`init`](crate::init) has not run in this program.
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

    /// A value could not be turned into bytes to travel to another process.
    #[error("{what} of process '{}' cannot be sent: {}", Name(name), Words(reason))]
    Encode {
        what: Travelling,
        name: String,
        reason: String,
    },

    /// A value arrived but could not be read back.
    ///
    /// The usual cause is a type whose `Deserialize` asks the bytes what they are (an untagged enum, a
    /// `serde_json::Value`): the wire format does not carry types.
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

    /// The process ended by itself before its function returned, for example by `std::process::exit`.
    #[error("{} exited with code {code} before its function returned", Process(name, *pid))]
    Exited { name: String, pid: u32, code: i32 },

    /// The process was ended by a signal.
    #[error("{} was ended by {signal}", Process(name, *pid))]
    Killed {
        name: String,
        pid: u32,
        signal: Signal,
    },

    /// The process ended before its function returned, and how is not known.
    ///
    /// The system keeps an exit status for one reader, and none if SIGCHLD is ignored, or `SA_NOCLDWAIT` set.
    #[error(
        "{} ended before its function returned, and how is not known: this program ignores SIGCHLD, or something in \
         it waits for any child; let SIGCHLD have its default action, and wait for other children by their pid",
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

    /// The process runs, but cannot run the function: it was started from a different program.
    #[error(
        "{} cannot run `{function}`: the list it gave to \
         `multiprocess::init` differs from its parent's; the list must not depend on anything",
        Process(name, *pid)
    )]
    OtherProgram {
        name: String,
        pid: u32,
        function: String,
    },

    /// The answer was already taken by an earlier join.
    #[error(
        "process '{}' was joined before, and its answer was taken then",
        Name(name)
    )]
    AlreadyJoined { name: String },

    /// There is no shared memory, or the system refused its use.
    #[error("no shared memory for {what}: {}", explained(source))]
    Memory { what: String, source: io::Error },

    /// A lock was not free in time.
    #[error(
        "{} waited {limit:?} in vain for {what}, held by {}",
        this_process(),
        listed(holder.as_slice())
    )]
    LockTimeout {
        what: String,
        limit: Duration,
        holder: Option<Holder>,
    },

    /// A lock is held at this moment, or no permit of a semaphore is free.
    #[error("{reason} at this moment; ask again later, or wait for it")]
    WouldBlock { reason: String },

    /// A thread asked for a lock that it holds, and would have waited for itself.
    #[error("this thread holds {what} already; drop the guard before asking for it again")]
    HeldAlready { what: String },

    /// No permit of a semaphore was free in time.
    #[error(
        "{} waited {limit:?} in vain for one of {permits} permits, held by {}",
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

    /// There is no room at the moment, or another process is just putting something and was stopped in the middle.
    #[error(
        "{what} is full, or in use at this moment by another process; take something out of it, or put with a wait"
    )]
    Full { what: String },

    /// There is nothing at the moment, or another process is just getting something and was stopped in the middle.
    #[error(
        "{what} is empty, or in use at this moment by another process; put something into it, or get with a wait"
    )]
    Empty { what: String },

    /// A wait timed out.
    #[error("{} waited {limit:?} in vain for {event}", this_process())]
    Timeout { event: String, limit: Duration },

    /// It was closed, or its other end has no owner left.
    #[error("{what} is at its end: it was closed, or nobody is left on its other side")]
    Closed { what: String },

    /// A message could not be turned into bytes.
    #[error("a message cannot go into {what}: {}", Words(reason))]
    Unsendable { what: String, reason: String },

    /// A message was taken, but could not be read back; it is lost, those after it are not.
    #[error(
        "a message out of {what} cannot be read, and is lost: {}",
        Words(reason)
    )]
    Unreadable { what: String, reason: String },

    /// `task_done` was called more often than something was put.
    #[error("task_done was called more often than there were items in {what}")]
    TooManyDone { what: String },

    /// The capacity of a queue is 0.
    #[error(
        "a queue of capacity 0 could hold nothing; for one without a limit (Python's `Queue(0)`) \
         use `Queue::new` or `channel`"
    )]
    NoCapacity,

    /// The end of a pipe was sent to another process, and is there now.
    #[error("{what} was sent to another process; this one cannot use it any more")]
    GivenAway { what: String },

    /// A pool has no result for one of the inputs.
    #[error("`{function}` gave no result for input {index}: {failure}")]
    Task {
        function: String,
        index: usize,
        failure: TaskFailure,
    },

    /// A pool was to have no workers.
    #[error("a pool needs at least one worker")]
    NoWorkers,

    /// The pool is closed, and takes no more calls.
    #[error("the pool is closed and takes no more calls")]
    PoolClosed,

    /// The pool was terminated, together with the calls that were running.
    #[error("the pool was terminated")]
    PoolTerminated,

    /// The pool cannot go on.
    #[error("the pool is broken: {reason}")]
    PoolBroken { reason: String },

    /// The result was already taken by an earlier call.
    #[error("the result was taken before")]
    ResultTaken,

    /// The operating system refused something that should always work.
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
    /// Returns whether the limit of this call was over: the answer of every `…_timeout` that waited in vain.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Error::Timeout { .. } | Error::LockTimeout { .. } | Error::PermitTimeout { .. }
        )
    }

    /// Returns whether it is the end: it was closed, or no process is left on the other side.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Error::Closed { .. })
    }

    /// Returns whether the call would have had to wait: the answer of every `try_…` that got nothing.
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

    pub(crate) fn memory(what: impl Into<String>, source: io::Error) -> Error {
        let what = what.into();
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

/// `doubler` of `program::doubler`, and `first::<_>` of `program::first<u32>`.
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
        BrokenBy::Reset => "by now it is whole again",
        _ => "`reset` makes it whole again",
    }
}

fn listed(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "nobody any more".to_owned();
    }
    let words: Vec<String> = holders.iter().map(ToString::to_string).collect();
    words.join(", ")
}
