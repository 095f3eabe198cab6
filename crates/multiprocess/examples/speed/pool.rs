//! Calls of a function for many inputs: ours, a plain loop, threads, and rayon, whose workers are threads too.

use std::hint::black_box;
use std::thread::{self, ScopedJoinHandle};

use multiprocess::Pool;
use rayon::prelude::*;

use crate::stopwatch::{Outcome, each, warmed_up};

const TRIVIAL: u32 = 1_000_000;
const SINGLE: u32 = 20_000;
const WORK: u32 = 400_000;

pub(crate) fn successor(number: u64) -> u64 {
    number + 1
}

/// The sum of the squares of 0 to 999, as in the lesson. Not inlined, so that all sides run the very same code.
#[inline(never)]
pub(crate) fn squares(_: u64) -> u64 {
    (0..1000_u64).fold(0, |sum, number| sum + black_box(number * number))
}

/// Each input's result is made by `map`, from a range that long.
fn trivial(mut map: impl FnMut(u64) -> Outcome<Vec<u64>>) -> Outcome<Vec<f64>> {
    warmed_up(3, || {
        each(TRIVIAL, || {
            let results = map(u64::from(TRIVIAL))?;
            assert_eq!((results[0], results.len()), (1, TRIVIAL as usize));
            Ok(())
        })
    })
}

fn work(mut map: impl FnMut(u64) -> Outcome<Vec<u64>>) -> Outcome<Vec<f64>> {
    // Once is enough for the processors to be awake.
    map(20_000)?;
    let time = each(WORK, || {
        let results = map(u64::from(WORK))?;
        assert_eq!((results[0], results.len()), (332_833_500, WORK as usize));
        Ok(())
    })?;
    Ok(vec![time])
}

pub(crate) fn ours() -> Outcome<Vec<f64>> {
    let pool = Pool::builder().build()?;
    trivial(|inputs| Ok(pool.map(successor, 0..inputs)?))
}

pub(crate) fn rayon() -> Outcome<Vec<f64>> {
    trivial(|inputs| Ok((0..inputs).into_par_iter().map(successor).collect()))
}

/// One input in each message.
pub(crate) fn ours_single() -> Outcome<Vec<f64>> {
    let pool = Pool::builder().build()?;
    warmed_up(3, || {
        each(SINGLE, || {
            let results = pool.chunk_size(1).map(successor, 0..u64::from(SINGLE))?;
            assert_eq!((results[0], results.len()), (1, SINGLE as usize));
            Ok(())
        })
    })
}

pub(crate) fn ours_work() -> Outcome<Vec<f64>> {
    let pool = Pool::builder().build()?;
    work(|inputs| Ok(pool.map(squares, 0..inputs)?))
}

pub(crate) fn plain_loop() -> Outcome<Vec<f64>> {
    work(|inputs| Ok((0..inputs).map(squares).collect()))
}

/// One thread per core, with an equal share of the inputs for each.
pub(crate) fn threads() -> Outcome<Vec<f64>> {
    let cores = thread::available_parallelism()?.get() as u64;
    work(|inputs| {
        let share = |part| part * inputs / cores;
        let results = thread::scope(|scope| {
            let threads: Vec<_> = (0..cores)
                .map(|part| {
                    let inputs = share(part)..share(part + 1);
                    scope.spawn(|| inputs.map(squares).collect::<Vec<_>>())
                })
                .collect();
            let results = threads.into_iter().map(ScopedJoinHandle::join);
            results
                .flat_map(|results| results.expect("squares does not panic"))
                .collect()
        });
        Ok(results)
    })
}

pub(crate) fn rayon_work() -> Outcome<Vec<f64>> {
    work(|inputs| Ok((0..inputs).into_par_iter().map(squares).collect()))
}
