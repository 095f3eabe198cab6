//! In the place of `ipc_bridge` where `ipc-channel` is not built on sockets: its handles do not travel in values.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use ipc_channel::ipc::IpcSender;

use crate::transfer::handles::Handles;

pub(crate) fn build<T>() -> Result<(IpcSender<T>, OwnedFd), String> {
    Err(
        "handles of ipc-channel travel in values only on Linux; use this crate's own `channel`"
            .to_owned(),
    )
}

pub(crate) fn take_packet(_bridge: &OwnedFd) -> io::Result<Handles> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn put_packet(_bridge: &OwnedFd, _handles: &Handles) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
