use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::histogram::{self, percent};
use crate::screen::Screen;

/// Shows how often each outcome of a race came, and which schedules lead to it. `outputs` are those of the
/// runs, `all` is the output of all schedules, and `command` runs the step.
pub(super) fn show(
    screen: &mut Screen,
    outputs: &[String],
    all: &str,
    command: &str,
) -> io::Result<()> {
    let mut schedules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (turns, outcome) in replays(all) {
        schedules.entry(outcome).or_default().push(turns);
    }
    let seen = outputs.iter().flat_map(|output| replays(output));
    let seen = seen.map(|(_, outcome)| outcome);
    let outcomes = histogram::counts(schedules.keys().copied(), seen);
    let mut rows = histogram::rows(screen, &outcomes);
    rows[0].extend(["schedules", "such as"].map(str::to_owned));
    let (mut serial, mut racing, mut replayed) = (Vec::new(), 0, None);
    for ((outcome, count), row) in outcomes.iter().zip(&mut rows[1..]) {
        let leading = schedules.get(outcome).map_or(&[][..], Vec::as_slice);
        let simplest = leading.iter().min_by_key(|turns| switches(turns));
        row.push(format!("{} of {}", leading.len(), replays(all).count()));
        row.push(simplest.map_or("none", |turns| turns).to_owned());
        replayed = replayed.or(simplest);
        // A deadlock comes before any actor has finished.
        let is_stuck = outcome.starts_with("stuck: ");
        if !is_stuck && leading.iter().any(|turns| is_serial(turns)) {
            serial.push(*outcome);
        } else {
            racing += count;
        }
    }
    histogram::show(screen, &rows)?;
    let runs: usize = outcomes.iter().map(|(_, count)| count).sum();
    screen.paragraph(&format!(
        "{racing} of {runs} runs ({}) show the race: if each finishes before the next one begins, \
         the outcome is always: {}.",
        percent(racing, runs),
        serial.join(", or ")
    ))?;
    if let Some(turns) = replayed {
        let command = format!("{command} --schedule {turns}");
        screen.command("To replay a schedule, as often as you like:", &command)?;
        screen.blank()?;
    }
    Ok(())
}

/// Parses the output of a race, lines such as `ABBA: 2 are lost`, into schedules and outcomes.
fn replays(output: &str) -> impl Iterator<Item = (&str, &str)> {
    output.lines().filter_map(|line| line.split_once(": "))
}

/// Returns whether each actor finishes before the next one begins.
fn is_serial(turns: &str) -> bool {
    let actors: BTreeSet<char> = turns.chars().collect();
    switches(turns) + 1 == actors.len()
}

/// Returns the number of context switches: a schedule with few of them is easy to follow.
fn switches(turns: &str) -> usize {
    let next = turns.chars().skip(1);
    let pairs = turns.chars().zip(next);
    pairs.filter(|(one, other)| one != other).count()
}
