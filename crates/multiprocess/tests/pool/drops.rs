//! Values that a pool discards, and values whose `Drop` uses the pool.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use multiprocess::{Event, Lock, Pool, Queue, RegisteredTask, init, task};
use serde::{Deserialize, Serialize};

use story::left::{is_in_use, slots};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            values_are_discarded,
            what_is_dropped_uses_the_pool,
            what_sets_up_uses_the_pool,
        ],
        story::named![
            what_a_pool_discards_is_freed_and_not_read,
            a_pool_can_be_used_by_what_it_drops,
            a_pool_can_be_used_by_what_sets_its_workers_up,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(makes),
        task(takes),
        task(takes_queue),
        task(waits),
        task(set_up),
    ]
}

/// Only the process of the pool has it.
static POOL: OnceLock<Pool> = OnceLock::new();
/// How many values that process has dropped.
static DROPPED: AtomicU32 = AtomicU32::new(0);

fn dropped() -> u32 {
    DROPPED.load(Ordering::SeqCst)
}

fn doubler(number: i64) -> i64 {
    2 * number
}

/// Uses the pool when it is dropped.
#[derive(Serialize, Deserialize)]
struct Caller(Lock);

impl Caller {
    fn new() -> Caller {
        Caller(Lock::new().unwrap())
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(pool) = POOL.get() {
            // It may have ended by then, but it responds.
            let _ = pool.apply(doubler, (2,));
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn makes(begun: Event, gate: Event) -> Caller {
    begun.set();
    gate.wait();
    Caller::new()
}

fn takes(_: Caller) {}

fn takes_queue(_: Queue<Caller>) {}

fn waits(gate: Event) {
    gate.wait();
}

/// A queue with a value in it, and the names of their memory.
struct Discarded(Queue<Caller>, [String; 2]);

/// Makes some while there is no pool yet.
fn discarded() -> Discarded {
    assert!(POOL.get().is_none());
    let (queue, value) = (Queue::new().unwrap(), Caller::new());
    let names = [story::memory_name(&queue), story::memory_name(&value.0)];
    assert!(names.iter().all(|name| is_in_use(name)), "{names:?}");
    assert!(queue.put(value).is_ok());
    Discarded(queue, names)
}

fn are_freed(names: &[String]) {
    story::until("they are freed", || {
        !names.iter().any(|name| is_in_use(name))
    });
}

fn values_are_discarded() {
    init(tasks());
    let [finished, late, last] = [discarded(), discarded(), discarded()];
    let pool = POOL.get_or_init(|| Pool::new(1).unwrap());
    pool.apply(doubler, (1,)).unwrap();
    // A result that is not waited for.
    let slots_before = slots(std::process::id()).len();
    let (begun, gate) = (Event::new().unwrap(), Event::new().unwrap());
    let args = (begun.clone(), gate.clone());
    let unwanted = pool.apply_async(makes, args).unwrap();
    begun.wait();
    drop(unwanted);
    gate.set();
    drop((begun, gate));
    pool.apply(doubler, (1,)).unwrap();
    story::until("the result is freed", || {
        slots(std::process::id()).len() == slots_before
    });
    // An input that a worker has finished.
    pool.apply(takes_queue, (finished.0,)).unwrap();
    are_freed(&finished.1);
    // One that is dropped before a worker gets it: more inputs than are sent ahead come before it.
    let gate = Event::new().unwrap();
    let busy = pool.apply_async(waits, (gate.clone(),)).unwrap();
    let ahead = pool.chunk_size(1).map_async(doubler, 0..100).unwrap();
    drop(pool.apply_async(takes_queue, (late.0,)).unwrap());
    gate.set();
    are_freed(&late.1);
    busy.get().unwrap();
    assert_eq!(ahead.get().unwrap()[99], 198);
    // And one that waits at the end of the pool.
    let gate = Event::new().unwrap();
    let _busy = pool.apply_async(waits, (gate,)).unwrap();
    let _ahead = pool.chunk_size(1).map_async(doubler, 0..100).unwrap();
    let _late = pool.apply_async(takes_queue, (last.0,)).unwrap();
    pool.terminate();
    are_freed(&last.1);
    // No value was read only to drop it, so no `Drop` ran that the pool could wait for.
    assert_eq!(dropped(), 0);
}

fn what_a_pool_discards_is_freed_and_not_read() {
    Scene::new("values_are_discarded").succeed();
}

fn what_is_dropped_uses_the_pool() {
    init(tasks());
    let pool = POOL.get_or_init(|| Pool::new(1).unwrap());
    let were_dropped = |values| {
        story::until("the values are dropped", || dropped() == values);
    };
    // Inputs.
    pool.apply(takes, (Caller::new(),)).unwrap();
    were_dropped(1);
    pool.map(takes, (0..3).map(|_| Caller::new())).unwrap();
    were_dropped(4);
    let results = pool.imap(takes, (0..3).map(|_| Caller::new())).unwrap();
    assert!(results.into_iter().all(|result| result.is_ok()));
    were_dropped(7);
    let gate = Event::new().unwrap();
    let busy = pool.apply_async(waits, (gate.clone(),)).unwrap();
    gate.set();
    drop(pool.apply_async(takes, (Caller::new(),)).unwrap());
    were_dropped(8);
    busy.get().unwrap();
    // Results.
    let (begun, gate) = (Event::new().unwrap(), Event::new().unwrap());
    gate.set();
    drop(pool.apply(makes, (begun, gate)).unwrap());
    were_dropped(9);
    // An input that comes too late.
    pool.terminate();
    assert!(pool.apply(takes, (Caller::new(),)).is_err());
    were_dropped(10);
}

fn a_pool_can_be_used_by_what_it_drops() {
    Scene::new("what_is_dropped_uses_the_pool").succeed();
}

#[derive(Serialize, Deserialize)]
struct Asker(Lock);

impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(pool) = POOL.get() {
            let _ = pool.worker_pids();
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn set_up(_: Asker) {}

fn what_sets_up_uses_the_pool() {
    init(tasks());
    let builder = Pool::builder().workers(1);
    let lock = Lock::new().unwrap();
    let name = story::memory_name(&lock);
    let builder = builder.initializer(set_up, (Asker(lock),));
    let pool = POOL.get_or_init(|| builder.unwrap().build().unwrap());
    assert!(is_in_use(&name), "later workers get it");
    story::proc::kill(pool.worker_pids()[0]);
    // The next worker reads the same arguments: the pool needs no value.
    assert_eq!(pool.apply(doubler, (2,)).unwrap(), 4);
    pool.terminate();
    assert_eq!(dropped(), 0);
}

fn a_pool_can_be_used_by_what_sets_its_workers_up() {
    Scene::new("what_sets_up_uses_the_pool").succeed();
}
