//! Compares the speed of the crate `multiprocess` with Python's `multiprocessing` and with lower layers.
//!
//! Each measurement runs in its own process: this program, started again as `bench measure ROW SIDE`.

// Code of a lesson, which has other lints.
#[allow(clippy::pedantic, unreachable_pub)]
#[path = "../../../lessons/threads/src"]
mod lesson {
    pub(crate) mod factorial;
}
mod measure;
mod report;
mod rows;
mod run;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use lexopt::{Arg, ValueExt};
use multiprocess::{Array, task};

use crate::lesson::factorial;
use crate::measure::{handles, large, lock, pipe, pool, queue};

const USAGE: &str = include_str!("../usage.txt");

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    // The process that `measure::command` starts.
    if words == ["nothing"] {
        return ExitCode::SUCCESS;
    }
    multiprocess::init([
        task(measure::nothing),
        task(pipe::echo::<u64>),
        task(pipe::echo::<Vec<u8>>),
        task(pipe::echo::<Vec<f64>>),
        task(pipe::echo::<Array<u8>>),
        task(pipe::echo_ipc),
        task(queue::put),
        task(queue::put_ipc),
        task(queue::sum),
        task(large::length),
        task(pool::successor),
        task(pool::squares),
        task(lock::add),
    ]);
    procspawn::init();
    let done = match words[..] {
        ["measure", row, side] => run::measure_here(row, side),
        ["measure", row, side, "supervised"] => run::measure_supervised(row, side),
        ["handles", "--help" | "-h"] => {
            help();
            Ok(())
        }
        ["handles", ref kinds @ ..] => handles::print(kinds),
        _ => bench(),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let (status, words) = match error.downcast::<lexopt::Error>() {
        Ok(misuse) => (2, misuse.to_string()),
        Err(error) => (1, format!("{error:#}")),
    };
    let _ = writeln!(io::stderr(), "error: {words}");
    ExitCode::from(status)
}

fn help() {
    // A closed pipe is not an error.
    let _ = io::stdout().write_all(USAGE.as_bytes());
}

fn bench() -> Result<()> {
    let (mut rows, mut rounds) = (Vec::new(), 7);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => rounds = 1,
            Arg::Long("help") | Arg::Short('h') => {
                help();
                return Ok(());
            }
            Arg::Value(name) => rows.push(rows::row(&name.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    if rows.is_empty() {
        rows = rows::rows();
    }
    run::measure_all(&mut rows, rounds);
    let table = report::report(&rows, rounds);
    // A closed pipe is not an error.
    let _ = io::stdout().write_all(table.as_bytes());
    let mut sides = rows.iter().flat_map(|row| &row.sides);
    let is_done = sides.all(|side| side.samples.is_some());
    ensure!(is_done, "a measurement failed");
    Ok(())
}
