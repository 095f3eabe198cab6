//! Why a child has no result, as it reports to its parent.

use serde::{Deserialize, Serialize};

use crate::errors::current::ProcessInfo;
use crate::errors::error::{Error, Travelling};
use crate::errors::task_failure::TaskFailure;

#[derive(Serialize, Deserialize)]
pub(crate) enum Failure {
    /// The system refused something that the process needs to start.
    NotStarted(String),
    /// The process has another list of tasks; contains the path of the function.
    OtherProgram(String),
    /// The function was, or would have been, called.
    Task(TaskFailure),
}

impl Failure {
    pub(crate) fn of_process(self, process: &ProcessInfo) -> Error {
        let ProcessInfo { name, pid, .. } = process.clone();
        match self {
            Failure::NotStarted(reason) => {
                let source = std::io::Error::other(reason);
                Error::Spawn { name, source }
            }
            Failure::OtherProgram(function) => Error::OtherProgram {
                name,
                pid,
                function,
            },
            Failure::Task(TaskFailure::Panicked { message, location }) => Error::Panicked {
                name,
                pid,
                message,
                location,
            },
            Failure::Task(TaskFailure::Failed { message }) => Error::Failed { name, pid, message },
            Failure::Task(TaskFailure::UnreadableInput { reason }) => {
                Error::decode(Travelling::Arguments, &name, reason)
            }
            Failure::Task(TaskFailure::UnsendableResult { reason }) => {
                Error::encode(Travelling::Answer, &name, reason)
            }
            Failure::Task(other) => Error::decode(Travelling::Answer, &name, other.to_string()),
        }
    }
}
