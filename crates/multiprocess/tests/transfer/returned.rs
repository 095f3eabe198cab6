//! Handles that a child made and returned: they outlive it, and are freed with their last owner, or without one.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Array, Error, Lock, Queue, RegisteredTask, Value, init, spawn, task};

use story::forged::{Forged, bytes_of};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            takes_what_a_child_made,
            drops_what_children_made,
            leaks_a_guard
        ],
        story::named![
            an_array_made_in_a_child_is_there_for_the_parent,
            ten_thousand_handles_go_there_and_back,
            what_a_detached_child_returned_is_thrown_away,
            a_leaked_guard_is_never_joined_by_a_second_one,
            the_error_for_a_freed_handle_has_the_reason,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(make), task(make_many), task(give_back), task(add)]
}

fn make() -> Array<i64> {
    Array::from_slice(&[4, 9, 25]).expect("there is memory")
}

fn make_many(count: usize) -> Vec<Lock> {
    (0..count)
        .map(|_| Lock::new().expect("there is memory"))
        .collect()
}

fn give_back(locks: Vec<Lock>) -> Vec<Lock> {
    locks
}

fn add(value: Value<i64>) {
    *value.lock().expect("it can be locked") += 1;
}

/// How much shared memory belongs to the run of this process.
fn names() -> usize {
    story::left::slots(std::process::id()).len()
}

fn takes_what_a_child_made() {
    init(tasks());
    // The first handle of this program is made in the child.
    let made = spawn(make, ()).unwrap().join().unwrap();
    assert_eq!(made.to_vec().unwrap(), [4, 9, 25]);
    drop(made);
    assert_eq!(names(), 0);
}

fn an_array_made_in_a_child_is_there_for_the_parent() {
    Scene::new("takes_what_a_child_made").succeed();
}

fn ten_thousand_handles_go_there_and_back() {
    let locks = make_many(10_000);
    let held: Vec<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
    let back = spawn(give_back, (locks.clone(),)).unwrap();
    let back = back.join().unwrap();
    assert_eq!(back.len(), locks.len());
    // They are the same ones.
    assert!(back.iter().all(|lock| lock.try_lock().is_err()));
    drop(held);
    assert!(back.iter().all(|lock| lock.try_lock().is_ok()));
}

fn drops_what_children_made() {
    init(tasks());
    let before = Lock::new().unwrap();
    let names_before = names();
    for _ in 0..10 {
        drop(spawn(make_many, (3,)).unwrap());
    }
    story::until(
        "the children are reaped, and what they returned is gone",
        || multiprocess::active_children().is_empty() && names() == names_before,
    );
    drop(before);
}

fn what_a_detached_child_returned_is_thrown_away() {
    Scene::new("drops_what_children_made").succeed();
}

fn leaks_a_guard() {
    init(tasks());
    let array: &'static Array<u64> = Box::leak(Box::new(Array::new(1).unwrap()));
    let leaker = std::thread::spawn(move || {
        let guard = Box::leak(Box::new(array.lock().unwrap()));
        &mut **guard
    });
    let slice: &'static mut [u64] = leaker.join().unwrap();
    slice[0] = 6;
    // With a limit: where the lock is in a file, it is simply never free.
    let second = array.lock_timeout(Duration::from_millis(200));
    assert!(
        matches!(
            second,
            Err(Error::Memory { .. } | Error::LockTimeout { .. })
        ),
        "two at once: {second:?}"
    );
    assert_eq!(slice[0], 6);
}

fn a_leaked_guard_is_never_joined_by_a_second_one() {
    Scene::new("leaks_a_guard").succeed();
}

fn the_error_for_a_freed_handle_has_the_reason() {
    // A handle without an owner when its bytes arrive.
    let bytes = bytes_of(Value::new(1_i64).unwrap());
    let queue = Queue::new().unwrap();
    queue.put(Forged::<Value<i64>>::Sent(bytes)).unwrap();
    let gone = queue.get().unwrap_err();
    assert!(gone.to_string().contains("no longer exists"), "{gone}");
}
