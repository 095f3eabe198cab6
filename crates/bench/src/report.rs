//! The results as a table in Markdown, which can also be read on the terminal.

use std::fmt::Write;

use crate::machine::Machine;
use crate::results::{RowResults, SideResults, amount, three_digits};

const HEADINGS: [&str; 6] = ["", "median", "min to max", "ratio", "target", ""];

/// Explains the table.
const LEGEND: &str = "Medians, min and max. The ratio says how many times as fast `multiprocess` \
    is as the other side; with a target of at most (≤), how many times as long it takes.";

pub(crate) fn table(results: &[RowResults], machine: &Machine, rounds: u32) -> String {
    let mut text = line(&HEADINGS.map(str::to_owned));
    text += "|---|---:|---:|---:|---:|---|\n";
    for row in results {
        let (name, title) = (row.row.name, row.row.title);
        let _ = writeln!(text, "| **{name}**: {title} | | | | | |");
        for side in &row.sides {
            text += &line(&cells(row, side, machine, rounds));
        }
    }
    let rounds = match rounds {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds, or as many as stand beside the name,"),
    };
    let description = &machine.description;
    text + &format!("\n{LEGEND} Measured in {rounds} on {description}.\n")
}

/// Returns the title, median, min to max, ratio, target, and whether the target is met.
fn cells(row: &RowResults, side: &SideResults, machine: &Machine, rounds: u32) -> [String; 6] {
    let title = match side.side.max_rounds {
        fewer if fewer < rounds => format!("{}, {fewer} rounds", side.side.title),
        _ => side.side.title.to_owned(),
    };
    let amount = |nanoseconds: &f64| amount(*nanoseconds, row.row.is_rate);
    let median = match side.median() {
        Some(median) => amount(&median),
        None if side.has_failed => "failed".to_owned(),
        None => String::new(),
    };
    let sorted = side.sorted();
    let ends = sorted.first().zip(sorted.last());
    let spread = match ends.map(|(min, max)| (amount(min), amount(max))) {
        None => String::new(),
        // What takes longest has the lowest rate.
        Some((min, max)) if row.row.is_rate => spread(&max, &min),
        Some((min, max)) => spread(&min, &max),
    };
    let (ratio, target, is_met) = match row.comparison(side, machine.cores) {
        None => (String::new(), String::new(), None),
        Some(it) => (three_digits(it.ratio) + " ×", it.target, it.is_met),
    };
    let verdict = is_met.map_or("", |is_met| if is_met { "met" } else { "missed" });
    [title, median, spread, ratio, target, verdict.to_owned()]
}

/// Returns a range, with one unit where it is the same.
fn spread(min: &str, max: &str) -> String {
    match (min.split_once(' '), max.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {max}"),
        _ => format!("{min} to {max}"),
    }
}

fn line([title, median, spread, ratio, target, verdict]: &[String; 6]) -> String {
    format!(
        "| {title:19} | {median:>8} | {spread:>16} | {ratio:>6} | {target:>6} | {verdict:6} |\n"
    )
}

/// Returns how many targets are met, and which are missed.
pub(crate) fn verdict(results: &[RowResults], cores: usize) -> String {
    let (mut all, mut missed) = (0, Vec::new());
    for row in results {
        for side in &row.sides {
            let is_met = row.comparison(side, cores).and_then(|it| it.is_met);
            all += usize::from(is_met.is_some());
            if is_met == Some(false) {
                missed.push(format!("{} ({})", row.row.name, side.side.title));
            }
        }
    }
    match (all, missed.len(), missed.join(", ")) {
        (0, ..) => "There was no target to compare with.\n".to_owned(),
        (_, 0, _) => format!("All {all} targets are met.\n"),
        (_, count, missed) => format!("{count} of {all} targets are missed: {missed}.\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::{table, verdict};
    use crate::machine::Machine;
    use crate::results::tests::results;

    #[test]
    fn the_table_shows_what_was_measured_and_what_is_missing() {
        let mut lock = results("lock", &[&[19.0, 21.0], &[], &[30.0]]);
        lock.sides[1].has_failed = true;
        let results = [lock, results("factorial", &[&[1.2e9]])];
        let table = table(&results, &Machine::look(), 7);
        let lines: Vec<String> = table.lines().map(|line| line.replace(' ', "")).collect();
        assert_eq!(lines[3], "|multiprocess|20.0ns|19.0to21.0ns||||");
        assert_eq!(lines[4], "|barerobustmutex|failed|||||");
        assert_eq!(lines[5], "|Python|30.0ns|30.0to30.0ns|1.50×|≥2|missed|");
        assert_eq!(lines[8], "|Python,2rounds||||||");
        let missed = "1 of 1 targets are missed: lock (Python).\n";
        assert_eq!(verdict(&results, 2), missed);
    }
}
