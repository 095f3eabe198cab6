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

/// Measures words until there are no more, and gives their number; runs in a process of its own.
pub fn worker(words: Receiver<String>, results: Sender<(String, usize)>) -> usize {
    let mut done = 0;
    for word in &words {
        let word = word.expect("a word can be read");
        let length = measure(&word);
        results.send((word, length)).expect("the parent listens");
        done += 1;
    }
    done
}

/// Has words measured by workers. Gives their lengths, and how many words each worker did.
pub fn measure_all(
    words: Vec<String>,
    workers: usize,
) -> Result<(BTreeMap<String, usize>, Vec<usize>)> {
    let (to_do, words_to_take) = channel()?;
    let (results, done) = channel()?;
    let mut children = Vec::new();
    for _ in 0..workers {
        let arguments = (words_to_take.clone(), results.clone());
        children.push(spawn(worker, arguments)?);
    }
    drop((words_to_take, results)); // from here on only the workers have these halves
    for word in words {
        to_do.send(word)?;
    }
    drop(to_do); // no more words

    let mut lengths = BTreeMap::new();
    for result in &done {
        let (word, length) = result?;
        lengths.insert(word, length);
    }
    let mut shares = Vec::new();
    for child in children {
        shares.push(child.join()?);
    }
    Ok((lengths, shares))
}
