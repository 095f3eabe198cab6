//! A pool returns the results of its calls: all of them, each once, in order.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Error, Pool, Progress, RawArray, RegisteredTask, init, task};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            map_returns_the_results_in_the_order_of_the_inputs,
            starmap_spreads_tuples_over_the_arguments,
            apply_calls_once_with_any_number_of_arguments,
            map_each_returns_every_result_separately,
            results_can_be_awaited_later,
            tuples_are_spread_over_the_arguments_later_too,
            a_result_is_returned_once,
            a_result_that_takes_long_times_out,
            imap_yields_the_results_one_by_one_in_order,
            imap_unordered_yields_first_what_is_ready_first,
            every_chunk_size_returns_the_same_results,
            no_inputs_give_no_results,
            more_workers_than_inputs_are_fine,
            sixty_four_workers_work,
            inputs_and_results_may_be_large,
            values_of_all_lengths_arrive_one_after_the_other,
            many_calls_of_a_map_are_done_once_each,
            imap_reads_an_infinite_iterator_a_bounded_number_ahead,
            imap_of_slow_inputs_does_not_wait_for_many_of_them,
            imap_sends_an_input_before_it_reads_the_next,
            an_iterator_that_panics_affects_only_its_call,
            several_threads_map_at_once_and_get_their_own,
            progress_grows_and_ends_at_the_total,
            workers_have_names_and_are_daemons,
            a_pool_has_one_worker_per_core_by_default,
            a_function_that_is_not_in_the_list_is_an_error,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(power),
        task(five),
        task(all_six),
        task(odd),
        task(waits_for),
        task(by_pair),
        task(echo),
        task(counts),
        task(who),
        task(word),
        task(same_bytes),
        task(same_length),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn power(base: u64, exponent: u32) -> u64 {
    base.pow(exponent)
}

fn five() -> u32 {
    5
}

#[allow(
    clippy::many_single_char_names,
    reason = "six arguments that differ by type only"
)]
fn all_six(tiny: u8, small: u16, medium: u32, large: u64, less: i8, part: f64) -> String {
    format!("{tiny} {small} {medium} {large} {less} {part}")
}

fn odd(number: u32) -> u32 {
    assert!(number % 2 == 1, "{number} is even");
    number
}

fn word(number: usize) -> String {
    "ab".repeat(number)
}

/// Returns when the first number of the board is no longer 0.
fn waits_for(board: RawArray<u32>) -> u32 {
    story::until("the number is set", || board.get(0) != 0);
    board.get(0)
}

fn waits_if_first(number: u32, board: RawArray<u32>) -> u32 {
    if number == 0 {
        waits_for(board);
    }
    number
}

fn map_returns_the_results_in_the_order_of_the_inputs() {
    let pool = Pool::new(3).unwrap();
    let doubled: Vec<i64> = (0..10_000).map(|number| 2 * number).collect();
    assert_eq!(pool.map(doubler, 0..10_000).unwrap(), doubled);
    let words = pool.map(word, 0..300_usize).unwrap();
    assert!(
        (0..)
            .zip(words)
            .all(|(number, word)| word == "ab".repeat(number))
    );
}

fn starmap_spreads_tuples_over_the_arguments() {
    let pool = Pool::new(2).unwrap();
    let inputs = (0..100).map(|number| (number, 3));
    let cubes: Vec<u64> = (0..100).map(|number: u64| number.pow(3)).collect();
    assert_eq!(pool.starmap(power, inputs).unwrap(), cubes);
    assert_eq!(pool.starmap(five, [(), (), ()]).unwrap(), [5, 5, 5]);
}

fn apply_calls_once_with_any_number_of_arguments() {
    let pool = Pool::new(1).unwrap();
    assert_eq!(pool.apply(five, ()).unwrap(), 5);
    assert_eq!(pool.apply(doubler, (21,)).unwrap(), 42);
    let words = pool.apply(all_six, (1, 2, 3, 4, -5, 0.5)).unwrap();
    assert_eq!(words, "1 2 3 4 -5 0.5");
}

fn map_each_returns_every_result_separately() {
    let pool = Pool::new(2).unwrap();
    let each = pool.map_each(odd, 1..=4).unwrap();
    let found: Vec<Option<u32>> = each.into_iter().map(Result::ok).collect();
    assert_eq!(found, [Some(1), None, Some(3), None]);
}

fn results_can_be_awaited_later() {
    let pool = Pool::new(2).unwrap();
    let mut numbers = pool.map_async(doubler, 0..1000).unwrap();
    let one = pool.apply_async(power, (2, 10)).unwrap();
    assert_eq!(one.get().unwrap(), 1024);
    numbers.wait_timeout(story::LIMIT / 2).unwrap();
    assert!(numbers.is_ready());
    let doubled: Vec<i64> = (0..1000).map(|number| 2 * number).collect();
    assert_eq!(numbers.get().unwrap(), doubled);
    // Several at once, taken in the other order.
    let some: Vec<_> = (0..50)
        .map(|number| pool.apply_async(doubler, (number,)).unwrap())
        .collect();
    let mut numbers = (0..50).rev();
    for result in some.into_iter().rev() {
        assert_eq!(result.get().unwrap(), 2 * numbers.next().unwrap());
    }
}

fn tuples_are_spread_over_the_arguments_later_too() {
    let pool = Pool::new(2).unwrap();
    let inputs = (0..100).map(|number| (number, 3));
    let later = pool.starmap_async(power, inputs.clone()).unwrap();
    let sized = pool.chunk_size(7).starmap_async(power, inputs).unwrap();
    // The others don't wait for the one whose answer is still to come.
    let board = RawArray::new(1).unwrap();
    let held = [(board.clone(),), (board.clone(),)];
    let mut held = pool.chunk_size(1).starmap_async(waits_for, held).unwrap();
    let cubes: Vec<u64> = (0..100).map(|number: u64| number.pow(3)).collect();
    assert_eq!(later.get().unwrap(), cubes);
    assert_eq!(sized.get().unwrap(), cubes);
    assert!(!held.is_ready());
    board.set(0, 7);
    assert_eq!(held.get().unwrap(), [7, 7]);
    let none = pool.starmap_async(five, [(); 0]).unwrap();
    assert!(none.get().unwrap().is_empty());
}

fn a_result_is_returned_once() {
    let pool = Pool::new(1).unwrap();
    let mut result = pool.apply_async(five, ()).unwrap();
    assert_eq!(result.get_timeout(story::LIMIT / 2).unwrap(), 5);
    let error = result.get_timeout(Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::ResultTaken), "{error}");
    let error = result.get().unwrap_err();
    assert!(matches!(error, Error::ResultTaken), "{error}");
}

fn a_result_that_takes_long_times_out() {
    let pool = Pool::new(1).unwrap();
    let board = RawArray::new(1).unwrap();
    let mut result = pool.apply_async(waits_for, (board.clone(),)).unwrap();
    assert!(!result.is_ready());
    assert!(
        result
            .get_timeout(Duration::from_millis(50))
            .unwrap_err()
            .is_timeout()
    );
    assert!(
        result
            .wait_timeout(Duration::ZERO)
            .unwrap_err()
            .is_timeout()
    );
    board.set(0, 7);
    assert_eq!(result.get_timeout(story::LIMIT / 2).unwrap(), 7);
}

fn imap_yields_the_results_one_by_one_in_order() {
    let pool = Pool::new(3).unwrap();
    let results: Vec<i64> = pool
        .imap(doubler, 0..3000)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let doubled: Vec<i64> = (0..3000).map(|number| 2 * number).collect();
    assert_eq!(results, doubled);
    // It stays at its end.
    let mut short = pool.imap(doubler, [1]).unwrap();
    assert_eq!(short.next().unwrap().unwrap(), 2);
    assert!(short.next().is_none() && short.next().is_none());
}

fn imap_unordered_yields_first_what_is_ready_first() {
    let pool = Pool::new(2).unwrap();
    let board = RawArray::new(1).unwrap();
    // The first input is only done when the result of another one was seen.
    let inputs: Vec<_> = (0..20).map(|number| (number, board.clone())).collect();
    let mut unordered = pool.chunk_size(1).imap_unordered(by_pair, inputs).unwrap();
    let first = unordered.next().unwrap().unwrap();
    assert_ne!(first, 0);
    board.set(0, 1);
    let mut all: Vec<u32> = unordered.map(Result::unwrap).collect();
    all.push(first);
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<u32>>());
}

fn by_pair((number, board): (u32, RawArray<u32>)) -> u32 {
    waits_if_first(number, board)
}

fn every_chunk_size_returns_the_same_results() {
    for workers in [1, 2, 5] {
        let pool = Pool::new(workers).unwrap();
        for length in [1, 2, 7, 100_i64] {
            let doubled: Vec<i64> = (0..length).map(|number| 2 * number).collect();
            for chunk in [0, 1, 7, 101, usize::MAX] {
                let sized = || pool.chunk_size(chunk);
                assert_eq!(sized().map(doubler, 0..length).unwrap(), doubled);
                let later = sized().map_async(doubler, 0..length).unwrap();
                assert_eq!(later.get().unwrap(), doubled);
                let one_by_one = sized().imap(doubler, 0..length).unwrap();
                let one_by_one: Vec<i64> = one_by_one.map(Result::unwrap).collect();
                assert_eq!(one_by_one, doubled);
                let unordered = sized().imap_unordered(doubler, 0..length).unwrap();
                let mut unordered: Vec<i64> = unordered.map(Result::unwrap).collect();
                unordered.sort_unstable();
                assert_eq!(unordered, doubled);
            }
        }
    }
}

fn no_inputs_give_no_results() {
    let pool = Pool::new(2).unwrap();
    assert!(pool.map(doubler, []).unwrap().is_empty());
    assert!(pool.map_each(doubler, []).unwrap().is_empty());
    assert!(
        pool.map_async(doubler, [])
            .unwrap()
            .get()
            .unwrap()
            .is_empty()
    );
    assert!(pool.imap(doubler, []).unwrap().next().is_none());
    assert!(pool.imap_unordered(doubler, []).unwrap().next().is_none());
    assert!(pool.chunk_size(0).map(doubler, []).unwrap().is_empty());
    // An iterator that does not know its length.
    let none = (0..100).filter(|_| false);
    assert!(pool.map(doubler, none).unwrap().is_empty());
}

fn more_workers_than_inputs_are_fine() {
    let pool = Pool::new(8).unwrap();
    for _ in 0..20 {
        assert_eq!(pool.map(doubler, [1, 2, 3]).unwrap(), [2, 4, 6]);
        assert_eq!(pool.map(doubler, [4]).unwrap(), [8]);
    }
}

fn sixty_four_workers_work() {
    let pool = Pool::new(64).unwrap();
    let pids: HashSet<u32> = pool.worker_pids().into_iter().collect();
    assert_eq!((pool.workers(), pids.len()), (64, 64));
    let doubled: Vec<i64> = (0..5000).map(|number| 2 * number).collect();
    assert_eq!(pool.map(doubler, 0..5000).unwrap(), doubled);
    assert_eq!(pool.chunk_size(1).map(doubler, 0..5000).unwrap(), doubled);
    pool.join();
}

/// Bytes that travel in one piece, not one by one.
struct Block(Vec<u8>);

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Block, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        Ok(Block(bytes.to_vec()))
    }
}

fn echo(mut block: Block) -> Block {
    block.0.reverse();
    block
}

fn inputs_and_results_may_be_large() {
    const SIZE: usize = 64 << 20;
    let pool = Pool::new(2).unwrap();
    let block = |mark: u8| {
        let mut bytes = vec![0; SIZE];
        bytes[0] = mark;
        Block(bytes)
    };
    let results = pool.map(echo, (1..=3).map(block)).unwrap();
    for (mark, Block(bytes)) in (1..=3).zip(results) {
        assert_eq!((bytes.len(), bytes[0], bytes[SIZE - 1]), (SIZE, 0, mark));
    }
    assert_eq!(pool.apply(echo, (Block(vec![1, 2]),)).unwrap().0, [2, 1]);
}

fn counts((number, calls): (usize, RawArray<u32>)) -> usize {
    calls.update(number, |calls| calls + 1);
    number
}

/// A small value that takes the given number of bytes in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretched(usize);

impl Serialize for Stretched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        "x".repeat(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stretched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stretched, D::Error> {
        Ok(Stretched(String::deserialize(deserializer)?.len()))
    }
}

fn same_bytes(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

fn same_length(stretched: Stretched) -> Stretched {
    stretched
}

fn values_of_all_lengths_arrive_one_after_the_other() {
    let lengths: Vec<usize> = (0..3).chain(245..258).chain([70_000, 0]).collect();
    let small: Vec<Stretched> = lengths.iter().copied().map(Stretched).collect();
    let large: Vec<Vec<u8>> = lengths.iter().map(|&length| vec![7; length]).collect();
    let pool = Pool::new(1).unwrap();
    for chunk in [1, 3, 100] {
        let lengths = pool.chunk_size(chunk).map(same_length, small.clone());
        assert_eq!(lengths.unwrap(), small);
        let bytes = pool.chunk_size(chunk).map(same_bytes, large.clone());
        assert_eq!(bytes.unwrap(), large);
    }
}

fn many_calls_of_a_map_are_done_once_each() {
    let pool = Pool::new(4).unwrap();
    let calls = RawArray::new(2000).unwrap();
    let inputs = (0..2000).map(|number| (number, calls.clone()));
    assert!(pool.map(counts, inputs).unwrap().into_iter().eq(0..2000));
    assert!(calls.to_vec().iter().all(|&calls| calls == 1));
}

fn imap_reads_an_infinite_iterator_a_bounded_number_ahead() {
    let pool = Pool::new(2).unwrap();
    let read = Cell::new(0);
    let infinite = (0..).inspect(|_| read.set(read.get() + 1));
    for (input, result) in (0..20_000).zip(pool.imap(doubler, infinite).unwrap()) {
        assert_eq!(result.unwrap(), 2 * input);
        let ahead = read.get() - input;
        assert!(ahead <= 1000, "{ahead} inputs ahead");
    }
    // Large inputs: fewer of them.
    read.set(0);
    let large = (0..).map(|_| {
        read.set(read.get() + 1);
        Block(vec![1; 8 << 20])
    });
    for (input, result) in (0..30).zip(pool.imap_unordered(echo, large).unwrap()) {
        assert_eq!(result.unwrap().0.len(), 8 << 20);
        let ahead = read.get() - input;
        assert!(ahead <= 16, "{ahead} large inputs ahead");
    }
}

fn imap_of_slow_inputs_does_not_wait_for_many_of_them() {
    let pool = Pool::new(2).unwrap();
    pool.map(doubler, 0..1000).unwrap();
    let read = Cell::new(0);
    let slow = (0..1000).inspect(|_| {
        read.set(read.get() + 1);
        std::thread::sleep(Duration::from_millis(50));
    });
    let mut results = pool.imap(doubler, slow).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    // Otherwise it would have read all that it may read ahead.
    assert!(read.get() < 60, "{} inputs were read", read.get());
}

fn imap_sends_an_input_before_it_reads_the_next() {
    let pool = Pool::new(2).unwrap();
    let calls = RawArray::new(3).unwrap();
    let inputs = (0..3).map(|number| {
        if number > 0 {
            story::until("the input before is with a worker", || {
                calls.get(number - 1) == 1
            });
        }
        (number, calls.clone())
    });
    let results = pool.imap(counts, inputs).unwrap();
    let results: Result<Vec<usize>, Error> = results.collect();
    assert_eq!(results.unwrap(), [0, 1, 2]);
}

fn an_iterator_that_panics_affects_only_its_call() {
    let pool = Pool::new(2).unwrap();
    let bad = || (0..1000).inspect(|&number| assert!(number != 500, "no more inputs"));
    let maps = || drop(pool.map(doubler, bad()));
    assert!(catch_unwind(AssertUnwindSafe(maps)).is_err());
    let later = || drop(pool.map_async(doubler, bad()));
    assert!(catch_unwind(AssertUnwindSafe(later)).is_err());
    let one_by_one = || pool.imap(doubler, bad()).unwrap().count();
    assert!(catch_unwind(AssertUnwindSafe(one_by_one)).is_err());
    assert_eq!(pool.map(doubler, [1, 2, 3]).unwrap(), [2, 4, 6]);
}

fn several_threads_map_at_once_and_get_their_own() {
    let pool = Pool::new(3).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_i64 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..25 {
                    let first = thread * 1_000_000 + round * 1000;
                    let numbers = first..first + 100;
                    let doubled: Vec<i64> = numbers.clone().map(|number| 2 * number).collect();
                    assert_eq!(pool.map(doubler, numbers.clone()).unwrap(), doubled);
                    let one_by_one = pool.imap(doubler, numbers.clone()).unwrap();
                    assert!(one_by_one.map(Result::unwrap).eq(doubled.iter().copied()));
                    let later = pool.map_async(doubler, numbers).unwrap();
                    assert_eq!(pool.apply(doubler, (first,)).unwrap(), 2 * first);
                    assert_eq!(later.get().unwrap(), doubled);
                }
            });
        }
    });
}

fn progress_grows_and_ends_at_the_total() {
    let pool = Pool::new(2).unwrap();
    let watched = |inputs: Box<dyn Iterator<Item = i64>>, chunk| {
        let mut seen: Vec<Progress> = Vec::new();
        let watching = pool.on_progress(|progress| seen.push(progress));
        let sized = if chunk == 0 {
            watching
        } else {
            watching.chunk_size(chunk)
        };
        let results = sized.map(doubler, inputs).unwrap();
        let grow =
            |pair: &[Progress]| pair[0].done <= pair[1].done && pair[0].elapsed <= pair[1].elapsed;
        assert!(seen.windows(2).all(grow), "{seen:?}");
        let last = seen.last().unwrap();
        assert_eq!(
            (last.done, last.total),
            (results.len(), Some(results.len()))
        );
        seen
    };
    for chunk in [0, 1, 7, 5000] {
        let seen = watched(Box::new(0..1000), chunk);
        assert!(seen.iter().all(|progress| progress.total == Some(1000)));
        // An iterator that does not know its length.
        watched(Box::new((0..1000).filter(|number| number % 3 == 0)), chunk);
    }
}

fn who(_: u32) -> (String, bool, String) {
    let this = multiprocess::current();
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    (
        this.name().to_owned(),
        this.is_daemon(),
        comm.trim_end().to_owned(),
    )
}

fn workers_have_names_and_are_daemons() {
    let named = Pool::builder().workers(2).name("clerk").build().unwrap();
    for (name, daemon, comm) in named.chunk_size(1).map(who, 0..50).unwrap() {
        assert!(["clerk-1", "clerk-2"].contains(&name.as_str()), "{name}");
        assert!(daemon);
        assert_eq!(comm, name);
    }
    let (name, ..) = Pool::new(1).unwrap().apply(who, (0,)).unwrap();
    assert_eq!(name, "PoolWorker-1");
}

fn a_pool_has_one_worker_per_core_by_default() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let pool = Pool::builder().build().unwrap();
    assert_eq!((pool.workers(), pool.worker_pids().len()), (cores, cores));
    let error = Pool::new(0).unwrap_err();
    assert!(matches!(error, Error::NoWorkers), "{error}");
}

fn unknown(number: u32) -> u32 {
    number
}

fn a_function_that_is_not_in_the_list_is_an_error() {
    let pool = Pool::new(1).unwrap();
    let errors = [
        pool.map(unknown, [1]).unwrap_err(),
        pool.starmap(unknown, [(1,)]).unwrap_err(),
        pool.map_each(unknown, [1]).unwrap_err(),
        pool.map_async(unknown, [1]).unwrap_err(),
        pool.starmap_async(unknown, [(1,)]).unwrap_err(),
        pool.apply(unknown, (1,)).unwrap_err(),
        pool.apply_async(unknown, (1,)).unwrap_err(),
        pool.imap(unknown, [1]).unwrap_err(),
        pool.imap_unordered(unknown, [1]).unwrap_err(),
        Pool::builder().initializer(unknown, (1,)).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NotRegistered { .. }), "{error}");
        assert!(error.to_string().contains("unknown"), "{error}");
    }
    assert_eq!(pool.apply(five, ()).unwrap(), 5);
}
