//! Runs the measurements in turns, each in a process of its own.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Signal, kill_current_process_group};

use crate::machine::Machine;
use crate::report::Results;
use crate::rows::Row;

/// How long one measurement may take. The longest, Python's factorial, took 40 s on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

/// So many nanoseconds of one operation are measured, in all rounds.
const ENOUGH: f64 = 2e10;

/// The last argument of a process that measures, and ends with the one that started it.
pub(crate) const SUPERVISED: &str = "supervised";

/// Measures the rows round by round, in each round every side of every row.
pub(crate) fn run(rows: &[&'static Row], rounds: u32, machine: &Machine) -> Vec<Results> {
    let sides = rows
        .iter()
        .flat_map(|row| row.sides.iter().map(|side| (*row, side)));
    let results = sides.map(|(row, side)| Results {
        row,
        side,
        nanoseconds: Vec::new(),
        has_failed: false,
    });
    let mut results: Vec<Results> = results.collect();
    let all = u32::try_from(results.len()).unwrap_or(u32::MAX) * rounds;
    let (start, mut done) = (Instant::now(), 0);
    for _ in 0..rounds {
        for it in &mut results {
            let (row, side) = (it.row.name, it.side.title);
            if io::stderr().is_terminal() {
                let left = (start.elapsed() * (all - done) / done.max(1)).as_secs();
                let _ = write!(
                    io::stderr(),
                    "\r\x1b[K{done} of {all}, about {left} s left: {row}, {side}\r"
                );
            }
            done += 1;
            // What has failed may take as long as the limit. What takes long is measured less often.
            let is_enough = it.has_failed || it.nanoseconds.iter().sum::<f64>() > ENOUGH;
            if is_enough || !machine.can_run(it.side.program) {
                continue;
            }
            match measure(row, side) {
                Ok(samples) => it.nanoseconds.extend(samples),
                Err(error) => {
                    let _ = writeln!(io::stderr(), "{row}, {side} failed: {error:#}");
                    it.has_failed = true;
                }
            }
        }
    }
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\x1b[K");
    }
    results
}

/// Starts this program to measure one side, and returns the nanoseconds that it prints.
fn measure(row: &str, side: &str) -> Result<Vec<f64>> {
    let mut child = Command::new(env::current_exe()?)
        .args(["measure", row, side, SUPERVISED])
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
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = kill_current_process_group(Signal::KILL);
    });
}
