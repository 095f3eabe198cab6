//! The calls of a batch: many in one message.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use crate::panic;
use crate::parcel::panic_message;
use crate::pool::framed::{
    Found, PANICKED, UNREADABLE, UNSENDABLE, append, can_travel, read, split, write_words,
};
use crate::task::Task;

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
}
