//! What was measured: medians, ratios, and whether they meet the targets.

use std::time::Duration;

use crate::rows::{Row, Side, Target};

pub(crate) struct RowResults {
    pub(crate) row: &'static Row,
    pub(crate) sides: Vec<SideResults>,
}

pub(crate) struct SideResults {
    pub(crate) side: &'static Side,
    /// The time of one operation, for each sample.
    pub(crate) nanoseconds: Vec<f64>,
    pub(crate) has_failed: bool,
}

/// Our speed beside another side's.
pub(crate) struct Comparison {
    pub(crate) ratio: f64,
    /// In words, or empty.
    pub(crate) target: String,
    /// Whether the target is met, if there is one.
    pub(crate) is_met: Option<bool>,
}

impl RowResults {
    pub(crate) fn new(row: &'static Row) -> Self {
        let results = |side| SideResults {
            side,
            nanoseconds: Vec::new(),
            has_failed: false,
        };
        let sides = row.sides.iter().map(results).collect();
        Self { row, sides }
    }

    /// Compares ours with another side; `None` for ours itself, and where one was not measured.
    pub(crate) fn comparison(&self, other: &SideResults, cores: usize) -> Option<Comparison> {
        let ours = &self.sides[0];
        if ours.side.title == other.side.title {
            return None;
        }
        let faster = other.median()? / ours.median()?;
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let (ratio, sign, limit) = match other.side.target {
            Target::Any => (faster, "", None),
            Target::Faster(min) => (faster, "≥", Some(min)),
            Target::FasterPerCore(min) => (faster, "≥", Some(min * f64::from(cores))),
            Target::FasterOnTwoCores(min) => (faster, "≥", (cores > 1).then_some(min)),
            Target::AtMost(max) => (1.0 / faster, "≤", Some(max)),
        };
        let limit = limit.map(|limit| (limit * 100.0).round() / 100.0);
        let is_met = |limit| match sign {
            "≤" => ratio <= limit,
            _ => ratio >= limit,
        };
        Some(Comparison {
            ratio,
            target: limit.map_or(String::new(), |limit| format!("{sign} {limit}")),
            is_met: limit.map(is_met),
        })
    }
}

impl SideResults {
    pub(crate) fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = *sorted.get(sorted.len() / 2)?;
        Some(f64::midpoint(sorted[(sorted.len() - 1) / 2], upper))
    }

    pub(crate) fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.nanoseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Returns the time of an operation, or its rate, in words.
pub(crate) fn amount(nanoseconds: f64, is_rate: bool) -> String {
    match 1e9 / nanoseconds {
        rate if is_rate && rate < 1e6 => format!("{} k/s", three_digits(rate / 1e3)),
        rate if is_rate => format!("{} M/s", three_digits(rate / 1e6)),
        _ if nanoseconds < 999.5 => format!("{} ns", three_digits(nanoseconds)),
        _ => support::readable_time(Duration::from_secs_f64(nanoseconds / 1e9)),
    }
}

pub(crate) fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{RowResults, amount};
    use crate::rows::Row;

    /// Results in which each side took so many nanoseconds.
    pub(crate) fn results(name: &str, nanoseconds: &[&[f64]]) -> RowResults {
        let mut results = RowResults::new(Row::find(name).unwrap());
        for (side, nanoseconds) in results.sides.iter_mut().zip(nanoseconds) {
            side.nanoseconds = nanoseconds.to_vec();
        }
        results
    }

    fn words(results: &RowResults, side: usize, cores: usize) -> String {
        let it = results.comparison(&results.sides[side], cores).unwrap();
        format!("{:.2} {} {:?}", it.ratio, it.target, it.is_met)
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let results = results("lock", &[&[30.0, 10.0, 500.0], &[4.0, 2.0]]);
        assert_eq!(results.sides[0].median(), Some(30.0));
        assert_eq!(results.sides[1].median(), Some(3.0));
        assert_eq!(results.sides[2].median(), None);
        assert!(results.comparison(&results.sides[2], 2).is_none());
    }

    #[test]
    fn ours_is_compared_as_the_target_says() {
        let lock = results("lock", &[&[20.0], &[16.0], &[30.0]]);
        assert!(lock.comparison(&lock.sides[0], 2).is_none());
        assert_eq!(words(&lock, 1, 2), "1.25 ≤ 2 Some(true)");
        assert_eq!(words(&lock, 2, 2), "1.50 ≥ 2 Some(false)");
        let pipe = results("pipe", &[&[10.0], &[10.0], &[10.0], &[30.0]]);
        assert_eq!(words(&pipe, 1, 2), "1.00 ≤ 1 Some(true)");
        assert_eq!(words(&pipe, 3, 2), "3.00 ≥ 3 Some(true)");
        let work = results("pool-work", &[&[100.0], &[195.0]]);
        assert_eq!(words(&work, 1, 2), "1.95 ≥ 1.9 Some(true)");
        assert_eq!(words(&work, 1, 4), "1.95 ≥ 3.8 Some(false)");
        let product = results("factorial-cores", &[&[1e9], &[1.5e9]]);
        assert_eq!(words(&product, 1, 2), "1.50 ≥ 1.7 Some(false)");
        assert_eq!(words(&product, 1, 1), "1.50  None");
    }

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        assert_eq!(amount(20.547, false), "20.5 ns");
        assert_eq!(amount(4_352_706.0, false), "4.35 ms");
        assert_eq!(amount(142.77, true), "7.00 M/s");
        assert_eq!(amount(5_000.0, true), "200 k/s");
    }
}
