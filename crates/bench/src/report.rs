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
|                     |   median |         min to max |  ratio | target |        |
|---|---:|---:|---:|---:|---|
";

/// Explains the table.
const LEGEND: &str = "Time of one operation: median, min and max. The ratio says how many times as fast \
    `multiprocess` is as the other side; with a target of at most (≤), how many times as long it takes.";

/// Where the README has the table.
const BEGIN: &str = "<!-- cargo xtask bench --readme writes from here -->\n";
const END: &str = "<!-- to here -->\n";

/// Returns the table, and which targets are missed.
pub(crate) fn report(results: &[Results], machine: &Machine, rounds: u32) -> [String; 2] {
    let mut table = HEAD.to_owned();
    let (mut ours, mut missed) = (None, Vec::new());
    for it in results {
        let (row, title) = (it.row, it.side.title);
        let mut compared = (String::new(), String::new(), "");
        if title == row.sides[0].title {
            ours = it.median();
            let _ = writeln!(table, "| **{}**: {} | | | | | |", row.name, row.title);
        } else if let Some((ours, other)) = ours.zip(it.median()) {
            compared = compare(ours, other, it.side.target, machine.cores);
        }
        let (ratio, target, verdict) = compared;
        missed.extend((verdict == "missed").then(|| format!("{} ({title})", row.name)));
        let [median, spread] = it.figures();
        let _ = writeln!(
            table,
            "| {title:19} | {median:>8} | {spread:>18} | {ratio:>6} | {target:>6} | {verdict:6} |"
        );
    }
    let about = &machine.description;
    let _ = writeln!(
        table,
        "\n{LEGEND} Rounds: {rounds} (of what takes 10 s, two). {about}."
    );
    let verdict = match missed.len() {
        0 => "No target is missed.\n".to_owned(),
        count => format!("Missed targets ({count}): {}.\n", missed.join(", ")),
    };
    [table, verdict]
}

/// Returns the ratio, the target, and whether it is met.
fn compare(ours: f64, other: f64, target: Target, cores: u32) -> (String, String, &'static str) {
    let (limit, ratio) = match target {
        Target::Any => (None, other / ours),
        Target::Faster(min) => (Some(min), other / ours),
        Target::FasterPerCore(min) => (Some(min * f64::from(cores)), other / ours),
        Target::FasterOnTwoCores(min) => ((cores > 1).then_some(min), other / ours),
        Target::AtMost(max) => (Some(max), ours / other),
    };
    let ratio_words = three_digits(ratio) + " ×";
    let Some(limit) = limit.map(|limit| (limit * 100.0).round() / 100.0) else {
        return (ratio_words, String::new(), "");
    };
    let (sign, is_met) = match target {
        Target::AtMost(_) => ("≤", ratio <= limit),
        _ => ("≥", ratio >= limit),
    };
    let verdict = if is_met { "met" } else { "missed" };
    (ratio_words, format!("{sign} {limit}"), verdict)
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

    /// Returns the median, and the range from min to max.
    fn figures(&self) -> [String; 2] {
        let sorted = self.sorted();
        match (sorted.as_slice(), self.median()) {
            ([min, .., max], Some(median)) => {
                [time(median), format!("{} to {}", time(*min), time(*max))]
            }
            (_, Some(median)) => [time(median), String::new()],
            _ if self.has_failed => ["failed".to_owned(), String::new()],
            _ => Default::default(),
        }
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
            (160.0, Target::AtMost(2.0), 2, "0.62 × ≤ 2 met"),
            (40.0, Target::AtMost(2.0), 2, "2.50 × ≤ 2 missed"),
            (300.0, Target::Faster(3.0), 2, "3.00 × ≥ 3 met"),
            (195.0, Target::FasterPerCore(0.95), 2, "1.95 × ≥ 1.9 met"),
            (195.0, Target::FasterPerCore(0.95), 4, "1.95 × ≥ 3.8 missed"),
            (
                150.0,
                Target::FasterOnTwoCores(1.7),
                2,
                "1.50 × ≥ 1.7 missed",
            ),
            (150.0, Target::FasterOnTwoCores(1.7), 1, "1.50 ×  "),
        ] {
            let (ratio, limit, verdict) = compare(100.0, other, target, cores);
            assert_eq!(format!("{ratio} {limit} {verdict}"), expected);
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
