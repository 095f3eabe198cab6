//! Runs the measurements in rounds, each in its own process.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Signal, kill_current_process_group};

use crate::measure::{Samples, run};
use crate::rows::{Program, Row, row};

pub(crate) const SPEED_PY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/speed.py");
const BARE_MUTEX_C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bare_mutex.c");

/// A side is measured again until its samples add up to this many nanoseconds.
const ENOUGH: f64 = 2e10;

/// Returns an error if there is no Python.
pub(crate) fn start_python() -> Result<()> {
    run(Command::new("python3").args(["-c", ""]))
}

/// Measures every side of every row once per round.
pub(crate) fn measure_all(rows: &mut [Row], rounds: u32) {
    let python = start_python();
    let bare_mutex = compile_bare_mutex();
    let missing = [&python, &bare_mutex].map(|found| found.as_ref().err());
    for error in missing.into_iter().flatten() {
        let _ = writeln!(io::stderr(), "The lines that need it stay empty: {error:#}");
    }
    for round in 1..=rounds {
        for row in &mut *rows {
            for side in &mut row.sides {
                let can_run = match side.program {
                    Program::Rust(_) => true,
                    Program::Python(_) => python.is_ok(),
                    Program::C(_) => bare_mutex.is_ok(),
                };
                // Slow operations are measured less often.
                let is_enough = |samples: &Vec<f64>| samples.iter().sum::<f64>() > ENOUGH;
                if !can_run || side.samples.as_ref().is_none_or(is_enough) {
                    continue;
                }
                let (row, title) = (&row.name, side.title);
                show_progress(&format!("round {round} of {rounds}: {row}, {title} "));
                let measured = measure_apart(row, title);
                show_progress("");
                if let Err(error) = &measured {
                    let _ = writeln!(io::stderr(), "{row}, {title} failed: {error:#}");
                }
                let samples = side.samples.take().zip(measured.ok());
                side.samples = samples.map(|(all, new)| [all, new].concat());
            }
        }
    }
}

/// Replaces the current line of the terminal.
fn show_progress(words: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{words}");
    }
}

/// Starts this program to measure one side, and returns the nanoseconds that it prints.
fn measure_apart(row: &str, side: &str) -> Samples {
    let mut child = Command::new(env::current_exe()?)
        .args(["measure", row, side, "supervised"])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // When this closes, the child and everything that it started are killed, even if this process is killed.
    let _lifeline = child.stdin.take();
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "it ended with {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let samples: Result<Vec<f64>, _> = text.lines().map(str::parse).collect();
    samples.with_context(|| format!("it printed no numbers but {text:?}"))
}

/// The timeout of a measurement.
const LIMIT: Duration = Duration::from_mins(5);

/// Does the same as [`measure_here`], with a timeout. This process and its group end with the process that started it.
pub(crate) fn measure_supervised(row: &str, side: &str) -> Result<()> {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        kill_current_process_group(Signal::KILL)
    });
    thread::spawn(|| {
        thread::sleep(LIMIT);
        let _ = writeln!(io::stderr(), "It took more than {LIMIT:?}.");
        kill_current_process_group(Signal::KILL)
    });
    measure_here(row, side)
}

/// Measures one side of a row, and prints the nanoseconds of one operation, one line per sample.
pub(crate) fn measure_here(name: &str, side: &str) -> Result<()> {
    let sides = row(name)?.sides;
    let titles: Vec<_> = sides.iter().map(|side| side.title).collect();
    let side = sides.iter().find(|it| it.title == side);
    let side = side.with_context(|| format!("the sides of {name} are {titles:?}"))?;
    match &side.program {
        Program::Rust(measurement) => {
            for sample in measurement()? {
                println!("{sample}");
            }
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

/// Compiles the C program, before the measurements: these may be killed, and a killed compiler leaves files behind.
fn compile_bare_mutex() -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-pthread", BARE_MUTEX_C, "-o"]);
    run(compiler.arg(bare_mutex()?))
}
