//! The checks of the exercise, and the function with which its processes read a text.

use super::{count, histogram};
use anyhow::{Result, ensure};
use multiprocess::{Array, Event, spawn};
use std::time::Duration;
use std::{iter, thread};
use support::Check;

pub const CHECKS: &[Check] = &[
    ("a process adds its letters to the array", one_process),
    ("several texts are counted together", several_texts),
    ("no letter gets lost among four processes", none_lost),
    (
        "a process reads its text without the lock",
        read_without_lock,
    ),
];

/// How long the last check waits for a process to read its text.
const LIMIT: Duration = Duration::from_secs(4);

/// How long a process takes to read a text: a result that doesn't wait for the process misses its letters.
const READING: Duration = Duration::from_millis(200);

/// A text, and the event to set when it has been read.
pub type Text = (String, Option<Event>);

/// Returns the place of each letter of a text: 0 for `a` and `A`, 25 for `z`. Other characters have none.
pub fn places((text, read): Text) -> impl Iterator<Item = usize> {
    assert!(
        multiprocess::parent().is_some(),
        "call `places` in a child process, not in the main process"
    );
    thread::sleep(READING);
    let mut places = Vec::new();
    for letter in text.to_ascii_lowercase().bytes() {
        if letter.is_ascii_lowercase() {
            places.push(usize::from(letter - b'a'));
        }
    }
    let end = iter::from_fn(move || {
        if let Some(read) = &read {
            read.set();
        }
        None
    });
    places.into_iter().chain(end)
}

fn text(letters: &str) -> Text {
    (letters.to_string(), None)
}

fn expect(counts: &[u32], expected: &[(char, u32)]) -> Result<()> {
    ensure!(
        counts.len() == 26,
        "26 numbers expected, not {}",
        counts.len()
    );
    for (letter, count) in ('a'..='z').zip(counts) {
        let known = expected.iter().find(|(known, _)| *known == letter);
        let times = known.map_or(0, |(_, times)| *times);
        ensure!(
            *count == times,
            "the count of {letter} should be {times}, not {count}"
        );
    }
    Ok(())
}

fn one_process() -> Result<()> {
    let mut before = [0; 26];
    before[25] = 7; // another process counted these
    let counts = Array::from_slice(&before)?;
    spawn(count, (text("Abba, 2!"), counts.clone()))?.join()?;
    expect(&counts.to_vec()?, &[('a', 2), ('b', 2), ('z', 7)])
}

fn several_texts() -> Result<()> {
    let counts = histogram(vec![text("to be"), text("or not"), text("to be"), text("")])?;
    let expected = [('b', 2), ('e', 2), ('n', 1), ('o', 4), ('r', 1), ('t', 3)];
    expect(&counts, &expected)
}

fn none_lost() -> Result<()> {
    let letters = "zebra ".repeat(20_000);
    let counts = histogram(vec![text(&letters); 4])?;
    let expected = ['a', 'b', 'e', 'r', 'z'].map(|letter| (letter, 80_000));
    expect(&counts, &expected)
}

fn read_without_lock() -> Result<()> {
    let counts = Array::new(26)?;
    let read = Event::new()?;
    let held = counts.lock()?;
    let text = ("abc".to_string(), Some(read.clone()));
    let child = spawn(count, (text, counts.clone()))?;
    ensure!(
        read.wait_timeout(LIMIT).is_ok(),
        "we held the lock for 4 s, and the process didn't read its text: \
         does it take the lock too early, or for each letter?"
    );
    drop(held);
    child.join()?;
    expect(&counts.to_vec()?, &[('a', 1), ('b', 1), ('c', 1)])
}
