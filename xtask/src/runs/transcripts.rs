use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Counting;
use super::histogram::Histogram;
use super::mask::Masks;
use super::repeat::repeat;

/// No more outcomes than this are shown.
const SHOWN: usize = 5;

/// No more lines of one outcome than this are shown.
const LINES: usize = 5;

/// Runs a step many times, and shows what it printed, and how often. True if everything worked.
pub(crate) fn run(counting: &mut Counting, masks: &Masks) -> io::Result<bool> {
    let times = counting.times;
    counting.say(&format!(
        "The step, {times} times. Two runs have the same outcome if they print the same, apart \
         from process ids and times."
    ))?;
    let mut histogram = Histogram::default();
    let command = || counting.command(&[]);
    let repeated = repeat(counting, command, |number, ran| {
        let lines: Vec<String> = ran.output().map(|line| masks.apply(line)).collect();
        histogram.add(&lines.join("\n"), &number.to_string());
    })?;
    counting.show_end(&repeated)?;
    let outcomes = histogram.outcomes();
    let names: Vec<String> = (1..=outcomes.len())
        .map(|n| format!("outcome {n}"))
        .collect();
    let titles: Vec<(&str, usize)> = names
        .iter()
        .zip(&outcomes)
        .map(|(name, counted)| (name.as_str(), counted.count))
        .collect();
    let shown = &titles[..titles.len().min(SHOWN)];
    histogram.show(counting.screen, shown)?;
    if outcomes.len() > SHOWN {
        let others = outcomes.len() - SHOWN;
        let runs: usize = outcomes[SHOWN..].iter().map(|one| one.count).sum();
        counting.say(&format!(
            "There are {others} more outcomes, in {runs} runs."
        ))?;
    }
    let texts: Vec<&str> = outcomes.iter().map(|one| one.outcome.as_str()).collect();
    if texts.len() > 1 {
        counting.say(&about_order(&texts))?;
    }
    for (index, text) in texts.iter().take(SHOWN).enumerate() {
        let first: Vec<&str> = texts[0].lines().collect();
        let same = if index == 0 {
            0
        } else {
            same_beginning(&first, text)
        };
        let heading = match same {
            0 => format!("{}:", names[index]),
            1 => format!("{}, after the first line of outcome 1:", names[index]),
            _ => format!(
                "{}, after the first {same} lines of outcome 1:",
                names[index]
            ),
        };
        counting.screen.line(&heading)?;
        let lines: Vec<&str> = text.lines().skip(same).collect();
        for line in lines.iter().take(LINES) {
            counting.screen.output(line)?;
        }
        match lines.len().saturating_sub(LINES) {
            0 if lines.is_empty() => counting.screen.output("(nothing)")?,
            0 => {}
            1 => counting.screen.output("... and one more line")?,
            more => counting
                .screen
                .output(&format!("... and {more} more lines"))?,
        }
        counting.screen.blank()?;
    }
    Ok(repeated.failed == 0)
}

/// How many lines an outcome has in common with the first one, from the beginning on.
fn same_beginning(first: &[&str], text: &str) -> usize {
    let both = first.iter().zip(text.lines());
    both.take_while(|(one, other)| **one == *other).count()
}

/// Tells whether the outcomes differ only in the order of their lines, or of their workers' lines.
fn about_order(outcomes: &[&str]) -> String {
    let sorted: BTreeSet<Vec<&str>> = outcomes
        .iter()
        .map(|text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines
        })
        .collect();
    if sorted.len() > 1 {
        return format!(
            "If the order of the lines does not count, there are {} outcomes.",
            sorted.len()
        );
    }
    let by_worker: BTreeSet<BTreeMap<&str, Vec<&str>>> = outcomes
        .iter()
        .map(|text| {
            let mut workers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for line in text.lines() {
                let worker = line.split_whitespace().next().unwrap_or_default();
                workers.entry(worker).or_default().push(line);
            }
            workers
        })
        .collect();
    if by_worker.len() > 1 {
        return "The lines are the same in every run; only their order differs.".to_owned();
    }
    "The lines are the same in every run, and those that begin with the same word come in the same \
     order; only how they interleave differs."
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{about_order, same_beginning};

    #[test]
    fn outcomes_of_the_same_lines_are_seen_as_such() {
        let interleaved = ["a 1\nb 1\na 2", "a 1\na 2\nb 1"];
        assert!(about_order(&interleaved).contains("only how they interleave"));
        let swapped = ["a 1\na 2", "a 2\na 1"];
        assert!(about_order(&swapped).contains("only their order differs"));
        let other = ["a 1\na 2", "a 2\na 1", "a 3"];
        assert!(about_order(&other).contains("there are 2 outcomes"));
    }

    #[test]
    fn the_common_beginning_is_found() {
        assert_eq!(same_beginning(&["a", "b", "c"], "a\nb\nd"), 2);
        assert_eq!(same_beginning(&["a"], ""), 0);
    }
}
