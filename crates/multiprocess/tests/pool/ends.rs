//! The end of a pool: closed, joined, terminated, dropped, or killed with its process. No wait is endless, and nothing
//! is left.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::Barrier;
use std::time::Duration;

use multiprocess::{AsyncResult, Error, Lock, Pool, RawArray, RegisteredTask, init, spawn, task};

use story::proc::{self, Known};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            fifty_pools_come_and_go,
            a_pool_is_left_to_the_end_of_main,
            a_pool_at_work,
            a_pool_in_a_worker,
            a_pool_in_a_child,
        ],
        story::named![
            a_closed_pool_takes_no_calls,
            a_terminated_pool_takes_no_calls,
            closing_finishes_the_running_calls,
            closing_lets_an_imap_be_read_to_its_end,
            an_imap_given_up_does_not_keep_a_closed_pool,
            an_open_pool_can_be_joined,
            joining_waits_for_workers_that_are_still_starting,
            terminate_ends_every_wait,
            terminate_from_several_threads_is_harmless,
            ten_thousand_waiting_tasks_do_not_delay_terminate,
            dropping_a_pool_ends_its_workers_in_the_middle_of_a_call,
            an_unwanted_result_is_not_computed,
            an_imap_dropped_half_way_leaves_the_pool_usable,
            pools_that_come_and_go_leave_nothing,
            a_pool_left_to_the_end_of_main_ends_with_it,
            workers_end_when_their_main_process_is_killed,
            a_pool_within_a_worker_ends_with_the_worker,
            a_pool_within_a_child_ends_with_the_child,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(begins_and_stays),
        task(counts),
        task(naps),
        task(has_a_pool),
        task(prints_its_pool),
        task(pool_of_a_child),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn naps(milliseconds: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

fn counts(calls: RawArray<u32>) {
    calls.update(0, |calls| calls + 1);
    std::thread::sleep(Duration::from_millis(2));
}

/// Reports its process id, and stays until the board's first number is set.
fn begins_and_stays((place, board): (usize, RawArray<u32>)) -> usize {
    board.set(place, std::process::id());
    story::until("the number is set", || board.get(0) != 0);
    place
}

fn every_call(pool: &Pool) -> [Error; 7] {
    [
        pool.map(doubler, [1]).unwrap_err(),
        pool.map_each(doubler, [1]).unwrap_err(),
        pool.map_async(doubler, [1]).unwrap_err(),
        pool.starmap_async(doubler, [(1,)]).unwrap_err(),
        pool.apply(doubler, (1,)).unwrap_err(),
        pool.apply_async(doubler, (1,)).unwrap_err(),
        pool.imap(doubler, [1]).unwrap_err(),
    ]
}

fn a_closed_pool_takes_no_calls() {
    let pool = Pool::new(2).unwrap();
    pool.close();
    pool.close();
    for error in every_call(&pool) {
        // When its workers have gone, there is no pool left.
        assert!(
            matches!(error, Error::PoolClosed | Error::PoolTerminated),
            "{error}"
        );
    }
    pool.join();
}

fn a_terminated_pool_takes_no_calls() {
    let pool = Pool::new(2).unwrap();
    pool.terminate();
    for error in every_call(&pool) {
        assert!(matches!(error, Error::PoolTerminated), "{error}");
    }
    assert!(pool.worker_pids().is_empty());
    pool.close();
    pool.join();
}

fn closing_finishes_the_running_calls() {
    let pool = Pool::new(2).unwrap();
    let calls = RawArray::new(1).unwrap();
    let numbers = pool.map_async(doubler, 0..500).unwrap();
    let inputs = (0..100).map(|_| calls.clone());
    let counted = pool.chunk_size(1).map_async(counts, inputs).unwrap();
    pool.close();
    pool.join();
    assert_eq!(calls.get(0), 100);
    assert_eq!(counted.get().unwrap().len(), 100);
    assert_eq!(numbers.get().unwrap()[499], 998);
}

fn closing_lets_an_imap_be_read_to_its_end() {
    let pool = Pool::new(2).unwrap();
    let mut results = pool.chunk_size(1).imap(doubler, 0..2000).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    pool.close();
    // The pool has done everything so far; more will come.
    std::thread::sleep(Duration::from_millis(300));
    let rest: Vec<i64> = results.map(Result::unwrap).collect();
    assert_eq!(rest.len(), 1999);
    assert_eq!(rest[1998], 2 * 1999);
    pool.join();
}

fn an_imap_given_up_does_not_keep_a_closed_pool() {
    let pool = Pool::new(2).unwrap();
    let mut results = pool.imap(doubler, 0..).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    pool.close();
    drop(results);
    pool.join();
}

fn an_open_pool_can_be_joined() {
    let pool = Pool::new(2).unwrap();
    let later = pool.map_async(doubler, 0..100).unwrap();
    pool.join();
    assert_eq!(later.get().unwrap()[99], 198);
}

fn joining_waits_for_workers_that_are_still_starting() {
    for _ in 0..10 {
        let pool = Pool::new(4).unwrap();
        let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
        pool.join();
        assert!(known.iter().all(|worker| !worker.is_running()));
    }
}

fn terminate_ends_every_wait() {
    let pool = Pool::new(2).unwrap();
    let board = RawArray::new(2000).unwrap();
    let stays = |place| (place, board.clone());
    let waiting = Barrier::new(6);
    let waits = |work: &dyn Fn() -> Error| {
        waiting.wait();
        let error = work();
        assert!(matches!(error, Error::PoolTerminated), "{error}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| waits(&|| pool.map(begins_and_stays, (1..50).map(stays)).unwrap_err()));
        scope.spawn(|| {
            waits(&|| {
                let later = pool.map_async(begins_and_stays, (50..60).map(stays));
                later.and_then(AsyncResult::get).unwrap_err()
            });
        });
        scope.spawn(|| waits(&|| pool.apply(begins_and_stays, (stays(60),)).unwrap_err()));
        scope.spawn(|| {
            waits(&|| {
                let mut results = match pool.imap(begins_and_stays, (100..).map(stays)) {
                    Ok(results) => results,
                    // The call came too late.
                    Err(error) => return error,
                };
                let error = results.next().unwrap().unwrap_err();
                assert!(results.next().is_none());
                error
            });
        });
        scope.spawn(|| {
            waits(&|| {
                let later = pool.apply_async(begins_and_stays, (stays(61),));
                let got = later.and_then(|mut later| later.get_timeout(story::LIMIT / 2));
                got.unwrap_err()
            });
        });
        waiting.wait();
        story::until("two begin", || {
            board.to_vec().iter().filter(|&&pid| pid != 0).count() >= 2
        });
        // Meanwhile the others wait too; a late one gets the end at once.
        std::thread::sleep(Duration::from_millis(50));
        pool.terminate();
    });
}

fn terminate_from_several_threads_is_harmless() {
    for _ in 0..5 {
        let pool = Pool::new(3).unwrap();
        let later = pool.map_async(naps, (0..100).map(|_| 50)).unwrap();
        let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    pool.terminate();
                    assert!(known.iter().all(|worker| !worker.is_running()));
                });
            }
        });
        assert!(matches!(later.get(), Err(Error::PoolTerminated)));
    }
}

fn ten_thousand_waiting_tasks_do_not_delay_terminate() {
    let pool = Pool::new(2).unwrap();
    let waiting: Vec<_> = (0..10_000)
        .map(|_| pool.apply_async(naps, (60_000,)).unwrap())
        .collect();
    let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    pool.terminate();
    assert!(known.iter().all(|worker| !worker.is_running()));
    for result in waiting {
        assert!(matches!(result.get(), Err(Error::PoolTerminated)));
    }
}

fn dropping_a_pool_ends_its_workers_in_the_middle_of_a_call() {
    let pool = Pool::new(2).unwrap();
    let board = RawArray::new(3).unwrap();
    let inputs = (1..=2).map(|place| (place, board.clone()));
    let later = pool
        .chunk_size(1)
        .map_async(begins_and_stays, inputs)
        .unwrap();
    story::until("both begin", || board.get(1) != 0 && board.get(2) != 0);
    let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    drop(pool);
    assert!(known.iter().all(|worker| !worker.is_running()));
    assert!(matches!(later.get(), Err(Error::PoolTerminated)));
}

fn an_unwanted_result_is_not_computed() {
    let pool = Pool::new(1).unwrap();
    let board = RawArray::new(2).unwrap();
    let calls = RawArray::new(1).unwrap();
    let held = pool
        .apply_async(begins_and_stays, ((1, board.clone()),))
        .unwrap();
    story::until("it begins", || board.get(1) != 0);
    let inputs = (0..1000).map(|_| calls.clone());
    drop(pool.chunk_size(1).map_async(counts, inputs).unwrap());
    board.set(0, 1);
    assert_eq!(held.get().unwrap(), 1);
    assert_eq!(pool.apply(doubler, (2,)).unwrap(), 4);
    // The worker may have done the batches ahead of it.
    assert!(calls.get(0) < 100, "{} calls", calls.get(0));
}

fn an_imap_dropped_half_way_leaves_the_pool_usable() {
    let pool = Pool::new(2).unwrap();
    for taken in [0, 1, 10, 500] {
        let results: Vec<i64> = pool
            .imap(doubler, 0..)
            .unwrap()
            .take(taken)
            .map(Result::unwrap)
            .collect();
        assert_eq!(results.len(), taken);
        drop(pool.imap_unordered(doubler, 0..1_000_000).unwrap());
        assert_eq!(pool.map(doubler, [1, 2, 3]).unwrap(), [2, 4, 6]);
    }
}

/// Shared memory of this run.
fn shared() -> Vec<String> {
    story::left::slots(std::process::id())
}

/// Counts threads, but for the one that starts processes in the place of threads that may end before them: it stays. A
/// pool's own thread has it start a worker in the place of a dead one, if the pool does not end first.
fn threads() -> usize {
    let all = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = all.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.trim_end() != "spawner").count()
}

/// What is open, but not which chunk of memory: an empty one is kept, and may be a later one.
fn descriptors() -> Vec<String> {
    let chunks = story::left::files(std::process::id());
    let is_chunk = |target: &str| {
        let mut chunks = chunks.iter().filter(|path| path.extension().is_none());
        chunks.any(|chunk| chunk.to_string_lossy() == target)
    };
    let open = proc::descriptors().into_iter().map(|(_, target)| target);
    let mut open: Vec<String> = open
        .map(|target| {
            if is_chunk(&target) {
                "a chunk".to_owned()
            } else {
                target
            }
        })
        .collect();
    open.sort();
    open
}

fn fifty_pools_come_and_go() {
    init(tasks());
    let threads_before = threads();
    // What the run itself has open, it has from its first lock to its end.
    drop(Lock::new().unwrap().lock().unwrap());
    let before = descriptors();
    for round in 0..50 {
        let pool = Pool::new(2).unwrap();
        match round % 5 {
            0 => assert_eq!(pool.map(doubler, 0..100).unwrap()[99], 198),
            1 => drop(pool.map_async(doubler, 0..1000).unwrap()),
            2 => pool.imap(doubler, 0..).unwrap().take(10).for_each(drop),
            3 => proc::kill(pool.worker_pids()[0]),
            _ => {}
        }
        match round % 3 {
            0 => drop(pool),
            1 => pool.terminate(),
            _ => pool.join(),
        }
    }
    assert!(proc::children().is_empty(), "zombies");
    story::until("the memory is freed", || shared().is_empty());
    story::until("the threads have ended", || threads() == threads_before);
    story::until("the descriptors are closed", || descriptors() == before);
}

fn pools_that_come_and_go_leave_nothing() {
    // For ten seconds after a worker was killed, a thread looks for what it has left.
    let scene = Scene::new("fifty_pools_come_and_go").within(story::LIMIT * 5 / 6);
    scene.succeed();
}

fn introduce(pool: &Pool) {
    for pid in pool.worker_pids() {
        println!("worker: {}", Known::of(pid));
    }
}

fn a_pool_is_left_to_the_end_of_main() {
    init(tasks());
    let pool = Pool::new(2).unwrap();
    pool.map(doubler, 0..10).unwrap();
    introduce(&pool);
    drop(pool.map_async(naps, [60_000, 60_000]));
    std::mem::forget(pool);
}

fn a_pool_left_to_the_end_of_main_ends_with_it() {
    let mut scene = Scene::new("a_pool_is_left_to_the_end_of_main").start();
    let workers = scene.introductions(2);
    let played = scene.finish();
    assert!(played.status.success(), "{played:#?}");
    Known::end(&workers);
}

fn a_pool_at_work() {
    init(tasks());
    let pool = Pool::new(3).unwrap();
    introduce(&pool);
    let _ = pool.map(naps, (0..1000).map(|_| 20));
    story::a_minute();
}

fn workers_end_when_their_main_process_is_killed() {
    let mut scene = Scene::new("a_pool_at_work").start();
    let workers = scene.introductions(3);
    std::thread::sleep(Duration::from_millis(100));
    scene.kill();
    Known::end(&workers);
}

/// Has a pool of its own, and returns the sum of its results.
fn has_a_pool(number: i64) -> i64 {
    let pool = Pool::new(2).unwrap();
    pool.map(doubler, 0..number).unwrap().into_iter().sum()
}

/// Has a pool of its own, reports it, and keeps running.
fn prints_its_pool(_: u32) {
    println!("outer: {}", Known::of(std::process::id()));
    let pool = Pool::new(2).unwrap();
    introduce(&pool);
    let _ = pool.map(naps, [60_000, 60_000]);
}

fn a_pool_in_a_worker() {
    init(tasks());
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(has_a_pool, [10, 20, 30]).unwrap(), [90, 380, 870]);
    let _ = pool.apply(prints_its_pool, (0,));
    println!("the next: {}", pool.apply(doubler, (5,)).unwrap());
}

/// Kills the process with the inner pool; its workers end.
fn the_outer_is_killed(scene: &'static str) -> Vec<String> {
    let mut scene = Scene::new(scene).start();
    let (_, outer) = scene.introduced();
    let workers = scene.introductions(2);
    outer.kill();
    Known::end(&workers);
    let played = scene.finish();
    assert!(played.status.success(), "{played:#?}");
    played.out
}

fn a_pool_within_a_worker_ends_with_the_worker() {
    let out = the_outer_is_killed("a_pool_in_a_worker");
    assert_eq!(out, ["the next: 10"]);
}

fn pool_of_a_child() {
    assert_eq!(has_a_pool(10), 90);
    prints_its_pool(0);
}

fn a_pool_in_a_child() {
    init(tasks());
    let error = spawn(pool_of_a_child, ()).unwrap().join().unwrap_err();
    assert!(matches!(error, Error::Killed { .. }), "{error}");
}

fn a_pool_within_a_child_ends_with_the_child() {
    the_outer_is_killed("a_pool_in_a_child");
}
