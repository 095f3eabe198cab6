use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use course::build::cargo;
use course::interruption::Delay;
use course::run::{self, End, Line};

/// How long Cargo may take; it waits when another Cargo is busy with its cache.
const LIMIT: Duration = Duration::from_mins(2);

/// Makes the `Cargo.lock` of the course that lies in `project` into one of this project: what it does not
/// need goes, every version stays. No network is used.
pub(super) fn write(project: &Path, delay: &Delay) -> anyhow::Result<()> {
    let mut command = cargo(project, "update");
    command.args(["--workspace", "--offline", "--quiet"]);
    let mut said = String::new();
    let end = run::run(command, LIMIT, |line| {
        let (Line::Output(text) | Line::Error(text)) = line;
        said.extend([&text, "\n"]);
        Ok(())
    });
    // Ctrl-C reaches Cargo too, and its failure is not what has to be told then.
    anyhow::ensure!(delay.look().is_ok(), "interrupted");
    match end.context("cargo cannot be started")? {
        End::Finished(status) if status.success() => Ok(()),
        end @ End::TooLong(_) => bail!("cargo is to write Cargo.lock: {end}"),
        End::Finished(_) => bail!(
            "cargo cannot write Cargo.lock for the copy; run `cargo fetch` in the course while there \
             is a network, and try again. Cargo says:\n{}",
            said.trim_end()
        ),
    }
}
