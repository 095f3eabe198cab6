//! A lock between processes: one at a time, and never a wait for oneself.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Barrier, Deadlock, Error, Event, Lock, LockWait, RawValue, Receiver, RegisteredTask, Sender,
    channel, init, spawn, task,
};
use serde::{Deserialize, Serialize};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            processes_exclude_each_other,
            threads_of_one_process_exclude_each_other,
            a_thread_never_waits_for_itself,
            trying_does_not_wait,
            a_timeout_names_the_lock_and_its_holder,
            waits_that_time_out_reveal_a_cycle,
            a_timeout_is_kept,
            a_panic_releases_it,
            it_travels_in_structs,
            it_travels_to_grandchildren,
            it_travels_through_a_channel,
            it_travels_back_as_a_result,
            two_arguments_can_be_the_same_lock,
            a_forgotten_guard_holds_it_until_its_process_ends,
            a_forgotten_guard_does_not_affect_the_process,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(adds),
        task(holds),
        task(asks_for_the_next),
        task(tries),
        task(panics),
        task(tries_all),
        task(hands_down),
        task(receives),
        task(makes),
        task(same),
        task(forgets),
    ]
}

/// Whether another process can take it.
fn is_free(lock: &Lock) -> bool {
    spawn(tries, (lock.clone(),)).unwrap().join().unwrap()
}

fn tries(lock: Lock) -> bool {
    lock.try_lock().is_ok()
}

/// Reads and writes separately: lost updates, unless the lock works.
fn adds(lock: Lock, counter: RawValue<u32>) {
    for _ in 0..2_000 {
        let _alone = lock.lock().unwrap();
        counter.set(counter.get() + 1);
    }
}

fn processes_exclude_each_other() {
    let (lock, counter) = (Lock::new().unwrap(), RawValue::new(0).unwrap());
    let children: Vec<_> = (0..4)
        .map(|_| spawn(adds, (lock.clone(), counter.clone())).unwrap())
        .collect();
    adds(lock, counter.clone());
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(counter.get(), 10_000);
}

fn threads_of_one_process_exclude_each_other() {
    let (lock, counter) = (Lock::new().unwrap(), RawValue::new(0).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| adds(lock.clone(), counter.clone()));
        }
    });
    assert_eq!(counter.get(), 8_000);
}

fn a_thread_never_waits_for_itself() {
    let lock = Lock::named("left").unwrap();
    let guard = lock.lock().unwrap();
    let same = lock.clone();
    let start = Instant::now();
    for result in [
        same.lock().map(drop),
        same.try_lock().map(drop),
        same.lock_timeout(Duration::from_secs(20)).map(drop),
        same.lock_timeout(Duration::ZERO).map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::HeldAlready { .. }), "{error}");
        assert!(error.to_string().contains("the lock 'left'"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(!is_free(&lock));
    drop(guard);
    assert!(is_free(&lock));
}

fn trying_does_not_wait() {
    let lock = Lock::new().unwrap();
    let guard = lock.try_lock().expect("it is free");
    assert!(!guard.holder_died());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(lock.try_lock().unwrap_err().is_would_block()));
    });
    drop(guard);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(lock.try_lock().is_ok()));
    });
}

fn holds(lock: Lock, held: Event, release: Event) {
    let _alone = lock.lock().unwrap();
    held.set();
    release.wait();
}

fn a_timeout_names_the_lock_and_its_holder() {
    let lock = Lock::named("left").unwrap();
    let (held, release) = (Event::new().unwrap(), Event::new().unwrap());
    let args = (lock.clone(), held.clone(), release.clone());
    let child = multiprocess::Builder::new()
        .name("the holder")
        .spawn(holds, args)
        .unwrap();
    held.wait();
    let error = lock.lock_timeout(Duration::from_millis(30)).unwrap_err();
    assert!(
        matches!(&error, Error::LockTimeout { holder: Some(holder), .. }
            if holder.pid == child.pid()),
        "{error}"
    );
    let words = error.to_string();
    for part in [
        "MainProcess",
        "the lock 'left'",
        "'the holder'",
        &child.pid().to_string(),
        &std::process::id().to_string(),
    ] {
        assert!(words.contains(part), "{words}");
    }
    release.set();
    child.join().unwrap();
    drop(lock.lock_timeout(Duration::MAX).unwrap());
}

/// Takes the first lock and waits for the second one, and keeps what it has until all have waited.
fn asks_for_the_next(first: Lock, second: Lock, all: Barrier) -> Option<LockWait> {
    let _held = first.lock().unwrap();
    all.wait_timeout(Duration::from_secs(20)).unwrap();
    let waited = second.lock_timeout(Duration::from_millis(30));
    let wait = waited.as_ref().err().and_then(Error::wait);
    all.wait_timeout(Duration::from_secs(20)).unwrap();
    wait
}

/// Makes processes take a lock each and wait for the one with the given number; returns the waits.
fn waits_of(wanted: &[usize]) -> Vec<LockWait> {
    let all = Barrier::new(u32::try_from(wanted.len()).unwrap()).unwrap();
    let locks: Vec<Lock> = (0..=wanted.len())
        .map(|number| Lock::named(&number.to_string()).unwrap())
        .collect();
    let children: Vec<_> = wanted
        .iter()
        .enumerate()
        .map(|(own, wanted)| {
            let args = (locks[own].clone(), locks[*wanted].clone(), all.clone());
            multiprocess::Builder::new()
                .name(format!("child {own}"))
                .spawn(asks_for_the_next, args)
                .unwrap()
        })
        .collect();
    let waits = children.into_iter().map(|child| child.join().unwrap());
    waits.flatten().collect()
}

fn waits_that_time_out_reveal_a_cycle() {
    for number in [2, 3] {
        let wanted: Vec<usize> = (1..number).chain([0]).collect();
        let waits = waits_of(&wanted);
        let deadlock = Deadlock::among(&waits).expect("a cycle");
        assert_eq!(deadlock.waits(), waits);
        let words = deadlock.to_string();
        let first = format!("holds the lock '0' and waits for the lock '{}'", wanted[0]);
        assert!(words.contains("process 'child 0' (pid "), "{words}");
        assert!(words.contains(&first), "{words}");
        assert_eq!(words.lines().count(), number, "{words}");
    }
    // The last one takes a lock that is free.
    let waits = waits_of(&[1, 2, 3]);
    assert_eq!(waits.len(), 2, "{waits:?}");
    assert_eq!(Deadlock::among(&waits), None);
}

fn a_timeout_is_kept() {
    let lock = Lock::new().unwrap();
    let guard = lock.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for milliseconds in [0, 1, 50, 1_100] {
                let limit = Duration::from_millis(milliseconds);
                let start = Instant::now();
                lock.lock_timeout(limit).unwrap_err();
                assert!(start.elapsed() >= limit);
            }
        });
    });
    // A lock that is released in time can be taken.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.lock_timeout(story::LIMIT).map(drop));
        std::thread::sleep(Duration::from_millis(10));
        drop(guard);
        waiting.join().unwrap().unwrap();
    });
}

fn panics(lock: Lock) {
    let _alone = lock.lock().unwrap();
    panic!("on purpose");
}

fn a_panic_releases_it() {
    let lock = Lock::new().unwrap();
    let child = spawn(panics, (lock.clone(),)).unwrap();
    assert!(matches!(child.join(), Err(Error::Panicked { .. })));
    let guard = lock.try_lock().expect("it is free");
    assert!(!guard.holder_died());
    drop(guard);
    let thread = lock.clone();
    std::thread::spawn(move || panics(thread))
        .join()
        .unwrap_err();
    assert!(!lock.lock().unwrap().holder_died());
}

#[derive(Serialize, Deserialize)]
struct Cupboard {
    label: String,
    locks: Vec<Option<Lock>>,
}

fn tries_all(cupboard: Cupboard) -> Vec<Option<bool>> {
    assert_eq!(cupboard.label, "cupboard");
    let locks = cupboard.locks.into_iter();
    locks.map(|lock| lock.map(tries)).collect()
}

fn it_travels_in_structs() {
    let (left, right) = (Lock::new().unwrap(), Lock::new().unwrap());
    let _held = right.lock().unwrap();
    let cupboard = Cupboard {
        label: "cupboard".to_owned(),
        locks: vec![Some(left), None, Some(right.clone())],
    };
    let answer = spawn(tries_all, (cupboard,)).unwrap().join().unwrap();
    assert_eq!(answer, [Some(true), None, Some(false)]);
}

fn hands_down(lock: Lock, generations: u32) -> bool {
    if generations == 0 {
        return tries(lock);
    }
    spawn(hands_down, (lock, generations - 1))
        .unwrap()
        .join()
        .unwrap()
}

fn it_travels_to_grandchildren() {
    let lock = Lock::new().unwrap();
    assert!(hands_down(lock.clone(), 3));
    let _held = lock.lock().unwrap();
    assert!(!hands_down(lock.clone(), 3));
}

fn receives(locks: Receiver<Lock>, answers: Sender<bool>) {
    for lock in &locks {
        answers.send(tries(lock.unwrap())).unwrap();
    }
}

fn it_travels_through_a_channel() {
    let (to_child, locks) = channel().unwrap();
    let (answers, from_child) = channel().unwrap();
    let child = spawn(receives, (locks, answers)).unwrap();
    let is_free = || from_child.recv_timeout(story::LIMIT / 2).unwrap();
    let lock = Lock::new().unwrap();
    to_child.send(lock.clone()).unwrap();
    assert!(is_free());
    let held = lock.lock().unwrap();
    to_child.send(lock.clone()).unwrap();
    assert!(!is_free());
    drop(held);
    // And one to which this process keeps no handle.
    to_child.send(Lock::new().unwrap()).unwrap();
    assert!(is_free());
    drop(to_child);
    child.join().unwrap();
}

fn makes() -> (Lock, Lock) {
    let lock = Lock::named("made by a child").unwrap();
    (lock.clone(), lock)
}

fn it_travels_back_as_a_result() {
    let (one, same) = spawn(makes, ()).unwrap().join().unwrap();
    assert_eq!(one.to_string(), "the lock 'made by a child'");
    let _held = one.lock().unwrap();
    let error = same.try_lock().unwrap_err();
    assert!(matches!(error, Error::HeldAlready { .. }), "{error}");
    assert!(!is_free(&same));
}

fn same(one: Lock, other: Lock) -> bool {
    let _held = one.lock().unwrap();
    matches!(other.try_lock(), Err(Error::HeldAlready { .. }))
}

fn two_arguments_can_be_the_same_lock() {
    let lock = Lock::new().unwrap();
    let child = spawn(same, (lock.clone(), lock.clone())).unwrap();
    assert!(child.join().unwrap());
    let child = spawn(same, (lock, Lock::new().unwrap())).unwrap();
    assert!(!child.join().unwrap());
}

fn forgets(lock: Lock) {
    std::mem::forget(lock.lock().unwrap());
    assert!(matches!(lock.lock(), Err(Error::HeldAlready { .. })));
}

fn a_forgotten_guard_holds_it_until_its_process_ends() {
    let lock = Lock::new().unwrap();
    let child = spawn(forgets, (lock.clone(),)).unwrap();
    let pid = child.pid();
    child.join().unwrap();
    let guard = lock.lock().unwrap();
    assert!(guard.holder_died());
    assert_eq!(guard.dead_holder(), Some(pid));
}

fn a_forgotten_guard_does_not_affect_the_process() {
    for _ in 0..100 {
        let lock = Lock::new().unwrap();
        std::mem::forget(lock.lock().unwrap());
        assert!(matches!(lock.lock(), Err(Error::HeldAlready { .. })));
        drop(lock);
        // A later lock may have the address of an earlier one.
        let lock = Lock::new().unwrap();
        let guard = lock.lock().unwrap();
        assert!(!guard.holder_died());
    }
}
