//! The channel: both sides see its end, for whatever reason it ends.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Error, Event, Queue, Receiver, Sender, bounded_channel, channel, spawn, task, wait,
};

use serde::de::DeserializeOwned;

use story::forged::{Forged, bytes_of};
use story::unread::{Deadly, Unreadable};
use story::{named, proc};

fn init() {
    multiprocess::init([
        task(send_some),
        task(send_and_hang),
        task(send_and_exit),
        task(drop_receiver),
        task(hold_receiver),
        task(hold_requests),
        task(receive_all),
        task(pass_on),
        task(ignore),
        task(ignore_late),
        task(die),
        task(fail),
    ]);
}

pub(crate) fn main() -> ExitCode {
    let tests = named![
        a_channel_ends_when_its_last_sender_is_dropped,
        it_ends_at_once_when_the_last_sender_is_dropped_elsewhere,
        it_ends_when_the_last_sender_is_killed,
        it_ends_when_the_last_sender_exits_without_cleaning_up,
        it_does_not_end_while_a_sender_is_on_its_way,
        it_ends_when_a_sender_on_its_way_cannot_arrive,
        it_ends_when_a_child_dies_before_it_has_read_its_sender,
        it_ends_when_a_child_is_killed_as_it_starts,
        it_ends_for_others_while_their_parent_waits_for_them,
        it_continues_while_one_sender_is_in_flight_and_another_is_lost,
        it_ends_for_each_of_several_receivers,
        sending_without_a_receiver_returns_the_message,
        sending_to_a_child_that_dropped_its_receiver_returns_the_message,
        sending_to_a_killed_receiver_returns_the_message,
        a_sender_that_waits_for_room_sees_that_the_receiver_is_gone,
        a_message_that_was_not_received_frees_its_handles,
        a_message_to_a_killed_receiver_frees_its_handles,
        a_message_sent_while_the_receiver_ends_frees_its_handles,
        messages_that_hold_their_own_channel_go_one_by_one,
        the_halves_are_not_mixed_up,
        waiting_for_several_returns_the_ready_ones,
        a_bounded_channel_is_full_and_empty,
        an_arrived_sender_can_be_passed_on,
    ];
    story::play(init, &[], tests)
}

fn send_some(sender: Sender<u32>, count: u32) {
    for number in 0..count {
        sender.send(number).expect("there is a receiver");
    }
}

fn a_channel_ends_when_its_last_sender_is_dropped() {
    let (sender, receiver) = channel().unwrap();
    let second = sender.clone();
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.recv().unwrap(), 1);
    let none = receiver
        .recv_timeout(Duration::from_millis(20))
        .unwrap_err();
    assert!(matches!(none, Error::Timeout { .. }), "{none}");
    second.send(2).unwrap();
    drop(second);
    assert_eq!(receiver.recv().unwrap(), 2);
    assert!(receiver.recv().unwrap_err().is_closed());
    assert!(receiver.try_recv().unwrap_err().is_closed());
    assert!(
        receiver
            .recv_timeout(Duration::ZERO)
            .unwrap_err()
            .is_closed()
    );
}

fn it_ends_at_once_when_the_last_sender_is_dropped_elsewhere() {
    let (sender, receiver) = channel().unwrap();
    let children = [(); 3].map(|()| spawn(send_some, (sender.clone(), 1000)).unwrap());
    drop(sender);
    let all: Vec<u32> = receiver.iter().map(Result::unwrap).collect();
    assert_eq!(all.len(), 3000);
    for child in children {
        child.join().unwrap();
    }
}

fn send_and_hang(sender: Sender<u32>, count: u32) {
    send_some(sender.clone(), count);
    story::a_minute();
}

fn it_ends_when_the_last_sender_is_killed() {
    let (sender, receiver) = channel().unwrap();
    let child = spawn(send_and_hang, (sender, 3)).unwrap();
    for number in 0..3 {
        assert_eq!(receiver.recv().unwrap(), number);
    }
    let waiting = std::thread::spawn(move || receiver.recv());
    std::thread::sleep(Duration::from_millis(60));
    let start = Instant::now();
    child.kill().unwrap();
    assert!(waiting.join().unwrap().unwrap_err().is_closed());
    assert!(start.elapsed() < Duration::from_secs(10));
    child.join().unwrap_err();
}

fn send_and_exit(sender: Sender<u32>, count: u32) {
    send_some(sender.clone(), count);
    std::process::exit(7);
}

fn it_ends_when_the_last_sender_exits_without_cleaning_up() {
    let (sender, receiver) = channel().unwrap();
    let child = spawn(send_and_exit, (sender, 5)).unwrap();
    assert_eq!(receiver.iter().count(), 5);
    child.join().unwrap_err();
    // Now it is known without any wait.
    assert!(receiver.try_recv().unwrap_err().is_closed());
}

fn it_does_not_end_while_a_sender_is_on_its_way() {
    let post = Queue::new().unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    post.put(sender).unwrap();
    let none = receiver
        .recv_timeout(Duration::from_millis(150))
        .unwrap_err();
    assert!(matches!(none, Error::Timeout { .. }), "{none}");
    let sender: Sender<u32> = post.get().unwrap();
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.recv().unwrap(), 1);
    assert!(receiver.recv().unwrap_err().is_closed());
}

fn ignore(_: Sender<u32>, _: Unreadable) {}

fn fail(_: Sender<u32>) {
    std::process::exit(1);
}

fn it_ends_when_a_sender_on_its_way_cannot_arrive() {
    // The arguments cannot be read: the sender in them is dropped.
    let (sender, receiver) = channel::<u32>().unwrap();
    spawn(ignore, (sender, Unreadable))
        .unwrap()
        .join()
        .unwrap_err();
    assert!(receiver.recv().unwrap_err().is_closed());
    // The function ignores it.
    let (sender, receiver) = channel::<u32>().unwrap();
    spawn(fail, (sender,)).unwrap().join().unwrap_err();
    assert!(receiver.recv().unwrap_err().is_closed());
    // The message was closed out of the queue.
    let post = Queue::new().unwrap();
    post.close().unwrap();
    let (sender, receiver) = channel::<u32>().unwrap();
    let refused = post.put(sender).unwrap_err();
    assert!(matches!(receiver.try_recv(), Err(Error::Empty { .. })));
    drop(refused);
    assert!(receiver.recv().unwrap_err().is_closed());
}

fn ignore_late(_: Unreadable, _: Sender<u32>) {}

/// The child is neither joined nor polled before the end arrives.
#[track_caller]
fn assert_ends(receiver: &Receiver<u32>) {
    let limit = story::LIMIT / 4;
    assert!(receiver.recv_timeout(limit).unwrap_err().is_closed());
}

fn it_ends_when_a_child_dies_before_it_has_read_its_sender() {
    let (sender, receiver) = channel().unwrap();
    let child = spawn(ignore_late, (Unreadable, sender)).unwrap();
    assert_ends(&receiver);
    let error = child.join().unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
}

fn it_ends_when_a_child_is_killed_as_it_starts() {
    let (sender, receiver) = channel().unwrap();
    let child = spawn(send_and_hang, (sender, 0)).unwrap();
    // From outside, so the parent does not know.
    proc::kill(child.pid());
    assert_ends(&receiver);
    let error = child.join().unwrap_err();
    assert!(matches!(error, Error::Killed { .. }), "{error}");
}

fn it_ends_for_others_while_their_parent_waits_for_them() {
    let (sender, receiver) = channel().unwrap();
    let mut child = spawn(receive_all, (receiver,)).unwrap();
    let dies = spawn(ignore_late, (Unreadable, sender)).unwrap();
    let count = child.join_timeout(story::LIMIT / 4).unwrap();
    assert_eq!(count, 0);
    dies.join().unwrap_err();
}

fn die(_: Sender<u32>, _: Deadly) {}

fn it_continues_while_one_sender_is_in_flight_and_another_is_lost() {
    let post = Queue::new().unwrap();
    for lose in [
        |sender| spawn(ignore, (sender, Unreadable)).unwrap(),
        |sender| spawn(die, (sender, Deadly)).unwrap(),
    ] {
        let (sender, receiver) = channel::<u32>().unwrap();
        post.put(sender.clone()).unwrap();
        lose(sender).join().unwrap_err();
        let none = receiver.try_recv().unwrap_err();
        assert!(matches!(none, Error::Empty { .. }), "{none}");
        let sender: Sender<u32> = post.get().unwrap();
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().unwrap(), 1);
        assert!(receiver.recv().unwrap_err().is_closed());
    }
}

fn receive_all(receiver: Receiver<u32>) -> usize {
    receiver
        .iter()
        .map(Result::unwrap)
        .collect::<Vec<u32>>()
        .len()
}

fn it_ends_for_each_of_several_receivers() {
    let (sender, receiver) = channel().unwrap();
    let children = [(); 3].map(|()| spawn(receive_all, (receiver.clone(),)).unwrap());
    send_some(sender, 10_000);
    let own = receive_all(receiver);
    let total: usize = children.map(|child| child.join().unwrap()).iter().sum();
    assert_eq!(own + total, 10_000);
}

fn sending_without_a_receiver_returns_the_message() {
    let (sender, receiver) = channel().unwrap();
    sender.send("heard".to_owned()).unwrap();
    drop(receiver);
    let refused = sender.send("unheard".to_owned()).unwrap_err();
    assert!(refused.is_closed(), "{refused}");
    assert_eq!(refused.into_inner(), "unheard");
}

fn hold_receiver(receiver: Receiver<u32>, ready: Sender<()>) {
    ready.send(()).expect("the parent waits");
    story::a_minute();
    drop(receiver);
}

fn drop_receiver(receiver: Receiver<u32>, dropped: Event) {
    drop(receiver);
    dropped.set();
    story::a_minute();
}

fn sending_to_a_child_that_dropped_its_receiver_returns_the_message() {
    let (sender, receiver) = channel().unwrap();
    let dropped = Event::new().unwrap();
    let child = spawn(drop_receiver, (receiver, dropped.clone())).unwrap();
    dropped.wait();
    let refused = sender.send(1).unwrap_err();
    assert!(refused.is_closed(), "{refused}");
    child.kill().unwrap();
    child.join().unwrap_err();
}

fn sending_to_a_killed_receiver_returns_the_message() {
    let (sender, receiver) = channel().unwrap();
    let (ready, is_ready) = channel().unwrap();
    let child = spawn(hold_receiver, (receiver, ready)).unwrap();
    is_ready.recv().unwrap();
    sender.send(1).unwrap();
    child.kill().unwrap();
    child.join().unwrap_err();
    let refused = sender.send(2).unwrap_err();
    assert!(refused.is_closed(), "{refused}");
    assert_eq!(refused.into_inner(), 2);
}

fn a_sender_that_waits_for_room_sees_that_the_receiver_is_gone() {
    let (sender, receiver) = bounded_channel(1).unwrap();
    let (ready, is_ready) = channel().unwrap();
    let child = spawn(hold_receiver, (receiver, ready)).unwrap();
    is_ready.recv().unwrap();
    sender.send(1).unwrap();
    let waiting = std::thread::spawn(move || sender.send(2));
    std::thread::sleep(Duration::from_millis(60));
    child.kill().unwrap();
    assert!(waiting.join().unwrap().unwrap_err().is_closed());
    child.join().unwrap_err();
}

fn a_message_that_was_not_received_frees_its_handles() {
    let (requests, receiver) = channel().unwrap();
    let (answer, answers) = channel::<u32>().unwrap();
    requests.send((1_u32, answer)).unwrap();
    assert!(matches!(answers.try_recv(), Err(Error::Empty { .. })));
    drop(receiver);
    assert!(answers.recv().unwrap_err().is_closed());
}

type Request = (u32, Sender<u32>);

fn hold_requests(requests: Receiver<Request>, ready: Sender<()>) {
    ready.send(()).expect("the parent waits");
    story::a_minute();
    drop(requests);
}

fn a_message_to_a_killed_receiver_frees_its_handles() {
    let ends = |answers: &Receiver<u32>| {
        let end = answers.recv_timeout(story::LIMIT / 6);
        assert!(end.unwrap_err().is_closed());
    };
    for sends_again in [false, true] {
        let (requests, receiver) = channel::<Request>().unwrap();
        let (ready, is_ready) = channel().unwrap();
        let child = spawn(hold_requests, (receiver, ready)).unwrap();
        is_ready.recv().unwrap();
        let (answer, answers) = channel().unwrap();
        requests.send((1, answer)).unwrap();
        child.kill().unwrap();
        child.join().unwrap_err();
        if sends_again {
            let (second, second_answers) = channel().unwrap();
            let refused = requests.send((2, second)).unwrap_err();
            assert!(refused.is_closed(), "{refused}");
            // The sender of requests is still there.
            ends(&answers);
            drop(refused);
            ends(&second_answers);
        } else {
            drop(requests);
            ends(&answers);
        }
    }
}

fn a_message_sent_while_the_receiver_ends_frees_its_handles() {
    for _ in 0..200 {
        let (requests, receiver) = channel::<Request>().unwrap();
        let (answer, answers) = channel().unwrap();
        let together = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                together.wait();
                drop(receiver);
            });
            together.wait();
            if let Err(refused) = requests.send((1, answer)) {
                assert!(refused.is_closed(), "{refused}");
            }
        });
        let end = answers.recv_timeout(story::LIMIT / 6);
        assert!(end.unwrap_err().is_closed());
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Job(Sender<Job>);

fn messages_that_hold_their_own_channel_go_one_by_one() {
    let (sender, receiver) = channel().unwrap();
    for _ in 0..10_000 {
        sender.send(Job(sender.clone())).unwrap();
    }
    drop(receiver);
    let none = sender.send(Job(sender.clone()));
    assert!(matches!(none.unwrap_err().error(), Error::Closed { .. }));
}

fn the_halves_are_not_mixed_up() {
    let (sender, receiver) = channel::<u32>().unwrap();
    let bytes = bytes_of(sender);
    is_refused::<Receiver<u32>>(&bytes, "cannot be read");
    is_refused::<Sender<i32>>(&bytes, "is expected");
    is_refused::<Queue<u32>>(&bytes, "is expected");
    drop(receiver);
}

fn is_refused<T: DeserializeOwned + 'static>(bytes: &[u8], reason: &str) {
    let queue = Queue::new().unwrap();
    queue.put(Forged::<T>::Sent(bytes.to_owned())).unwrap();
    let refused = queue.get().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains(reason), "{refused}");
}

fn waiting_for_several_returns_the_ready_ones() {
    let (first, first_receiver) = channel::<u32>().unwrap();
    let (second, second_receiver) = channel::<String>().unwrap();
    let queue = Queue::<u8>::new().unwrap();
    let several: [&dyn multiprocess::Waitable; 3] = [&first_receiver, &second_receiver, &queue];
    let limit = Duration::from_millis(80);
    let start = Instant::now();
    assert!(
        multiprocess::wait_timeout(&several, limit)
            .unwrap_err()
            .is_timeout()
    );
    assert!((limit..limit + Duration::from_secs(10)).contains(&start.elapsed()));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&several));
        std::thread::sleep(Duration::from_millis(80));
        second.send("here".to_owned()).unwrap();
        assert_eq!(waiting.join().unwrap(), [1]);
    });
    queue.put(1).unwrap();
    assert_eq!(wait(&several), [1, 2]);
    assert_eq!(second_receiver.recv().unwrap(), "here");
    queue.get().unwrap();
    drop(first);
    assert_eq!(wait(&several), [0]);
    assert!(first_receiver.recv().unwrap_err().is_closed());
}

fn a_bounded_channel_is_full_and_empty() {
    let (sender, receiver) = bounded_channel(2).unwrap();
    assert_eq!(sender.capacity(), Some(2));
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    assert!(sender.try_send(3).unwrap_err().is_would_block());
    let late = sender
        .send_timeout(3, Duration::from_millis(30))
        .unwrap_err();
    assert!(late.is_timeout());
    assert_eq!((receiver.len(), receiver.recv().unwrap()), (2, 1));
    sender.try_send(3).unwrap();
    let refused = bounded_channel::<u8>(0).unwrap_err();
    assert!(matches!(refused, Error::NoCapacity));
}

fn pass_on(sender: Sender<u32>, depth: u32) {
    if depth == 0 {
        return send_some(sender, 3);
    }
    let child = spawn(pass_on, (sender, depth - 1)).expect("it starts");
    child.join().expect("it ends well");
}

fn an_arrived_sender_can_be_passed_on() {
    // A grandchild needs the list of tasks: this program's `main` provides it.
    let (sender, receiver) = channel().unwrap();
    let child = spawn(pass_on, (sender, 2)).unwrap();
    assert_eq!(receiver.iter().count(), 3);
    child.join().unwrap();
}
