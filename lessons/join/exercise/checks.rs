//! The checks of the exercise, and the function that its processes run.

use super::{Outcome, weigh_all};
use anyhow::{Result, bail, ensure};
use multiprocess::Barrier;
use std::process;
use std::thread;
use std::time::{Duration, Instant};
use support::Check;

pub const CHECKS: &[Check] = &[
    ("good parcels are weighed, in order", good_parcels),
    ("all processes run at the same time", same_time),
    ("a torn parcel does not affect the others", torn_parcel),
    ("an exit code is reported", empty_parcel),
    (
        "a lost parcel is too late, and its process is ended",
        lost_parcel,
    ),
];

/// The content, and the barrier at which its process waits before it weighs.
pub type Parcel = (String, Option<Barrier>);

/// How long a process waits for the others to start.
const START_LIMIT: Duration = Duration::from_secs(3);
/// How long a process searches for a lost parcel.
const SEARCH: Duration = Duration::from_secs(4);
/// How long a process that was ended may take to be gone; less than `SEARCH`.
const END_LIMIT: Duration = Duration::from_secs(2);
/// A limit for `weigh_all` that no good parcel reaches.
const LONG: Duration = Duration::from_secs(8);

/// Returns the weight of a parcel. Runs in a process of its own.
pub fn weigh((content, barrier): Parcel) -> usize {
    assert!(
        multiprocess::parent().is_some(),
        "weigh must run in a process of its own, not in the main process"
    );
    if let Some(barrier) = barrier {
        let met = barrier.wait_timeout(START_LIMIT);
        assert!(met.is_ok(), "the other processes did not start within 3 s");
    }
    match content.as_str() {
        "torn" => panic!("the parcel is torn"),
        "empty" => process::exit(3),
        "lost" => {
            thread::sleep(SEARCH);
            panic!("the parcel was not found, and the search was not ended");
        }
        _ => content.len(),
    }
}

fn parcels(contents: &[&str]) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    for content in contents {
        parcels.push((content.to_string(), None));
    }
    parcels
}

fn good_parcels() -> Result<()> {
    let outcomes = weigh_all(parcels(&["books", "tea", "an umbrella"]), LONG)?;
    expect_weights(&outcomes)
}

fn same_time() -> Result<()> {
    let barrier = Barrier::new(3)?;
    let mut together = parcels(&["books", "tea", "an umbrella"]);
    for (_, place) in &mut together {
        *place = Some(barrier.clone());
    }
    let outcomes = weigh_all(together, LONG)?;
    expect_weights(&outcomes)
}

fn expect_weights(outcomes: &[Outcome]) -> Result<()> {
    let expected = [5, 3, 11].map(Outcome::Weight);
    ensure!(
        outcomes == expected,
        "expected {}, found {}",
        listed(&expected),
        listed(outcomes)
    );
    Ok(())
}

fn torn_parcel() -> Result<()> {
    let outcomes = weigh_all(parcels(&["books", "torn", "tea"]), LONG)?;
    match &outcomes[..] {
        [Outcome::Weight(5), Outcome::Failed(why), Outcome::Weight(3)] => {
            ensure!(why.contains("torn"), "not the text of the error: {why}");
            Ok(())
        }
        _ => bail!(
            "expected weight 5, a failure, weight 3; found {}",
            listed(&outcomes)
        ),
    }
}

fn empty_parcel() -> Result<()> {
    let outcomes = weigh_all(parcels(&["empty", "tea"]), LONG)?;
    match &outcomes[..] {
        [Outcome::Failed(why), Outcome::Weight(3)] => {
            ensure!(
                why.contains("code 3"),
                "the text does not have the exit code: {why}"
            );
            Ok(())
        }
        _ => bail!(
            "expected a failure and weight 3; found {}",
            listed(&outcomes)
        ),
    }
}

fn lost_parcel() -> Result<()> {
    let outcomes = weigh_all(parcels(&["lost", "lost"]), Duration::from_millis(200))?;
    ensure!(
        outcomes == [Outcome::TooLate, Outcome::TooLate],
        "expected too late, too late; found {}",
        listed(&outcomes)
    );
    let start = Instant::now();
    while !multiprocess::active_children().is_empty() {
        ensure!(
            start.elapsed() < END_LIMIT,
            "a process still searches for its parcel: end it when it is too late"
        );
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn listed(outcomes: &[Outcome]) -> String {
    let mut words = Vec::new();
    for outcome in outcomes {
        words.push(match outcome {
            Outcome::Weight(weight) => format!("weight {weight}"),
            Outcome::Failed(_) => "a failure".to_string(),
            Outcome::TooLate => "too late".to_string(),
        });
    }
    words.join(", ")
}
