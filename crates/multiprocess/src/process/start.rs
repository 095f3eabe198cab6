//! What a parent tells its child, and how a child differs from the program's first process.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use crate::errors::current::Identity;
use crate::memory::name::Run;

/// The first argument of a child; its name follows.
pub(crate) const MARK: &str = "--multiprocess-child";

#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) identity: Identity,
    /// Pid of the parent, where a thread started the child that lasts as long as the parent does.
    pub(crate) dies_with: Option<u32>,
    /// The part of the child's number that is not its pid.
    pub(crate) random_half: u32,
    /// Place of the function in the list of tasks, its path, and the length of that list.
    pub(crate) index: u32,
    pub(crate) function: String,
    pub(crate) tasks: usize,
    /// The run, where the parent has begun one.
    pub(crate) run: Option<Run>,
    /// Folder of the names of shared memory, where it is not the same for all programs.
    pub(crate) shared_folder: Option<OsString>,
}

impl Start {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a start is names and numbers")
    }
}
