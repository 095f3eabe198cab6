//! What can go wrong, one variant per cause.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::holder::Holder;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a process could not be started, or did not give its answer.
///
/// Python reports most of these as an exit code to be looked up (`Process.exitcode`) or as a traceback
/// on standard error that the parent never sees. Here every cause is a value that names the process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    NotRegistered {
        /// Path of the function, as the compiler names it.
        function: &'static str,
    },

    /// The operating system did not start the process.
    #[error("cannot start process '{name}': {source}")]
    Spawn {
        /// Name the process was to have.
        name: String,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A value could not be turned into bytes to travel to another process.
    #[error("{what} of process '{name}' cannot be sent: {reason}")]
    Encode {
        /// Which value: the arguments or the result.
        what: Travelling,
        /// Name of the process the value was going to, or coming from.
        name: String,
        /// What the serialiser said.
        reason: String,
    },

    /// A value arrived but could not be read back.
    ///
    /// The usual cause is a type whose `Deserialize` asks the bytes what they are (an untagged enum, a
    /// `serde_json::Value`): the wire format does not carry types.
    #[error("{what} of process '{name}' arrived but cannot be read: {reason}")]
    Decode {
        /// Which value: the arguments or the result.
        what: Travelling,
        /// Name of the process the value was going to, or coming from.
        name: String,
        /// What the deserialiser said.
        reason: String,
    },

    /// The function panicked.
    #[error("process '{name}' (pid {pid}) panicked at {location}: {message}")]
    Panicked {
        /// Name of the process.
        name: String,
        /// Its process id.
        pid: u32,
        /// The panic's message.
        message: String,
        /// Where: `file:line:column`.
        location: String,
    },

    /// The process ended by itself before its function returned, for example by `std::process::exit`.
    #[error("process '{name}' (pid {pid}) exited with code {code} before its function returned")]
    Exited {
        /// Name of the process.
        name: String,
        /// Its process id.
        pid: u32,
        /// The exit code.
        code: i32,
    },

    /// The process was ended by a signal.
    #[error("process '{name}' (pid {pid}) was ended by {signal}")]
    Killed {
        /// Name of the process.
        name: String,
        /// Its process id.
        pid: u32,
        /// The signal.
        signal: Signal,
    },

    /// The process ended before it reached [`init`](crate::init).
    #[error(
        "process '{name}' (pid {pid}) ended ({status}) without reaching `multiprocess::init`; \
         it must be the first statement of `main`, before arguments are read"
    )]
    NeverStarted {
        /// Name of the process.
        name: String,
        /// Its process id.
        pid: u32,
        /// How it ended.
        status: ExitStatus,
    },

    /// The process runs, but cannot run the function: it was started from a different program.
    #[error(
        "process '{name}' (pid {pid}) cannot run `{function}`: the list it gave to \
         `multiprocess::init` differs from its parent's; the list must not depend on anything"
    )]
    OtherProgram {
        /// Name of the process.
        name: String,
        /// Its process id.
        pid: u32,
        /// Path of the function that was asked for.
        function: String,
    },

    /// The answer was already taken by an earlier join.
    #[error("process '{name}' was joined before, and its answer was taken then")]
    AlreadyJoined {
        /// Name of the process.
        name: String,
    },

    /// There is no shared memory to be had, or the system refused its use.
    #[error("no shared memory for {what}: {source}")]
    Memory {
        /// What the memory was for.
        what: String,
        /// What is wrong.
        source: std::io::Error,
    },

    /// A lock was not free in time.
    #[error(
        "process '{}' (pid {}) waited {limit:?} in vain for {what}, held by {}",
        crate::current().name(), crate::current().pid(),
        holder.as_ref().map_or("nobody any more".to_owned(), ToString::to_string)
    )]
    LockTimeout {
        /// The lock, or what it guards.
        what: String,
        /// How long it was waited for.
        limit: Duration,
        /// Who held it when the time was over.
        holder: Option<Holder>,
    },

    /// A thread asked for a lock that it holds, and would have waited for itself.
    #[error("this thread holds {what} already; drop the guard before asking for it again")]
    HeldAlready {
        /// The lock, or what it guards.
        what: String,
    },

    /// The operating system refused something that should always work.
    #[error("cannot {doing} process '{name}': {source}")]
    System {
        /// What was being done, as a verb.
        doing: &'static str,
        /// Name of the process concerned.
        name: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Which value was travelling between two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Travelling {
    /// The arguments, from parent to child.
    Arguments,
    /// The result, from child to parent.
    Answer,
}

impl fmt::Display for Travelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Travelling::Arguments => "the arguments",
            Travelling::Answer => "the result",
        })
    }
}

/// The number of a signal, shown by its name.
///
/// Python shows it as a negative exit code: `-9`.
///
/// ```
/// assert_eq!(multiprocess::Signal(9).to_string(), "SIGKILL");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

impl Signal {
    /// Asks a process to end; what [`terminate`](crate::JoinHandle::terminate) sends.
    pub const TERM: Signal = Signal(15);
    /// Ends a process that cannot refuse; what [`kill`](crate::JoinHandle::kill) sends.
    pub const KILL: Signal = Signal(9);
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(unix)]
        if let Ok(signal) = nix::sys::signal::Signal::try_from(self.0) {
            return f.write_str(signal.as_str());
        }
        write!(f, "signal {}", self.0)
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
