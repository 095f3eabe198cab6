//! What the exercise must do, and the function that it is to call.

use super::count_primes;
use anyhow::{Result, ensure};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("the number of primes is right", number_is_right),
    ("each part is counted by a thread of its own", own_threads),
    ("the threads count at the same time", same_time),
];

const PATIENCE: Duration = Duration::from_secs(5);

/// Who has begun to count which part.
static BEGUN: Mutex<Vec<(ThreadId, Range<u64>)>> = Mutex::new(Vec::new());
static ANOTHER_BEGINS: Condvar = Condvar::new();
/// Nobody goes on before so many parts were begun.
static TOGETHER: Mutex<usize> = Mutex::new(0);

/// Counts the primes among some numbers, by trying to divide them.
pub fn primes_in(part: Range<u64>) -> usize {
    let together = *TOGETHER.lock().unwrap();
    let mut begun = BEGUN.lock().unwrap();
    begun.push((thread::current().id(), part.clone()));
    ANOTHER_BEGINS.notify_all();
    let (begun, _) = ANOTHER_BEGINS
        .wait_timeout_while(begun, PATIENCE, |begun| begun.len() < together)
        .unwrap();
    let count = begun.len();
    drop(begun); // a panic must not hold it
    assert!(
        count >= together,
        "only {count} of {together} parts were begun within 5 s: \
         does one thread wait until another has ended?"
    );
    part.filter(|number| is_prime(*number)).count()
}

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..number).take_while(|divisor| divisor * divisor <= number);
    number >= 2 && divisors.all(|divisor| !number.is_multiple_of(divisor))
}

fn number_is_right() -> Result<()> {
    for (limit, threads, expected) in [(100, 1, 25), (100, 7, 25), (50_000, 3, 5133), (2, 4, 0)] {
        let primes = count_primes(limit, threads);
        ensure!(
            primes == expected,
            "below {limit} there are {expected} primes, and {threads} threads counted {primes}"
        );
    }
    Ok(())
}

fn own_threads() -> Result<()> {
    count_primes(1000, 4);
    let begun = BEGUN.lock().unwrap();
    let threads: HashSet<ThreadId> = begun.iter().map(|(thread, _)| *thread).collect();
    ensure!(
        begun.len() == 4,
        "four parts were to be counted, and primes_in was called {} times",
        begun.len()
    );
    ensure!(
        !threads.contains(&thread::current().id()),
        "the main thread counted a part itself"
    );
    ensure!(
        threads.len() == 4,
        "four parts were counted by {} threads",
        threads.len()
    );
    Ok(())
}

fn same_time() -> Result<()> {
    *TOGETHER.lock().unwrap() = 4;
    let primes = count_primes(1000, 4);
    ensure!(primes == 168, "there are 168, not {primes}");
    Ok(())
}
