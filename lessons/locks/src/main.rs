mod balance;
mod bookings;
mod deadlock;
mod printers;

use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcSender};
use multiprocess::{Builder, Lock, task};
use std::collections::BTreeMap;
use std::hint;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;
use support::{Race, Schedule, readable_time, timed};

fn main() -> ExitCode {
    multiprocess::init([
        task(printers::print_at_will),
        task(printers::print_in_turn),
        task(printers::say_hello),
        task(printers::give_up),
        task(balance::deposit),
        task(balance::withdraw),
        task(balance::deposit_locked),
        task(balance::withdraw_locked),
        task(bookings::book),
        task(deadlock::take_crosswise),
        task(deadlock::take_in_order),
        task(hold),
    ]);
    support::run_steps_and_races(
        &[
            ("race", race),
            ("mutex", mutex),
            ("shared-map", shared_map),
            ("printers", printers::printers),
            ("balance", balance::balance),
            ("deadlock", deadlock::deadlock),
            ("killed-holder", killed_holder),
        ],
        &[ADDITIONS, bookings::BOOKINGS],
    )
}

fn add_apart(total: &AtomicI64, times: i64) {
    for _ in 0..times {
        let seen = total.load(Ordering::Relaxed);
        hint::spin_loop(); // a moment's pause: time for the other thread to come between
        total.store(seen + 1, Ordering::Relaxed);
    }
}

fn free_run(times: i64) -> i64 {
    let total = AtomicI64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| add_apart(&total, times));
        scope.spawn(|| add_apart(&total, times));
    });
    total.into_inner()
}

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

const ADDITIONS: Race = Race {
    step: "race",
    turns: "AAAABBBB",
    run: two_times_two,
};

fn race() -> Result<()> {
    println!("2 x 10 additions make {}", free_run(10));
    let times = 300_000;
    let totals: Vec<i64> = (0..20).map(|_| free_run(times)).collect();
    let short = totals.iter().filter(|&&total| total < 2 * times).count();
    let least = totals.iter().min().unwrap();
    println!("2 x {times} additions: short in {short} of 20 runs, the least was {least}");
    for total in totals {
        ensure!(total <= 2 * times, "nothing is there that nobody added");
    }

    for (turns, expected) in [("AABBBBAA", 4), ("ABABAABB", 3), ("ABBBBAAA", 2)] {
        for _ in 0..1000 {
            let outcome = ADDITIONS.replay(turns)?;
            assert_eq!(outcome, format!("2 x 2 additions make {expected}"));
        }
        println!("{turns}: 2 x 2 additions make {expected}, in 1000 of 1000 replays");
    }
    Ok(())
}

fn add_locked(total: &Mutex<i64>, times: i64) {
    for _ in 0..times {
        let mut total = total.lock().unwrap();
        *total += 1;
    } // here the guard called `total` ends, and with it the lock
}

fn add_atomically(total: &AtomicI64, times: i64) {
    for _ in 0..times {
        total.fetch_add(1, Ordering::Relaxed);
    }
}

fn mutex() -> Result<()> {
    for times in [10, 1_000_000] {
        let locked = Mutex::new(0);
        let atomic = AtomicI64::new(0);
        let (_, lock_time) = timed(|| {
            thread::scope(|scope| {
                scope.spawn(|| add_locked(&locked, times));
                scope.spawn(|| add_locked(&locked, times));
            });
        });
        let (_, atomic_time) = timed(|| {
            thread::scope(|scope| {
                scope.spawn(|| add_atomically(&atomic, times));
                scope.spawn(|| add_atomically(&atomic, times));
            });
        });
        let (locked, atomic) = (locked.into_inner()?, atomic.into_inner());
        println!("Mutex: {locked} in {}", readable_time(lock_time));
        println!("fetch_add: {atomic} in {}", readable_time(atomic_time));
        assert_eq!((locked, atomic), (2 * times, 2 * times));
    }
    Ok(())
}

fn enter(map: &Mutex<BTreeMap<i64, i64>>, number: i64) {
    let mut map = map.lock().unwrap();
    let before = map.len();
    map.insert(number, number);
    println!("thread {number}: size {before} before, {} after", map.len());
    assert_eq!(map.len(), before + 1);
}

fn shared_map() -> Result<()> {
    let map = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        let map = &map;
        for number in 0..4 {
            scope.spawn(move || enter(map, number));
        }
    });
    let map = map.into_inner()?;
    println!("{map:?}");
    assert_eq!(map, BTreeMap::from([(0, 0), (1, 1), (2, 2), (3, 3)]));
    Ok(())
}

fn hold(lock: Lock, holding: IpcSender<()>) {
    let _guard = lock.lock().unwrap();
    holding.send(()).expect("the parent waits for this");
    thread::sleep(Duration::from_secs(60)); // long enough to be killed
}

fn killed_holder() -> Result<()> {
    let lock = Lock::named("ledger")?;
    let (holding, is_held) = ipc::channel()?;
    let ann = Builder::new()
        .name("Ann")
        .spawn(hold, (lock.clone(), holding))?;
    is_held.recv()?;
    ensure!(lock.try_lock().is_err(), "Ann holds it");
    let pid = ann.pid();
    println!("Ann, process {pid}, holds the lock and is killed");
    ann.kill()?;

    let guard = lock.lock_timeout(Duration::from_secs(5))?;
    let died = guard.holder_died();
    println!("we have the lock; did a holder die? {died}");
    println!("it was process {}", guard.dead_holder().unwrap());
    assert_eq!(guard.dead_holder(), Some(pid));
    drop(guard);

    let mut guard = lock.lock()?;
    println!("once more; did a holder die? {}", guard.holder_died());
    guard.clear_death(); // what the lock guards is repaired now
    drop(guard);

    let guard = lock.lock()?;
    println!("after the repair? {}", guard.holder_died());
    ensure!(!guard.holder_died(), "the notice was cleared");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_and_atomic_additions_lose_nothing_in_a_thousand_runs() {
        for _ in 0..1000 {
            let (locked, atomic) = (Mutex::new(0), AtomicI64::new(0));
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| add_locked(&locked, 1000));
                    scope.spawn(|| add_atomically(&atomic, 1000));
                }
            });
            assert_eq!(locked.into_inner().unwrap(), 2000);
            assert_eq!(atomic.into_inner(), 2000);
        }
    }
}
