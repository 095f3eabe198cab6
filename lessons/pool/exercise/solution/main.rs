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

/// Doubles the number that a text stands for. Runs in a worker.
fn doubled(text: String) -> i64 {
    2 * number(&text)
}

/// Returns the doubles of the texts that are numbers, and the texts that got no result, both in the
/// order of `texts`.
pub fn double_all(pool: &Pool, texts: &[String]) -> Result<(Vec<i64>, Vec<String>)> {
    // One text at a time: a worker that dies loses the results of its whole chunk.
    let results = pool.chunk_size(1).map_each(doubled, texts.to_vec())?;
    let mut doubles = Vec::new();
    let mut failed = Vec::new();
    for (text, result) in texts.iter().zip(results) {
        match result {
            Ok(double) => doubles.push(double),
            Err(_) => failed.push(text.clone()),
        }
    }
    Ok((doubles, failed))
}
