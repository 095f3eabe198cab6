//! An exercise: move money between accounts. What to do is in task.md.

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

/// Moves money from one account to another, and tells whether it did. An account that has less than the
/// amount gives nothing.
pub fn transfer(from: &Account, to: &Account, amount: i64) -> bool {
    // Gap: there are three mistakes in this.
    let mut from_balance = from.balance.lock().unwrap();
    let mut to_balance = to.balance.lock().unwrap();
    *from_balance -= amount;
    *to_balance += amount;
    true
}
