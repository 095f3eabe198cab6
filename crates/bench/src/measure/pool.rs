//! Calls of a function for many inputs: ours, a plain loop, threads, rayon (threads too), and procspawn.

use std::hint::black_box;
use std::ops::Range;
use std::thread::{self, ScopedJoinHandle};

use anyhow::Result;
use multiprocess::Pool;
use rayon::prelude::*;

use crate::measure::{once, thrice};

const TRIVIAL: u32 = 1_000_000;
const SINGLE: u32 = 20_000;
const WORK: u32 = 400_000;
const PROCSPAWN: u32 = 2_000;

pub(crate) fn successor(number: u64) -> u64 {
    number + 1
}

/// The sum of the squares of 0 to 999, as in the lesson. Not inlined, so that all sides run the very same code.
#[inline(never)]
pub(crate) fn squares(_: u64) -> u64 {
    (0..1000_u64).fold(0, |sum, number| sum + black_box(number * number))
}

/// Measures trivial calls, which `map` makes for all numbers below the one it gets.
fn trivial(calls: u32, mut map: impl FnMut(u64) -> Result<Vec<u64>>) -> Result<Vec<f64>> {
    thrice(calls, || {
        let results = map(u64::from(calls))?;
        assert_eq!((results[0], results.len()), (1, calls as usize));
        Ok(())
    })
}

fn work(mut map: impl FnMut(u64) -> Result<Vec<u64>>) -> Result<Vec<f64>> {
    // Once is enough to wake up the processors.
    map(20_000)?;
    once(WORK, || {
        let results = map(u64::from(WORK))?;
        assert_eq!((results[0], results.len()), (332_833_500, WORK as usize));
        Ok(())
    })
}

pub(crate) fn ours() -> Result<Vec<f64>> {
    let pool = Pool::builder().build()?;
    trivial(TRIVIAL, |inputs| Ok(pool.map(successor, 0..inputs)?))
}

pub(crate) fn rayon() -> Result<Vec<f64>> {
    trivial(TRIVIAL, |inputs| {
        Ok((0..inputs).into_par_iter().map(successor).collect())
    })
}

/// One input in each message.
pub(crate) fn ours_single() -> Result<Vec<f64>> {
    let pool = Pool::builder().build()?;
    trivial(SINGLE, |inputs| {
        Ok(pool.chunk_size(1).map(successor, 0..inputs)?)
    })
}

/// Needs `procspawn::init` as the first statement of `main`.
pub(crate) fn procspawn() -> Result<Vec<f64>> {
    let pool = procspawn::Pool::new(thread::available_parallelism()?.get())?;
    let run = |calls: u32| {
        let handles: Vec<_> = (0..u64::from(calls))
            .map(|number| procspawn::spawn!(in pool, (number) || number + 1))
            .collect();
        for (number, handle) in (1..).zip(handles) {
            assert_eq!(handle.join()?, number);
        }
        Ok(())
    };
    // The workers have started when they have answered.
    run(100)?;
    once(PROCSPAWN, || run(PROCSPAWN))
}

pub(crate) fn ours_work() -> Result<Vec<f64>> {
    let pool = Pool::builder().build()?;
    work(|inputs| Ok(pool.map(squares, 0..inputs)?))
}

pub(crate) fn plain_loop() -> Result<Vec<f64>> {
    work(|inputs| Ok((0..inputs).map(squares).collect()))
}

/// One thread per core, with an equal share of the inputs for each.
pub(crate) fn threads() -> Result<Vec<f64>> {
    let cores = thread::available_parallelism()?.get() as u64;
    work(|inputs| {
        let shares = (0..cores).map(|part| part * inputs / cores..(part + 1) * inputs / cores);
        Ok(thread::scope(|scope| {
            let start = |share: Range<u64>| scope.spawn(|| share.map(squares).collect());
            let threads: Vec<ScopedJoinHandle<Vec<u64>>> = shares.map(start).collect();
            let results = threads
                .into_iter()
                .flat_map(|it| it.join().expect("no panic"));
            results.collect()
        }))
    })
}

pub(crate) fn rayon_work() -> Result<Vec<f64>> {
    work(|inputs| Ok((0..inputs).into_par_iter().map(squares).collect()))
}
