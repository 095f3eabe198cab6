use std::env;
use std::process::{Command, ExitCode};

use anyhow::Context;
use lexopt::Parser;

use course::Course;

/// The program `bench` prints the same.
pub(crate) const USAGE: &str = include_str!("../../crates/bench/usage.txt");

/// The task `bench`: runs the program of that name, built for release.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--release", "--locked", "--manifest-path"])
        .arg(Course::here()?.root.join("Cargo.toml"))
        .args(["--package", "bench", "--"])
        .args(arguments.raw_args()?);
    run_in_place(command).context("cargo cannot be started")
}

/// Becomes the program: a signal for this one is for that one, too.
#[cfg(unix)]
fn run_in_place(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn run_in_place(mut command: Command) -> std::io::Result<ExitCode> {
    let status = command.status()?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}
