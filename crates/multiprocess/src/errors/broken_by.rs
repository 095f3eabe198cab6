//! Why a barrier is broken.

use std::fmt;

use crate::errors::holder::Holder;

/// What broke a [`Barrier`](crate::Barrier).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokenBy {
    /// A wait in this process timed out.
    Timeout(Holder),
    /// This process called [`abort`](crate::Barrier::abort).
    Abort(Holder),
    /// This process was a participant and is dead.
    Death(Holder),
    /// This process was a participant and panicked.
    Panic(Holder),
    /// [`reset`](crate::Barrier::reset) was called while a thread waited.
    Reset,
}

impl fmt::Display for BrokenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BrokenBy::Timeout(process) => write!(f, "{process} waited too long"),
            BrokenBy::Abort(process) => write!(f, "{process} aborted it"),
            BrokenBy::Death(process) => write!(f, "{process} died"),
            BrokenBy::Panic(process) => write!(f, "{process} panicked"),
            BrokenBy::Reset => f.write_str("it was reset while somebody waited"),
        }
    }
}
