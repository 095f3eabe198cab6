//! Locking and unlocking without contention, and a number that four processes change.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use multiprocess::{Event, Lock, RawValue, Semaphore, Value, spawn};

use crate::measure::{once, repeated};

const PROCESSES: u32 = 4;
const TOGETHER: u32 = 200_000;

pub(crate) fn ours() -> Result<Vec<f64>> {
    let lock = Lock::new()?;
    repeated(1_000_000, || Ok(lock.lock()?))
}

pub(crate) fn semaphore() -> Result<Vec<f64>> {
    let semaphore = Semaphore::new(2)?;
    repeated(100_000, || Ok(semaphore.acquire()?))
}

pub(crate) fn new() -> Result<Vec<f64>> {
    repeated(300, || Ok(Lock::new()?))
}

pub(crate) fn add(value: Value<i64>, ready: RawValue<u32>, start: Event) {
    ready.update(|count| count + 1);
    start.wait();
    for _ in 0..TOGETHER {
        *value.lock().expect("this thread does not hold it") += 1;
    }
}

pub(crate) fn value() -> Result<Vec<f64>> {
    let value = Value::new(0_i64)?;
    let (ready, start) = (RawValue::new(0)?, Event::new()?);
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| spawn(add, (value.clone(), ready.clone(), start.clone())))
        .collect::<Result<_, _>>()?;
    while ready.get() < PROCESSES {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(20));
    let time = once(PROCESSES * TOGETHER, || {
        start.set();
        for child in children {
            child.join()?;
        }
        Ok(())
    });
    assert_eq!(value.get()?, i64::from(PROCESSES * TOGETHER));
    time
}
