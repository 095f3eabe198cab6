//! What the exercise must do, and the function that its processes run.

use super::{Outcome, weigh_all};
use anyhow::{Result, ensure};
use multiprocess::Barrier;
use std::process;
use std::thread;
use std::time::{Duration, Instant};
use support::Check;

pub const CHECKS: &[Check] = &[
    ("good parcels are weighed, in order", good_parcels),
    ("all processes run at the same time", same_time),
    ("a torn parcel costs no other its answer", torn_parcel),
    ("an exit code is told", empty_parcel),
    (
        "a lost parcel is too late, and no process is left",
        lost_parcel,
    ),
];

/// What is in it, and where its process meets others before it weighs.
pub type Parcel = (String, Option<Barrier>);

const PATIENCE: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(8);

/// Weighs a parcel; runs in a process of its own.
pub fn weigh((content, meeting): Parcel) -> usize {
    assert!(
        multiprocess::parent().is_some(),
        "weigh is to run in a process of its own, not in the main process"
    );
    if let Some(meeting) = meeting {
        let met = meeting.wait_timeout(PATIENCE);
        met.expect("the other processes were not there within 5 s");
    }
    match content.as_str() {
        "torn" => panic!("the parcel is torn"),
        "empty" => process::exit(3),
        "lost" => loop {
            thread::sleep(PATIENCE);
        },
        _ => content.len(),
    }
}

fn parcels<const N: usize>(contents: [&str; N]) -> Vec<Parcel> {
    contents.map(|content| (content.to_string(), None)).into()
}

fn good_parcels() -> Result<()> {
    let outcomes = weigh_all(parcels(["books", "tea", "an umbrella"]), LONG)?;
    let expected = [5, 3, 11].map(Outcome::Weight);
    ensure!(outcomes == expected, "not {expected:?}, but {outcomes:?}");
    Ok(())
}

fn same_time() -> Result<()> {
    let meeting = Barrier::new(3)?;
    let mut together = parcels(["books", "tea", "an umbrella"]);
    for (_, place) in &mut together {
        *place = Some(meeting.clone());
    }
    let outcomes = weigh_all(together, LONG)?;
    let expected = [5, 3, 11].map(Outcome::Weight);
    ensure!(outcomes == expected, "not {expected:?}, but {outcomes:?}");
    Ok(())
}

fn torn_parcel() -> Result<()> {
    let outcomes = weigh_all(parcels(["books", "torn", "tea"]), LONG)?;
    match &outcomes[..] {
        [Outcome::Weight(5), Outcome::Failed(why), Outcome::Weight(3)] => {
            ensure!(why.contains("torn"), "the text is not the error's: {why}");
            Ok(())
        }
        _ => anyhow::bail!("not a weight, a failure and a weight, but {outcomes:?}"),
    }
}

fn empty_parcel() -> Result<()> {
    let outcomes = weigh_all(parcels(["empty", "tea"]), LONG)?;
    match &outcomes[..] {
        [Outcome::Failed(why), Outcome::Weight(3)] => {
            ensure!(why.contains('3'), "the text is not the error's: {why}");
            Ok(())
        }
        _ => anyhow::bail!("not a failure and a weight, but {outcomes:?}"),
    }
}

fn lost_parcel() -> Result<()> {
    // The good parcel comes first: while it is waited for, it has all the time it needs.
    let tea = weigh_all(parcels(["tea"]), LONG)?;
    let lost = weigh_all(parcels(["lost", "lost"]), Duration::from_millis(200))?;
    ensure!(tea == [Outcome::Weight(3)], "the tea: {tea:?}");
    ensure!(
        lost == [Outcome::TooLate, Outcome::TooLate],
        "two are too late, and this is said: {lost:?}"
    );
    let start = Instant::now();
    while !multiprocess::active_children().is_empty() {
        ensure!(
            start.elapsed() < PATIENCE,
            "a process still searches for its parcel: it was not ended"
        );
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
