//! Pools: every call returns, either the right result or an error that names the input, and at the end the pool has all
//! its workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use multiprocess::{Error, Pool, RegisteredTask, TaskFailure, task};

use super::round::{Dice, Round};
use crate::story;
use crate::story::proc::{self, Known};

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(works)]
}

const WORKERS: usize = 4;

/// Takes a moment, sometimes a longer one.
fn works(number: u64) -> u64 {
    if number.is_multiple_of(50) {
        std::thread::sleep(Duration::from_millis(number % 7));
    }
    number * 3
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

/// Makes one call, of a random kind and size.
fn call(pool: &Pool, dice: &mut Dice) {
    let first = dice.below(1000);
    let length = dice.below(300);
    let inputs = first..first + length;
    let count = inputs.clone().count();
    let right: Vec<u64> = inputs.clone().map(|number| number * 3).collect();
    let chunk = dice.index(20);
    let sized = || pool.chunk_size(chunk);
    let whole = |result: Result<Vec<u64>, Error>| match result {
        Ok(results) => assert_eq!(results, right),
        Err(error) => may_fail(error, count),
    };
    match dice.below(6) {
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

pub(crate) fn round(round: &mut Round<'_>) {
    let pool = Pool::new(WORKERS).unwrap();
    let over = AtomicBool::new(false);
    let mut killed = Vec::new();
    std::thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            let mut dice = Dice::new(round.dice.below(u64::MAX));
            let (pool, over) = (&pool, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    call(pool, &mut dice);
                }
            })
        });
        while !round.is_over() && !callers.iter().any(ScopedJoinHandle::is_finished) {
            round.pause(40_000);
            let pids = pool.worker_pids();
            if let Some(&pid) = pids.get(round.dice.index(WORKERS)) {
                if round.dice.chance(25) {
                    round.stop(pid);
                } else {
                    round.kill_pid(pid);
                    killed.push(pid);
                }
            }
        }
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("a caller finds nothing wrong");
            round.beat();
        }
    });
    story::until("all places are taken again", || {
        let children = proc::children();
        let pids = pool.worker_pids();
        let is_new = |pid: &u32| children.contains(pid) && !killed.contains(pid);
        pids.len() == WORKERS && pids.iter().all(is_new)
    });
    let right: Vec<u64> = (0..1000).map(|number| number * 3).collect();
    assert_eq!(pool.map(works, 0..1000).unwrap(), right);
    let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    assert_eq!(known.len(), WORKERS);
    assert!(known.iter().all(Known::is_running));
    pool.join();
    assert!(known.iter().all(|worker| !worker.is_running()));
}
