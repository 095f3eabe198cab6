//! The functions that measure.

pub(crate) mod large;
pub(crate) mod lock;
pub(crate) mod pipe;
pub(crate) mod pool;
pub(crate) mod queue;

use std::env;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use multiprocess::spawn;

use crate::factorial;

/// Returns the nanoseconds of one operation, once for each sample.
pub(crate) type Measurement = fn() -> Result<Vec<f64>>;

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status();
    let program = command.get_program().display();
    let status = status.with_context(|| format!("{program} does not start"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// Measures once, for `work` that does so many operations.
fn once(operations: u32, work: impl FnOnce() -> Result<()>) -> Result<Vec<f64>> {
    let start = Instant::now();
    work()?;
    let time = start.elapsed();
    Ok(vec![time.as_secs_f64() * 1e9 / f64::from(operations)])
}

/// Measures three times, after a first time that does not count.
fn thrice(operations: u32, mut work: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    work()?;
    let samples = (0..3).map(|_| once(operations, &mut work));
    Ok(samples.collect::<Result<Vec<_>>>()?.concat())
}

/// Measures an operation that is repeated so many times, as [`thrice`] does, and whose result is dropped.
fn repeated<T>(times: u32, mut operation: impl FnMut() -> Result<T>) -> Result<Vec<f64>> {
    thrice(times, || {
        (0..times).try_for_each(|_| operation().map(|result| drop(black_box(result))))
    })
}

pub(crate) fn nothing() {}

/// Starts processes that do nothing.
pub(crate) fn start() -> Result<Vec<f64>> {
    repeated(20, || Ok(spawn(nothing, ())?.join()?))
}

/// Starts this same program with `std::process::Command`.
pub(crate) fn command() -> Result<Vec<f64>> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("nothing");
    repeated(20, || run(&mut command))
}

/// 1 500 000!, as in the lesson about threads.
pub(crate) fn factorial(threads: usize) -> Result<Vec<f64>> {
    once(1, || {
        assert_eq!(factorial::of(1_500_000, threads).bits(), 28_610_766);
        Ok(())
    })
}

pub(crate) fn factorial_on_all_cores() -> Result<Vec<f64>> {
    factorial(thread::available_parallelism()?.get())
}
