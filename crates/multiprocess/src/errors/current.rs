//! This process, and its parent.

use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::platform::exit_watch;

/// Name, process id and kind of a process. Python: the attributes `name`, `pid` and `daemon` of a `Process`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) daemon: bool,
}

impl ProcessInfo {
    /// Returns the name: given by [`Builder::name`](crate::Builder::name), or `Process-1`, `Process-2`, …;
    /// the first process of a program is `MainProcess`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns whether the process is a daemon, which its parent ends at its own end instead of waiting for it.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.daemon
    }
}

/// This process, and what it inherits from its parent.
#[derive(Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) this: ProcessInfo,
    pub(crate) parent: Option<ProcessInfo>,
    /// The numbers in default names: the third child of the second child is `Process-2:3`.
    pub(crate) numbers: Vec<u32>,
    /// Whether it ends when its parent ends: it is a daemon, or a descendant of one.
    pub(crate) ends_with_parent: bool,
}

static IDENTITY: OnceLock<Identity> = OnceLock::new();

/// The control socket of a child; its other end is open while the parent lives.
static PARENT: OnceLock<UnixStream> = OnceLock::new();

/// Keeps the control socket for the life of this process.
pub(crate) fn keep_socket(socket: UnixStream) -> &'static UnixStream {
    PARENT.get_or_init(|| socket)
}

pub(crate) fn become_child(identity: Identity) {
    let fresh = IDENTITY.set(identity).is_ok();
    debug_assert!(fresh, "`init` is the first user of the crate in a child");
}

pub(crate) fn identity() -> &'static Identity {
    IDENTITY.get_or_init(|| Identity {
        this: ProcessInfo {
            name: "MainProcess".to_owned(),
            pid: std::process::id(),
            daemon: false,
        },
        parent: None,
        numbers: Vec::new(),
        ends_with_parent: false,
    })
}

/// Returns the name, process id and kind of this process. Python: `multiprocessing.current_process()`.
///
/// # Examples
///
/// ```
/// assert_eq!(multiprocess::current().name(), "MainProcess");
/// assert_eq!(multiprocess::current().pid(), std::process::id());
/// ```
#[must_use]
pub fn current() -> ProcessInfo {
    identity().this.clone()
}

/// Returns the process that started this one; `None` in the first process of a program. Python:
/// `multiprocessing.parent_process()`.
///
/// # Examples
///
/// ```
/// assert_eq!(multiprocess::parent(), None);
/// ```
#[must_use]
pub fn parent() -> Option<Parent> {
    identity().parent.clone().map(Parent)
}

/// The process that started this one: its [`ProcessInfo`], and whether it still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent(ProcessInfo);

impl Parent {
    /// Returns whether the process is still running. Python: `parent_process().is_alive()`.
    ///
    /// A daemon ends together with its parent, so it rarely gets to see `false`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let socket = PARENT.get();
        socket.is_some_and(|socket| !exit_watch::has_hung_up(socket))
    }
}

impl std::ops::Deref for Parent {
    type Target = ProcessInfo;

    fn deref(&self) -> &ProcessInfo {
        &self.0
    }
}
