//! A value packed to travel: its bytes, and the open files that belong to it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::transfer::attachments::{self, Attachments};
use crate::transfer::handles::Handles;
use crate::transfer::{codec, ipc};

/// A value in flight between two processes.
#[derive(Default)]
pub(crate) struct Envelope {
    /// The value in postcard's format.
    pub(crate) bytes: Vec<u8>,
    /// The handles of the `ipc-channel` package in the value.
    pub(crate) handles: Handles,
    /// The handles of this crate in the value; this stays with the sender.
    pub(crate) attachments: Attachments,
}

/// Packs a value; the error says why it cannot travel.
///
/// The value is serialised to bytes completely before anything is sent, so that a value which fails
/// half-way harms nothing.
pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Envelope, String> {
    let collector = ipc::Collector::new::<T>()?;
    let (bytes, attachments) = attachments::collect(|| {
        postcard::to_stdvec(value).map_err(|error| codec::why_not(value, &error))
    });
    // Also after a failure: its handles must not travel with another message.
    let handles = collector.map_or(Ok(Handles::default()), ipc::Collector::collect);
    Ok(Envelope {
        bytes: bytes?,
        handles: handles?,
        attachments,
    })
}

/// Reads a value back; the error says why it cannot be read.
pub(crate) fn open<T: DeserializeOwned>(envelope: Envelope) -> Result<T, String> {
    // `ipc-channel` panics, rather than fails, on a missing handle.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        if envelope.handles.is_empty() {
            codec::read(&envelope.bytes)
        } else {
            ipc::open(envelope.bytes, envelope.handles)
        }
    }));
    opened.unwrap_or_else(|panic| Err(codec::panic_message(panic.as_ref()).to_owned()))
}
