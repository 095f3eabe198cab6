//! Handles travel to the workers of a pool and back, and are freed if they do not arrive.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use multiprocess::{
    Array, Error, Event, Lock, Pool, Queue, RawArray, Receiver, RegisteredTask, Sender, Value,
    channel, init, task,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            inputs_are_lost_with_their_worker,
            inputs_wait_when_the_pool_is_terminated,
            results_are_not_read,
            inputs_are_unsendable_half_way,
            results_are_unsendable_half_way,
            inputs_are_unreadable_half_way,
            a_sender_is_lost_with_its_worker,
            workers_are_set_up_with_handles,
        ],
        story::named![
            handles_in_inputs_mean_the_same_thing,
            handles_in_results_mean_the_same_thing,
            inputs_lost_with_their_worker_leave_nothing,
            inputs_of_a_terminated_pool_leave_nothing,
            unread_results_leave_nothing,
            inputs_that_cannot_be_sent_leave_nothing,
            handles_in_results_that_cannot_be_sent_are_freed,
            handles_in_inputs_that_cannot_be_read_are_freed,
            a_worker_that_drops_a_receiver_is_not_sent_to,
            a_channel_ends_when_its_sender_is_lost_with_a_worker,
            handles_for_setting_up_leave_nothing,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(uses_all),
        task(makes_all),
        task(perhaps_exits),
        task(makes_an_array),
        task(hands_back),
        task(takes_brittle),
        task(drops_and_waits),
        task(sends_or_exits),
        task(set_up),
        task(adds),
        task(naps),
    ]
}

type All = (Queue<u32>, Value<u64>, Lock, Array<u64>, Sender<u32>);

fn uses_all(number: u32, (queue, value, lock, array, sender): All) {
    queue.put(number).unwrap();
    *value.lock().unwrap() += u64::from(number);
    let _guard = lock.lock().unwrap();
    // Under the one lock, so that the other need not guard it.
    let place = number as usize % array.len();
    array.lock().unwrap()[place] += 1;
    sender.send(number).unwrap();
}

fn handles_in_inputs_mean_the_same_thing() {
    let pool = Pool::new(2).unwrap();
    let (sender, receiver) = channel().unwrap();
    let all: All = (
        Queue::new().unwrap(),
        Value::new(0).unwrap(),
        Lock::new().unwrap(),
        Array::new(10).unwrap(),
        sender,
    );
    for chunk in [1, 20] {
        let inputs = (0..100).map(|number| (number, all.clone()));
        pool.chunk_size(chunk).starmap(uses_all, inputs).unwrap();
    }
    let (queue, value, _, array, sender) = all;
    assert_eq!(queue.len(), 200);
    assert_eq!(value.get().unwrap(), 2 * 4950);
    assert_eq!(array.to_vec().unwrap(), [20; 10]);
    drop(sender);
    let mut arrived: Vec<u32> = receiver.iter().map(Result::unwrap).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, (0..200).map(|it| it / 2).collect::<Vec<u32>>());
}

type Made = (Queue<u32>, Value<u32>, Array<u32>, Receiver<u32>);

fn makes_all(number: u32) -> Made {
    let (sender, receiver) = channel().unwrap();
    let queue = Queue::new().unwrap();
    queue.put(number).unwrap();
    sender.send(number).unwrap();
    (
        queue,
        Value::new(number).unwrap(),
        Array::from_slice(&[number; 3]).unwrap(),
        receiver,
    )
}

fn handles_in_results_mean_the_same_thing() {
    let pool = Pool::new(2).unwrap();
    for chunk in [1, 5] {
        let made = pool.chunk_size(chunk).map(makes_all, 0..20).unwrap();
        for (number, (queue, value, array, receiver)) in (0..20).zip(made) {
            assert_eq!(queue.get().unwrap(), number);
            assert_eq!(value.get().unwrap(), number);
            assert_eq!(array.to_vec().unwrap(), [number; 3]);
            assert_eq!(receiver.recv().unwrap(), number);
            assert!(receiver.recv().unwrap_err().is_closed());
        }
    }
}

/// Shared memory of this run.
fn shared() -> Vec<String> {
    story::left::slots(std::process::id())
}

fn nothing_is_left() {
    story::until("the memory is freed", || shared().is_empty());
}

fn perhaps_exits((exits, array): (bool, Array<u32>)) -> usize {
    if exits {
        std::process::exit(1);
    }
    array.len()
}

fn naps(_: Array<u32>) {
    std::thread::sleep(story::LIMIT);
}

fn inputs_are_lost_with_their_worker() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    for fatal in [0, 2, 5] {
        let inputs = (0..6).map(|number| (number == fatal, Array::new(8).unwrap()));
        let each = pool.chunk_size(3).map_each(perhaps_exits, inputs).unwrap();
        assert!(each.iter().any(Result::is_err) && each.iter().any(Result::is_ok));
    }
    drop(pool);
    nothing_is_left();
}

fn inputs_lost_with_their_worker_leave_nothing() {
    Scene::new("inputs_are_lost_with_their_worker").succeed();
}

fn inputs_wait_when_the_pool_is_terminated() {
    init(tasks());
    for chunk in [1, 7] {
        let pool = Pool::new(2).unwrap();
        let arrays = (0..50).map(|_| Array::new(8).unwrap());
        let later = pool.chunk_size(chunk).map_async(naps, arrays).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        pool.terminate();
        assert!(later.get().is_err());
        drop(pool);
        nothing_is_left();
    }
}

fn inputs_of_a_terminated_pool_leave_nothing() {
    Scene::new("inputs_wait_when_the_pool_is_terminated").succeed();
}

fn makes_an_array(length: usize) -> Array<u32> {
    Array::new(length).unwrap()
}

fn results_are_not_read() {
    init(tasks());
    let pool = Pool::new(2).unwrap();
    // Dropped before, and after, the results arrive.
    drop(pool.map_async(makes_an_array, 1..20_usize).unwrap());
    let mut later = pool.map_async(makes_an_array, 1..20_usize).unwrap();
    later.wait_timeout(story::LIMIT / 2).unwrap();
    drop(later);
    let mut some = pool.imap(makes_an_array, 1..).unwrap();
    assert_eq!(some.next().unwrap().unwrap().len(), 1);
    drop(some);
    // And when they arrive before the pool is gone.
    let mut there = pool.map_async(makes_an_array, 1..20_usize).unwrap();
    there.wait_timeout(story::LIMIT / 2).unwrap();
    let mut some = pool.imap_unordered(makes_an_array, 1..).unwrap();
    assert!(some.next().unwrap().is_ok());
    drop(some);
    pool.join();
    assert!(!shared().is_empty());
    drop(there);
    nothing_is_left();
}

fn unread_results_leave_nothing() {
    Scene::new("results_are_not_read").succeed();
}

fn inputs_are_unsendable_half_way() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    let arrays = (0..10).map(|number| {
        assert!(number != 5, "no more arrays");
        Array::new(8).unwrap()
    });
    let maps = std::panic::AssertUnwindSafe(|| pool.chunk_size(7).map_async(naps, arrays));
    assert!(std::panic::catch_unwind(maps).is_err());
    let arrays = (0..10).map(|number| {
        assert!(number != 5, "no more arrays");
        (false, Array::new(8).unwrap())
    });
    let maps = std::panic::AssertUnwindSafe(|| pool.chunk_size(7).map(perhaps_exits, arrays));
    assert!(std::panic::catch_unwind(maps).is_err());
    let lengths = pool.map(perhaps_exits, [(false, Array::new(8).unwrap())]);
    assert_eq!(lengths.unwrap(), [8]);
    drop(pool);
    nothing_is_left();
}

fn inputs_that_cannot_be_sent_leave_nothing() {
    Scene::new("inputs_are_unsendable_half_way").succeed();
}

/// A value that fails in flight, at the step with its number.
struct Brittle(u8);

const WHOLE: u8 = 0;
const WRITING_FAILS: u8 = 1;
const WRITING_PANICS: u8 = 2;
const READING_FAILS: u8 = 3;
const READING_PANICS: u8 = 4;
const READING_KILLS: u8 = 5;

impl Serialize for Brittle {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        assert!(self.0 != WRITING_PANICS, "it cannot be written");
        if self.0 == WRITING_FAILS {
            return Err(serde::ser::Error::custom("it cannot be written"));
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Brittle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Brittle, D::Error> {
        let number = u8::deserialize(deserializer)?;
        assert!(number != READING_PANICS, "it cannot be read");
        if number == READING_KILLS {
            std::process::abort();
        }
        if number == READING_FAILS {
            return Err(serde::de::Error::custom("it cannot be read"));
        }
        Ok(Brittle(number))
    }
}

type Handles = (Sender<u32>, Queue<u32>);

fn hands_back((breaks, handles): (u8, Handles)) -> (Handles, Brittle) {
    (handles, Brittle(breaks))
}

fn results_are_unsendable_half_way() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    for breaks in [WRITING_FAILS, WRITING_PANICS] {
        let (sender, receiver) = channel().unwrap();
        let inputs =
            [WHOLE, breaks, WHOLE].map(|breaks| (breaks, (sender.clone(), Queue::new().unwrap())));
        drop(sender);
        let each = pool.chunk_size(3).map_each(hands_back, inputs).unwrap();
        let arrived: Vec<bool> = each.iter().map(Result::is_ok).collect();
        assert_eq!(arrived, [true, false, true]);
        let timeout = receiver.recv_timeout(Duration::ZERO);
        assert!(matches!(timeout, Err(Error::Timeout { .. })), "{timeout:?}");
        drop(each);
        assert!(
            receiver
                .recv_timeout(story::LIMIT / 2)
                .unwrap_err()
                .is_closed()
        );
    }
    // A worker that is terminated may just have sent handles, and not committed them yet.
    pool.join();
    nothing_is_left();
}

fn handles_in_results_that_cannot_be_sent_are_freed() {
    Scene::new("results_are_unsendable_half_way").succeed();
}

fn takes_brittle(_: (Vec<Handles>, Brittle, Vec<Handles>)) {}

fn inputs_are_unreadable_half_way() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    for breaks in [READING_FAILS, READING_PANICS, READING_KILLS] {
        for next in [WHOLE, READING_KILLS] {
            // How many handles are opened before it breaks, and how many never are.
            for (before, behind) in [(0, 1), (1, 0), (1, 1), (2, 3)] {
                for first in [0, 1] {
                    inputs_break(&pool, first, [breaks, next], before, behind);
                }
            }
        }
    }
    pool.join();
    nothing_is_left();
}

/// The first input has handles, or none.
fn inputs_break(pool: &Pool, first: usize, [breaks, next]: [u8; 2], before: usize, behind: usize) {
    let (sender, receiver) = channel().unwrap();
    // Another sender is in flight all the time.
    let waiting = Queue::new().unwrap();
    waiting.put(sender.clone()).unwrap();
    let handles = |count| -> Vec<Handles> {
        (0..count)
            .map(|_| (sender.clone(), Queue::new().unwrap()))
            .collect()
    };
    let sent = [(first, WHOLE), (1, breaks), (1, next), (1, WHOLE)].map(|(times, breaks)| {
        (
            handles(times * before),
            Brittle(breaks),
            handles(times * behind),
        )
    });
    drop(sender);
    let each = pool.chunk_size(4).map_each(takes_brittle, sent).unwrap();
    let done: Vec<bool> = each.iter().map(Result::is_ok).collect();
    // No other result is lost with the worker: an input with handles is alone in its batch.
    assert_eq!(done, [true, false, next == WHOLE, true]);
    // What was opened is not counted twice: the one in the queue still exists.
    let early = receiver.recv_timeout(Duration::from_millis(20));
    assert!(matches!(early, Err(Error::Timeout { .. })), "{early:?}");
    waiting.get().unwrap().send(7).unwrap();
    assert_eq!(receiver.recv_timeout(story::LIMIT / 2).unwrap(), 7);
    assert!(
        receiver
            .recv_timeout(story::LIMIT / 2)
            .unwrap_err()
            .is_closed()
    );
}

fn handles_in_inputs_that_cannot_be_read_are_freed() {
    Scene::new("inputs_are_unreadable_half_way").succeed();
}

fn drops_and_waits(receiver: Receiver<u32>, dropped: Event, gate: Event) {
    drop(receiver);
    dropped.set();
    gate.wait();
}

fn a_worker_that_drops_a_receiver_is_not_sent_to() {
    let pool = Pool::new(1).unwrap();
    let (sender, receiver) = channel().unwrap();
    let (dropped, gate) = (Event::new().unwrap(), Event::new().unwrap());
    let args = (receiver, dropped.clone(), gate.clone());
    let call = pool.apply_async(drops_and_waits, args).unwrap();
    dropped.wait();
    assert!(sender.send(1).unwrap_err().is_closed());
    gate.set();
    call.get().unwrap();
}

fn sends_or_exits((exits, sender): (bool, Sender<u32>)) {
    if exits {
        std::process::exit(1);
    }
    sender.send(1).unwrap();
}

fn a_sender_is_lost_with_its_worker() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    let (sender, receiver) = channel().unwrap();
    let inputs: Vec<_> = (0..4).map(|number| (number == 1, sender.clone())).collect();
    drop(sender);
    let each = pool.chunk_size(4).map_each(sends_or_exits, inputs).unwrap();
    assert_eq!(each.iter().filter(|it| it.is_ok()).count(), 3);
    // The first was not lost with the worker, as it would be in one batch with the second.
    for _ in 0..3 {
        assert_eq!(receiver.recv_timeout(story::LIMIT / 2).unwrap(), 1);
    }
    assert!(
        receiver
            .recv_timeout(story::LIMIT / 2)
            .unwrap_err()
            .is_closed()
    );
    drop(receiver);

    // A terminated pool does not send it at all.
    let (sender, receiver) = channel::<u32>().unwrap();
    let busy = pool.apply_async(naps, (Array::new(1).unwrap(),)).unwrap();
    let later = pool
        .apply_async(sends_or_exits, ((false, sender),))
        .unwrap();
    pool.terminate();
    assert!(busy.get().is_err() && later.get().is_err());
    assert!(
        receiver
            .recv_timeout(story::LIMIT / 2)
            .unwrap_err()
            .is_closed()
    );
    drop((pool, receiver));
    nothing_is_left();
}

fn a_channel_ends_when_its_sender_is_lost_with_a_worker() {
    Scene::new("a_sender_is_lost_with_its_worker").succeed();
}

static SETTING: OnceLock<(Lock, Value<u64>, RawArray<u32>)> = OnceLock::new();

fn set_up(lock: Lock, value: Value<u64>, starts: RawArray<u32>) {
    starts.update(0, |starts| starts + 1);
    SETTING.set((lock, value, starts)).unwrap();
}

fn adds(number: u64) -> u32 {
    let (lock, value, starts) = SETTING.get().unwrap();
    let _guard = lock.lock().unwrap();
    *value.lock().unwrap() += number;
    starts.get(0)
}

fn workers_are_set_up_with_handles() {
    init(tasks());
    let value = Value::new(0).unwrap();
    let setting = (
        Lock::new().unwrap(),
        value.clone(),
        RawArray::new(1).unwrap(),
    );
    let pool = Pool::builder()
        .workers(2)
        .calls_per_worker(10)
        .initializer(set_up, setting)
        .unwrap()
        .build()
        .unwrap();
    let starts = pool.chunk_size(1).map(adds, 1..=100).unwrap();
    assert_eq!(value.get().unwrap(), 5050);
    assert!(starts.into_iter().max().unwrap() >= 9);
    for pid in pool.worker_pids() {
        story::proc::kill(pid);
    }
    assert!(pool.apply(adds, (1,)).is_ok() || pool.apply(adds, (1,)).is_ok());
    drop((pool, value));
    nothing_is_left();
    // Also if the pool is never created, or cannot be.
    let builder = Pool::builder().initializer(makes_an_array, (5,)).unwrap();
    drop(
        builder
            .initializer(naps, (Array::new(3).unwrap(),))
            .unwrap(),
    );
    nothing_is_left();
}

fn handles_for_setting_up_leave_nothing() {
    Scene::new("workers_are_set_up_with_handles").succeed();
}
