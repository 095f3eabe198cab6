//! The factorial of a large number.

use num_bigint::BigUint;
use std::thread;

/// Returns `number`!, computed with up to `threads` threads.
pub fn of(number: u64, threads: usize) -> BigUint {
    product(1, number, threads)
}

/// Multiplies the numbers from `first` to `last`: a product tree.
fn product(first: u64, last: u64, threads: usize) -> BigUint {
    if last < first + 16 {
        return (first..=last).product();
    }
    let middle = (first + last) / 2;
    if threads < 2 {
        return product(first, middle, 1) * product(middle + 1, last, 1);
    }
    thread::scope(|scope| {
        let left = scope.spawn(|| product(first, middle, threads / 2));
        let right = product(middle + 1, last, threads - threads / 2);
        left.join().unwrap() * right
    })
}

#[cfg(test)]
mod tests {
    use super::of;
    use num_bigint::BigUint;

    #[test]
    fn every_factorial_up_to_1000_is_the_running_product() {
        let mut running = BigUint::from(1u32);
        assert_eq!(of(0, 1), running);
        for number in 1..=1000u64 {
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
        assert_eq!(alone / of(29_999, 1), BigUint::from(30_000u32));
    }
}
