//! A slot of shared memory is freed, and used again, when no process and no message refers to it any more, and not
//! before, even if processes are killed, stopped or copied.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use super::runs::succeeded;
use crate::story;

use std::collections::VecDeque;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Builder, Error, Event, JoinHandle, Lock, Queue, RegisteredTask, Task, Value, init, task,
};
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use story::left::{check_in_use, forge_owner, is_in_use, place, until_freed, use_again};
use story::memory_name;
use story::proc::{self, Known};
use story::scene::Scene;
use story::unread::Deadly;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            receives_from_the_dead,
            sends_to_the_dead,
            stops_a_holder,
            stops_an_owner,
            finds_an_owner_with_its_pid,
            uses_a_pid_again,
            makes_sends_drops_and_kills,
        ],
        story::named![
            a_handle_in_a_message_outlives_its_dead_sender_and_nothing_shares_its_slot,
            a_slot_of_a_dead_receiver_is_used_again_and_later_handles_are_not_affected,
            a_slot_whose_lock_a_stopped_process_holds_is_not_used_again_until_that_is_killed,
            a_slot_of_a_stopped_process_is_not_used_again,
            a_dead_process_is_not_confused_with_a_living_one_that_has_its_pid,
            a_value_is_not_overwritten_while_a_process_has_a_handle_to_it,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(makes),
        task(makes_many),
        task(sends_and_dies),
        task(receives_and_dies::<(Value<u64>, ())>),
        task(receives_and_dies::<(Value<u64>, Deadly)>),
        task(receives_and_dies::<(Deadly, Value<u64>)>),
        task(reads),
        task(keeps),
        task(relays),
    ]
}

/// The number in a value that a test is about, and the one in all others.
const OURS: u64 = 42;
const OTHER: u64 = 7;

const LIMIT: Duration = Duration::from_secs(20);

fn queue<T: DeserializeOwned + Serialize + 'static>() -> Queue<T> {
    Queue::new().unwrap()
}

fn value(number: u64) -> Value<u64> {
    Value::new(number).unwrap()
}

type Pair = (Lock, Value<u64>);

fn pair(number: u64) -> Pair {
    (Lock::new().unwrap(), value(number))
}

fn names((lock, value): &Pair) -> Vec<String> {
    vec![memory_name(lock), memory_name(value)]
}

/// Starts a process that does not hold up the end of a scene that has failed.
fn daemon<F: Task<Args>, Args>(function: F, args: Args) -> JoinHandle<F::Output>
where
    Args: Serialize + DeserializeOwned,
{
    let daemon = Builder::new().daemon(true);
    daemon.spawn(function, args).unwrap()
}

fn kill<R: Serialize + DeserializeOwned + 'static>(child: JoinHandle<R>) {
    child.kill().unwrap();
    dies(child);
}

#[track_caller]
fn dies<R: Serialize + DeserializeOwned + 'static>(child: JoinHandle<R>) {
    let error = child.join().map(drop).unwrap_err();
    assert!(matches!(error, Error::Killed { .. }), "{error}");
}

fn die() {
    proc::kill(std::process::id());
    story::a_minute();
}

fn makes(made: Queue<String>) {
    let value = value(OURS);
    made.put(memory_name(&value)).unwrap();
    story::a_minute();
}

fn start_to_make(made: &Queue<String>) -> (JoinHandle<()>, String) {
    let child = daemon(makes, (made.clone(),));
    (child, made.get_timeout(LIMIT).unwrap())
}

/// Returns after a sweep of all slots. The second child makes its slot after the first sweep has begun, so only another
/// one can free it.
fn sweep() {
    for _ in 0..2 {
        let (child, slot) = start_to_make(&queue());
        kill(child);
        until_freed(&[slot]);
    }
}

/// Makes and drops thousands of objects, none of which may be where one of these slots is.
fn makes_many(slots: Vec<String>) {
    for _ in 0..4 {
        let made: Vec<Pair> = (0..500).map(pair).collect();
        for (number, pair) in (0..).zip(&made) {
            assert!(!pair.0.try_lock().unwrap().holder_died());
            assert_eq!(pair.1.get().unwrap(), number);
            let is_there = |name: &String| slots.iter().any(|slot| place(slot) == place(name));
            assert_eq!(names(pair).into_iter().find(is_there), None);
        }
    }
}

/// Makes many objects while all these slots are in use: in this process, which has made some of them, and in another.
fn make_many(slots: &[String]) {
    let other = daemon(makes_many, (slots.to_vec(),));
    makes_many(slots.to_vec());
    other.join().unwrap();
    check_in_use(slots);
}

fn sends_and_dies(given: Pair, sent: Queue<Pair>, made: Queue<Vec<String>>) {
    // The first is in the memory that another process has made.
    let (own, left) = (pair(OURS), pair(OTHER));
    for pair in [&given, &own, &left] {
        made.put(names(pair)).unwrap();
    }
    sent.put(given).unwrap();
    sent.put(own).unwrap();
    die();
}

fn receives_from_the_dead() {
    init(tasks());
    let (sent, made) = (queue(), queue());
    let args = (pair(OURS), sent.clone(), made.clone());
    dies(daemon(sends_and_dies, args));
    let [first, second, left] = [(); 3].map(|()| made.try_get().unwrap());
    until_freed(&left);
    sweep();
    make_many(&[&first[..], &second].concat());
    for slots in [first, second] {
        let received = sent.try_get().unwrap();
        assert_eq!(names(&received), slots);
        assert!(!received.0.try_lock().unwrap().holder_died());
        assert_eq!(received.1.get().unwrap(), OURS);
        check_in_use(&slots);
        drop(received);
        until_freed(&slots);
    }
}

fn a_handle_in_a_message_outlives_its_dead_sender_and_nothing_shares_its_slot() {
    succeeded(&Scene::new("receives_from_the_dead").play());
}

fn receives_and_dies<T: DeserializeOwned + Serialize>(queue: Queue<T>) {
    let _received = queue.get().unwrap();
    die();
}

fn reads(queue: Queue<Value<u64>>) -> (String, u64) {
    let value = queue.get().unwrap();
    (memory_name(&value), value.get().unwrap())
}

/// Has a receiver killed: before it has read the handle in a message, right after that, or with the whole message.
fn send_to_the_dead<T: DeserializeOwned + Serialize + 'static>(slot: String, message: T) {
    let sent = queue();
    sent.put(message).map_err(drop).unwrap();
    check_in_use(std::slice::from_ref(&slot));
    dies(daemon(receives_and_dies::<T>, (sent.clone(),)));
    until_freed(std::slice::from_ref(&slot));
    assert!(sent.is_empty());
    let later = use_again(&slot, || value(OTHER));
    let sent = queue();
    sent.put(later.clone()).unwrap();
    let read = daemon(reads, (sent,)).join().unwrap();
    assert_eq!(read, (memory_name(&later), OTHER));
    sweep();
    make_many(&[memory_name(&later)]);
    assert_eq!(later.get().unwrap(), OTHER);
}

fn sends_to_the_dead() {
    init(tasks());
    let [_near, first, second, third] = [OURS; 4].map(value);
    send_to_the_dead(memory_name(&first), (Deadly, first));
    send_to_the_dead(memory_name(&second), (second, Deadly));
    send_to_the_dead(memory_name(&third), (third, ()));
}

fn a_slot_of_a_dead_receiver_is_used_again_and_later_handles_are_not_affected() {
    succeeded(&Scene::new("sends_to_the_dead").play());
}

/// Has what no other process has: the handles, or only the locks.
fn keeps((lock, value): Pair, holds: bool, ready: Event, go: Event) -> u64 {
    if holds {
        std::mem::forget((lock.lock().unwrap(), value.lock().unwrap()));
        drop((lock, value));
        ready.set();
        story::a_minute();
        return 0;
    }
    ready.set();
    go.wait();
    let _held = lock.try_lock().unwrap();
    *value.lock().unwrap() += 1;
    value.get().unwrap()
}

/// Returns the slots that only a process has which was stopped, and then continued when the event was set.
fn stop_and_continue(holds: bool) -> (JoinHandle<u64>, Vec<String>) {
    let (ready, go) = (Event::new().unwrap(), Event::new().unwrap());
    let ours = pair(OURS);
    let slots = names(&ours);
    let child = daemon(keeps, (ours, holds, ready.clone(), go.clone()));
    ready.wait_timeout(LIMIT).unwrap();
    let process = Known::of(child.pid());
    proc::send(child.pid(), Signal::STOP);
    story::until("it is stopped", || process.is_stopped());
    for _ in 0..2 {
        sweep();
        make_many(&slots);
    }
    go.set();
    proc::send(child.pid(), Signal::CONT);
    (child, slots)
}

fn stops_a_holder() {
    init(tasks());
    let _near = value(OTHER);
    let (child, slots) = stop_and_continue(true);
    check_in_use(&slots);
    kill(child);
    until_freed(&slots);
    let lock = use_again(&slots[0], || Lock::new().unwrap());
    assert!(!lock.try_lock().unwrap().holder_died());
    let value = use_again(&slots[1], || value(OTHER));
    assert!(!value.try_lock().unwrap().holder_died());
    assert_eq!(value.get().unwrap(), OTHER);
}

fn a_slot_whose_lock_a_stopped_process_holds_is_not_used_again_until_that_is_killed() {
    succeeded(&Scene::new("stops_a_holder").play());
}

fn stops_an_owner() {
    init(tasks());
    let _near = value(OTHER);
    let (child, slots) = stop_and_continue(false);
    assert_eq!(child.join().unwrap(), OURS + 1);
    until_freed(&slots);
    // Another process than its maker has freed it.
    use_again(&slots[1], || value(OTHER));
}

fn a_slot_of_a_stopped_process_is_not_used_again() {
    succeeded(&Scene::new("stops_an_owner").play());
}

fn finds_an_owner_with_its_pid() {
    init(tasks());
    let [kept, first, second] = [OURS; 3].map(value);
    let slots = [&kept, &first, &second].map(memory_name);
    std::mem::forget((first, second));
    sweep();
    check_in_use(&slots);
    forge_owner(&slots[1], true);
    forge_owner(&slots[2], false);
    until_freed(&slots[1..]);
    use_again(&slots[1], || value(OTHER));
    check_in_use(&slots[..1]);
    assert_eq!(kept.get().unwrap(), OURS);
}

const LAST_PID: &str = "/proc/sys/kernel/ns_last_pid";

/// Is in a namespace where it may choose the next pid.
fn uses_a_pid_again() {
    init(tasks());
    for _ in 0..8 {
        // The next sweep is half a second later: usually the pid is used again before.
        sweep();
        let made = queue();
        let (first, slot) = start_to_make(&made);
        let pid = first.pid();
        kill(first);
        fs::write(LAST_PID, (pid - 1).to_string()).unwrap();
        let (second, its_slot) = start_to_make(&made);
        if second.pid() == pid && is_in_use(&slot) {
            until_freed(&[slot]);
            assert!(second.is_alive());
            check_in_use(&[its_slot]);
            return;
        }
        kill(second);
    }
    panic!("no process got the pid of a dead one before that was swept");
}

fn a_dead_process_is_not_confused_with_a_living_one_that_has_its_pid() {
    succeeded(&Scene::new("finds_an_owner_with_its_pid").play());
    // The same with a real pid, if a user may have pids of its own.
    let unshare = "unshare --user --map-root-user --pid --fork --kill-child --mount-proc sh -c";
    let script = format!(
        r#"{unshare} 'echo 500 > {LAST_PID}' || exit 77; exec {unshare} '"$PROGRAM"; exit $?'"#
    );
    let scene = Scene::by_shell(&script, "uses_a_pid_again");
    let played = scene
        .env("PROGRAM", std::env::current_exe().unwrap())
        .play();
    assert!(matches!(played.status.code(), Some(0 | 77)), "{played:#?}");
}

/// A number, and a value that contains nothing else.
type Numbered = (u64, Value<[u64; 8]>);

fn check((number, value): &Numbered) {
    // With debug assertions, a slot that is freed is filled with 0xa5.
    assert_eq!(value.get().unwrap(), [*number; 8]);
}

/// Passes the values on, and keeps them a little longer.
fn relays(there: Queue<Numbered>, back: Queue<Numbered>) {
    let mut kept = VecDeque::new();
    while let Some(numbered) = story::unless_end(there.get()) {
        check(&numbered);
        kept.push_back(numbered.clone());
        back.put(numbered).unwrap();
        if kept.len() > 20 {
            kept.pop_front().iter().for_each(check);
        }
    }
    kept.iter().for_each(check);
}

fn makes_sends_drops_and_kills() {
    init(tasks());
    let (there, back) = (Queue::bounded(50).unwrap(), queue());
    let relay = || daemon(relays, (there.clone(), back.clone()));
    let mut workers = VecDeque::from([relay(), relay()]);
    let (mut kept, start) = (VecDeque::new(), Instant::now());
    let rounds = (0..10_000).take_while(|_| start.elapsed() < Duration::from_secs(4));
    for number in rounds {
        let numbered = (number, Value::new([number; 8]).unwrap());
        if number % 2 == 0 {
            // More references than fit into the slot itself.
            let puts = (0..5).map(|_| there.put_timeout(numbered.clone(), LIMIT));
            puts.for_each(Result::unwrap);
            kept.push_back(numbered);
        } else {
            // This process has no handle until it comes back.
            there.put_timeout(numbered, LIMIT).unwrap();
        }
        if kept.len() > 40 {
            kept.pop_front().iter().for_each(check);
        }
        while let Ok(numbered) = back.try_get() {
            check(&numbered);
        }
        if number % 100 == 99 {
            workers.push_back(relay());
            kill(workers.pop_front().unwrap());
        }
    }
    there.close().unwrap();
    for worker in workers {
        worker.join().unwrap();
    }
    back.close().unwrap();
    kept.extend(back.iter().map(Result::unwrap));
    kept.iter().for_each(check);
}

fn a_value_is_not_overwritten_while_a_process_has_a_handle_to_it() {
    succeeded(&Scene::new("makes_sends_drops_and_kills").play());
}
