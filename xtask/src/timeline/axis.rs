//! The axis of time.

use std::time::Duration;

use support::readable_time;

/// More places than that would stand too close.
const MOST: u64 = 9;

/// Gives round moments from 0 up to `length` nanoseconds, and what is written there.
pub(super) fn ticks(length: u64) -> Vec<(u64, String)> {
    let steps =
        (0..20).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.saturating_pow(power)));
    let step = steps
        .into_iter()
        .find(|step| length / step < MOST)
        .unwrap_or(u64::MAX);
    let count = length / step;
    (0..=count)
        .map(|number| (number * step, written(number * step, step)))
        .collect()
}

/// Without decimals that say nothing: `0`, `20 ms`, `1.5 s`.
fn written(at: u64, step: u64) -> String {
    if at == 0 {
        return "0".to_owned();
    }
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    for (unit, size) in units {
        if step >= size {
            return format!("{} {unit}", at / size);
        }
    }
    readable_time(Duration::from_nanos(at))
}

#[cfg(test)]
mod tests {
    use super::ticks;

    fn words(length: u64) -> Vec<String> {
        ticks(length).into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn moments_are_round_and_few() {
        assert_eq!(words(1_700_000)[..3], ["0", "200 µs", "400 µs"]);
        assert_eq!(words(48_000_000), ["0", "10 ms", "20 ms", "30 ms", "40 ms"]);
        assert_eq!(
            words(1_000_000_000),
            ["0", "200 ms", "400 ms", "600 ms", "800 ms", "1000 ms"]
        );
        assert_eq!(words(1), ["0", "1 ns"]);
    }
}
