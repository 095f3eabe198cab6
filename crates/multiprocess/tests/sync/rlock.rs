//! A lock that its holder can take again, and that becomes free when its holder dies.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Error, Event, RLock, RawValue, RegisteredTask, init, spawn, task};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            a_thread_takes_it_as_often_as_it_likes,
            guards_are_dropped_in_any_order,
            others_wait_for_the_last_guard,
            processes_never_hold_it_together,
            a_timeout_names_the_lock_and_its_holder,
            a_killed_holder_frees_it_and_is_reported,
            a_panic_releases_it,
            a_forgotten_guard_keeps_it_to_the_end_of_the_process,
            a_forgotten_guard_is_not_counted_for_a_later_lock,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(adds),
        task(holds_twice),
        task(tries),
        task(forgets),
        task(panics),
    ]
}

/// Whether another process can take it.
fn is_free(lock: &RLock) -> bool {
    spawn(tries, (lock.clone(),)).unwrap().join().unwrap()
}

fn tries(lock: RLock) -> bool {
    lock.try_lock().is_ok()
}

fn a_thread_takes_it_as_often_as_it_likes() {
    let lock = RLock::new().unwrap();
    let first = lock.lock().unwrap();
    // Any handle to it is the same lock.
    let second = lock.clone();
    let second = second.try_lock().unwrap();
    let third = lock.lock_timeout(Duration::ZERO).unwrap();
    assert!(!is_free(&lock));
    drop(third);
    assert!(!is_free(&lock));
    drop(second);
    assert!(!is_free(&lock));
    drop(first);
    assert!(is_free(&lock));
}

fn guards_are_dropped_in_any_order() {
    let lock = RLock::new().unwrap();
    let first = lock.lock().unwrap();
    let second = lock.lock().unwrap();
    drop(first);
    assert!(!is_free(&lock));
    drop(second);
    assert!(is_free(&lock));
    // And again from the beginning.
    let first = lock.lock().unwrap();
    assert!(!is_free(&lock));
    drop(first);
    assert!(is_free(&lock));
}

fn others_wait_for_the_last_guard() {
    let lock = RLock::new().unwrap();
    let inside = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let _outer = lock.lock().unwrap();
                    let _inner = lock.lock().unwrap();
                    let before = inside.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    assert_eq!(before, 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
}

/// Reads and writes separately: lost updates, unless the lock works.
fn adds(lock: RLock, counter: RawValue<u32>) {
    for _ in 0..500 {
        let _outer = lock.lock().unwrap();
        let count = counter.get();
        let _inner = lock.lock().unwrap();
        counter.set(count + 1);
    }
}

fn processes_never_hold_it_together() {
    let (lock, counter) = (RLock::new().unwrap(), RawValue::new(0).unwrap());
    let children: Vec<_> = (0..4)
        .map(|_| spawn(adds, (lock.clone(), counter.clone())).unwrap())
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(counter.get(), 2_000);
}

fn holds_twice(lock: RLock, held: Event) {
    let _outer = lock.lock().unwrap();
    let _inner = lock.lock().unwrap();
    held.set();
    story::a_minute();
}

fn a_timeout_names_the_lock_and_its_holder() {
    let (lock, held) = (RLock::named("books").unwrap(), Event::new().unwrap());
    let child = spawn(holds_twice, (lock.clone(), held.clone())).unwrap();
    held.wait();
    let limit = Duration::from_millis(50);
    let error = lock.lock_timeout(limit).unwrap_err();
    assert!(
        matches!(&error, Error::LockTimeout { holder: Some(holder), .. }
            if holder.pid == child.pid()),
        "{error}"
    );
    assert!(error.to_string().contains("the RLock 'books'"), "{error}");
    assert!(lock.try_lock().unwrap_err().is_would_block());
    child.kill().unwrap();
    child.join().unwrap_err();
}

fn a_killed_holder_frees_it_and_is_reported() {
    let lock = RLock::new().unwrap();
    for _ in 0..5 {
        let held = Event::new().unwrap();
        let child = spawn(holds_twice, (lock.clone(), held.clone())).unwrap();
        held.wait();
        proc::kill(child.pid());
        let guard = lock.lock().unwrap();
        assert!(guard.holder_died());
        assert_eq!(guard.dead_holder(), Some(child.pid()));
        let mut inner = lock.lock().unwrap();
        assert_eq!(inner.dead_holder(), Some(child.pid()));
        inner.clear_death();
        assert!(!guard.holder_died());
        drop((inner, guard));
        assert!(!lock.lock().unwrap().holder_died());
        child.join().unwrap_err();
    }
}

fn panics(lock: RLock) {
    let _outer = lock.lock().unwrap();
    let _inner = lock.lock().unwrap();
    panic!("on purpose");
}

fn a_panic_releases_it() {
    let lock = RLock::new().unwrap();
    let child = spawn(panics, (lock.clone(),)).unwrap();
    assert!(matches!(child.join(), Err(Error::Panicked { .. })));
    let guard = lock.try_lock().expect("it is free");
    assert!(!guard.holder_died());
}

fn forgets(lock: RLock) {
    std::mem::forget(lock.lock().unwrap());
}

fn a_forgotten_guard_keeps_it_to_the_end_of_the_process() {
    let lock = RLock::new().unwrap();
    let child = spawn(forgets, (lock.clone(),)).unwrap();
    let pid = child.pid();
    child.join().unwrap();
    let guard = lock.lock().unwrap();
    assert!(guard.holder_died());
    assert_eq!(guard.dead_holder(), Some(pid));
}

fn a_forgotten_guard_is_not_counted_for_a_later_lock() {
    // A later lock may have the address of an earlier one.
    for _ in 0..50 {
        let lock = RLock::new().unwrap();
        std::mem::forget(lock.lock().unwrap());
        drop(lock);
        let lock = RLock::new().unwrap();
        drop(lock.lock().unwrap());
        let elsewhere = lock.clone();
        std::thread::spawn(move || assert!(elsewhere.try_lock().is_ok()))
            .join()
            .unwrap();
    }
}
