//! The workers of a pool: set up, replaced, stopped and continued.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::fs::File;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use multiprocess::{Connection, Error, Pool, RawArray, RegisteredTask, init, pipe, spawn, task};
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::process::Signal;

use story::proc::{self, Known};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![a_worker_has_the_turn_of_the_pool],
        story::named![
            every_worker_is_set_up_once_before_anything_else,
            a_replaced_worker_is_set_up_too,
            a_large_setting_up_reaches_every_worker,
            an_initializer_that_panics_breaks_the_pool,
            an_initializer_that_exits_breaks_the_pool,
            workers_killed_at_their_start_are_not_replaced_in_a_storm,
            a_worker_is_replaced_after_that_many_calls,
            replacing_a_worker_loses_no_call,
            a_stopped_worker_delays_only_what_it_has_begun,
            a_worker_stopped_while_idle_delays_nothing,
            workers_that_were_all_stopped_continue,
            terminate_ends_stopped_workers,
            a_worker_that_is_stopped_while_it_frees_memory_delays_no_call,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(who),
        task(set_up),
        task(was_set_up),
        task(set_up_large),
        task(large),
        task(fails),
        task(begins_and_stays),
        task(holds_turn),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn who(_: u32) -> String {
    multiprocess::current().name().to_owned()
}

static BOARD: OnceLock<RawArray<u32>> = OnceLock::new();

fn set_up(board: RawArray<u32>) {
    board.update(0, |starts| starts + 1);
    assert!(BOARD.set(board).is_ok(), "set up twice");
}

fn was_set_up(_: u32) -> bool {
    BOARD.get().is_some()
}

fn every_worker_is_set_up_once_before_anything_else() {
    let board = RawArray::new(1).unwrap();
    let pool = Pool::builder()
        .workers(4)
        .initializer(set_up, (board.clone(),))
        .unwrap()
        .build()
        .unwrap();
    let all = pool.chunk_size(1).map(was_set_up, 0..200).unwrap();
    assert!(all.into_iter().all(|was_set_up| was_set_up));
    // All are set up, though some may have had nothing to do.
    pool.join();
    assert_eq!(board.get(0), 4);
}

fn a_replaced_worker_is_set_up_too() {
    let pool = Pool::builder()
        .workers(2)
        // Only the pool has a handle to it.
        .initializer(set_up, (RawArray::new(1).unwrap(),))
        .unwrap()
        .build()
        .unwrap();
    for _ in 0..5 {
        let pids = pool.worker_pids();
        for &pid in &pids {
            proc::kill(pid);
        }
        story::until("there are others", || {
            let now = pool.worker_pids();
            now.len() == 2 && !now.iter().any(|pid| pids.contains(pid))
        });
        assert!(pool.apply(was_set_up, (0,)).unwrap());
    }
}

static LARGE: OnceLock<String> = OnceLock::new();

fn set_up_large(large: String) {
    LARGE.set(large).unwrap();
}

fn large(_: u32) -> usize {
    LARGE.get().unwrap().len()
}

fn a_large_setting_up_reaches_every_worker() {
    const LENGTH: usize = 16 << 20;
    let pool = Pool::builder()
        .workers(3)
        .initializer(set_up_large, ("x".repeat(LENGTH),))
        .unwrap()
        .build()
        .unwrap();
    let lengths = pool.chunk_size(1).map(large, 0..30).unwrap();
    assert!(lengths.into_iter().all(|length| length == LENGTH));
}

/// Counts itself and never returns.
fn fails((how, starts): (u32, RawArray<u32>)) {
    starts.update(0, |starts| starts + 1);
    match how {
        0 => panic!("the files are missing"),
        1 => std::process::exit(7),
        _ => {
            proc::kill(std::process::id());
            story::a_minute();
        }
    }
}

fn broken_by(how: u32, words: &str) {
    let starts = RawArray::new(1).unwrap();
    let pool = Pool::builder()
        .workers(2)
        .initializer(fails, ((how, starts.clone()),))
        .unwrap()
        .build()
        .unwrap();
    let broken = |error: Error| {
        let Error::PoolBroken { reason } = &error else {
            panic!("{error}");
        };
        assert!(reason.contains(words), "{reason}");
    };
    // Either it is broken already, or it breaks while this is waited for.
    broken(pool.map(doubler, [1, 2, 3]).unwrap_err());
    broken(pool.apply(doubler, (1,)).unwrap_err());
    assert!(pool.imap(doubler, [1]).is_err());
    assert!(starts.get(0) <= 8, "{} starts", starts.get(0));
    pool.close();
    pool.join();
}

fn an_initializer_that_panics_breaks_the_pool() {
    broken_by(0, "the files are missing");
}

fn an_initializer_that_exits_breaks_the_pool() {
    broken_by(1, "code 7");
}

fn workers_killed_at_their_start_are_not_replaced_in_a_storm() {
    let starts = RawArray::new(1).unwrap();
    let pool = Pool::builder()
        .workers(2)
        .initializer(fails, ((2, starts.clone()),))
        .unwrap()
        .build()
        .unwrap();
    let mut result = pool.apply_async(doubler, (1,)).unwrap();
    // The pool retries slowly, in case the killing stops.
    let early = result.get_timeout(Duration::from_secs(1));
    assert!(early.unwrap_err().is_timeout());
    assert!(starts.get(0) <= 40, "{} starts", starts.get(0));
    pool.terminate();
    assert!(matches!(result.get(), Err(Error::PoolTerminated)));
}

fn a_worker_is_replaced_after_that_many_calls() {
    let pool = Pool::builder()
        .workers(1)
        .name("clerk")
        .calls_per_worker(3)
        .build()
        .unwrap();
    let names = pool.chunk_size(1).map(who, 0..10).unwrap();
    let expected: Vec<String> = (0..10)
        .map(|call| format!("clerk-{}", call / 3 + 1))
        .collect();
    assert_eq!(names, expected);
    // A batch that was begun is finished.
    let pool = Pool::builder()
        .workers(1)
        .name("clerk")
        .calls_per_worker(0)
        .build()
        .unwrap();
    let names = pool.chunk_size(2).map(who, 0..4).unwrap();
    assert_eq!(names, ["clerk-1", "clerk-1", "clerk-2", "clerk-2"]);
}

fn replacing_a_worker_loses_no_call() {
    let pool = Pool::builder()
        .workers(3)
        .calls_per_worker(5)
        .build()
        .unwrap();
    let doubled: Vec<i64> = (0..300).map(|number| 2 * number).collect();
    assert_eq!(pool.map(doubler, 0..300).unwrap(), doubled);
    assert_eq!(pool.chunk_size(1).map(doubler, 0..300).unwrap(), doubled);
    let later = pool.map_async(doubler, 0..300).unwrap();
    pool.join();
    assert_eq!(later.get().unwrap(), doubled);
}

/// Reports its process id, and stays until the board's first number is set.
fn begins_and_stays((place, board): (usize, RawArray<u32>)) -> usize {
    board.set(place, std::process::id());
    story::until("the number is set", || board.get(0) != 0);
    place
}

/// Is continued at the end, so that nothing that is stopped stays behind when a test fails.
struct Stopped(Known);

impl Stopped {
    fn new(pid: u32) -> Stopped {
        let known = Known::of(pid);
        proc::send(pid, Signal::STOP);
        Stopped(known)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if self.0.is_running() {
            proc::send(self.0.pid, Signal::CONT);
        }
    }
}

fn a_stopped_worker_delays_only_what_it_has_begun() {
    let pool = Pool::new(2).unwrap();
    let board = RawArray::new(2).unwrap();
    let mut held = pool
        .apply_async(begins_and_stays, ((1, board.clone()),))
        .unwrap();
    story::until("it begins", || board.get(1) != 0);
    let stopped = Stopped::new(board.get(1));
    board.set(0, 1);
    assert!(
        held.get_timeout(Duration::from_millis(100))
            .unwrap_err()
            .is_timeout()
    );
    for chunk in [1, 7] {
        let mut others = pool.chunk_size(chunk).map_async(doubler, 0..100).unwrap();
        others
            .wait_timeout(story::LIMIT / 2)
            .expect("the others wait for it");
        assert_eq!(others.get().unwrap()[99], 198);
    }
    assert!(!held.is_ready());
    drop(stopped);
    assert_eq!(held.get_timeout(story::LIMIT / 2).unwrap(), 1);
    assert_eq!(pool.map(doubler, [1, 2]).unwrap(), [2, 4]);
}

fn a_worker_stopped_while_idle_delays_nothing() {
    let pool = Pool::new(2).unwrap();
    let workers: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    for worker in &workers {
        pool.map(doubler, 0..10).unwrap();
        // The results arrive a moment before their senders have released the channel.
        story::until("all are idle", || workers.iter().all(Known::is_sleeping));
        let stopped = Stopped::new(worker.pid);
        for _ in 0..3 {
            let mut one = pool.apply_async(doubler, (4,)).unwrap();
            assert_eq!(one.get_timeout(story::LIMIT / 2).unwrap(), 8);
            let mut some = pool.map_async(doubler, 0..50).unwrap();
            some.wait_timeout(story::LIMIT / 2)
                .expect("the others wait for it");
            assert_eq!(some.get().unwrap()[49], 98);
        }
        drop(stopped);
    }
    // The stopped workers work again.
    let board = RawArray::new(3).unwrap();
    let inputs = (1..=2).map(|place| (place, board.clone()));
    let both = pool
        .chunk_size(1)
        .map_async(begins_and_stays, inputs)
        .unwrap();
    story::until("both begin", || board.get(1) != 0 && board.get(2) != 0);
    board.set(0, 1);
    assert_eq!(both.get().unwrap(), [1, 2]);
}

fn workers_that_were_all_stopped_continue() {
    let pool = Pool::new(2).unwrap();
    pool.map(doubler, 0..10).unwrap();
    let stopped: Vec<Stopped> = pool.worker_pids().into_iter().map(Stopped::new).collect();
    let mut later = pool.map_async(doubler, 0..100).unwrap();
    // Longer than the pool waits for each of them.
    let early = later.wait_timeout(Duration::from_millis(600));
    assert!(early.unwrap_err().is_timeout());
    drop(stopped);
    later.wait_timeout(story::LIMIT / 2).unwrap();
    assert_eq!(later.get().unwrap()[99], 198);
}

fn terminate_ends_stopped_workers() {
    let pool = Pool::new(2).unwrap();
    pool.map(doubler, 0..10).unwrap();
    let known: Vec<Known> = pool.worker_pids().into_iter().map(Known::of).collect();
    let _stopped: Vec<Stopped> = known.iter().map(|it| Stopped::new(it.pid)).collect();
    let later = pool.map_async(doubler, 0..100).unwrap();
    let start = Instant::now();
    pool.terminate();
    assert!(start.elapsed() < story::LIMIT / 2);
    assert!(known.iter().all(|worker| !worker.is_running()));
    assert!(matches!(later.get(), Err(Error::PoolTerminated)));
}

/// Locks a byte of a file, which is the portable version of a lock, whenever the lock is free; not while it isn't.
fn holds_turn(locks: String, at: i64, turns: Connection<(), bool>) {
    let locks = File::options().read(true).write(true).open(locks).unwrap();
    for is_held in &turns {
        let kind = if is_held.unwrap() {
            libc::F_WRLCK
        } else {
            libc::F_UNLCK
        };
        let byte = libc::flock {
            l_type: kind.try_into().unwrap(),
            l_whence: libc::SEEK_SET.try_into().unwrap(),
            l_start: at,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&locks, FcntlArg::F_SETLK(&byte)).unwrap();
        turns.send(()).unwrap();
    }
}

/// The turn of those who put something into the requests of a worker. A worker has it for an instant, when it frees
/// memory, and may be stopped then.
fn a_worker_has_the_turn_of_the_pool() {
    init(tasks());
    let (turns, of_holder) = pipe::<bool, ()>().unwrap();
    let pool = Pool::new(1).unwrap();
    assert_eq!(pool.apply(doubler, (1,)).unwrap(), 2);
    let first = pool.worker_pids();
    let slots = || story::left::slots(std::process::id());
    let before = slots();
    proc::kill(first[0]);
    story::until("it is replaced", || {
        pool.apply(doubler, (1,)).is_ok() && pool.worker_pids() != first
    });
    let mut new = slots();
    new.retain(|slot| !before.contains(slot));
    let [requests] = &new[..] else {
        panic!("the second worker has a channel of its own: {new:?}")
    };
    let mut numbers = requests.rsplit('-').skip(1);
    let mut number = || i64::from_str_radix(numbers.next().unwrap(), 16).unwrap();
    let (unit, chunk) = (number(), number());
    let locks = story::left::files(std::process::id())
        .into_iter()
        .find(|path| path.extension().is_some_and(|it| it == "locks"));
    let locks = locks.unwrap().to_str().unwrap().to_owned();
    // Where it is in the file: see `make_file_lock` in `src/memory/slot_lock.rs`.
    let at = (chunk << 24 | unit) << 2;
    let holder = spawn(holds_turn, (locks, at, of_holder)).unwrap();
    let hold = |is_held: bool| {
        turns.send(is_held).unwrap();
        turns.recv_timeout(story::LIMIT / 4).unwrap();
    };
    hold(true);
    let mut later = pool.apply_async(doubler, (2,)).unwrap();
    // Longer than the pool waits before it asks the worker whether it takes requests.
    for _ in 0..3 {
        let early = later.wait_timeout(Duration::from_millis(200));
        assert!(early.unwrap_err().is_timeout());
        assert_eq!(pool.worker_pids().len(), 1);
    }
    hold(false);
    assert_eq!(later.get_timeout(story::LIMIT / 4).unwrap(), 4);
    hold(true);
    pool.close();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(pool.worker_pids().len(), 1);
    }
    hold(false);
    pool.join();
    drop(turns);
    holder.join().unwrap();
}

fn a_worker_that_is_stopped_while_it_frees_memory_delays_no_call() {
    let scene = Scene::new("a_worker_has_the_turn_of_the_pool");
    scene.env("MULTIPROCESS_PORTABLE", "1").succeed();
}
