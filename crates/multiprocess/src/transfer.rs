//! Values in flight to another process, and the handles in them.

pub(crate) mod attachments;
pub(crate) mod block;
pub(crate) mod caught;
pub(crate) mod codec;
pub(crate) mod envelope;
pub(crate) mod handle;
// On other systems `ipc-channel` is not built on sockets, and its handles can't be taken out of a value.
#[cfg_attr(
    not(all(feature = "ipc", target_os = "linux")),
    path = "transfer/no_ipc.rs"
)]
pub(crate) mod ipc;
