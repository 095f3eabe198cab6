//! A Python module whose one function uses all cores.

use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    divisors.all(|divisor| number % divisor != 0)
}

/// Counts the primes below `limit`, with a thread for each core.
#[pyfunction]
fn count_primes(py: Python<'_>, limit: u64) -> usize {
    let next = AtomicU64::new(2);
    let count_parts = || {
        let mut count = 0;
        loop {
            let start = next.fetch_add(1000, Ordering::Relaxed);
            if start >= limit {
                return count;
            }
            let part = start..limit.min(start + 1000);
            count += part.filter(|number| is_prime(*number)).count();
        }
    };
    // Without the GIL: Python's other threads go on meanwhile.
    py.detach(|| {
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(count_parts)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum()
        })
    })
}

#[pymodule]
fn primes(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(count_primes, module)?)
}
