//! The signals by which processes end.

use std::fmt;

/// The number of a signal; `Display` prints its name.
///
/// Python reports it as a negative exit code: `-9`.
///
/// ```
/// assert_eq!(multiprocess::Signal(9).to_string(), "SIGKILL");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

impl Signal {
    /// Asks a process to end; [`terminate`](crate::JoinHandle::terminate) sends it.
    pub const TERM: Signal = Signal(15);
    /// Ends a process, which can't prevent it; [`kill`](crate::JoinHandle::kill) sends it.
    pub const KILL: Signal = Signal(9);
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(signal) = nix::sys::signal::Signal::try_from(self.0) {
            return f.write_str(signal.as_str());
        }
        write!(f, "signal {}", self.0)
    }
}
