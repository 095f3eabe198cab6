use std::io;

use super::histogram::{self, percent};
use crate::outcomes::{Outcomes, replays, switches};
use crate::screen::Screen;

/// Shows how often each outcome of a race came, and which schedules lead to it. `outputs` are those of the
/// runs, `all` is the output of all schedules, and `command` runs the step.
pub(super) fn show(
    screen: &mut Screen,
    outputs: &[String],
    all: &str,
    command: &str,
) -> io::Result<()> {
    let all = Outcomes::parse(all);
    let seen = outputs.iter().flat_map(|output| replays(output));
    let seen = seen.map(|(_, outcome)| outcome);
    let outcomes = histogram::counts(all.names(), seen);
    let mut rows = histogram::rows(screen, &outcomes);
    rows[0].extend(["schedules", "such as"].map(str::to_owned));
    let (mut racing, mut replayed) = (0, None);
    for ((outcome, count), row) in outcomes.iter().zip(&mut rows[1..]) {
        let leading = all.schedules(outcome);
        let simplest = leading.iter().min_by_key(|turns| switches(turns));
        row.push(format!("{} of {}", leading.len(), all.count()));
        row.push(simplest.map_or("none", |turns| turns).to_owned());
        replayed = replayed.or(simplest);
        if !all.is_serial(outcome) {
            racing += count;
        }
    }
    histogram::show(screen, &rows)?;
    let runs: usize = outcomes.iter().map(|(_, count)| count).sum();
    screen.paragraph(&format!(
        "{racing} of {runs} runs ({}) show the race: if each finishes before the next one begins, \
         the outcome is always: {}.",
        percent(racing, runs),
        all.serial().join(", or ")
    ))?;
    if let Some(turns) = replayed {
        let command = format!("{command} --schedule {turns}");
        screen.command("To replay a schedule, as often as you like:", &command)?;
        screen.blank()?;
    }
    Ok(())
}
