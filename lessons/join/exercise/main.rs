//! An exercise: weigh parcels that may be torn or lost. What to do is in task.md.

mod checks;

use anyhow::Result;
use checks::{Parcel, weigh};
use multiprocess::{spawn, task};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    multiprocess::init([task(weigh)]);
    support::run_checks(checks::CHECKS)
}

/// The result of weighing a parcel. (With `PartialEq`, the checks can compare two of them.)
#[derive(PartialEq)]
pub enum Outcome {
    Weight(usize),
    Failed(String),
    TooLate,
}

/// Weighs each parcel in a process of its own, and returns the outcomes in the order of the parcels.
/// Waits for each process no longer than `limit`, and ends those that are too late.
pub fn weigh_all(parcels: Vec<Parcel>, limit: Duration) -> Result<Vec<Outcome>> {
    // Gap: this weighs one parcel after the other, stops at the first failure, and ignores the limit.
    let _ = limit;
    let mut outcomes = Vec::new();
    for parcel in parcels {
        let child = spawn(weigh, (parcel,))?;
        outcomes.push(Outcome::Weight(child.join()?));
    }
    Ok(outcomes)
}
