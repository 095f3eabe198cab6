//! A lock whose holders are killed.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Event, Lock, RegisteredTask, init, spawn, task};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            later_holders_see_a_killed_holder_until_that_is_cleared,
            a_waiter_sees_that_the_holder_was_killed,
            a_killed_waiter_does_not_affect_others,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(holds), task(waits)]
}

fn holds(lock: Lock, held: Event) {
    let _alone = lock.lock().unwrap();
    held.set();
    story::a_minute();
}

fn later_holders_see_a_killed_holder_until_that_is_cleared() {
    let lock = Lock::new().unwrap();
    for _ in 0..10 {
        let held = Event::new().unwrap();
        let child = spawn(holds, (lock.clone(), held.clone())).unwrap();
        held.wait();
        proc::kill(child.pid());
        let mut guard = lock.lock_timeout(story::LIMIT).unwrap();
        assert!(guard.holder_died());
        assert_eq!(guard.dead_holder(), Some(child.pid()));
        guard.clear_death();
        drop(guard);
        let guard = lock.try_lock().expect("it is free");
        assert!(!guard.holder_died());
        assert_eq!(guard.dead_holder(), None);
        child.join().unwrap_err();
    }
}

fn a_waiter_sees_that_the_holder_was_killed() {
    let lock = Lock::new().unwrap();
    let held = Event::new().unwrap();
    let child = spawn(holds, (lock.clone(), held.clone())).unwrap();
    held.wait();
    std::thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| lock.lock().unwrap().holder_died()),
            scope.spawn(|| lock.lock_timeout(story::LIMIT).unwrap().holder_died()),
        ];
        std::thread::sleep(Duration::from_millis(20));
        proc::kill(child.pid());
        let seen = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(seen, [true, true]);
    });
    child.join().unwrap_err();
}

fn waits(lock: Lock, started: Event) {
    started.set();
    drop(lock.lock());
    story::a_minute();
}

fn a_killed_waiter_does_not_affect_others() {
    let lock = Lock::new().unwrap();
    let guard = lock.lock().unwrap();
    let started = Event::new().unwrap();
    let child = spawn(waits, (lock.clone(), started.clone())).unwrap();
    started.wait();
    std::thread::sleep(Duration::from_millis(10));
    proc::kill(child.pid());
    child.join().unwrap_err();
    drop(guard);
    assert!(!lock.lock().unwrap().holder_died());
}
