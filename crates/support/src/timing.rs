use std::time::{Duration, Instant};

/// Runs `work` and returns its result together with the time it took.
///
/// In Python you'd call `time.perf_counter()` before and after. This is elapsed time, which includes
/// waiting, from a clock that never runs backwards.
///
/// # Examples
///
/// ```
/// let (sum, time) = support::timed(|| (1..=100).sum::<u32>());
/// assert_eq!(sum, 5050);
/// println!("the sum took {}", support::readable_time(time));
/// ```
#[must_use = "the result of the work comes back together with its time"]
pub fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Returns a duration with three digits and its unit: `2.05 s`, `13.4 ms`, `850 µs`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use support::readable_time;
///
/// assert_eq!(readable_time(Duration::from_millis(2054)), "2.05 s");
/// assert_eq!(readable_time(Duration::from_micros(13_420)), "13.4 ms");
/// ```
#[must_use]
pub fn readable_time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    // Just below the next unit, the digits round up to it: 999.9 ms is 1.00 s.
    for (unit, per_second) in [("s", 1.0), ("ms", 1e3), ("µs", 1e6)] {
        let amount = seconds * per_second;
        if amount >= 0.9995 {
            return format!("{amount:.*} {unit}", decimals(amount));
        }
    }
    format!("{} ns", time.as_nanos())
}

/// Returns the number of decimals with which `amount` has three digits.
fn decimals(amount: f64) -> usize {
    if amount >= 99.95 {
        0
    } else if amount >= 9.995 {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::{readable_time, timed};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn times_have_three_digits_and_the_right_unit() {
        let shown = |nanoseconds| readable_time(Duration::from_nanos(nanoseconds));
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(999), "999 ns");
        assert_eq!(shown(1_000), "1.00 µs");
        assert_eq!(shown(850_000), "850 µs");
        assert_eq!(shown(9_994_000), "9.99 ms");
        assert_eq!(shown(9_996_000), "10.0 ms");
        assert_eq!(shown(99_960_000), "100 ms");
        assert_eq!(shown(999_600_000), "1.00 s");
        assert_eq!(shown(14_420_000_000), "14.4 s");
        assert_eq!(shown(120_000_000_000), "120 s");
    }

    #[test]
    fn the_time_covers_the_work_and_the_result_comes_back() {
        let pause = Duration::from_millis(20);
        let ((), time) = timed(|| thread::sleep(pause));
        assert!(time >= pause);
        assert_eq!(timed(|| 7).0, 7);
    }
}
