//! The action at a barrier: one runs it before the others continue, and a panic or a death in it breaks the barrier.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use super::barrier::{assert_died, broken_by, waits};
use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Barrier, BrokenBy, Event, RawValue, RegisteredTask, init, spawn, task};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            the_last_to_arrive_runs_its_action_before_the_others_continue,
            an_action_that_panics_breaks_the_barrier,
            a_process_killed_in_its_action_breaks_the_barrier,
            a_process_that_exits_in_its_action_breaks_the_barrier,
            participants_killed_at_any_instant_with_actions_leave_no_waiter,
            a_timeout_breaks_it_while_an_action_runs,
            a_reset_while_an_action_runs_is_an_error_for_all,
            one_participant_too_many_arrives_after_the_action,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(waits),
        task(acts),
        task(panics_in_its_action),
        task(sleeps_in_its_action),
        task(exits_in_its_action),
        task(acts_again_and_again),
    ]
}

/// Returns its order of arrival, and whose action it sees then.
fn acts(
    barrier: Barrier,
    number: u32,
    acted: RawValue<u32>,
    returned: RawValue<u32>,
) -> (u32, u32) {
    let place = barrier.wait_with(|| {
        assert_eq!((barrier.waiting().unwrap(), returned.get()), (3, 0));
        // Longer than it takes a waiter to check for dead participants.
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!((barrier.waiting().unwrap(), returned.get()), (3, 0));
        assert_eq!(acted.update(|_| number), 0, "it is the only one");
    });
    returned.update(|count| count + 1);
    (place.unwrap(), acted.get())
}

fn the_last_to_arrive_runs_its_action_before_the_others_continue() {
    let barrier = Barrier::new(3).unwrap();
    for _ in 0..2 {
        let (acted, returned) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
        let args = |number| (barrier.clone(), number, acted.clone(), returned.clone());
        let mut children = Vec::new();
        for number in 1..=3 {
            children.push(spawn(acts, args(number)).unwrap());
            story::until("it has arrived", || {
                barrier.waiting().unwrap() == number || acted.get() != 0
            });
        }
        for (place, child) in (0..).zip(&mut children) {
            assert_eq!(child.join_timeout(story::LIMIT / 4).unwrap(), (place, 3));
        }
    }
}

fn panics_in_its_action(barrier: Barrier) {
    let _ = barrier.wait_with(|| panic!("on purpose"));
}

fn an_action_that_panics_breaks_the_barrier() {
    let (barrier, came) = (Barrier::new(3).unwrap(), Event::new().unwrap());
    let mut process = spawn(waits, (barrier.clone(), came)).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| barrier.wait_timeout(story::LIMIT / 4));
        story::until("two wait", || barrier.waiting().unwrap() == 2);
        let mut child = spawn(panics_in_its_action, (barrier.clone(),)).unwrap();
        let by = broken_by(thread.join().unwrap());
        assert!(
            matches!(&by, BrokenBy::Panic(process) if process.pid == child.pid()),
            "{by}"
        );
        let words = process.join_timeout(story::LIMIT / 4).unwrap();
        assert!(words.contains("panicked"), "{words}");
        let panicked = child.join_timeout(story::LIMIT / 4).unwrap_err();
        assert!(panicked.to_string().contains("on purpose"), "{panicked}");
    });
    assert!(barrier.is_broken().unwrap());
    barrier.reset().unwrap();
    assert!(!barrier.is_broken().unwrap());
    // The panic also reaches the caller in this process.
    let alone = Barrier::new(1).unwrap();
    let action = || alone.wait_with(|| std::panic::resume_unwind(Box::new(7)));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&7));
    assert!(matches!(broken_by(alone.wait()), BrokenBy::Panic(_)));
}

fn sleeps_in_its_action(barrier: Barrier, acts: Event) {
    let _ = barrier.wait_with(|| {
        acts.set();
        story::a_minute();
    });
}

fn a_process_killed_in_its_action_breaks_the_barrier() {
    let barrier = Barrier::new(3).unwrap();
    for _ in 0..3 {
        let (came, acts) = (Event::new().unwrap(), Event::new().unwrap());
        let mut process = spawn(waits, (barrier.clone(), came)).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| barrier.wait_timeout(story::LIMIT / 4));
            story::until("two wait", || barrier.waiting().unwrap() == 2);
            let args = (barrier.clone(), acts.clone());
            let child = spawn(sleeps_in_its_action, args).unwrap();
            acts.wait_timeout(story::LIMIT / 4).unwrap();
            assert!(!thread.is_finished());
            proc::kill(child.pid());
            assert_died(&broken_by(thread.join().unwrap()), child.pid());
            let words = process.join_timeout(story::LIMIT / 4).unwrap();
            assert!(
                words.contains("died") && words.contains(&child.pid().to_string()),
                "{words}"
            );
            assert_died(&broken_by(barrier.wait()), child.pid());
            child.join().unwrap_err();
        });
        barrier.reset().unwrap();
        assert!(!barrier.is_broken().unwrap());
    }
}

fn exits_in_its_action(barrier: Barrier) {
    let _ = barrier.wait_with(|| std::process::exit(0));
}

fn a_process_that_exits_in_its_action_breaks_the_barrier() {
    let barrier = Barrier::new(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait_timeout(story::LIMIT / 4));
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        let child = spawn(exits_in_its_action, (barrier.clone(),)).unwrap();
        assert_died(&broken_by(waiting.join().unwrap()), child.pid());
        child.join().unwrap_err();
    });
}

fn acts_again_and_again(barrier: Barrier, started: Event) {
    started.set();
    while barrier.wait_with(std::thread::yield_now).is_ok() {}
}

fn participants_killed_at_any_instant_with_actions_leave_no_waiter() {
    let barrier = Barrier::new(2).unwrap();
    for round in 0..15 {
        let started = Event::new().unwrap();
        let child = spawn(acts_again_and_again, (barrier.clone(), started.clone())).unwrap();
        started.wait_timeout(story::LIMIT / 4).unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                loop {
                    if let Err(error) = barrier.wait_timeout(story::LIMIT / 4) {
                        return error;
                    }
                }
            });
            std::thread::sleep(Duration::from_micros(41 * round));
            proc::kill(child.pid());
            let by = broken_by(Err::<u32, _>(other.join().unwrap()));
            assert_died(&by, child.pid());
        });
        child.join().unwrap_err();
        barrier.reset().unwrap();
        assert_eq!(barrier.waiting().unwrap(), 0);
    }
}

fn a_timeout_breaks_it_while_an_action_runs() {
    let barrier = Barrier::new(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait_timeout(Duration::from_millis(100)));
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        let mut has_ended = false;
        let broken = barrier.wait_with(|| {
            let late = waiting.join().unwrap();
            assert!(late.unwrap_err().is_timeout());
            assert!(barrier.is_broken().unwrap());
            has_ended = true;
        });
        assert!(matches!(broken_by(broken), BrokenBy::Timeout(_)));
        assert!(has_ended);
    });
}

fn a_reset_while_an_action_runs_is_an_error_for_all() {
    let barrier = Barrier::new(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait_timeout(story::LIMIT / 4));
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        let reset = barrier.wait_with(|| {
            barrier.reset().unwrap();
            assert_eq!(broken_by(waiting.join().unwrap()), BrokenBy::Reset);
        });
        assert_eq!(broken_by(reset), BrokenBy::Reset);
    });
    assert_eq!(barrier.waiting().unwrap(), 0);
    assert!(!barrier.is_broken().unwrap());
}

fn one_participant_too_many_arrives_after_the_action() {
    let barrier = Barrier::new(1).unwrap();
    std::thread::scope(|scope| {
        let (began, it_acts) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel();
        let acting = scope.spawn(|| {
            barrier.wait_with(move || {
                began.send(()).unwrap();
                ended.recv().unwrap();
            })
        });
        it_acts.recv_timeout(story::LIMIT / 4).unwrap();
        let other = scope.spawn(|| barrier.wait_timeout(story::LIMIT / 4));
        std::thread::sleep(Duration::from_millis(150));
        assert!(
            !other.is_finished(),
            "it has to wait for the end of the action"
        );
        end.send(()).unwrap();
        assert_eq!(acting.join().unwrap().unwrap(), 0);
        assert_eq!(other.join().unwrap().unwrap(), 0);
    });
}
