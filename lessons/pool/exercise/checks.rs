//! What your program must do, and the function that its workers call.

use super::double_all;
use anyhow::{Result, ensure};
use multiprocess::Pool;
use std::process;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("good texts are doubled, in their order", good_texts),
    ("a bad text costs no other text its result", bad_texts),
    ("a dead worker costs no other text its result", dead_workers),
    ("the pool works on after failures", works_on),
];

/// Returns the number that a text stands for. Call it in a worker.
pub fn number(text: &str) -> i64 {
    assert!(
        multiprocess::parent().is_some(),
        "`number` was called in the main process, and not in a worker"
    );
    if text == "crash" {
        process::exit(7);
    }
    let Ok(number) = text.parse() else {
        panic!("{text:?} is not a number");
    };
    number
}

fn expect(pool: &Pool, texts: &[&str], doubles: &[i64], failed: &[&str]) -> Result<()> {
    let input: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    let (your_doubles, your_failed) = double_all(pool, &input)?;
    ensure!(
        your_doubles == doubles,
        "for the texts {texts:?}, the doubles are {your_doubles:?}; expected {doubles:?}"
    );
    ensure!(
        your_failed == failed,
        "for the texts {texts:?}, those without a result are {your_failed:?}; expected {failed:?}"
    );
    Ok(())
}

fn good_texts() -> Result<()> {
    let pool = Pool::new(2)?;
    expect(&pool, &["5", "-10", "20"], &[10, -20, 40], &[])?;
    expect(&pool, &[], &[], &[])
}

fn bad_texts() -> Result<()> {
    let pool = Pool::new(2)?;
    let texts = ["1", "2", "three", "4", ""];
    expect(&pool, &texts, &[2, 4, 8], &["three", ""])
}

/// Every thousandth of 10 000 texts ends its worker. A pool that chooses its chunks sends small tasks
/// by the hundred from the second thousand on, so a good text before a `crash` is in the same chunk.
fn dead_workers() -> Result<()> {
    let mut texts = Vec::new();
    let mut doubles = Vec::new();
    for number in 1..10_000 {
        if number % 1000 == 0 {
            texts.push("crash".to_string());
        } else {
            texts.push(number.to_string());
            doubles.push(2 * number);
        }
    }
    let pool = Pool::new(2)?;
    let (your_doubles, your_failed) = double_all(&pool, &texts)?;
    let is_good = |text: &&String| text.parse::<i64>().is_ok();
    let lost = your_failed.iter().filter(is_good).count();
    ensure!(
        lost == 0,
        "{lost} good texts got no result, because a worker died at the text `crash`"
    );
    ensure!(
        your_failed == ["crash"; 9],
        "the second list should be 9 times `crash`, but it has {} texts, and the first is {:?}",
        your_failed.len(),
        your_failed.first()
    );
    ensure!(
        your_doubles == doubles,
        "the doubles of the 9990 good texts are not complete, or not in order"
    );
    Ok(())
}

fn works_on() -> Result<()> {
    let pool = Pool::new(2)?;
    expect(&pool, &["one"], &[], &["one"])?;
    expect(&pool, &["crash", "1"], &[2], &["crash"])?;
    expect(&pool, &["1", "2", "3"], &[2, 4, 6], &[])
}
