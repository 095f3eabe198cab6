use super::Schedule;
use crate::chooser::Chooser;
use crate::end::End;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

fn given(turns: &str) -> Schedule {
    Schedule::new(turns, Chooser::Given(turns.chars().collect()))
}

fn free(turns: &str) -> Schedule {
    Schedule::new(turns, Chooser::Free)
}

/// Returns why a race failed.
fn failure(schedule: &Schedule) -> String {
    match schedule.finish(None).1 {
        Some(End::Failed(why)) => why,
        other => panic!("it did not fail: {other:?}"),
    }
}

/// Lets A and B write their letters, three each.
fn write(schedule: &Schedule) -> String {
    let written = Mutex::new(String::new());
    thread::scope(|scope| {
        for actor in ['A', 'B'] {
            let written = &written;
            scope.spawn(move || {
                for _ in 0..3 {
                    let write = || written.lock().unwrap().push(actor);
                    schedule.turn(actor, "write", write).unwrap();
                }
            });
        }
    });
    written.into_inner().unwrap()
}

#[test]
fn actions_happen_in_the_given_order() {
    let schedule = given("BABAAB");
    assert_eq!(write(&schedule), "BABAAB");
    assert_eq!(schedule.finish(None).0, "BABAAB");
}

#[test]
fn a_free_schedule_records_the_order_of_the_actions() {
    for _ in 0..200 {
        let schedule = free("AAABBB");
        assert_eq!(write(&schedule), schedule.finish(None).0);
    }
}

#[test]
fn waiting_for_an_actor_that_never_comes_ends_the_race_and_names_it() {
    for chooser in [Chooser::Given(vec!['B', 'A']), Chooser::Free] {
        let schedule = Schedule::with_timeout("AB", chooser, Duration::from_millis(50));
        assert!(schedule.turn('A', "wait", || ()).is_err());
        let why = failure(&schedule);
        assert_eq!(why, "B did not reach the next action within 50ms");
    }
}

#[test]
fn an_action_that_panics_ends_the_race_at_once_for_the_others() {
    let schedule = given("AB");
    thread::scope(|scope| {
        let other = scope.spawn(|| schedule.turn('B', "wait", || ()).is_err());
        let panicked = scope.spawn(|| schedule.turn('A', "panic!()", || panic!("on purpose")));
        assert!(panicked.join().is_err());
        assert!(other.join().unwrap());
    });
    assert_eq!(failure(&schedule), "A panicked in `panic!()`");
    assert_eq!(schedule.finish(None).0, "", "it does not count");
}

#[test]
fn waiting_for_an_action_that_never_ends_times_out() {
    for chooser in [Chooser::Given(vec!['B', 'A']), Chooser::Free] {
        let schedule = Schedule::with_timeout("AB", chooser, Duration::from_secs(1));
        let (schedule, timed_out) = (&schedule, &AtomicBool::new(false));
        // The actor that runs first acts until the other one has timed out.
        let until_timeout = || {
            let start = Instant::now();
            while !timed_out.load(Relaxed) && start.elapsed() < Duration::from_mins(1) {
                thread::sleep(Duration::from_millis(1));
            }
        };
        let race = |actor| {
            let acted = schedule.turn(actor, "act", until_timeout).is_ok();
            timed_out.store(true, Relaxed);
            acted
        };
        let acted = thread::scope(|scope| {
            let actors = ['A', 'B'].map(|actor| scope.spawn(move || race(actor)));
            actors.map(|actor| actor.join().unwrap())
        });
        assert_eq!(acted.iter().filter(|&&acted| acted).count(), 1);
        assert!(failure(schedule).contains("did not end within 1s"));
    }
}

#[test]
fn a_letter_may_be_longer_than_a_byte() {
    let schedule = given("ÄÄÄ");
    for _ in 0..3 {
        schedule.turn('Ä', "act", || ()).unwrap();
    }
    assert_eq!(schedule.finish(None).0, "ÄÄÄ");
}

#[test]
fn one_action_too_many_ends_the_race() {
    let schedule = free("A");
    assert_eq!(schedule.turn('A', "act", || 5).unwrap(), 5);
    let again = panic::catch_unwind(AssertUnwindSafe(|| schedule.turn('A', "act", || ())));
    assert!(again.unwrap().is_err());
    assert_eq!(
        failure(&schedule),
        "A has more actions than the race allows"
    );
}
