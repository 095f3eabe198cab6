//! The queue while processes that use it are killed at any instant. For longer than the usual three seconds:
//! `QUEUE_KILLS_SECONDS=60 cargo test --release -p multiprocess --test queue_kills`.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod story;

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{Error, JoinHandle, Queue, bounded_channel, spawn, task};
use multiprocess::{Receiver, Sender};
use serde::de::DeserializeOwned;

use story::named;

/// Who put an item, and its number among those.
type Item = (u32, u64);

const PRODUCERS: u32 = 4;
const CONSUMERS: usize = 4;

fn init() {
    multiprocess::init([
        task(produce),
        task(consume),
        task(produce_for_ever),
        task(consume_for_ever),
        task(put_large),
        task(get_large),
        task(send_for_ever),
        task(receive_for_ever),
    ]);
}

fn main() -> ExitCode {
    let tests = named![
        each_item_comes_out_once_and_in_order_while_others_are_killed,
        large_items_stay_whole_while_others_are_killed,
        a_bounded_channel_goes_on_while_others_are_killed,
    ];
    if std::env::var_os(SECONDS).is_none() {
        return story::play(init, &[], tests);
    }
    // Longer than tests are allowed to take.
    init();
    for (name, test) in tests {
        println!("{name}");
        test();
    }
    ExitCode::SUCCESS
}

const SECONDS: &str = "QUEUE_KILLS_SECONDS";

fn seconds() -> f64 {
    let asked = std::env::var(SECONDS).ok();
    let usual = if portable() { 1.0 } else { 3.0 };
    asked.map_or(usual, |text| text.parse().expect("a number of seconds"))
}

fn portable() -> bool {
    std::env::var_os("MULTIPROCESS_PORTABLE").is_some()
}

fn produce(queue: Queue<Item>, who: u32, count: u64) {
    for number in 0..count {
        queue.put((who, number)).expect("it is open");
    }
}

/// Gets what there is until the queue is closed: how much from each producer, the sum, and whether each producer's
/// items came in order.
fn consume(queue: Queue<Item>) -> (Vec<Vec<u64>>, bool) {
    let mut got = vec![Vec::new(); PRODUCERS as usize];
    let mut in_order = true;
    for item in &queue {
        let (who, number) = item.expect("items are whole");
        // What the killed put is not counted, but it has to make sense.
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

fn produce_for_ever(queue: Queue<Item>) {
    for number in 0.. {
        // They are not to flood the queue.
        while queue.len() > 50_000 {
            std::thread::yield_now();
        }
        queue.put((PRODUCERS, 7 * number + 3)).expect("it is open");
    }
}

/// Takes items and hands them in, but for the one in its hands when it is killed.
fn consume_for_ever(queue: Queue<Item>, taken: Queue<Item>) {
    for item in &queue {
        let item = item.expect("items are whole");
        taken.put(item).expect("it is open");
    }
}

/// A few processes that are killed at random instants and replaced.
struct Victims<'a> {
    running: Vec<JoinHandle<()>>,
    make: Box<dyn FnMut(usize) -> JoinHandle<()> + 'a>,
    killed: usize,
    random: u64,
}

impl<'a> Victims<'a> {
    fn new(count: usize, mut make: impl FnMut(usize) -> JoinHandle<()> + 'a) -> Victims<'a> {
        Victims {
            running: (0..count).map(&mut make).collect(),
            make: Box::new(make),
            killed: 0,
            random: u64::from(std::process::id()) << 20 | 1,
        }
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn kill_one(&mut self) {
        let pause = Duration::from_micros(self.random() % 8_000);
        std::thread::sleep(pause);
        let which = usize::try_from(self.random()).unwrap_or(0) % self.running.len();
        let replacement = (self.make)(which);
        let victim = std::mem::replace(&mut self.running[which], replacement);
        kill(victim);
        self.killed += 1;
    }

    fn end(self) -> usize {
        for victim in self.running {
            kill(victim);
        }
        self.killed
    }
}

/// Kills a process, which until then had nothing to complain about.
fn kill<R: DeserializeOwned>(victim: JoinHandle<R>) {
    victim.kill().unwrap();
    let killed = victim.join();
    assert!(matches!(killed, Err(Error::Killed { .. })));
}

fn each_item_comes_out_once_and_in_order_while_others_are_killed() {
    let end = Instant::now() + Duration::from_secs_f64(seconds());
    let (mut rounds, mut killed, mut lost) = (0, 0, 0);
    while rounds == 0 || Instant::now() < end {
        let (more_killed, more_lost) = one_round(if portable() { 5_000 } else { 250_000 });
        rounds += 1;
        killed += more_killed;
        lost += more_lost;
    }
    println!(
        "{rounds} rounds of a million items, {killed} killed, {lost} items lost in their hands"
    );
    assert!(killed > 4, "{killed}");
}

/// A million items, while two producers and two consumers beside are killed and replaced: how many were killed, and
/// how many items were lost.
fn one_round(count: u64) -> (usize, usize) {
    let queue = Queue::<Item>::new().unwrap();
    // What the killed consumers took from the others is handed in here.
    let taken = Queue::<Item>::new().unwrap();
    let mut victims = Victims::new(4, |which| {
        let (queue, taken) = (queue.clone(), taken.clone());
        if which % 2 == 0 {
            spawn(produce_for_ever, (queue,)).unwrap()
        } else {
            spawn(consume_for_ever, (queue, taken)).unwrap()
        }
    });
    let consumers = [(); CONSUMERS].map(|()| spawn(consume, (queue.clone(),)).unwrap());
    kill_while_all_is_put(&mut victims, &queue, count);
    let killed = victims.end();
    queue.close().unwrap();
    let mut seen: Vec<HashSet<u64>> = vec![HashSet::new(); PRODUCERS as usize];
    let mut note = |who: u32, number: u64| {
        assert!(
            seen[who as usize].insert(number),
            "twice: {number} of {who}"
        );
        assert!(number < count);
    };
    for consumer in consumers {
        let (got, in_order) = consumer.join().unwrap();
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
    let all = usize::try_from(count).unwrap() * seen.len();
    let lost = all - seen.iter().map(HashSet::len).sum::<usize>();
    // A process that is killed has one item in its hands at most.
    assert!(lost <= killed + 4, "{lost} lost with {killed} killed");
    (killed, lost)
}

/// Four producers put all their items while victims are killed.
fn kill_while_all_is_put(victims: &mut Victims<'_>, queue: &Queue<Item>, count: u64) {
    let mut producers: Vec<_> = (0..PRODUCERS)
        .map(|who| spawn(produce, (queue.clone(), who, count)).unwrap())
        .collect();
    while !producers.is_empty() {
        victims.kill_one();
        if let Some(done) = producers.iter().position(|producer| !producer.is_alive()) {
            producers.swap_remove(done).join().unwrap();
        }
    }
}

fn put_large(queue: Queue<Vec<u64>>) {
    for length in 0.. {
        while queue.len() > 20 {
            std::thread::yield_now();
        }
        let length = length * 37 % 40_000;
        queue
            .put(vec![length; usize::try_from(length).unwrap()])
            .expect("it is open");
    }
}

fn get_large(queue: Queue<Vec<u64>>) {
    for item in &queue {
        check_large(&item.expect("items are whole"));
    }
}

fn check_large(item: &[u64]) {
    assert!(item.iter().all(|&number| number == item.len() as u64));
}

fn large_items_stay_whole_while_others_are_killed() {
    let queue = Queue::new().unwrap();
    let mut victims = Victims::new(4, |which| {
        let function = if which % 2 == 0 { put_large } else { get_large };
        let _: fn(Queue<Vec<u64>>) = function;
        if which % 2 == 0 {
            spawn(put_large, (queue.clone(),)).unwrap()
        } else {
            spawn(get_large, (queue.clone(),)).unwrap()
        }
    });
    let end = Instant::now() + Duration::from_secs_f64(seconds() / 2.0);
    let mut got = 0;
    while Instant::now() < end {
        victims.kill_one();
        for _ in 0..10 {
            if let Ok(item) = queue.get_timeout(Duration::from_millis(1)) {
                check_large(&item);
                got += 1;
            }
        }
    }
    victims.end();
    while let Ok(item) = queue.try_get() {
        check_large(&item);
        got += 1;
    }
    assert!(got > 0);
    // It works on.
    queue.put(vec![2, 2]).unwrap();
    assert_eq!(queue.get().unwrap(), [2, 2]);
}

fn send_for_ever(sender: Sender<u64>) {
    for number in 0.. {
        sender.send(7 * number + 3).expect("somebody receives");
    }
}

fn receive_for_ever(receiver: Receiver<u64>) {
    for number in &receiver {
        assert_eq!(number.expect("items are whole") % 7, 3);
    }
}

fn a_bounded_channel_goes_on_while_others_are_killed() {
    let (sender, receiver) = bounded_channel(5).unwrap();
    let mut victims = Victims::new(4, |which| {
        if which % 2 == 0 {
            spawn(send_for_ever, (sender.clone(),)).unwrap()
        } else {
            spawn(receive_for_ever, (receiver.clone(),)).unwrap()
        }
    });
    let end = Instant::now() + Duration::from_secs_f64(seconds() / 2.0);
    while Instant::now() < end {
        victims.kill_one();
        assert!(receiver.len() <= 5);
        let number = receiver.recv_timeout(story::LIMIT / 3).unwrap();
        assert_eq!(number.expect("senders are left") % 7, 3);
        sender.send_timeout(10, story::LIMIT / 3).unwrap();
    }
    victims.end();
    drop(sender);
    // What is left comes out. The end may not: a process that was killed before it had read its arguments takes the
    // sender in them along.
    let mut left = 0;
    while let Ok(Some(_)) = receiver.recv_timeout(Duration::from_millis(200)) {
        left += 1;
    }
    assert!(left <= 5, "{left}");
}
