//! A lock whose holders are killed.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Event, Lock, RawValue, RegisteredTask, Value, init, spawn, task};

use story::proc;

fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            a_killed_holder_is_made_known_until_the_notice_is_cleared,
            a_killed_holder_is_made_known_to_one_who_waits,
            a_killed_waiting_process_disturbs_nobody,
            holders_killed_at_any_instant_block_nobody,
            eight_processes_count_while_a_ninth_is_killed_again_and_again,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(holds),
        task(waits),
        task(takes_and_gives),
        task(increments),
        task(holds_the_value),
    ]
}

fn is_portable() -> bool {
    std::env::var_os("MULTIPROCESS_PORTABLE").is_some()
}

fn holds(lock: Lock, held: Event) {
    let _alone = lock.acquire().unwrap();
    held.set();
    story::a_minute();
}

fn a_killed_holder_is_made_known_until_the_notice_is_cleared() {
    let lock = Lock::new().unwrap();
    for _ in 0..10 {
        let held = Event::new().unwrap();
        let child = spawn(holds, (lock.clone(), held.clone())).unwrap();
        held.wait();
        proc::kill(child.pid());
        let mut guard = lock.acquire_timeout(story::LIMIT).unwrap();
        assert!(guard.holder_died());
        assert_eq!(guard.dead_holder(), Some(child.pid()));
        guard.clear_death();
        drop(guard);
        let guard = lock.try_acquire().unwrap().expect("it is free");
        assert!(!guard.holder_died());
        assert_eq!(guard.dead_holder(), None);
        child.join().unwrap_err();
    }
}

fn a_killed_holder_is_made_known_to_one_who_waits() {
    let lock = Lock::new().unwrap();
    let held = Event::new().unwrap();
    let child = spawn(holds, (lock.clone(), held.clone())).unwrap();
    held.wait();
    std::thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| lock.acquire().unwrap().holder_died()),
            scope.spawn(|| lock.acquire_timeout(story::LIMIT).unwrap().holder_died()),
        ];
        std::thread::sleep(Duration::from_millis(20));
        proc::kill(child.pid());
        let told = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(told, [true, true]);
    });
    child.join().unwrap_err();
}

fn waits(lock: Lock, started: Event) {
    started.set();
    drop(lock.acquire());
    story::a_minute();
}

fn a_killed_waiting_process_disturbs_nobody() {
    let lock = Lock::new().unwrap();
    let guard = lock.acquire().unwrap();
    let started = Event::new().unwrap();
    let child = spawn(waits, (lock.clone(), started.clone())).unwrap();
    started.wait();
    std::thread::sleep(Duration::from_millis(10));
    proc::kill(child.pid());
    child.join().unwrap_err();
    drop(guard);
    assert!(!lock.acquire().unwrap().holder_died());
}

fn takes_and_gives(lock: Lock, inside: RawValue<u32>, started: Event) {
    started.set();
    loop {
        let mut guard = lock.acquire().unwrap();
        if guard.holder_died() {
            inside.set(0);
            guard.clear_death();
        }
        assert_eq!(inside.update(|count| count + 1), 0);
        inside.set(0);
    }
}

fn holders_killed_at_any_instant_block_nobody() {
    let (lock, inside) = (Lock::new().unwrap(), RawValue::new(0).unwrap());
    for round in 0..40 {
        let children: Vec<_> = (0..2)
            .map(|_| {
                let started = Event::new().unwrap();
                let args = (lock.clone(), inside.clone(), started.clone());
                let child = spawn(takes_and_gives, args).unwrap();
                started.wait();
                child
            })
            .collect();
        std::thread::sleep(Duration::from_micros(29 * round));
        for child in children {
            proc::kill(child.pid());
            let mut guard = lock.acquire_timeout(story::LIMIT).unwrap();
            if guard.holder_died() {
                inside.set(0);
                guard.clear_death();
            }
            assert_eq!(inside.get(), 0);
            drop(guard);
            child.join().unwrap_err();
        }
    }
}

/// Counts in portions, each of which begins when one more holder has been killed.
fn increments(counter: Value<u64>, times: u32, kills: RawValue<u32>) {
    for portion in 0..PORTIONS {
        while kills.get() < portion {
            std::thread::sleep(Duration::from_micros(200));
        }
        for _ in 0..times / PORTIONS {
            *counter.lock().unwrap() += 1;
        }
    }
}

const PORTIONS: u32 = 20;

/// Takes the lock, and is killed while it holds it, before it changes anything.
fn holds_the_value(counter: Value<u64>, held: Event) {
    let _alone = counter.lock().unwrap();
    held.set();
    story::a_minute();
}

fn eight_processes_count_while_a_ninth_is_killed_again_and_again() {
    let times = if is_portable() { 2_000 } else { 100_000 };
    let counter = Value::new(0_u64).unwrap();
    let kills = RawValue::new(0).unwrap();
    let workers: Vec<_> = (0..8)
        .map(|_| spawn(increments, (counter.clone(), times, kills.clone())).unwrap())
        .collect();
    while kills.get() < PORTIONS || workers.iter().any(multiprocess::JoinHandle::is_alive) {
        let held = Event::new().unwrap();
        let ninth = spawn(holds_the_value, (counter.clone(), held.clone())).unwrap();
        assert!(held.wait_timeout(story::LIMIT));
        proc::kill(ninth.pid());
        ninth.join().unwrap_err();
        kills.update(|count| count + 1);
    }
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(counter.get().unwrap(), 8 * u64::from(times));
    println!("{} holders were killed", kills.get());
}
