//! The calls of a batch: many in one message.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::task_failure::TaskFailure;
use crate::process::panic;
use crate::process::task::Task;
use crate::process::wire::{Entry, append, append_failure, append_or_panic, split};
use crate::transfer::attachments::{Attachments, ONLY_IN_MESSAGES, collect};
use crate::transfer::caught::{self, panic_message};
use crate::transfer::{codec, ipc};

/// Called with the number of each call that begins, and again, with true, when its input was read; the latter only for
/// types that can contain handles.
pub(crate) type Note<'a> = &'a dyn Fn(u32, bool);

/// The steps of one call, in this order.
#[derive(Clone, Copy)]
enum Doing {
    Reading,
    Calling,
    /// Writing the result, which begins at that place.
    Writing(usize),
    Dropping,
}

/// Calls the function for each input of a batch, writes the results one after the other, and returns the handles in
/// them. If they are `only_bytes`, a result with a handle can't be sent.
pub(crate) fn run<F, Args, How>(
    function: F,
    mut inputs: &[u8],
    count: u32,
    only_bytes: bool,
    note: Note<'_>,
    results: &mut Vec<u8>,
) -> Attachments
where
    F: Task<Args, How>,
{
    let mut handles = Attachments::default();
    let mut call = 0;
    let mut doing = Doing::Reading;
    while call < count {
        // One `catch_unwind` for all calls, and another only after a panic. Each of these may panic: a value's own
        // `Deserialize`, the function, a value's own `Serialize`, and its `Drop`.
        let fallen = catch_unwind(AssertUnwindSafe(|| {
            while call < count {
                doing = Doing::Reading;
                note(call, false);
                let input = match split(inputs) {
                    Some((Ok(input), rest)) => {
                        inputs = rest;
                        read_arguments::<F, Args, How>(input, || note(call, true))
                    }
                    _ => Err("the batch is incomplete".to_owned()),
                };
                match input {
                    Err(reason) => {
                        append_failure(&TaskFailure::UnreadableInput { reason }, results);
                    }
                    Ok(arguments) => {
                        doing = Doing::Calling;
                        let value = match function.call(arguments) {
                            Ok(value) => value,
                            Err(message) => {
                                append_failure(&TaskFailure::Failed { message }, results);
                                call += 1;
                                continue;
                            }
                        };
                        doing = Doing::Writing(results.len());
                        // A panic must not drop the value while unwinding: its `Drop` may panic too.
                        let written = if std::mem::needs_drop::<F::Output>() && !only_bytes {
                            append_with_handles(&value, results, &mut handles)
                        } else {
                            append_or_panic::<F::Output>(results, |bytes| write(&value, bytes))
                        };
                        if let Err(mut reason) = written {
                            if let Some(what) = reason.strip_suffix(ONLY_IN_MESSAGES)
                                && only_bytes
                            {
                                reason =
                                    format!("{what}is a handle, which can't leave its machine");
                            }
                            append_failure(&TaskFailure::UnsendableResult { reason }, results);
                        }
                        doing = Doing::Dropping;
                        drop(value);
                    }
                }
                call += 1;
            }
        }));
        let Err(payload) = fallen else { continue };
        let reason = panic_message(payload.as_ref()).to_owned();
        let failure = match doing {
            Doing::Reading => TaskFailure::UnreadableInput { reason },
            Doing::Calling => panic::failure(payload.as_ref()),
            Doing::Writing(start) => {
                results.truncate(start);
                TaskFailure::UnsendableResult { reason }
            }
            // The result is already written.
            Doing::Dropping => {
                call += 1;
                continue;
            }
        };
        call += 1;
        append_failure(&failure, results);
    }
    handles
}

/// Reads an input, and then calls `note`, if there can be handles in it.
#[inline]
fn read_arguments<F, Args, How>(input: &[u8], note: impl Fn()) -> Result<Args, String>
where
    F: Task<Args, How>,
{
    // A type that needs no drop contains no handle.
    if !std::mem::needs_drop::<Args>() {
        return F::read(input);
    }
    F::read(input).inspect(|_| note())
}

#[inline]
fn write<T: Serialize + 'static>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    ipc::refuse_handles::<T>(|| codec::write(value, bytes))
}

/// Appends a result; if that fails, releases the handles that were already written.
fn append_with_handles<T: Serialize + 'static>(
    value: &T,
    results: &mut Vec<u8>,
    handles: &mut Attachments,
) -> Result<(), String> {
    let (written, more) = collect(|| append::<T>(results, |bytes| write(value, bytes)));
    written?;
    handles.append(more);
    Ok(())
}

/// Reads the results of a batch, one by one.
pub(crate) struct Results<'a>(pub(crate) &'a [u8]);

impl<'a> Results<'a> {
    /// Returns the results with a failure in place of each value: the values can't be sent.
    pub(crate) fn without_values(mut self, reason: &str) -> Vec<u8> {
        let unsendable = || TaskFailure::UnsendableResult {
            reason: reason.to_owned(),
        };
        let mut failures = Vec::new();
        while let Some(found) = self.entry() {
            append_failure(&found.err().unwrap_or_else(unsendable), &mut failures);
        }
        failures
    }

    /// Returns whether the first input could not be read.
    pub(crate) fn first_is_unreadable(mut self) -> bool {
        matches!(self.entry(), Some(Err(TaskFailure::UnreadableInput { .. })))
    }

    #[inline]
    fn entry(&mut self) -> Option<Entry<'a>> {
        let (found, rest) = split(self.0)?;
        self.0 = rest;
        Some(found)
    }

    pub(crate) fn next<R: DeserializeOwned + 'static>(&mut self) -> Result<R, TaskFailure> {
        let too_few = || {
            let reason = "the worker sent fewer results than there were inputs".to_owned();
            Err(TaskFailure::UnreadableResult { reason })
        };
        let mut bytes = self.entry().unwrap_or_else(too_few)?;
        caught::or_panic_message(|| codec::read(&mut bytes))
            .map_err(|reason| TaskFailure::UnreadableResult { reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(number: u32) -> u32 {
        number / 2
    }

    #[test]
    fn what_cannot_be_read_or_is_missing_hides_nothing_else() {
        let append_input = |input: u32, inputs: &mut Vec<u8>| {
            let write = |bytes: &mut Vec<u8>| codec::write(&input, bytes);
            append::<u32>(inputs, write).unwrap();
        };
        let mut inputs = Vec::new();
        append_input(2, &mut inputs);
        // A number that doesn't end.
        inputs.extend([1, 0xff]);
        append_input(8, &mut inputs);
        let mut bytes = Vec::new();
        run(half, &inputs, 4, false, &|_, _| {}, &mut bytes);
        let mut results = Results(&bytes);
        for expected in [Some(1), None, Some(4), None] {
            match results.next::<u32>() {
                Ok(result) => assert_eq!(Some(result), expected),
                Err(TaskFailure::UnreadableInput { .. }) => assert_eq!(expected, None),
                Err(failure) => panic!("{failure}"),
            }
        }
        let missing = results.next::<u32>();
        assert!(matches!(missing, Err(TaskFailure::UnreadableResult { .. })));
    }
}
