//! The races of the steps `race` and `balance`, small enough to run by a schedule.

use anyhow::Result;
use multiprocess::{Barrier, RawValue, spawn};
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use support::{Race, Schedule};

/// Two threads, A and B, add 1 twice each. Every letter is one read or one write.
pub const ADDITIONS: Race = Race {
    step: "race",
    turns: "AAAABBBB",
    run: two_times_two,
};

/// Two processes: D deposits 1 twice, W withdraws 1 twice. Every letter is one read or one write.
pub const BOOKINGS: Race = Race {
    step: "balance",
    turns: "DDDDWWWW",
    run: two_of_each,
};

fn add_twice(total: &AtomicI64, schedule: &Schedule, name: char) {
    for _ in 0..2 {
        let seen = schedule.turn(name, || total.load(Ordering::Relaxed));
        schedule.turn(name, || total.store(seen + 1, Ordering::Relaxed));
    }
}

fn two_times_two(schedule: &Schedule) -> Result<String> {
    let total = AtomicI64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| add_twice(&total, schedule, 'A'));
        scope.spawn(|| add_twice(&total, schedule, 'B'));
    });
    Ok(format!("2 x 2 additions make {}", total.into_inner()))
}

/// Changes the balance twice. Each read and each write begins and ends at the barrier, where the main
/// process waits for it.
pub fn change_by_turns(balance: RawValue<i64>, amount: i64, meeting: Barrier) {
    for _ in 0..2 {
        meeting.wait().unwrap();
        let seen = balance.get();
        meeting.wait().unwrap();

        meeting.wait().unwrap();
        balance.set(seen + amount);
        meeting.wait().unwrap();
    }
}

/// Lets a process take its four turns, each when the schedule says so.
fn let_act(meeting: &Barrier, schedule: &Schedule, name: char) {
    for _ in 0..4 {
        schedule.turn(name, || {
            meeting.wait().unwrap(); // the action begins
            meeting.wait().unwrap(); // the action is complete
        });
    }
}

fn two_of_each(schedule: &Schedule) -> Result<String> {
    let balance = RawValue::new(200)?;
    let (meet_d, meet_w) = (Barrier::new(2)?, Barrier::new(2)?);
    let deposit = spawn(change_by_turns, (balance.clone(), 1, meet_d.clone()))?;
    let withdraw = spawn(change_by_turns, (balance.clone(), -1, meet_w.clone()))?;
    thread::scope(|scope| {
        scope.spawn(|| let_act(&meet_d, schedule, 'D'));
        scope.spawn(|| let_act(&meet_w, schedule, 'W'));
    });
    deposit.join()?;
    withdraw.join()?;
    Ok(format!("200 + 2 - 2 make {}", balance.get()))
}
