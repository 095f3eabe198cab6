//! What the exercise must do, and the function that its workers call.

use super::double_all;
use anyhow::{Result, ensure};
use multiprocess::Pool;
use std::process;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("good texts are doubled, in order", good_texts),
    (
        "a text that is no number costs no other its answer",
        no_number,
    ),
    (
        "a worker that dies costs no other text its answer",
        dying_worker,
    ),
    ("the pool can be asked again", asked_again),
];

/// Gives the number that a text stands for; is to be called in a worker.
pub fn number(text: &str) -> i64 {
    assert!(
        multiprocess::parent().is_some(),
        "the workers are to do the work, not the main process"
    );
    if text == "crash" {
        process::exit(7);
    }
    let Ok(number) = text.parse() else {
        panic!("{text:?} is not a number");
    };
    number
}

fn expect(pool: &Pool, texts: &[&str], doubles: &[i64], without: &[&str]) -> Result<()> {
    let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    let (found, without_answer) = double_all(pool, &texts)?;
    ensure!(
        found == doubles,
        "the doubles are {found:?}, not {doubles:?}"
    );
    ensure!(
        without_answer == without,
        "without an answer are {without:?}, not {without_answer:?}"
    );
    Ok(())
}

fn good_texts() -> Result<()> {
    let pool = Pool::new(2)?;
    expect(&pool, &["5", "-10", "20"], &[10, -20, 40], &[])?;
    expect(&pool, &[], &[], &[])
}

fn no_number() -> Result<()> {
    let pool = Pool::new(2)?;
    expect(
        &pool,
        &["1", "2", "three", "4", ""],
        &[2, 4, 8],
        &["three", ""],
    )
}

fn dying_worker() -> Result<()> {
    let pool = Pool::new(2)?;
    let mut texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    texts[100] = "crash".to_string();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let doubles: Vec<i64> = (0..200).filter(|n| *n != 100).map(|n| 2 * n).collect();
    expect(&pool, &texts, &doubles, &["crash"])
}

fn asked_again() -> Result<()> {
    let pool = Pool::new(2)?;
    expect(&pool, &["one"], &[], &["one"])?;
    expect(&pool, &["crash", "1"], &[2], &["crash"])?;
    expect(&pool, &["1", "2", "3"], &[2, 4, 6], &[])
}
