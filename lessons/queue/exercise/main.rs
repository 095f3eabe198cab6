//! An exercise: words measured by several workers. What to do is in task.md.

mod checks;

use anyhow::Result;
use checks::measure;
use multiprocess::{Receiver, Sender, task};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([task(worker)]);
    support::run_checks(checks::CHECKS)
}

/// Measures words until no more come, and returns how many it measured. Runs in its own process.
pub fn worker(words: Receiver<String>, results: Sender<(String, usize)>) -> usize {
    // Gap: this takes one word, but there may be none, or many.
    let word = words.recv().unwrap();
    let length = measure(&word);
    results.send((word, length)).unwrap();
    1
}

/// Lets workers measure the words. Returns the length of each word, and how many words each worker
/// measured.
pub fn measure_all(
    words: Vec<String>,
    workers: usize,
) -> Result<(BTreeMap<String, usize>, Vec<usize>)> {
    // Gap: start the workers, send the words, take the results, join the workers.
    todo!("let {workers} workers measure {} words", words.len())
}
