//! Compares the cluster's pool with a local pool, a plain loop, and mpi4py's `MPIPoolExecutor` (Debian's package
//! python3-mpi4py), in microseconds for each call. It starts `mpirun` itself: two workers each, on this machine.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use cluster::{ClusterPool, task};
use multiprocess::Pool;

fn successor(number: u64) -> u64 {
    number + 1
}

fn one_millisecond(number: u64) -> u64 {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1) {}
    number
}

fn first(bytes: Vec<u8>) -> u64 {
    bytes.into_iter().next().map_or(0, u64::from)
}

/// The inputs of the three functions.
fn inputs() -> (Vec<u64>, Vec<u64>, Vec<Vec<u8>>) {
    let numbers = |count| (0..count).collect();
    (numbers(200_000), numbers(1000), vec![vec![1; 1 << 20]; 64])
}

fn main() -> Result<()> {
    if std::env::args().len() == 1 {
        return start_both();
    }
    cluster::init([task(successor), task(one_millisecond), task(first)]);
    let (trivial, long, large) = inputs();
    let what = "plain loop";
    row(what, "n + 1", &trivial, |inputs| {
        Ok(inputs.into_iter().map(successor).collect())
    })?;
    row(what, "1 ms of work", &long, |inputs| {
        Ok(inputs.into_iter().map(one_millisecond).collect())
    })?;
    row(what, "1 MiB", &large, |inputs| {
        Ok(inputs.into_iter().map(first).collect())
    })?;
    let (what, pool) = ("local pool", Pool::new(2)?);
    row(what, "n + 1", &trivial, |inputs| {
        Ok(pool.map(successor, inputs)?)
    })?;
    row(what, "1 ms of work", &long, |inputs| {
        Ok(pool.map(one_millisecond, inputs)?)
    })?;
    row(what, "1 MiB", &large, |inputs| Ok(pool.map(first, inputs)?))?;
    drop(pool);
    let (what, pool) = ("cluster pool", ClusterPool::new()?);
    row(what, "n + 1", &trivial, |inputs| {
        Ok(pool.map(successor, inputs)?)
    })?;
    row(what, "1 ms of work", &long, |inputs| {
        Ok(pool.map(one_millisecond, inputs)?)
    })?;
    row(what, "1 MiB", &large, |inputs| Ok(pool.map(first, inputs)?))
}

/// Prints the median of five measurements, after one that isn't counted.
fn row<T: Clone>(
    what: &str,
    function: &str,
    inputs: &[T],
    work: impl Fn(Vec<T>) -> Result<Vec<u64>>,
) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..6 {
        let inputs = inputs.to_vec();
        let start = Instant::now();
        black_box(work(inputs)?);
        times.push(start.elapsed());
    }
    times[1..].sort_unstable();
    let each = times[3].as_secs_f64() * 1e6 / f64::from(u32::try_from(inputs.len())?);
    println!("{what:34} {function:12} {each:10.2} µs");
    Ok(())
}

fn start_both() -> Result<()> {
    let this = std::env::current_exe()?;
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speed.py");
    let ours = vec![this.to_str().unwrap_or_default(), "measure"];
    // The first rank of the executor doesn't work itself.
    let theirs = vec!["/usr/bin/python3", "-m", "mpi4py.futures", python];
    for (ranks, command) in [("2", ours), ("3", theirs)] {
        let mut mpirun = Command::new("mpirun");
        mpirun.args(["--oversubscribe", "--bind-to", "none", "-n", ranks]);
        anyhow::ensure!(
            mpirun.args(command).status()?.success(),
            "{mpirun:?} failed"
        );
    }
    Ok(())
}
