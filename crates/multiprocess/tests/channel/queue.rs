//! The queue: every item comes out once, in order, no matter what it is and how many there are.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Error, Queue, spawn, task};
use story::named;

/// A longer wait was not ended by its timeout, no matter how busy the machine is.
const CLOSE: Duration = Duration::from_secs(10);

fn init() {
    multiprocess::init([
        task(put_answer),
        task(put_range),
        task(put_range_then_exit),
        task(double_all),
        task(work_off),
        task(wait_for_item),
    ]);
}

pub(crate) fn main() -> ExitCode {
    let tests = named![
        a_child_puts_and_the_parent_gets,
        items_come_out_in_the_order_in_which_they_went_in,
        a_million_items_wait_for_a_reader_after_their_process_was_joined,
        a_child_that_exits_without_cleaning_up_has_put_its_items,
        a_full_queue_is_an_error_at_once_or_after_the_timeout,
        an_empty_queue_is_an_error_at_once_or_after_the_timeout,
        a_put_waits_for_room,
        a_get_waits_for_an_item,
        a_closed_queue_returns_its_items_and_ends,
        closing_wakes_the_waiters,
        a_queue_of_capacity_0_is_refused,
        join_waits_for_the_last_task_done,
        one_task_done_too_many_is_an_error,
        threads_and_processes_share_a_queue,
        waiting_uses_no_processor_time,
    ];
    story::play(init, &[], tests)
}

fn put_answer(queue: Queue<i64>) {
    queue.put(42).expect("it is open");
}

fn a_child_puts_and_the_parent_gets() {
    let queue = Queue::new().unwrap();
    let child = spawn(put_answer, (queue.clone(),)).unwrap();
    assert_eq!(queue.get().unwrap(), 42);
    child.join().unwrap();
}

fn put_range(queue: Queue<u64>, count: u64) {
    for number in 0..count {
        queue.put(number).expect("it is open");
    }
}

fn items_come_out_in_the_order_in_which_they_went_in() {
    let queue = Queue::new().unwrap();
    let child = spawn(put_range, (queue.clone(), 200_000)).unwrap();
    for number in 0..200_000 {
        assert_eq!(queue.get().unwrap(), number);
    }
    child.join().unwrap();
    assert!(queue.is_empty());
}

fn a_million_items_wait_for_a_reader_after_their_process_was_joined() {
    let count = if portable() { 100_000 } else { 1_000_000 };
    let queue = Queue::new().unwrap();
    spawn(put_range, (queue.clone(), count))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(queue.len() as u64, count);
    for number in 0..count {
        assert_eq!(queue.try_get().unwrap(), number);
    }
    assert!(matches!(queue.try_get(), Err(Error::Empty { .. })));
}

fn put_range_then_exit(queue: Queue<u64>, count: u64) {
    put_range(queue, count);
    std::process::exit(3);
}

fn a_child_that_exits_without_cleaning_up_has_put_its_items() {
    let queue = Queue::new().unwrap();
    let child = spawn(put_range_then_exit, (queue.clone(), 50_000)).unwrap();
    assert!(matches!(child.join(), Err(Error::Exited { code: 3, .. })));
    assert_eq!(queue.len(), 50_000);
    assert!((0..50_000).all(|number| queue.get().unwrap() == number));
}

/// What it returns, and whether it took the time it should have.
fn timed<R>(limit: Duration, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    assert!(taken >= limit, "{taken:?} is before {limit:?}");
    assert!(taken < limit + CLOSE, "{taken:?} is long after {limit:?}");
    result
}

fn a_full_queue_is_an_error_at_once_or_after_the_timeout() {
    let queue = Queue::bounded(3).unwrap();
    assert_eq!(queue.capacity(), Some(3));
    for number in 1..=3 {
        assert!(!queue.is_full());
        queue.put(number).unwrap();
    }
    assert!(queue.is_full());
    let refused = timed(Duration::ZERO, || queue.try_put(4)).unwrap_err();
    assert!(refused.is_would_block(), "{refused}");
    assert_eq!(refused.into_inner(), 4);
    let limit = Duration::from_millis(200);
    let refused = timed(limit, || queue.put_timeout(5, limit)).unwrap_err();
    assert!(refused.is_timeout(), "{refused}");
    assert_eq!(refused.into_inner(), 5);
    assert_eq!(queue.len(), 3);
    assert_eq!(queue.get().unwrap(), 1);
    queue.try_put(4).unwrap();
    assert_eq!([2, 3, 4].map(|_: i32| queue.get().unwrap()), [2, 3, 4]);
}

fn an_empty_queue_is_an_error_at_once_or_after_the_timeout() {
    let queue = Queue::<i32>::bounded(3).unwrap();
    let none = timed(Duration::ZERO, || queue.try_get()).unwrap_err();
    assert!(matches!(none, Error::Empty { .. }), "{none}");
    let limit = Duration::from_millis(200);
    let none = timed(limit, || queue.get_timeout(limit)).unwrap_err();
    assert!(matches!(none, Error::Timeout { .. }), "{none}");
}

fn a_put_waits_for_room() {
    let queue = Queue::bounded(2).unwrap();
    let child = spawn(put_range, (queue.clone(), 5_000)).unwrap();
    for number in 0..5_000 {
        assert!(queue.len() <= 2);
        assert_eq!(queue.get().unwrap(), number);
    }
    child.join().unwrap();
}

fn wait_for_item(queue: Queue<u64>, ready: Queue<()>) -> u64 {
    ready.put(()).expect("it is open");
    queue.get().expect("an item comes")
}

fn a_get_waits_for_an_item() {
    let (queue, ready) = (Queue::new().unwrap(), Queue::new().unwrap());
    let child = spawn(wait_for_item, (queue.clone(), ready.clone())).unwrap();
    ready.get().unwrap();
    std::thread::sleep(Duration::from_millis(120));
    queue.put(7).unwrap();
    assert_eq!(child.join().unwrap(), 7);
}

fn double_all(from: Queue<i64>, to: Queue<i64>) {
    for number in &from {
        to.put(2 * number.expect("a number")).expect("it is open");
    }
}

fn a_closed_queue_returns_its_items_and_ends() {
    let (from, to) = (Queue::new().unwrap(), Queue::new().unwrap());
    let child = spawn(double_all, (from.clone(), to.clone())).unwrap();
    for number in [5, 10, 13, -1] {
        from.put(number).unwrap();
    }
    from.close().unwrap();
    assert!(from.is_closed());
    let refused = from.put(6).unwrap_err();
    assert!(refused.is_closed(), "{refused}");
    assert_eq!(refused.into_inner(), 6);
    child.join().unwrap();
    to.close().unwrap();
    let all: Vec<i64> = to.iter().map(Result::unwrap).collect();
    assert_eq!(all, [10, 20, 26, -2]);
    assert!(matches!(to.get(), Err(Error::Closed { .. })));
}

fn closing_wakes_the_waiters() {
    let (queue, full) = (Queue::<u8>::new().unwrap(), Queue::bounded(1).unwrap());
    full.put(1_u8).unwrap();
    std::thread::scope(|scope| {
        let getting = scope.spawn(|| queue.get());
        let putting = scope.spawn(|| full.put(2));
        std::thread::sleep(Duration::from_millis(80));
        let start = Instant::now();
        queue.close().unwrap();
        full.close().unwrap();
        assert!(matches!(getting.join().unwrap(), Err(Error::Closed { .. })));
        assert!(putting.join().unwrap().unwrap_err().is_closed());
        assert!(start.elapsed() < CLOSE);
    });
}

fn a_queue_of_capacity_0_is_refused() {
    let refused = Queue::<u8>::bounded(0).unwrap_err();
    assert!(matches!(refused, Error::NoCapacity));
    assert!(refused.to_string().contains("Queue::new"));
}

fn work_off(jobs: Queue<u32>, results: Queue<u32>) {
    for job in &jobs {
        results.put(job.expect("a number")).expect("it is open");
        jobs.task_done().expect("it was got");
    }
}

fn join_waits_for_the_last_task_done() {
    let (jobs, results) = (Queue::new().unwrap(), Queue::new().unwrap());
    let limit = Duration::from_millis(100);
    jobs.join().unwrap();
    for job in 0..100 {
        jobs.put(job).unwrap();
    }
    let late = timed(limit, || jobs.join_timeout(limit)).unwrap_err();
    assert!(matches!(late, Error::Timeout { .. }), "{late}");
    let workers = [(); 4].map(|()| spawn(work_off, (jobs.clone(), results.clone())).unwrap());
    jobs.join().unwrap();
    assert_eq!(results.len(), 100);
    jobs.close().unwrap();
    for worker in workers {
        worker.join().unwrap();
    }
}

fn one_task_done_too_many_is_an_error() {
    let queue = Queue::new().unwrap();
    queue.put(1).unwrap();
    queue.task_done().unwrap();
    let error = queue.task_done().unwrap_err();
    assert!(matches!(error, Error::TooManyDone { .. }), "{error}");
}

fn threads_and_processes_share_a_queue() {
    let queue = Queue::new().unwrap();
    let (threads, each) = (4_u64, 5_000_u64);
    let children = [(); 2].map(|()| spawn(put_range, (queue.clone(), each)).unwrap());
    let total: u64 = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| put_range(queue.clone(), each));
        }
        let consumers = [(); 2]
            .map(|()| scope.spawn(|| -> u64 { (0..3 * each).map(|_| queue.get().unwrap()).sum() }));
        consumers
            .map(|consumer| consumer.join().unwrap())
            .iter()
            .sum()
    });
    assert_eq!(total, 6 * (0..each).sum::<u64>());
    for child in children {
        child.join().unwrap();
    }
}

/// Clock ticks, of 10 ms, that a process has used.
fn ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn waiting_uses_no_processor_time() {
    let (queue, ready) = (Queue::new().unwrap(), Queue::new().unwrap());
    let child = spawn(wait_for_item, (queue.clone(), ready.clone())).unwrap();
    ready.get().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let before = ticks(child.pid());
    std::thread::sleep(Duration::from_secs(5));
    let used = ticks(child.pid()) - before;
    // The portable version polls every 2 ms.
    let allowed = if portable() { 15 } else { 1 };
    assert!(used <= allowed, "{used} ticks in 5 s");
    queue.put(1).unwrap();
    child.join().unwrap();
}

fn portable() -> bool {
    std::env::var_os("MULTIPROCESS_PORTABLE").is_some()
}
