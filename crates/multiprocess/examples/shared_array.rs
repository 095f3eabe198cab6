//! Several processes count in one array in shared memory how often each digit is the last digit of a square.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use multiprocess::{Array, Error, spawn, task};

const PROCESSES: usize = 4;
const NUMBERS: usize = 400_000;

fn main() -> Result<(), Error> {
    multiprocess::init([task(count)]);
    let counts = Array::<u64>::new(10)?;
    let mut children = Vec::new();
    for first in (0..NUMBERS).take(PROCESSES) {
        children.push(spawn(count, (first, counts.clone()))?);
    }
    for child in children {
        child.join()?;
    }
    for (digit, count) in counts.lock()?.iter().enumerate() {
        println!("{digit}: {count}");
    }
    Ok(())
}

/// Counts in a local array first, so that it takes the lock only once.
fn count(first: usize, counts: Array<u64>) {
    let mut own = [0_u64; 10];
    for number in (first..NUMBERS).step_by(PROCESSES) {
        own[number * number % 10] += 1;
    }
    let mut counts = counts.lock().expect("this thread doesn't hold the lock");
    for (all, own) in counts.iter_mut().zip(own) {
        *all += own;
    }
}
