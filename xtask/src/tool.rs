//! The programs that do a part of our work: Cargo, mdbook, and those of the lessons.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use course::run::gather;

/// Runs a program and returns its output, or fails with what it said unless it succeeds.
pub(crate) fn run(command: Command, limit: Duration) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let run = gather(command, limit).with_context(|| format!("{program} cannot be run"))?;
    ensure!(
        run.end.is_success(),
        "{program} failed: {}\n{}{}",
        run.end,
        run.output,
        run.errors
    );
    Ok(run.output)
}
