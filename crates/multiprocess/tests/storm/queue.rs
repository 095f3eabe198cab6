//! Queues and channels: each item comes out at most once, complete and in the order of its producer. A killed process
//! loses at most the one item that it was putting or had taken.

use std::collections::HashSet;
use std::time::Duration;

use multiprocess::{
    Error, JoinHandle, Queue, RawValue, Receiver, RegisteredTask, SendError, Sender,
    bounded_channel, spawn, task,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::round::{Round, Victims};
use crate::story;

/// The producer of an item, and its number among that producer's.
type Item = (u32, u64);

const PRODUCERS: u32 = 4;

/// The maximum number of items that a producer puts, and that are in the queue.
const MOST: u64 = 250_000;
const BACKLOG: usize = 50_000;

/// A limit that sometimes passes.
const SOON: Duration = Duration::from_millis(3);

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(produce),
        task(consume),
        task(produce_forever),
        task(consume_forever),
        task(put_large),
        task(get_large),
        task(send_for_ever),
        task(receive_for_ever),
    ]
}

pub(crate) fn round(round: &mut Round<'_>) {
    match round.dice.below(4) {
        0 => large_items_stay_whole(round),
        1 => a_bounded_channel_goes_on(round),
        _ => each_item_comes_out_once_and_in_order(round),
    }
}

/// Puts an item in one of the possible ways.
fn put<T: Serialize>(queue: &Queue<T>, mut item: T, way: u64) {
    loop {
        let put: Result<(), SendError<T>> = match way % 3 {
            0 => queue.put(item),
            1 => queue.try_put(item),
            _ => queue.put_timeout(item, SOON),
        };
        match put {
            Ok(()) => return,
            Err(error) if error.is_would_block() || error.is_timeout() => {
                std::thread::yield_now();
                item = error.into_inner();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Gets an item in one of the possible ways; `None` when the queue is closed and empty.
fn get<T: DeserializeOwned>(queue: &Queue<T>, way: u64) -> Option<T> {
    loop {
        let got = match way % 3 {
            0 => queue.get(),
            1 => queue.try_get(),
            _ => queue.get_timeout(SOON),
        };
        match got {
            Ok(item) => return Some(item),
            Err(Error::Closed { .. }) => return None,
            Err(Error::Empty { .. }) => std::thread::sleep(SOON / 10),
            Err(Error::Timeout { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Puts items until the round ends; returns how many.
fn produce(queue: Queue<Item>, who: u32, over: RawValue<u8>) -> u64 {
    for number in 0..MOST {
        if over.get() == 1 {
            return number;
        }
        while queue.len() > BACKLOG {
            std::thread::yield_now();
        }
        put(&queue, (who, number), number);
    }
    MOST
}

/// Gets items until the queue is closed; returns those of each producer, and whether they came in order.
fn consume(queue: Queue<Item>, way: u64) -> (Vec<Vec<u64>>, bool) {
    let mut got = vec![Vec::new(); PRODUCERS as usize];
    let mut in_order = true;
    while let Some((who, number)) = get(&queue, way) {
        // The items of killed producers aren't counted, but have to be valid.
        if who >= PRODUCERS {
            assert_eq!(number % 7, 3);
            continue;
        }
        let got = &mut got[who as usize];
        in_order &= got.last().is_none_or(|&last| last < number);
        got.push(number);
    }
    (got, in_order)
}

fn produce_forever(queue: Queue<Item>) {
    for number in 0.. {
        // They must not flood the queue.
        while queue.len() > BACKLOG {
            std::thread::yield_now();
        }
        put(&queue, (PRODUCERS, 7 * number + 3), number);
    }
}

/// Takes items and passes them on, except the one that it has when it is killed.
fn consume_forever(queue: Queue<Item>, taken: Queue<Item>) {
    for way in 0.. {
        let Some(item) = get(&queue, way) else {
            // It lives until it is killed.
            return story::a_minute();
        };
        put(&taken, item, 0);
    }
}

fn each_item_comes_out_once_and_in_order(round: &mut Round<'_>) {
    let queue = Queue::<Item>::new().unwrap();
    // Consumers that will be killed pass their items on here.
    let taken = Queue::<Item>::new().unwrap();
    let over = RawValue::new(0_u8).unwrap();
    let mut victims = Victims::new(4, |place, _| {
        if place % 2 == 0 {
            spawn(produce_forever, (queue.clone(),)).unwrap()
        } else {
            spawn(consume_forever, (queue.clone(), taken.clone())).unwrap()
        }
    });
    let consumers = [0, 0, 1, 2].map(|way| spawn(consume, (queue.clone(), way)).unwrap());
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|who| spawn(produce, (queue.clone(), who, over.clone())).unwrap())
        .collect();
    let survivors: Vec<u32> = consumers
        .iter()
        .map(JoinHandle::pid)
        .chain(producers.iter().map(JoinHandle::pid))
        .collect();
    while !round.is_over() {
        victims.disturb_one(round, &survivors);
    }
    over.set(1);
    let counts: Vec<u64> = producers.into_iter().map(|it| round.join(it)).collect();
    victims.end(round);
    queue.close().unwrap();

    let mut seen: Vec<HashSet<u64>> = vec![HashSet::new(); PRODUCERS as usize];
    let mut note = |who: u32, number: u64| {
        let who = who as usize;
        assert!(seen[who].insert(number), "twice: {number} of {who}");
        assert!(number < counts[who], "{number} of {who} was not put");
    };
    for consumer in consumers {
        let (got, in_order) = round.join(consumer);
        assert!(in_order);
        for (who, numbers) in (0..).zip(got) {
            for number in numbers {
                note(who, number);
            }
        }
    }
    while let Ok((who, number)) = taken.try_get() {
        if who < PRODUCERS {
            note(who, number);
        }
    }
    assert!(queue.is_empty());
    let put: u64 = counts.iter().sum();
    let lost = put - seen.iter().map(|seen| seen.len() as u64).sum::<u64>();
    // A killed process has at most one item.
    assert!(
        lost <= round.killed,
        "{lost} lost with {} killed",
        round.killed
    );
}

fn put_large(queue: Queue<Vec<u64>>) {
    for number in 0.. {
        while queue.len() > 20 {
            std::thread::yield_now();
        }
        let length = number * 37 % 40_000;
        let item = vec![length; usize::try_from(length).unwrap()];
        put(&queue, item, number);
    }
}

fn get_large(queue: Queue<Vec<u64>>) {
    for way in 0.. {
        check_large(&get(&queue, way).expect("it is open"));
    }
}

fn check_large(item: &[u64]) {
    assert!(item.iter().all(|&number| number == item.len() as u64));
}

fn large_items_stay_whole(round: &mut Round<'_>) {
    let queue = Queue::new().unwrap();
    let mut victims = Victims::new(4, |place, _| {
        if place % 2 == 0 {
            spawn(put_large, (queue.clone(),)).unwrap()
        } else {
            spawn(get_large, (queue.clone(),)).unwrap()
        }
    });
    while !round.is_over() {
        victims.disturb_one(round, &[]);
        for _ in 0..10 {
            if let Ok(item) = queue.get_timeout(Duration::from_millis(1)) {
                check_large(&item);
            }
        }
    }
    victims.end(round);
    while let Ok(item) = queue.try_get() {
        check_large(&item);
    }
    // It works on.
    queue.put(vec![2, 2]).unwrap();
    assert_eq!(queue.get().unwrap(), [2, 2]);
}

fn send_for_ever(sender: Sender<u64>) {
    for number in 0.. {
        sender.send(7 * number + 3).expect("there is a receiver");
    }
}

fn receive_for_ever(receiver: Receiver<u64>) {
    for number in &receiver {
        assert_eq!(number.expect("items are whole") % 7, 3);
    }
}

fn a_bounded_channel_goes_on(round: &mut Round<'_>) {
    let (sender, receiver) = bounded_channel(5).unwrap();
    let mut victims = Victims::new(4, |place, _| {
        if place % 2 == 0 {
            spawn(send_for_ever, (sender.clone(),)).unwrap()
        } else {
            spawn(receive_for_ever, (receiver.clone(),)).unwrap()
        }
    });
    while !round.is_over() {
        victims.disturb_one(round, &[]);
        assert!(receiver.len() <= 5);
        let number = receiver.recv_timeout(story::LIMIT / 3).unwrap();
        assert_eq!(number % 7, 3);
        sender.send_timeout(10, story::LIMIT / 3).unwrap();
    }
    victims.end(round);
    drop(sender);
    // What is left comes out. The end may not: a process that was killed before it had read its arguments takes the
    // sender in them along.
    let mut left = 0;
    while receiver.recv_timeout(Duration::from_millis(200)).is_ok() {
        left += 1;
    }
    assert!(left <= 5, "{left}");
}
