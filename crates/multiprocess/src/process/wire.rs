//! The inputs and results of a pool as bytes, one after the other.
//!
//! Each value follows its length, so one that can't be read doesn't affect the next ones.

use crate::errors::task_failure::TaskFailure;
use crate::transfer::caught;

/// A length up to that takes one byte.
const SHORT: u8 = 250;
/// The length follows, in [`LENGTH`] bytes.
const LONG: u8 = 251;
/// A [`TaskFailure`] follows.
const FAILED: u8 = 252;

/// Bytes of a length behind [`LONG`].
const LENGTH: usize = 4;

/// Appends what `write` writes for a `T`, after its length; after an error the bytes are as before.
#[inline]
pub(crate) fn append<T>(
    bytes: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    let start = bytes.len();
    // A value's own `Serialize` may panic.
    let written = caught::or_panic_message(|| append_or_panic::<T>(bytes, write));
    if written.is_err() {
        bytes.truncate(start);
    }
    written
}

/// Like [`append`], but doesn't catch a panic, after which the bytes may contain a part of the value.
#[inline]
pub(super) fn append_or_panic<T>(
    bytes: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    let start = bytes.len();
    // A value that can be long gets space for its length at once, so that it needn't be moved.
    if std::mem::needs_drop::<T>() || size_of::<T>() > SHORT.into() {
        bytes.extend_from_slice(&[LONG, 0, 0, 0, 0]);
    } else {
        bytes.push(0);
    }
    let content = bytes.len();
    let written = write(bytes).and_then(|()| match u8::try_from(bytes.len() - content) {
        Ok(short) if short <= SHORT && content - start == 1 => {
            bytes[start] = short;
            Ok(())
        }
        _ => set_long_length(bytes, start, content),
    });
    if written.is_err() {
        bytes.truncate(start);
    }
    written
}

/// Writes the length of the value at `content` into the head at `start`, if it needs more than one byte or has space.
fn set_long_length(bytes: &mut Vec<u8>, start: usize, content: usize) -> Result<(), String> {
    let length = bytes.len() - content;
    let length = u32::try_from(length).map_err(|_| "it is larger than 4 GiB".to_owned())?;
    if content - start == 1 {
        bytes[start] = LONG;
        bytes.extend_from_slice(&[0; LENGTH]);
        bytes[content..].rotate_right(LENGTH);
    }
    bytes[start + 1..][..LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The bytes of a value, or the failure in its place.
pub(super) type Entry<'a> = Result<&'a [u8], TaskFailure>;

/// Splits off the first entry; `None` if it is incomplete.
#[inline]
pub(crate) fn split(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
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

/// Appends a failure in place of a value.
pub(crate) fn append_failure(failure: &TaskFailure, bytes: &mut Vec<u8>) {
    bytes.push(FAILED);
    bytes.extend(postcard::to_stdvec(failure).expect("a failure is a few strings"));
}
