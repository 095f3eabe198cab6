use std::io;
use std::process::Command;

use indicatif::{ProgressBar, ProgressStyle};

use super::Counting;
use crate::screen::Screen;
use course::build::Program;
use course::run::{self, End, Line, MOST_KEPT};

/// A run that has come to its end.
pub(crate) struct Ran {
    end: End,
    lines: Vec<Line>,
}

impl Ran {
    /// Runs a command, with the limit that steps have when they are played. Of what it prints, the first
    /// lines are kept.
    pub(crate) fn of(command: Command) -> io::Result<Self> {
        let mut lines = Vec::new();
        let end = run::run(command, Program::STEP_LIMIT, |line| {
            if lines.len() < MOST_KEPT {
                lines.push(line);
            }
            Ok(())
        })?;
        Ok(Self { end, lines })
    }

    pub(crate) fn is_success(&self) -> bool {
        self.end.is_success()
    }

    /// Tells whether the program did not understand its command line.
    pub(crate) fn was_misused(&self) -> bool {
        matches!(self.end, End::Finished(status) if status.code() == Some(2))
    }

    /// Gives what was printed on standard output.
    pub(crate) fn output(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Output(text) => Some(text.as_str()),
            Line::Error(_) => None,
        })
    }

    /// Gives what was printed on standard error, in one text.
    pub(crate) fn error(&self) -> String {
        let lines = self.lines.iter().filter_map(|line| match line {
            Line::Error(text) => Some(text.as_str()),
            Line::Output(_) => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Shows everything that was printed, and how it ended.
    pub(crate) fn show_failure(&self, screen: &mut Screen, what: &str) -> io::Result<()> {
        screen.failure(&format!("{what} failed: {}.", self.end))?;
        for line in &self.lines {
            match line {
                Line::Output(text) => screen.output(text)?,
                Line::Error(text) => screen.output(&format!("(stderr) {text}"))?,
            }
        }
        screen.blank()
    }
}

/// How many runs there were, and which of them failed.
#[derive(Default)]
pub(crate) struct Repeated {
    pub(crate) failed: usize,
    pub(crate) first_failure: Option<(usize, Ran)>,
    pub(crate) is_interrupted: bool,
}

/// Runs a command many times, one run after the other, and hands over each that succeeds, with its
/// number.
///
/// A run that exceeds the limit is the last one, as the next would take as long. So is one that is
/// interrupted, and it is not counted.
pub(crate) fn repeat(
    counting: &Counting,
    command: impl Fn() -> Command,
    mut take: impl FnMut(usize, &Ran),
) -> io::Result<Repeated> {
    let bar = if counting.progress {
        bar(counting.times)
    } else {
        ProgressBar::hidden()
    };
    let mut repeated = Repeated::default();
    for number in 1..=counting.times {
        let ran = match Ran::of(command()) {
            _ if counting.delay.look().is_err() => None,
            ran => Some(ran?),
        };
        let Some(ran) = ran else {
            repeated.is_interrupted = true;
            break;
        };
        bar.inc(1);
        if ran.is_success() {
            take(number, &ran);
            continue;
        }
        repeated.failed += 1;
        let was_too_long = matches!(ran.end, End::TooLong(_));
        repeated.first_failure.get_or_insert((number, ran));
        if was_too_long {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(repeated)
}

fn bar(times: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {eta} left");
    ProgressBar::new(times as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::Ran;
    use course::run::MOST_KEPT;
    use std::process::Command;

    #[test]
    fn of_a_long_output_the_beginning_is_kept() {
        let mut command = Command::new("seq");
        command.arg((2 * MOST_KEPT).to_string());
        let ran = Ran::of(command).unwrap();
        assert!(ran.is_success());
        assert_eq!(ran.output().count(), MOST_KEPT);
        assert_eq!(ran.output().next(), Some("1"));
    }
}
