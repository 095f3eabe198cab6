use support::readable_time;

use crate::bench::rows::{Asked, Row, Shown, Side};

/// What came of measuring a row.
pub(crate) struct Finding {
    pub(crate) row: &'static Row,
    /// In the order of the row's sides.
    pub(crate) sides: Vec<Measured>,
}

/// What came of measuring a side.
pub(crate) struct Measured {
    pub(crate) side: &'static Side,
    /// Nanoseconds of one operation, in the order in which they were measured.
    pub(crate) nanoseconds: Vec<f64>,
    /// Why it could not be measured.
    pub(crate) failure: Option<String>,
}

/// Our speed beside that of a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ratio {
    /// We are so many times as fast.
    Faster(f64),
    /// We take so many times as long.
    Longer(f64),
}

/// A [`Ratio`] that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// As [`Ratio::Faster`], at least.
    AtLeast(f64),
    /// As [`Ratio::Longer`], at most.
    AtMost(f64),
}

/// A side beside ours.
#[derive(Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) ratio: Ratio,
    pub(crate) goal: Option<Goal>,
}

impl Finding {
    pub(crate) fn new(row: &'static Row) -> Self {
        let measured = |side| Measured {
            side,
            nanoseconds: Vec::new(),
            failure: None,
        };
        Self {
            row,
            sides: row.sides.iter().map(measured).collect(),
        }
    }

    /// Compares ours with another side; nothing for ours itself, and where one was not measured.
    pub(crate) fn comparison(&self, other: &Measured, cores: usize) -> Option<Comparison> {
        let ours = self.sides.first()?;
        if ours.side.name == other.side.name {
            return None;
        }
        let faster = other.median()? / ours.median()?;
        let goal = match other.side.asked {
            Asked::Nothing => None,
            Asked::Faster(least) => Some(Goal::AtLeast(least)),
            Asked::FasterPerCore(least) => {
                let cores = u32::try_from(cores).unwrap_or(u32::MAX);
                Some(Goal::AtLeast(least * f64::from(cores)))
            }
            Asked::FasterOnTwoCores(least) => (cores > 1).then_some(Goal::AtLeast(least)),
            Asked::AtMost(most) => Some(Goal::AtMost(most)),
        };
        let ratio = match goal {
            Some(Goal::AtMost(_)) => Ratio::Longer(1.0 / faster),
            _ => Ratio::Faster(faster),
        };
        Some(Comparison { ratio, goal })
    }
}

impl Measured {
    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.nanoseconds.clone();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = sorted[(sorted.len() - 1) / 2];
        Some(f64::midpoint(lower, upper))
    }

    /// The least and the most.
    pub(crate) fn spread(&self) -> Option<(f64, f64)> {
        let least = self.nanoseconds.iter().copied().min_by(f64::total_cmp)?;
        let most = self.nanoseconds.iter().copied().max_by(f64::total_cmp)?;
        Some((least, most))
    }
}

impl Comparison {
    /// Whether what is asked for holds; nothing where nothing is asked.
    pub(crate) fn holds(&self) -> Option<bool> {
        Some(match (self.goal?, self.ratio) {
            (Goal::AtLeast(least), Ratio::Faster(faster)) => faster >= least,
            (Goal::AtMost(most), Ratio::Longer(longer)) => longer <= most,
            _ => false,
        })
    }

    /// Writes the ratio down.
    pub(crate) fn ratio_words(&self) -> String {
        let (Ratio::Faster(ratio) | Ratio::Longer(ratio)) = self.ratio;
        format!("{} ×", three_digits(ratio))
    }

    /// Writes down what is asked for; nothing if that is nothing.
    pub(crate) fn goal_words(&self) -> String {
        match self.goal {
            None => String::new(),
            Some(Goal::AtLeast(least)) => format!("≥ {}", number(least)),
            Some(Goal::AtMost(most)) => format!("≤ {}", number(most)),
        }
    }

    /// Writes down whether it holds; nothing where nothing is asked.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.holds() {
            None => "",
            Some(true) => "holds",
            Some(false) => "short",
        }
    }
}

/// What the signs in the tables mean.
pub(crate) const LEGEND: &str = "Medians, and the least and the most. The ratio says how many times as fast \
    `multiprocess` is as the other side, which is to be at least (≥) what is asked; or, where at most (≤) is asked, \
    how many times as long it takes.";

/// Writes a measurement down, as a time or as a rate.
pub(crate) fn amount(nanoseconds: f64, shown: Shown) -> String {
    match shown {
        Shown::Time => time(nanoseconds),
        Shown::Rate => rate(1e9 / nanoseconds),
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 999.5 {
        return format!("{} ns", three_digits(nanoseconds));
    }
    readable_time(std::time::Duration::from_secs_f64(nanoseconds / 1e9))
}

fn rate(per_second: f64) -> String {
    for (unit, size) in [("M", 1e6), ("k", 1e3)] {
        if per_second >= size {
            return format!("{} {unit}/s", three_digits(per_second / size));
        }
    }
    format!("{per_second:.0} /s")
}

fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

/// Writes a number that somebody chose, with the digits that it has.
fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Finding, Goal, Ratio, amount};
    use crate::bench::rows::{ROWS, Row, Shown};

    fn row(name: &str) -> &'static Row {
        ROWS.iter().find(|row| row.name == name).unwrap()
    }

    /// A finding in which each side took so many nanoseconds.
    fn finding(name: &str, nanoseconds: &[&[f64]]) -> Finding {
        let mut finding = Finding::new(row(name));
        for (side, nanoseconds) in finding.sides.iter_mut().zip(nanoseconds) {
            side.nanoseconds = nanoseconds.to_vec();
        }
        finding
    }

    fn words(finding: &Finding, side: usize, cores: usize) -> String {
        let comparison = finding.comparison(&finding.sides[side], cores).unwrap();
        let (ratio, goal) = (comparison.ratio_words(), comparison.goal_words());
        format!("{ratio} {goal} {}", comparison.verdict())
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let finding = finding("lock", &[&[30.0, 10.0, 500.0], &[4.0, 2.0]]);
        assert_eq!(finding.sides[0].median(), Some(30.0));
        assert_eq!(finding.sides[0].spread(), Some((10.0, 500.0)));
        assert_eq!(finding.sides[1].median(), Some(3.0));
        assert_eq!(finding.sides[2].median(), None);
    }

    #[test]
    fn ours_is_compared_in_the_way_that_is_asked_for() {
        let finding = finding("lock", &[&[20.0], &[16.0], &[30.0]]);
        assert_eq!(words(&finding, 1, 2), "1.25 × ≤ 2 holds");
        assert_eq!(words(&finding, 2, 2), "1.50 × ≥ 2 short");
        let comparison = finding.comparison(&finding.sides[1], 2).unwrap();
        assert_eq!(comparison.ratio, Ratio::Longer(1.25));
        assert_eq!(comparison.goal, Some(Goal::AtMost(2.0)));
        assert!(finding.comparison(&finding.sides[0], 2).is_none());
    }

    #[test]
    fn exactly_what_is_asked_holds() {
        let finding = finding("pipe", &[&[10.0], &[10.0], &[10.0], &[30.0]]);
        assert_eq!(words(&finding, 1, 2), "1.00 × ≤ 1 holds");
        assert_eq!(words(&finding, 3, 2), "3.00 × ≥ 3 holds");
    }

    #[test]
    fn what_is_asked_of_parallel_work_depends_on_the_cores() {
        let work = finding("pool-work", &[&[100.0], &[185.0]]);
        assert_eq!(words(&work, 1, 2), "1.85 × ≥ 1.8 holds");
        assert_eq!(words(&work, 1, 4), "1.85 × ≥ 3.6 short");
        let product = finding("factorial-cores", &[&[1e9], &[1.5e9]]);
        assert_eq!(words(&product, 1, 2), "1.50 × ≥ 1.7 short");
        assert_eq!(words(&product, 1, 1), "1.50 ×  ");
    }

    #[test]
    fn where_a_side_was_not_measured_there_is_no_ratio() {
        let finding = finding("lock", &[&[20.0], &[], &[]]);
        assert!(finding.comparison(&finding.sides[1], 2).is_none());
    }

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        assert_eq!(amount(20.547, Shown::Time), "20.5 ns");
        assert_eq!(amount(4_352_706.0, Shown::Time), "4.35 ms");
        assert_eq!(amount(142.77, Shown::Rate), "7.00 M/s");
        assert_eq!(amount(5_000.0, Shown::Rate), "200 k/s");
    }
}
