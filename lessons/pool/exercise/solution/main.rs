//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use anyhow::Result;
use checks::number;
use multiprocess::{Pool, task};
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([task(doubled)]);
    support::run_checks(checks::CHECKS)
}

/// Doubles the number that a text stands for; runs in a worker.
fn doubled(text: String) -> i64 {
    2 * number(&text)
}

/// Gives the doubles of those texts that are numbers, and the texts that gave no answer, both in their
/// order.
pub fn double_all(pool: &Pool, texts: &[String]) -> Result<(Vec<i64>, Vec<String>)> {
    // One input at a time: a worker that dies takes the answers of its whole chunk with it.
    let answers = pool.chunk_size(1).map_each(doubled, texts.to_vec())?;
    let mut doubles = Vec::new();
    let mut without_answer = Vec::new();
    for (text, answer) in texts.iter().zip(answers) {
        match answer {
            Ok(double) => doubles.push(double),
            Err(_) => without_answer.push(text.clone()),
        }
    }
    Ok((doubles, without_answer))
}
