//! Inputs and results of a pool in bytes: many calls in one message.
//!
//! Each value stands behind its length, so that one which cannot be read does no harm to those behind it.

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::panic;
use crate::parcel::{explain, panic_message, why_not};
use crate::task::Task;

/// A length up to that one stands in one byte.
const SHORT: u8 = 250;
/// The first byte of anything else says what follows.
const LONG: u8 = 251;
const PANICKED: u8 = 252;
const UNSENDABLE: u8 = 253;
const UNREADABLE: u8 = 254;

/// Bytes of a length behind [`LONG`].
const LENGTH: usize = 4;

/// Appends a value, behind its length; on an error, which says why, the bytes are as before.
pub(crate) fn append<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = bytes.len();
    bytes.push(0);
    // A value's own `Serialize` may panic.
    let written = catch_unwind(AssertUnwindSafe(|| {
        postcard::serialize_with_flavor(value, Append(bytes))
            .map_err(|error| why_not(value, &error))
    }));
    let written = written
        .unwrap_or_else(|payload| Err(panic_message(payload.as_ref()).to_owned()))
        .and_then(|()| set_length(bytes, start));
    if written.is_err() {
        bytes.truncate(start);
    }
    written
}

/// Writes the length of what stands behind the byte at `start`.
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

/// What stands first in the bytes.
enum Found<'a> {
    Value(&'a [u8]),
    Words(u8, String, String),
}

/// Splits off what stands first; `None` if that is not whole.
#[inline]
fn split(bytes: &[u8]) -> Option<(Found<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first <= SHORT {
        let (value, rest) = rest.split_at_checked(first.into())?;
        return Some((Found::Value(value), rest));
    }
    if first == LONG {
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        return Some((Found::Value(value), rest));
    }
    let ((message, location), rest) = postcard::take_from_bytes(rest).ok()?;
    Some((Found::Words(first, message, location), rest))
}

/// Reads a value; the error says why it cannot be.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // A value's own `Deserialize` may panic.
    catch_unwind(AssertUnwindSafe(|| postcard::from_bytes(bytes)))
        .map_err(|payload| panic_message(payload.as_ref()).to_owned())?
        .map_err(|error| explain(&error))
}

/// Reads the one value that there is.
pub(crate) fn read_one<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match split(bytes) {
        Some((Found::Value(value), _)) => read(value),
        _ => Err("it is not whole".to_owned()),
    }
}

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
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Where a worker is in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    /// Number of the call.
    pub(crate) call: u32,
    /// Whether it has read the input; said only of types that can hold handles.
    pub(crate) has_read: bool,
}

impl Step {
    pub(crate) fn from_number(number: u32) -> Step {
        Step {
            call: number >> 1,
            has_read: number & 1 == 1,
        }
    }

    pub(crate) fn number(self) -> u32 {
        self.call << 1 | u32::from(self.has_read)
    }
}

/// Why handles of `ipc-channel` do not travel: their open files would have to.
fn refuse_ipc_handles<T>() -> Result<(), String> {
    if type_name::<T>().contains("ipc_channel::") {
        return Err(
            "it holds a handle of ipc-channel, which travels only in the arguments and the \
             result of a process; use this crate's own `channel`"
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether inputs or results of this type can be sent at all.
pub(crate) fn can_travel<T>() -> Result<(), String> {
    refuse_ipc_handles::<T>()
}

/// The result of one call of the function, in the parent.
pub(crate) enum Outcome<R> {
    Value(R),
    Panicked { message: String, location: String },
    UnsendableResult(String),
    UnreadableInput(String),
    UnreadableResult(String),
}

/// Calls the function for each input of a batch, and writes the results behind each other.
///
/// `note` is told each [`Step`] before it is done.
pub(crate) fn run<F, Args>(
    function: F,
    mut inputs: &[u8],
    count: u32,
    note: &dyn Fn(u32),
    results: &mut Vec<u8>,
) where
    F: Task<Args>,
    Args: DeserializeOwned,
{
    let sendable = can_travel::<F::Output>();
    for call in 0..count {
        let step = |has_read| note(Step { call, has_read }.number());
        step(false);
        let Some((Found::Value(input), rest)) = split(inputs) else {
            write_words(UNREADABLE, "the batch is not whole", "", results);
            continue;
        };
        inputs = rest;
        let arguments = match read::<Args>(input) {
            Ok(arguments) => arguments,
            Err(reason) => {
                write_words(UNREADABLE, &reason, "", results);
                continue;
            }
        };
        if std::mem::needs_drop::<Args>() {
            step(true);
        }
        let called = catch_unwind(AssertUnwindSafe(|| function.call(arguments)));
        match called {
            Ok(value) => {
                let written = sendable.clone().and_then(|()| append(&value, results));
                if let Err(reason) = written {
                    write_words(UNSENDABLE, &reason, "", results);
                }
                // So may its `Drop`.
                if std::mem::needs_drop::<F::Output>() {
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
                }
            }
            Err(payload) => {
                let message = panic_message(payload.as_ref());
                write_words(PANICKED, message, &panic::last_location(), results);
            }
        }
    }
}

fn write_words(kind: u8, message: &str, location: &str, results: &mut Vec<u8>) {
    results.push(kind);
    postcard::serialize_with_flavor(&(message, location), Append(results))
        .expect("words can be written");
}

/// Writes, in place of results that cannot be sent, why.
pub(crate) fn write_unsendable(reason: &str, count: u32, results: &mut Vec<u8>) {
    for _ in 0..count {
        write_words(UNSENDABLE, reason, "", results);
    }
}

/// Reads the results of a batch, one by one.
pub(crate) struct Results<'a>(&'a [u8]);

impl<'a> Results<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Results<'a> {
        Results(bytes)
    }

    /// Why the one call of a batch failed, if it did; its value is not looked at.
    pub(crate) fn failure_of_one(self) -> Option<String> {
        match split(self.0) {
            Some((Found::Words(PANICKED, message, location), _)) => {
                Some(format!("it panicked at {location}: {message}"))
            }
            Some((Found::Words(UNREADABLE, reason, _), _)) => Some(reason),
            // What it returns is ignored.
            Some(_) => None,
            None => Some("it gave no result".to_owned()),
        }
    }

    pub(crate) fn next<R: DeserializeOwned>(&mut self) -> Outcome<R> {
        let Some((found, rest)) = split(self.0) else {
            self.0 = &[];
            let reason = "the worker sent fewer results than there were inputs";
            return Outcome::UnreadableResult(reason.to_owned());
        };
        self.0 = rest;
        match found {
            Found::Value(value) => match read(value) {
                Ok(value) => Outcome::Value(value),
                Err(reason) => Outcome::UnreadableResult(reason),
            },
            Found::Words(PANICKED, message, location) => Outcome::Panicked { message, location },
            Found::Words(UNSENDABLE, reason, _) => Outcome::UnsendableResult(reason),
            Found::Words(_, reason, _) => Outcome::UnreadableInput(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(number: u32) -> u32 {
        assert!(number.is_multiple_of(2), "{number} is odd");
        number / 2
    }

    #[test]
    fn each_call_of_a_batch_has_its_own_result() {
        let mut inputs = Vec::new();
        for number in [2_u32, 3, 400] {
            append(&(number,), &mut inputs).unwrap();
        }
        let mut results = Vec::new();
        run(half, &inputs, 3, &|_| {}, &mut results);
        let mut results = Results::new(&results);
        assert!(matches!(results.next::<u32>(), Outcome::Value(1)));
        assert!(
            matches!(results.next::<u32>(), Outcome::Panicked { message, .. } if message == "3 is odd")
        );
        assert!(matches!(results.next::<u32>(), Outcome::Value(200)));
        assert!(matches!(
            results.next::<u32>(),
            Outcome::UnreadableResult(_)
        ));
    }

    #[test]
    fn a_batch_that_was_cut_off_is_an_error_for_what_is_missing() {
        let mut inputs = Vec::new();
        append(&(2_u32,), &mut inputs).unwrap();
        let mut results = Vec::new();
        run(half, &inputs, 2, &|_| {}, &mut results);
        let mut results = Results::new(&results);
        assert!(matches!(results.next::<u32>(), Outcome::Value(1)));
        assert!(matches!(results.next::<u32>(), Outcome::UnreadableInput(_)));
    }

    #[test]
    fn a_value_that_cannot_be_read_does_not_hide_the_next() {
        let mut inputs = Vec::new();
        append(&(2_u32,), &mut inputs).unwrap();
        // A number that does not end.
        inputs.extend([1, 0xff]);
        append(&(8_u32,), &mut inputs).unwrap();
        let mut results = Vec::new();
        run(half, &inputs, 3, &|_| {}, &mut results);
        let mut results = Results::new(&results);
        assert!(matches!(results.next::<u32>(), Outcome::Value(1)));
        assert!(matches!(results.next::<u32>(), Outcome::UnreadableInput(_)));
        assert!(matches!(results.next::<u32>(), Outcome::Value(4)));
    }

    #[test]
    fn values_of_all_lengths_are_read_back() {
        for length in [0, 1, 249, 250, 251, 252, 300, 70_000] {
            let mut bytes = Vec::new();
            append(&"x".repeat(length), &mut bytes).unwrap();
            append(&7_u8, &mut bytes).unwrap();
            let mut results = Results::new(&bytes);
            assert!(
                matches!(results.next::<String>(), Outcome::Value(value) if value.len() == length)
            );
            assert!(matches!(results.next::<u8>(), Outcome::Value(7)));
        }
    }
}
