//! The tasks of the course: `cargo xtask lesson` plays it, `cargo xtask` lists them all.

mod bench;
mod book;
mod check;
mod copy;
mod doctor;
mod exercise;
mod highlight;
mod keys;
mod lesson;
mod markdown;
mod notes;
mod outcomes;
mod page;
mod pagination;
mod player;
mod playing;
mod playlist;
mod programs;
mod progress;
mod reading;
mod repeat;
mod resume;
mod schedule;
mod screen;
mod style;
mod table;
mod task;
mod timeline;
mod wrap;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::Parser;

use course::misuse::{Misuse, suggestion};
use course::source::visible;

const USAGE: &str = "\
Usage: cargo xtask TASK

For learning and teaching:
  lesson    play the course, or some of its lessons and steps
  continue  go on where you stopped
  notes     show the notes for the step on the screen, in a second terminal
  exercise  list the exercises, or check your solution of one
  repeat    run a step many times and count the outcomes
  schedule  be the scheduler of a race: choose who runs next
  timeline  show what ran when in a step: lanes, a picture, a trace
  copy      make a project of your own from a lesson
  doctor    check your setup and tell you how to fix it

For authors:
  check     run the steps and compare them with the READMEs; --fix updates them
  bench     compare the speed of processes, pools, pipes and locks with Python's
  book      make an HTML book of the course, with search

`cargo xtask TASK --help` explains a task.
";

type Run = fn(Parser) -> anyhow::Result<ExitCode>;

/// The name of each task, its help, and its function.
const TASKS: [(&str, &str, Run); 12] = [
    ("lesson", lesson::USAGE, lesson::run),
    ("continue", resume::USAGE, resume::run),
    ("notes", notes::USAGE, notes::run),
    ("exercise", exercise::USAGE, exercise::run),
    ("repeat", repeat::USAGE, repeat::run),
    ("schedule", schedule::USAGE, schedule::run),
    ("timeline", timeline::USAGE, timeline::run),
    ("copy", copy::USAGE, copy::run),
    ("doctor", doctor::USAGE, doctor::run),
    ("check", check::USAGE, check::run),
    ("bench", bench::USAGE, bench::run),
    ("book", book::USAGE, book::run),
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    run(&arguments).unwrap_or_else(|error| report(&error))
}

fn run(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let is_option = |word: &OsString| word == "--help" || word == "-h";
    let asks = arguments.first().is_some_and(|word| word == "help");
    let arguments = &arguments[usize::from(asks)..];
    let Some(name) = arguments.iter().find(|word| !is_option(word)) else {
        io::stdout().write_all(USAGE.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = name.to_string_lossy();
    let task = TASKS.into_iter().find(|(name, ..)| *name == wanted);
    let (name, usage, run) = task.ok_or_else(|| {
        let suggestion = suggestion(&wanted, TASKS.map(|(name, ..)| name));
        Misuse(format!(
            "there is no task `{wanted}`{suggestion}\n`cargo xtask` lists the tasks"
        ))
    })?;
    if asks || arguments.iter().any(is_option) {
        let about = USAGE.lines().find(|line| line.trim().starts_with(name));
        write!(io::stdout(), "{}\n\n{usage}", about.unwrap_or(name).trim())?;
        return Ok(ExitCode::SUCCESS);
    }
    let rest = &arguments[1..];
    run(Parser::from_args(rest)).map_err(|error| with_nearest_option(error, name, usage))
}

/// Adds a suggestion to the error about an unknown option.
fn with_nearest_option(error: anyhow::Error, name: &str, usage: &str) -> anyhow::Error {
    let Some(lexopt::Error::UnexpectedOption(wanted)) = error.downcast_ref() else {
        return error;
    };
    let words = usage.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    let suggestion = suggestion(wanted, words.filter(|word| word.starts_with("--")));
    let message = format!(
        "`cargo xtask {name}` has no option `{wanted}`{suggestion}\n\
         `cargo xtask {name} --help` shows its options"
    );
    Misuse(message).into()
}

/// Prints an error on standard error, and returns its exit status.
fn report(error: &anyhow::Error) -> ExitCode {
    if task::is_output_closed(error) {
        return ExitCode::SUCCESS;
    }
    // Even if standard error is closed, the exit status counts.
    let _ = writeln!(io::stderr(), "error: {}", visible(&format!("{error:#}")));
    let is_misuse = error.is::<Misuse>() || error.is::<lexopt::Error>();
    ExitCode::from(if is_misuse { 2 } else { 1 })
}
