mod cpu_bound;
mod factorial;
mod multiply;
mod waiting;

use anyhow::{Result, ensure};
use cpu_bound::{cpu_bound, hundred_times};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Builder, task};
use num_bigint::BigInt;
use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{readable_time, timed};
use waiting::waiting;

fn main() -> ExitCode {
    multiprocess::init([
        task(careless),
        task(careful),
        task(hundred_times),
        task(factorial_bits),
    ]);
    support::run_steps(&[
        ("spawn", spawn),
        ("three-workers", three_workers),
        ("as-function", as_function),
        ("as-struct", as_struct),
        ("unjoined", unjoined),
        ("panic", panic),
        ("waiting", waiting),
        ("cpu-bound", cpu_bound),
        ("factorial", factorial),
    ])
}

fn count(name: &str) -> Vec<u32> {
    let mut counted = Vec::new();
    for number in 0..10 {
        println!("{name}: {number}");
        support::mark(name, number); // a note for `cargo xtask timeline`
        counted.push(number);
        thread::sleep(Duration::from_millis(10));
    }
    counted
}

fn spawn() -> Result<()> {
    let worker = thread::spawn(|| count("worker"));
    println!("main: goes on while the worker counts");
    let counted = worker.join().unwrap();
    println!("main: the worker counted {} numbers", counted.len());
    assert_eq!(counted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    Ok(())
}

fn three_workers() -> Result<()> {
    let names = ["worker-1", "worker-2", "worker-3"];
    let workers = names.map(|name| thread::spawn(move || count(name)));
    println!("main: goes on while three workers count");

    let mut all = Vec::new();
    for worker in workers {
        let counted = worker.join().unwrap();
        assert!(counted.is_sorted(), "a worker's own numbers are in order");
        all.extend(counted);
    }
    assert_eq!(all.len(), 30);
    for number in 0..10 {
        let times = all.iter().filter(|counted| **counted == number).count();
        assert_eq!(times, 3, "{number} comes once from each worker");
    }
    println!("main: every number came three times");
    Ok(())
}

fn background(pause: Duration) -> Duration {
    let begin = Instant::now();
    println!("background: starting");
    thread::sleep(pause);
    println!("background: finished");
    begin.elapsed()
}

fn as_function() -> Result<()> {
    let pause = Duration::from_millis(100);
    let task = thread::spawn(move || background(pause));
    println!("main: goes on");
    let took = task.join().unwrap();
    println!("main: the task took {}", readable_time(took));
    assert!(took >= pause);
    Ok(())
}

struct Ticker {
    name: &'static str,
    delay: Duration,
    ticks: u32,
}

impl Ticker {
    fn new(name: &'static str, delay: u64, ticks: u32) -> Ticker {
        let delay = Duration::from_millis(delay);
        Ticker { name, delay, ticks }
    }

    fn run(self) -> u32 {
        println!("{}: start {}", self.name, self.name);
        for tick in 1..=self.ticks {
            thread::sleep(self.delay);
            println!("{}: tick {tick}", self.name);
        }
        println!("{}: end {}", self.name, self.name);
        self.ticks
    }
}

fn as_struct() -> Result<()> {
    let fast = Ticker::new("fast", 20, 5);
    let slow = Ticker::new("slow", 40, 5);
    let fast = thread::spawn(move || fast.run());
    let slow = thread::spawn(move || slow.run());
    assert_eq!(fast.join().unwrap(), 5);
    assert_eq!(slow.join().unwrap(), 5);
    println!("main: fast and slow have ended");

    let tasks = [
        Ticker::new("task-1", 30, 1),
        Ticker::new("task-2", 20, 1),
        Ticker::new("task-3", 10, 1),
    ];
    let threads = tasks.map(|task| thread::spawn(|| task.run()));
    let ended: u32 = threads.map(|thread| thread.join().unwrap()).iter().sum();
    assert_eq!(ended, 3);
    println!("main: Done");
    Ok(())
}

const DELAY: Duration = Duration::from_millis(100);

fn tick(name: &str, delay: Duration, ticks: IpcSender<String>) {
    for number in 1..=3 {
        thread::sleep(delay);
        let line = format!("{name}: tick {number}");
        println!("{line}");
        ticks.send(line).unwrap();
    }
}

fn careless(ticks: IpcSender<String>) {
    let other_ticks = ticks.clone();
    thread::spawn(|| tick("fast", DELAY, ticks));
    thread::spawn(|| tick("slow", 3 * DELAY, other_ticks));
    println!("careless: returns, and its program ends");
}

fn careful(ticks: IpcSender<String>) {
    let other_ticks = ticks.clone();
    let fast = thread::spawn(|| tick("fast", DELAY, ticks));
    let slow = thread::spawn(|| tick("slow", 3 * DELAY, other_ticks));
    fast.join().unwrap();
    slow.join().unwrap();
    println!("careful: both threads have ended, now it returns");
}

fn count_ticks(ticks: IpcReceiver<String>) -> usize {
    let mut count = 0;
    while ticks.recv().is_ok() {
        count += 1;
    }
    count
}

fn unjoined() -> Result<()> {
    let (sender, ticks) = ipc::channel()?;
    multiprocess::spawn(careless, (sender,))?.join()?;
    let count = count_ticks(ticks);
    println!("main: {count} of 6 ticks from the careless program");
    ensure!(count < 6, "the careless program's threads were not cut off");

    let (sender, ticks) = ipc::channel()?;
    multiprocess::spawn(careful, (sender,))?.join()?;
    let count = count_ticks(ticks);
    println!("main: {count} of 6 ticks from the careful program");
    ensure!(count == 6, "the careful program lost ticks");
    Ok(())
}

fn cube_of(text: &str) -> i64 {
    let Ok(number) = text.parse::<i64>() else {
        panic!("{text:?} is not a number");
    };
    number * number * number
}

fn panic() -> Result<()> {
    let bad = thread::spawn(|| cube_of("two"));
    let good = thread::spawn(|| cube_of("2"));

    let failure = bad.join().unwrap_err();
    let message = failure.downcast_ref::<String>().unwrap();
    println!("one thread failed: {message}");
    println!("main goes on");

    let cube = good.join().unwrap();
    println!("cube of 2 = {cube}");
    println!("Done");
    assert_eq!(message, "\"two\" is not a number");
    assert_eq!(cube, 8);
    Ok(())
}

const NUMBER: u64 = 1_500_000;
const BITS: u64 = 28_610_766;

fn tick_until(done: &AtomicBool, start: &Barrier) -> u32 {
    start.wait();
    let mut ticks = 0;
    while !done.load(Ordering::Relaxed) {
        ticks += 1;
        thread::sleep(Duration::from_millis(10));
    }
    ticks
}

fn factorial_beside_workers() -> BigInt {
    let done = AtomicBool::new(false);
    let start = Barrier::new(4);
    thread::scope(|scope| {
        let workers = [1, 2, 3].map(|_| scope.spawn(|| tick_until(&done, &start)));
        let computation = scope.spawn(|| {
            start.wait();
            timed(|| factorial::of(NUMBER, 1))
        });
        let outcome = computation.join();
        done.store(true, Ordering::Relaxed);

        let (product, time) = outcome.unwrap();
        println!("{NUMBER}! has {} bits", product.bits());
        println!(
            "in one thread, beside three workers: {}",
            readable_time(time)
        );
        for worker in workers {
            let ticks = worker.join().unwrap();
            println!("a worker ticked {ticks} times meanwhile");
            assert!(ticks > 0, "the worker stood still");
        }
        product
    })
}

fn factorial_bits(number: u64) -> u64 {
    factorial::of(number, 1).bits()
}

fn five_processes() -> Result<()> {
    let mut workers = Vec::new();
    for number in 0..5 {
        let builder = Builder::new().name(format!("Worker: {number}"));
        workers.push(builder.spawn(factorial_bits, (NUMBER,))?);
    }
    for worker in workers {
        let name = worker.name().to_owned();
        let bits = worker.join()?;
        println!("{name} says {bits} bits");
        ensure!(bits == BITS, "{name} has the wrong factorial");
    }
    Ok(())
}

fn factorial() -> Result<()> {
    let product = factorial_beside_workers();
    ensure!(product.bits() == BITS, "the wrong factorial");

    let cores = thread::available_parallelism()?.get();
    let (shared, time) = timed(|| factorial::of(NUMBER, cores));
    println!("split over {cores} threads: {}", readable_time(time));
    ensure!(shared == product, "threads changed the result");

    let (result, time) = timed(five_processes);
    println!("in five processes at once: {}", readable_time(time));
    result
}
