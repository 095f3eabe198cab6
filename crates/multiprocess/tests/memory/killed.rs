//! The memory of killed processes is free again soon, while the other processes of their program continue.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::path::PathBuf;
use std::process::ExitCode;

use multiprocess::{
    Array, Builder, Pool, Queue, RegisteredTask, Semaphore, Value, init, spawn, task,
};

use rustix::process::Signal;

use story::left::{self, files};
use story::proc::{self, Known};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            has_workers_killed,
            has_workers_killed_and_memory_of_its_own,
            kills_without_asking,
            lets_a_child_exit,
            has_a_tree_killed,
            keeps_handles_in_flight,
            has_a_parent_killed,
            is_killed_before_its_child,
            has_orphans_killed,
            spawns_while_it_returns,
        ],
        story::named![
            the_memory_of_killed_children_is_freed_while_the_program_runs,
            the_memory_of_killed_children_is_freed_while_the_run_continues,
            the_memory_of_a_killed_child_is_freed_without_a_join,
            the_memory_of_a_child_that_exits_is_freed,
            the_memory_of_a_whole_killed_tree_is_freed,
            a_handle_in_flight_outlives_its_killed_maker,
            a_handle_in_the_arguments_of_a_child_outlives_its_killed_parent,
            the_memory_of_a_killed_main_process_is_freed_while_its_child_runs,
            the_memory_of_killed_orphans_is_freed,
            a_main_that_returns_while_a_thread_spawns_leaves_nothing,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(makes_and_is_killed),
        task(makes_and_waits),
        task(makes_and_exits),
        task(has_all_kinds),
        task(sends_and_is_killed),
        task(starts_one),
        task(reads_its_argument),
        task(outlives),
        task(starts_two),
        task(works),
        task(nothing),
    ]
}

const MIB: usize = 1 << 20;

/// Something that is never dropped.
fn forget<T>(value: T) {
    std::mem::forget(value);
}

fn die() {
    proc::kill(std::process::id());
    story::a_minute();
}

fn makes_and_is_killed() {
    forget(Array::<u8>::new(MIB).unwrap());
    die();
}

/// Plays a scene, which must leave nothing behind.
fn leaves_nothing(scene: &str) {
    let played = Scene::new(scene).play();
    assert!(played.status.success(), "{played:#?}");
    assert_eq!(files(played.pid), Vec::<PathBuf>::new());
}

/// The slots in use in the run that this process has begun.
fn slots() -> usize {
    left::slots(std::process::id()).len()
}

fn has_workers_killed() {
    init(tasks());
    // Each begins a run of its own.
    let mut children = Vec::new();
    for _ in 0..20 {
        let child = spawn(makes_and_is_killed, ()).unwrap();
        children.push(child.pid());
        assert!(child.join().is_err());
    }
    story::until("nothing is left", || {
        children.iter().all(|&child| files(child).is_empty())
    });
}

fn the_memory_of_killed_children_is_freed_while_the_program_runs() {
    leaves_nothing("has_workers_killed");
}

fn has_workers_killed_and_memory_of_its_own() {
    init(tasks());
    let value = Value::new(7).unwrap();
    for _ in 0..20 {
        let child = spawn(makes_and_is_killed, ()).unwrap();
        assert!(child.join().is_err());
    }
    story::until("one slot is left", || slots() == 1);
    // It is checked again, and stays.
    assert!(spawn(makes_and_is_killed, ()).unwrap().join().is_err());
    story::until("one slot is left", || slots() == 1);
    assert_eq!(value.get().unwrap(), 7);
}

fn the_memory_of_killed_children_is_freed_while_the_run_continues() {
    leaves_nothing("has_workers_killed_and_memory_of_its_own");
}

fn makes_and_waits(made: Value<u32>) {
    forget(Array::<u8>::new(MIB).unwrap());
    *made.lock().unwrap() += 1;
    story::a_minute();
}

fn kills_without_asking() {
    init(tasks());
    let made = Value::new(0).unwrap();
    let child = spawn(makes_and_waits, (made.clone(),)).unwrap();
    story::until("it is made", || made.get().unwrap() == 1);
    assert_eq!(slots(), 2);
    child.kill().unwrap();
    story::until("one slot is left", || slots() == 1);
    drop(child);
}

fn the_memory_of_a_killed_child_is_freed_without_a_join() {
    leaves_nothing("kills_without_asking");
}

fn makes_and_exits() {
    forget(Array::<u8>::new(MIB).unwrap());
    std::process::exit(3);
}

fn lets_a_child_exit() {
    init(tasks());
    let _own = Value::new(7).unwrap();
    assert!(spawn(makes_and_exits, ()).unwrap().join().is_err());
    story::until("one slot is left", || slots() == 1);
}

fn the_memory_of_a_child_that_exits_is_freed() {
    leaves_nothing("lets_a_child_exit");
}

/// Has a queue that has grown, a permit, a pool at work and a daemon; and is killed.
fn has_all_kinds() {
    let queue = Queue::new().unwrap();
    for _ in 0..8 {
        queue.put(vec![7_u8; 100_000]).unwrap();
    }
    let permits = Semaphore::new(1).unwrap();
    forget(permits.acquire().unwrap());
    let pool = Pool::new(1).unwrap();
    let made = Value::new(0).unwrap();
    let at_work = pool.apply_async(works, (made.clone(), permits.clone(), queue.clone()));
    let daemon = Builder::new().daemon(true);
    let daemon = daemon.spawn(makes_and_waits, (made.clone(),)).unwrap();
    story::until("both have begun", || made.get().unwrap() == 2);
    forget((queue, permits, pool, at_work, daemon));
    die();
}

fn works(made: Value<u32>, permits: Semaphore, queue: Queue<Vec<u8>>) {
    forget(Array::<u8>::new(MIB).unwrap());
    assert!(permits.try_acquire().unwrap_err().is_would_block());
    queue.put(vec![1]).unwrap();
    *made.lock().unwrap() += 1;
    story::a_minute();
}

fn has_a_tree_killed() {
    init(tasks());
    let _own = Value::new(7).unwrap();
    let before = files(std::process::id());
    assert!(spawn(has_all_kinds, ()).unwrap().join().is_err());
    story::until("the files are as before", || {
        files(std::process::id()) == before && slots() == 1
    });
}

fn the_memory_of_a_whole_killed_tree_is_freed() {
    leaves_nothing("has_a_tree_killed");
}

fn sends_and_is_killed(queue: Queue<Array<u64>>) {
    let array = Array::<u64>::new(1000).unwrap();
    array.lock().unwrap().fill(7);
    forget(Array::<u8>::new(MIB).unwrap());
    queue.put(array).unwrap();
    die();
}

fn keeps_handles_in_flight() {
    init(tasks());
    let queue = Queue::new().unwrap();
    assert!(
        spawn(sends_and_is_killed, (queue.clone(),))
            .unwrap()
            .join()
            .is_err()
    );
    // Of the queue, of the array in flight, and of the one that no process can open any more.
    story::until("the second array is gone", || slots() == 2);
    // What is removed now was checked when the array had no user.
    assert!(spawn(makes_and_is_killed, ()).unwrap().join().is_err());
    story::until("and another one", || slots() == 2);
    let array = queue.get().unwrap();
    assert_eq!(array.to_vec().unwrap(), [7; 1000]);
}

fn a_handle_in_flight_outlives_its_killed_maker() {
    leaves_nothing("keeps_handles_in_flight");
}

/// Is killed when it has started a child, which is stopped, and usually hasn't read its arguments.
fn starts_one(numbers: Queue<u32>) {
    let args = (Value::new(7).unwrap(), numbers.clone());
    let child = spawn(reads_its_argument, args).unwrap();
    proc::send(child.pid(), Signal::STOP);
    numbers.put(child.pid()).unwrap();
    die();
}

fn reads_its_argument(value: Value<u32>, numbers: Queue<u32>) {
    numbers.put(value.get().unwrap()).unwrap();
}

/// A stopped process, which continues when this is dropped, also if the test fails.
struct Stopped(u32);

impl Drop for Stopped {
    fn drop(&mut self) {
        proc::send(self.0, Signal::CONT);
    }
}

fn has_a_parent_killed() {
    init(tasks());
    let numbers = Queue::new().unwrap();
    assert!(
        spawn(starts_one, (numbers.clone(),))
            .unwrap()
            .join()
            .is_err()
    );
    let child = Stopped(numbers.get_timeout(story::LIMIT / 2).unwrap());
    // What is freed now was checked when the handle's maker was dead.
    for _ in 0..2 {
        assert!(spawn(makes_and_is_killed, ()).unwrap().join().is_err());
        story::until("the queue and the value are left", || slots() == 2);
    }
    drop(child);
    assert_eq!(numbers.get_timeout(story::LIMIT / 2).unwrap(), 7);
    story::until("the queue is left", || slots() == 1);
}

fn a_handle_in_the_arguments_of_a_child_outlives_its_killed_parent() {
    leaves_nothing("has_a_parent_killed");
}

/// Is killed when its child has begun.
fn is_killed_before_its_child() {
    init(tasks());
    let shared = Value::new(0).unwrap();
    forget(Array::<u8>::new(MIB).unwrap());
    let _child = spawn(outlives, (shared.clone(),)).unwrap();
    story::until("the child has begun", || shared.get().unwrap() == 1);
    die();
}

fn outlives(shared: Value<i32>) {
    let main = multiprocess::parent().unwrap().pid();
    *shared.lock().unwrap() = 1;
    story::until("one slot is left", || left::slots(main).len() == 1);
    assert_eq!(shared.get().unwrap(), 1);
    println!("one is left");
}

fn the_memory_of_a_killed_main_process_is_freed_while_its_child_runs() {
    let played = Scene::new("is_killed_before_its_child").play();
    assert_eq!(played.out, ["one is left"], "{played:#?}");
    story::until("the child has ended", || files(played.pid).is_empty());
}

/// Starts two processes that outlive it.
fn starts_two(made: Value<u32>, queue: Queue<u32>) {
    for _ in 0..2 {
        let child = spawn(makes_and_waits, (made.clone(),)).unwrap();
        queue.put(child.pid()).unwrap();
    }
    story::until("both have made something", || made.get().unwrap() == 2);
    die();
}

fn has_orphans_killed() {
    init(tasks());
    let (made, queue) = (Value::new(0).unwrap(), Queue::new().unwrap());
    let child = spawn(starts_two, (made.clone(), queue.clone())).unwrap();
    assert!(child.join().is_err());
    let orphans = [0; 2].map(|_| Known::of(queue.get().unwrap()));
    for left in [1, 0] {
        // After everything that its parent's death has caused.
        std::thread::sleep(std::time::Duration::from_secs(7));
        orphans[left].kill();
        story::until("its memory is gone", || slots() == 2 + left);
    }
    assert_eq!(made.get().unwrap(), 2);
}

fn the_memory_of_killed_orphans_is_freed() {
    leaves_nothing("has_orphans_killed");
}

fn nothing(_: Array<u8>) {
    story::a_minute();
}

fn spawns_while_it_returns() {
    init(tasks());
    let started = Value::new(0).unwrap();
    let counted = started.clone();
    std::thread::spawn(move || {
        loop {
            // At the end there is an error, or the process ends.
            let Ok(array) = Array::<u8>::new(10) else {
                return;
            };
            let daemon = Builder::new().daemon(true);
            let Ok(daemon) = daemon.spawn(nothing, (array,)) else {
                return;
            };
            forget(daemon);
            let Ok(mut counted) = counted.lock() else {
                return;
            };
            *counted += 1;
        }
    });
    story::until("three are started", || started.get().unwrap() >= 3);
}

fn a_main_that_returns_while_a_thread_spawns_leaves_nothing() {
    for _ in 0..5 {
        leaves_nothing("spawns_while_it_returns");
    }
}
