use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::{Arg, Parser};

use crate::task::{self, TASKS, Task};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask help [TASK]

Without a task, lists them all.
";

/// Lists the tasks.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    writeln!(out, "Usage: cargo xtask TASK\n\nTasks:")?;
    for Task { name, about, .. } in TASKS {
        writeln!(out, "  {name:<10}{about}")?;
    }
    writeln!(out, "\n`cargo xtask TASK --help` explains a task.")?;
    Ok(ExitCode::SUCCESS)
}

/// The task `help`: lists the tasks, or explains the one that is named.
pub(crate) fn explain(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    match arguments.next()? {
        None => run(),
        Some(Arg::Value(name)) => show(task::find(&name.to_string_lossy())?),
        Some(other) => Err(other.unexpected().into()),
    }
}

/// Explains one task.
pub(crate) fn show(task: &Task) -> anyhow::Result<ExitCode> {
    let Task {
        name, about, usage, ..
    } = task;
    write!(io::stdout(), "{name}: {about}\n\n{usage}")?;
    Ok(ExitCode::SUCCESS)
}
