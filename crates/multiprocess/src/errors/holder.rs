//! The process that holds a lock.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::quoted::Name;
use crate::platform::process;

/// A process, by its id, and by its name if that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// The name, as far as the operating system shows it (15 bytes on Linux); `None` where it does not.
    pub name: Option<String>,
}

impl Holder {
    pub(crate) fn of(pid: u32) -> Holder {
        let this = crate::errors::current::identity();
        let name = if pid == this.this.pid {
            Some(this.this.name.clone())
        } else {
            process::name(pid)
        };
        Holder { pid, name }
    }
}

/// `process 'worker 1' (pid 4711)`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "process '{}' (pid {})", Name(name), self.pid),
            None => write!(f, "process {}", self.pid),
        }
    }
}
