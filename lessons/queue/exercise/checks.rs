//! What the exercise must do, and the function that its workers call.

use super::{measure_all, worker};
use anyhow::{Context, Result, ensure};
use multiprocess::{channel, spawn};
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("a worker answers, and ends when the words end", one_worker),
    ("each word is measured once", each_word_once),
    ("without words everybody ends at once", no_words),
    ("ten thousand words come through", many_words),
];

const PATIENCE: Duration = Duration::from_secs(5);

/// Measures a word; is to be called in a worker.
pub fn measure(word: &str) -> usize {
    assert!(
        multiprocess::parent().is_some(),
        "the workers are to measure, not the main process"
    );
    word.chars().count()
}

fn one_worker() -> Result<()> {
    let (to_do, words) = channel()?;
    let (results, done) = channel()?;
    let mut child = spawn(worker, (words, results))?;
    for word in ["fold", "stamp"] {
        to_do.send(word.to_string())?;
    }
    for expected in [("fold", 4), ("stamp", 5)] {
        let result = done.recv_timeout(PATIENCE);
        let (word, length) = result.context("no result came from the worker")?;
        ensure!(
            (word.as_str(), length) == expected,
            "{expected:?} was to come, and {word:?}, {length} came"
        );
    }
    let early = child.join_timeout(Duration::from_millis(100));
    ensure!(
        early.is_err_and(|error| error.is_timeout()),
        "the worker ended before the words did: the third could still come"
    );
    drop(to_do);
    let share = child.join_timeout(PATIENCE);
    let waits = matches!(&share, Err(error) if error.is_timeout());
    ensure!(!waits, "the words have ended, and the worker still waits");
    let share = share?;
    ensure!(share == 2, "the worker did 2 words, and says {share}");
    Ok(())
}

fn measure_numbers(count: usize, workers: usize) -> Result<()> {
    let words: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let (lengths, shares) = measure_all(words.clone(), workers)?;
    for word in words {
        let length = lengths.get(&word).copied();
        ensure!(
            length == Some(word.len()),
            "the length of {word:?} is {}, and this was found: {length:?}",
            word.len()
        );
    }
    ensure!(
        lengths.len() == count,
        "{} lengths of {count} words",
        lengths.len()
    );
    ensure!(
        shares.len() == workers && shares.iter().sum::<usize>() == count,
        "{count} words were to be done by {workers} workers, and their shares are {shares:?}"
    );
    Ok(())
}

fn each_word_once() -> Result<()> {
    measure_numbers(20, 3)?;
    measure_numbers(1, 2)
}

fn no_words() -> Result<()> {
    measure_numbers(0, 3)
}

fn many_words() -> Result<()> {
    measure_numbers(10_000, 2)
}
