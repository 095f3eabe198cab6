use anyhow::Result;
use std::hint::black_box;
use std::thread;
use std::time::Duration;
use support::{readable_time, timed};

fn add_squares() -> u64 {
    let mut sum = 0;
    for number in 0..100_000 {
        // Without the black box, the compiler works out the sum, and no loop is left.
        sum += black_box(number * number);
    }
    sum
}

pub fn hundred_times() -> u64 {
    let mut sum = 0;
    for _ in 0..100 {
        sum += add_squares();
    }
    sum
}

fn one_run() -> Result<()> {
    hundred_times();
    Ok(())
}

fn four_in_a_row() -> Result<()> {
    for _ in 0..4 {
        hundred_times();
    }
    Ok(())
}

fn four_threads() -> Result<()> {
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(thread::spawn(hundred_times));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    Ok(())
}

fn four_processes() -> Result<()> {
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(multiprocess::spawn(hundred_times, ())?);
    }
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

fn fastest_of_ten(work: fn() -> Result<()>) -> Result<String> {
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let (result, time) = timed(work);
        result?;
        fastest = fastest.min(time);
    }
    Ok(readable_time(fastest))
}

pub fn cpu_bound() -> Result<()> {
    println!("the sum of one run: {}", hundred_times());
    println!("cores: {}", thread::available_parallelism()?);
    println!("one run: {}", fastest_of_ten(one_run)?);
    println!("four in a row: {}", fastest_of_ten(four_in_a_row)?);
    println!("four threads: {}", fastest_of_ten(four_threads)?);
    println!("four processes: {}", fastest_of_ten(four_processes)?);
    Ok(())
}
