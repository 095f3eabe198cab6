use anyhow::Result;
use std::thread;
use std::time::Duration;
use support::{readable_time, timed};

fn powers(exponent: u32) -> Vec<u64> {
    let mut powers = Vec::new();
    for number in [2u64, 3, 8, 9] {
        thread::sleep(Duration::from_millis(100));
        powers.push(number.pow(exponent));
    }
    powers
}

fn one_after_the_other() {
    let squares = powers(2);
    let cubes = powers(3);
    println!("squares {squares:?}, cubes {cubes:?}");
}

fn in_two_threads() {
    let squares = thread::spawn(|| powers(2));
    let cubes = thread::spawn(|| powers(3));
    let squares = squares.join().unwrap();
    let cubes = cubes.join().unwrap();
    println!("squares {squares:?}, cubes {cubes:?}");
}

fn one_wait() {
    thread::sleep(Duration::from_millis(200));
}

fn four_waits() {
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(thread::spawn(one_wait));
    }
    for wait in waits {
        wait.join().unwrap();
    }
}

fn time_of(work: fn()) -> String {
    let ((), time) = timed(work);
    readable_time(time)
}

pub fn waiting() -> Result<()> {
    println!("one after the other: {}", time_of(one_after_the_other));
    println!("in two threads: {}", time_of(in_two_threads));
    println!("one wait: {}", time_of(one_wait));
    println!("four waits in four threads: {}", time_of(four_waits));
    Ok(())
}
