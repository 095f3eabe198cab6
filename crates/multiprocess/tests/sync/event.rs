//! An event: set by one, seen by all, even if processes die.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Event, RawValue, RegisteredTask, init, spawn, task};
use rustix::process::Signal;

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            it_is_set_and_cleared,
            setting_it_wakes_all_waiters,
            a_timeout_ends_the_wait,
            an_event_cleared_at_once_still_wakes_its_waiters,
            what_was_written_before_it_was_set_is_seen_after,
            killed_waiters_do_not_affect_others,
            it_is_seen_after_the_process_that_set_it_was_killed,
            waiting_takes_no_processor_time,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(waits),
        task(sets),
        task(writes_and_sets),
        task(reports_and_waits),
        task(waits_for_nothing),
    ]
}

fn it_is_set_and_cleared() {
    let event = Event::new().unwrap();
    assert!(!event.is_set());
    event.set();
    event.set();
    assert!(event.is_set() && event.wait_timeout(Duration::ZERO).is_ok());
    event.wait();
    event.clear();
    event.clear();
    assert!(!event.is_set() && event.wait_timeout(Duration::ZERO).unwrap_err().is_timeout());
    event.set();
    assert!(event.clone().is_set());
}

fn waits(event: Event) -> bool {
    event.wait();
    event.is_set()
}

fn setting_it_wakes_all_waiters() {
    let event = Event::new().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| spawn(waits, (event.clone(),)).unwrap())
        .collect();
    std::thread::sleep(Duration::from_millis(20));
    assert!(children.iter().all(multiprocess::JoinHandle::is_alive));
    event.set();
    for child in children {
        assert!(child.join().unwrap());
    }
}

fn a_timeout_ends_the_wait() {
    let event = Event::new().unwrap();
    for milliseconds in [0, 5, 250] {
        let limit = Duration::from_millis(milliseconds);
        let start = Instant::now();
        assert!(event.wait_timeout(limit).unwrap_err().is_timeout());
        assert!(start.elapsed() >= limit);
    }
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| event.wait_timeout(Duration::MAX));
        event.set();
        waiting.join().unwrap().unwrap();
    });
}

fn an_event_cleared_at_once_still_wakes_its_waiters() {
    let event = Event::new().unwrap();
    for _ in 0..20 {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| event.wait());
            // Until it surely waits, and a little beyond.
            std::thread::sleep(Duration::from_millis(5));
            while !waiting.is_finished() {
                event.set();
                event.clear();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    }
}

fn writes_and_sets(number: RawValue<u64>, event: Event) {
    number.set(42);
    event.set();
}

fn what_was_written_before_it_was_set_is_seen_after() {
    for _ in 0..10 {
        let (number, event) = (RawValue::new(0).unwrap(), Event::new().unwrap());
        let child = spawn(writes_and_sets, (number.clone(), event.clone())).unwrap();
        event.wait();
        assert_eq!(number.get(), 42);
        child.join().unwrap();
    }
}

fn reports_and_waits(event: Event, arrived: RawValue<u32>) {
    arrived.update(|count| count + 1);
    event.wait();
}

fn killed_waiters_do_not_affect_others() {
    let (event, arrived) = (Event::new().unwrap(), RawValue::new(0).unwrap());
    let children: Vec<_> = (0..5)
        .map(|_| spawn(reports_and_waits, (event.clone(), arrived.clone())).unwrap())
        .collect();
    story::until("all wait", || arrived.get() == 5);
    for (number, child) in children.iter().enumerate() {
        // Stopped in its sleep, or killed in it.
        match number {
            0 | 2 => proc::kill(child.pid()),
            4 => proc::send(child.pid(), Signal::STOP),
            _ => {}
        }
    }
    event.set();
    for (number, child) in children.into_iter().enumerate() {
        if number == 4 {
            proc::send(child.pid(), Signal::CONT);
        }
        assert_eq!(child.join().is_ok(), number % 2 == 1 || number == 4);
    }
}

fn sets(event: Event, started: Event) {
    started.set();
    loop {
        event.set();
        event.clear();
    }
}

fn it_is_seen_after_the_process_that_set_it_was_killed() {
    for round in 0..25 {
        let (event, started) = (Event::new().unwrap(), Event::new().unwrap());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| event.wait());
            let child = spawn(sets, (event.clone(), started.clone())).unwrap();
            started.wait();
            std::thread::sleep(Duration::from_micros(23 * round));
            proc::kill(child.pid());
            child.join().unwrap_err();
            // No matter what it left, all others can continue.
            event.set();
            waiting.join().unwrap();
            event.clear();
            assert!(!event.is_set());
        });
    }
}

/// Nanoseconds for which this thread has had a processor.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Waits for a second; returns the nanoseconds of processor time that it took.
fn waits_for_nothing(event: Event) -> u64 {
    let before = processor_time();
    assert!(
        event
            .wait_timeout(Duration::from_secs(1))
            .unwrap_err()
            .is_timeout()
    );
    processor_time() - before
}

fn waiting_takes_no_processor_time() {
    let event = Event::new().unwrap();
    let nanoseconds = spawn(waits_for_nothing, (event,)).unwrap().join().unwrap();
    // The portable version polls five hundred times.
    assert!(nanoseconds < 50_000_000, "{nanoseconds} ns of 1 s");
}
