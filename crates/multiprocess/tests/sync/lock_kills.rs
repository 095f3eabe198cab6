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
            a_killed_holder_is_made_known_until_the_notice_is_cleared,
            a_waiter_learns_of_a_killed_holder,
            a_killed_waiter_disturbs_no_other_process,
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

fn a_killed_holder_is_made_known_until_the_notice_is_cleared() {
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

fn a_waiter_learns_of_a_killed_holder() {
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
        let told = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(told, [true, true]);
    });
    child.join().unwrap_err();
}

fn waits(lock: Lock, started: Event) {
    started.set();
    drop(lock.lock());
    story::a_minute();
}

fn a_killed_waiter_disturbs_no_other_process() {
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
