//! Locks and what is built on them.

pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod condition;
pub(crate) mod deadlock;
pub(crate) mod death_notice;
pub(crate) mod event;
pub(crate) mod lock;
pub(crate) mod monitor;
pub(crate) mod raw;
pub(crate) mod redo_log;
pub(crate) mod rlock;
pub(crate) mod semaphore;
pub(crate) mod value;
