//! The factorial of a large number.

use crate::multiply::{both, multiply};
use num_bigint::BigInt;

/// Computes `number`! with up to `threads` threads.
///
/// Powers of two are a shift at the end. What is left is the odd part of the factorial of half the
/// number, squared, times a rather small rest, the swing; so one long product serves twice.
pub fn of(number: u64, threads: usize) -> BigInt {
    let twos = number - u64::from(number.count_ones());
    odd_part(number, &odd_primes(number), threads) << twos
}

fn odd_part(number: u64, primes: &[u64], threads: usize) -> BigInt {
    if number < 3 {
        return BigInt::from(1);
    }
    let half = odd_part(number / 2, primes, threads);
    let swing = product(&swing_factors(number, primes), threads);
    let rest = multiply(&half, &swing, threads);
    multiply(&half, &rest, threads)
}

/// The product tree: each number is multiplied with one of about its own length.
/// The two branches need nothing of each other.
fn product(factors: &[u64], threads: usize) -> BigInt {
    if factors.len() <= 16 {
        return factors.iter().product();
    }
    let (left, right) = factors.split_at(factors.len() / 2);
    let (left, right) = both(
        threads,
        |threads| product(left, threads),
        |threads| product(right, threads),
    );
    multiply(&left, &right, threads)
}

/// Factors of `number`! / (`number` / 2)!², without the twos, as few as fit into 64 bits each.
///
/// A prime is in it as often as `number` / prime, / prime², / prime³ … are odd.
fn swing_factors(number: u64, primes: &[u64]) -> Vec<u64> {
    let mut factors = Vec::new();
    let mut factor: u64 = 1;
    for prime in primes.iter().take_while(|prime| **prime <= number) {
        let mut power = 1;
        let mut quotient = number / prime;
        while quotient > 0 {
            if quotient % 2 == 1 {
                power *= prime;
            }
            quotient /= prime;
        }
        match factor.checked_mul(power) {
            Some(larger) => factor = larger,
            None => {
                factors.push(factor);
                factor = power;
            }
        }
    }
    factors.push(factor);
    factors
}

/// The sieve of Eratosthenes, without the 2.
fn odd_primes(up_to: u64) -> Vec<u64> {
    let up_to = up_to as usize;
    let mut composite = vec![false; up_to + 1];
    let mut primes = Vec::new();
    for number in (3..=up_to).step_by(2) {
        if !composite[number] {
            primes.push(number as u64);
            for multiple in (number * number..=up_to).step_by(2 * number) {
                composite[multiple] = true;
            }
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::of;
    use num_bigint::BigInt;

    #[test]
    fn small_factorials_are_the_known_ones() {
        for (number, factorial) in [
            (0, "1"),
            (1, "1"),
            (5, "120"),
            (20, "2432902008176640000"),
            (25, "15511210043330985984000000"),
        ] {
            assert_eq!(of(number, 1).to_string(), factorial);
        }
    }

    #[test]
    fn every_factorial_up_to_1000_is_the_running_product() {
        let mut running = BigInt::from(1);
        assert_eq!(of(0, 1), running);
        for number in 1..=1000 {
            running *= number;
            assert_eq!(of(number, 1), running, "{number}! in one thread");
            assert_eq!(of(number, 2), running, "{number}! in two threads");
        }
    }

    #[test]
    fn a_large_factorial_is_the_same_in_any_number_of_threads() {
        let alone = of(30_000, 1);
        for threads in 2..=5 {
            assert_eq!(of(30_000, threads), alone);
        }
        assert_eq!(alone / of(29_999, 1), BigInt::from(30_000));
    }
}
