//! A condition: notifications reach live waiters only, in order.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Condition, Error, Event, JoinHandle, RawValue, RegisteredTask, init, spawn, task,
};
use rustix::process::Signal;

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            its_lock_is_a_lock,
            notify_one_wakes_one_the_longest_waiting_first,
            notify_all_wakes_all,
            notify_wakes_that_many_the_longest_waiting_first,
            what_is_for_several_is_passed_on_for_each_that_died,
            what_was_for_all_is_not_passed_on,
            a_notification_without_a_waiter_is_lost,
            a_timeout_ends_the_wait_with_the_lock_held,
            waiting_for_a_condition_checks_it_under_the_lock,
            every_loaf_is_sold_once,
            a_notification_for_a_dead_process_goes_to_the_next,
            processes_that_died_waiting_get_no_notification,
            a_killed_holder_frees_the_lock_and_is_reported,
            processes_killed_at_any_instant_block_no_other,
            waiting_takes_no_processor_time,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(waits_in_turn),
        task(waits_and_counts),
        task(buys),
        task(holds),
        task(waits_and_notifies),
        task(waits_for_nothing),
    ]
}

fn its_lock_is_a_lock() {
    let condition = Condition::new().unwrap();
    let guard = condition.lock().unwrap();
    for error in [
        condition.lock().map(drop),
        condition.try_lock().map(drop),
        condition.lock_timeout(Duration::ZERO).map(drop),
    ] {
        assert!(matches!(error, Err(Error::HeldAlready { .. })), "{error:?}");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(condition.try_lock().unwrap_err().is_would_block());
            let error = condition.lock_timeout(Duration::from_millis(10));
            assert!(matches!(error, Err(Error::LockTimeout { .. })));
        });
    });
    drop(guard);
    assert!(condition.try_lock().is_ok());
}

/// Waits, and returns how many were woken before.
fn waits_in_turn(condition: Condition, waiting: RawValue<u32>, woken: RawValue<u32>) -> u32 {
    let mut guard = condition.lock().unwrap();
    waiting.update(|count| count + 1);
    guard.wait().unwrap();
    woken.update(|count| count + 1)
}

fn notify_one_wakes_one_the_longest_waiting_first() {
    let condition = Condition::new().unwrap();
    let (waiting, woken) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
    let mut children = Vec::new();
    for before in 1..=4 {
        let args = (condition.clone(), waiting.clone(), woken.clone());
        children.push(spawn(waits_in_turn, args).unwrap());
        story::until("it waits", || waiting.get() == before);
    }
    for done in 1..=4 {
        condition.lock().unwrap().notify_one();
        story::until("it is woken", || woken.get() == done);
        // Long enough for another to look round.
        std::thread::sleep(Duration::from_millis(if done == 1 { 250 } else { 5 }));
        assert_eq!(woken.get(), done);
    }
    for (place, child) in (0..).zip(children) {
        assert_eq!(child.join().unwrap(), place);
    }
}

fn notify_all_wakes_all() {
    let condition = Condition::new().unwrap();
    let (waiting, woken) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
    for _ in 0..3 {
        waiting.set(0);
        let children: Vec<_> = (0..3)
            .map(|_| {
                let args = (condition.clone(), waiting.clone(), woken.clone());
                spawn(waits_in_turn, args).unwrap()
            })
            .collect();
        story::until("all wait", || waiting.get() == 3);
        condition.lock().unwrap().notify_all();
        for child in children {
            child.join().unwrap();
        }
    }
    assert_eq!(woken.get(), 9);
}

/// Starts processes that wait, one after the other.
fn waiting(condition: &Condition, count: u32) -> (Vec<JoinHandle<()>>, RawValue<u32>) {
    let (waiting, woken) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
    let mut children = Vec::new();
    for before in 1..=count {
        let args = (condition.clone(), waiting.clone(), woken.clone());
        children.push(spawn(waits_and_counts, args).unwrap());
        story::until("it waits", || waiting.get() == before);
    }
    // They sleep once the lock can be had.
    drop(condition.lock().unwrap());
    (children, woken)
}

fn join_all(children: impl IntoIterator<Item = JoinHandle<()>>) {
    for mut child in children {
        child.join_timeout(story::LIMIT / 4).unwrap();
    }
}

fn notify_wakes_that_many_the_longest_waiting_first() {
    let condition = Condition::new().unwrap();
    let (mut children, woken) = waiting(&condition, 5);
    condition.lock().unwrap().notify(0);
    condition.lock().unwrap().notify(2);
    join_all(children.drain(..2));
    // Long enough for another to look round.
    std::thread::sleep(Duration::from_millis(250));
    assert_eq!(woken.get(), 2);
    // One that is dead isn't counted.
    let dead = children.remove(0);
    proc::kill(dead.pid());
    dead.join().unwrap_err();
    condition.lock().unwrap().notify(1);
    join_all(children.drain(..1));
    assert_eq!(woken.get(), 3);
    // More than there are: the rest of it is lost.
    let mut guard = condition.lock().unwrap();
    guard.notify(9);
    drop(guard);
    join_all(children);
    assert_eq!(woken.get(), 4);
    let mut guard = condition.lock().unwrap();
    let late = guard.wait_timeout(Duration::from_millis(150));
    assert!(late.unwrap_err().is_timeout());
}

fn what_is_for_several_is_passed_on_for_each_that_died() {
    let condition = Condition::new().unwrap();
    let (mut children, woken) = waiting(&condition, 6);
    let dead: Vec<_> = children.drain(..2).collect();
    for child in &dead {
        proc::send(child.pid(), Signal::STOP);
    }
    condition.lock().unwrap().notify(3);
    join_all(children.drain(..1));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(woken.get(), 1);
    for child in &dead {
        proc::kill(child.pid());
    }
    join_all(children.drain(..2));
    std::thread::sleep(Duration::from_millis(250));
    assert_eq!(woken.get(), 3, "the last one has got no notification");
    condition.lock().unwrap().notify_one();
    join_all(children);
    for child in dead {
        child.join().unwrap_err();
    }
}

fn what_was_for_all_is_not_passed_on() {
    let condition = Condition::new().unwrap();
    let (mut children, woken) = waiting(&condition, 2);
    let dead = children.remove(0);
    proc::send(dead.pid(), Signal::STOP);
    condition.lock().unwrap().notify_all();
    join_all(children);
    // This one begins to wait when all are notified.
    let mut guard = condition.lock().unwrap();
    proc::kill(dead.pid());
    let late = guard.wait_timeout(Duration::from_millis(350));
    assert!(late.unwrap_err().is_timeout());
    assert_eq!(woken.get(), 1);
    dead.join().unwrap_err();
}

fn a_notification_without_a_waiter_is_lost() {
    let condition = Condition::new().unwrap();
    let mut guard = condition.lock().unwrap();
    guard.notify_one();
    guard.notify_all();
    assert!(
        guard
            .wait_timeout(Duration::from_millis(150))
            .unwrap_err()
            .is_timeout()
    );
}

fn a_timeout_ends_the_wait_with_the_lock_held() {
    let condition = Condition::new().unwrap();
    let mut guard = condition.lock().unwrap();
    for milliseconds in [0, 3, 130] {
        let limit = Duration::from_millis(milliseconds);
        let start = Instant::now();
        assert!(guard.wait_timeout(limit).unwrap_err().is_timeout());
        assert!(start.elapsed() >= limit);
        let elsewhere = condition.clone();
        std::thread::spawn(move || assert!(elsewhere.try_lock().unwrap_err().is_would_block()))
            .join()
            .unwrap();
    }
}

fn waiting_for_a_condition_checks_it_under_the_lock() {
    let condition = Condition::new().unwrap();
    let (number, reached) = (RawValue::new(0).unwrap(), Event::new().unwrap());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut guard = condition.lock().unwrap();
            guard.wait_for(|| number.get() == 3).unwrap();
            reached.set();
            let in_time = guard.wait_for_timeout(Duration::from_secs(30), || number.get() == 5);
            in_time.unwrap();
            let limit = Duration::from_millis(10);
            let late = guard.wait_for_timeout(limit, || number.get() == 6);
            assert!(late.unwrap_err().is_timeout());
            guard.wait_for_timeout(Duration::ZERO, || true).unwrap();
        });
        for next in 1..=5 {
            let mut guard = condition.lock().unwrap();
            number.set(next);
            guard.notify_all();
            drop(guard);
            if next == 3 {
                reached.wait_timeout(story::LIMIT).unwrap();
            }
        }
        waiting.join().unwrap();
    });
}

/// Buys loaves until the shop closes; returns how many.
fn buys(shop: Condition, loaves: RawValue<u32>, closed: Event) -> u32 {
    let mut bought = 0;
    let mut guard = shop.lock().unwrap();
    loop {
        guard
            .wait_for(|| loaves.get() > 0 || closed.is_set())
            .unwrap();
        if loaves.get() == 0 {
            return bought;
        }
        loaves.set(loaves.get() - 1);
        bought += 1;
    }
}

fn every_loaf_is_sold_once() {
    let (shop, closed) = (Condition::new().unwrap(), Event::new().unwrap());
    let loaves = RawValue::new(0).unwrap();
    let buyers: Vec<_> = (0..3)
        .map(|_| spawn(buys, (shop.clone(), loaves.clone(), closed.clone())).unwrap())
        .collect();
    for _ in 0..300 {
        let mut guard = shop.lock().unwrap();
        loaves.set(loaves.get() + 1);
        guard.notify_one();
    }
    let mut guard = shop.lock().unwrap();
    closed.set();
    guard.notify_all();
    drop(guard);
    let sold: u32 = buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum();
    assert_eq!(sold, 300);
}

fn waits_and_counts(condition: Condition, waiting: RawValue<u32>, woken: RawValue<u32>) {
    waits_in_turn(condition, waiting, woken);
}

fn a_notification_for_a_dead_process_goes_to_the_next() {
    let condition = Condition::new().unwrap();
    for _ in 0..5 {
        let (waiting, woken) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
        let mut children = Vec::new();
        for before in 1..=2 {
            let args = (condition.clone(), waiting.clone(), woken.clone());
            children.push(spawn(waits_and_counts, args).unwrap());
            story::until("it waits", || waiting.get() == before);
        }
        // Under the lock, so that the first surely waits.
        let mut guard = condition.lock().unwrap();
        proc::send(children[0].pid(), Signal::STOP);
        guard.notify_one();
        drop(guard);
        // The notification is for the first, which cannot take it; no other gets it while the first lives.
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(woken.get(), 0);
        proc::kill(children[0].pid());
        let second = children.pop().unwrap();
        second.join().unwrap();
        assert_eq!(woken.get(), 1);
        children.pop().unwrap().join().unwrap_err();
    }
}

fn processes_that_died_waiting_get_no_notification() {
    let condition = Condition::new().unwrap();
    let (waiting, woken) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
    let mut children = Vec::new();
    for before in 1..=3 {
        let args = (condition.clone(), waiting.clone(), woken.clone());
        children.push(spawn(waits_and_counts, args).unwrap());
        story::until("it waits", || waiting.get() == before);
    }
    // They sleep once the lock can be had.
    drop(condition.lock().unwrap());
    let living = children.pop().unwrap();
    for child in children {
        proc::kill(child.pid());
        child.join().unwrap_err();
    }
    condition.lock().unwrap().notify_one();
    living.join().unwrap();
    assert_eq!(woken.get(), 1);
}

fn holds(condition: Condition, held: Event) {
    let _guard = condition.lock().unwrap();
    held.set();
    story::a_minute();
}

fn a_killed_holder_frees_the_lock_and_is_reported() {
    let (condition, held) = (Condition::new().unwrap(), Event::new().unwrap());
    let child = spawn(holds, (condition.clone(), held.clone())).unwrap();
    held.wait();
    proc::kill(child.pid());
    let mut guard = condition.lock().unwrap();
    assert!(guard.holder_died());
    assert_eq!(guard.dead_holder(), Some(child.pid()));
    guard.clear_death();
    assert!(guard.wait_timeout(Duration::ZERO).unwrap_err().is_timeout());
    assert!(!guard.holder_died());
    child.join().unwrap_err();
}

fn waits_and_notifies(condition: Condition, started: Event) {
    started.set();
    loop {
        let mut guard = condition.lock().unwrap();
        guard.notify_one();
        guard.wait_timeout(Duration::from_micros(50)).unwrap();
        guard.notify_all();
    }
}

fn processes_killed_at_any_instant_block_no_other() {
    let condition = Condition::new().unwrap();
    for round in 0..15 {
        let children: Vec<_> = (0..3)
            .map(|_| {
                let started = Event::new().unwrap();
                let args = (condition.clone(), started.clone());
                let child = spawn(waits_and_notifies, args).unwrap();
                started.wait();
                child
            })
            .collect();
        std::thread::sleep(Duration::from_micros(43 * round));
        for child in &children {
            proc::kill(child.pid());
        }
        // The living still wake each other, at once or a moment later.
        let ready = RawValue::new(0).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut guard = condition.lock().unwrap();
                ready.set(1);
                guard.wait_timeout(story::LIMIT)
            });
            story::until("it waits", || ready.get() == 1);
            condition.lock().unwrap().notify_one();
            waiting.join().unwrap().unwrap();
        });
        for child in children {
            child.join().unwrap_err();
        }
    }
}

/// Nanoseconds for which this thread has had a processor.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Waits for a second; returns the nanoseconds of processor time that it took.
fn waits_for_nothing(condition: Condition) -> u64 {
    let before = processor_time();
    let mut guard = condition.lock().unwrap();
    assert!(
        guard
            .wait_timeout(Duration::from_secs(1))
            .unwrap_err()
            .is_timeout()
    );
    processor_time() - before
}

fn waiting_takes_no_processor_time() {
    let child = spawn(waits_for_nothing, (Condition::new().unwrap(),)).unwrap();
    let nanoseconds = child.join().unwrap();
    // The portable version polls five hundred times.
    assert!(nanoseconds < 50_000_000, "{nanoseconds} ns of 1 s");
}
