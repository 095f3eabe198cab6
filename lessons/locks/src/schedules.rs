//! The races of the steps `race`, `balance` and `deadlock`, small enough to run by a schedule. Every letter of a
//! schedule is one line of source that a thread or process runs.

use anyhow::Result;
use multiprocess::{Builder, Deadlock, Holder, Lock, LockWait, RawValue, Value, spawn};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use support::{Actor, Race, Schedule, Stopped};

pub const ALL: [Race; 3] = [ADDITIONS, BOOKINGS, CROSSWISE];

/// Two threads, A and B, add 1 twice each. Every letter is one read or one write.
pub const ADDITIONS: Race = Race {
    step: "race",
    turns: "AAAABBBB",
    goal: "Lose an update: make the total smaller than 4.",
    run: two_times_two,
    cure: Some(&LOCKED_ADDITIONS),
};

/// The same with a lock, which each of them takes and releases twice.
pub const LOCKED_ADDITIONS: Race = Race {
    step: "race",
    turns: "AAAAAAAABBBBBBBB",
    goal: "Now there is a lock. Lose an update: make the total smaller than 4.",
    run: two_times_two_locked,
    cure: None,
};

/// Two processes: D deposits 1 twice, W withdraws 1 twice. Every letter is one read or one write.
pub const BOOKINGS: Race = Race {
    step: "balance",
    turns: "DDDDWWWW",
    goal: "Lose an update: make the balance anything but 200.",
    run: two_of_each,
    cure: Some(&LOCKED_BOOKINGS),
};

/// The same with a lock.
pub const LOCKED_BOOKINGS: Race = Race {
    step: "balance",
    turns: "DDDDDDDDWWWWWWWW",
    goal: "Now there is a lock. Lose an update: make the balance anything but 200.",
    run: two_of_each_locked,
    cure: None,
};

/// Two processes, Ann (A) and Bob (B), take two locks, one per letter, and then release both. Ann begins with the
/// pen, Bob with the paper.
pub const CROSSWISE: Race = Race {
    step: "deadlock",
    turns: "AAABBB",
    goal: "Make a deadlock: get both Ann and Bob stuck.",
    run: crosswise,
    cure: Some(&IN_ORDER),
};

/// The same, but both begin with the pen.
pub const IN_ORDER: Race = Race {
    step: "deadlock",
    turns: "AAABBB",
    goal: "Now both begin with the pen. Make a deadlock: get both Ann and Bob stuck.",
    run: in_order,
    cure: None,
};

// The race of step `race`.

fn add_twice(total: &AtomicI64, schedule: &Schedule, name: char) -> Result<(), Stopped> {
    for _ in 0..2 {
        let seen = schedule.turn(name, "let seen = total.load();", || {
            total.load(Ordering::Relaxed)
        })?;
        schedule.turn(name, "total.store(seen + 1);", || {
            total.store(seen + 1, Ordering::Relaxed);
        })?;
    }
    Ok(())
}

fn two_times_two(schedule: &Schedule) -> Result<String> {
    let total = Arc::new(AtomicI64::new(0));
    let shown = Arc::clone(&total);
    schedule.value("total", move || shown.load(Ordering::Relaxed));
    thread::scope(|scope| {
        scope.spawn(|| add_twice(&total, schedule, 'A'));
        scope.spawn(|| add_twice(&total, schedule, 'B'));
    });
    let total = total.load(Ordering::Relaxed);
    Ok(format!("2 x 2 additions make {total}"))
}

fn add_twice_locked(total: &Mutex<i64>, schedule: &Schedule, name: char) -> Result<(), Stopped> {
    for _ in 0..2 {
        let take = || total.try_lock().ok();
        let mut guard = schedule.lock_turn(name, "let mut guard = total.lock();", take)?;
        let seen = schedule.turn(name, "let seen = *guard;", || *guard)?;
        schedule.turn(name, "*guard = seen + 1;", || *guard = seen + 1)?;
        schedule.turn(name, "drop(guard);", || drop(guard))?;
    }
    Ok(())
}

fn two_times_two_locked(schedule: &Schedule) -> Result<String> {
    let total = Arc::new(Mutex::new(0));
    let shown = Arc::clone(&total);
    schedule.value("total", move || match shown.try_lock() {
        Ok(total) => total.to_string(),
        Err(_) => "locked".to_owned(),
    });
    thread::scope(|scope| {
        scope.spawn(|| add_twice_locked(&total, schedule, 'A'));
        scope.spawn(|| add_twice_locked(&total, schedule, 'B'));
    });
    let total = total.lock().unwrap();
    Ok(format!("2 x 2 additions make {total}"))
}

// The race of step `balance`.

/// Changes the balance twice, in a process. It acts when the schedule in the main process says so.
pub fn change_by_turns(balance: RawValue<i64>, amount: i64, actor: Actor) -> Result<(), Stopped> {
    for _ in 0..2 {
        let seen = actor.turn("let seen = balance.get();", || balance.get())?;
        actor.turn("balance.set(seen + amount);", || balance.set(seen + amount))?;
    }
    Ok(())
}

fn two_of_each(schedule: &Schedule) -> Result<String> {
    let balance = RawValue::new(200)?;
    let shown = balance.clone();
    schedule.value("balance", move || shown.get());
    let deposit = spawn(change_by_turns, (balance.clone(), 1, schedule.actor('D')?))?;
    let withdraw = spawn(change_by_turns, (balance.clone(), -1, schedule.actor('W')?))?;
    deposit.join()?;
    withdraw.join()?;
    Ok(format!("200 + 2 - 2 make {}", balance.get()))
}

pub fn change_locked_by_turns(
    balance: Value<i64>,
    amount: i64,
    actor: Actor,
) -> Result<(), Stopped> {
    for _ in 0..2 {
        let take = || balance.try_lock().ok();
        let mut guard = actor.lock_turn("let mut guard = balance.lock();", take)?;
        let seen = actor.turn("let seen = *guard;", || *guard)?;
        actor.turn("*guard = seen + amount;", || *guard = seen + amount)?;
        actor.turn("drop(guard);", || drop(guard))?;
    }
    Ok(())
}

fn two_of_each_locked(schedule: &Schedule) -> Result<String> {
    let balance = Value::new(200)?;
    let shown = balance.clone();
    schedule.value("balance", move || match shown.try_lock() {
        Ok(balance) => balance.to_string(),
        Err(_) => "locked".to_owned(),
    });
    let (d, w) = (schedule.actor('D')?, schedule.actor('W')?);
    let deposit = spawn(change_locked_by_turns, (balance.clone(), 1, d))?;
    let withdraw = spawn(change_locked_by_turns, (balance.clone(), -1, w))?;
    deposit.join()?;
    withdraw.join()?;
    Ok(format!("200 + 2 - 2 make {}", balance.get()?))
}

// The race of step `deadlock`.

/// A lock, and its name.
type Named = (Lock, String);

/// Takes two locks, one per turn, and releases both. If the race gets stuck, returns who waits for what.
pub fn take_by_turns(first: Named, second: Named, actor: Actor) -> Option<LockWait> {
    let ((first, first_name), (second, second_name)) = (first, second);
    let line = format!("let {first_name} = {first_name}.lock();");
    let one = actor.lock_turn(&line, || first.try_lock().ok()).ok()?;

    let line = format!("let {second_name} = {second_name}.lock();");
    let mut wait = None;
    let try_lock = || match second.lock_timeout(Duration::ZERO) {
        Ok(guard) => Some(guard),
        Err(error) => {
            wait = error.wait(); // who holds it at this moment
            None
        }
    };
    let Ok(other) = actor.lock_turn(&line, try_lock) else {
        return wait;
    };
    actor
        .turn("drop((pen, paper));", || drop((one, other)))
        .ok()?;
    None
}

fn name(process: &Holder) -> String {
    process.name.clone().unwrap_or_default()
}

fn holder(lock: &Lock) -> String {
    match lock.lock_timeout(Duration::ZERO) {
        Ok(_guard) => "free".to_owned(),
        Err(error) => match error.wait() {
            Some(wait) => format!("held by {}", name(&wait.holder)),
            None => "held".to_owned(),
        },
    }
}

fn write_letters(schedule: &Schedule, crosswise: bool) -> Result<String> {
    let pen = (Lock::named("pen")?, "pen".to_owned());
    let paper = (Lock::named("paper")?, "paper".to_owned());
    for (lock, name) in [pen.clone(), paper.clone()] {
        schedule.value(&name, move || holder(&lock));
    }
    let (a, b) = (schedule.actor('A')?, schedule.actor('B')?);
    let for_ann = (pen.clone(), paper.clone(), a);
    let for_bob = if crosswise {
        (paper, pen, b)
    } else {
        (pen, paper, b)
    };
    let ann = Builder::new().name("Ann").spawn(take_by_turns, for_ann)?;
    let bob = Builder::new().name("Bob").spawn(take_by_turns, for_bob)?;
    let waits: Vec<LockWait> = [ann.join()?, bob.join()?].into_iter().flatten().collect();
    match Deadlock::among(&waits) {
        Some(deadlock) => Ok(circle(&deadlock)),
        None => Ok("both have written their letters".to_owned()),
    }
}

fn circle(deadlock: &Deadlock) -> String {
    let mut waits = Vec::new();
    for wait in deadlock.waits() {
        let (waiter, holder) = (name(&wait.waiter), name(&wait.holder));
        let what = &wait.what;
        waits.push(format!("{waiter} waits for {what}, held by {holder}"));
    }
    waits.join("; ")
}

fn crosswise(schedule: &Schedule) -> Result<String> {
    write_letters(schedule, true)
}

fn in_order(schedule: &Schedule) -> Result<String> {
    write_letters(schedule, false)
}
