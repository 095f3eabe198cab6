//! Workers are killed at random while the pool is at work: every call comes back, either right or with an error, and
//! at the end there are as many workers as there should be.
//!
//! `MULTIPROCESS_STORM_SECONDS` makes it longer.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod story;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use multiprocess::{Error, Pool, RegisteredTask, TaskFailure, init, task};

use story::proc::{self, Known};

fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![every_call_comes_back_while_workers_are_killed],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(works)]
}

/// Takes a moment, now and then a longer one.
fn works(number: u64) -> u64 {
    if number.is_multiple_of(50) {
        std::thread::sleep(Duration::from_millis(number % 7));
    }
    number * 3
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn length_of_the_storm() -> Duration {
    let asked = std::env::var("MULTIPROCESS_STORM_SECONDS").ok();
    let seconds = asked.and_then(|text| text.parse().ok()).unwrap_or(4);
    Duration::from_secs(seconds).min(story::LIMIT / 2)
}

fn may_fail(failed: Error, inputs: usize) {
    let Error::Task { index, failure, .. } = &failed else {
        panic!("{failed}");
    };
    assert!(*index < inputs, "{failed}");
    let expected = matches!(
        failure,
        TaskFailure::WorkerDied { .. } | TaskFailure::Lost { .. }
    );
    assert!(expected, "{failed}");
}

/// One call, of a kind and a size that are thrown.
fn call(pool: &Pool, dice: &mut Dice) {
    let first = dice.throw(1000);
    let length = dice.throw(300);
    let inputs = first..first + length;
    let count = inputs.clone().count();
    let right: Vec<u64> = inputs.clone().map(|number| number * 3).collect();
    let chunk = usize::try_from(dice.throw(20)).unwrap();
    let sized = || pool.chunk_size(chunk);
    let whole = |result: Result<Vec<u64>, Error>| match result {
        Ok(results) => assert_eq!(results, right),
        Err(error) => may_fail(error, count),
    };
    match dice.throw(6) {
        0 => whole(pool.map(works, inputs)),
        1 => whole(sized().map(works, inputs)),
        2 => whole(pool.map_async(works, inputs).unwrap().get()),
        3 => {
            let each = pool.map_each(works, inputs).unwrap();
            assert_eq!(each.len(), count);
            for (result, right) in each.into_iter().zip(right) {
                match result {
                    Ok(result) => assert_eq!(result, right),
                    Err(error) => may_fail(error, count),
                }
            }
        }
        4 => {
            let results = sized().imap(works, inputs).unwrap();
            let mut right = right.into_iter();
            for result in results {
                let right = right.next().expect("one result for each input");
                match result {
                    Ok(result) => assert_eq!(result, right),
                    Err(error) => may_fail(error, count),
                }
            }
            assert!(right.next().is_none());
        }
        _ => match pool.apply(works, (first,)) {
            Ok(result) => assert_eq!(result, first * 3),
            Err(error) => may_fail(error, 1),
        },
    }
}

fn every_call_comes_back_while_workers_are_killed() {
    const WORKERS: usize = 4;
    let pool = Pool::new(WORKERS).unwrap();
    let end = Instant::now() + length_of_the_storm();
    let over = AtomicBool::new(false);
    let (calls, kills) = std::thread::scope(|scope| {
        let callers: Vec<_> = (1..=2)
            .map(|seed: u64| {
                let pool = &pool;
                scope.spawn(move || {
                    let mut dice = Dice(seed << 40 | 0x7f4a_7c15);
                    let mut calls = 0;
                    while Instant::now() < end {
                        call(pool, &mut dice);
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        let killer = scope.spawn(|| {
            let mut dice = Dice(0x2545_f491_4f6c_dd1d);
            let mut kills = 0;
            while !over.load(Ordering::Relaxed) && Instant::now() < end {
                let pids = pool.worker_pids();
                if let Some(&pid) = pids.get(usize::try_from(dice.throw(4)).unwrap()) {
                    proc::kill(pid);
                    kills += 1;
                }
                std::thread::sleep(Duration::from_millis(dice.throw(40)));
            }
            kills
        });
        let calls: Vec<usize> = callers.into_iter().map(|it| it.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        (calls, killer.join().unwrap())
    });
    assert!(calls.iter().all(|&calls| calls > 0) && kills > 10);
    story::until("all places are taken again", || {
        let pids = pool.worker_pids();
        let alive = |&pid: &u32| proc::children().contains(&pid);
        pids.len() == WORKERS && pids.iter().all(alive)
    });
    // The last who was killed may not have been missed yet.
    std::thread::sleep(Duration::from_millis(300));
    let right: Vec<u64> = (0..1000).map(|number| number * 3).collect();
    assert_eq!(pool.map(works, 0..1000).unwrap(), right);
    let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    assert_eq!(known.len(), WORKERS);
    assert!(known.iter().all(Known::is_running));
    pool.join();
    assert!(known.iter().all(|worker| !worker.is_running()));
}
