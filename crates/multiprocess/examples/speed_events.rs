//! Measures the cost of events: a lock and a queue without a subscriber, and with a recording, alternately.
//!
//! `cargo run --release -p multiprocess --example speed_events`

use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use multiprocess::{Lock, Queue};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 9;
/// Few enough that the recording doesn't become full.
const TIMES: u32 = 15_000;
/// The variable that is set for the runs that measure.
const MEASURE: &str = "SPEED_EVENTS_MEASURE";

fn main() -> Outcome<()> {
    multiprocess::init([]);
    if std::env::var_os(MEASURE).is_some() {
        let [lock, queue] = measure()?;
        println!("{lock} {queue}");
        return Ok(());
    }
    let mut off = Vec::new();
    let mut on = Vec::new();
    for _ in 0..ROUNDS {
        off.push(run(None)?);
        let folder = tempfile::tempdir()?;
        on.push(run(Some(folder.path()))?);
    }
    println!("nanoseconds               no subscriber   recorded        per event");
    for (row, name, events) in [(0, "acquire and release", 3.0), (1, "put and get", 2.0)] {
        let [off, on] = [&off, &on].map(|runs| median(runs.iter().map(|run| run[row])));
        println!(
            "{name:22} {off:16.1} {on:10.1} {:16.1}",
            (on - off) / events
        );
    }
    Ok(())
}

/// Runs this program to measure, with or without a recording.
fn run(recording: Option<&std::path::Path>) -> Outcome<[f64; 2]> {
    let mut program = Command::new(std::env::current_exe()?);
    program.env(MEASURE, "1").env_remove("MULTIPROCESS_RECORD");
    if let Some(folder) = recording {
        program.env("MULTIPROCESS_RECORD", folder);
    }
    let output = String::from_utf8(program.output()?.stdout)?;
    let numbers = output.split_whitespace().map(str::parse);
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
    numbers
        .try_into()
        .map_err(|_| "expected two numbers".into())
}

fn measure() -> Outcome<[f64; 2]> {
    let (lock, queue) = (Lock::new()?, Queue::new()?);
    let lock = each(|| {
        drop(black_box(lock.lock()?));
        Ok(())
    })?;
    let queue = each(|| {
        queue.put(7_u64)?;
        black_box(queue.get()?);
        Ok(())
    })?;
    Ok([lock, queue])
}

/// Returns how many nanoseconds each repetition takes.
fn each(mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    for _ in 0..TIMES {
        work()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES))
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
