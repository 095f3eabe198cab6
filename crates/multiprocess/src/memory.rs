//! Shared memory: segments, their names, the registry of runs, which processes are alive, and how they wait.

pub(crate) mod anonymous_file;
pub(crate) mod create;
pub(crate) mod eventcount;
pub(crate) mod layout;
pub(crate) mod liveness;
pub(crate) mod name;
pub(crate) mod registry;
pub(crate) mod run_file;
pub(crate) mod segment;
pub(crate) mod segment_lock;
pub(crate) mod sweep;
