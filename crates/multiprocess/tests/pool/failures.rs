//! A failure in a pool affects only its input, and names it; the others are done all the same.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use multiprocess::{Error, Lock, Pool, RegisteredTask, Task, TaskFailure, init, raw, task};

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
            imap_continues_after_a_failure,
            failures_reach_callers_that_wait_for_later_results,
            calls_by_bytes_have_the_same_results_and_failures,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(odd),
        task(panics_or_resumes),
        task(who),
        task(perhaps_a_lock),
    ]
}

pub(crate) fn odd(number: usize) -> usize {
    assert!(number % 2 == 1, "{number} is even");
    number
}

fn who(_: u32) -> u32 {
    std::process::id()
}

fn perhaps_a_lock(number: usize) -> Option<Lock> {
    (number == 3).then(|| Lock::new().unwrap())
}

fn calls_by_bytes_have_the_same_results_and_failures() {
    fn call<F: Task<(usize,)>>(pool: &Pool, function: F, count: usize) -> Vec<u8> {
        let mut inputs = Vec::new();
        for number in 0..count {
            raw::append::<F, _, _>(&(number,), &mut inputs).unwrap();
        }
        let task = raw::index_of(function).unwrap();
        let mut parts = Vec::new();
        let call = pool.call_raw(task, count, &inputs, |part| parts.push(part));
        call.unwrap();
        parts.sort_by_key(|part| part.first);
        parts.into_iter().flat_map(|part| part.results).collect()
    }
    let pool = Pool::new(2).unwrap();
    let results = call(&pool, odd, 1_000);
    let mut rest = &results[..];
    for number in 0..1_000 {
        match raw::next::<usize>(&mut rest) {
            Ok(result) => assert_eq!((result, number % 2), (number, 1)),
            Err(TaskFailure::Panicked { message, .. }) => {
                assert_eq!(message, format!("{number} is even"));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(rest.is_empty());
    // A handle belongs to this program.
    let results = call(&pool, perhaps_a_lock, 100);
    let mut rest = &results[..];
    for number in 0..100 {
        match raw::next::<Option<Lock>>(&mut rest) {
            Ok(None) => assert_ne!(number, 3),
            Err(TaskFailure::UnsendableResult { reason }) => {
                assert_eq!(reason, "a Lock is a handle, which can't leave its machine");
                assert_eq!(number, 3);
            }
            other => panic!("{number}: {other:?}"),
        }
    }
}

/// Returns how the call for this input failed.
pub(crate) fn failure(result: Result<usize, Error>, input: usize) -> TaskFailure {
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

fn failures_reach_callers_that_wait_for_later_results() {
    let pool = Pool::new(2).unwrap();
    let mut all = pool.map_async(odd, [1, 3, 4, 5]).unwrap();
    all.wait_timeout(story::LIMIT / 2).unwrap();
    assert!(matches!(all.get(), Err(Error::Task { index: 2, .. })));
    let one = pool.apply_async(odd, (4,)).unwrap();
    assert!(matches!(one.get(), Err(Error::Task { index: 0, .. })));
}
