//! Shared memory: slots in chunks, references to them, the registry of runs, which processes are alive, and how they
//! wait.

pub(crate) mod allocator;
pub(crate) mod anonymous_file;
pub(crate) mod chunk;
pub(crate) mod eventcount;
pub(crate) mod freeing;
pub(crate) mod layout;
pub(crate) mod liveness;
pub(crate) mod name;
pub(crate) mod owner;
pub(crate) mod part;
pub(crate) mod place;
pub(crate) mod reference;
pub(crate) mod registry;
pub(crate) mod run_file;
pub(crate) mod sent;
pub(crate) mod slot;
pub(crate) mod slot_lock;
pub(crate) mod sweep;
