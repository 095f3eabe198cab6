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

/// Packs a value of type `T`, which `write` writes; the error says why it cannot travel.
///
/// The value is serialised to bytes completely before anything is sent, so that a value which fails
/// half-way harms nothing.
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

/// Has `read` read the bytes of a value; the error says why it cannot be read.
pub(crate) fn open<T: 'static>(
    envelope: Envelope,
    read: impl FnOnce(&[u8]) -> Result<T, String> + 'static,
) -> Result<T, String> {
    let Envelope { bytes, files, .. } = envelope;
    // `ipc-channel` panics, rather than fails, on a missing handle.
    caught::or_panic_message(|| {
        if files.is_empty() {
            read(&bytes)
        } else {
            ipc::within(files, move || read(&bytes))?
        }
    })
}
