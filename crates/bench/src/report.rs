//! What was measured, as a table in Markdown, which can also be read on the terminal: medians, ratios, and whether they
//! meet the targets.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::rows::{Row, Side, Target};

/// What was measured of one side.
pub(crate) struct Results {
    pub(crate) row: &'static Row,
    pub(crate) side: &'static Side,
    /// The time of one operation, for each sample.
    pub(crate) nanoseconds: Vec<f64>,
    pub(crate) has_failed: bool,
}

const HEAD: &str = "\
|                     |   median |       min to max |  ratio | target |        |
|---|---:|---:|---:|---:|---|
";

/// Explains the table.
const LEGEND: &str = "Time of one operation: median, min and max. The ratio says how many times as fast \
    `multiprocess` is as the other side; with a target of at most (≤), how many times as long it takes.";

/// Where the README has the table.
const BEGIN: &str = "<!-- cargo xtask bench --readme writes from here -->\n";
const END: &str = "<!-- to here -->\n";

/// Returns the table, and how many targets are met and which are missed.
pub(crate) fn report(results: &[Results], machine: &Machine, rounds: u32) -> [String; 2] {
    let mut table = HEAD.to_owned();
    let (mut ours, mut met, mut missed) = (None, 0, Vec::new());
    for it in results {
        let (row, side) = (it.row, it.side);
        let is_ours = side.title == row.sides[0].title;
        if is_ours {
            ours = it.median();
            let _ = writeln!(table, "| **{}**: {} | | | | | |", row.name, row.title);
        }
        let both = ours.zip(it.median()).filter(|_| !is_ours);
        let compared = both.map(|(ours, other)| compare(ours, other, side.target, machine.cores));
        let (ratio, target, is_met) = compared.unwrap_or_default();
        let verdict = match is_met {
            None => "",
            Some(true) => "met",
            Some(false) => "missed",
        };
        met += usize::from(is_met == Some(true));
        missed.extend((is_met == Some(false)).then(|| format!("{} ({})", row.name, side.title)));
        let ([median, spread], title) = (it.figures(), side.title);
        let _ = writeln!(
            table,
            "| {title:19} | {median:>8} | {spread:>16} | {ratio:>6} | {target:>6} | {verdict:6} |"
        );
    }
    let rounds = match rounds {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds (what takes 10 s, in two)"),
    };
    let _ = writeln!(
        table,
        "\n{LEGEND} Measured in {rounds} on {}.",
        machine.description
    );
    let all = met + missed.len();
    let verdict = match missed.len() {
        0 => format!("All {all} targets are met.\n"),
        count => format!(
            "{count} of {all} targets are missed: {}.\n",
            missed.join(", ")
        ),
    };
    [table, verdict]
}

/// Returns the ratio and the target in words, and whether the target is met, if there is one.
fn compare(ours: f64, other: f64, target: Target, cores: usize) -> (String, String, Option<bool>) {
    let faster = other / ours;
    let (ratio, limit) = match target {
        Target::Any => (faster, None),
        Target::Faster(min) => (faster, Some(min)),
        Target::FasterPerCore(min) => {
            let cores = u32::try_from(cores).unwrap_or(u32::MAX);
            (
                faster,
                Some((min * f64::from(cores) * 100.0).round() / 100.0),
            )
        }
        Target::FasterOnTwoCores(min) => (faster, (cores > 1).then_some(min)),
        Target::AtMost(max) => (1.0 / faster, Some(max)),
    };
    let is_most = matches!(target, Target::AtMost(_));
    let words = limit.map(|limit| format!("{} {limit}", if is_most { "≤" } else { "≥" }));
    let is_met = limit.map(|limit| {
        if is_most {
            ratio <= limit
        } else {
            ratio >= limit
        }
    });
    (
        three_digits(ratio) + " ×",
        words.unwrap_or_default(),
        is_met,
    )
}

/// Returns the README with the table.
pub(crate) fn with_table(readme: &str, table: &str) -> Result<String> {
    let parts = readme.split_once(BEGIN);
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| {
        let (begin, end) = (BEGIN.trim(), END.trim());
        format!("README.md has no place for the table: it needs the lines {begin} and {end}")
    })?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

impl Results {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.nanoseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = *sorted.get(sorted.len() / 2)?;
        Some(f64::midpoint(sorted[(sorted.len() - 1) / 2], upper))
    }

    /// Returns the median, and the range from min to max, with one unit if both have it.
    fn figures(&self) -> [String; 2] {
        let Some(median) = self.median() else {
            let failed = if self.has_failed { "failed" } else { "" };
            return [failed.to_owned(), String::new()];
        };
        let sorted = self.sorted();
        let [min, max] = [sorted[0], sorted[sorted.len() - 1]].map(time);
        let (number, unit) = min.split_once(' ').unwrap_or_default();
        let has_unit = max.ends_with(&format!(" {unit}"));
        let min = if has_unit { number } else { &min };
        [time(median), format!("{min} to {max}")]
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..999.5 => three_digits(nanoseconds) + " ns",
        _ => support::readable_time(Duration::from_secs_f64(nanoseconds / 1e9)),
    }
}

fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::{Target, compare, with_table};

    #[test]
    fn ours_is_compared_as_the_target_says() {
        for (other, target, cores, expected) in [
            (160.0, Target::AtMost(2.0), 2, ("0.62 ×", "≤ 2", Some(true))),
            (40.0, Target::AtMost(2.0), 2, ("2.50 ×", "≤ 2", Some(false))),
            (300.0, Target::Faster(3.0), 2, ("3.00 ×", "≥ 3", Some(true))),
            (
                195.0,
                Target::FasterPerCore(0.95),
                2,
                ("1.95 ×", "≥ 1.9", Some(true)),
            ),
            (
                195.0,
                Target::FasterPerCore(0.95),
                4,
                ("1.95 ×", "≥ 3.8", Some(false)),
            ),
            (
                150.0,
                Target::FasterOnTwoCores(1.7),
                2,
                ("1.50 ×", "≥ 1.7", Some(false)),
            ),
            (
                150.0,
                Target::FasterOnTwoCores(1.7),
                1,
                ("1.50 ×", "", None),
            ),
        ] {
            let (ratio, words, is_met) = compare(100.0, other, target, cores);
            assert_eq!((&*ratio, &*words, is_met), expected);
        }
    }

    #[test]
    fn the_new_table_replaces_the_old() {
        let readme = include_str!("../../../README.md");
        let with = |table| with_table(readme, table).unwrap();
        assert_eq!(with_table(&with("old"), "new").unwrap(), with("new"));
        assert!(with_table("# Title\n", "new").is_err());
    }
}
