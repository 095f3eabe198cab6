//! Panics in code that the caller hands to the crate: iterators, closures, and the traits of values that travel. They
//! reach the caller, or fail the one input; nothing stays locked, nothing waits forever, and no handle is lost.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{
    Condition, Error, Pool, Queue, RawValue, Receiver, RegisteredTask, Sender, channel, init, pipe,
    spawn, task,
};
use serde::{Deserialize, Serialize, Serializer};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![answers_that_panic_are_dropped],
        story::named![
            imap_yields_the_results_before_a_panic_of_its_inputs_then_the_panic_then_the_end,
            imap_panics_at_once_when_the_first_input_does,
            a_pool_that_ends_before_a_panic_of_the_inputs_reports_both,
            inputs_read_before_a_panic_free_their_handles,
            a_panic_of_the_inputs_ends_only_its_own_call,
            a_panic_of_the_progress_report_ends_only_its_own_call,
            inputs_whose_drop_panics_end_only_their_own_call,
            results_whose_drop_panics_do_not_end_the_pool,
            answers_whose_drop_panics_do_not_block_waiting_for_others,
            a_value_that_panics_in_flight_frees_its_handles,
            a_predicate_that_panics_releases_the_lock,
            an_update_that_panics_changes_nothing,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(takes_fragile),
        task(takes_sender),
        task(takes_panicking),
        task(makes_fragile),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

/// Panics without a message on standard error.
fn panics() {
    resume_unwind(Box::new("a panic of the caller's own"));
}

/// What `work` panics with; it must panic.
fn panic_of(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("it panics");
    (*panic.downcast_ref::<&str>().expect("a message")).to_owned()
}

fn own_panic_of(work: impl FnOnce()) {
    assert_eq!(panic_of(work), "a panic of the caller's own");
}

/// Counts from 0, and panics after `count` numbers.
fn numbers_until(count: i64) -> impl Iterator<Item = i64> {
    (0..count + 1000).inspect(move |&number| {
        if number == count {
            panics();
        }
    })
}

fn works(pool: &Pool) {
    assert_eq!(pool.map(doubler, 0..100).unwrap()[99], 198);
}

fn imap_yields_the_results_before_a_panic_of_its_inputs_then_the_panic_then_the_end() {
    let pool = Pool::new(2).unwrap();
    for (count, chunk) in [
        (3, 1),
        (3, 2),
        (3, 100),
        (1000, 1),
        (1000, 7),
        (1000, 10_000),
    ] {
        let doubled: Vec<i64> = (0..count).map(doubler).collect();
        let ordered = pool.chunk_size(chunk).imap(doubler, numbers_until(count));
        let unordered = pool.chunk_size(chunk);
        let unordered = unordered.imap_unordered(doubler, numbers_until(count));
        for results in [ordered, unordered] {
            let mut results = results.unwrap();
            let mut before = Vec::new();
            own_panic_of(|| before.extend(results.by_ref().map(Result::unwrap)));
            before.sort_unstable();
            assert_eq!(before, doubled, "chunks of {chunk}");
            assert!(results.next().is_none());
            assert!(results.next().is_none());
            works(&pool);
        }
        // And in batches as the pool likes them.
        let mut results = pool.imap(doubler, numbers_until(count)).unwrap();
        for number in &doubled {
            assert_eq!(results.next().unwrap().unwrap(), *number);
        }
        own_panic_of(|| drop(results.next()));
        assert!(results.next().is_none());
    }
    // Nothing of it keeps the pool from its end.
    pool.join();
}

fn imap_panics_at_once_when_the_first_input_does() {
    let pool = Pool::new(1).unwrap();
    let mut own = pool.imap(doubler, numbers_until(0)).unwrap();
    own_panic_of(|| drop(own.next()));
    // One that is dropped before its panic keeps nothing either.
    let mut results = pool.chunk_size(10).imap(doubler, numbers_until(3)).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    drop(results);
    assert!(own.next().is_none());
    drop(own);
    works(&pool);
    pool.join();
}

fn a_pool_that_ends_before_a_panic_of_the_inputs_reports_both() {
    let pool = Pool::new(1).unwrap();
    let mut results = pool.chunk_size(10).imap(doubler, numbers_until(3)).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    pool.terminate();
    let mut rest = 0;
    own_panic_of(|| rest = results.by_ref().filter(Result::is_err).count());
    assert!(rest <= 1);
    assert!(results.next().is_none());
}

fn takes_sender(sender: Sender<u32>) -> bool {
    sender.is_empty()
}

fn ends(receiver: &Receiver<u32>) {
    let end = receiver.recv_timeout(story::LIMIT / 2);
    assert!(matches!(end, Err(Error::Closed { .. })), "{end:?}");
}

fn inputs_read_before_a_panic_free_their_handles() {
    let pool = Pool::new(2).unwrap();
    for chunk in [1, 3, 100] {
        let (sender, receiver) = channel::<u32>().unwrap();
        let senders = numbers_until(50).map(|_| sender.clone());
        own_panic_of(|| drop(pool.chunk_size(chunk).map(takes_sender, senders)));
        let senders = numbers_until(50).map(|_| sender.clone());
        let mut results = pool.chunk_size(chunk).imap(takes_sender, senders).unwrap();
        own_panic_of(|| assert!(results.by_ref().all(|empty| empty.unwrap())));
        drop(results);
        drop(sender);
        ends(&receiver);
    }
}

fn a_panic_of_the_inputs_ends_only_its_own_call() {
    let pool = Pool::new(2).unwrap();
    own_panic_of(|| drop(pool.map(doubler, numbers_until(1000))));
    own_panic_of(|| drop(pool.map_each(doubler, numbers_until(1000))));
    own_panic_of(|| drop(pool.map_async(doubler, numbers_until(1000))));
    own_panic_of(|| drop(pool.starmap(doubler, numbers_until(1000).map(|it| (it,)))));
    works(&pool);
    pool.join();
}

fn a_panic_of_the_progress_report_ends_only_its_own_call() {
    let pool = Pool::new(2).unwrap();
    own_panic_of(|| drop(pool.on_progress(|_| panics()).map(doubler, 0..1000)));
    works(&pool);
    pool.join();
}

/// Panics when it is dropped by the main process. It holds a handle, so that the crate drops it.
#[derive(Serialize, Deserialize)]
struct Fragile(Sender<u32>);

impl Drop for Fragile {
    fn drop(&mut self) {
        if multiprocess::parent().is_none() && !std::thread::panicking() {
            panics();
        }
    }
}

fn takes_fragile(fragile: Fragile) -> bool {
    fragile.0.is_empty()
}

fn inputs_whose_drop_panics_end_only_their_own_call() {
    let pool = Pool::new(2).unwrap();
    let (sender, receiver) = channel().unwrap();
    let inputs = || (0..3).map(|_| Fragile(sender.clone()));
    own_panic_of(|| drop(pool.map(takes_fragile, inputs())));
    own_panic_of(|| drop(pool.map_async(takes_fragile, inputs().take(1))));
    own_panic_of(|| drop(pool.apply_async(takes_fragile, (Fragile(sender.clone()),))));
    let mut results = pool.imap(takes_fragile, inputs()).unwrap();
    assert!(results.next().unwrap().unwrap());
    own_panic_of(|| drop(results.next()));
    assert!(results.next().is_none());
    works(&pool);
    drop(results);
    drop(sender);
    ends(&receiver);
    pool.join();
}

fn makes_fragile(sender: Sender<u32>, receiver: Receiver<u32>) -> Fragile {
    // Until the caller is gone.
    let _ = receiver.recv();
    Fragile(sender)
}

fn results_whose_drop_panics_do_not_end_the_pool() {
    let pool = Pool::new(1).unwrap();
    let (sender, receiver) = channel().unwrap();
    let (go, wait_for_it) = channel().unwrap();
    let result = pool
        .apply_async(makes_fragile, (sender, wait_for_it))
        .unwrap();
    // It arrives after the caller stopped waiting, and the pool drops it.
    std::thread::sleep(Duration::from_millis(50));
    drop(result);
    drop(go);
    ends(&receiver);
    works(&pool);
    pool.join();
}

/// A scene of its own: each program has one thread that waits for the children without a join.
fn answers_that_panic_are_dropped() {
    init(tasks());
    for _ in 0..2 {
        let (sender, receiver) = channel().unwrap();
        let (go, wait_for_it) = channel().unwrap();
        drop(spawn(makes_fragile, (sender, wait_for_it)).unwrap());
        drop(go);
        ends(&receiver);
        story::until("the child is waited for", || proc::children().is_empty());
    }
}

fn answers_whose_drop_panics_do_not_block_waiting_for_others() {
    Scene::new("answers_that_panic_are_dropped").succeed();
}

/// Panics when it is serialised.
#[derive(Deserialize)]
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panics();
        unreachable!()
    }
}

fn takes_panicking(_: Sender<u32>, _: Panicking) {}

fn a_value_that_panics_in_flight_frees_its_handles() {
    let (sender, receiver) = channel::<u32>().unwrap();
    let value = || (sender.clone(), Panicking);

    let queue = Queue::bounded(1).unwrap();
    let (messages, arriving) = channel().unwrap();
    let (near, far) = pipe::<(Sender<u32>, Option<Panicking>), ()>().unwrap();
    // At the first message, and at a later one.
    for _ in 0..2 {
        let some = || (sender.clone(), Some(Panicking));
        own_panic_of(|| drop(queue.put(some())));
        own_panic_of(|| drop(messages.send(some())));
        own_panic_of(|| drop(near.send(some())));
        let none = || (sender.clone(), None);
        queue.put(none()).unwrap();
        messages.send(none()).unwrap();
        near.send(none()).unwrap();
        assert!(queue.get().unwrap().1.is_none());
        assert!(arriving.recv().unwrap().1.is_none());
        assert!(far.recv().unwrap().1.is_none());
    }

    own_panic_of(|| drop(spawn(takes_panicking, value())));
    let builder = Pool::builder().initializer(takes_panicking, value());
    let error = builder.unwrap_err();
    assert!(matches!(error, Error::Encode { .. }), "{error}");
    let pool = Pool::new(1).unwrap();
    let error = pool.apply(takes_panicking, value()).unwrap_err();
    assert!(error.to_string().contains("caller's own"), "{error}");
    works(&pool);

    drop(sender);
    ends(&receiver);
}

fn a_predicate_that_panics_releases_the_lock() {
    let condition = Condition::new().unwrap();
    own_panic_of(|| {
        let mut held = condition.lock().unwrap();
        let _ = held.wait_for(|| {
            panics();
            true
        });
    });
    assert!(condition.try_lock().is_ok());
}

fn an_update_that_panics_changes_nothing() {
    let number = RawValue::new(5_i64).unwrap();
    own_panic_of(|| {
        number.update(|_| {
            panics();
            0
        });
    });
    assert_eq!(number.update(|it| it + 1), 5);
    assert_eq!(number.get(), 6);
}
