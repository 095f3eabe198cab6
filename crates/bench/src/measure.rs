//! The functions that measure, and how to run one.

pub(crate) mod large;
pub(crate) mod lock;
pub(crate) mod pipe;
pub(crate) mod pool;
pub(crate) mod queue;

use std::env;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use multiprocess::spawn;

use crate::factorial;
use crate::rows::{Program, Row};

const SPEED_PY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/speed.py");
const BARE_MUTEX_C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bare_mutex.c");

/// Returns the nanoseconds of one operation, once for each sample.
pub(crate) type Measurement = fn() -> Result<Vec<f64>>;

/// Measures one side of a row, and prints the nanoseconds of one operation, a line for each sample.
pub(crate) fn print(row: &str, side: &str) -> Result<()> {
    let row = Row::find(row)?;
    let titles: Vec<_> = row.sides.iter().map(|side| side.title).collect();
    let side = row.sides.iter().find(|it| it.title == side);
    let side = side.with_context(|| format!("the sides of {} are {titles:?}", row.name))?;
    match side.program {
        Program::Rust(measurement) => {
            measurement()?
                .iter()
                .for_each(|nanoseconds| println!("{nanoseconds}"));
            Ok(())
        }
        Program::Python(call) => run(Command::new("python3").arg(SPEED_PY).args(call.split(' '))),
        Program::C(argument) => {
            if !bare_mutex()?.exists() {
                compile_bare_mutex()?;
            }
            run(Command::new(bare_mutex()?).arg(argument))
        }
    }
}

fn bare_mutex() -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("bare_mutex"))
}

/// Compiles the program in C. A compiler that is killed leaves files, so this is not for a process that measures.
pub(crate) fn compile_bare_mutex() -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-pthread", BARE_MUTEX_C, "-o"]);
    run(compiler.arg(bare_mutex()?))
}

fn run(command: &mut Command) -> Result<()> {
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
