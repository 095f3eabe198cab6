use crate::schedules::ADDITIONS;
use anyhow::Result;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

fn add_apart(total: &AtomicI64, times: i64) {
    for _ in 0..times {
        let seen = total.load(Ordering::Relaxed);
        hint::spin_loop(); // a very short pause
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

pub fn race() -> Result<()> {
    println!("2 x 10 additions make {}", free_run(10));
    let mut min = 600_000;
    for _ in 0..20 {
        min = min.min(free_run(300_000));
    }
    println!("2 x 300000 additions make {min}, the min of 20 runs");
    for turns in ["AABBBBAA", "ABABAABB", "ABBBBAAA"] {
        println!("{turns}: {}", ADDITIONS.replay(turns)?);
    }
    println!("the flag is up, and the value is {}", hand_over());
    Ok(())
}

fn publish(value: &AtomicI64, ready: &AtomicBool) {
    value.store(42, Ordering::Relaxed);
    ready.store(true, Ordering::Release); // raise the flag
}

pub fn hand_over() -> i64 {
    let value = AtomicI64::new(0);
    let ready = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| publish(&value, &ready));
        while !ready.load(Ordering::Acquire) {
            hint::spin_loop();
        }
        value.load(Ordering::Relaxed)
    })
}
