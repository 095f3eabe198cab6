mod histogram;
mod output;
mod race;

use std::io;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use crate::screen::Screen;
use crate::task::{self, though_unread};
use crate::tool;
use course::Course;
use course::build::{Build, Program};
use course::interruption::Delay;
use course::misuse::Misuse;
use course::run::{End, Gathered, gather};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask repeat LESSON STEP [-n TIMES] [OPTIONS]

Runs a step many times and shows how often each outcome came. If the step has a
race that can be replayed, the race is what runs; each actor pauses for a random
moment before each of its turns, and you also get a schedule that leads to each
outcome, every time. Otherwise two runs have the same outcome if they print the
same, apart from process ids and times.

Options:
  -n TIMES          how often, 50 times by default
  --schedule TURNS  run the race by this schedule, such as ABBA
  --plain           plain text of 80 columns without colour; the default when the
                    output is not a terminal or NO_COLOR is set

Ctrl-C stops it and shows what has been counted so far.

Examples:
  cargo xtask repeat locks race -n 200
  cargo xtask repeat locks race --schedule ABBBBAAA -n 100
  cargo xtask repeat threads three-workers
";

/// The task `repeat`: runs a step many times and counts its outcomes. A reader of the output that goes
/// away doesn't stop that.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut times = NonZeroUsize::new(50).expect("it isn't zero");
    let (mut words, mut schedule, mut plain) = (Vec::new(), None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('n') => times = arguments.value()?.parse()?,
            Arg::Long("schedule") => schedule = Some(arguments.value()?.string()?),
            Arg::Long("plain") => plain = true,
            Arg::Value(word) if words.len() < 2 => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [lesson, step] = words.as_slice() else {
        let message = "name a lesson and one of its steps, as in `cargo xtask repeat locks race`\n\
                       `cargo xtask lesson --list` shows the lessons with their steps";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(lesson)?;
    let name = &lesson.name;
    let readme = lesson.readme()?;
    let section = lesson.step(&readme, step)?;
    let mut screen = Screen::stdout(plain);
    let Some(program) = build(&mut screen, &course, name)? else {
        return Ok(ExitCode::FAILURE);
    };
    let delay = Delay::begin().context("signals cannot be watched")?;
    let race = |turns: &str| {
        let mut command = program.step(step);
        command.args(["--schedule", turns]);
        command
    };
    let races = tool::run(program.step("--races"), Program::STEP_LIMIT)?;
    let all_schedules = if races.lines().any(|race| race == step) {
        Some(tool::run(race("all"), Program::STEP_LIMIT)?)
    } else {
        None
    };
    let runs = Runs::make(&mut screen, times, &delay, || match &schedule {
        Some(turns) => race(turns),
        None if all_schedules.is_some() => race("free"),
        None => program.step(step),
    })?;
    let mut tell = || -> io::Result<()> {
        screen.heading(&format!("Lesson {name}, step {step}: {}", section.words()))?;
        runs.show_failures(&mut screen)?;
        match &all_schedules {
            Some(all) => race::show(
                &mut screen,
                &runs.outputs,
                all,
                &course::command(name, step),
            ),
            None => output::show(&mut screen, &runs.outputs, section),
        }
    };
    let told = tell();
    if let Err(interrupted) = delay.look() {
        return Ok(interrupted.end());
    }
    task::verdict(told.map_err(Into::into), runs.failed == 0)
}

/// Builds the lesson's program, and returns nothing if that fails, which is shown.
fn build(screen: &mut Screen, course: &Course, name: &str) -> anyhow::Result<Option<Program>> {
    let built = Program::build(&course.root, name, |doing| {
        screen.status(&format!("Building lesson {name}"), doing)
    });
    screen.end_status()?;
    match built? {
        Build::Done(program) => Ok(Some(program)),
        Build::Failed(said) => {
            screen.failure(&format!("Lesson {name} does not build. Cargo says:"))?;
            screen.code("", "", &said)?;
            Ok(None)
        }
    }
}

/// What came of the runs.
#[derive(Default)]
struct Runs {
    /// What each run that succeeded has printed.
    outputs: Vec<String>,
    is_interrupted: bool,
    failed: usize,
    /// The first run that failed, and its number.
    failure: Option<(usize, Gathered)>,
}

impl Runs {
    /// Runs a command many times, one run after the other.
    ///
    /// A run that exceeds the limit is the last one, because the next would take as long. So is one
    /// that is interrupted, which isn't counted.
    fn make(
        screen: &mut Screen,
        times: NonZeroUsize,
        delay: &Delay,
        command: impl Fn() -> Command,
    ) -> anyhow::Result<Self> {
        let mut runs = Self::default();
        for number in 1..=times.get() {
            though_unread(screen.status("Running", &format!("{number} of {times}")))?;
            let run = gather(command(), Program::STEP_LIMIT);
            runs.is_interrupted = delay.look().is_err();
            if runs.is_interrupted {
                break;
            }
            let run = run?;
            let (is_too_long, is_misuse) = match run.end {
                End::TooLong(_) => (true, false),
                End::Finished(status) => (false, status.code() == Some(2)),
            };
            if is_misuse && let Some(message) = run.errors.strip_prefix("error: ") {
                return Err(Misuse(message.trim_end().to_owned()).into());
            }
            if run.end.is_success() {
                runs.outputs.push(run.output);
                continue;
            }
            runs.failed += 1;
            runs.failure.get_or_insert((number, run));
            if is_too_long {
                break;
            }
        }
        though_unread(screen.end_status())?;
        Ok(runs)
    }

    fn show_failures(&self, screen: &mut Screen) -> io::Result<()> {
        if self.is_interrupted {
            screen.paragraph("Interrupted. This is what has been counted so far.")?;
        }
        let Some((number, run)) = &self.failure else {
            return Ok(());
        };
        screen.failure(&format!("Run {number} failed: {}.", run.end))?;
        screen.code("", "", &format!("{}{}", run.output, run.errors))?;
        let failed = self.failed;
        screen.paragraph(&format!(
            "Failed runs, which aren't counted below: {failed}."
        ))
    }
}
