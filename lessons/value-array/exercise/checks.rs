//! What the exercise must do, and the function that its processes call.

use super::{count, histogram};
use anyhow::{Result, ensure};
use multiprocess::{Array, Event, spawn};
use std::iter;
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("a process adds its letters to the array", one_process),
    ("several texts are counted together", several_texts),
    ("no letter gets lost among four processes", none_lost),
    ("the text is read without the lock", read_without_lock),
];

const PATIENCE: Duration = Duration::from_secs(5);

/// A text, and the event that is set when it has been read to its end.
pub type Text = (String, Option<Event>);

/// Gives the place of each letter of a text: 0 for `a` and `A`, 25 for `z`; other signs have none. Is to
/// be called in a process of its own.
pub fn places((text, read): Text) -> impl Iterator<Item = usize> {
    assert!(
        multiprocess::parent().is_some(),
        "the processes are to count, not the main process"
    );
    let letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
    let places = letters.into_iter();
    let places = places.filter_map(|letter| ('a'..='z').position(|other| other == letter));
    let end = iter::from_fn(move || {
        if let Some(read) = &read {
            read.set();
        }
        None
    });
    places.chain(end)
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Text> {
    texts.map(|text| (text.to_string(), None)).into()
}

fn expect(counts: &[u32], expected: &[(char, u32)]) -> Result<()> {
    ensure!(counts.len() == 26, "26 numbers, and not {}", counts.len());
    for (letter, count) in ('a'..='z').zip(counts) {
        let known = expected.iter().find(|(known, _)| *known == letter);
        let times = known.map_or(0, |(_, times)| *times);
        ensure!(
            *count == times,
            "{letter} stands there {times} times, and {count} were counted"
        );
    }
    Ok(())
}

fn one_process() -> Result<()> {
    let mut before = [0; 26];
    before[25] = 7; // somebody else's
    let counts = Array::from_slice(&before)?;
    spawn(count, (("Abba, 2!".to_string(), None), counts.clone()))?.join()?;
    expect(&counts.to_vec()?, &[('a', 2), ('b', 2), ('z', 7)])
}

fn several_texts() -> Result<()> {
    let counts = histogram(texts(["to be", "or not", "to be", ""]))?;
    let expected = [('b', 2), ('e', 2), ('n', 1), ('o', 4), ('r', 1), ('t', 3)];
    expect(&counts, &expected)
}

fn none_lost() -> Result<()> {
    let text = "zebra ".repeat(20_000);
    let counts = histogram(texts([&text, &text, &text, &text]))?;
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
        read.wait_timeout(PATIENCE).is_ok(),
        "we held the lock for 5 s, and the process has not read its text meanwhile: \
         does it need the lock for that?"
    );
    drop(held);
    child.join()?;
    expect(&counts.to_vec()?, &[('a', 1), ('b', 1), ('c', 1)])
}
