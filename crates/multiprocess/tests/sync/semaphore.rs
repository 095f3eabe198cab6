//! Permits: never too many at once, and none lost with the process that held it.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Error, Event, RawValue, RegisteredTask, Semaphore, init, spawn, task};
use serde::{Deserialize, Serialize};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            there_are_as_many_permits_as_at_the_beginning,
            never_more_processes_than_permits_are_inside,
            a_timeout_names_the_holders_of_the_permits,
            a_released_permit_wakes_a_waiter,
            permits_of_a_killed_process_go_to_a_waiter,
            permits_of_a_killed_process_go_to_a_try,
            processes_killed_at_any_instant_take_no_permit_along,
            a_panic_releases_the_permit,
            a_permit_may_be_dropped_by_another_thread,
            threads_that_use_it_first_at_the_same_time_lose_no_permit,
            a_forgotten_permit_is_released_when_its_process_ends,
            it_travels_in_structs_to_grandchildren_and_back,
            without_permits_no_process_passes,
            waiting_takes_no_processor_time,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(goes_in_and_out),
        task(holds_two),
        task(takes_and_releases),
        task(panics),
        task(forgets),
        task(hands_down),
        task(takes_one),
        task(waits_for_nothing),
    ]
}

fn there_are_as_many_permits_as_at_the_beginning() {
    let semaphore = Semaphore::new(3).unwrap();
    assert_eq!((semaphore.permits(), semaphore.free().unwrap()), (3, 3));
    let all: Vec<_> = (0..3).map(|_| semaphore.acquire().unwrap()).collect();
    assert_eq!(semaphore.free().unwrap(), 0);
    assert!(semaphore.try_acquire().unwrap_err().is_would_block());
    drop(all);
    assert_eq!(semaphore.free().unwrap(), 3);
    let many = Semaphore::new(u32::MAX).unwrap();
    let one = many.try_acquire().expect("one is free");
    assert_eq!(many.free().unwrap(), u32::MAX - 1);
    drop(one);
    assert_eq!(many.free().unwrap(), u32::MAX);
}

/// Returns the largest number of processes that it saw inside.
fn goes_in_and_out(semaphore: Semaphore, inside: RawValue<u32>) -> u32 {
    let mut most = 0;
    for _ in 0..100 {
        let _permit = semaphore.acquire().unwrap();
        most = most.max(inside.update(|count| count + 1) + 1);
        std::thread::yield_now();
        inside.update(|count| count - 1);
    }
    most
}

fn never_more_processes_than_permits_are_inside() {
    let (semaphore, inside) = (Semaphore::new(2).unwrap(), RawValue::new(0).unwrap());
    let children: Vec<_> = (0..5)
        .map(|_| spawn(goes_in_and_out, (semaphore.clone(), inside.clone())).unwrap())
        .collect();
    for child in children {
        assert!((1..=2).contains(&child.join().unwrap()));
    }
    assert_eq!(semaphore.free().unwrap(), 2);
}

fn holds_two(semaphore: Semaphore, held: Event) {
    let _one = semaphore.acquire().unwrap();
    let _other = semaphore.acquire().unwrap();
    held.set();
    story::a_minute();
}

fn a_timeout_names_the_holders_of_the_permits() {
    let (semaphore, held) = (Semaphore::new(3).unwrap(), Event::new().unwrap());
    let child = spawn(holds_two, (semaphore.clone(), held.clone())).unwrap();
    held.wait();
    let _mine = semaphore.acquire().unwrap();
    for limit in [Duration::ZERO, Duration::from_millis(150)] {
        let start = Instant::now();
        let error = semaphore.acquire_timeout(limit).unwrap_err();
        assert!(start.elapsed() >= limit);
        let Error::PermitTimeout { holders, .. } = &error else {
            panic!("{error}");
        };
        let mut pids: Vec<u32> = holders.iter().map(|holder| holder.pid).collect();
        pids.sort_unstable();
        let mut expected = [child.pid(), std::process::id()];
        expected.sort_unstable();
        assert_eq!(pids, expected, "{error}");
        assert!(error.to_string().contains("one of 3 permits"), "{error}");
    }
    child.kill().unwrap();
    child.join().unwrap_err();
}

fn a_released_permit_wakes_a_waiter() {
    let semaphore = Semaphore::new(1).unwrap();
    for _ in 0..20 {
        let permit = semaphore.acquire().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(semaphore.acquire().unwrap()));
            std::thread::sleep(Duration::from_millis(2));
            drop(permit);
            waiting.join().unwrap();
        });
    }
}

fn permits_of_a_killed_process_go_to_a_waiter() {
    let semaphore = Semaphore::new(2).unwrap();
    for limit in [None, Some(story::LIMIT)] {
        let held = Event::new().unwrap();
        let child = spawn(holds_two, (semaphore.clone(), held.clone())).unwrap();
        held.wait();
        let pid = child.pid();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| match limit {
                None => drop(semaphore.acquire().unwrap()),
                Some(limit) => drop(semaphore.acquire_timeout(limit).unwrap()),
            });
            std::thread::sleep(Duration::from_millis(20));
            assert!(!waiting.is_finished());
            proc::kill(pid);
            waiting.join().unwrap();
        });
        assert_eq!(semaphore.free().unwrap(), 2);
        child.join().unwrap_err();
    }
}

fn permits_of_a_killed_process_go_to_a_try() {
    let semaphore = Semaphore::new(2).unwrap();
    let held = Event::new().unwrap();
    let child = spawn(holds_two, (semaphore.clone(), held.clone())).unwrap();
    held.wait();
    assert!(semaphore.try_acquire().unwrap_err().is_would_block());
    child.kill().unwrap();
    child.join().unwrap_err();
    let one = semaphore.try_acquire().expect("both are back");
    let other = semaphore.acquire_timeout(Duration::ZERO).unwrap();
    drop((one, other));
    assert_eq!(semaphore.free().unwrap(), 2);
}

fn takes_and_releases(semaphore: Semaphore, started: Event) {
    started.set();
    loop {
        let _one = semaphore.acquire().unwrap();
        let _other = semaphore.try_acquire().unwrap();
    }
}

fn processes_killed_at_any_instant_take_no_permit_along() {
    let semaphore = Semaphore::new(3).unwrap();
    for round in 0..25 {
        let children: Vec<_> = (0..2)
            .map(|_| {
                let started = Event::new().unwrap();
                let child =
                    spawn(takes_and_releases, (semaphore.clone(), started.clone())).unwrap();
                started.wait();
                child
            })
            .collect();
        std::thread::sleep(Duration::from_micros(37 * round));
        for child in children {
            proc::kill(child.pid());
            child.join().unwrap_err();
        }
        let all: Vec<_> = (0..3)
            .map(|_| semaphore.try_acquire().expect("all are back"))
            .collect();
        assert!(semaphore.try_acquire().unwrap_err().is_would_block());
        drop(all);
    }
}

fn panics(semaphore: Semaphore) {
    let _permit = semaphore.acquire().unwrap();
    panic!("on purpose");
}

fn a_panic_releases_the_permit() {
    let semaphore = Semaphore::new(1).unwrap();
    let child = spawn(panics, (semaphore.clone(),)).unwrap();
    assert!(matches!(child.join(), Err(Error::Panicked { .. })));
    assert_eq!(semaphore.free().unwrap(), 1);
}

fn threads_that_use_it_first_at_the_same_time_lose_no_permit() {
    for _ in 0..500 {
        let semaphore = Semaphore::new(2).unwrap();
        let start = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    let permit = semaphore.acquire().unwrap();
                    // Both have one.
                    start.wait();
                    drop(permit);
                });
            }
        });
        assert_eq!(semaphore.free().unwrap(), 2);
    }
}

fn a_permit_may_be_dropped_by_another_thread() {
    let semaphore = Semaphore::new(1).unwrap();
    let permit = semaphore.acquire().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(permit));
    });
    assert_eq!(semaphore.free().unwrap(), 1);
}

fn forgets(semaphore: Semaphore) {
    std::mem::forget(semaphore.acquire().unwrap());
}

fn a_forgotten_permit_is_released_when_its_process_ends() {
    let semaphore = Semaphore::new(1).unwrap();
    let child = spawn(forgets, (semaphore.clone(),)).unwrap();
    child.join().unwrap();
    assert!(semaphore.try_acquire().is_ok());
}

#[derive(Serialize, Deserialize)]
struct Gate {
    label: String,
    semaphores: Vec<Semaphore>,
}

fn hands_down(gate: Gate) -> Gate {
    assert_eq!(gate.label, "gate");
    let child = spawn(takes_one, (gate.semaphores[1].clone(),)).unwrap();
    assert_eq!(child.join().unwrap(), 4);
    gate
}

/// Takes a permit, and returns how many are free then.
fn takes_one(semaphore: Semaphore) -> u32 {
    let _permit = semaphore.acquire().unwrap();
    semaphore.free().unwrap()
}

fn it_travels_in_structs_to_grandchildren_and_back() {
    let semaphores = vec![Semaphore::new(1).unwrap(), Semaphore::new(5).unwrap()];
    let gate = Gate {
        label: "gate".to_owned(),
        semaphores: semaphores.clone(),
    };
    let back = spawn(hands_down, (gate,)).unwrap().join().unwrap();
    let _permit = back.semaphores[1].acquire().unwrap();
    assert_eq!(semaphores[1].free().unwrap(), 4);
    assert_eq!(back.semaphores[1].permits(), 5);
}

fn without_permits_no_process_passes() {
    let semaphore = Semaphore::new(0).unwrap();
    assert!(semaphore.try_acquire().unwrap_err().is_would_block());
    let error = semaphore
        .acquire_timeout(Duration::from_millis(5))
        .unwrap_err();
    assert!(error.to_string().contains("no process any more"), "{error}");
}

/// Nanoseconds for which this thread has had a processor.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Waits for a second; returns the nanoseconds of processor time that it took.
fn waits_for_nothing(semaphore: Semaphore) -> u64 {
    let before = processor_time();
    semaphore
        .acquire_timeout(Duration::from_secs(1))
        .unwrap_err();
    processor_time() - before
}

fn waiting_takes_no_processor_time() {
    let semaphore = Semaphore::new(1).unwrap();
    let _permit = semaphore.acquire().unwrap();
    let child = spawn(waits_for_nothing, (semaphore.clone(),)).unwrap();
    let nanoseconds = child.join().unwrap();
    // The portable version polls five hundred times.
    assert!(nanoseconds < 50_000_000, "{nanoseconds} ns of 1 s");
}
