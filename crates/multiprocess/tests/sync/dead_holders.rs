//! A lock whose holder has died: it is never unusable, and every later holder sees that.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use multiprocess::{
    Array, Condition, Error, Event, Lock, RLock, RegisteredTask, Value, init, spawn, task,
};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            a_value_counts_as_held_until_its_dead_holders_process_is_gone,
            a_condition_counts_as_held_until_its_dead_holders_process_is_gone,
            holders_that_are_large_and_slow_to_die_make_no_lock_unusable,
            every_later_holder_sees_the_notice_until_one_clears_it,
            reading_and_writing_a_value_leaves_the_notice,
            a_waiter_of_a_condition_that_takes_the_lock_again_leaves_the_notice,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(leaks_a_value),
        task(leaks_a_condition),
        task(holds_much),
        task(holds_all),
    ]
}

/// Holds the lock as a process does that is being torn down: the thread that took it has ended, the process has not.
fn leaks(held: Event, take: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(take);
    });
    held.set();
    story::a_minute();
}

fn leaks_a_value(value: Value<i64>, held: Event) {
    leaks(held, || {
        let mut guard = value.lock().unwrap();
        *guard = 13;
        std::mem::forget(guard);
    });
}

fn a_value_counts_as_held_until_its_dead_holders_process_is_gone() {
    let (value, held) = (Value::new(0).unwrap(), Event::new().unwrap());
    let child = spawn(leaks_a_value, (value.clone(), held.clone())).unwrap();
    held.wait_timeout(story::LIMIT).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let guard = value.lock().unwrap();
            (*guard, guard.dead_holder())
        });
        for _ in 0..3 {
            assert!(value.try_lock().unwrap_err().is_would_block());
            let error = value.lock_timeout(Duration::from_millis(20)).unwrap_err();
            assert!(
                matches!(&error, Error::LockTimeout { holder: Some(holder), .. }
                    if holder.pid == child.pid()),
                "{error}"
            );
        }
        assert!(!waits.is_finished());
        proc::kill(child.pid());
        assert_eq!(waits.join().unwrap(), (13, Some(child.pid())));
    });
    let guard = value.lock_timeout(story::LIMIT).unwrap();
    assert_eq!(guard.dead_holder(), Some(child.pid()));
    child.join().unwrap_err();
}

fn leaks_a_condition(condition: Condition, held: Event) {
    leaks(held, || std::mem::forget(condition.lock().unwrap()));
}

fn a_condition_counts_as_held_until_its_dead_holders_process_is_gone() {
    let (condition, held) = (Condition::new().unwrap(), Event::new().unwrap());
    let child = spawn(leaks_a_condition, (condition.clone(), held.clone())).unwrap();
    held.wait_timeout(story::LIMIT).unwrap();
    for _ in 0..3 {
        assert!(condition.try_lock().unwrap_err().is_would_block());
        let ended = condition.lock_timeout(Duration::from_millis(20));
        assert!(matches!(ended, Err(Error::LockTimeout { .. })), "{ended:?}");
    }
    proc::kill(child.pid());
    let guard = condition.lock_timeout(story::LIMIT).unwrap();
    assert_eq!(guard.dead_holder(), Some(child.pid()));
    child.join().unwrap_err();
}

/// Holds locks in the middle of work, with much memory that the system has to take down when it is killed.
fn holds_much(lock: Lock, value: Value<i64>, array: Array<u8>, held: Event) {
    const BYTES: usize = 300 << 20;
    let memory = vec![1_u8; BYTES];
    let _locked = lock.lock().unwrap();
    let mut value = value.lock().unwrap();
    let mut array = array.lock().unwrap();
    // The last that gets any time of the processors, also to die.
    let me = rustix::process::getpid();
    rustix::process::setpriority_process(Some(me), 19).unwrap();
    held.set();
    loop {
        for (index, byte) in std::hint::black_box(&memory).iter().enumerate() {
            *value = i64::from(*byte);
            array[index % 1000] = *byte;
        }
    }
}

/// Keeps all processors busy with something else meanwhile.
fn with_busy_processors(act: impl FnOnce()) {
    let done = AtomicBool::new(false);
    let processors = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        act();
        done.store(true, Ordering::Relaxed);
    });
}

fn holders_that_are_large_and_slow_to_die_make_no_lock_unusable() {
    let (lock, value) = (Lock::new().unwrap(), Value::new(0).unwrap());
    let array = Array::<u8>::new(1000).unwrap();
    for _ in 0..3 {
        let held = Event::new().unwrap();
        let args = (lock.clone(), value.clone(), array.clone(), held.clone());
        let child = spawn(holds_much, args).unwrap();
        held.wait_timeout(story::LIMIT).unwrap();
        let mut dead_holders = Vec::new();
        with_busy_processors(|| {
            proc::kill(child.pid());
            let limit = story::LIMIT / 2;
            dead_holders.push(lock.lock_timeout(limit).map(|held| held.dead_holder()));
            dead_holders.push(value.lock_timeout(limit).map(|held| held.dead_holder()));
            dead_holders.push(array.lock_timeout(limit).map(|held| held.dead_holder()));
        });
        for dead_holder in dead_holders {
            assert_eq!(dead_holder.unwrap(), Some(child.pid()));
        }
        child.join().unwrap_err();
    }
}

fn holds_all(lock: Lock, rlock: RLock, value: Value<i64>, condition: Condition, held: Event) {
    let _guards = (
        lock.lock().unwrap(),
        rlock.lock().unwrap(),
        value.lock().unwrap(),
        condition.lock().unwrap(),
    );
    held.set();
    story::a_minute();
}

/// A lock of each kind, and the process that was killed while it held them.
fn abandoned() -> (Lock, RLock, Value<i64>, Condition, Option<u32>) {
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    let (value, condition) = (Value::new(0).unwrap(), Condition::new().unwrap());
    let held = Event::new().unwrap();
    let args = (
        lock.clone(),
        rlock.clone(),
        value.clone(),
        condition.clone(),
        held.clone(),
    );
    let child = spawn(holds_all, args).unwrap();
    held.wait_timeout(story::LIMIT).unwrap();
    let pid = child.pid();
    proc::kill(pid);
    child.join().unwrap_err();
    (lock, rlock, value, condition, Some(pid))
}

fn every_later_holder_sees_the_notice_until_one_clears_it() {
    let (lock, rlock, value, condition, pid) = abandoned();
    for _ in 0..3 {
        assert_eq!(lock.lock().unwrap().dead_holder(), pid);
        let tried = lock.try_lock().expect("it is free");
        assert!(tried.holder_died());
        let outer = rlock.lock().unwrap();
        assert_eq!(outer.dead_holder(), pid);
        assert_eq!(rlock.lock().unwrap().dead_holder(), pid);
        assert_eq!(value.lock().unwrap().dead_holder(), pid);
        assert_eq!(condition.lock().unwrap().dead_holder(), pid);
    }
    let mut guards = (
        lock.lock().unwrap(),
        rlock.lock().unwrap(),
        value.lock().unwrap(),
        condition.lock().unwrap(),
    );
    guards.0.clear_death();
    guards.1.clear_death();
    guards.2.clear_death();
    guards.3.clear_death();
    assert!(!guards.0.holder_died());
    drop(guards);
    assert_eq!(lock.lock().unwrap().dead_holder(), None);
    assert_eq!(rlock.lock().unwrap().dead_holder(), None);
    assert_eq!(value.lock().unwrap().dead_holder(), None);
    assert_eq!(condition.lock().unwrap().dead_holder(), None);
}

fn reading_and_writing_a_value_leaves_the_notice() {
    let (_, _, value, _, pid) = abandoned();
    assert_eq!(value.get().unwrap(), 0);
    value.set(1).unwrap();
    assert_eq!(value.lock().unwrap().dead_holder(), pid);
}

fn a_waiter_of_a_condition_that_takes_the_lock_again_leaves_the_notice() {
    let (_, _, _, condition, pid) = abandoned();
    let mut guard = condition.lock().unwrap();
    assert!(
        guard
            .wait_timeout(Duration::from_millis(1))
            .unwrap_err()
            .is_timeout()
    );
    assert_eq!(guard.dead_holder(), pid);
    drop(guard);
    assert_eq!(condition.lock().unwrap().dead_holder(), pid);
}
