//! A failure in a pool affects only its input, and names it; the others are done all the same.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::cell::Cell;
use std::process::ExitCode;
use std::sync::OnceLock;

use ipc_channel::ipc;
use multiprocess::{Error, Pool, RawArray, RegisteredTask, TaskFailure, init, task};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![some_calls_panic],
        story::named![
            a_panic_is_an_error_with_its_input_and_its_location,
            a_panic_without_a_location_does_not_get_that_of_another,
            a_panic_does_not_end_the_worker,
            each_panic_is_printed_once,
            map_names_the_first_input_that_failed,
            a_worker_that_dies_fails_the_running_input,
            one_death_among_many_batches_fails_nothing_else,
            a_worker_killed_from_outside_fails_the_running_input,
            a_worker_that_dies_before_it_sends_its_only_result_has_died_with_that_input,
            a_worker_that_dies_while_idle_is_replaced,
            all_workers_can_die_at_once,
            an_input_that_cannot_be_sent_is_the_only_one_that_fails,
            an_input_that_cannot_be_read_is_the_only_one_that_fails,
            a_result_that_cannot_be_sent_is_the_only_one_that_fails,
            a_result_that_cannot_be_read_is_the_only_one_that_fails,
            an_input_that_kills_its_reader_is_the_only_one_that_fails,
            panics_of_all_kinds_in_one_batch_fail_nothing_else,
            imap_continues_after_a_failure,
            infinitely_many_inputs_that_cannot_be_sent_fail_one_by_one,
            handles_of_ipc_channel_are_refused,
            failures_reach_callers_that_wait_for_later_results,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(odd),
        task(panics_or_resumes),
        task(who),
        task(count_in),
        task(perhaps_dies),
        task(begins_and_stays),
        task(dies_before_it_sends),
        task(takes_tricky),
        task(makes_tricky),
        task(makes_fragile),
        task(takes_sender),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn odd(number: usize) -> usize {
    assert!(number % 2 == 1, "{number} is even");
    number
}

fn who(_: u32) -> u32 {
    std::process::id()
}

fn failure(result: Result<usize, Error>, input: usize) -> TaskFailure {
    match result {
        Err(Error::Task { index, failure, .. }) => {
            assert_eq!(index, input);
            failure
        }
        other => panic!("input {input}: {other:?}"),
    }
}

fn a_panic_is_an_error_with_its_input_and_its_location() {
    let pool = Pool::new(2).unwrap();
    for chunk in [1, 7, 1000] {
        let each = pool.chunk_size(chunk).map_each(odd, 0..100).unwrap();
        for (input, result) in each.into_iter().enumerate() {
            if input % 2 == 1 {
                assert_eq!(result.unwrap(), input);
                continue;
            }
            let words = result.as_ref().unwrap_err().to_string();
            assert!(words.contains(&format!("input {input}:")), "{words}");
            let TaskFailure::Panicked { message, location } = failure(result, input) else {
                panic!("{words}");
            };
            assert_eq!(message, format!("{input} is even"));
            assert!(location.contains("pool/failures.rs:"), "{location}");
        }
    }
}

fn panics_or_resumes(resumes: bool) {
    if resumes {
        // Like one from another thread: it is not announced, and has no location.
        std::panic::resume_unwind(Box::new("resumed"));
    }
    panic!("begun");
}

fn a_panic_without_a_location_does_not_get_that_of_another() {
    let pool = Pool::new(1).unwrap();
    let each = pool
        .chunk_size(2)
        .map_each(panics_or_resumes, [false, true]);
    let [first, second] = &each.unwrap()[..] else {
        panic!("two inputs have two results");
    };
    let first = first.as_ref().unwrap_err().to_string();
    let second = second.as_ref().unwrap_err().to_string();
    assert!(first.contains("pool/failures.rs:"), "{first}");
    assert!(second.contains("an unknown location: resumed"), "{second}");
}

fn a_panic_does_not_end_the_worker() {
    let pool = Pool::new(1).unwrap();
    let worker = pool.apply(who, (0,)).unwrap();
    assert!(pool.apply(odd, (2,)).is_err());
    assert_eq!(pool.apply(who, (0,)).unwrap(), worker);
}

fn some_calls_panic() {
    init(tasks());
    let pool = Pool::new(2).unwrap();
    assert!(pool.map(odd, 1..=10).is_err());
}

fn each_panic_is_printed_once() {
    let played = Scene::new("some_calls_panic").play();
    assert!(played.status.success(), "{played:#?}");
    for number in 1..=10 {
        let words = format!("{number} is even");
        let printed = played.err.iter().filter(|line| **line == words).count();
        assert_eq!(printed, usize::from(number % 2 == 0), "{played:#?}");
    }
    let announced = played
        .err
        .iter()
        .filter(|line| line.contains("panicked at"));
    assert_eq!(announced.count(), 5, "{played:#?}");
}

fn map_names_the_first_input_that_failed() {
    let pool = Pool::new(3).unwrap();
    for chunk in [1, 3, 100] {
        let error = pool
            .chunk_size(chunk)
            .map(odd, (1..=99).map(|it| 2 * it - it % 2));
        // 1, 4, 5, 8, 9, …
        assert!(
            matches!(error, Err(Error::Task { index: 1, .. })),
            "{error:?}"
        );
    }
}

#[derive(Clone, Copy, Serialize, Deserialize, Debug)]
enum Death {
    Exit,
    Abort,
    Kill,
}

static CALLS: OnceLock<RawArray<u32>> = OnceLock::new();

fn count_in(calls: RawArray<u32>) {
    CALLS.set(calls).unwrap();
}

/// Returns a pool whose workers count calls in an array: inputs without handles go in batches.
fn counting_pool(workers: usize) -> (Pool, RawArray<u32>) {
    let calls = RawArray::new(500).unwrap();
    let builder = Pool::builder().workers(workers);
    let builder = builder.initializer(count_in, (calls.clone(),)).unwrap();
    (builder.build().unwrap(), calls)
}

/// Counts the call, and dies if it is the fatal one.
fn perhaps_dies((input, fatal, death): (usize, usize, Death)) -> usize {
    let calls = CALLS.get().unwrap();
    calls.update(input, |calls| calls + 1);
    if input == fatal {
        match death {
            Death::Exit => std::process::exit(3),
            Death::Abort => std::process::abort(),
            Death::Kill => {
                proc::kill(std::process::id());
                story::a_minute();
            }
        }
    }
    input
}

/// Does `inputs` calls in batches, of which one kills its worker; exactly that one may fail, and what was done before
/// it in the same batch is lost.
fn with_a_death(
    (pool, calls): &(Pool, RawArray<u32>),
    inputs: usize,
    chunk: usize,
    fatal: usize,
    death: Death,
) {
    (0..inputs).for_each(|input| calls.set(input, 0));
    let all = (0..inputs).map(|input| (input, fatal, death));
    let each = pool.chunk_size(chunk).map_each(perhaps_dies, all).unwrap();
    assert_eq!(each.len(), inputs);
    for (input, result) in each.into_iter().enumerate() {
        if input == fatal {
            let TaskFailure::WorkerDied { how } = failure(result, input) else {
                panic!("input {input} did not die")
            };
            let expected = match death {
                Death::Exit => "exited with code 3",
                Death::Abort => "SIGABRT",
                Death::Kill => "SIGKILL",
            };
            assert!(how.contains(expected), "{how}");
            assert!(how.contains("PoolWorker-"), "{how}");
        } else if input < fatal && input / chunk == fatal / chunk {
            let failure = failure(result, input);
            assert!(matches!(failure, TaskFailure::Lost { .. }), "{failure:?}");
        } else {
            assert_eq!(result.unwrap(), input);
        }
        assert_eq!(calls.get(input), 1, "calls for input {input}");
    }
}

fn a_worker_that_dies_fails_the_running_input() {
    let counting = counting_pool(2);
    for death in [Death::Exit, Death::Abort, Death::Kill] {
        for fatal in [0, 2, 4] {
            with_a_death(&counting, 5, 5, fatal, death);
        }
    }
    let (pool, _) = counting;
    assert_eq!(pool.worker_pids().len(), 2);
    assert_eq!(pool.map(doubler, [1, 2, 3]).unwrap(), [2, 4, 6]);
}

fn one_death_among_many_batches_fails_nothing_else() {
    let counting = counting_pool(3);
    for (chunk, fatal) in [(1, 0), (1, 77), (7, 30), (7, 99), (40, 41)] {
        with_a_death(&counting, 100, chunk, fatal, Death::Kill);
    }
    // With batches of the pool's choice, it is unknown which inputs were together.
    let (pool, calls) = counting;
    (0..500).for_each(|input| calls.set(input, 0));
    let all = (0..500).map(|input| (input, 250, Death::Kill));
    let each = pool.map_each(perhaps_dies, all).unwrap();
    for (input, result) in each.into_iter().enumerate() {
        assert_eq!(calls.get(input), 1);
        match result {
            Ok(result) => assert!(result == input && input != 250),
            failed => match failure(failed, input) {
                TaskFailure::WorkerDied { .. } => assert_eq!(input, 250),
                TaskFailure::Lost { .. } => assert!(input < 250),
                other => panic!("{other}"),
            },
        }
    }
}

/// Reports its process id, and stays until the board's first number is set.
fn begins_and_stays((place, board): (usize, RawArray<u32>)) -> usize {
    board.set(place, std::process::id());
    story::until("the number is set", || board.get(0) != 0);
    place
}

fn a_worker_killed_from_outside_fails_the_running_input() {
    let pool = Pool::builder().workers(2).name("clerk").build().unwrap();
    let board = RawArray::new(4).unwrap();
    let inputs = (1..=3).map(|place| (place, board.clone()));
    let mut results = pool.chunk_size(1).imap(begins_and_stays, inputs).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            story::until("it begins", || board.get(1) != 0);
            proc::kill(board.get(1));
            story::until("another one takes the place", || board.get(3) != 0);
            board.set(0, 1);
        });
        let TaskFailure::WorkerDied { how } = failure(results.next().unwrap(), 0) else {
            panic!("it was lost otherwise");
        };
        assert!(how.contains("SIGKILL") && how.contains("clerk-"), "{how}");
        assert!(how.contains(&board.get(1).to_string()), "{how}");
    });
    assert_eq!(results.next().unwrap().unwrap(), 2);
    assert_eq!(results.next().unwrap().unwrap(), 3);
    assert!(results.next().is_none());
}

/// Kills this process when the end of a call is printed: the function has returned, and nothing was sent.
struct KillsAtTheEnd;

impl std::io::Write for KillsAtTheEnd {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        if String::from_utf8_lossy(text).contains("task ends") {
            proc::kill(std::process::id());
            story::a_minute();
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn dies_before_it_sends(input: usize) -> usize {
    if input == 1 {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(|| KillsAtTheEnd)
            .init();
    }
    input
}

fn a_worker_that_dies_before_it_sends_its_only_result_has_died_with_that_input() {
    let pool = Pool::new(2).unwrap();
    let mut each = pool
        .chunk_size(1)
        .map_each(dies_before_it_sends, 0..3)
        .unwrap();
    assert_eq!(each.remove(2).unwrap(), 2);
    let died = failure(each.remove(1), 1);
    assert!(matches!(died, TaskFailure::WorkerDied { .. }), "{died:?}");
    assert_eq!(each.remove(0).unwrap(), 0);
    let died = pool
        .apply(dies_before_it_sends, (1,))
        .map_err(|error| error.to_string());
    assert!(
        died.unwrap_err().contains("its worker died"),
        "the only input"
    );
    // Of several that were done, none was the one that it had.
    let each = pool
        .chunk_size(3)
        .map_each(dies_before_it_sends, 0..3)
        .unwrap();
    for (input, result) in each.into_iter().enumerate() {
        let lost = failure(result, input);
        assert!(matches!(lost, TaskFailure::Lost { .. }), "{lost:?}");
    }
}

fn a_worker_that_dies_while_idle_is_replaced() {
    let pool = Pool::new(2).unwrap();
    for _ in 0..5 {
        let before = pool.worker_pids();
        pool.map(doubler, 0..10).unwrap();
        proc::kill(before[0]);
        story::until("there is another worker", || {
            let now = pool.worker_pids();
            now.len() == 2 && !now.contains(&before[0])
        });
        assert_eq!(pool.map(doubler, [1, 2, 3]).unwrap(), [2, 4, 6]);
    }
}

fn all_workers_can_die_at_once() {
    let pool = Pool::new(4).unwrap();
    let board = RawArray::new(5).unwrap();
    let inputs = || (1..=4).map(|place| (place, board.clone()));
    let results = pool
        .chunk_size(1)
        .map_async(begins_and_stays, inputs())
        .unwrap();
    story::until("all begin", || (1..=4).all(|place| board.get(place) != 0));
    pool.worker_pids().into_iter().for_each(proc::kill);
    assert!(matches!(results.get(), Err(Error::Task { index: 0, .. })));
    board.set(0, 1);
    assert_eq!(pool.map(begins_and_stays, inputs()).unwrap(), [1, 2, 3, 4]);
    assert_eq!(pool.worker_pids().len(), 4);
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

fn imap_continues_after_a_failure() {
    let pool = Pool::new(2).unwrap();
    let results: Vec<_> = pool.imap(odd, 0..100).unwrap().collect();
    assert_eq!(results.len(), 100);
    for (input, result) in results.into_iter().enumerate() {
        if input % 2 == 1 {
            assert_eq!(result.unwrap(), input);
        } else {
            failure(result, input);
        }
    }
    let unordered = pool.imap_unordered(odd, 0..100).unwrap();
    assert_eq!(unordered.filter(Result::is_err).count(), 50);
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
    assert_eq!(pool.apply(doubler, (1,)).unwrap(), 2);
}

fn failures_reach_callers_that_wait_for_later_results() {
    let pool = Pool::new(2).unwrap();
    let mut all = pool.map_async(odd, [1, 3, 4, 5]).unwrap();
    all.wait_timeout(story::LIMIT / 2).unwrap();
    assert!(matches!(all.get(), Err(Error::Task { index: 2, .. })));
    let one = pool.apply_async(odd, (4,)).unwrap();
    assert!(matches!(one.get(), Err(Error::Task { index: 0, .. })));
}
