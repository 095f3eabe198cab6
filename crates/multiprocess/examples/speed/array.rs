//! Copying 64 MiB into shared memory and out of it, and between two vectors.

use std::hint::black_box;

use multiprocess::Array;

use crate::stopwatch::{Outcome, each, warmed_up};

const LENGTH: usize = 64 << 20;
const TIMES: usize = 3;

pub(crate) fn read() -> Outcome<Vec<f64>> {
    let array = Array::<u8>::new(LENGTH)?;
    array.lock()?.fill(1);
    let mut target = vec![2_u8; LENGTH];
    let times = warmed_up(TIMES, || {
        each(1, || {
            target.copy_from_slice(black_box(&array.lock()?));
            Ok(())
        })
    });
    assert!(target.iter().all(|byte| *byte == 1));
    times
}

pub(crate) fn write() -> Outcome<Vec<f64>> {
    let array = Array::<u8>::new(LENGTH)?;
    let source = vec![1_u8; LENGTH];
    let times = warmed_up(TIMES, || {
        each(1, || {
            array.lock()?.copy_from_slice(black_box(&source));
            Ok(())
        })
    });
    assert!(array.lock()?.iter().all(|byte| *byte == 1));
    times
}

/// The same without sharing.
pub(crate) fn memcpy() -> Outcome<Vec<f64>> {
    let source = vec![1_u8; LENGTH];
    let mut target = vec![2_u8; LENGTH];
    let times = warmed_up(TIMES, || {
        each(1, || {
            target.copy_from_slice(black_box(&source));
            Ok(())
        })
    });
    assert!(target == source);
    times
}
