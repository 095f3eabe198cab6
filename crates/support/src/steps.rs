use std::any::Any;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail, ensure};
use lexopt::{Arg, ValueExt};

use crate::end::End;
use crate::print::print;
use crate::replay::{self, Replay};
use crate::{Race, nearest_name};

/// A step of a lesson: its name on the command line, and the function that shows it.
pub type Step = (&'static str, fn() -> anyhow::Result<()>);

/// The conventional exit status for a wrong command line.
pub(crate) const MISUSED: u8 = 2;

/// Runs the steps that the command line names, and returns the exit status for `main`.
///
/// | `cargo run -q -p LESSON --` | does |
/// |---|---|
/// | nothing | runs every step, each below a line `== NAME ==` |
/// | `NAME` | runs that step; several names run several steps, each below its line |
/// | `--list` | prints the names, one per line |
/// | `--help` | prints the help |
///
/// A step fails if it returns an error or panics. The failure is reported on standard error, and the
/// remaining steps still run. The exit status is 0 if every step succeeded, 1 if one failed, and 2 if
/// there is no step with a given name: then no step runs.
///
/// # Examples
///
/// ```no_run
/// fn spawn() -> anyhow::Result<()> {
///     std::thread::spawn(|| println!("hello from a thread"));
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     support::run_steps(&[("spawn", spawn)])
/// }
/// ```
#[must_use = "a failed step shows only if `main` returns this exit code"]
pub fn run_steps(steps: &[Step]) -> ExitCode {
    run_steps_and_races(steps, &[])
}

/// Does what [`run_steps`] does, for a lesson with races that can be replayed.
///
/// | `cargo run -q -p LESSON --` | does |
/// |---|---|
/// | `STEP --schedule ABBA` | runs the race of that step in this order |
/// | `STEP --schedule all` | runs it in every possible order |
/// | `STEP --schedule free` | runs it without a schedule |
/// | `STEP --schedule ask` | asks a person, or a program, who runs next |
/// | `STEP --schedule … --cure` | runs the race without its bug, in each of these ways |
/// | `--races` | prints the names of the steps that have a race, one per line |
///
/// Each run of a race prints one line: its schedule, a colon, and the outcome. A run without a schedule
/// prints the schedule that repeats its outcome.
///
/// # Examples
///
/// [`Schedule`](crate::Schedule) has an example of a race.
#[must_use = "a failed step shows only if `main` returns this exit code"]
pub fn run_steps_and_races(steps: &[Step], races: &[Race]) -> ExitCode {
    match parse(steps, races, std::env::args_os().skip(1)) {
        Ok(Args::Run(chosen)) => run(&chosen),
        Ok(Args::Replay(replay)) => run_race(&replay),
        Ok(Args::List) => print(&names(steps, "\n")),
        Ok(Args::Races) if races.is_empty() => ExitCode::SUCCESS,
        Ok(Args::Races) => print(&replay::names(races, "\n")),
        Ok(Args::Help) => print(&help(steps, races)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(MISUSED)
        }
    }
}

/// What the command line asks for.
enum Args {
    Run(Vec<Step>),
    Replay(Replay),
    List,
    Races,
    Help,
}

fn parse(
    steps: &[Step],
    races: &[Race],
    arguments: impl Iterator<Item = OsString>,
) -> anyhow::Result<Args> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut chosen = Vec::new();
    let (mut schedule, mut cure) = (None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("list") => return Ok(Args::List),
            Arg::Long("races") => return Ok(Args::Races),
            Arg::Long("schedule") => schedule = Some(parser.value()?.string()?),
            Arg::Long("cure") => cure = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Args::Help),
            Arg::Value(name) => chosen.push(find(steps, &name.to_string_lossy())?),
            other => return Err(other.unexpected()).context("see --help"),
        }
    }
    if let Some(schedule) = schedule {
        let [(step, _)] = chosen.as_slice() else {
            bail!("--schedule is for one step: give its name before it");
        };
        return Replay::new(races, step, schedule, cure).map(Args::Replay);
    }
    ensure!(!cure, "--cure is for a race: give --schedule too");
    if chosen.is_empty() {
        chosen = steps.to_vec();
    }
    Ok(Args::Run(chosen))
}

fn find(steps: &[Step], wanted: &str) -> anyhow::Result<Step> {
    let found = steps.iter().find(|(name, _)| *name == wanted);
    found.copied().ok_or_else(|| {
        let suggestion = nearest_name(wanted, steps.iter().map(|(name, _)| *name))
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        let steps = names(steps, "\n  ");
        anyhow!("there is no step `{wanted}`{suggestion}\nThe steps are:\n  {steps}")
    })
}

fn run(chosen: &[Step]) -> ExitCode {
    let mut failed = Vec::new();
    for (name, step) in chosen {
        if chosen.len() > 1 {
            print(&format!("== {name} =="));
        }
        if !succeeds(name, &caught(step)) {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    if chosen.len() > 1 {
        let (count, all) = (failed.len(), chosen.len());
        eprintln!("{count} of {all} steps failed: {}", failed.join(", "));
    }
    ExitCode::FAILURE
}

fn run_race(replay: &Replay) -> ExitCode {
    let outcome = caught(|| replay.run());
    match outcome.as_ref().map_err(|error| error.downcast_ref()) {
        Err(Some(End::Closed)) => ExitCode::SUCCESS,
        Err(Some(End::Refused(why))) => {
            eprintln!("error: {why}");
            ExitCode::from(MISUSED)
        }
        _ => ExitCode::from(u8::from(!succeeds(replay.race.step, &outcome))),
    }
}

/// Reports a failure on standard error, and returns whether there is none.
fn succeeds(name: &str, outcome: &anyhow::Result<()>) -> bool {
    if let Err(error) = outcome {
        eprintln!("step {name} failed: {error:#}");
    }
    outcome.is_ok()
}

/// Makes an error of a panic.
fn caught(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    outcome.unwrap_or_else(|panic| Err(anyhow!("it {}", panic_text(&*panic))))
}

/// Returns the message of a panic. The panic hook has already printed where it happened.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    match message {
        Some(message) => format!("panicked: {message}"),
        None => "panicked with a value that is not text".to_owned(),
    }
}

fn names(steps: &[Step], between: &str) -> String {
    let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
    names.join(between)
}

fn help(steps: &[Step], races: &[Race]) -> String {
    format!(
        "Runs the steps of this lesson.\n\n\
         Usage: cargo run -q -p LESSON -- [STEP]...\n\n\
         Without a step, all of them run in order.\n\n\
         Options:\n  \
           --list      print the names of the steps, one per line\n  \
           -h, --help  print this\n\
         {}\n\
         Steps:\n  {}",
        replay::help(races),
        names(steps, "\n  ")
    )
}
