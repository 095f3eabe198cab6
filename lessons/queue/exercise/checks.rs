//! What your program must do, and the function that its workers call.

use super::{measure_all, worker};
use anyhow::{Result, bail, ensure};
use multiprocess::{channel, spawn};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("a worker ends when the words end", one_worker),
    ("each word is measured once", each_word_once),
    ("without words, everything ends at once", no_words),
    ("ten thousand words come through", many_words),
];

/// How long a check waits for something that should come at once.
const LIMIT: Duration = Duration::from_secs(3);

/// Returns the length of a word. Call it in a worker.
pub fn measure(word: &str) -> usize {
    assert!(
        multiprocess::parent().is_some(),
        "`measure` was called in the main process, and not in a worker"
    );
    word.chars().count()
}

fn one_worker() -> Result<()> {
    let (word_sender, word_receiver) = channel()?;
    let (result_sender, result_receiver) = channel()?;
    let mut child = spawn(worker, (word_receiver, result_sender))?;
    for word in ["fold", "stamp"] {
        word_sender.send(word.to_string())?;
    }
    for (expected_word, expected_length) in [("fold", 4), ("stamp", 5)] {
        let Ok((word, length)) = result_receiver.recv_timeout(LIMIT) else {
            bail!("the worker sent no result for the word `{expected_word}`");
        };
        ensure!(
            word == expected_word && length == expected_length,
            "the worker sent `{word}` {length}; expected `{expected_word}` {expected_length}"
        );
    }
    let early = child.join_timeout(Duration::from_millis(100));
    ensure!(
        early.is_err_and(|error| error.is_timeout()),
        "the worker ended after two words, but more could still come"
    );
    drop(word_sender);
    let share = child.join_timeout(LIMIT);
    if matches!(&share, Err(error) if error.is_timeout()) {
        kill_workers();
        bail!("the words have ended, but the worker is still waiting");
    }
    let share = share?;
    ensure!(
        share == 2,
        "the worker measured 2 words, but returned {share}"
    );
    Ok(())
}

/// Ends the workers that are still waiting; otherwise this program would wait for them at its end.
fn kill_workers() {
    for worker in multiprocess::active_children() {
        let pid = worker.pid().to_string();
        let _ = Command::new("kill").args(["-9", &pid]).status();
    }
}

fn measure_numbers(count: usize, workers: usize) -> Result<()> {
    let words: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let input = words.clone();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(measure_all(input, workers)));
    let answer = match receiver.recv_timeout(LIMIT) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Disconnected) => bail!("`measure_all` panicked"),
        Err(RecvTimeoutError::Timeout) => {
            kill_workers();
            bail!(
                "`measure_all` hasn't returned after {} seconds, with {count} words and {workers} \
                 workers: who is still waiting, and who could still send something?",
                LIMIT.as_secs()
            );
        }
    };
    let (lengths, shares) = answer?;
    for word in words {
        let Some(length) = lengths.get(&word) else {
            bail!("the word `{word}` has no length");
        };
        ensure!(
            *length == word.len(),
            "the word `{word}` has the length {length}; expected {}",
            word.len()
        );
    }
    ensure!(
        lengths.len() == count,
        "there are {} lengths; expected {count}",
        lengths.len()
    );
    ensure!(
        shares.len() == workers,
        "{} workers returned how many words they measured; expected {workers} workers",
        shares.len()
    );
    let total: usize = shares.iter().sum();
    ensure!(
        total == count,
        "the workers say that they measured {total} words; expected {count}"
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
