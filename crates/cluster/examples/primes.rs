//! Counts the primes below two million, a thousand numbers at a time. Started by `mpirun`, it uses all machines.

use cluster::{ClusterPool, task};

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 1 && divisors.all(|divisor| !number.is_multiple_of(divisor))
}

fn count_primes(start: u64) -> usize {
    let numbers = start..start + 1000;
    numbers.filter(|number| is_prime(*number)).count()
}

fn main() -> anyhow::Result<()> {
    cluster::init([task(count_primes)]);
    let pool = ClusterPool::new()?;
    let counts = pool.map(count_primes, (0..2_000_000).step_by(1000))?;
    let primes: usize = counts.iter().sum();
    println!("{} workers found {primes} primes", pool.workers());
    Ok(())
}
