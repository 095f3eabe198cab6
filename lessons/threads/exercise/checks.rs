//! The checks of the exercise, and the function that it calls.

use super::count_primes;
use anyhow::{Result, bail, ensure};
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

/// How long the first parts wait for the others to begin.
const LIMIT: Duration = Duration::from_secs(3);

/// What has happened so far.
struct Parts {
    /// The thread that began each part.
    threads: Vec<ThreadId>,
    /// The number of parts that have to begin before the first may go on.
    wait_for: usize,
    /// The number of parts that had begun when the limit was over, if these were too few.
    too_few: Option<usize>,
}

static PARTS: Mutex<Parts> = Mutex::new(Parts {
    threads: Vec::new(),
    wait_for: 0,
    too_few: None,
});
static ANOTHER_BEGINS: Condvar = Condvar::new();

/// Counts the primes in a range of numbers, by trying to divide them.
pub fn primes_in(part: Range<u64>) -> usize {
    let mut parts = PARTS.lock().unwrap();
    parts.threads.push(thread::current().id());
    ANOTHER_BEGINS.notify_all();
    let (mut parts, waited) = ANOTHER_BEGINS
        .wait_timeout_while(parts, LIMIT, |parts| parts.threads.len() < parts.wait_for)
        .unwrap();
    if waited.timed_out() {
        parts.too_few = Some(parts.threads.len());
        parts.wait_for = 0;
        ANOTHER_BEGINS.notify_all();
    }
    drop(parts); // so that the parts can be counted at the same time
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
            "there are {expected} primes below {limit}, but {threads} threads counted {primes}"
        );
    }
    Ok(())
}

fn own_threads() -> Result<()> {
    count_primes(1000, 4);
    let begun = PARTS.lock().unwrap().threads.clone();
    let calls = begun.len();
    ensure!(
        calls == 4,
        "there are four parts, but primes_in was called {calls} times"
    );
    let threads: HashSet<ThreadId> = begun.into_iter().collect();
    ensure!(
        !threads.contains(&thread::current().id()),
        "the main thread counts a part itself"
    );
    ensure!(
        threads.len() == 4,
        "there are four parts, but only {} threads counted them",
        threads.len()
    );
    Ok(())
}

fn same_time() -> Result<()> {
    PARTS.lock().unwrap().wait_for = 4;
    count_primes(1000, 4);
    if let Some(begun) = PARTS.lock().unwrap().too_few {
        bail!(
            "after 3 seconds, only {begun} of 4 parts had begun: \
             does each thread have to finish before the next one starts?"
        );
    }
    Ok(())
}
