//! Locking and unlocking without contention, and a number that four processes change.

use std::thread;
use std::time::Duration;

use multiprocess::{Barrier, Lock, Semaphore, Value, spawn};

use crate::measure::{Samples, once, repeated};

const PROCESSES: u32 = 4;
const TOGETHER: u32 = 200_000;

pub(crate) fn ours() -> Samples {
    let lock = Lock::new()?;
    repeated(1_000_000, || Ok(lock.lock()?))
}

pub(crate) fn semaphore() -> Samples {
    let semaphore = Semaphore::new(2)?;
    repeated(100_000, || Ok(semaphore.acquire()?))
}

pub(crate) fn add(value: Value<i64>, all: Barrier) {
    // Once when it's ready, and once to start.
    for _ in 0..2 {
        all.wait().expect("the others are there");
    }
    for _ in 0..TOGETHER {
        *value.lock().expect("this thread does not hold it") += 1;
    }
}

pub(crate) fn value() -> Samples {
    let (value, all) = (Value::new(0_i64)?, Barrier::new(PROCESSES + 1)?);
    let children = (0..PROCESSES).map(|_| spawn(add, (value.clone(), all.clone())));
    let children: Vec<_> = children.collect::<Result<_, _>>()?;
    all.wait()?;
    thread::sleep(Duration::from_millis(20));
    let time = once(PROCESSES * TOGETHER, || {
        all.wait()?;
        for child in children {
            child.join()?;
        }
        Ok(())
    });
    assert_eq!(value.get()?, i64::from(PROCESSES * TOGETHER));
    time
}
