//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use checks::primes_in;
use std::ops::Range;
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    support::run_checks(checks::CHECKS)
}

/// Splits the numbers below `limit` into as many ranges as there are threads, and returns them one by one.
fn parts(limit: u64, threads: u64) -> impl Iterator<Item = Range<u64>> {
    (0..threads).map(move |part| limit * part / threads..limit * (part + 1) / threads)
}

/// Counts the primes below `limit`, each part in a thread of its own.
pub fn count_primes(limit: u64, threads: u64) -> usize {
    let mut counting = Vec::new();
    for part in parts(limit, threads) {
        counting.push(thread::spawn(|| primes_in(part)));
    }
    let mut primes = 0;
    for thread in counting {
        primes += thread.join().unwrap();
    }
    primes
}
