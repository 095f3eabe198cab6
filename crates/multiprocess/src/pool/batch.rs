//! Inputs and results of a pool in bytes: many calls in one message.

use std::panic::{AssertUnwindSafe, catch_unwind};

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::panic;
use crate::parcel::{explain, panic_message, why_not};
use crate::task::Task;

/// Appends a value to the bytes; on an error, which says why, they are as before.
pub(crate) fn append<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    let length = bytes.len();
    postcard::serialize_with_flavor(value, Append(bytes)).map_err(|error| {
        bytes.truncate(length);
        why_not(value, &error)
    })
}

struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// What stands before each result.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    /// The value follows.
    Value,
    /// The function panicked; message and place follow.
    Panicked,
    /// The value cannot be sent; the reason follows.
    Unsendable,
    /// The input, and with it all that follow in the batch, cannot be read; the reason follows.
    Unreadable,
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
/// `starting` is told the number of each call before it begins.
pub(crate) fn run<F, Args>(
    function: F,
    mut inputs: &[u8],
    count: u32,
    starting: &dyn Fn(u32),
    results: &mut Vec<u8>,
) where
    F: Task<Args>,
    Args: DeserializeOwned,
{
    for number in 0..count {
        starting(number);
        let called = catch_unwind(AssertUnwindSafe(|| {
            let (arguments, rest) = postcard::take_from_bytes::<Args>(inputs)?;
            inputs = rest;
            Ok::<_, postcard::Error>(function.call(arguments))
        }));
        match called {
            Ok(Ok(value)) => write_value(&value, results),
            Ok(Err(error)) => {
                // Where this input ends, and so the next begins, is not known.
                for _ in number..count {
                    write_words(Tag::Unreadable, (&explain(&error), ""), results);
                }
                return;
            }
            Err(payload) => {
                let words = (panic_message(payload.as_ref()), panic::last_location());
                write_words(Tag::Panicked, (words.0, &words.1), results);
            }
        }
    }
}

fn write_value<R: Serialize>(value: &R, results: &mut Vec<u8>) {
    let length = results.len();
    results.push(Tag::Value as u8);
    // A value's own `Serialize` may panic, too.
    let written = catch_unwind(AssertUnwindSafe(|| append(value, results)));
    let reason = match written {
        Ok(Ok(())) => return,
        Ok(Err(reason)) => reason,
        Err(payload) => panic_message(payload.as_ref()).to_owned(),
    };
    results.truncate(length);
    write_words(Tag::Unsendable, (&reason, ""), results);
}

fn write_words(tag: Tag, words: (&str, &str), results: &mut Vec<u8>) {
    results.push(tag as u8);
    append(&words, results).expect("words can be written");
}

/// Reads the results of a batch, one by one.
pub(crate) struct Results<'a> {
    bytes: &'a [u8],
    broken: Option<String>,
}

impl<'a> Results<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Results<'a> {
        Results {
            bytes,
            broken: None,
        }
    }

    /// Why the one call of a batch failed, if it did; its value is not looked at.
    pub(crate) fn failure_of_one(&mut self) -> Option<String> {
        if self.bytes.first() == Some(&(Tag::Value as u8)) {
            return None;
        }
        Some(match self.next::<()>() {
            Outcome::Value(()) => return None,
            Outcome::Panicked { message, location } => {
                format!("it panicked at {location}: {message}")
            }
            Outcome::UnsendableResult(reason)
            | Outcome::UnreadableInput(reason)
            | Outcome::UnreadableResult(reason) => reason,
        })
    }

    pub(crate) fn next<R: DeserializeOwned>(&mut self) -> Outcome<R> {
        if let Some(reason) = &self.broken {
            return Outcome::UnreadableResult(reason.clone());
        }
        match self.read() {
            Ok(outcome) => outcome,
            Err(reason) => {
                self.broken = Some(reason.clone());
                Outcome::UnreadableResult(reason)
            }
        }
    }

    fn read<R: DeserializeOwned>(&mut self) -> Result<Outcome<R>, String> {
        let Some((&tag, rest)) = self.bytes.split_first() else {
            return Err("the worker sent fewer results than there were inputs".to_owned());
        };
        if tag == Tag::Value as u8 {
            let read = catch_unwind(AssertUnwindSafe(|| postcard::take_from_bytes::<R>(rest)))
                .map_err(|payload| panic_message(payload.as_ref()).to_owned())?;
            let (value, rest) = read.map_err(|error| explain(&error))?;
            self.bytes = rest;
            return Ok(Outcome::Value(value));
        }
        let ((message, location), rest): ((String, String), _) =
            postcard::take_from_bytes(rest).map_err(|error| explain(&error))?;
        self.bytes = rest;
        Ok(if tag == Tag::Panicked as u8 {
            Outcome::Panicked { message, location }
        } else if tag == Tag::Unsendable as u8 {
            Outcome::UnsendableResult(message)
        } else {
            Outcome::UnreadableInput(message)
        })
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
}
