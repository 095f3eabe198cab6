//! The programs that do a part of our work: Cargo and mdbook.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use course::run::{self, Line};

/// Runs a program, and fails with what it said unless it succeeds.
pub(crate) fn run(command: Command, limit: Duration) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let mut said = String::new();
    let end = run::run(command, limit, |line| {
        let (Line::Output(line) | Line::Error(line)) = line;
        said.extend([&line, "\n"]);
        Ok(())
    })
    .with_context(|| format!("{program} cannot be run"))?;
    ensure!(end.is_success(), "{program} failed: {end}\n{said}");
    Ok(())
}
