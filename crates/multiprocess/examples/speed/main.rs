//! Measures one side of one row of the table of speeds, and prints nanoseconds per operation, one line for each time
//! that it was measured: `speed ROW SIDE`. `speed list` prints what there is.
//!
//! `cargo xtask bench` builds this in release, runs it in turns with `speed.py`, `bare_mutex.c` and the example
//! `speed_procspawn`, and makes the table.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod array;
#[allow(
    clippy::pedantic,
    unreachable_pub,
    reason = "it is the lesson's, and lessons are written for reading"
)]
#[path = "../../../../lessons/threads/src/factorial.rs"]
mod factorial;
mod lock;
#[path = "../../../../lessons/threads/src/multiply.rs"]
#[allow(
    clippy::pedantic,
    unreachable_pub,
    reason = "it is the lesson's, and lessons are written for reading"
)]
mod multiply;
mod pipe;
mod pool;
mod product;
mod queue;
mod start;
mod stopwatch;

use std::process::ExitCode;

use multiprocess::task;

use crate::stopwatch::Outcome;

/// A side of a row, and what gives the nanoseconds of each time that it was measured.
type Measurement = (&'static str, &'static str, fn() -> Outcome<Vec<f64>>);

const MEASUREMENTS: &[Measurement] = &[
    ("spawn", "ours", start::ours),
    ("spawn", "command", start::command),
    ("pipe", "ours", || pipe::ours(pipe::Rhythm::Steady)),
    ("pipe", "socketpair", || {
        pipe::socketpair(pipe::Rhythm::Steady)
    }),
    ("pipe", "ipc-channel", pipe::ipc_channel),
    ("pipe-paused", "ours", || pipe::ours(pipe::Rhythm::Paused)),
    ("pipe-paused", "socketpair", || {
        pipe::socketpair(pipe::Rhythm::Paused)
    }),
    ("queue", "ours", || queue::ours(1, 1)),
    ("queue", "ipc-channel", queue::ipc_channel),
    ("queue-4-2", "ours", || queue::ours(4, 2)),
    ("pool", "ours", pool::ours),
    ("pool", "rayon", pool::rayon),
    ("pool-single", "ours", pool::ours_single),
    ("pool-work", "ours", pool::ours_work),
    ("pool-work", "loop", pool::plain_loop),
    ("pool-work", "threads", pool::threads),
    ("pool-work", "rayon", pool::rayon_work),
    ("lock", "ours", lock::ours),
    ("value", "ours", lock::value),
    ("lock-new", "ours", lock::new),
    ("semaphore", "ours", lock::semaphore),
    ("array-read", "ours", array::read),
    ("array-read", "memcpy", array::memcpy),
    ("array-write", "ours", array::write),
    ("array-write", "memcpy", array::memcpy),
    ("factorial", "ours", product::one_thread),
    ("factorial-cores", "ours", product::all_cores),
    ("factorial-cores", "one-thread", product::one_thread),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // What is started for comparison: this program, which ends at once, or gives back what it gets.
    match words[..] {
        [start::NOTHING] => return ExitCode::SUCCESS,
        [pipe::ECHO] => return told(pipe::echo_socket()),
        _ => {}
    }
    multiprocess::init([
        task(start::nothing),
        task(pipe::echo),
        task(pipe::echo_ipc),
        task(queue::put),
        task(queue::put_ipc),
        task(queue::sum),
        task(pool::successor),
        task(pool::squares),
        task(lock::add),
    ]);
    told(match words[..] {
        ["list"] => {
            for (row, side, _) in MEASUREMENTS {
                println!("{row} {side}");
            }
            Ok(())
        }
        [row, side] => measure(row, side),
        _ => Err("usage: speed ROW SIDE, or speed list".into()),
    })
}

fn measure(row: &str, side: &str) -> Outcome<()> {
    let (.., measurement) = MEASUREMENTS
        .iter()
        .find(|(its_row, its_side, _)| (*its_row, *its_side) == (row, side))
        .ok_or_else(|| format!("there is no measurement `{row} {side}`; see `speed list`"))?;
    for nanoseconds in measurement()? {
        println!("{nanoseconds}");
    }
    Ok(())
}

fn told(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
