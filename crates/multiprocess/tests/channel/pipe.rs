//! The pipe: both ends send and receive, and notice when the other is closed.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multiprocess::{
    Array, Connection, Error, Lock, Queue, Sender, channel, pipe, spawn, task, wait, wait_timeout,
};

use story::named;
use story::unread::Unreadable;

const MIB: usize = 1 << 20;

fn init() {
    multiprocess::init([
        task(add_one),
        task(converse),
        task(swap_large),
        task(send_and_hang),
        task(send_large_for_ever),
        task(return_end),
        task(use_arrived_end),
        task(send_after),
        task(cannot_be_called),
        task(receive_nothing),
    ]);
}

pub(crate) fn main() -> ExitCode {
    let tests = named![
        a_question_is_answered,
        messages_go_both_ways_until_the_end,
        both_ends_send_64_mib_at_once,
        the_end_comes_after_what_was_sent,
        a_killed_process_is_the_end,
        a_process_killed_in_the_middle_of_a_large_message_is_the_end,
        a_child_that_dies_before_it_has_its_end_is_the_end,
        sending_to_a_closed_end_returns_the_message,
        sending_to_a_dead_process_returns_the_message,
        poll_keeps_its_limit_and_sees_the_end,
        the_first_sender_is_received_first,
        an_end_travels_in_a_message_and_in_a_result,
        an_end_that_was_given_away_cannot_be_used,
        a_message_that_cannot_be_serialised_is_returned,
        handles_travel_in_messages,
        a_message_that_a_killed_process_did_not_receive_frees_its_handles,
        threads_may_send_and_receive_on_one_end_at_once,
        a_pipe_within_one_process_works,
    ];
    story::play(init, &[], tests)
}

fn add_one(asker: Connection<i64, i64>) {
    for number in &asker {
        let number = number.expect("numbers can be read");
        asker.send(number + 1).expect("the asker is there");
    }
}

fn a_question_is_answered() {
    let (ours, theirs) = pipe::<i64, i64>().unwrap();
    let child = spawn(add_one, (theirs,)).unwrap();
    for number in [10, 0, -1, i64::MAX - 1] {
        ours.send(number).unwrap();
        assert_eq!(ours.recv().unwrap(), number + 1);
    }
    ours.close();
    child.join().unwrap();
}

fn converse(parent: Connection<String, u32>) -> u32 {
    let mut sum = 0;
    for number in &parent {
        let number = number.expect("numbers can be read");
        sum += number;
        for _ in 0..number {
            parent
                .send(format!("word {number}"))
                .expect("the parent is there");
        }
        if number == 0 {
            break;
        }
    }
    sum
}

fn messages_go_both_ways_until_the_end() {
    let (ours, theirs) = pipe::<u32, String>().unwrap();
    let child = spawn(converse, (theirs,)).unwrap();
    for number in [3, 1, 4, 0] {
        ours.send(number).unwrap();
    }
    let words: Vec<String> = ours.iter().map(Result::unwrap).collect();
    assert_eq!(words.len(), 8);
    assert_eq!(words[3], "word 1");
    assert!(ours.recv().unwrap_err().is_closed());
    assert_eq!(child.join().unwrap(), 8);
}

fn swap_large(other: Connection<Vec<u8>, Vec<u8>>, byte: u8) -> usize {
    other
        .send(vec![byte; 64 * MIB])
        .expect("the other is there");
    let theirs = other.recv().expect("they send one");
    assert!(theirs.iter().all(|&theirs| theirs == 1 - byte));
    theirs.len()
}

fn both_ends_send_64_mib_at_once() {
    let (ours, theirs) = pipe().unwrap();
    let child = spawn(swap_large, (theirs, 1)).unwrap();
    assert_eq!(swap_large(ours, 0), 64 * MIB);
    assert_eq!(child.join().unwrap(), 64 * MIB);
}

fn the_end_comes_after_what_was_sent() {
    let (ours, theirs) = pipe::<(), u32>().unwrap();
    theirs.send(1).unwrap();
    theirs.send(2).unwrap();
    drop(theirs);
    assert_eq!(ours.recv().unwrap(), 1);
    assert_eq!(ours.try_recv().unwrap(), 2);
    assert!(ours.try_recv().unwrap_err().is_closed());
    assert!(ours.recv().unwrap_err().is_closed());
    assert!(ours.recv_timeout(Duration::ZERO).unwrap_err().is_closed());
}

fn send_and_hang(parent: Connection<u32, ()>, count: u32) {
    for number in 0..count {
        parent.send(number).expect("the parent is there");
    }
    story::a_minute();
}

fn a_killed_process_is_the_end() {
    let (ours, theirs) = pipe::<(), u32>().unwrap();
    let child = spawn(send_and_hang, (theirs, 5)).unwrap();
    assert_eq!(ours.recv().unwrap(), 0);
    story::until("all five are sent", || ours.poll(Duration::ZERO).unwrap());
    std::thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    child.kill().unwrap();
    let rest: Vec<u32> = ours.iter().map(Result::unwrap).collect();
    assert_eq!(rest, [1, 2, 3, 4]);
    assert!(start.elapsed() < Duration::from_secs(10));
    child.join().unwrap_err();
}

fn cannot_be_called(_: Unreadable, _: Connection<(), u32>) {}

fn a_child_that_dies_before_it_has_its_end_is_the_end() {
    let (ours, theirs) = pipe::<u32, ()>().unwrap();
    let child = spawn(cannot_be_called, (Unreadable, theirs)).unwrap();
    // The child is not joined before.
    let limit = story::LIMIT / 4;
    assert!(ours.recv_timeout(limit).unwrap_err().is_closed());
    assert!(ours.send(1).unwrap_err().is_closed());
    let error = child.join().unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
}

fn send_large_for_ever(parent: Connection<Vec<u64>, ()>) {
    for number in 0.. {
        parent
            .send(vec![number; MIB / 8])
            .expect("the parent is there");
    }
}

fn a_process_killed_in_the_middle_of_a_large_message_is_the_end() {
    for pause in [0, 1, 3, 7, 15] {
        let (ours, theirs) = pipe::<(), Vec<u64>>().unwrap();
        let child = spawn(send_large_for_ever, (theirs,)).unwrap();
        let mut count = 0;
        let mut check = |message: Vec<u64>| {
            assert!(message.len() == MIB / 8 && message.iter().all(|&number| number == count));
            count += 1;
        };
        check(ours.recv().unwrap());
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        for message in &ours {
            check(message.unwrap());
        }
        child.join().unwrap_err();
    }
}

fn sending_to_a_closed_end_returns_the_message() {
    let (ours, theirs) = pipe::<String, ()>().unwrap();
    theirs.close();
    let refused = ours.send("hello".to_owned()).unwrap_err();
    assert!(refused.is_closed(), "{refused}");
    assert_eq!(refused.into_inner(), "hello");
}

fn sending_to_a_dead_process_returns_the_message() {
    let (ours, theirs) = pipe::<(), u32>().unwrap();
    let child = spawn(send_and_hang, (theirs, 1)).unwrap();
    assert_eq!(ours.recv().unwrap(), 0);
    ours.send(()).unwrap();
    child.kill().unwrap();
    child.join().unwrap_err();
    assert!(ours.send(()).unwrap_err().is_closed());
}

fn poll_keeps_its_limit_and_sees_the_end() {
    let (ours, theirs) = pipe::<(), u32>().unwrap();
    let limit = Duration::from_millis(100);
    let start = Instant::now();
    assert!(!ours.poll(limit).unwrap());
    assert!((limit..limit + Duration::from_secs(10)).contains(&start.elapsed()));
    assert!(matches!(
        ours.recv_timeout(limit),
        Err(Error::Timeout { .. })
    ));
    assert!(matches!(ours.try_recv(), Err(Error::Empty { .. })));
    theirs.send(1).unwrap();
    assert!(ours.poll(Duration::ZERO).unwrap());
    assert_eq!(ours.recv().unwrap(), 1);
    assert!(!ours.poll(Duration::ZERO).unwrap());
    drop(theirs);
    assert!(ours.poll(limit).unwrap());
    assert!(ours.recv().unwrap_err().is_closed());
}

fn send_after(parent: Connection<u32, ()>, number: u32) {
    // Waits for the parent.
    parent.recv().expect("the parent speaks");
    parent.send(number).expect("the parent is there");
    assert!(parent.recv().unwrap_err().is_closed());
}

fn the_first_sender_is_received_first() {
    let mut ends = Vec::new();
    let mut children = Vec::new();
    for number in 0..5 {
        let (ours, theirs) = pipe::<(), u32>().unwrap();
        children.push(spawn(send_after, (theirs, number)).unwrap());
        ends.push(ours);
    }
    let all = || -> Vec<&dyn multiprocess::Waitable> {
        ends.iter()
            .map(|end| end as &dyn multiprocess::Waitable)
            .collect()
    };
    let early = wait_timeout(&all(), Duration::from_millis(60));
    assert!(early.unwrap_err().is_timeout());
    for speaker in [3, 0, 4, 1, 2] {
        ends[speaker].send(()).unwrap();
        assert_eq!(wait(&all()), [speaker]);
        let received = ends[speaker].recv().unwrap();
        assert_eq!(received, u32::try_from(speaker).unwrap());
    }
    children[2].kill().unwrap();
    assert_eq!(wait(&all()), [2]);
    assert!(ends[2].recv().unwrap_err().is_closed());
    drop(ends);
    for (number, child) in children.into_iter().enumerate() {
        assert_eq!(child.join().is_ok(), number != 2);
    }
}

fn return_end(parent: Connection<u32, u32>) -> Connection<u32, u32> {
    parent.send(1).expect("the parent is there");
    parent
}

fn use_arrived_end(ends: Queue<Connection<u32, u32>>) {
    let end = ends.get().expect("an end arrives");
    end.send(5).expect("the parent is there");
    assert_eq!(end.recv().expect("it can be read"), 6);
}

fn an_end_travels_in_a_message_and_in_a_result() {
    let (ours, theirs) = pipe::<u32, u32>().unwrap();
    let child = spawn(return_end, (theirs,)).unwrap();
    let theirs = child.join().unwrap();
    assert_eq!(ours.recv().unwrap(), 1);
    ours.send(2).unwrap();
    assert_eq!(theirs.recv().unwrap(), 2);

    let ends = Queue::new().unwrap();
    let child = spawn(use_arrived_end, (ends.clone(),)).unwrap();
    ends.put(theirs).unwrap();
    assert_eq!(ours.recv().unwrap(), 5);
    ours.send(6).unwrap();
    child.join().unwrap();
    assert!(ours.recv().unwrap_err().is_closed());
}

fn an_end_that_was_given_away_cannot_be_used() {
    // Serialising a reference to an end moves the end to the other process.
    struct Loan(Arc<Connection<u32, u32>>);
    impl serde::Serialize for Loan {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serde::Serialize::serialize(self.0.as_ref(), serializer)
        }
    }
    impl<'de> serde::Deserialize<'de> for Loan {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Loan, D::Error> {
            <Connection<u32, u32> as serde::Deserialize>::deserialize(deserializer)
                .map(|end| Loan(Arc::new(end)))
        }
    }
    let (ours, theirs) = pipe::<u32, u32>().unwrap();
    let kept = Arc::new(theirs);
    let post = Queue::new().unwrap();
    post.put(Loan(Arc::clone(&kept))).unwrap();
    assert!(matches!(kept.recv(), Err(Error::GivenAway { .. })));
    let refused = kept.send(1).unwrap_err();
    assert!(matches!(refused.error(), Error::GivenAway { .. }));
    drop(kept);
    let arrived = post.get().unwrap();
    arrived.0.send(3).unwrap();
    assert_eq!(ours.recv().unwrap(), 3);
}

fn a_message_that_cannot_be_serialised_is_returned() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Never(u8);
    impl serde::Serialize for Never {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    let (ours, theirs) = pipe::<Result<u8, Never>, ()>().unwrap();
    ours.send(Ok(1)).unwrap();
    let refused = ours.send(Err(Never(2))).unwrap_err();
    assert!(refused.to_string().contains("never"), "{refused}");
    assert_eq!(refused.into_inner(), Err(Never(2)));
    ours.send(Ok(3)).unwrap();
    assert_eq!(theirs.recv().unwrap(), Ok(1));
    assert_eq!(theirs.recv().unwrap(), Ok(3));
}

fn handles_travel_in_messages() {
    let (ours, theirs) = pipe::<(Lock, Connection<u8, u8>), ()>().unwrap();
    let (inner, other) = pipe::<u8, u8>().unwrap();
    let lock = Lock::new().unwrap();
    ours.send((lock.clone(), other)).unwrap();
    let (same, arrived) = theirs.recv().unwrap();
    let guard = same.lock().unwrap();
    assert!(lock.lock().is_err());
    drop(guard);
    inner.send(1).unwrap();
    assert_eq!(arrived.recv().unwrap(), 1);
    // This end is not received: it is freed with the message.
    let (inner, other) = pipe::<u8, u8>().unwrap();
    ours.send((lock, other)).unwrap();
    drop(theirs);
    assert!(inner.recv().unwrap_err().is_closed());
}

type Work = (Array<u8>, Sender<u32>);

fn receive_nothing(work: Connection<u32, Work>) {
    work.send(1).expect("the parent is there");
    story::a_minute();
}

fn a_message_that_a_killed_process_did_not_receive_frees_its_handles() {
    for is_right in [false, true] {
        let (ours, theirs) = if is_right {
            let (theirs, ours) = pipe::<u32, Work>().unwrap();
            (ours, theirs)
        } else {
            pipe::<Work, u32>().unwrap()
        };
        let child = spawn(receive_nothing, (theirs,)).unwrap();
        assert_eq!(ours.recv().unwrap(), 1);
        let array = Array::new(10).unwrap();
        let memory = story::memory_name(&array);
        assert!(story::left::is_in_use(&memory), "{memory}");
        let (answer, answers) = channel().unwrap();
        ours.send((array, answer)).unwrap();
        child.kill().unwrap();
        child.join().unwrap_err();
        drop(ours);
        let end = answers.recv_timeout(story::LIMIT / 6);
        assert!(end.unwrap_err().is_closed());
        assert!(!story::left::is_in_use(&memory), "{memory}");
    }
}

fn threads_may_send_and_receive_on_one_end_at_once() {
    let (ours, theirs) = pipe::<i64, i64>().unwrap();
    let child = spawn(add_one, (theirs,)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..1000).for_each(|number| ours.send(number).unwrap()));
        }
        let sum: i64 = (0..2000).map(|_| ours.recv().unwrap()).sum();
        assert_eq!(sum, 2 * (1..=1000).sum::<i64>());
    });
    drop(ours);
    child.join().unwrap();
}

fn a_pipe_within_one_process_works() {
    let (ours, theirs) = pipe::<u32, u32>().unwrap();
    for number in 0..100_000 {
        ours.send(number).unwrap();
        theirs.send(number).unwrap();
    }
    for number in 0..100_000 {
        assert_eq!(ours.recv().unwrap(), number);
        assert_eq!(theirs.recv().unwrap(), number);
    }
}
