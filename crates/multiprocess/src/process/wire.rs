//! Inputs and results of a pool in bytes, one behind the other.
//!
//! Each value follows its length, so one that cannot be read does no harm to the next ones.

use std::panic::{AssertUnwindSafe, catch_unwind};

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::failure::Failure;
use crate::transfer::codec::{self, panic_message, why_not};
use crate::transfer::ipc;

/// A length up to that takes one byte.
const SHORT: u8 = 250;
/// The length follows, in [`LENGTH`] bytes.
const LONG: u8 = 251;
/// A [`Failure`] follows.
const FAILED: u8 = 252;

/// Bytes of a length behind [`LONG`].
const LENGTH: usize = 4;

/// Appends a value after its length; on an error, which says why, the bytes are as before.
#[inline]
pub(crate) fn append<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = bytes.len();
    // A value's own `Serialize` may panic.
    let written = catch_unwind(AssertUnwindSafe(|| {
        if !ipc::may_hold_handles::<T>() {
            return append_or_panic(value, bytes);
        }
        // Handles of `ipc-channel` cannot be sent: their open files would have to.
        ipc::refuse_handles(value, |watched| append_or_panic(watched, bytes))
    }));
    let written = written.unwrap_or_else(|payload| Err(panic_message(payload.as_ref()).to_owned()));
    if written.is_err() {
        bytes.truncate(start);
    }
    written
}

/// As [`append`], but a panic goes on, and then the bytes may have a part of the value.
#[inline]
pub(super) fn append_or_panic<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = bytes.len();
    bytes.push(0);
    let written = postcard::serialize_with_flavor(value, Append(bytes))
        .map_err(|error| why_not(value, &error))
        .and_then(|()| set_length(bytes, start));
    if written.is_err() {
        bytes.truncate(start);
    }
    written
}

/// Writes the length of what follows the byte at `start`.
#[inline]
fn set_length(bytes: &mut Vec<u8>, start: usize) -> Result<(), String> {
    let length = bytes.len() - start - 1;
    match u8::try_from(length) {
        Ok(short) if short <= SHORT => bytes[start] = short,
        _ => {
            let length = u32::try_from(length).map_err(|_| "it is larger than 4 GiB".to_owned())?;
            bytes[start] = LONG;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes[start + 1..].rotate_right(LENGTH);
        }
    }
    Ok(())
}

/// The bytes of a value, or the failure in its place.
type Entry<'a> = Result<&'a [u8], Failure>;

/// Splits off the first entry; `None` if it isn't whole.
#[inline]
pub(super) fn split(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (length, rest) = match first {
        ..=SHORT => (first.into(), rest),
        LONG => {
            let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        _ => {
            let (failure, rest) = postcard::take_from_bytes(rest).ok()?;
            return Some((Err(failure), rest));
        }
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((Ok(value), rest))
}

/// Reads the one value that there is.
pub(crate) fn read_one<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match split(bytes) {
        Some((Ok(value), _)) => codec::read(value),
        _ => Err("it is not whole".to_owned()),
    }
}

/// Bytes of a 64-bit number at most.
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
        // A number takes a few bytes, and to call for a copy of them takes longer than to write them.
        if bytes.len() <= A_NUMBER {
            for byte in bytes {
                self.0.push(*byte);
            }
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends a failure in place of a value.
pub(crate) fn append_failure(failure: &Failure, bytes: &mut Vec<u8>) {
    bytes.push(FAILED);
    bytes.extend(failure.to_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_lengths_are_read_back() {
        for length in [0, 1, 249, 250, 251, 252, 300, 70_000] {
            let mut bytes = Vec::new();
            append(&"x".repeat(length), &mut bytes).unwrap();
            append(&7_u8, &mut bytes).unwrap();
            assert_eq!(read_one::<String>(&bytes).unwrap().len(), length);
            let (_, rest) = split(&bytes).unwrap();
            assert_eq!(read_one::<u8>(rest), Ok(7));
            assert!(read_one::<String>(&bytes[..length]).is_err());
        }
    }
}
