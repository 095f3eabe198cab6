//! Why one call in a pool has no result.

use serde::{Deserialize, Serialize};

use crate::errors::quoted::Words;

/// Why a pool has no result for an input.
///
/// `how` is the worker's name, its process id, and how it ended; `reason` is what the serialiser reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields of one name are explained once")]
pub enum TaskFailure {
    /// The function panicked. Its worker keeps running.
    #[error("it panicked at {location}: {}", Words(message))]
    Panicked {
        message: String,
        /// `file:line:column`.
        location: String,
    },
    /// The function returned an error: see [`Task`](crate::Task).
    #[error("it failed: {}", Words(message))]
    Failed { message: String },
    /// The worker died while it called the function for this input or, if the input was sent by itself, before the
    /// result was sent. A new worker replaces it.
    #[error("its worker died: {how}")]
    WorkerDied { how: String },
    /// The function had returned, but the worker died before it sent the results of the batch. This happens only to
    /// inputs that share a batch with others.
    #[error("its result was lost before it was sent: {how}")]
    Lost { how: String },
    /// The input could not be sent to a worker.
    #[error("the input cannot be sent: {}", Words(reason))]
    UnsendableInput { reason: String },
    /// The worker could not read the input.
    #[error("the worker cannot read the input: {}", Words(reason))]
    UnreadableInput { reason: String },
    /// The result could not be sent back.
    #[error("the result cannot be sent: {}", Words(reason))]
    UnsendableResult { reason: String },
    /// The result arrived but could not be read.
    #[error("the result cannot be read: {}", Words(reason))]
    UnreadableResult { reason: String },
}
