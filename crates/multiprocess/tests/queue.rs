//! The queue: what is put comes out once, in order, whatever it is and however much of it.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Error, Lock, Queue, RawValue, Sender, Value, channel, spawn, task};
use serde::{Deserialize, Serialize};

use story::named;
use story::scene::Scene;

const MIB: usize = 1 << 20;
/// How exact a limit is kept.
const CLOSE: Duration = Duration::from_millis(50);

fn init() {
    multiprocess::init([
        task(put_answer),
        task(put_range),
        task(put_range_then_exit),
        task(double_all),
        task(work_off),
        task(add_under_lock),
        task(answer_by_sender),
        task(wait_for_item),
        task(get_one),
        task(get_large),
        task(fill_and_drain),
    ]);
}

fn main() -> ExitCode {
    let scenes = named![leave_a_queue_with_a_backlog, put_more_than_fits];
    let tests = named![
        a_child_puts_and_the_parent_gets,
        items_come_out_in_the_order_in_which_they_went_in,
        a_million_items_wait_for_a_reader_after_their_process_was_joined,
        a_child_that_exits_without_cleaning_up_has_put_its_items,
        a_full_queue_says_so_at_once_or_when_the_time_is_over,
        an_empty_queue_says_so_at_once_or_when_the_time_is_over,
        a_put_waits_for_room,
        a_get_waits_for_an_item,
        a_closed_queue_gives_what_is_in_it_and_ends,
        closing_wakes_those_who_wait,
        a_queue_of_capacity_0_is_refused,
        join_waits_for_the_last_task_done,
        one_task_done_too_many_is_an_error,
        handles_travel_in_items,
        a_request_carries_the_way_back,
        what_cannot_be_serialised_is_given_back_and_harms_nothing,
        what_cannot_be_read_is_lost_and_the_next_is_not,
        a_handle_of_ipc_channel_is_refused,
        a_queue_of_other_items_is_refused,
        large_items_go_through,
        an_item_larger_than_memory_is_given_back,
        empty_items_are_counted,
        memory_is_given_back_after_a_backlog,
        threads_and_processes_share_a_queue,
        waiting_uses_no_processor_time,
        nothing_is_left_behind,
    ];
    story::play(init, scenes, tests)
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

fn a_full_queue_says_so_at_once_or_when_the_time_is_over() {
    let queue = Queue::bounded(3).unwrap();
    assert_eq!(queue.capacity(), Some(3));
    for number in 1..=3 {
        assert!(!queue.is_full());
        queue.put(number).unwrap();
    }
    assert!(queue.is_full());
    let refused = timed(Duration::ZERO, || queue.try_put(4)).unwrap_err();
    assert!(refused.is_full(), "{refused}");
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

fn an_empty_queue_says_so_at_once_or_when_the_time_is_over() {
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

fn a_closed_queue_gives_what_is_in_it_and_ends() {
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

fn closing_wakes_those_who_wait() {
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

#[derive(Serialize, Deserialize)]
struct Errand {
    lock: Lock,
    total: Value<i64>,
    counter: RawValue<u32>,
    done: Queue<String>,
}

fn add_under_lock(errands: Queue<Errand>) {
    for errand in &errands {
        let errand = errand.expect("handles arrive");
        let guard = errand.lock.acquire().expect("nobody died");
        *errand.total.lock().expect("nobody died") += 5;
        errand.counter.update(|count| count + 1);
        drop(guard);
        errand.done.put("done".to_owned()).expect("it is open");
    }
}

fn handles_travel_in_items() {
    let errands = Queue::new().unwrap();
    let (lock, total) = (Lock::new().unwrap(), Value::new(1_i64).unwrap());
    let (counter, done) = (RawValue::new(0).unwrap(), Queue::new().unwrap());
    let child = spawn(add_under_lock, (errands.clone(),)).unwrap();
    for _ in 0..10 {
        let (lock, total) = (lock.clone(), total.clone());
        let (counter, done) = (counter.clone(), done.clone());
        let errand = Errand {
            lock,
            total,
            counter,
            done,
        };
        errands.put(errand).unwrap();
    }
    for _ in 0..10 {
        assert_eq!(done.get().unwrap(), "done");
    }
    errands.close().unwrap();
    child.join().unwrap();
    assert_eq!((total.get().unwrap(), counter.get()), (51, 10));
}

fn answer_by_sender(requests: Queue<(u32, Sender<u32>)>) {
    for request in &requests {
        let (number, answer) = request.expect("senders arrive");
        answer.send(number + 1).expect("the asker waits");
    }
}

fn a_request_carries_the_way_back() {
    let requests = Queue::new().unwrap();
    let child = spawn(answer_by_sender, (requests.clone(),)).unwrap();
    for number in 0..20 {
        let (sender, receiver) = channel().unwrap();
        requests.put((number, sender)).unwrap();
        assert_eq!(receiver.recv().unwrap(), Some(number + 1));
        assert_eq!(receiver.recv().unwrap(), None);
    }
    requests.close().unwrap();
    child.join().unwrap();

    // Nobody reads the request: with the queue, the sender in it is gone.
    let requests = Queue::new().unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    requests.put((1_u32, sender)).unwrap();
    assert!(matches!(receiver.try_recv(), Err(Error::Empty { .. })));
    drop(requests);
    assert_eq!(receiver.recv().unwrap(), None);
}

/// Refuses to be serialised when it is asked to.
#[derive(Debug, PartialEq, Deserialize)]
struct Fickle(bool);

impl Serialize for Fickle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 {
            return Err(serde::ser::Error::custom("not today"));
        }
        serializer.serialize_bool(self.0)
    }
}

fn what_cannot_be_serialised_is_given_back_and_harms_nothing() {
    let queue = Queue::new().unwrap();
    let lock = Lock::new().unwrap();
    for _ in 0..2 {
        let refused = queue.put((lock.clone(), Fickle(true))).unwrap_err();
        assert!(refused.to_string().contains("not today"), "{refused}");
        assert!(matches!(refused.error(), Error::Unsendable { .. }));
        assert_eq!(refused.into_inner().1, Fickle(true));
        queue.put((lock.clone(), Fickle(false))).unwrap();
    }
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.get().unwrap().1, Fickle(false));
    drop(lock.acquire().unwrap());
}

/// Serialises well, but reads back only small numbers.
#[derive(Debug, Serialize)]
struct Small(u32);

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Small, D::Error> {
        let number = u32::deserialize(deserializer)?;
        assert!(number != 66, "a panic in Deserialize");
        if number > 9 {
            return Err(serde::de::Error::custom("too large"));
        }
        Ok(Small(number))
    }
}

fn what_cannot_be_read_is_lost_and_the_next_is_not() {
    let queue = Queue::new().unwrap();
    for number in [1, 10, 66, 2] {
        queue.put(Small(number)).unwrap();
    }
    queue.close().unwrap();
    let read: Vec<Option<u32>> = queue
        .iter()
        .map(|item| match item {
            Ok(small) => Some(small.0),
            Err(error) => {
                assert!(matches!(error, Error::Unreadable { .. }), "{error}");
                None
            }
        })
        .collect();
    assert_eq!(read, [Some(1), None, None, Some(2)]);
}

fn a_handle_of_ipc_channel_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        sender: Option<ipc_channel::ipc::IpcSender<u8>>,
    }
    let (sender, _receiver) = ipc_channel::ipc::channel::<u8>().unwrap();
    let plain = Queue::new().unwrap();
    let refused = plain.put(vec![sender.clone()]).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");

    let hidden = Queue::new().unwrap();
    let item = Hidden {
        sender: Some(sender.clone()),
    };
    let refused = hidden.put(item).unwrap_err();
    assert!(refused.to_string().contains("ipc-channel"), "{refused}");

    // One that is found only later cannot be read.
    hidden.put(Hidden { sender: None }).unwrap();
    hidden.put(refused.into_inner()).unwrap();
    assert!(hidden.get().unwrap().sender.is_none());
    assert!(matches!(hidden.get(), Err(Error::Unreadable { .. })));
}

fn get_one(queue: Queue<u64>) -> u64 {
    queue.get().expect("an item is there")
}

fn a_queue_of_other_items_is_refused() {
    let numbers = Queue::<u64>::new().unwrap();
    let bytes = postcard::to_stdvec(&numbers).unwrap();
    assert!(postcard::from_bytes::<Queue<String>>(&bytes).is_err());
    // The ticket of this one is used up.
    let same: Queue<u64> = postcard::from_bytes(&bytes).unwrap();
    same.put(3).unwrap();
    assert_eq!(spawn(get_one, (numbers,)).unwrap().join().unwrap(), 3);
}

fn get_large(queue: Queue<Vec<u8>>, count: usize) -> usize {
    let mut total = 0;
    for _ in 0..count {
        let item = queue.get().expect("it is read");
        assert!(item.iter().all(|&byte| byte == 7));
        total += item.len();
    }
    total
}

fn large_items_go_through() {
    let queue = Queue::new().unwrap();
    let child = spawn(get_large, (queue.clone(), 3)).unwrap();
    queue.put(vec![7_u8; 64 * MIB]).unwrap();
    queue.put(Vec::new()).unwrap();
    queue.put(vec![7; MIB]).unwrap();
    assert_eq!(child.join().unwrap(), 65 * MIB);
    assert!(queue.is_empty());
}

fn put_more_than_fits() {
    init();
    let queue = Queue::new().unwrap();
    queue.put(vec![1_u8; 10]).unwrap();
    let refused = queue.put(vec![2; 8 * MIB]).unwrap_err();
    assert!(matches!(refused.error(), Error::Memory { .. }), "{refused}");
    assert_eq!(refused.into_inner().len(), 8 * MIB);
    queue.put(vec![3; 100_000]).unwrap();
    queue.put(vec![4; 100_000]).unwrap();
    let lengths = [(); 3].map(|()| queue.get().unwrap().len());
    assert_eq!(lengths, [10, 100_000, 100_000]);
    assert!(queue.is_empty());
}

fn an_item_larger_than_memory_is_given_back() {
    // No file, of shared memory either, may be larger than 2 MiB.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$PROGRAM\"";
    Scene::by_shell(script, "put_more_than_fits").succeed();
}

fn empty_items_are_counted() {
    let queue = Queue::new().unwrap();
    for _ in 0..20_000 {
        queue.put(()).unwrap();
    }
    assert_eq!(queue.len(), 20_000);
    for _ in 0..20_000 {
        queue.get().unwrap();
    }
    assert!(queue.is_empty());
}

fn shared_memory() -> Vec<(String, u64)> {
    let entries = std::fs::read_dir("/dev/shm").unwrap();
    entries
        .flatten()
        .filter_map(|entry| {
            use std::os::unix::fs::MetadataExt;
            let name = entry.file_name().to_str()?.to_owned();
            Some((name, entry.metadata().ok()?.blocks() * 512))
        })
        .collect()
}

fn fill_and_drain(queue: Queue<Vec<u8>>) {
    for _ in 0..64 {
        queue.put(vec![1; MIB]).expect("it is open");
    }
    for _ in 0..64 {
        queue.get().expect("it is there");
    }
}

fn memory_is_given_back_after_a_backlog() {
    let queue = Queue::new().unwrap();
    let text = format!("{queue:?}");
    let name = text.split("memory: ").nth(1).unwrap();
    let name = name.split_whitespace().next().unwrap().to_owned();
    let used = || -> u64 {
        let all = shared_memory();
        let ours = all.iter().filter(|(found, _)| found.starts_with(&name));
        ours.map(|(_, bytes)| bytes).sum()
    };
    assert!((64 << 10..128 << 10).contains(&used()), "{}", used());
    for _ in 0..3 {
        spawn(fill_and_drain, (queue.clone(),))
            .unwrap()
            .join()
            .unwrap();
        // The large ring goes with the first small item, or with the first wait.
        queue.put(Vec::new()).unwrap();
        queue.get().unwrap();
        let _ = queue.get_timeout(Duration::from_millis(150));
        assert!(used() < 128 << 10, "{}", used());
    }
}

fn threads_and_processes_share_a_queue() {
    let queue = Queue::new().unwrap();
    let (threads, each) = (4_u64, 5_000_u64);
    let children = [(); 2].map(|()| spawn(put_range, (queue.clone(), each)).unwrap());
    let total: u64 = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| put_range(queue.clone(), each));
        }
        let getters = [(); 2]
            .map(|()| scope.spawn(|| -> u64 { (0..3 * each).map(|_| queue.get().unwrap()).sum() }));
        getters.map(|getter| getter.join().unwrap()).iter().sum()
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
    // The twin looks every 2 ms.
    let allowed = if portable() { 15 } else { 1 };
    assert!(used <= allowed, "{used} ticks in 5 s");
    queue.put(1).unwrap();
    child.join().unwrap();
}

fn portable() -> bool {
    std::env::var_os("MULTIPROCESS_PORTABLE").is_some()
}

fn leave_a_queue_with_a_backlog() {
    init();
    let queue = Queue::new().unwrap();
    spawn(put_range, (queue.clone(), 100_000))
        .unwrap()
        .join()
        .unwrap();
    let (sender, receiver) = channel::<Vec<u8>>().unwrap();
    sender.send(vec![1; 5 * MIB]).unwrap();
    let text = format!("{queue:?} {receiver:?}");
    for name in text.split("memory: ").skip(1) {
        println!("{}", name.split_whitespace().next().unwrap());
    }
}

fn nothing_is_left_behind() {
    let names = Scene::new("leave_a_queue_with_a_backlog").succeed();
    assert_eq!(names.len(), 2, "{names:?}");
    let left = shared_memory();
    for name in names {
        assert!(
            left.iter().all(|(found, _)| !found.starts_with(&name)),
            "{left:?}"
        );
    }
}
