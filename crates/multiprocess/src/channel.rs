//! Queues, channels and pipes.

pub(crate) mod cursors;
pub(crate) mod endpoints;
pub(crate) mod iter;
pub(crate) mod mpmc;
pub(crate) mod peers;
pub(crate) mod pipe;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod ring;
pub(crate) mod select;
pub(crate) mod typed;
