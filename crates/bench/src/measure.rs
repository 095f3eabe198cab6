//! The functions that measure, and how to run one.

pub(crate) mod large;
pub(crate) mod lock;
pub(crate) mod pipe;
pub(crate) mod pool;
pub(crate) mod queue;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use multiprocess::spawn;

use crate::factorial;
use crate::rows::{Program, Row};

/// Where the programs in Python and C are.
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");

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
            for nanoseconds in measurement()? {
                println!("{nanoseconds}");
            }
            Ok(())
        }
        Program::Python(call) => {
            let mut python = Command::new("python3");
            let script = Path::new(SOURCES).join("speed.py");
            run(python.arg(script).args(call.split(' ')))
        }
        Program::C(argument) => {
            let program = bare_mutex()?;
            if !program.exists() {
                compile_bare_mutex()?;
            }
            run(Command::new(program).arg(argument))
        }
    }
}

fn bare_mutex() -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("bare_mutex"))
}

/// Compiles the program in C. A compiler that is killed leaves files, so this is not for a process that measures.
pub(crate) fn compile_bare_mutex() -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-pthread", "-o"]).arg(bare_mutex()?);
    run(compiler.arg(Path::new(SOURCES).join("bare_mutex.c")))
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

/// Measures an operation that is repeated so many times, as [`thrice`] does.
fn repeated(times: u32, mut operation: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    thrice(times, || (0..times).try_for_each(|_| operation()))
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
