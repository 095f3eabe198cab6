//! Why one call in a pool has no result.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::quoted::Words;

/// Why a pool has no result for an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TaskFailure {
    /// The function panicked. The worker goes on.
    Panicked {
        /// The panic's message.
        message: String,
        /// Where: `file:line:column`.
        location: String,
    },
    /// The worker died with this input: while it called the function for it or, where the input was sent by itself,
    /// before the result was sent. A new worker took its place.
    WorkerDied {
        /// Name of the worker, its process id, and how it ended.
        how: String,
    },
    /// The function had returned, and its result was lost with the worker, which died before it sent the results of the
    /// batch. It happens only to inputs that share a batch with others.
    Lost {
        /// Name of the worker, its process id, and how it ended.
        how: String,
    },
    /// The input could not be sent to a worker.
    UnsendableInput {
        /// What the serialiser said.
        reason: String,
    },
    /// The worker could not read the input.
    UnreadableInput {
        /// What the deserialiser said.
        reason: String,
    },
    /// The function returned something that could not be sent back.
    UnsendableResult {
        /// What the serialiser said.
        reason: String,
    },
    /// The result arrived and could not be read.
    UnreadableResult {
        /// What the deserialiser said.
        reason: String,
    },
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskFailure::Panicked { message, location } => {
                write!(f, "it panicked at {location}: {}", Words(message))
            }
            TaskFailure::WorkerDied { how } => write!(f, "meanwhile {how}"),
            TaskFailure::Lost { how } => {
                write!(f, "its result was lost before it was sent: {how}")
            }
            TaskFailure::UnsendableInput { reason } => {
                write!(f, "the input cannot be sent: {}", Words(reason))
            }
            TaskFailure::UnreadableInput { reason } => {
                write!(f, "the worker cannot read the input: {}", Words(reason))
            }
            TaskFailure::UnsendableResult { reason } => {
                write!(f, "the result cannot be sent: {}", Words(reason))
            }
            TaskFailure::UnreadableResult { reason } => {
                write!(f, "the result cannot be read: {}", Words(reason))
            }
        }
    }
}
