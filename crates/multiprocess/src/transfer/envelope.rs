//! A value packed to travel: its bytes, and the open files that belong to it.

use std::os::fd::OwnedFd;

use crate::transfer::attachments::{self, Attachments};
use crate::transfer::{caught, ipc};

/// A value in flight between two processes.
#[derive(Default)]
pub(crate) struct Envelope {
    /// The value, as `codec` writes it.
    pub(crate) bytes: Vec<u8>,
    /// The handles of the `ipc-channel` package in the value.
    pub(crate) files: Vec<OwnedFd>,
    /// The handles of this crate in the value; this stays with the sender.
    pub(crate) attachments: Attachments,
}

/// Packs a value of type `T`, which `write` writes; the error says why it can't be sent.
///
/// The value is serialised completely before anything is sent, so nothing is sent if that fails half-way.
pub(crate) fn pack<T>(
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<Envelope, String> {
    let mut bytes = Vec::new();
    let write = || ipc::collect_handles::<T>(|| write(&mut bytes));
    let (files, attachments) = attachments::collect(write);
    Ok(Envelope {
        files: files?,
        bytes,
        attachments,
    })
}

/// Calls `read` for the bytes of a value; the error says why it can't be read.
pub(crate) fn open<T: 'static>(
    envelope: Envelope,
    read: impl FnOnce(&[u8]) -> Result<T, String> + 'static,
) -> Result<T, String> {
    let Envelope { bytes, files, .. } = envelope;
    // `ipc-channel` panics if a handle is missing, instead of returning an error.
    caught::or_panic_message(|| {
        if files.is_empty() {
            read(&bytes)
        } else {
            ipc::within(files, move || read(&bytes))?
        }
    })
}
