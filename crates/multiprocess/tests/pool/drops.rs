//! Values whose `Drop` uses the pool that drops them.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use multiprocess::{Event, Lock, Pool, Queue, RegisteredTask, init, task};
use serde::{Deserialize, Serialize};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![what_is_dropped_uses_the_pool, what_sets_up_uses_the_pool],
        story::named![
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
        task(waits),
        task(set_up),
    ]
}

/// Only the process of the pool has it.
static POOL: OnceLock<Pool> = OnceLock::new();
/// Whether the values use the pool by now.
static ARMED: AtomicBool = AtomicBool::new(false);
static DROPPED: AtomicU32 = AtomicU32::new(0);

fn were_dropped(values: u32) {
    story::until("the values are dropped", || {
        DROPPED.load(Ordering::SeqCst) >= values
    });
}

fn doubler(number: i64) -> i64 {
    2 * number
}

/// With the handle in it, it is read even where the result is not wanted.
#[derive(Serialize, Deserialize)]
struct Caller(Lock);

impl Drop for Caller {
    fn drop(&mut self) {
        if ARMED.load(Ordering::SeqCst) {
            // It may have ended by then, but it responds.
            let _ = POOL.get().unwrap().apply(doubler, (2,));
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn makes(begun: Event, gate: Event) -> Caller {
    begun.set();
    gate.wait();
    Caller(Lock::new().unwrap())
}

fn takes(_: Queue<Caller>) {}

fn waits(gate: Event) {
    gate.wait();
}

/// With its last handle the value in it is dropped.
fn queue_of_one() -> Queue<Caller> {
    ARMED.store(false, Ordering::SeqCst);
    let queue = Queue::new().unwrap();
    assert!(queue.put(Caller(Lock::new().unwrap())).is_ok());
    ARMED.store(true, Ordering::SeqCst);
    queue
}

fn what_is_dropped_uses_the_pool() {
    init(tasks());
    let pool = POOL.get_or_init(|| Pool::new(1).unwrap());
    // A result that is not waited for.
    let (begun, gate) = (Event::new().unwrap(), Event::new().unwrap());
    let args = (begun.clone(), gate.clone());
    let unwanted = pool.apply_async(makes, args).unwrap();
    begun.wait();
    drop(unwanted);
    ARMED.store(true, Ordering::SeqCst);
    gate.set();
    were_dropped(1);
    // An input that a worker has finished.
    pool.apply(takes, (queue_of_one(),)).unwrap();
    were_dropped(2);
    // One that is dropped before a worker gets it: more inputs than are sent ahead come before it.
    let gate = Event::new().unwrap();
    let busy = pool.apply_async(waits, (gate.clone(),)).unwrap();
    let ahead = pool.chunk_size(1).map_async(doubler, 0..100).unwrap();
    drop(pool.apply_async(takes, (queue_of_one(),)).unwrap());
    gate.set();
    were_dropped(3);
    busy.get().unwrap();
    assert_eq!(ahead.get().unwrap()[99], 198);
    // And one that waits at the end of the pool.
    let gate = Event::new().unwrap();
    let _busy = pool.apply_async(waits, (gate,)).unwrap();
    let _ahead = pool.chunk_size(1).map_async(doubler, 0..100).unwrap();
    let _late = pool.apply_async(takes, (queue_of_one(),)).unwrap();
    pool.terminate();
    were_dropped(4);
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
    let builder = builder.initializer(set_up, (Asker(Lock::new().unwrap()),));
    let pool = POOL.get_or_init(|| builder.unwrap().build().unwrap());
    story::proc::kill(pool.worker_pids()[0]);
    were_dropped(1);
    assert_eq!(pool.apply(doubler, (2,)).unwrap(), 4);
}

fn a_pool_can_be_used_by_what_sets_its_workers_up() {
    Scene::new("what_sets_up_uses_the_pool").succeed();
}
