//! The checks of this exercise.

use super::{Account, transfer};
use anyhow::{Result, bail, ensure};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use support::Check;

pub const CHECKS: &[Check] = &[
    ("money moves", money_moves),
    ("no account goes below zero", no_overdraft),
    (
        "two transfers at once can't spend the same money",
        no_double_spending,
    ),
    ("an account can transfer to itself", to_itself),
    ("the lower number is locked first", lower_number_first),
    ("the sum is always the same", same_sum),
];

/// A transfer ends within this time, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

/// A transfer that has begun reaches the lock that it must wait for within this time.
const SOON: Duration = Duration::from_millis(200);

type Accounts = Arc<[Account; 3]>;

fn accounts(balance: i64) -> Accounts {
    Arc::new([1, 2, 3].map(|number| Account {
        number,
        balance: Mutex::new(balance),
    }))
}

/// Starts a transfer in a thread of its own, and returns when it has begun. `from` and `to` are account numbers.
fn start(accounts: &Accounts, from: usize, to: usize, amount: i64) -> JoinHandle<bool> {
    let accounts = Arc::clone(accounts);
    let has_begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&has_begun);
    let thread = thread::spawn(move || {
        begins.store(true, Ordering::Relaxed);
        transfer(&accounts[from - 1], &accounts[to - 1], amount)
    });
    while !has_begun.load(Ordering::Relaxed) {
        thread::yield_now();
    }
    thread
}

/// Returns what a transfer returned, or an error if it takes too long.
fn answer(transfer: JoinHandle<bool>) -> Result<bool> {
    wait_for(transfer, "a transfer", LIMIT)
}

/// Returns what a thread returned, or an error if it takes too long.
fn wait_for<T>(thread: JoinHandle<T>, what: &str, limit: Duration) -> Result<T> {
    let start = Instant::now();
    while !thread.is_finished() {
        ensure!(
            start.elapsed() < limit,
            "{what} did not end within {} s: which lock does it wait for, and who holds it?",
            limit.as_secs()
        );
        thread::sleep(Duration::from_millis(1));
    }
    match thread.join() {
        Ok(answer) => Ok(answer),
        Err(_) => bail!("a thread panicked"),
    }
}

fn run(accounts: &Accounts, from: usize, to: usize, amount: i64) -> Result<bool> {
    answer(start(accounts, from, to, amount))
}

fn expect(accounts: &Accounts, expected: [i64; 3]) -> Result<()> {
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
    let accounts = accounts(100);
    ensure!(
        run(&accounts, 1, 2, 30)?,
        "account 1 has 100, but `transfer` of 30 returned false"
    );
    ensure!(
        run(&accounts, 3, 1, 100)?,
        "account 3 has 100, but `transfer` of 100 returned false"
    );
    expect(&accounts, [170, 130, 0])
}

fn no_overdraft() -> Result<()> {
    let accounts = accounts(100);
    for (from, to) in [(1, 2), (2, 1)] {
        ensure!(
            !run(&accounts, from, to, 101)?,
            "account {from} has only 100, but `transfer` of 101 returned true"
        );
    }
    expect(&accounts, [100, 100, 100])
}

/// Holds 1 and 2 until two transfers from 3 wait for them. Together they ask for more than 3 has.
fn no_double_spending() -> Result<()> {
    let accounts = accounts(100);
    let held_1 = accounts[0].balance.lock().unwrap();
    let held_2 = accounts[1].balance.lock().unwrap();
    let first = start(&accounts, 3, 1, 80);
    let second = start(&accounts, 3, 2, 80);
    thread::sleep(SOON);
    drop(held_1);
    drop(held_2);
    let moved = [answer(first)?, answer(second)?];
    let left = *accounts[2].balance.lock().unwrap();
    ensure!(
        moved[0] != moved[1] && left == 20,
        "account 3 had 100; two transfers at once took 80 each, and left {left}: \
         hold the locks from the test to the last change"
    );
    Ok(())
}

fn to_itself() -> Result<()> {
    let accounts = accounts(100);
    ensure!(
        run(&accounts, 2, 2, 60)?,
        "account 2 has 100, but `transfer` of 60 to itself returned false"
    );
    ensure!(
        !run(&accounts, 2, 2, 101)?,
        "account 2 has only 100, but `transfer` of 101 to itself returned true"
    );
    expect(&accounts, [100, 100, 100])
}

/// Holds account 1 while a transfer from 2 to 1 waits for it. Account 2 must be free until then.
fn lower_number_first() -> Result<()> {
    let accounts = accounts(100);
    for (from, to) in [(2, 1), (1, 2)] {
        let guard = accounts[0].balance.lock().unwrap();
        let transfer = start(&accounts, from, to, 10);
        thread::sleep(SOON);
        let is_free = accounts[1].balance.try_lock().is_ok();
        drop(guard);
        answer(transfer)?;
        ensure!(
            is_free,
            "a transfer from {from} to {to} locks account 2 and then waits for account 1; \
             a transfer that locks 1 and then waits for 2 makes it a deadlock"
        );
    }
    expect(&accounts, [100, 100, 100])
}

fn same_sum() -> Result<()> {
    nothing_is_missing_on_the_way()?;
    the_same_while_many_transfer()
}

/// Holds one account while a transfer needs it. The other account must not change before.
fn nothing_is_missing_on_the_way() -> Result<()> {
    for (held, from, to) in [(1, 2, 1), (2, 1, 2), (1, 1, 2), (2, 2, 1)] {
        let accounts = accounts(100);
        let other = 3 - held;
        let guard = accounts[held - 1].balance.lock().unwrap();
        let transfer = start(&accounts, from, to, 10);
        thread::sleep(SOON);
        // If it is locked, no other thread can see its balance.
        if let Ok(balance) = accounts[other - 1].balance.try_lock() {
            ensure!(
                *balance == 100,
                "account {other} already has {}, but account {held} has not changed: \
                 for a moment the sum is wrong",
                *balance
            );
        }
        drop(guard);
        answer(transfer)?;
    }
    Ok(())
}

/// Two threads transfer, while a third one adds up the balances.
///
/// They transfer from lower to higher numbers only: so they end even if the account that the money comes
/// from is always locked first, which another check finds.
fn the_same_while_many_transfer() -> Result<()> {
    let accounts = accounts(1_000_000_000);
    let done = Arc::new(AtomicBool::new(false));
    for (from, to) in [(0, 1), (1, 2)] {
        let (accounts, done) = (Arc::clone(&accounts), Arc::clone(&done));
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                transfer(&accounts[from], &accounts[to], 1);
                thread::yield_now();
            }
        });
    }
    let sums = thread::spawn(move || add_up(&accounts));
    let sums = wait_for(sums, "adding up", LIMIT);
    done.store(true, Ordering::Relaxed);
    for sum in sums? {
        let missing = 3_000_000_000 - sum;
        ensure!(
            missing == 0,
            "together the accounts have 3000000000, but once {missing} was missing"
        );
    }
    Ok(())
}

/// Locks all accounts and adds them up, a hundred times.
fn add_up(accounts: &Accounts) -> Vec<i64> {
    let mut sums = Vec::new();
    for _ in 0..100 {
        let [one, two, three] = accounts.each_ref();
        let one = one.balance.lock().unwrap();
        let two = two.balance.lock().unwrap();
        let three = three.balance.lock().unwrap();
        sums.push(*one + *two + *three);
        drop((one, two, three));
        thread::sleep(Duration::from_micros(50)); // lets the others take the locks
    }
    sums
}
