use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::histogram::{self, percent};
use crate::screen::Screen;
use course::run::Gathered;

/// Returns each schedule and outcome that a race has printed, in lines such as `ABBA: 2 are lost`.
pub(super) fn replays(run: &Gathered) -> impl Iterator<Item = (&str, &str)> {
    run.output.lines().filter_map(|line| line.split_once(": "))
}

/// Shows how often each outcome of a race came, and which schedules lead to it. In the run `all`
/// every schedule was replayed. `command` runs the step.
pub(super) fn show<'a>(
    screen: &mut Screen,
    mut outcomes: Vec<(&'a str, usize)>,
    all: &'a Gathered,
    command: &str,
) -> io::Result<()> {
    if !all.end.is_success() {
        histogram::show(screen, &outcomes, &[])?;
        return screen.failure(&format!(
            "The schedules cannot be replayed: {}",
            all.errors.trim()
        ));
    }
    let mut schedules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (turns, outcome) in replays(all) {
        schedules.entry(outcome).or_default().push(turns);
    }
    for outcome in schedules.keys() {
        if !outcomes.iter().any(|(seen, _)| seen == outcome) {
            outcomes.push((outcome, 0));
        }
    }
    let number: usize = schedules.values().map(Vec::len).sum();
    let (mut numbers, mut simplest) = (Vec::new(), Vec::new());
    for (outcome, _) in &outcomes {
        let leading = schedules.get(outcome).map_or(&[][..], Vec::as_slice);
        numbers.push(format!("{} of {number}", leading.len()));
        let example = leading.iter().min_by_key(|turns| switches(turns));
        simplest.push(example.map_or("none", |turns| turns).to_owned());
    }
    let mut known = simplest.iter().filter(|turns| *turns != "none");
    let replay = known
        .next()
        .map(|turns| format!("    {command} --schedule {turns}"));
    let columns = [("schedules", numbers), ("such as", simplest)];
    histogram::show(screen, &outcomes, &columns)?;

    let is_serial = |outcome: &str| {
        let leading = schedules.get(outcome).into_iter().flatten();
        leading.copied().any(is_serial)
    };
    let (serial, racing): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|(outcome, _)| is_serial(outcome));
    let racing: usize = racing.iter().map(|(_, count)| count).sum();
    let runs: usize = outcomes.iter().map(|(_, count)| count).sum();
    let serial: Vec<&str> = serial.iter().map(|(outcome, _)| *outcome).collect();
    screen.paragraph(&format!(
        "{racing} of {runs} runs ({}) show the race: if one actor finishes before the next begins, \
         the outcome is always: {}.",
        percent(racing, runs),
        serial.join(", or ")
    ))?;
    let Some(replay) = replay else {
        return Ok(());
    };
    screen.line("Replay a schedule as often as you like:")?;
    screen.blank()?;
    screen.line(&replay)?;
    screen.blank()
}

/// Returns whether each actor takes all its turns at a stretch.
fn is_serial(turns: &str) -> bool {
    let actors: BTreeSet<char> = turns.chars().collect();
    switches(turns) + 1 == actors.len()
}

/// Returns how often another actor takes over: a schedule with few switches is easy to follow.
fn switches(turns: &str) -> usize {
    let next = turns.chars().skip(1);
    turns
        .chars()
        .zip(next)
        .filter(|(one, other)| one != other)
        .count()
}
