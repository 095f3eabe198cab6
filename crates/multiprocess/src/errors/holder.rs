//! The process that holds a lock.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::current::identity;
use crate::errors::quoted::Process;
use crate::platform::process;

/// A process that holds a lock or a permit: its process id, and its name if that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process id.
    pub pid: u32,
    /// The name, as the operating system shows it (up to 15 bytes on Linux); `None` if it shows none.
    pub name: Option<String>,
}

impl Holder {
    pub(crate) fn of(pid: u32) -> Holder {
        let this = &identity().this;
        let own = (pid == this.pid).then(|| this.name.clone());
        let name = own.or_else(|| process::name(pid));
        Holder { pid, name }
    }
}

/// `process 'worker 1' (pid 4711)`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => Process(name, self.pid).fmt(f),
            None => write!(f, "process {}", self.pid),
        }
    }
}
