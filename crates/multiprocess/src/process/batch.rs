//! The calls of a batch: many in one message.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::process::panic;
use crate::process::task::Task;
use crate::process::wire::{
    Found, PANICKED, UNREADABLE, UNSENDABLE, append, append_or_panic, read, read_or_panic, split,
    write_words,
};
use crate::transfer::attachments::{self, collect};
use crate::transfer::codec::panic_message;

/// Where a worker is in a batch: two steps for each call, before and after it has read the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    /// The worker begins that call; with the number of all calls, it has done them.
    pub(crate) fn begin(call: u32) -> Step {
        Step(2 * call)
    }

    /// The worker has read the input of that call; noted only for types that can hold handles.
    fn have_read(call: u32) -> Step {
        Step(2 * call + 1)
    }

    /// The number of the call.
    pub(crate) fn call(self) -> u32 {
        self.0 / 2
    }

    /// How many inputs the worker has read.
    pub(crate) fn inputs_read(self) -> u32 {
        self.0.div_ceil(2)
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

/// What a worker does for one call, in this order.
#[derive(Clone, Copy)]
enum Doing {
    Reading,
    Calling,
    /// The result, which begins at that place.
    Writing(usize),
    Dropping,
}

/// Calls the function for each input of a batch, and writes the results behind each other.
///
/// `note` is told each [`Step`].
pub(crate) fn run<F, Args>(
    function: F,
    mut inputs: &[u8],
    count: u32,
    note: &dyn Fn(Step),
    results: &mut Vec<u8>,
) where
    F: Task<Args>,
    Args: DeserializeOwned,
{
    let mut call = 0;
    let mut doing = Doing::Reading;
    while call < count {
        // One net for all calls: only after a panic is another needed. Each of these may panic: a value's own
        // `Deserialize`, the function, a value's own `Serialize`, and its `Drop`.
        let fallen = catch_unwind(AssertUnwindSafe(|| {
            while call < count {
                doing = Doing::Reading;
                note(Step::begin(call));
                let input = match split(inputs) {
                    Some((Found::Value(input), rest)) => {
                        inputs = rest;
                        read_arguments::<Args>(input, || note(Step::have_read(call)))
                    }
                    _ => Err("the batch is not whole".to_owned()),
                };
                match input {
                    Err(reason) => write_words(UNREADABLE, &reason, "", results),
                    Ok(arguments) => {
                        doing = Doing::Calling;
                        let value = function.call(arguments);
                        doing = Doing::Writing(results.len());
                        // A panic is not to drop the value on its way: its `Drop` may panic as well.
                        let written = if std::mem::needs_drop::<F::Output>() {
                            append_with_handles(&value, results)
                        } else {
                            append_or_panic(&value, results)
                        };
                        if let Err(reason) = written {
                            write_words(UNSENDABLE, &reason, "", results);
                        }
                        doing = Doing::Dropping;
                        drop(value);
                    }
                }
                call += 1;
            }
        }));
        let Err(payload) = fallen else { continue };
        let message = panic_message(payload.as_ref());
        match doing {
            Doing::Reading => write_words(UNREADABLE, message, "", results),
            Doing::Calling => write_words(PANICKED, message, &panic::last_location(), results),
            Doing::Writing(start) => {
                results.truncate(start);
                write_words(UNSENDABLE, message, "", results);
            }
            // The result stands there already.
            Doing::Dropping => {}
        }
        call += 1;
    }
}

/// Reads an input; the handles in it arrive together, and then `note` is called.
#[inline]
fn read_arguments<Args: DeserializeOwned>(input: &[u8], note: impl Fn()) -> Result<Args, String> {
    // A type with nothing to be dropped holds no handle.
    if !std::mem::needs_drop::<Args>() {
        return read_or_panic(input);
    }
    attachments::read_whole(|| read_or_panic(input), note)
}

/// Appends a result; if that fails, the handles that were already written are given back.
fn append_with_handles<T: Serialize>(value: &T, results: &mut Vec<u8>) -> Result<(), String> {
    let (written, handles) = collect(|| append(value, results));
    written?;
    attachments::keep_result(handles);
    Ok(())
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

    /// The numbers of the inputs that could not be read.
    pub(crate) fn unreadable(self) -> HashSet<u32> {
        let mut unreadable = HashSet::new();
        let mut rest = self.0;
        for number in 0.. {
            let Some((found, behind)) = split(rest) else {
                break;
            };
            rest = behind;
            if let Found::Words(UNREADABLE, ..) = found {
                unreadable.insert(number);
            }
        }
        unreadable
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
mod tests;
