use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use course::interruption::Delay;
use course::process_group::ProcessGroup;
use course::stopwatch::Stopwatch;

/// How long Cargo may take; it waits when another Cargo is busy with its cache.
const LIMIT: Duration = Duration::from_mins(2);

const LOOK: Duration = Duration::from_millis(10);

/// Makes the `Cargo.lock` of the course that lies in `project` into one of this project: what it does not
/// need goes, every version stays. No network is used.
pub(super) fn write(project: &Path, said: &Path, delay: &Delay) -> anyhow::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["update", "--workspace", "--offline", "--quiet"])
        .current_dir(project)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(said).context("what cargo says cannot be kept")?);
    let mut group = ProcessGroup::start(&mut command).context("cargo cannot be started")?;
    let watch = Stopwatch::start();
    while !group.has_ended()? {
        delay.look()?;
        if watch.elapsed() > LIMIT {
            group.end()?;
            bail!(
                "cargo was ended because it was still writing Cargo.lock after {} s",
                LIMIT.as_secs()
            );
        }
        thread::sleep(LOOK);
    }
    let status = group.end()?;
    // Ctrl-C reaches Cargo too, and its failure is not what has to be told then.
    delay.look()?;
    if !status.success() {
        let said = fs::read_to_string(said).unwrap_or_default();
        bail!(
            "cargo cannot write Cargo.lock for the copy; run `cargo fetch` in the course while there \
             is a network, and try again. Cargo says:\n{}",
            said.trim_end()
        );
    }
    Ok(())
}
