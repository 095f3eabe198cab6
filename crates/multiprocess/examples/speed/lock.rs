//! Locking and unlocking without contention, and a number that four processes change.

use std::hint::black_box;
use std::time::{Duration, Instant};

use multiprocess::{Event, Lock, RawValue, Semaphore, Value, spawn};

use crate::stopwatch::{Outcome, each, warmed_up};

const ALONE: u32 = 1_000_000;
const NEW: u32 = 300;
const PROCESSES: u32 = 4;
const TOGETHER: u32 = 200_000;

pub(crate) fn ours() -> Outcome<Vec<f64>> {
    let lock = Lock::new()?;
    warmed_up(3, || {
        each(ALONE, || {
            for _ in 0..ALONE {
                drop(black_box(lock.acquire()?));
            }
            Ok(())
        })
    })
}

pub(crate) fn semaphore() -> Outcome<Vec<f64>> {
    let semaphore = Semaphore::new(2)?;
    warmed_up(3, || {
        each(ALONE / 10, || {
            for _ in 0..ALONE / 10 {
                drop(black_box(semaphore.acquire()?));
            }
            Ok(())
        })
    })
}

/// Making a lock, and doing away with it.
pub(crate) fn new() -> Outcome<Vec<f64>> {
    warmed_up(3, || {
        each(NEW, || {
            for _ in 0..NEW {
                drop(black_box(Lock::new()?));
            }
            Ok(())
        })
    })
}

pub(crate) fn add(value: Value<i64>, ready: RawValue<u32>, start: Event) {
    ready.update(|count| count + 1);
    start.wait();
    for _ in 0..TOGETHER {
        *value.lock().expect("this thread does not hold it") += 1;
    }
}

/// Four processes that add to one value.
pub(crate) fn value() -> Outcome<Vec<f64>> {
    let value = Value::new(0_i64)?;
    let (ready, start) = (RawValue::new(0)?, Event::new()?);
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| spawn(add, (value.clone(), ready.clone(), start.clone())))
        .collect::<Result<_, _>>()?;
    let begin = Instant::now();
    while ready.get() < PROCESSES {
        if begin.elapsed() > Duration::from_secs(30) {
            return Err("the four processes were not ready within 30 s".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(20));
    let time = each(PROCESSES * TOGETHER, || {
        start.set();
        for child in children {
            child.join()?;
        }
        Ok(())
    })?;
    assert_eq!(value.get()?, i64::from(PROCESSES * TOGETHER));
    Ok(vec![time])
}
