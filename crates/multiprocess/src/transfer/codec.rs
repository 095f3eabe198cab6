//! Values as bytes: writing, reading, and why either failed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::transfer::{attachments, handle};

/// Reads a value that came with a message, and may hold handles; the error says why that failed.
#[inline]
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // A value's own `Deserialize` may panic.
    catch_unwind(AssertUnwindSafe(|| read_or_panic(bytes)))
        .unwrap_or_else(|payload| Err(panic_message(payload.as_ref()).to_owned()))
}

/// As [`read`], but a panic goes on.
#[inline]
pub(crate) fn read_or_panic<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if std::mem::needs_drop::<T>() {
        // Of an earlier value.
        handle::why_not_opened();
    }
    attachments::reading::<T, _>(|| postcard::from_bytes(bytes)).map_err(|error| explain(&error))
}

/// Returns the result of `work`; `None` if it panics.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Returns the text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// Returns why a value could not be serialised. Postcard drops the message of a value's own `Serialize`, so this runs
/// another serialiser to get it.
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
        postcard::Error::SerdeDeCustom => handle::why_not_opened()
            .unwrap_or_else(|| "its own `Deserialize` reported an error".to_owned()),
        other => other.to_string(),
    }
}
