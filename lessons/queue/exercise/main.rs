//! An exercise: words through a workshop. What to do is in task.md.

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

/// Measures words until there are no more, and gives their number; runs in a process of its own.
pub fn worker(words: Receiver<String>, results: Sender<(String, usize)>) -> usize {
    // Gap: this takes one word, and there may be none, or many.
    let word = words.recv().expect("a word");
    let length = measure(&word);
    results.send((word, length)).expect("the parent listens");
    1
}

/// Has words measured by workers. Gives their lengths, and how many words each worker did.
pub fn measure_all(
    words: Vec<String>,
    workers: usize,
) -> Result<(BTreeMap<String, usize>, Vec<usize>)> {
    // Gap: start the workers, send the words, take the results, join the workers.
    todo!("have {workers} workers measure {} words", words.len())
}
