//! What a parent tells its child, and how a child differs from the program's first process.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use crate::errors::current::Identity;
use crate::memory::name::Run;

/// The last argument but one of a child; its name is the last.
pub(crate) const MARK: &str = "--multiprocess-child";

pub(crate) fn is_child() -> bool {
    let mark = std::env::args_os().nth_back(1);
    mark.is_some_and(|mark| mark == MARK)
}

/// Returns the arguments of this program, of which the first is its name, without those that this crate gives a child.
///
/// In a child they are its parent's, or what [`Builder::args`](crate::Builder::args) was given; [`std::env::args_os`]
/// returns two more there, the last ones. Python: `sys.argv`.
///
/// # Examples
///
/// ```
/// assert_eq!(multiprocess::args_os().collect::<Vec<_>>(), std::env::args_os().collect::<Vec<_>>());
/// ```
pub fn args_os() -> impl Iterator<Item = OsString> {
    let own = if is_child() { 2 } else { 0 };
    let arguments = std::env::args_os();
    let count = arguments.len() - own;
    arguments.take(count)
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) identity: Identity,
    /// Pid of the parent, where a thread started the child that lasts as long as the parent does.
    pub(crate) dies_with: Option<u32>,
    /// The part of the child's number that is not its pid.
    pub(crate) random_half: u32,
    /// Whether its standard input is the last of the files that come with this.
    pub(crate) has_input: bool,
    /// Place of the function in the list of tasks, its path, and the length of that list.
    pub(crate) index: u32,
    pub(crate) function: String,
    pub(crate) tasks: usize,
    /// The run, where the parent has begun one.
    pub(crate) run: Option<Run>,
    /// Folder of the names of shared memory, where it is not the same for all programs.
    pub(crate) shared_folder: Option<OsString>,
}
