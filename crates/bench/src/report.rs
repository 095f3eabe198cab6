//! Makes a table of the results in Markdown, which is readable on the terminal too: medians, ratios, and whether they
//! meet the targets.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::rows::{Row, Target};

const HEAD: &str = "\
|                     |   median |         min to max |  ratio | target |        |
|---|---:|---:|---:|---:|---|
";

const LEGEND: &str = "Time of one operation: median, min and max. The ratio says how many times as fast \
    `multiprocess` is as the other side; with a target of at most (≤), how many times as long it takes.";

/// Prints the machine and the versions.
const DESCRIBE: &str = "printf '%s cores, ' $(nproc)
    { sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
    uname -sr; rustc -V; python3 --version; date +%Y-%m-%d; } | paste -sd , | sed 's/,/, /g'";

/// Returns the table, and a description of the machine.
pub(crate) fn report(rows: &[Row], rounds: u32) -> String {
    let mut table = HEAD.to_owned();
    for row in rows {
        let _ = writeln!(table, "| **{}**: {} | | | | | |", row.name, row.title);
        let ours = row.sides[0].samples.as_deref().and_then(range);
        for (place, side) in row.sides.iter().enumerate() {
            let range = side.samples.as_deref().and_then(range);
            let [ratio, target, verdict] = match (place, ours, range) {
                (1.., Some([_, ours, _]), Some([_, it, _])) => compare(ours, it, side.target),
                _ => Default::default(),
            };
            let [median, spread] = match range.map(|range| range.map(time)) {
                Some([min, median, max]) => [median, format!("{min} to {max}")],
                None if side.samples.is_none() => ["failed".to_owned(), String::new()],
                None => Default::default(),
            };
            let _ = writeln!(
                table,
                "| {:19} | {median:>8} | {spread:>18} | {ratio:>6} | {target:>6} | {verdict:6} |",
                side.title
            );
        }
    }
    let described = Command::new("sh").args(["-c", DESCRIBE]).output();
    let described = described.map(|output| output.stdout).unwrap_or_default();
    let described = String::from_utf8_lossy(&described);
    let rounds = format!("Rounds: {rounds}, or fewer where they take more than 20 s in all");
    format!("{table}\n{LEGEND} {rounds}. On {described}")
}

/// Returns the ratio, the target, and whether it is met.
fn compare(ours: f64, other: f64, target: Target) -> [String; 3] {
    let (faster, longer) = (other / ours, ours / other);
    let (ratio, limit, is_met) = match target {
        Target::Any => return [three_digits(faster) + " ×", String::new(), String::new()],
        Target::Faster(min) => (faster, format!("≥ {min}"), faster >= min),
        Target::AtMost(max) => (longer, format!("≤ {max}"), longer <= max),
    };
    let verdict = if is_met { "met" } else { "missed" };
    [three_digits(ratio) + " ×", limit, verdict.to_owned()]
}

/// Returns min, median and max.
fn range(samples: &[f64]) -> Option<[f64; 3]> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], upper);
    Some([sorted[0], median, *sorted.last()?])
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
    use super::{Target, compare};

    #[test]
    fn ours_is_compared_as_the_target_says() {
        for (other, target, expected) in [
            (160.0, Target::AtMost(2.0), "0.62 × ≤ 2 met"),
            (40.0, Target::AtMost(2.0), "2.50 × ≤ 2 missed"),
            (300.0, Target::Faster(3.0), "3.00 × ≥ 3 met"),
            (195.0, Target::Faster(3.8), "1.95 × ≥ 3.8 missed"),
            (0.29, Target::Any, "0.00 ×  "),
        ] {
            assert_eq!(compare(100.0, other, target).join(" "), expected);
        }
    }
}
