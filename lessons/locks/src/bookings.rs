//! The race of step `balance`, small enough to be driven by a schedule: two deposits, two withdrawals.

use anyhow::Result;
use multiprocess::{Connection, RawValue, pipe, spawn};
use std::thread;
use support::{Race, Schedule};

pub const BOOKINGS: Race = Race {
    step: "balance",
    turns: "DDDDWWWW",
    run: two_of_each,
};

/// Books twice; each reading and each writing only when it is told to, and it says when it is done.
pub fn book(balance: RawValue<i64>, amount: i64, teller: Connection<(), ()>) {
    let told = || teller.recv().expect("the teller is there");
    for _ in 0..2 {
        told();
        let seen = balance.get();
        teller.send(()).unwrap();
        told();
        balance.set(seen + amount);
        teller.send(()).unwrap();
    }
}

/// Tells a process to do its next action, four times, each when it is its turn.
fn tell(process: &Connection<(), ()>, schedule: &Schedule, name: char) {
    for _ in 0..4 {
        schedule.turn(name, || {
            process.send(()).unwrap();
            process.recv().expect("the process is there");
        });
    }
}

fn two_of_each(schedule: &Schedule) -> Result<String> {
    let balance = RawValue::new(200)?;
    let (depositor, teller) = pipe()?;
    let deposit = spawn(book, (balance.clone(), 1, teller))?;
    let (withdrawer, teller) = pipe()?;
    let withdraw = spawn(book, (balance.clone(), -1, teller))?;
    thread::scope(|scope| {
        scope.spawn(|| tell(&depositor, schedule, 'D'));
        scope.spawn(|| tell(&withdrawer, schedule, 'W'));
    });
    deposit.join()?;
    withdraw.join()?;
    Ok(format!("200 + 2 - 2 make {}", balance.get()))
}
