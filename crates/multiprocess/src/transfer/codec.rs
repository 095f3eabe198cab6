//! Values as bytes: writing, reading, and why either failed.
//!
//! A vector of plain numbers is a [block](crate::transfer::block); any other value is in postcard's format.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use crate::transfer::block::{Block, Message};
use crate::transfer::{attachments, handle, ipc};

/// Appends a value, which others may follow. The error says why that failed; a part of the value may have been
/// appended.
#[inline]
pub(crate) fn write<T: Serialize + 'static>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    let Some(block) = Block::of() else {
        return write_serialised(value, bytes);
    };
    let numbers = (block.bytes)(value);
    bytes.extend_from_slice(&numbers.len().to_ne_bytes());
    bytes.extend_from_slice(numbers);
    Ok(())
}

/// Appends a value by its own `Serialize`.
#[inline]
pub(crate) fn write_serialised<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    ipc::serialize(value, Append(bytes)).map_err(|error| why_not(value, &error))
}

/// Reads a value, which may contain handles, and splits it off the bytes. The error says why that failed. A value's own
/// `Deserialize` may panic.
#[inline]
pub(crate) fn read<'de, T: Deserialize<'de> + 'static>(bytes: &mut &'de [u8]) -> Result<T, String> {
    let Some(block) = Block::of() else {
        return read_serialised(bytes);
    };
    let length = bytes.split_first_chunk();
    let split =
        length.and_then(|(length, rest)| rest.split_at_checked(usize::from_ne_bytes(*length)));
    let (numbers, rest) = split.ok_or("it is incomplete")?;
    *bytes = rest;
    (block.read)(Message::Bytes(numbers))
}

/// Reads a value like [`read`], by its own `Deserialize`.
#[inline]
pub(crate) fn read_serialised<'de, T: Deserialize<'de>>(
    bytes: &mut &'de [u8],
) -> Result<T, String> {
    let read = || postcard::take_from_bytes(bytes);
    // A type that needs no drop contains no handle.
    let read = if std::mem::needs_drop::<T>() {
        // Discard that of an earlier value.
        handle::why_not_opened();
        attachments::reading(read)
    } else {
        read()
    };
    let (value, rest) = read.map_err(|error| explain(&error))?;
    *bytes = rest;
    Ok(value)
}

/// The maximum number of bytes of a 64-bit number.
const A_NUMBER: usize = 10;

struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        // A number takes a few bytes, which are faster to write one by one than by a call. A float is an array of known
        // length, which is written at once.
        if matches!(bytes.len(), 4 | 8) || bytes.len() > A_NUMBER {
            self.0.extend_from_slice(bytes);
        } else {
            for byte in bytes {
                self.0.push(*byte);
            }
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Returns why a value could not be serialised. Postcard drops the message of a value's own `Serialize`, so this runs
/// another serialiser to get it.
fn why_not<T: Serialize>(value: &T, error: &postcard::Error) -> String {
    if *error != postcard::Error::SerdeSerCustom {
        return explain(error);
    }
    match serde_json::to_writer(std::io::sink(), value) {
        Err(error) => error.to_string(),
        Ok(()) => explain(error),
    }
}

fn explain(error: &postcard::Error) -> String {
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
