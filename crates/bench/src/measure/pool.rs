//! A function called for many inputs: by our pool, a plain loop, rayon (which uses threads), and procspawn.

use std::hint::black_box;
use std::ops::Range;
use std::thread;

use anyhow::Result;
use multiprocess::Pool;
use rayon::prelude::*;

use crate::measure::{Samples, thrice};

const TRIVIAL: u32 = 1_000_000;
const SINGLE: u32 = 20_000;
const PROCSPAWN: u32 = 2_000;
const WORK: u32 = 400_000;
/// The result of each call of `squares`.
const SUM: u64 = 332_833_500;

pub(crate) fn successor(number: u64) -> u64 {
    number + 1
}

/// The sum of the squares of 0 to 999, as in the lesson. It isn't inlined, so that all sides run the same code.
#[inline(never)]
pub(crate) fn squares(_: u64) -> u64 {
    (0..1000_u64).fold(0, |sum, number| sum + black_box(number * number))
}

fn calls(count: u32, first: u64, mut map: impl FnMut(Range<u64>) -> Result<Vec<u64>>) -> Samples {
    thrice(count, || {
        let results = map(0..u64::from(count))?;
        assert_eq!((results[0], results.len()), (first, count as usize));
        Ok(())
    })
}

pub(crate) fn ours() -> Samples {
    let pool = Pool::builder().build()?;
    calls(TRIVIAL, 1, |inputs| Ok(pool.map(successor, inputs)?))
}

pub(crate) fn rayon() -> Samples {
    calls(TRIVIAL, 1, |inputs| {
        Ok(inputs.into_par_iter().map(successor).collect())
    })
}

/// Sends one input per message.
pub(crate) fn ours_single() -> Samples {
    let pool = Pool::builder().build()?;
    calls(SINGLE, 1, |inputs| {
        Ok(pool.chunk_size(1).map(successor, inputs)?)
    })
}

pub(crate) fn procspawn() -> Samples {
    let pool = procspawn::Pool::new(thread::available_parallelism()?.get())?;
    calls(PROCSPAWN, 1, |inputs| {
        let start = |number| procspawn::spawn!(in pool, (number) || number + 1);
        let handles: Vec<_> = inputs.map(start).collect();
        let results = handles.into_iter().map(|handle| Ok(handle.join()?));
        results.collect()
    })
}

pub(crate) fn ours_work() -> Samples {
    let pool = Pool::builder().build()?;
    calls(WORK, SUM, |inputs| Ok(pool.map(squares, inputs)?))
}

pub(crate) fn plain_loop() -> Samples {
    calls(WORK, SUM, |inputs| Ok(inputs.map(squares).collect()))
}

pub(crate) fn rayon_work() -> Samples {
    calls(WORK, SUM, |inputs| {
        Ok(inputs.into_par_iter().map(squares).collect())
    })
}
