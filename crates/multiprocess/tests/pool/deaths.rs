//! A worker that dies: its running input fails, the rest of that batch is lost, and a new worker takes its place.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::OnceLock;

use multiprocess::{Error, Pool, RawArray, RegisteredTask, TaskFailure, init, task};
use serde::{Deserialize, Serialize};

use story::proc;

use super::failures::failure;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            a_worker_that_dies_fails_the_running_input,
            one_death_among_many_batches_fails_nothing_else,
            a_worker_killed_from_outside_fails_the_running_input,
            a_worker_that_dies_before_it_sends_its_only_result_has_died_with_that_input,
            a_worker_that_dies_while_idle_is_replaced,
            all_workers_can_die_at_once,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(count_in),
        task(perhaps_dies),
        task(begins_and_stays),
        task(dies_before_it_sends),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
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
