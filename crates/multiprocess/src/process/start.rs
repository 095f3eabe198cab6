//! What a parent sends its child, and how a child differs from the program's first process.

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

/// Returns the arguments of this program, starting with its name, without those that this crate adds in a child.
///
/// In a child, they are its parent's, or those set by [`Builder::args`](crate::Builder::args). [`std::env::args_os`]
/// returns two more there, at the end. Python: `sys.argv`.
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
    /// Pid of the parent, if the thread that started the child lives as long as the parent does.
    pub(crate) dies_with: Option<u32>,
    /// The half of the child's unique pid that isn't its pid.
    pub(crate) random_half: u32,
    /// The parent's unique pid.
    pub(crate) parent: u64,
    /// Whether the last of the files that come with this is its standard input.
    pub(crate) has_input: bool,
    /// The function's index in the list of tasks, its path, and the length of that list.
    pub(crate) index: u32,
    pub(crate) function: String,
    pub(crate) tasks: usize,
    /// The run, if the parent has begun one.
    pub(crate) run: Option<Run>,
    /// The folder for shared memory, if it differs between programs.
    pub(crate) shared_folder: Option<OsString>,
}
