//! What a pool costs and gains: ours, Python's, a plain loop, threads, and rayon, whose workers are threads too.
//!
//! `cargo run --release -p multiprocess --example speed_pool`

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use multiprocess::{Pool, task};
use rayon::prelude::*;

fn trivial(number: u64) -> u64 {
    number + 1
}

/// The sum of the squares of 0 to 999, as in the lesson.
fn squares(_: u64) -> u64 {
    (0..1000_u64).fold(0, |sum, number| sum + black_box(number * number))
}

const ROUNDS: usize = 7;
const TRIVIAL: u64 = 1_000_000;
const SINGLE: u64 = 20_000;
const WORK: u64 = 400_000;

const PYTHON: &str = r"
import multiprocessing, os, time
def trivial(number):
    return number + 1
def squares(_):
    return sum(number * number for number in range(1000))
def measure(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
if __name__ == '__main__':
    with multiprocessing.Pool(os.cpu_count()) as pool:
        pool.map(trivial, range(100))
        print(measure(lambda: pool.map(trivial, range(1_000_000))))
        print(measure(lambda: pool.map(trivial, range(20_000), chunksize=1)))
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocess::init([task(trivial), task(squares)]);
    let script = tempfile::Builder::new().suffix(".py").tempfile()?;
    script.as_file().write_all(PYTHON.as_bytes())?;
    let python = || -> Option<Vec<f64>> {
        let mut command = Command::new("python3");
        let output = command
            .arg(script.path())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().map(|line| line.parse().ok()).collect()
    };
    let pool = Pool::builder().build()?;
    let workers = pool.workers();
    pool.map(trivial, 0..1000)?;

    let (mut many, mut single, mut work, mut plain, mut threads) =
        (vec![], vec![], vec![], vec![], vec![]);
    let (mut python_many, mut python_single) = (vec![], vec![]);
    let (mut rayon_many, mut rayon_work) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        many.push(time(|| {
            assert_eq!(pool.map(trivial, 0..TRIVIAL).unwrap().len(), 1_000_000);
        }));
        single.push(time(|| {
            assert_eq!(
                pool.chunk_size(1).map(trivial, 0..SINGLE).unwrap().len(),
                20_000
            );
        }));
        work.push(time(|| {
            drop(black_box(pool.map(squares, 0..WORK).unwrap()));
        }));
        plain.push(time(|| {
            drop(black_box((0..WORK).map(squares).collect::<Vec<_>>()));
        }));
        threads.push(time(|| {
            std::thread::scope(|scope| {
                for part in 0..workers as u64 {
                    let share = WORK / workers as u64;
                    scope.spawn(move || {
                        let inputs = part * share..(part + 1) * share;
                        drop(black_box(inputs.map(squares).collect::<Vec<_>>()));
                    });
                }
            });
        }));
        rayon_many.push(time(|| {
            let results: Vec<u64> = (0..TRIVIAL).into_par_iter().map(trivial).collect();
            drop(black_box(results));
        }));
        rayon_work.push(time(|| {
            let results: Vec<u64> = (0..WORK).into_par_iter().map(squares).collect();
            drop(black_box(results));
        }));
        if let Some([many, single]) = python().as_deref() {
            python_many.push(Duration::from_secs_f64(*many));
            python_single.push(Duration::from_secs_f64(*single));
        }
    }
    let show = |what: &str, ours: Vec<Duration>, other: &str, times: Vec<Duration>| {
        let ours = median(ours).expect("measured in each round");
        match median(times) {
            None => println!("{what}: {ours:.1?}; {other} not measured"),
            Some(time) => {
                let ratio = time.as_secs_f64() / ours.as_secs_f64();
                println!("{what}: {ours:.1?}; {other} {time:.1?}, {ratio:.2} × ours");
            }
        }
    };
    println!("medians of {ROUNDS} rounds, {workers} workers");
    show(
        "map of 1 000 000 trivial calls",
        many.clone(),
        "Python",
        python_many,
    );
    show(
        "map of 20 000 trivial calls, one at a time",
        single,
        "Python",
        python_single,
    );
    show(
        "map of 400 000 sums of squares",
        work.clone(),
        "a plain loop",
        plain,
    );
    show(
        "map of 400 000 sums of squares",
        work.clone(),
        "threads",
        threads,
    );
    show("map of 400 000 sums of squares", work, "rayon", rayon_work);
    show("map of 1 000 000 trivial calls", many, "rayon", rayon_many);
    Ok(())
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
