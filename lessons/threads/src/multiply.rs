//! One big product, with its parts worked out in several threads.

use num_bigint::BigInt;
use std::thread;

/// Below this many bits starting a thread costs more than it saves.
const WORTH_A_THREAD: u64 = 50_000;

/// Multiplies with up to `threads` threads.
///
/// The factors are taken as polynomials of degree 2, whose digits are `at` bits long. Their product
/// has degree 4, so five of its values determine it: those at 0, -2, -1, 1 and at infinity, which
/// is the leading digit. Each value is a product of numbers a third as long, and none needs
/// another. That is the method of Toom and Cook, with Bodrato's order of the final steps;
/// num-bigint does the same inside one thread.
pub fn multiply(a: &BigInt, b: &BigInt, threads: usize) -> BigInt {
    let (short, long) = if a.bits() < b.bits() { (a, b) } else { (b, a) };
    if threads < 2 || short.bits() < WORTH_A_THREAD {
        return short * long;
    }
    if short.bits() * 2 <= long.bits() {
        return multiply_by_halves(short, long, threads);
    }

    let at = whole_words(long.bits() / 3) + 64;
    let [a0, a_minus_two, a_minus_one, a_one, a2] = evaluate(short, at);
    let [b0, b_minus_two, b_minus_one, b_one, b2] = evaluate(long, at);
    let ((zero, minus_two), (minus_one, one)) = both(
        threads,
        |threads| {
            both(
                threads,
                |threads| multiply(&a0, &b0, threads),
                |threads| multiply(&a_minus_two, &b_minus_two, threads),
            )
        },
        |threads| {
            both(
                threads,
                |threads| multiply(&a_minus_one, &b_minus_one, threads),
                |threads| multiply(&a_one, &b_one, threads),
            )
        },
    );
    // Four products kept the threads evenly busy; the fifth is shared out again.
    let infinity = multiply(&a2, &b2, threads);

    let mut third: BigInt = (minus_two - &one) / 3;
    let mut first: BigInt = (one - &minus_one) >> 1;
    let mut second = minus_one - &zero;
    third = ((&second - third) >> 1) + (&infinity << 1);
    second += &first - &infinity;
    first -= &third;
    [third, second, first, zero]
        .into_iter()
        .fold(infinity, |sum, digit| (sum << at) + digit)
}

/// Multiplies a short number with the two halves of a long one.
fn multiply_by_halves(short: &BigInt, long: &BigInt, threads: usize) -> BigInt {
    let at = whole_words(long.bits() / 2);
    let (low, high) = cut(long, at);
    let (low, high) = both(
        threads,
        |threads| multiply(short, &low, threads),
        |threads| multiply(short, &high, threads),
    );
    (high << at) + low
}

/// Gives the values of `number`'s polynomial at 0, -2, -1, 1 and infinity.
fn evaluate(number: &BigInt, at: u64) -> [BigInt; 5] {
    let (zero, rest) = cut(number, at);
    let (middle, infinity) = cut(&rest, at);
    let even = &zero + &infinity;
    let one = &even + &middle;
    let minus_one = even - middle;
    let minus_two = ((&minus_one + &infinity) << 1) - &zero;
    [zero, minus_two, minus_one, one, infinity]
}

/// Cuts a number in its lower `at` bits and the rest.
fn cut(number: &BigInt, at: u64) -> (BigInt, BigInt) {
    let high = number >> at;
    (number - (&high << at), high)
}

/// Rounds down to whole 64-bit words: shifts by those are plain copies.
fn whole_words(bits: u64) -> u64 {
    bits / 64 * 64
}

/// Does both, beside each other where there are threads for it, each with its share of them.
pub fn both<L: Send, R>(
    threads: usize,
    left: impl FnOnce(usize) -> L + Send,
    right: impl FnOnce(usize) -> R,
) -> (L, R) {
    if threads < 2 {
        return (left(1), right(1));
    }
    thread::scope(|scope| {
        let left = scope.spawn(|| left(threads / 2));
        let right = right(threads - threads / 2);
        (left.join().unwrap(), right)
    })
}

#[cfg(test)]
mod tests {
    use super::multiply;
    use num_bigint::BigInt;

    #[test]
    fn threads_give_the_same_product_for_every_shape() {
        let long = BigInt::from(3).pow(250_000);
        let sizes = [0, 1, 49_999, 132_000, 133_000, 200_000, 264_000, 396_000];
        for bits in sizes {
            let other = -(&long >> (long.bits() - bits));
            let expected = &long * &other;
            for threads in 1..=5 {
                assert_eq!(multiply(&long, &other, threads), expected, "{bits} bits");
                assert_eq!(multiply(&other, &long, threads), expected, "{bits} bits");
            }
        }
    }
}
