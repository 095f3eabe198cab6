//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use anyhow::Result;
use checks::measure;
use multiprocess::{Receiver, Sender, channel, spawn, task};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([task(worker)]);
    support::run_checks(checks::CHECKS)
}

/// Measures words until no more come, and returns how many it measured. Runs in its own process.
pub fn worker(words: Receiver<String>, results: Sender<(String, usize)>) -> usize {
    let mut count = 0;
    for word in &words {
        let word = word.unwrap();
        let length = measure(&word);
        results.send((word, length)).unwrap();
        count += 1;
    }
    count
}

/// Lets workers measure the words. Returns the length of each word, and how many words each worker
/// measured.
pub fn measure_all(
    words: Vec<String>,
    workers: usize,
) -> Result<(BTreeMap<String, usize>, Vec<usize>)> {
    let (word_sender, word_receiver) = channel()?;
    let (result_sender, result_receiver) = channel()?;
    let mut children = Vec::new();
    for _ in 0..workers {
        let arguments = (word_receiver.clone(), result_sender.clone());
        children.push(spawn(worker, arguments)?);
    }
    drop(word_receiver); // from here on, only the workers have these ends
    drop(result_sender);
    for word in words {
        word_sender.send(word)?;
    }
    drop(word_sender); // no more words

    let mut lengths = BTreeMap::new();
    for result in &result_receiver {
        let (word, length) = result?;
        lengths.insert(word, length);
    }
    let mut shares = Vec::new();
    for child in children {
        shares.push(child.join()?);
    }
    Ok((lengths, shares))
}
