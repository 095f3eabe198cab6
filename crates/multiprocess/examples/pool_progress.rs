//! Counts the primes below two million in a pool, and shows a progress bar.

use std::io::{IsTerminal, stderr};
use std::ops::Range;

use multiprocess::{Error, Pool, task};

const BELOW: u64 = 2_000_000;
const STEP: u64 = 10_000;

fn main() -> Result<(), Error> {
    multiprocess::init([task(primes_in)]);
    let pool = Pool::builder().build()?;
    let ranges = (0..BELOW / STEP).map(|step| step * STEP..(step + 1) * STEP);
    let is_terminal = stderr().is_terminal();
    let counts = pool
        .on_progress(|progress| {
            if let (true, Some(total)) = (is_terminal, progress.total) {
                let done = 40 * progress.done / total;
                eprint!("\r[{:<40}]", "#".repeat(done));
            }
        })
        .map(primes_in, ranges)?;
    if is_terminal {
        eprintln!();
    }
    let count: usize = counts.iter().sum();
    println!(
        "{count} primes below {BELOW}, counted by {} processes",
        pool.workers()
    );
    Ok(())
}

fn primes_in(range: Range<u64>) -> usize {
    range.filter(|&number| is_prime(number)).count()
}

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 1 && divisors.all(|divisor| !number.is_multiple_of(divisor))
}
