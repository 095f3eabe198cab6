//! Why a barrier is broken.

use crate::errors::holder::Holder;

/// What broke a [`Barrier`](crate::Barrier).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenBy {
    /// A wait in this process timed out.
    #[error("a wait of {0} timed out")]
    Timeout(Holder),
    /// This process called [`abort`](crate::Barrier::abort).
    #[error("{0} aborted it")]
    Abort(Holder),
    /// This process was a participant and died.
    #[error("{0} died")]
    Death(Holder),
    /// This process was a participant and panicked.
    #[error("{0} panicked")]
    Panic(Holder),
    /// [`reset`](crate::Barrier::reset) was called while a thread waited.
    #[error("it was reset while a thread waited")]
    Reset,
}
