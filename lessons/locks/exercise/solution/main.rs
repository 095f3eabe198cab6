//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use std::process::ExitCode;
use std::sync::Mutex;

fn main() -> ExitCode {
    support::run_checks(checks::CHECKS)
}

/// An account, with a number that no other account has.
pub struct Account {
    pub number: u32,
    pub balance: Mutex<i64>,
}

/// Moves money from one account to another, and returns `true`. If the account has less than the amount,
/// moves nothing and returns `false`.
pub fn transfer(from: &Account, to: &Account, amount: i64) -> bool {
    if from.number == to.number {
        return *from.balance.lock().unwrap() >= amount;
    }
    let (mut from_balance, mut to_balance);
    if from.number < to.number {
        from_balance = from.balance.lock().unwrap();
        to_balance = to.balance.lock().unwrap();
    } else {
        to_balance = to.balance.lock().unwrap();
        from_balance = from.balance.lock().unwrap();
    }
    if *from_balance < amount {
        return false;
    }
    *from_balance -= amount;
    *to_balance += amount;
    true
}
