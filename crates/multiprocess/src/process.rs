//! The life of a process, from its start to its end.

pub(crate) mod at_exit;
pub(crate) mod batch;
pub(crate) mod bootstrap;
pub(crate) mod builder;
pub(crate) mod children;
pub(crate) mod control_socket;
pub(crate) mod join_handle;
pub(crate) mod panic;
pub(crate) mod reaper;
pub(crate) mod start;
pub(crate) mod sweeper;
pub(crate) mod task;
pub(crate) mod task_table;
pub(crate) mod wire;
