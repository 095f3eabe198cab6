//! A value packed to travel: its bytes, and the open files that belong to it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ipc_handles::{self, Handles};
use crate::luggage::{self, Luggage};
use crate::memory;

/// A value on its way between two processes.
#[derive(Default)]
pub(crate) struct Parcel {
    /// The value in postcard's format.
    pub(crate) bytes: Vec<u8>,
    /// The handles of the `ipc-channel` package that stood in the value.
    pub(crate) handles: Handles,
    /// The handles of this crate that stood in the value; it stays with the sender.
    pub(crate) luggage: Luggage,
}

/// Packs a value; the error says why it cannot travel.
///
/// The value is serialised to bytes completely before anything is sent, so that a value which fails
/// half-way harms nothing.
pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Parcel, String> {
    // A type with nothing to be dropped holds no open file.
    let collector = std::mem::needs_drop::<T>()
        .then(ipc_handles::Collector::new)
        .transpose()?;
    let (bytes, luggage) = luggage::with_luggage(|| {
        postcard::to_stdvec(value).map_err(|error| why_not(value, &error))
    });
    // Also after a failure: what the value left behind must not ride with somebody else's message.
    let handles = collector.map_or(Ok(Handles::default()), ipc_handles::Collector::collect);
    Ok(Parcel {
        bytes: bytes?,
        handles: handles?,
        luggage,
    })
}

/// Reads a value back; the error says why it cannot be read.
pub(crate) fn open<T: DeserializeOwned>(parcel: Parcel) -> Result<T, String> {
    // `ipc-channel` panics, rather than fails, on a handle that is not there.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        if parcel.handles.is_empty() {
            read(&parcel.bytes)
        } else {
            ipc_handles::open(parcel)
        }
    }));
    opened.unwrap_or_else(|panic| Err(panic_message(panic.as_ref()).to_owned()))
}

/// Reads a value that came with a message, and may hold handles; the error says why it cannot be read.
#[inline]
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    luggage::reading::<T, _>(|| postcard::from_bytes(bytes)).map_err(|error| explain(&error))
}

/// What `work` returns, unless it panics.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// Why a value could not be serialised. Postcard drops the words of a value's own `Serialize`, so
/// another serialiser is asked for them.
pub(crate) fn why_not<T: Serialize>(value: &T, error: &postcard::Error) -> String {
    if *error != postcard::Error::SerdeSerCustom {
        return explain(error);
    }
    match serde_json::to_writer(std::io::sink(), value) {
        Err(error) => error.to_string(),
        Ok(()) => explain(error),
    }
}

pub(crate) fn explain(error: &postcard::Error) -> String {
    match error {
        postcard::Error::WontImplement => "its type asks the bytes what they are (`untagged`, \
             `flatten`, `serde_json::Value`), and the wire format does not say; give it a type that \
             says what it holds"
            .to_owned(),
        postcard::Error::SerializeSeqLengthUnknown => {
            "a sequence or map in it does not know its length (`#[serde(flatten)]` does that); \
             collect it into a Vec or a map first"
                .to_owned()
        }
        postcard::Error::SerdeSerCustom => "its own `Serialize` reported an error".to_owned(),
        postcard::Error::SerdeDeCustom => memory::why_not_opened()
            .unwrap_or_else(|| "its own `Deserialize` reported an error".to_owned()),
        other => other.to_string(),
    }
}
