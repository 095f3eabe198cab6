use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::finding::{Finding, Measured};
use crate::bench::rows::{Row, Side};
use crate::live_run::{self, Line};
use crate::screen::Screen;

/// How long one measurement may take. The longest, Python's factorial, has taken 40 s on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

/// Characters of the bar.
const BAR: usize = 20;

/// Measures the rows round by round, in each round every side of every row.
///
/// `command` gives what measures a side, if there is such a program. After each round, while nothing
/// is measured, `look` is called.
pub(crate) fn measure(
    screen: &mut Screen,
    rows: &[&'static Row],
    rounds: usize,
    command: impl Fn(&Row, &Side) -> Option<Command>,
    mut look: impl FnMut(),
) -> io::Result<Vec<Finding>> {
    let mut findings: Vec<Finding> = rows.iter().copied().map(Finding::new).collect();
    let all: usize = rows
        .iter()
        .flat_map(|row| row.sides)
        .map(|side| side.rounds(rounds))
        .sum();
    let start = Instant::now();
    let mut done = 0;
    for round in 0..rounds {
        for finding in &mut findings {
            for measured in &mut finding.sides {
                if round >= measured.side.rounds(rounds) {
                    continue;
                }
                let what = format!("{}, {}", finding.row.name, measured.side.title);
                screen.status("Measuring", &progress(done, all, start.elapsed(), &what))?;
                done += 1;
                let command = command(finding.row, measured.side);
                // What has failed once is not tried again: it may take as long as the limit.
                if let Some(command) = command.filter(|_| measured.failure.is_none()) {
                    measured.once(command);
                }
            }
        }
        look();
    }
    screen.end_status()?;
    Ok(findings)
}

/// Draws a bar, and says what is being done and how long it may take.
fn progress(done: usize, all: usize, elapsed: Duration, what: &str) -> String {
    let filled = BAR * done / all.max(1);
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(BAR - filled));
    let rest = if done == 0 {
        String::new()
    } else {
        let (done, rest) = (done as u64, (all - done) as u64);
        format!(", about {} s left", elapsed.as_secs() * rest / done)
    };
    format!("[{bar}] {done} of {all}{rest}: {what}")
}

impl Measured {
    /// Runs a program that measures, and notes what it says.
    fn once(&mut self, command: Command) {
        let mut found = Vec::new();
        let mut complaints = Vec::new();
        let end = live_run::run(command, LIMIT, |line| {
            match line {
                Line::Output(text) => found.push(text),
                Line::Error(text) => complaints.push(text),
            }
            Ok(())
        });
        let numbers: Option<Vec<f64>> = found.iter().map(|line| nanoseconds(line)).collect();
        match (end, numbers) {
            (Ok(end), Some(numbers)) if end.is_success() && !numbers.is_empty() => {
                self.nanoseconds.extend(numbers);
            }
            (Ok(end), _) if end.is_success() => {
                self.failure = Some(format!("it printed no numbers but {:?}", found.join("\n")));
            }
            (Ok(end), _) => {
                complaints.insert(0, end.to_string());
                self.failure = Some(complaints.join("\n"));
            }
            (Err(error), _) => self.failure = Some(format!("it cannot be run: {error}")),
        }
    }
}

/// Reads a measurement, of which ratios can be made.
fn nanoseconds(line: &str) -> Option<f64> {
    let number: f64 = line.trim().parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{measure, nanoseconds, progress};
    use crate::bench::machine::Machine;
    use crate::bench::rows::ROWS;
    use crate::look::Look;
    use crate::screen::Screen;
    use std::time::Duration;

    #[test]
    fn a_load_that_begins_between_two_rounds_and_ends_again_is_noticed() {
        let mut screen = Screen::new(std::io::sink(), Look::Plain, 80);
        let mut machine = Machine::here();
        machine.busy = Some(0.01);
        let mut loads = [Some(0.02), Some(0.6), None, Some(0.03)].into_iter();
        let look = || machine.note(loads.next().unwrap());
        measure(&mut screen, &[&ROWS[0]], 4, |_, _| None, look).unwrap();
        assert!(loads.next().is_none(), "it is looked after each round");
        let warning = machine.warning().unwrap();
        assert!(warning.contains("up to 60 %"), "{warning}");
    }

    #[test]
    fn the_bar_grows_and_the_time_left_is_estimated() {
        let at = |done| progress(done, 40, Duration::from_secs(10), "lock, Python");
        assert_eq!(at(0), "[--------------------] 0 of 40: lock, Python");
        assert_eq!(
            at(10),
            "[#####---------------] 10 of 40, about 30 s left: lock, Python"
        );
    }

    #[test]
    fn only_numbers_above_nothing_are_measurements() {
        assert_eq!(nanoseconds("20.5"), Some(20.5));
        for line in ["", "0", "-1", "NaN", "inf", "20 ns"] {
            assert_eq!(nanoseconds(line), None, "{line}");
        }
    }
}
