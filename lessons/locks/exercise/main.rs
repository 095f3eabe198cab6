//! An exercise: move money between accounts. The task is in task.md.

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
    // Gap: this has three mistakes.
    let mut from_balance = from.balance.lock().unwrap();
    let mut to_balance = to.balance.lock().unwrap();
    *from_balance -= amount;
    *to_balance += amount;
    true
}
