//! Measures the crate `multiprocess`, Python's `multiprocessing`, and what lies below both, in turns, and shows a table.
//!
//! Each measurement runs in a process of its own: this program, started again as `bench measure ROW SIDE`.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

#[allow(
    clippy::pedantic,
    unreachable_pub,
    reason = "it belongs to a lesson, and is written for reading"
)]
#[path = "../../../lessons/threads/src"]
mod lesson {
    pub(crate) mod factorial;
    pub(crate) mod multiply;
}
mod machine;
mod measure;
mod report;
mod rows;
mod run;
mod side;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, ValueExt};
use multiprocess::{Array, task};

use crate::lesson::{factorial, multiply};
use crate::machine::Machine;
use crate::measure::{large, lock, pipe, pool, queue};
use crate::rows::{ROWS, Row};

const USAGE: &str = include_str!("../usage.txt");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
const ROUNDS: u32 = 7;

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    match words[..] {
        // What is started for comparison.
        ["nothing"] => return ExitCode::SUCCESS,
        ["measure", _, "procspawn", ..] => procspawn::init(),
        _ => {}
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
    let done = match words[..] {
        ["measure", row, side] => side::measure(row, side),
        ["measure", row, side, run::SUPERVISED] => {
            run::end_with_supervisor();
            side::measure(row, side)
        }
        _ => bench(),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    if error.is::<lexopt::Error>() {
        let _ = writeln!(io::stderr(), "error: {error}");
        return ExitCode::from(2);
    }
    let _ = writeln!(io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

fn bench() -> Result<()> {
    let (mut rows, mut rounds, mut readme) = (Vec::new(), ROUNDS, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => rounds = 1,
            Arg::Long("readme") => readme = true,
            Arg::Long("help") | Arg::Short('h') => {
                print(USAGE);
                return Ok(());
            }
            Arg::Value(name) => rows.push(Row::find(&name.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    if readme && (rounds < ROUNDS || !rows.is_empty()) {
        let why = "--readme is for all rows and rounds: leave out rows and --quick";
        return Err(lexopt::Error::from(why).into());
    }
    if rows.is_empty() {
        rows = ROWS.iter().collect();
    }
    let machine = Machine::look();
    let _ = write!(io::stderr(), "{}", machine.missing);
    ensure!(
        !readme || machine.missing.is_empty(),
        "nothing was measured for the README"
    );
    let results = run::run(&rows, rounds, &machine);
    let [table, verdict] = report::report(&results, &machine, rounds);
    print(&[&*table, "\n", &verdict].concat());
    let has_failed = results.iter().any(|side| side.has_failed);
    ensure!(!has_failed, "a measurement failed");
    if readme {
        let text = fs::read_to_string(README).context("README.md cannot be read")?;
        let text = report::with_table(&text, &table)?;
        fs::write(README, text).context("README.md cannot be written")?;
    }
    Ok(())
}

/// Prints a text. That a reader has gone away is no error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
