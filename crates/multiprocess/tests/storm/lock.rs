//! Locks: one holder at a time, and no update is lost, except the one that a killed holder was making.

use multiprocess::{Event, JoinHandle, Lock, RawValue, RegisteredTask, Value, spawn, task};

use super::round::{Round, Victims, grow};
use crate::story;

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(counts),
        task(counts_for_ever),
        task(adds),
        task(adds_for_ever),
        task(holds_the_value),
    ]
}

pub(crate) fn round(round: &mut Round<'_>) {
    if round.dice.chance(50) {
        a_lock(round);
    } else {
        a_value(round);
    }
}

const SURVIVORS: usize = 3;
const VICTIMS: usize = 3;

/// What a lock guards.
type Guarded = (Lock, RawValue<u64>, RawValue<u32>);

/// Adds one under the lock, and then reports that it did.
fn count_once((lock, counter, inside): &Guarded, done: &RawValue<u64>) {
    let mut guard = lock.lock().unwrap();
    if guard.holder_died() {
        inside.set(0);
        guard.clear_death();
    }
    assert_eq!(inside.update(|count| count + 1), 0, "two are inside");
    // If two see the same number, one update is lost.
    counter.set(counter.get() + 1);
    inside.set(0);
    drop(guard);
    // The replacement of a killed process writes here, too.
    done.update(|count| count + 1);
}

fn counts(guarded: Guarded, over: RawValue<u8>, done: RawValue<u64>) {
    while over.get() == 0 {
        count_once(&guarded, &done);
    }
}

fn counts_for_ever(guarded: Guarded, done: RawValue<u64>, large: bool) {
    grow(large);
    loop {
        count_once(&guarded, &done);
    }
}

fn a_lock(round: &mut Round<'_>) {
    let guarded: Guarded = (
        Lock::new().unwrap(),
        RawValue::new(0).unwrap(),
        RawValue::new(0).unwrap(),
    );
    let over = RawValue::new(0_u8).unwrap();
    let done = Done::new();
    let survivors: Vec<_> = (0..SURVIVORS)
        .map(|place| {
            let args = (guarded.clone(), over.clone(), done.of(place));
            spawn(counts, args).unwrap()
        })
        .collect();
    let mut victims = Victims::new(VICTIMS, |place, large| {
        let args = (guarded.clone(), done.of(SURVIVORS + place), large);
        spawn(counts_for_ever, args).unwrap()
    });
    let pids: Vec<u32> = survivors.iter().map(JoinHandle::pid).collect();
    let (lock, counter, inside) = &guarded;
    while !round.is_over() {
        victims.disturb_one(round, &pids);
        let mut guard = lock.lock_timeout(story::LIMIT / 2).unwrap();
        if guard.holder_died() {
            inside.set(0);
            guard.clear_death();
        }
        assert_eq!(inside.get(), 0, "another process is inside");
    }
    over.set(1);
    for survivor in survivors {
        round.join(survivor);
    }
    victims.end(round);
    done.check(counter.get(), round);
}

fn add_once(counter: &Value<u64>, done: &RawValue<u64>) {
    *counter.lock().unwrap() += 1;
    // The replacement of a killed process writes here, too.
    done.update(|count| count + 1);
}

fn adds(counter: Value<u64>, over: RawValue<u8>, done: RawValue<u64>) {
    while over.get() == 0 {
        add_once(&counter, &done);
    }
}

fn adds_for_ever(counter: Value<u64>, done: RawValue<u64>, large: bool) {
    grow(large);
    loop {
        add_once(&counter, &done);
    }
}

/// Takes the lock, and is killed while it holds it, before it changes anything.
fn holds_the_value(counter: Value<u64>, held: Event, large: bool) {
    grow(large);
    let _alone = counter.lock().unwrap();
    held.set();
    story::a_minute();
}

fn a_value(round: &mut Round<'_>) {
    let counter = Value::new(0_u64).unwrap();
    let over = RawValue::new(0_u8).unwrap();
    let done = Done::new();
    let survivors: Vec<_> = (0..SURVIVORS)
        .map(|place| {
            let args = (counter.clone(), over.clone(), done.of(place));
            spawn(adds, args).unwrap()
        })
        .collect();
    let mut victims = Victims::new(VICTIMS - 1, |place, large| {
        let args = (counter.clone(), done.of(SURVIVORS + place), large);
        spawn(adds_for_ever, args).unwrap()
    });
    let pids: Vec<u32> = survivors.iter().map(JoinHandle::pid).collect();
    while !round.is_over() {
        victims.disturb_one(round, &pids);
        if round.dice.chance(30) {
            let held = Event::new().unwrap();
            let large = round.is_next_large();
            let args = (counter.clone(), held.clone(), large);
            let holder = spawn(holds_the_value, args).unwrap();
            held.wait_timeout(story::LIMIT / 2)
                .expect("a process gets the lock");
            round.kill(holder);
        }
        drop(counter.lock_timeout(story::LIMIT / 2).unwrap());
    }
    over.set(1);
    for survivor in survivors {
        round.join(survivor);
    }
    victims.end(round);
    done.check(counter.get().unwrap(), round);
}

/// How often each process has reported that it counted.
struct Done(Vec<RawValue<u64>>);

impl Done {
    fn new() -> Done {
        let places = SURVIVORS + VICTIMS;
        Done((0..places).map(|_| RawValue::new(0).unwrap()).collect())
    }

    fn of(&self, place: usize) -> RawValue<u64> {
        self.0[place].clone()
    }

    /// The count is what they report, plus at most one for each that was killed before it could report.
    fn check(&self, counted: u64, round: &Round<'_>) {
        let reported: u64 = self.0.iter().map(RawValue::get).sum();
        let max = reported + round.killed;
        assert!(
            (reported..=max).contains(&counted),
            "counted {counted}, but {reported} reported, with {} killed",
            round.killed
        );
    }
}
