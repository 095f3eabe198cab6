//! Runs the measurements in turns, each in a process of its own.

use std::env;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Signal, kill_current_process_group};

use crate::machine::Machine;
use crate::results::RowResults;
use crate::rows::{Row, Side};

/// How long one measurement may take. The longest, Python's factorial, took 40 s on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

/// The last argument of a process that measures, and ends with the one that started it.
pub(crate) const SUPERVISED: &str = "supervised";

/// Measures the rows round by round, in each round every side of every row.
pub(crate) fn run(rows: &[&'static Row], rounds: u32, machine: &mut Machine) -> Vec<RowResults> {
    let mut results: Vec<_> = rows.iter().map(|row| RowResults::new(row)).collect();
    let sides = rows.iter().flat_map(|row| row.sides);
    let sides = sides.filter(|side| machine.can_run(side.program));
    let all: u32 = sides.map(|side| side.max_rounds.min(rounds)).sum();
    let (start, mut done) = (Instant::now(), 0);
    let is_shown = io::stderr().is_terminal();
    for round in 0..rounds {
        for RowResults { row, sides } in &mut results {
            for results in sides {
                let side = results.side;
                if round >= side.max_rounds || !machine.can_run(side.program) {
                    continue;
                }
                if is_shown {
                    let left = (start.elapsed() * (all - done) / done.max(1)).as_secs();
                    let (row, side) = (row.name, side.title);
                    eprint!("\r\x1b[K{done} of {all}, about {left} s left: {row}, {side}\r");
                }
                done += 1;
                // A measurement that failed may have taken as long as the limit: it is not repeated.
                if results.has_failed {
                    continue;
                }
                match measure(row, side) {
                    Ok(samples) => results.nanoseconds.extend(samples),
                    Err(error) => {
                        eprintln!("{}, {} failed: {error:#}", row.name, side.title);
                        results.has_failed = true;
                    }
                }
            }
        }
        machine.look_again();
    }
    if is_shown {
        eprint!("\x1b[K");
    }
    results
}

/// Starts this program to measure one side, and returns the nanoseconds that it prints.
fn measure(row: &Row, side: &Side) -> Result<Vec<f64>> {
    let mut child = Command::new(env::current_exe()?)
        .args(["measure", row.name, side.title, SUPERVISED])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // When this is closed, the child and all that it started are killed: also if this process ends before.
    let lifeline = child.stdin.take();
    let (sender, output) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(LIMIT) else {
        drop(lifeline);
        let _ = output.recv_timeout(Duration::from_secs(10));
        bail!("it was killed after {} s", LIMIT.as_secs());
    };
    let output = output?;
    let (status, errors) = (output.status, String::from_utf8_lossy(&output.stderr));
    ensure!(status.success(), "it ended with {status}\n{errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let samples: Result<Vec<f64>, _> = text.lines().map(str::parse).collect();
    let samples = samples.ok().filter(|samples| !samples.is_empty());
    samples.with_context(|| format!("it printed no numbers but {text:?}"))
}

/// Makes this process, which measures, and its group end when the process that started it does.
pub(crate) fn end_with_supervisor() {
    thread::spawn(|| {
        await_end_of_input();
        // A killed process can't remove the names of its shared memory. One that is not in the group can.
        let mut sweeper = Command::new(env::current_exe().unwrap_or_default());
        let sweeper = sweeper.arg("sweep").process_group(0).stdin(Stdio::piped());
        let _lifeline = sweeper.spawn();
        let _ = kill_current_process_group(Signal::KILL);
    });
}

/// Waits until the group that started this process is gone. Then `multiprocess::init` removes what it left.
pub(crate) fn await_end_of_group() {
    await_end_of_input();
    thread::sleep(Duration::from_millis(500));
}

fn await_end_of_input() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}
