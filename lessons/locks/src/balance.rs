use crate::bookings::BOOKINGS;
use anyhow::{Result, ensure};
use multiprocess::{RawValue, Value, spawn};
use std::hint;
use std::thread;
use std::time::Duration;

const PAUSE: Duration = Duration::from_micros(10);
const RUNS: usize = 20;

/// Stands for what a real program has to work out.
fn calculate() {
    for _ in 0..200 {
        hint::spin_loop();
    }
}

pub fn deposit(balance: RawValue<i64>) {
    for _ in 0..100 {
        let seen = balance.get();
        calculate();
        balance.set(seen + 1);
        thread::sleep(PAUSE);
    }
}

pub fn withdraw(balance: RawValue<i64>) {
    for _ in 0..100 {
        let seen = balance.get();
        calculate();
        balance.set(seen - 1);
        thread::sleep(PAUSE);
    }
}

pub fn deposit_locked(balance: Value<i64>) {
    for _ in 0..100 {
        let mut guard = balance.lock().unwrap();
        let seen = *guard;
        calculate();
        *guard = seen + 1;
        drop(guard); // gives the lock back before the pause
        thread::sleep(PAUSE);
    }
}

pub fn withdraw_locked(balance: Value<i64>) {
    for _ in 0..100 {
        let mut guard = balance.lock().unwrap();
        let seen = *guard;
        calculate();
        *guard = seen - 1;
        drop(guard); // gives the lock back before the pause
        thread::sleep(PAUSE);
    }
}

fn run_without() -> Result<i64> {
    let balance = RawValue::new(200)?;
    let deposit = spawn(deposit, (balance.clone(),))?;
    let withdraw = spawn(withdraw, (balance.clone(),))?;
    deposit.join()?;
    withdraw.join()?;
    Ok(balance.get())
}

fn run_with() -> Result<i64> {
    let balance = Value::new(200)?;
    let deposit = spawn(deposit_locked, (balance.clone(),))?;
    let withdraw = spawn(withdraw_locked, (balance.clone(),))?;
    deposit.join()?;
    withdraw.join()?;
    Ok(balance.get()?)
}

fn report(title: &str, balances: &[i64]) {
    let right = balances.iter().filter(|&&balance| balance == 200).count();
    let lowest = balances.iter().min().unwrap();
    let highest = balances.iter().max().unwrap();
    println!("{title}: 200 in {right} of {RUNS} runs; from {lowest} to {highest}");
}

pub fn balance() -> Result<()> {
    let mut without = Vec::new();
    let mut with = Vec::new();
    for _ in 0..RUNS {
        without.push(run_without()?);
        with.push(run_with()?);
    }
    report("without a lock", &without);
    report("with a lock", &with);
    for balance in without {
        ensure!((100..=300).contains(&balance), "not even a race does that");
    }
    assert_eq!(with, [200; RUNS]);

    for (turns, expected) in [("DWWWWDDD", 202), ("WDDDDWWW", 198)] {
        let expected = format!("200 + 2 - 2 make {expected}");
        for _ in 0..RUNS {
            assert_eq!(BOOKINGS.replay(turns)?, expected);
        }
        println!("{turns}: {expected}, in {RUNS} of {RUNS} replays");
    }
    Ok(())
}
