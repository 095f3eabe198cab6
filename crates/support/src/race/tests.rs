use super::Race;
use crate::end::End;
use crate::{Schedule, Stopped};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

fn add_twice(total: &AtomicU32, schedule: &Schedule, actor: char) -> Result<(), Stopped> {
    for _ in 0..2 {
        let seen = schedule.turn(actor, "load", || total.load(Relaxed))?;
        schedule.turn(actor, "store", || total.store(seen + 1, Relaxed))?;
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a race may fail")]
fn two_times_two(schedule: &Schedule) -> anyhow::Result<String> {
    let total = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| add_twice(&total, schedule, 'A'));
        scope.spawn(|| add_twice(&total, schedule, 'B'));
    });
    Ok(total.into_inner().to_string())
}

const RACE: Race = Race {
    step: "race",
    turns: "AAAABBBB",
    goal: "Lose an update.",
    run: two_times_two,
    cure: None,
};

/// Each actor takes two locks, in the order of its own, and releases both in one action.
fn take_both(locks: [&Mutex<()>; 2], schedule: &Schedule, actor: char) -> Result<(), Stopped> {
    let first = schedule.lock_turn(actor, "take the first", || locks[0].try_lock().ok())?;
    let second = schedule.lock_turn(actor, "take the second", || locks[1].try_lock().ok())?;
    schedule.turn(actor, "release both", || drop((first, second)))
}

fn crosswise(schedule: &Schedule) -> anyhow::Result<String> {
    let (pen, paper) = (Mutex::new(()), Mutex::new(()));
    let done = thread::scope(|scope| {
        let a = scope.spawn(|| take_both([&pen, &paper], schedule, 'A').is_ok());
        let b = scope.spawn(|| take_both([&paper, &pen], schedule, 'B').is_ok());
        [a, b].map(|actor| actor.join().is_ok_and(|done| done))
    });
    anyhow::ensure!(done[0] == done[1], "only one of them got stuck");
    Ok(if done[0] {
        "both wrote"
    } else {
        "neither wrote"
    }
    .to_owned())
}

const CROSSWISE: Race = Race {
    turns: "AAABBB",
    run: crosswise,
    ..RACE
};

/// Returns the outcome of a schedule, worked out without threads.
fn expected_outcome(turns: &str) -> String {
    let mut total = 0;
    let mut seen: BTreeMap<char, Option<u32>> = BTreeMap::new();
    for actor in turns.chars() {
        let seen = seen.entry(actor).or_default();
        match seen.take() {
            None => *seen = Some(total),
            Some(number) => total = number + 1,
        }
    }
    total.to_string()
}

#[test]
fn every_schedule_is_listed_once_and_has_the_expected_outcome() {
    let runs = RACE.run_all().unwrap();
    assert!(runs.is_sorted(), "{runs:?}");
    assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), 70);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (turns, outcome) in runs {
        assert_eq!(outcome, expected_outcome(&turns), "{turns}");
        assert_eq!(RACE.replay(&turns).unwrap(), outcome, "{turns}");
        *counts.entry(outcome).or_default() += 1;
    }
    let expected = [("2", 32), ("3", 32), ("4", 6)];
    assert_eq!(counts, expected.map(|(o, n)| (o.to_owned(), n)).into());
}

#[test]
fn a_thousand_replays_have_the_same_outcome() {
    for (turns, outcome) in [("AABBBBAA", "4"), ("ABABAABB", "3"), ("ABBBBAAA", "2")] {
        for _ in 0..1000 {
            assert_eq!(RACE.replay(turns).unwrap(), outcome);
        }
    }
}

#[test]
fn the_schedule_of_a_free_run_repeats_its_outcome() {
    for _ in 0..200 {
        let (turns, outcome) = RACE.run_free().unwrap();
        assert_eq!(RACE.replay(&turns).unwrap(), outcome, "{turns}");
    }
}

#[test]
fn a_schedule_with_other_letters_or_another_number_is_refused() {
    let refused = |turns| RACE.replay(turns).unwrap_err().to_string();
    assert_eq!(
        refused("ABBB"),
        "`ABBB` is not a schedule of step race: it has A once and B 3 times, \
         and needs A 4 times and B 4 times, as in AAAABBBB"
    );
    assert!(refused("AAAABBBBB").contains("B 5 times"));
    assert!(refused("AAAABBBC").contains("C once"));
    assert!(refused("AAAABBB").contains("B 3 times"));
    assert!(refused("").contains("no letters"));
}

#[test]
fn too_many_schedules_are_refused() {
    assert_eq!(RACE.run_up_to(70).unwrap().len(), 70);
    let error = RACE.run_up_to(69).unwrap_err();
    assert!(error.is::<End>());
    let expected = "AAAABBBB has too many schedules to run them all: more than 69";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_race_with_fewer_actions_than_letters_is_an_error() {
    let short = Race {
        turns: "AA",
        run: |schedule| {
            schedule.turn('A', "act", || ())?;
            Ok("done".to_owned())
        },
        ..RACE
    };
    let error = short.replay("AA").unwrap_err().to_string();
    assert!(error.contains("ended after the actions `A`"), "{error}");
}

#[test]
fn the_error_of_a_race_says_how_far_it_got() {
    let failing = Race {
        turns: "A",
        run: |schedule| {
            schedule.turn('A', "act", || ())?;
            anyhow::bail!("no luck")
        },
        ..RACE
    };
    let error = format!("{:#}", failing.replay("A").unwrap_err());
    assert_eq!(error, "it failed after the actions `A`: no luck");
}

#[test]
fn all_schedules_of_a_race_with_locks_are_listed_and_those_of_a_deadlock_are_short() {
    let runs = CROSSWISE.run_all().unwrap();
    let runs: Vec<_> = runs.iter().map(|(t, o)| (t.as_str(), o.as_str())).collect();
    let stuck = "stuck: neither wrote";
    let expected = [
        ("AAABBB", "both wrote"),
        ("AB", stuck),
        ("BA", stuck),
        ("BBBAAA", "both wrote"),
    ];
    assert_eq!(runs, expected);
    for (turns, outcome) in expected {
        assert_eq!(CROSSWISE.replay(turns).unwrap(), outcome);
    }
}

#[test]
fn a_schedule_that_chooses_an_actor_whose_lock_is_taken_is_refused() {
    for (turns, action) in [
        ("AABBBA", "action 3"),
        ("ABA", "action 3"),
        ("BBAABA", "action 3"),
    ] {
        let error = CROSSWISE.replay(turns).unwrap_err();
        assert!(error.is::<End>());
        let error = error.to_string();
        assert!(
            error.contains(action) && error.contains("the lock is taken"),
            "{error}"
        );
    }
    let short = CROSSWISE.replay("AA").unwrap_err().to_string();
    assert!(short.contains("it has A twice, and needs"), "{short}");
}

#[test]
fn a_free_run_gets_stuck_without_waiting_for_a_timeout() {
    // The barrier makes the deadlock certain: each has a lock when it asks for the other one.
    #[expect(clippy::unnecessary_wraps, reason = "a race may fail")]
    fn certain(schedule: &Schedule) -> anyhow::Result<String> {
        let (pen, paper, both) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
        let take = |first: &Mutex<()>, second: &Mutex<()>, actor| {
            let first = schedule.lock_turn(actor, "first", || first.try_lock().ok());
            both.wait();
            let second = schedule.lock_turn(actor, "second", || second.try_lock().ok())?;
            schedule.turn(actor, "release", || drop((first, second)))
        };
        let stopped = thread::scope(|scope| {
            let other = scope.spawn(|| take(&paper, &pen, 'B').is_err());
            [take(&pen, &paper, 'A').is_err(), other.join().unwrap()]
        });
        Ok(format!("{stopped:?}"))
    }
    let certain = Race {
        run: certain,
        ..CROSSWISE
    };
    let start = Instant::now();
    for _ in 0..100 {
        let (turns, outcome) = certain.run_free().unwrap();
        assert!(["AB", "BA"].contains(&turns.as_str()), "{turns}");
        assert_eq!(outcome, "stuck: [true, true]");
    }
    // With timeouts, it would take 500 seconds.
    assert!(start.elapsed() < Duration::from_mins(2));
    for _ in 0..200 {
        let (turns, outcome) = CROSSWISE.run_free().unwrap();
        assert_eq!(CROSSWISE.replay(&turns).unwrap(), outcome, "{turns}");
    }
}
