use anyhow::Result;
use std::hint::black_box;
use std::thread;
use std::time::Duration;
use support::{readable_time, timed};

const SUM: u64 = 33_332_833_335_000_000;

fn add_squares() -> u64 {
    let mut sum = 0;
    for number in 0..100_000 {
        // Without the black box the compiler works out the sum, with no loop left.
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

fn once() -> Result<Vec<u64>> {
    Ok(vec![hundred_times()])
}

fn four_in_a_row() -> Result<Vec<u64>> {
    let mut sums = Vec::new();
    for _ in 0..4 {
        sums.push(hundred_times());
    }
    Ok(sums)
}

fn four_threads() -> Result<Vec<u64>> {
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(thread::spawn(hundred_times));
    }
    let mut sums = Vec::new();
    for worker in workers {
        sums.push(worker.join().unwrap());
    }
    Ok(sums)
}

fn four_processes() -> Result<Vec<u64>> {
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(multiprocess::spawn(hundred_times, ())?);
    }
    let mut sums = Vec::new();
    for worker in workers {
        sums.push(worker.join()?);
    }
    Ok(sums)
}

fn fastest_of_ten(work: fn() -> Result<Vec<u64>>) -> Result<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let (sums, time) = timed(work);
        for sum in sums? {
            assert_eq!(sum, SUM);
        }
        fastest = fastest.min(time);
    }
    Ok(fastest)
}

pub fn cpu_bound() -> Result<()> {
    let one_run = fastest_of_ten(once)?;
    let row = fastest_of_ten(four_in_a_row)?;
    let threads = fastest_of_ten(four_threads)?;
    let processes = fastest_of_ten(four_processes)?;
    println!("cores:               {}", thread::available_parallelism()?);
    println!("one run:             {}", readable_time(one_run));
    println!("four in a row:       {}", readable_time(row));
    println!("four in threads:     {}", readable_time(threads));
    println!("four in processes:   {}", readable_time(processes));
    Ok(())
}
