//! A value packed to travel: its bytes, and the open files that belong to it.

use std::os::fd::OwnedFd;

use crate::memory::owner::Owner;
use crate::memory::sent::Sent;
use crate::transfer::attachments::{self, Attachments};
use crate::transfer::{caught, ipc};

/// A value in flight between two processes.
#[derive(Default)]
pub(crate) struct Envelope {
    /// The value, as `codec` writes it.
    pub(crate) bytes: Vec<u8>,
    /// The handles of the `ipc-channel` package in the value.
    pub(crate) files: Vec<OwnedFd>,
    /// The handles of this crate in the value, as long as this process owns references for them.
    pub(crate) attachments: Attachments,
    /// The references that came with it, before they are [received](Envelope::receive).
    pub(crate) sent: Vec<Sent>,
}

impl Envelope {
    /// [Takes over](Attachments::received) the references that came with it.
    pub(crate) fn receive(&mut self, from: &[Owner]) {
        self.attachments = Attachments::received(&std::mem::take(&mut self.sent), from);
    }
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
        ..Envelope::default()
    })
}

/// Calls `read` for the bytes of a value; the error says why it can't be read.
pub(crate) fn open<T: 'static>(
    envelope: Envelope,
    read: impl FnOnce(&[u8]) -> Result<T, String> + 'static,
) -> Result<T, String> {
    let Envelope {
        bytes,
        files,
        attachments: _in_use,
        ..
    } = envelope;
    // `ipc-channel` panics if a handle is missing, instead of returning an error.
    caught::or_panic_message(|| {
        if files.is_empty() {
            read(&bytes)
        } else {
            ipc::within(files, move || read(&bytes))?
        }
    })
}
