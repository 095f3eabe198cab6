mod histogram;
mod output;

use std::io;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use crate::outcomes::{Outcomes, replays, switches};
use crate::programs::Programs;
use crate::screen::Screen;
use crate::task::{self, ignore_broken_pipe};
use course::Course;
use course::build::Program;
use course::interruption::Delay;
use course::misuse::Misuse;
use course::run::{self, End, Gathered, gather};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask repeat LESSON STEP [-n TIMES] [OPTIONS]

Runs a step many times and counts how often each outcome came. If the step has
a race that can be replayed, only the race runs: each thread or process pauses
for a random time before each of its actions, and for every outcome you also get
a schedule that repeats it. Otherwise, two runs have the same outcome if they
print the same, apart from process ids and times.

Options:
  -n TIMES  how often, 50 times by default
  --plain   80 columns, no colour: the default without a terminal or with
            NO_COLOR

Ctrl-C stops it and shows what has been counted so far.

Examples:
  cargo xtask repeat locks race -n 200
  cargo xtask repeat threads three-workers
";

/// The task `repeat`: runs a step many times and counts its outcomes, even if the output is closed.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut times = NonZeroUsize::new(50).expect("it isn't zero");
    let (mut words, mut plain) = (Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('n') => times = arguments.value()?.parse()?,
            Arg::Long("plain") => plain = true,
            Arg::Value(word) if words.len() < 2 => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [lesson, step] = words.as_slice() else {
        let message = "give a lesson and one of its steps, as in `cargo xtask repeat locks race`\n\
                       `cargo xtask lesson --list` shows the lessons with their steps";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(lesson)?;
    let name = &lesson.name;
    let readme = lesson.readme()?;
    let section = lesson.step(&readme, step)?;
    let mut screen = Screen::stdout(plain);
    let program = Programs::default().wait(&mut screen, &course.root, name)?;
    let Some(program) = program else {
        return Ok(ExitCode::FAILURE);
    };
    let delay = Delay::begin().context("cannot handle signals")?;
    let race = |turns: &str| {
        let mut command = program.step(step);
        command.args(["--schedule", turns]);
        command
    };
    let races = run::output(program.step("--races"), Program::STEP_LIMIT)?;
    let is_race = races.lines().any(|race| race == step);
    let all = is_race
        .then(|| run::output(race("all"), Program::STEP_LIMIT))
        .transpose()?;
    let (outputs, failures) = repeat(&mut screen, times, &delay, || match &all {
        Some(_) => race("free"),
        None => program.step(step),
    })?;
    let mut show_result = || -> io::Result<()> {
        screen.heading(&format!("Lesson {name}, step {step}: {}", section.words))?;
        if delay.is_interrupted() {
            screen.paragraph("Interrupted. These are the results so far.")?;
        }
        if let Some((number, run)) = failures.first() {
            screen.failure(&format!("Run {number} failed: {}.", run.end))?;
            screen.code("", "", &format!("{}{}", run.output, run.errors))?;
            let failed = failures.len();
            screen.paragraph(&format!("Failed, and not counted below: {failed}."))?;
        }
        let Some(all) = &all else {
            return output::show(&mut screen, &outputs, section);
        };
        let command = course::command(name, step);
        show_race(&mut screen, &outputs, &Outcomes::parse(all), &command)?;
        let command = format!("cargo xtask schedule {name} {step}");
        screen.command("To be the scheduler yourself:", &command)?;
        screen.blank()
    };
    let shown = show_result();
    task::verdict(shown.map_err(Into::into), failures.is_empty())
}

type Runs = (Vec<String>, Vec<(usize, Gathered)>);

/// Runs a command many times, one run after the other. Returns the output of the runs that succeeded, and
/// the runs that failed, with their numbers.
///
/// Stops after a run that timed out, because the next one would too, and at an interruption.
fn repeat(
    screen: &mut Screen,
    times: NonZeroUsize,
    delay: &Delay,
    command: impl Fn() -> Command,
) -> anyhow::Result<Runs> {
    let (mut outputs, mut failures) = (Vec::new(), Vec::new());
    for number in 1..=times.get() {
        ignore_broken_pipe(screen.status("Running", &format!("{number} of {times}")))?;
        let run = gather(command(), Program::STEP_LIMIT);
        if delay.is_interrupted() {
            break;
        }
        let run = run?;
        let is_last = matches!(run.end, End::TimedOut(_));
        if run.end.is_success() {
            outputs.push(run.output);
        } else {
            failures.push((number, run));
        }
        if is_last {
            break;
        }
    }
    ignore_broken_pipe(screen.end_status())?;
    Ok((outputs, failures))
}

/// Shows how often each outcome of a race came, and which schedules lead to it.
fn show_race(
    screen: &mut Screen,
    outputs: &[String],
    all: &Outcomes,
    command: &str,
) -> io::Result<()> {
    screen.paragraph(
        "The race of this step. Its threads or processes pause for a random time before each action. \
         A schedule is the order of the actions: each letter names the one that acts.",
    )?;
    let seen = outputs.iter().flat_map(|output| replays(output));
    let seen = seen.map(|(_, outcome)| outcome);
    let outcomes = histogram::counts(all.schedules.keys().copied(), seen);
    let mut rows = histogram::rows(screen, &outcomes);
    rows[0].extend(["schedules", "such as"].map(str::to_owned));
    let (mut racing, mut replayed) = (0, None);
    for ((outcome, count), row) in outcomes.iter().zip(&mut rows[1..]) {
        let leading = all.schedules.get(outcome).map_or(&[][..], Vec::as_slice);
        let simplest = leading.iter().min_by_key(|turns| switches(turns));
        row.push(format!("{} of {}", leading.len(), all.count));
        row.push(simplest.map_or("none", |turns| turns).to_owned());
        replayed = replayed.or(simplest);
        if !all.serial.contains(outcome) {
            racing += count;
        }
    }
    histogram::show(screen, &rows)?;
    screen.paragraph(&format!(
        "{racing} of {} runs ({}) show the race: if each finishes before the next one begins, \
         the outcome is always: {}.",
        outputs.len(),
        histogram::percent(racing, outputs.len()),
        all.serial.join(", or ")
    ))?;
    if let Some(turns) = replayed {
        let command = format!("{command} --schedule {turns}");
        screen.command("To replay a schedule, as often as you like:", &command)?;
        screen.blank()?;
    }
    Ok(())
}
