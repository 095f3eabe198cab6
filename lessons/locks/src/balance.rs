use crate::schedules::BOOKINGS;
use anyhow::Result;
use multiprocess::{RawValue, Value, spawn};
use std::thread;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1);

pub fn change(balance: RawValue<i64>, amount: i64) {
    for _ in 0..100 {
        let seen = balance.get();
        thread::sleep(PAUSE);
        balance.set(seen + amount);
    }
}

pub fn change_locked(balance: Value<i64>, amount: i64) {
    for _ in 0..100 {
        let mut guard = balance.lock().unwrap();
        let seen = *guard;
        thread::sleep(PAUSE);
        *guard = seen + amount;
    }
}

pub fn balance() -> Result<()> {
    let balance = RawValue::new(200)?;
    let deposit = spawn(change, (balance.clone(), 1))?;
    let withdraw = spawn(change, (balance.clone(), -1))?;
    deposit.join()?;
    withdraw.join()?;
    println!("without a lock: {}", balance.get());

    let balance = Value::new(200)?;
    let deposit = spawn(change_locked, (balance.clone(), 1))?;
    let withdraw = spawn(change_locked, (balance.clone(), -1))?;
    deposit.join()?;
    withdraw.join()?;
    println!("with a lock: {}", balance.get()?);
    for turns in ["DWWWWDDD", "WDDDDWWW"] {
        println!("{turns}: {}", BOOKINGS.replay(turns)?);
    }
    Ok(())
}
