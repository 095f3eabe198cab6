//! The task `continue`: goes on where the reader stopped.

use std::process::ExitCode;

use anyhow::ensure;
use lexopt::Parser;

use crate::progress::{Next, Progress};
use crate::screen::Screen;
use crate::{exercise, lesson};
use course::Course;
use course::misuse::Misuse;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask continue [OPTIONS]

Goes on where you stopped, in a lesson or at an exercise, and plays from there to the
end of the course. If you've finished what you played last, such as a single lesson, or
solved the exercise, it goes on at the next step that you haven't played yet. You don't
have to solve a lesson's exercise first: the end of the lesson says how to begin it.

Options:
  --no-wait, --python, --timeline, --plain  as for `cargo xtask lesson`

Your progress is in Cargo's target folder, so an update of the course keeps it and
`cargo clean` removes it. `cargo xtask lesson --list` shows it.
";

/// The task `continue`: goes on where the reader stopped.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut args = lesson::Args::parse(arguments)?;
    ensure!(
        args.is_whole_course(),
        Misuse(
            "`cargo xtask continue` knows where to go on; `cargo xtask lesson --from LESSON STEP` begins \
             elsewhere"
                .to_owned()
        )
    );
    let course = Course::here()?;
    let mut screen = Screen::stdout(args.has("plain"));
    match Progress::read(&course).next(&course, exercise::is_open)? {
        Next::Course(from) => {
            args.from = from.split_whitespace().map(str::to_owned).collect();
            lesson::play(&course, screen, &args)
        }
        Next::Exercise(lesson) => {
            exercise::go_on(&course, lesson, &mut screen, !args.has("no-wait"))
        }
        Next::Nothing => {
            screen.line("You've played every step. `cargo xtask exercise` lists the exercises.")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
