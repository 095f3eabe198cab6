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
#[path = "../../../lessons/threads/src/factorial.rs"]
mod factorial;
mod machine;
mod measure;
#[allow(
    clippy::pedantic,
    unreachable_pub,
    reason = "it belongs to a lesson, and is written for reading"
)]
#[path = "../../../lessons/threads/src/multiply.rs"]
mod multiply;
mod picture;
mod readme;
mod report;
mod results;
mod rows;
mod run;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, ValueExt};
use multiprocess::{Array, task};

use crate::machine::Machine;
use crate::measure::{large, lock, pipe, pool, queue};
use crate::rows::{ROWS, Row};

const USAGE: &str = include_str!("../usage.txt");
const ROUNDS: u32 = 7;

struct Args {
    rows: Vec<&'static Row>,
    rounds: u32,
    output: PathBuf,
    readme: bool,
}

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    // This program is also what it starts for comparison, and what ends with it.
    match words[..] {
        ["nothing"] => return ExitCode::SUCCESS,
        ["echo-socket"] => return exit_code(pipe::echo_socket().map(|()| true)),
        ["sweep"] => run::await_end_of_group(),
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
    exit_code(match words[..] {
        ["sweep"] => Ok(true),
        ["measure", row, side] => measure::print(row, side).map(|()| true),
        ["measure", row, side, run::SUPERVISED] => {
            run::end_with_supervisor();
            measure::print(row, side).map(|()| true)
        }
        _ => bench(),
    })
}

/// Returns 1 for a failure, and 2 for a command line that can't be understood.
fn exit_code(is_good: Result<bool>) -> ExitCode {
    ExitCode::from(match is_good {
        Ok(is_good) => u8::from(!is_good),
        Err(error) if error.is::<lexopt::Error>() => {
            eprintln!("error: {error}");
            2
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            1
        }
    })
}

/// Returns whether everything was measured, and the README has the table if it was to get it.
fn bench() -> Result<bool> {
    let Some(args) = parse()? else {
        print(USAGE);
        return Ok(true);
    };
    if args.readme {
        readme::check()?;
    }
    let mut machine = Machine::look();
    let warning = machine.warning();
    ensure!(
        warning.is_empty() || !args.readme,
        "the README stays as it is, and nothing was measured. {warning}"
    );
    eprint!("{warning}");
    let results = run::run(&args.rows, args.rounds, &mut machine);

    // What took minutes is kept first: the reader of the output may go away.
    let table = report::table(&results, &machine, args.rounds);
    let picture = picture::svg(&results, &machine.description);
    let folder = args.output.display();
    fs::create_dir_all(&args.output)
        .and_then(|()| fs::write(args.output.join("bench.md"), &table))
        .and_then(|()| fs::write(args.output.join("bench.svg"), &picture))
        .with_context(|| format!("{folder} cannot be written"))?;
    let mut sides = results.iter().flat_map(|row| &row.sides);
    let has_failed = sides.any(|side| side.has_failed);
    let warning = machine.warning();
    let is_fit = !has_failed && warning.is_empty();
    let of_readme = match (args.readme, is_fit) {
        (false, _) => "",
        (true, false) => "The README stays as it is.\n",
        (true, true) => "The README has the new table.\n",
    };
    if args.readme && is_fit {
        readme::write(&table, &picture)?;
    }
    let verdict = report::verdict(&results, machine.cores);
    let files = format!("Written to {folder}: bench.md, bench.svg.\n");
    let text = [&*table, "\n", &warning, &files, of_readme, &verdict];
    print(&text.concat());
    Ok(!has_failed && (is_fit || !args.readme))
}

/// Reads the command line; `None` if it asks for help.
fn parse() -> Result<Option<Args>, lexopt::Error> {
    let program = env::current_exe().unwrap_or_default();
    let mut args = Args {
        rows: Vec::new(),
        rounds: ROUNDS,
        // The program is in `target/release`.
        output: program.with_file_name("").join("../bench"),
        readme: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("quick") => args.rounds = 1,
            Arg::Long("output") => args.output = parser.value()?.into(),
            Arg::Long("readme") => args.readme = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Value(name) => args.rows.push(Row::find(&name.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if args.readme && (args.rounds < ROUNDS || !args.rows.is_empty()) {
        return Err("--readme is for all rows and rounds: leave out rows and --quick".into());
    }
    if args.rows.is_empty() {
        args.rows = ROWS.iter().collect();
    }
    Ok(Some(args))
}

/// Prints a text. That a reader has gone away is no error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
