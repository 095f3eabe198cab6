//! Locks and what is built on them.

pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod condition;
pub(crate) mod deadlock;
pub(crate) mod event;
pub(crate) mod lock;
pub(crate) mod locking;
pub(crate) mod permits;
pub(crate) mod raw;
pub(crate) mod rlock;
pub(crate) mod rounds;
pub(crate) mod semaphore;
pub(crate) mod table;
pub(crate) mod typed_memory;
pub(crate) mod value;
