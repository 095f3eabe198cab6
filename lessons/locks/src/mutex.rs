use anyhow::Result;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Instant;
use support::readable_time;

fn add_locked(total: &Mutex<i64>, times: i64) {
    for _ in 0..times {
        let mut guard = total.lock().unwrap();
        *guard += 1;
    } // `guard` ends here, and releases the lock
}

fn add_atomically(total: &AtomicI64, times: i64) {
    for _ in 0..times {
        total.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn with_lock(times: i64) -> i64 {
    let total = Mutex::new(0);
    thread::scope(|scope| {
        scope.spawn(|| add_locked(&total, times));
        scope.spawn(|| add_locked(&total, times));
    });
    total.into_inner().unwrap()
}

pub fn with_fetch_add(times: i64) -> i64 {
    let total = AtomicI64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| add_atomically(&total, times));
        scope.spawn(|| add_atomically(&total, times));
    });
    total.into_inner()
}

pub fn mutex() -> Result<()> {
    for times in [10, 1_000_000] {
        let start = Instant::now();
        let total = with_lock(times);
        println!("Mutex: {total} in {}", readable_time(start.elapsed()));
        let start = Instant::now();
        let total = with_fetch_add(times);
        println!("fetch_add: {total} in {}", readable_time(start.elapsed()));
    }
    Ok(())
}
