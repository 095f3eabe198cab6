//! The programs that do a part of our work: Cargo and mdbook.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use course::run::gather;

/// Runs a program, and fails with what it said unless it succeeds.
pub(crate) fn run(command: Command, limit: Duration) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let run = gather(command, limit).with_context(|| format!("{program} cannot be run"))?;
    let said = run.output + &run.errors;
    ensure!(
        run.end.is_success(),
        "{program} failed: {}\n{said}",
        run.end
    );
    Ok(())
}
