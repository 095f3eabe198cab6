//! The functions that measure.

pub(crate) mod handles;
pub(crate) mod large;
pub(crate) mod lock;
pub(crate) mod pipe;
pub(crate) mod pool;
pub(crate) mod queue;

use std::env;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use multiprocess::spawn;

use crate::factorial;

/// The nanoseconds of one operation, one number per sample.
pub(crate) type Samples = Result<Vec<f64>>;

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status();
    let program = command.get_program().display();
    let status = status.with_context(|| format!("{program} does not start"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// Takes one sample of `work`, which does this many operations.
fn once<T>(operations: u32, work: impl FnOnce() -> Result<T>) -> Samples {
    let start = Instant::now();
    black_box(work()?);
    let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
    Ok(vec![nanoseconds / f64::from(operations)])
}

/// Takes three samples, after a warm-up.
fn thrice(operations: u32, mut work: impl FnMut() -> Result<()>) -> Samples {
    work()?;
    let samples: Result<Vec<_>> = (0..3).map(|_| once(operations, &mut work)).collect();
    Ok(samples?.concat())
}

/// Takes three samples of an operation that is repeated this many times, after a warm-up.
fn repeated<T>(times: u32, mut operation: impl FnMut() -> Result<T>) -> Samples {
    thrice(times, || {
        (0..times).try_for_each(|_| operation().map(|result| drop(black_box(result))))
    })
}

/// Makes a handle, and drops it.
pub(crate) fn new<T>(make: fn() -> multiprocess::Result<T>) -> Samples {
    repeated(1000, || Ok(make()?))
}

pub(crate) fn nothing() {}

pub(crate) fn start() -> Samples {
    repeated(20, || Ok(spawn(nothing, ())?.join()?))
}

/// Starts this program by `std::process::Command`.
pub(crate) fn command() -> Samples {
    let program = env::current_exe()?;
    repeated(20, || run(Command::new(&program).arg("nothing")))
}

/// Computes 1 500 000! as in lesson threads.
pub(crate) fn factorial(threads: usize) -> Samples {
    once(1, || {
        assert_eq!(factorial::of(1_500_000, threads).bits(), 28_610_766);
        Ok(())
    })
}
