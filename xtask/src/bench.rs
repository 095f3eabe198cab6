use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::Context;
use lexopt::Parser;

use course::Course;

/// The help of the program `bench`.
pub(crate) const USAGE: &str = include_str!("../../crates/bench/usage.txt");

/// The task `bench`: replaces this process by the program `bench`, so that it gets the signals.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let error = Command::new(cargo)
        .args(["run", "--release", "--locked", "--manifest-path"])
        .arg(Course::here()?.root.join("Cargo.toml"))
        .args(["--package", "bench", "--"])
        .args(arguments.raw_args()?)
        .exec();
    Err(error).context("cannot start cargo")
}
