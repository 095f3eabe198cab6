mod histogram;
mod output;
mod race;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::programs::build;
use crate::screen::Screen;
use course::Course;
use course::build::Program;
use course::interruption::Delay;
use course::misuse::Misuse;
use course::run::{End, Gathered, gather};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask repeat LESSON STEP [-n TIMES] [OPTIONS]

Runs a step many times and shows how often each outcome came. If the step has a
race that can be replayed, the race is what runs, and you also get a schedule that
leads to each outcome, every time. Otherwise two runs have the same outcome if they
print the same, apart from process ids and times.

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

struct Options {
    lesson: String,
    step: String,
    times: NonZeroUsize,
    schedule: Option<String>,
    plain: bool,
}

/// The task `repeat`: runs a step many times and counts its outcomes.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let options = Options::read(arguments)?;
    let course = Course::here()?;
    let lesson = course.lesson(&options.lesson)?;
    let (name, step) = (&lesson.name, &options.step);
    let readme = lesson.readme()?;
    let section = lesson.step(&readme, step)?;
    let mut screen = Screen::stdout(options.plain);
    let program = build(&mut screen, &course.root, name)?;
    let delay = Delay::begin().context("signals cannot be watched")?;
    let races = gather(program.step("--races"), Program::STEP_LIMIT)?;
    if !races.end.is_success() && !delay.is_interrupted() {
        bail!("lesson {name} does not list its races: {}", races.end);
    }
    let is_race = races.output.lines().any(|race| race == step);
    let schedule = options.schedule.as_deref().or(is_race.then_some("free"));
    let command = |schedule: Option<&str>| {
        let mut command = program.step(step);
        command.args(schedule.into_iter().flat_map(|turns| ["--schedule", turns]));
        command
    };

    screen.heading(&format!("Lesson {name}, step {step}: {}", section.words))?;
    screen.paragraph(match schedule {
        None => "Runs that print the same, apart from process ids and times, have one outcome.",
        Some("free") => {
            "The race of this step, without a schedule: each actor pauses for a random moment \
             before each of its turns."
        }
        Some(_) => "The race of this step, always by the same schedule.",
    })?;
    let masked = output::masks(section);
    let mut histogram: BTreeMap<String, usize> = BTreeMap::new();
    let all_worked = repeat(
        &mut screen,
        options.times,
        &delay,
        || command(schedule),
        |run| {
            let outcomes = match schedule {
                None => vec![masked(&run.output)],
                Some(_) => race::replays(run)
                    .map(|(_, outcome)| outcome.to_owned())
                    .collect(),
            };
            for outcome in outcomes {
                *histogram.entry(outcome).or_default() += 1;
            }
        },
    )?;

    let outcomes = histogram
        .iter()
        .map(|(outcome, count)| (outcome.as_str(), *count));
    let mut outcomes: Vec<(&str, usize)> = outcomes.collect();
    outcomes.sort_by_key(|(_, count)| Reverse(*count));
    match schedule {
        None => output::show(&mut screen, &outcomes)?,
        Some("free") if all_worked && !delay.is_interrupted() => {
            let all = gather(command(Some("all")), Program::STEP_LIMIT)?;
            let command = course::command(name, step);
            race::show(&mut screen, outcomes, &all, &command)?;
        }
        Some(_) => histogram::show(&mut screen, &outcomes, &[])?,
    }
    Ok(ExitCode::from(u8::from(!all_worked)))
}

impl Options {
    fn read(mut arguments: Parser) -> anyhow::Result<Self> {
        let mut options = Self {
            lesson: String::new(),
            step: String::new(),
            times: NonZeroUsize::new(50).expect("it isn't zero"),
            schedule: None,
            plain: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('n') => options.times = arguments.value()?.parse()?,
                Arg::Long("schedule") => options.schedule = Some(arguments.value()?.string()?),
                Arg::Long("plain") => options.plain = true,
                Arg::Value(word) if options.lesson.is_empty() => options.lesson = word.string()?,
                Arg::Value(word) if options.step.is_empty() => options.step = word.string()?,
                other => return Err(other.unexpected().into()),
            }
        }
        if options.step.is_empty() {
            let message = "name a lesson and one of its steps, as in `cargo xtask repeat locks \
                           race`\n`cargo xtask lesson --list` shows the lessons with their steps";
            return Err(Misuse(message.to_owned()).into());
        }
        Ok(options)
    }
}

/// Runs a command many times, one run after the other, and hands over each run that succeeds.
/// Returns whether all did; the first that failed is shown.
///
/// A run that exceeds the limit is the last one, because the next would take as long. So is one that
/// is interrupted, which isn't counted.
fn repeat(
    screen: &mut Screen,
    times: NonZeroUsize,
    delay: &Delay,
    command: impl Fn() -> Command,
    mut count: impl FnMut(&Gathered),
) -> anyhow::Result<bool> {
    let mut failed = 0;
    for number in 1..=times.get() {
        screen.status("Running", &format!("{number} of {times}"))?;
        let run = gather(command(), Program::STEP_LIMIT);
        if delay.is_interrupted() {
            screen.end_status()?;
            screen.paragraph("Interrupted. This is what has been counted so far.")?;
            break;
        }
        let run = run?;
        if run.end.is_success() {
            count(&run);
            continue;
        }
        let is_misuse = matches!(run.end, End::Finished(status) if status.code() == Some(2));
        if is_misuse && let Some(message) = run.errors.strip_prefix("error: ") {
            screen.end_status()?;
            return Err(Misuse(message.trim_end().to_owned()).into());
        }
        failed += 1;
        if failed == 1 {
            screen.end_status()?;
            screen.failure(&format!("Run {number} failed: {}.", run.end))?;
            screen.code("", "", &(run.output + &run.errors))?;
        }
        if matches!(run.end, End::TooLong(_)) {
            break;
        }
    }
    screen.end_status()?;
    if failed > 0 {
        screen.paragraph(&format!(
            "Failed runs, which aren't counted below: {failed}."
        ))?;
    }
    Ok(failed == 0)
}
