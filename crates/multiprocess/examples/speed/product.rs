//! 1 500 000!, as in the lesson about threads.

use std::thread;

use crate::factorial;
use crate::stopwatch::{Outcome, each};

const NUMBER: u64 = 1_500_000;
const BITS: u64 = 28_610_766;

pub(crate) fn one_thread() -> Outcome<Vec<f64>> {
    with_threads(1)
}

pub(crate) fn all_cores() -> Outcome<Vec<f64>> {
    with_threads(thread::available_parallelism()?.get())
}

fn with_threads(threads: usize) -> Outcome<Vec<f64>> {
    let time = each(1, || {
        assert_eq!(factorial::of(NUMBER, threads).bits(), BITS);
        Ok(())
    })?;
    Ok(vec![time])
}
