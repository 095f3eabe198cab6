//! Inputs and results that cannot be sent or read: each fails alone.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::cell::Cell;
use std::process::ExitCode;

use ipc_channel::ipc;
use multiprocess::{Error, Pool, RegisteredTask, TaskFailure, init, task};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::failures::{failure, odd};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            an_input_that_cannot_be_sent_is_the_only_one_that_fails,
            an_input_that_cannot_be_read_is_the_only_one_that_fails,
            a_result_that_cannot_be_sent_is_the_only_one_that_fails,
            a_result_that_cannot_be_read_is_the_only_one_that_fails,
            an_input_that_kills_its_reader_is_the_only_one_that_fails,
            panics_of_all_kinds_in_one_batch_fail_nothing_else,
            infinitely_many_inputs_that_cannot_be_sent_fail_one_by_one,
            handles_of_ipc_channel_are_refused,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(odd),
        task(takes_tricky),
        task(makes_tricky),
        task(makes_fragile),
        task(takes_sender),
    ]
}

/// A number that fails in flight.
#[derive(Debug, PartialEq)]
struct Tricky {
    number: usize,
    trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Trouble {
    None,
    UnsendableHere,
    PanicHere,
    UnreadableThere,
    PanicThere,
    AbortThere,
}

impl Serialize for Tricky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.trouble {
            Trouble::UnsendableHere => Err(serde::ser::Error::custom("it is not for others")),
            Trouble::PanicHere => {
                let mut half = serializer.serialize_tuple(2)?;
                half.serialize_element(&self.number)?;
                panic!("not for others")
            }
            trouble => (self.number, trouble).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Tricky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tricky, D::Error> {
        let (number, trouble) = Deserialize::deserialize(deserializer)?;
        match trouble {
            Trouble::UnreadableThere => Err(serde::de::Error::custom("no reason")),
            Trouble::PanicThere => panic!("something terrible"),
            Trouble::AbortThere => std::process::abort(),
            trouble => Ok(Tricky { number, trouble }),
        }
    }
}

fn takes_tricky(tricky: Tricky) -> usize {
    tricky.number
}

fn makes_tricky((number, trouble): (usize, Trouble)) -> Tricky {
    Tricky { number, trouble }
}

/// Sends 50 inputs of which the seventh of each ten fails; returns the failures of those.
fn trouble_with_inputs(trouble: Trouble) -> Vec<TaskFailure> {
    let pool = Pool::new(2).unwrap();
    let mut failures = Vec::new();
    for chunk in [1, 10, 50] {
        let inputs = (0..50).map(|number| Tricky {
            number,
            trouble: if number % 10 == 6 {
                trouble
            } else {
                Trouble::None
            },
        });
        let each = pool
            .chunk_size(chunk)
            .map_each(takes_tricky, inputs)
            .unwrap();
        for (input, result) in each.into_iter().enumerate() {
            if input % 10 == 6 {
                failures.push(failure(result, input));
            } else if trouble != Trouble::AbortThere || result.is_ok() {
                assert_eq!(result.unwrap(), input);
            } else {
                let failure = failure(result, input);
                assert!(matches!(failure, TaskFailure::Lost { .. }), "{failure}");
            }
        }
    }
    assert_eq!(failures.len(), 15);
    failures
}

fn trouble_with_results(trouble: Trouble) -> Vec<TaskFailure> {
    let pool = Pool::new(2).unwrap();
    let mut failures = Vec::new();
    for chunk in [1, 10, 50] {
        let trouble_at = |number: usize| {
            if number % 10 == 6 {
                trouble
            } else {
                Trouble::None
            }
        };
        let inputs = (0..50).map(|number| (number, trouble_at(number)));
        let each = pool
            .chunk_size(chunk)
            .map_each(makes_tricky, inputs)
            .unwrap();
        for (input, result) in each.into_iter().enumerate() {
            let result = result.map(|tricky| tricky.number);
            if input % 10 == 6 {
                failures.push(failure(result, input));
            } else {
                assert_eq!(result.unwrap(), input);
            }
        }
    }
    assert_eq!(failures.len(), 15);
    failures
}

fn an_input_that_cannot_be_sent_is_the_only_one_that_fails() {
    for failure in trouble_with_inputs(Trouble::UnsendableHere) {
        assert!(
            matches!(&failure, TaskFailure::UnsendableInput { reason }
                if reason.contains("not for others")),
            "{failure}"
        );
    }
    for failure in trouble_with_inputs(Trouble::PanicHere) {
        assert!(
            matches!(&failure, TaskFailure::UnsendableInput { reason }
                if reason.contains("not for others")),
            "{failure}"
        );
    }
}

fn an_input_that_cannot_be_read_is_the_only_one_that_fails() {
    for failure in trouble_with_inputs(Trouble::UnreadableThere) {
        let unreadable = matches!(&failure, TaskFailure::UnreadableInput { .. });
        assert!(unreadable, "{failure}");
    }
    for failure in trouble_with_inputs(Trouble::PanicThere) {
        assert!(
            matches!(&failure, TaskFailure::UnreadableInput { reason }
                if reason.contains("something terrible")),
            "{failure}"
        );
    }
}

fn a_result_that_cannot_be_sent_is_the_only_one_that_fails() {
    for trouble in [Trouble::UnsendableHere, Trouble::PanicHere] {
        for failure in trouble_with_results(trouble) {
            assert!(
                matches!(&failure, TaskFailure::UnsendableResult { reason }
                    if reason.contains("not for others")),
                "{failure}"
            );
        }
    }
}

fn a_result_that_cannot_be_read_is_the_only_one_that_fails() {
    for trouble in [Trouble::UnreadableThere, Trouble::PanicThere] {
        for failure in trouble_with_results(trouble) {
            let unreadable = matches!(&failure, TaskFailure::UnreadableResult { .. });
            assert!(unreadable, "{failure}");
        }
    }
}

fn an_input_that_kills_its_reader_is_the_only_one_that_fails() {
    for failure in trouble_with_inputs(Trouble::AbortThere) {
        assert!(
            matches!(&failure, TaskFailure::WorkerDied { how } if how.contains("SIGABRT")),
            "{failure}"
        );
    }
}

/// A result that may panic half-way in flight, and when the worker drops it.
#[derive(Deserialize)]
struct Fragile(usize);

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut halves = serializer.serialize_tuple(2)?;
        halves.serialize_element(&self.0)?;
        assert!(self.0 % 10 != 5, "in flight");
        halves.serialize_element(&())?;
        halves.end()
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        let is_here = multiprocess::parent().is_none();
        assert!(is_here || self.0 % 10 < 7, "dropped");
    }
}

fn makes_fragile(tricky: Tricky) -> Fragile {
    assert!(tricky.number % 10 != 3, "called");
    Fragile(tricky.number)
}

fn panics_of_all_kinds_in_one_batch_fail_nothing_else() {
    let pool = Pool::new(2).unwrap();
    for chunk in [1, 10, 50] {
        let inputs = (0..50).map(|number| Tricky {
            number,
            trouble: match number % 10 {
                1 | 9 => Trouble::PanicThere,
                _ => Trouble::None,
            },
        });
        let each = pool.chunk_size(chunk).map_each(makes_fragile, inputs);
        for (input, result) in each.unwrap().into_iter().enumerate() {
            let result = result.map(|fragile| fragile.0);
            let (kind, words) = match input % 10 {
                1 | 9 => ("UnreadableInput", "something terrible"),
                3 => ("Panicked", "called"),
                5 => ("UnsendableResult", "in flight"),
                _ => {
                    assert_eq!(result.unwrap(), input);
                    continue;
                }
            };
            let failure = format!("{:?}", failure(result, input));
            assert!(
                failure.starts_with(kind) && failure.contains(words),
                "{failure}"
            );
        }
    }
}

fn infinitely_many_inputs_that_cannot_be_sent_fail_one_by_one() {
    let pool = Pool::new(2).unwrap();
    let made = Cell::new(0);
    let endless = std::iter::repeat_with(|| {
        made.set(made.get() + 1);
        Tricky {
            number: 0,
            trouble: Trouble::UnsendableHere,
        }
    });
    let mut results = pool.imap(takes_tricky, endless).unwrap();
    for input in 0..1000 {
        failure(results.next().unwrap(), input);
    }
    drop(results);
    assert!(made.get() < 100_000, "{} inputs were read", made.get());
}

fn takes_sender(sender: ipc::IpcSender<u32>) {
    sender.send(5).unwrap();
}

fn handles_of_ipc_channel_are_refused() {
    let pool = Pool::new(1).unwrap();
    let (sender, _receiver) = ipc::channel().unwrap();
    let error = pool.apply(takes_sender, (sender,)).unwrap_err();
    let Error::Task {
        index: 0, failure, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert!(
        matches!(failure, TaskFailure::UnsendableInput { reason } if reason.contains("channel")),
        "{error}"
    );
    assert_eq!(pool.apply(odd, (1,)).unwrap(), 1);
}
