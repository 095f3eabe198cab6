//! Why a function has no result, as one process sends it to another.

use serde::{Deserialize, Serialize};

use crate::errors::current::ProcessInfo;
use crate::errors::error::{Error, Travelling};
use crate::errors::task_failure::TaskFailure;

/// Why a function that another process was to call has no result.
///
/// A child sends it instead of its answer, and a pool's worker instead of one result of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// The system doesn't give the process what it needs to begin.
    NotStarted(String),
    /// The process has another list of tasks; holds the path of the function.
    OtherProgram(String),
    /// The arguments can't be read.
    UnreadableArguments(String),
    Panicked {
        message: String,
        location: String,
    },
    /// The result can't be sent.
    UnsendableResult(String),
    /// The result arrived and can't be read.
    UnreadableResult(String),
}

impl Failure {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a failure is a few strings")
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Failure {
        postcard::from_bytes(bytes)
            .unwrap_or_else(|error| Failure::UnreadableResult(error.to_string()))
    }

    /// Returns the error for the failure of a process.
    pub(crate) fn of_process(self, process: &ProcessInfo) -> Error {
        let ProcessInfo { name, pid, .. } = process.clone();
        match self {
            Failure::NotStarted(reason) => Error::Spawn {
                name,
                source: std::io::Error::other(reason),
            },
            Failure::OtherProgram(function) => Error::OtherProgram {
                name,
                pid,
                function,
            },
            Failure::UnreadableArguments(reason) => Error::Decode {
                what: Travelling::Arguments,
                name,
                reason,
            },
            Failure::Panicked { message, location } => Error::Panicked {
                name,
                pid,
                message,
                location,
            },
            Failure::UnsendableResult(reason) => Error::Encode {
                what: Travelling::Answer,
                name,
                reason,
            },
            Failure::UnreadableResult(reason) => Error::Decode {
                what: Travelling::Answer,
                name,
                reason,
            },
        }
    }
}

impl From<Failure> for TaskFailure {
    fn from(failure: Failure) -> TaskFailure {
        match failure {
            Failure::UnreadableArguments(reason) => TaskFailure::UnreadableInput { reason },
            Failure::Panicked { message, location } => TaskFailure::Panicked { message, location },
            Failure::UnsendableResult(reason) => TaskFailure::UnsendableResult { reason },
            // A worker calls functions only after it has started with the pool's list of tasks.
            Failure::UnreadableResult(reason)
            | Failure::NotStarted(reason)
            | Failure::OtherProgram(reason) => TaskFailure::UnreadableResult { reason },
        }
    }
}
