//! What goes through a queue: handles, large items, items that cannot travel; and what it leaves behind.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Array, Error, Lock, Queue, RawValue, Receiver, Sender, Value, channel, spawn, task,
};
use serde::{Deserialize, Serialize};

use story::forged::{Forged, bytes_of};
use story::named;
use story::scene::Scene;

const MIB: usize = 1 << 20;

fn init() {
    multiprocess::init([
        task(put_range),
        task(add_under_lock),
        task(answer_by_sender),
        task(quit),
        task(drop_together),
        task(get_none),
        task(get_one),
        task(get_large),
        task(fill_and_drain),
    ]);
}

pub(crate) fn main() -> ExitCode {
    let scenes = named![
        leave_a_queue_with_a_backlog,
        has_backlogs,
        put_more_than_fits,
        put_where_no_longer_ring_fits,
    ];
    let tests = named![
        handles_travel_in_items,
        a_request_carries_the_way_back,
        with_a_queue_that_a_child_had_its_items_are_gone,
        of_two_that_drop_a_queue_at_once_one_is_last,
        an_item_that_cannot_be_serialised_is_returned_and_affects_no_other,
        an_unreadable_item_is_lost_but_not_the_next,
        a_queue_of_other_items_is_refused,
        large_items_go_through,
        an_item_larger_than_memory_is_returned,
        a_backlog_grows_where_there_is_no_room_to_double,
        empty_items_are_counted,
        memory_is_freed_after_a_backlog,
        nothing_is_left_behind,
    ];
    story::play(init, scenes, tests)
}

fn put_range(queue: Queue<u64>, count: u64) {
    for number in 0..count {
        queue.put(number).expect("it is open");
    }
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
        let guard = errand.lock.lock().expect("it can be locked");
        *errand.total.lock().expect("it can be locked") += 5;
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
        assert_eq!(receiver.recv().unwrap(), number + 1);
        assert!(receiver.recv().unwrap_err().is_closed());
    }
    requests.close().unwrap();
    child.join().unwrap();

    // The request is not read: the sender in it is freed with the queue.
    let requests = Queue::new().unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    requests.put((1_u32, sender)).unwrap();
    assert!(matches!(receiver.try_recv(), Err(Error::Empty { .. })));
    drop(requests);
    assert!(receiver.recv().unwrap_err().is_closed());
}

type Requests = Queue<(u32, Sender<u32>)>;

fn quit(_: Requests) {}

/// No sender is left, or the limit has passed.
fn ends(receiver: &Receiver<u32>) {
    let end = receiver.recv_timeout(story::LIMIT / 6);
    assert!(end.unwrap_err().is_closed());
}

fn with_a_queue_that_a_child_had_its_items_are_gone() {
    let requests = Queue::new().unwrap();
    let numbers = Queue::new().unwrap();
    let child = spawn(quit, (requests.clone(),)).unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    requests.put((1_u32, sender)).unwrap();
    let array = Array::new(10).unwrap();
    let name = story::memory_name(&array);
    numbers.put(array).unwrap();
    let second = spawn(get_none, (numbers.clone(),)).unwrap();
    drop((requests, numbers));
    child.join().unwrap();
    second.join().unwrap();
    ends(&receiver);
    assert!(!story::left::is_in_use(&name), "{name}");
}

fn get_none(_: Queue<Array<u8>>) {}

/// Handles, each dropped at the moment at which the other one drops its own.
fn drop_together(handles: Receiver<Requests>, here: RawValue<u32>) {
    for (requests, both) in handles.iter().zip((2..).step_by(2)) {
        let requests = requests.expect("handles arrive");
        here.update(|count| count + 1);
        let start = Instant::now();
        // A thread that sleeps here is late.
        while here.get() < both {
            assert!(start.elapsed() < story::LIMIT / 3, "the other one is gone");
            std::hint::spin_loop();
        }
        drop(requests);
    }
}

fn of_two_that_drop_a_queue_at_once_one_is_last() {
    // Two processes; then two threads of this one, with a handle for each that came by a message of its own.
    for in_one_process in [false, true] {
        let here = RawValue::new(0).unwrap();
        let (first, first_handles) = channel().unwrap();
        let (second, second_handles) = channel().unwrap();
        let mut receivers = Vec::new();
        for _ in 0..50 {
            let requests = Requests::new().unwrap();
            let (sender, receiver) = channel::<u32>().unwrap();
            requests.put((1, sender)).unwrap();
            first.send(requests.clone()).unwrap();
            second.send(requests).unwrap();
            receivers.push(receiver);
        }
        drop((first, second));
        if in_one_process {
            std::thread::scope(|scope| {
                scope.spawn(|| drop_together(first_handles, here.clone()));
                drop_together(second_handles, here.clone());
            });
        } else {
            let children = [first_handles, second_handles]
                .map(|handles| spawn(drop_together, (handles, here.clone())).unwrap());
            for child in children {
                child.join().unwrap();
            }
        }
        receivers.iter().for_each(ends);
    }
}

/// Can be set to refuse to be serialised.
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

fn an_item_that_cannot_be_serialised_is_returned_and_affects_no_other() {
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
    drop(lock.lock().unwrap());
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

fn an_unreadable_item_is_lost_but_not_the_next() {
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

fn get_one(queue: Queue<u64>) -> u64 {
    queue.get().expect("an item is there")
}

fn a_queue_of_other_items_is_refused() {
    let numbers = Queue::<u64>::new().unwrap();
    let items = Queue::new().unwrap();
    let bytes = bytes_of(numbers.clone());
    items
        .put(Forged::<Queue<String>>::Sent(bytes.clone()))
        .unwrap();
    let refused = items.get().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("is expected"), "{refused}");
    let items = Queue::new().unwrap();
    items.put(Forged::<Queue<u64>>::Sent(bytes)).unwrap();
    let Forged::Read(same) = items.get().unwrap() else {
        unreachable!("it was sent")
    };
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

fn an_item_larger_than_memory_is_returned() {
    // No file may be larger than 2 MiB, and so no shared memory either.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$PROGRAM\"";
    Scene::by_shell(script, "put_more_than_fits").succeed();
}

fn put_where_no_longer_ring_fits() {
    init();
    let queue = Queue::new().unwrap();
    for number in 0..60_u8 {
        queue.put(vec![number; 100_000]).unwrap();
    }
    for number in 0..60 {
        assert_eq!(queue.get().unwrap(), vec![number; 100_000]);
    }
    assert!(queue.is_empty());
}

fn a_backlog_grows_where_there_is_no_room_to_double() {
    // No file may be larger than 2 MiB, and so no shared memory either.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$PROGRAM\"";
    Scene::by_shell(script, "put_where_no_longer_ring_fits").succeed();
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
    let entries = std::fs::read_dir(story::left::folder()).unwrap();
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

fn has_backlogs() {
    init();
    let queue = Queue::new().unwrap();
    let used = || -> u64 {
        let beginning = format!("mp-{:x}-", std::process::id());
        let all = shared_memory();
        let ours = all
            .iter()
            .filter(|(found, _)| found.starts_with(&beginning));
        ours.map(|(_, bytes)| bytes).sum()
    };
    let before = used();
    for _ in 0..3 {
        spawn(fill_and_drain, (queue.clone(),))
            .unwrap()
            .join()
            .unwrap();
        // The large ring goes with the first small item, or with the first wait.
        queue.put(Vec::new()).unwrap();
        queue.get().unwrap();
        let _ = queue.get_timeout(Duration::from_millis(150));
        // The file of the child is no longer there, and the chunk in which it made a ring is removed soon.
        story::until("the memory is freed", || used() <= before + (8 << 10));
    }
}

fn memory_is_freed_after_a_backlog() {
    Scene::new("has_backlogs").succeed();
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
