//! Values on their way to another process, and the handles in them.

pub(crate) mod attachments;
pub(crate) mod codec;
pub(crate) mod envelope;
pub(crate) mod handle;
pub(crate) mod handles;
pub(crate) mod ipc;
#[cfg_attr(
    not(all(target_os = "linux", not(multiprocess_twins))),
    path = "transfer/no_ipc_bridge.rs"
)]
pub(crate) mod ipc_bridge;
pub(crate) mod ipc_refusal;
