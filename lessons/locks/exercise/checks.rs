//! What the exercise must do.

use super::{Account, transfer};
use anyhow::{Result, ensure};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::Check;

pub const CHECKS: &[Check] = &[
    ("money moves", money_moves),
    ("nobody gives more than there is", no_debts),
    ("an account can transfer to itself", to_itself),
    (
        "nobody holds one account and waits for a lower number",
        one_order,
    ),
    ("the sum is always the same", same_sum),
];

fn accounts() -> [Account; 3] {
    [1, 2, 3].map(|number| Account {
        number,
        balance: Mutex::new(100),
    })
}

fn balances(accounts: &[Account]) -> Vec<i64> {
    let balances = accounts.iter();
    balances
        .map(|account| *account.balance.lock().unwrap())
        .collect()
}

fn expect(accounts: &[Account], expected: [i64; 3]) -> Result<()> {
    for (account, expected) in accounts.iter().zip(expected) {
        let (number, found) = (account.number, *account.balance.lock().unwrap());
        ensure!(
            found == expected,
            "account {number} has {found}, and should have {expected}"
        );
    }
    Ok(())
}

fn money_moves() -> Result<()> {
    let accounts = accounts();
    let [one, two, three] = &accounts;
    ensure!(transfer(one, two, 30), "30 of 100 were not moved");
    ensure!(transfer(three, one, 100), "100 of 100 were not moved");
    expect(&accounts, [170, 130, 0])
}

fn no_debts() -> Result<()> {
    let accounts = accounts();
    let [one, two, _] = &accounts;
    ensure!(!transfer(one, two, 101), "101 of 100 were moved");
    ensure!(!transfer(two, one, 1000), "1000 of 100 were moved");
    expect(&accounts, [100, 100, 100])
}

fn to_itself() -> Result<()> {
    let accounts = accounts();
    let two = &accounts[1];
    ensure!(transfer(two, two, 60), "60 of 100 were not moved");
    ensure!(!transfer(two, two, 101), "101 of 100 were moved");
    expect(&accounts, [100, 100, 100])
}

/// Holds account 1 while somebody transfers from 2 to 1: meanwhile 2 must be free.
fn one_order() -> Result<()> {
    let accounts = accounts();
    let [one, two, _] = &accounts;
    let begins = AtomicBool::new(false);
    let mut two_is_free = true;
    thread::scope(|scope| {
        let held = one.balance.lock().unwrap();
        scope.spawn(|| {
            begins.store(true, Ordering::Release);
            transfer(two, one, 10)
        });
        while !begins.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let start = Instant::now();
        while two_is_free && start.elapsed() < Duration::from_millis(500) {
            thread::sleep(Duration::from_millis(1));
            two_is_free = two.balance.try_lock().is_ok();
        }
        drop(held);
    });
    ensure!(
        two_is_free,
        "a transfer from 2 to 1 holds 2 while it waits for 1:\n\
         one from 1 to 2 at the same time would hold 1 and wait for 2, for ever"
    );
    expect(&accounts, [110, 90, 100])
}

fn same_sum() -> Result<()> {
    let accounts = accounts();
    let [one, two, three] = &accounts;
    let done = AtomicBool::new(false);
    let mut sums = Vec::new();
    thread::scope(|scope| {
        let mut clerks = Vec::new();
        for (from, to) in [(one, two), (two, one), (two, three), (three, one)] {
            clerks.push(scope.spawn(move || {
                for amount in 0..20_000 {
                    transfer(from, to, amount % 7);
                }
            }));
        }
        let auditor = scope.spawn(|| {
            let mut sums = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let held = accounts
                    .each_ref()
                    .map(|account| account.balance.lock().unwrap());
                sums.push(held.iter().map(|balance| **balance).sum::<i64>());
                drop(held);
                thread::yield_now();
            }
            sums
        });
        for clerk in clerks {
            clerk.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        sums = auditor.join().unwrap();
    });
    sums.push(balances(&accounts).iter().sum());
    for sum in sums {
        ensure!(
            sum == 300,
            "together the accounts have 300, and once {sum} were found"
        );
    }
    for (account, balance) in accounts.iter().zip(balances(&accounts)) {
        ensure!(balance >= 0, "account {} has {balance}", account.number);
    }
    Ok(())
}
