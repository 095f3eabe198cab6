mod cpu_bound;
mod factorial;
mod waiting;

use anyhow::Result;
use cpu_bound::{cpu_bound, hundred_times};
use num_bigint::BigUint;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use support::{readable_time, timed};
use waiting::waiting;

fn main() -> ExitCode {
    multiprocess::init([
        multiprocess::task(hundred_times),
        multiprocess::task(factorial_bits),
    ]);
    support::run_steps(&[
        ("spawn", spawn),
        ("three-workers", three_workers),
        ("as-function", as_function),
        ("as-struct", as_struct),
        ("panic", panic),
        ("waiting", waiting),
        ("cpu-bound", cpu_bound),
        ("factorial", factorial),
    ])
}

fn count(name: &str) {
    for number in 0..10 {
        println!("{name}: {number}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn spawn() -> Result<()> {
    let worker = thread::spawn(|| count("worker"));
    println!("main: goes on while the worker counts");
    worker.join().unwrap();
    println!("main: the worker has finished");
    Ok(())
}

/// Does what `count` does, and marks each number in the timeline.
fn count_and_mark(name: &str) {
    for number in 0..10 {
        println!("{name}: {number}");
        support::mark(name, number);
        thread::sleep(Duration::from_millis(10));
    }
}

fn three_workers() -> Result<()> {
    let mut workers = Vec::new();
    for name in ["worker-1", "worker-2", "worker-3"] {
        workers.push(thread::spawn(move || count_and_mark(name)));
    }
    println!("main: goes on while three workers count");
    for worker in workers {
        worker.join().unwrap();
    }
    println!("main: all three have finished");
    Ok(())
}

fn background(pause: Duration) {
    println!("background: starting");
    thread::sleep(pause);
    println!("background: finished");
}

fn as_function() -> Result<()> {
    let pause = Duration::from_millis(100);
    let begin = Instant::now();
    let task = thread::spawn(move || background(pause));
    println!("main: goes on");
    task.join().unwrap();
    println!("main: the task took {}", readable_time(begin.elapsed()));
    Ok(())
}

struct Ticker {
    name: &'static str,
    delay: u64, // in milliseconds
    ticks: u32,
}

impl Ticker {
    fn new(name: &'static str, delay: u64, ticks: u32) -> Ticker {
        Ticker { name, delay, ticks }
    }

    fn run(self) {
        let begin = Instant::now();
        println!("{}: start", self.name);
        for tick in 1..=self.ticks {
            thread::sleep(Duration::from_millis(self.delay));
            let time = readable_time(begin.elapsed());
            println!("{}: tick {tick} after {time}", self.name);
        }
        println!("{}: end", self.name);
    }
}

fn run_all(tickers: Vec<Ticker>) {
    let mut threads = Vec::new();
    for ticker in tickers {
        threads.push(thread::spawn(move || ticker.run()));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

fn as_struct() -> Result<()> {
    run_all(vec![Ticker::new("fast", 20, 5), Ticker::new("slow", 40, 5)]);
    println!("main: fast and slow have ended");
    run_all(vec![
        Ticker::new("task-1", 30, 1),
        Ticker::new("task-2", 20, 1),
        Ticker::new("task-3", 10, 1),
    ]);
    println!("main: Done");
    Ok(())
}

fn cube_of(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(number) => number * number * number,
        Err(_) => panic!("{text:?} is not a number"),
    }
}

fn panic() -> Result<()> {
    let bad = thread::spawn(|| cube_of("two"));
    let good = thread::spawn(|| cube_of("2"));
    match bad.join() {
        Ok(cube) => println!("main: cube of two = {cube}"),
        Err(_) => println!("main: one thread failed"),
    }
    println!("main: goes on");
    println!("main: cube of 2 = {}", good.join().unwrap());
    println!("main: Done");
    Ok(())
}

const NUMBER: u64 = 1_500_000;

fn tick_beside(name: &str, computation: &JoinHandle<BigUint>) {
    let mut ticks = 0;
    while !computation.is_finished() {
        ticks += 1;
        thread::sleep(Duration::from_millis(10));
    }
    println!("{name}: ticked {ticks} times meanwhile");
}

fn factorial_beside_workers() -> BigUint {
    let computation = thread::spawn(|| factorial::of(NUMBER, 1));
    thread::scope(|scope| {
        scope.spawn(|| tick_beside("worker-1", &computation));
        scope.spawn(|| tick_beside("worker-2", &computation));
        scope.spawn(|| tick_beside("worker-3", &computation));
    });
    computation.join().unwrap()
}

fn factorial_bits(worker: u32) {
    let bits = factorial::of(NUMBER, 1).bits();
    println!("Worker: {worker} says {bits} bits");
}

fn five_processes() -> Result<()> {
    let mut workers = Vec::new();
    for worker in 0..5 {
        workers.push(multiprocess::spawn(factorial_bits, (worker,))?);
    }
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

fn factorial() -> Result<()> {
    let (number, time) = timed(factorial_beside_workers);
    println!("main: {NUMBER}! has {} bits", number.bits());
    println!("main: in one thread: {}", readable_time(time));
    let cores = thread::available_parallelism()?.get(); // as a plain number
    let (_, time) = timed(|| factorial::of(NUMBER, cores));
    println!("main: in {cores} threads: {}", readable_time(time));
    let (result, time) = timed(five_processes);
    println!("main: in five processes: {}", readable_time(time));
    result
}
