use anyhow::Result;
use indicatif::ProgressBar;
use multiprocess::Pool;
use std::hint::black_box;
use std::thread;
use support::{readable_time, timed};

const COUNT: u64 = 100_000;

pub fn sum_of_squares(_: u64) -> u64 {
    let mut sum = 0;
    for number in 0..1000_u64 {
        // Without black_box, the compiler computes the sum itself and removes the loop.
        sum += black_box(number * number);
    }
    sum
}

fn sums(numbers: &[u64]) -> Vec<u64> {
    let mut sums = Vec::new();
    for number in numbers {
        sums.push(sum_of_squares(*number));
    }
    sums
}

fn in_processes(numbers: &[u64], workers: usize) -> Result<Vec<u64>> {
    let pool = Pool::new(workers)?;
    let bar = ProgressBar::new(COUNT); // draws only on a terminal
    let sums = pool
        .on_progress(|progress| bar.set_position(progress.done as u64))
        .map(sum_of_squares, numbers.to_vec())?;
    bar.finish_and_clear();
    Ok(sums)
}

fn in_threads(numbers: &[u64], workers: usize) -> Vec<u64> {
    let chunk_size = numbers.len().div_ceil(workers);
    let mut all_sums = Vec::new();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for chunk in numbers.chunks(chunk_size) {
            threads.push(scope.spawn(move || sums(chunk)));
        }
        for thread in threads {
            all_sums.extend(thread.join().unwrap());
        }
    });
    all_sums
}

pub fn speed() -> Result<()> {
    let workers = thread::available_parallelism()?.get();
    let numbers: Vec<u64> = (0..COUNT).collect();
    let (expected, alone) = timed(|| sums(&numbers));
    let (from_processes, processes) = timed(|| in_processes(&numbers, workers));
    let (from_threads, threads) = timed(|| in_threads(&numbers, workers));
    assert_eq!(from_processes?, expected);
    assert_eq!(from_threads, expected);

    println!("workers:             {workers}");
    println!("one after the other: {}", readable_time(alone));
    println!("processes:           {}", readable_time(processes));
    println!("threads:             {}", readable_time(threads));
    let speed_up = alone.div_duration_f64(processes);
    println!("speed-up, processes: {speed_up:.2}");
    let speed_up = alone.div_duration_f64(threads);
    println!("speed-up, threads:   {speed_up:.2}");
    Ok(())
}
