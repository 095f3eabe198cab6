use anyhow::Result;
use crossbeam_channel::{Receiver, unbounded};
use indicatif::ProgressBar;
use multiprocess::Pool;
use std::hint::black_box;
use std::thread;
use std::time::Duration;
use support::{readable_time, timed};

const COUNT: u64 = 100_000;

pub fn sum_of_squares(_: u64) -> u64 {
    let mut sum = 0;
    for number in 0..1000_u64 {
        // Without the black box the compiler works out the sum, with no loop left.
        sum += black_box(number * number);
    }
    sum
}

fn one_after_the_other() -> Vec<u64> {
    (0..COUNT).map(sum_of_squares).collect()
}

fn in_processes(pool: &Pool, bar: &ProgressBar) -> Result<Vec<u64>> {
    let before = bar.position();
    let sums = pool
        .on_progress(|progress| bar.set_position(before + progress.done as u64))
        .map(sum_of_squares, 0..COUNT)?;
    Ok(sums)
}

fn work(jobs: Receiver<(&[u64], &mut [u64])>) {
    for (numbers, sums) in jobs {
        for (number, sum) in numbers.iter().zip(sums) {
            *sum = sum_of_squares(*number);
        }
    }
}

fn in_threads(workers: usize) -> Vec<u64> {
    let numbers: Vec<u64> = (0..COUNT).collect();
    let mut sums = vec![0; numbers.len()];
    thread::scope(|scope| {
        let (hand_out, jobs) = unbounded();
        for _ in 0..workers {
            let jobs = jobs.clone();
            scope.spawn(|| work(jobs));
        }
        for job in numbers.chunks(1000).zip(sums.chunks_mut(1000)) {
            hand_out.send(job).unwrap();
        }
    });
    sums
}

fn fastest_of_five(workers: usize) -> Result<[Duration; 3]> {
    let pool = Pool::new(workers)?;
    let bar = ProgressBar::new(5 * COUNT); // draws itself only on a terminal
    let mut fastest = [Duration::MAX; 3];
    for _ in 0..5 {
        let (sums, alone) = timed(one_after_the_other);
        let (from_processes, processes) = timed(|| in_processes(&pool, &bar));
        let (from_threads, threads) = timed(|| in_threads(workers));
        assert_eq!(sums, vec![332_833_500; COUNT as usize]);
        assert_eq!(from_processes?, sums);
        assert_eq!(from_threads, sums);

        for (fastest, time) in fastest.iter_mut().zip([alone, processes, threads]) {
            *fastest = time.min(*fastest);
        }
    }
    bar.finish_and_clear();
    Ok(fastest)
}

pub fn speed() -> Result<()> {
    let workers = thread::available_parallelism()?.get();
    let [alone, processes, threads] = fastest_of_five(workers)?;
    println!("workers:             {workers}");
    println!("one after the other: {}", readable_time(alone));
    println!("pool of processes:   {}", readable_time(processes));
    println!("pool of threads:     {}", readable_time(threads));

    let speed_up = |time| alone.div_duration_f64(time);
    println!("speed-up, processes: {:.2}", speed_up(processes));
    println!("speed-up, threads:   {:.2}", speed_up(threads));
    Ok(())
}
