//! What sharing costs: `Lock`, `Value` and `Array` beside a bare robust mutex, Python's own, and a copy of memory, in turns.
//!
//! `cargo run --release -p multiprocess --example speed_share`. The bare mutex is a small program in C, built by `cc`
//! when this runs; without `cc`, or without `python3`, those columns stay empty.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use multiprocess::{
    Array, Barrier, Condition, Event, Lock, RLock, RawValue, Semaphore, Value, spawn, task,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 9;
const ALONE: u32 = 1_000_000;
const TOGETHER: u32 = 200_000;
const PROCESSES: usize = 4;
const LARGE: usize = 64 << 20;

/// What the C program and the Python script print: nanoseconds of a lock alone, of an increment alone, and of one by
/// four processes at once.
#[derive(Clone, Copy)]
struct Three([f64; 3]);

const BARE: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared { pthread_mutex_t mutex; long counter; volatile int start; };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void add(struct shared *shared, long times) {
    for (long i = 0; i < times; i++) {
        pthread_mutex_lock(&shared->mutex);
        shared->counter++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

int main(int argc, char **argv) {
    long alone = atol(argv[1]), together = atol(argv[2]), processes = atol(argv[3]);
    struct shared *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->mutex, &attributes);
    double start = now();
    for (long i = 0; i < alone; i++) {
        pthread_mutex_lock(&shared->mutex);
        pthread_mutex_unlock(&shared->mutex);
    }
    printf("%f\n", (now() - start) / alone);
    start = now();
    add(shared, alone);
    printf("%f\n", (now() - start) / alone);
    fflush(stdout);
    for (long i = 0; i < processes; i++)
        if (fork() == 0) {
            while (!shared->start)
                usleep(50);
            add(shared, together);
            _exit(0);
        }
    usleep(20000);
    start = now();
    shared->start = 1;
    while (wait(0) > 0)
        ;
    printf("%f\n", (now() - start) / (together * processes));
    return shared->counter != alone + together * processes;
}
"#;

const PYTHON: &str = r"
import multiprocessing, sys, time
def add(value, times, start):
    start.wait()
    for _ in range(times):
        with value.get_lock():
            value.value += 1
if __name__ == '__main__':
    context = multiprocessing.get_context('fork')
    alone, together, processes = map(int, sys.argv[1:])
    lock, value = context.Lock(), context.Value('q', 0)
    begin = time.perf_counter_ns()
    for _ in range(alone):
        lock.acquire()
        lock.release()
    print((time.perf_counter_ns() - begin) / alone)
    begin = time.perf_counter_ns()
    for _ in range(alone):
        with value.get_lock():
            value.value += 1
    print((time.perf_counter_ns() - begin) / alone)
    start = context.Event()
    workers = [context.Process(target=add, args=(value, together, start)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    time.sleep(0.1)
    begin = time.perf_counter_ns()
    start.set()
    for worker in workers:
        worker.join()
    print((time.perf_counter_ns() - begin) / (together * processes))
    assert value.value == alone + together * processes
";

fn main() -> Outcome<()> {
    multiprocess::init([task(add)]);
    let folder = tempfile::tempdir()?;
    let bare = build_bare(folder.path());
    if bare.is_none() {
        println!("cc is not there or does not build the bare mutex: no floor for the locks");
    }
    let script = folder.path().join("share.py");
    std::fs::write(&script, PYTHON)?;
    let mut table = Table::default();
    for _ in 0..ROUNDS {
        for (row, nanoseconds) in ["lock", "increment", "increment by 4"]
            .iter()
            .zip(ours()?.0)
        {
            table.add(row, "ours", nanoseconds);
        }
        let others = [
            (
                "bare",
                bare.as_deref()
                    .and_then(|bare| three(Command::new(bare), 1)),
            ),
            ("Python", three_of_python(&script)),
        ];
        for (column, found) in others {
            let rows = ["lock", "increment", "increment by 4"];
            for (row, nanoseconds) in rows
                .iter()
                .zip(found.map_or([f64::NAN; 3], |found| found.0))
            {
                table.add(row, column, nanoseconds);
            }
        }
        copies(&mut table)?;
        creations(&mut table)?;
        others_alone(&mut table)?;
    }
    table.print();
    Ok(())
}

/// Nanoseconds that each of so many repetitions takes.
fn each(times: u32, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(times))
}

fn add(value: Value<i64>, times: u32, ready: RawValue<u32>, start: Event) {
    ready.update(|count| count + 1);
    start.wait();
    for _ in 0..times {
        *value.lock().expect("this thread does not hold it") += 1;
    }
}

fn ours() -> Outcome<Three> {
    let lock = Lock::new()?;
    let alone = each(ALONE, || {
        for _ in 0..ALONE {
            drop(black_box(lock.acquire()?));
        }
        Ok(())
    })?;
    let value = Value::new(0_i64)?;
    let increment = each(ALONE, || {
        for _ in 0..ALONE {
            *value.lock()? += 1;
        }
        Ok(())
    })?;
    let (ready, start) = (RawValue::new(0)?, Event::new()?);
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| spawn(add, (value.clone(), TOGETHER, ready.clone(), start.clone())))
        .collect::<Result<_, _>>()?;
    while ready.get() < 4 {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(20));
    let together = each(TOGETHER * 4, || {
        start.set();
        for child in children {
            child.join()?;
        }
        Ok(())
    })?;
    assert_eq!(value.get()?, i64::from(ALONE + 4 * TOGETHER));
    Ok(Three([alone, increment, together]))
}

fn build_bare(folder: &Path) -> Option<std::path::PathBuf> {
    let program = folder.join("bare");
    let mut cc = Command::new("cc")
        .args(["-O2", "-pthread", "-x", "c", "-", "-o"])
        .arg(&program)
        .stdin(Stdio::piped())
        .spawn()
        .ok()?;
    cc.stdin.take()?.write_all(BARE.as_bytes()).ok()?;
    cc.wait().ok()?.success().then_some(program)
}

fn three_of_python(script: &Path) -> Option<Three> {
    let mut python = Command::new("python3");
    python.arg(script).stderr(Stdio::null());
    three(python, 20)
}

/// Runs a program that measures the three, with a part of the repetitions.
fn three(mut program: Command, part: u32) -> Option<Three> {
    program.args([ALONE / part, TOGETHER / part].map(|times| times.to_string()));
    let output = program.arg(PROCESSES.to_string()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let found: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    output.status.success().then_some(())?;
    Some(Three(found.try_into().ok()?))
}

/// Reading and writing 64 MiB, beside the same between two vectors.
fn copies(table: &mut Table) -> Outcome<()> {
    let array = Array::<u8>::new(LARGE)?;
    let source = vec![1_u8; LARGE];
    let (mut target, mut other) = (vec![2_u8; LARGE], vec![3_u8; LARGE]);
    // Each page is touched before.
    array.lock()?.copy_from_slice(&source);
    let write = each(1, || {
        array.lock()?.copy_from_slice(black_box(&source));
        Ok(())
    })?;
    table.add("write 64 MiB", "ours", write);
    let read = each(1, || {
        target.copy_from_slice(black_box(&array.lock()?));
        Ok(())
    })?;
    table.add("read 64 MiB", "ours", read);
    let copy = each(1, || {
        other.copy_from_slice(black_box(&source));
        Ok(())
    })?;
    assert_eq!(target, other);
    table.add("write 64 MiB", "bare", copy);
    table.add("read 64 MiB", "bare", copy);
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    let ours = each(1, || {
        assert_eq!(sum(&array.lock()?), LARGE as u64);
        Ok(())
    })?;
    let bare = each(1, || {
        assert_eq!(sum(black_box(&source)), LARGE as u64);
        Ok(())
    })?;
    table.add("sum 64 MiB", "ours", ours);
    table.add("sum 64 MiB", "bare", bare);
    Ok(())
}

fn creations(table: &mut Table) -> Outcome<()> {
    const TIMES: u32 = 300;
    let lock = each(TIMES, || {
        for _ in 0..TIMES {
            drop(black_box(Lock::new()?));
        }
        Ok(())
    })?;
    table.add("make a Lock", "ours", lock);
    let value = each(TIMES, || {
        for _ in 0..TIMES {
            drop(black_box(Value::new(1_i64)?));
        }
        Ok(())
    })?;
    table.add("make a Value", "ours", value);
    let large = each(1, || {
        drop(black_box(Array::<u8>::new(LARGE)?));
        Ok(())
    })?;
    table.add("make 64 MiB", "ours", large);
    Ok(())
}

/// The other primitives, with nobody to wait for.
fn others_alone(table: &mut Table) -> Outcome<()> {
    const TIMES: u32 = 20_000;
    let (rlock, semaphore) = (RLock::new()?, Semaphore::new(2)?);
    let (event, barrier, condition) = (Event::new()?, Barrier::new(1)?, Condition::new()?);
    let lock = each(TIMES, || {
        for _ in 0..TIMES {
            drop(black_box(rlock.acquire()?));
        }
        Ok(())
    })?;
    table.add("RLock", "ours", lock);
    let permit = each(TIMES, || {
        for _ in 0..TIMES {
            drop(black_box(semaphore.acquire()?));
        }
        Ok(())
    })?;
    table.add("Semaphore", "ours", permit);
    let set = each(TIMES, || {
        for _ in 0..TIMES {
            event.set();
            event.clear();
        }
        Ok(())
    })?;
    table.add("Event, set and clear", "ours", set);
    let wait = each(TIMES, || {
        for _ in 0..TIMES {
            barrier.wait()?;
        }
        Ok(())
    })?;
    table.add("Barrier for one", "ours", wait);
    let notify = each(TIMES, || {
        for _ in 0..TIMES {
            condition.lock()?.notify_one();
        }
        Ok(())
    })?;
    table.add("Condition, notify", "ours", notify);
    Ok(())
}

/// Measured nanoseconds by row and column.
#[derive(Default)]
struct Table(Vec<(String, &'static str, Vec<f64>)>);

impl Table {
    fn add(&mut self, row: &str, column: &'static str, nanoseconds: f64) {
        let known = self.0.iter_mut().find(|(r, c, _)| r == row && *c == column);
        match known {
            Some((.., all)) => all.push(nanoseconds),
            None => self.0.push((row.to_owned(), column, vec![nanoseconds])),
        }
    }

    fn median(&self, row: &str, column: &str) -> Option<f64> {
        let (.., all) = self.0.iter().find(|(r, c, _)| r == row && *c == column)?;
        let mut all = all.clone();
        all.sort_by(f64::total_cmp);
        Some(all[all.len() / 2]).filter(|median| !median.is_nan())
    }

    fn print(&self) {
        println!(
            "{:22} {:>12} {:>12} {:>12} {:>10} {:>12}",
            "nanoseconds", "ours", "bare", "Python", "ours/bare", "Python/ours"
        );
        for (row, column, _) in &self.0 {
            if *column != "ours" {
                continue;
            }
            let [ours, bare, python] = ["ours", "bare", "Python"].map(|c| self.median(row, c));
            let mut line = format!("{row:22}");
            for number in [ours, bare, python] {
                let _ = match number {
                    Some(number) => write!(line, " {number:12.1}"),
                    None => write!(line, " {:12}", ""),
                };
            }
            let _ = match ours.zip(bare) {
                Some((ours, bare)) => write!(line, " {:10.2}", ours / bare),
                None => write!(line, " {:10}", ""),
            };
            if let Some((ours, python)) = ours.zip(python) {
                let _ = write!(line, " {:12.1}", python / ours);
            }
            println!("{}", line.trim_end());
        }
    }
}
