//! A value packed to travel: its bytes, and the open files that belong to it.

use crate::transfer::attachments::{self, Attachments};
use crate::transfer::codec::IpcHandles;
use crate::transfer::handles::Handles;
use crate::transfer::{caught, ipc};

/// A value in flight between two processes.
#[derive(Default)]
pub(crate) struct Envelope {
    /// The value, as `codec` writes it.
    pub(crate) bytes: Vec<u8>,
    /// The handles of the `ipc-channel` package in the value.
    pub(crate) handles: Handles,
    /// The handles of this crate in the value; this stays with the sender.
    pub(crate) attachments: Attachments,
}

/// Packs a value of type `T`, which `write` writes; the error says why it cannot travel.
///
/// The value is serialised to bytes completely before anything is sent, so that a value which fails
/// half-way harms nothing.
pub(crate) fn pack<T>(
    write: impl FnOnce(&mut Vec<u8>, IpcHandles) -> Result<(), String>,
) -> Result<Envelope, String> {
    let collector = ipc::Collector::new::<T>()?;
    let mut bytes = Vec::new();
    let (written, attachments) = attachments::collect(|| write(&mut bytes, IpcHandles::Travel));
    written?;
    let handles = collector.map_or(Ok(Handles::default()), ipc::Collector::collect)?;
    Ok(Envelope {
        bytes,
        handles,
        attachments,
    })
}

/// Has `read` read the bytes of a value; the error says why it cannot be read.
pub(crate) fn open<T: 'static>(
    envelope: Envelope,
    read: impl FnOnce(&[u8]) -> Result<T, String> + 'static,
) -> Result<T, String> {
    // `ipc-channel` panics, rather than fails, on a missing handle.
    caught::or_panic_message(|| {
        let Envelope { bytes, handles, .. } = envelope;
        if handles.is_empty() {
            read(&bytes)
        } else {
            ipc::within(handles, move || read(&bytes))?
        }
    })
}
