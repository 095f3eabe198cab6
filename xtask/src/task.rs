use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use lexopt::Parser;

use crate::{bench, book, check, copy, doctor, exercise, help, lesson, list, runs, timeline};
use course::misuse::{Misuse, suggestion};

/// One of the things `cargo xtask` can do.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) usage: &'static str,
    run: fn(Parser) -> anyhow::Result<ExitCode>,
}

pub(crate) const TASKS: &[Task] = &[
    Task {
        name: "lesson",
        about: "play the course, or some of its lessons and steps",
        usage: lesson::USAGE,
        run: lesson::run,
    },
    Task {
        name: "exercise",
        about: "list the exercises, or check what you made of one",
        usage: exercise::USAGE,
        run: exercise::run,
    },
    Task {
        name: "runs",
        about: "run a step many times, and count how it comes out",
        usage: runs::USAGE,
        run: runs::run,
    },
    Task {
        name: "list",
        about: "list the lessons with their steps and minutes",
        usage: list::USAGE,
        run: list::run,
    },
    Task {
        name: "copy",
        about: "make a project of your own out of a lesson",
        usage: copy::USAGE,
        run: copy::run,
    },
    Task {
        name: "doctor",
        about: "look whether everything is there that the course needs",
        usage: doctor::USAGE,
        run: doctor::run,
    },
    Task {
        name: "check",
        about: "run the steps and compare them with the READMEs; --fix mends these",
        usage: check::USAGE,
        run: check::run,
    },
    Task {
        name: "bench",
        about: "measure processes, pools, pipes and locks beside Python's",
        usage: bench::USAGE,
        run: bench::run,
    },
    Task {
        name: "timeline",
        about: "show what ran when in a step: lanes, a picture, a trace",
        usage: timeline::USAGE,
        run: timeline::run,
    },
    Task {
        name: "book",
        about: "make an HTML book of the course, with search",
        usage: book::USAGE,
        run: book::run,
    },
    Task {
        name: "help",
        about: "list the tasks, or explain one: cargo xtask help lesson",
        usage: help::USAGE,
        run: help::explain,
    },
];

/// Runs the task of that name with the rest of the command line.
pub(crate) fn run(
    name: &str,
    arguments: impl Iterator<Item = OsString>,
) -> anyhow::Result<ExitCode> {
    if ["--help", "-h"].contains(&name) {
        return help::run();
    }
    let arguments: Vec<OsString> = arguments.collect();
    let task = find(name)?;
    if arguments
        .iter()
        .any(|word| word == "--help" || word == "-h")
    {
        return help::show(task);
    }
    (task.run)(Parser::from_args(arguments))
}

pub(crate) fn find(name: &str) -> Result<&'static Task, Misuse> {
    TASKS.iter().find(|task| task.name == name).ok_or_else(|| {
        let suggestion = suggestion(name, TASKS.iter().map(|task| task.name));
        Misuse(format!(
            "there is no task `{name}`{suggestion}\n`cargo xtask` lists the tasks"
        ))
    })
}

/// Gives the exit status of a task that has told what it found: also if the reader of that has gone
/// away meanwhile.
pub(crate) fn verdict(told: anyhow::Result<()>, is_good: bool) -> anyhow::Result<ExitCode> {
    match told {
        Err(error) if !is_output_closed(&error) => Err(error),
        _ => Ok(ExitCode::from(u8::from(!is_good))),
    }
}

/// Passes over that nobody reads any more what was told: the work goes on, and its exit status says
/// how it went.
pub(crate) fn though_unread(told: io::Result<()>) -> io::Result<()> {
    told.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Tells an error on standard error and gives the exit status that goes with it.
///
/// A reader of our output that has gone away, such as `head`, is no error.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_output_closed(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    let misused = error.is::<Misuse>() || error.is::<lexopt::Error>();
    ExitCode::from(if misused { 2 } else { 1 })
}

fn is_output_closed(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use std::io::{Error, ErrorKind};
    use std::process::ExitCode;

    fn status(told: anyhow::Result<()>, is_good: bool) -> String {
        format!("{:?}", verdict(told, is_good).unwrap())
    }

    #[test]
    fn a_reader_that_has_gone_away_does_not_change_the_verdict() {
        let failure = format!("{:?}", ExitCode::FAILURE);
        let success = format!("{:?}", ExitCode::SUCCESS);
        for (is_good, expected) in [(false, failure), (true, success)] {
            assert_eq!(status(Ok(()), is_good), expected);
            let gone = Error::from(ErrorKind::BrokenPipe);
            assert_eq!(status(Err(gone.into()), is_good), expected);
        }
        let full = Error::from(ErrorKind::StorageFull);
        verdict(Err(full.into()), true).unwrap_err();
    }
}
