//! Measures pipes and queues beside a raw pair of sockets, a bare ipc-channel, and Python's own, in turns:
//! `cargo run --release -p multiprocess --example speed_talk`. The first argument is the number of rounds (default 5), the second a part of the
//! names of the rows to be measured.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Connection, Queue, pipe, spawn, task};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TRIPS: u32 = 20_000;
const PAUSED_TRIPS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(2);
const ITEMS: u64 = 1_000_000;
const IPC_ITEMS: u64 = 200_000;
const PUTTERS: u64 = 4;
const GETTERS: u64 = 2;

fn main() -> Outcome<()> {
    multiprocess::init([
        task(echo),
        task(echo_ipc),
        task(put),
        task(put_ipc),
        task(sum),
    ]);
    if std::env::args().nth(1).as_deref() == Some(ECHO) {
        return echo_socket();
    }
    let rounds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let mut table = Table::default();
    let only = std::env::args().nth(2).unwrap_or_default();
    for _ in 0..rounds {
        for (name, unit, measure) in ROWS {
            if name.contains(&only) {
                table.add(name, unit, measure()?);
            }
        }
        if only.is_empty()
            && let Some([trip, one, four]) = python()
        {
            table.add("Python's Pipe, round trip", "us", trip);
            table.add("Python's Queue, one to one", "items/s", one);
            table.add("Python's Queue, four to two", "items/s", four);
        }
    }
    table.print();
    Ok(())
}

type Row = (&'static str, &'static str, fn() -> Outcome<f64>);

const ROWS: [Row; 8] = [
    ("pipe, round trip", "us", || {
        pipe_trip(TRIPS, Duration::ZERO)
    }),
    ("raw socketpair, round trip", "us", || {
        socket_trip(TRIPS, Duration::ZERO)
    }),
    ("bare ipc-channel, round trip", "us", ipc_trip),
    ("pipe, round trip after a pause", "us", || {
        pipe_trip(PAUSED_TRIPS, PAUSE)
    }),
    ("raw socketpair, after a pause", "us", || {
        socket_trip(PAUSED_TRIPS, PAUSE)
    }),
    ("queue, one to one", "items/s", || queue_rate(1, 1)),
    ("bare ipc-channel, one to one", "items/s", ipc_rate),
    ("queue, four to two", "items/s", || {
        queue_rate(PUTTERS, GETTERS)
    }),
];

#[derive(Default)]
struct Table(Vec<(&'static str, &'static str, Vec<f64>)>);

impl Table {
    fn add(&mut self, name: &'static str, unit: &'static str, value: f64) {
        match self.0.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.2.push(value),
            None => self.0.push((name, unit, vec![value])),
        }
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.0.iter().find(|row| row.0 == name)?.2.clone();
        values.sort_by(f64::total_cmp);
        Some(values[values.len() / 2])
    }

    fn print(&self) {
        for (name, unit, values) in &self.0 {
            let median = self.median(name).unwrap_or(f64::NAN);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            println!("{name:34} {median:14.2} {unit:8} ({least:.2} to {most:.2})");
        }
        println!();
        for (ours, theirs) in [
            ("raw socketpair, round trip", "pipe, round trip"),
            (
                "raw socketpair, after a pause",
                "pipe, round trip after a pause",
            ),
            ("Python's Pipe, round trip", "pipe, round trip"),
            ("queue, one to one", "bare ipc-channel, one to one"),
            ("queue, one to one", "Python's Queue, one to one"),
            ("queue, four to two", "Python's Queue, four to two"),
        ] {
            if let (Some(more), Some(less)) = (self.median(ours), self.median(theirs)) {
                println!("{ours} / {theirs}: {:.1}", more / less);
            }
        }
    }
}

fn microseconds(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

#[allow(clippy::cast_precision_loss, reason = "a few digits are enough")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn echo(asker: Connection<u64, u64>) {
    for number in &asker {
        asker
            .send(number.expect("a number"))
            .expect("the asker is there");
    }
}

/// Times one trip; trips are apart by the pause, which is not counted.
fn trips(count: u32, pause: Duration, mut trip: impl FnMut(u64) -> Outcome<()>) -> Outcome<f64> {
    for number in 0..100 {
        trip(number)?;
    }
    if pause.is_zero() {
        let start = Instant::now();
        for number in 0..u64::from(count) {
            trip(number)?;
        }
        return Ok(microseconds(start.elapsed(), count));
    }
    let mut time = Duration::ZERO;
    for number in 0..u64::from(count) {
        std::thread::sleep(pause);
        let start = Instant::now();
        trip(number)?;
        time += start.elapsed();
    }
    Ok(microseconds(time, count))
}

fn pipe_trip(count: u32, pause: Duration) -> Outcome<f64> {
    let (ours, theirs) = pipe::<u64, u64>()?;
    let child = spawn(echo, (theirs,))?;
    let time = trips(count, pause, |number| {
        ours.send(number)?;
        assert_eq!(ours.recv()?, Some(number));
        Ok(())
    });
    ours.close();
    child.join()?;
    time
}

const ECHO: &str = "--echo-socket";

fn echo_socket() -> Outcome<()> {
    use std::os::fd::AsFd;
    let mut line = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut number = [0; 8];
    while line.read_exact(&mut number).is_ok() {
        line.write_all(&number)?;
    }
    Ok(())
}

fn socket_trip(count: u32, pause: Duration) -> Outcome<f64> {
    let (mut line, theirs) = UnixStream::pair()?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg(ECHO)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let time = trips(count, pause, |number| {
        let mut answer = [0; 8];
        line.write_all(&number.to_le_bytes())?;
        line.read_exact(&mut answer)?;
        assert_eq!(number, u64::from_le_bytes(answer));
        Ok(())
    });
    drop(line);
    child.wait()?;
    time
}

fn echo_ipc(numbers: IpcReceiver<u64>, answers: IpcSender<u64>) {
    while let Ok(number) = numbers.recv() {
        answers.send(number).expect("the asker is there");
    }
}

fn ipc_trip() -> Outcome<f64> {
    let (to, numbers) = ipc::channel()?;
    let (answers, from) = ipc::channel()?;
    let child = spawn(echo_ipc, (numbers, answers))?;
    let time = trips(TRIPS, Duration::ZERO, |number| {
        to.send(number)?;
        assert_eq!(from.recv()?, number);
        Ok(())
    });
    drop(to);
    child.join()?;
    time
}

fn put(queue: Queue<u64>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        queue.put(number).expect("it is open");
    }
}

fn sum(queue: Queue<u64>) -> u64 {
    queue.iter().map(|number| number.expect("a number")).sum()
}

fn queue_rate(putters: u64, getters: u64) -> Outcome<f64> {
    let queue = Queue::new()?;
    let mut others = Vec::new();
    for _ in 1..getters {
        others.push(spawn(sum, (queue.clone(),))?);
    }
    let share = ITEMS / putters;
    let mut children = Vec::new();
    let start = Instant::now();
    for putter in 0..putters {
        let range = putter * share..(putter + 1) * share;
        children.push(spawn(put, (queue.clone(), range))?);
    }
    let closer = queue.clone();
    let closing = std::thread::spawn(move || -> Result<(), multiprocess::Error> {
        for child in children {
            child.join()?;
        }
        closer.close()
    });
    let mut total = sum(queue);
    closing.join().expect("it does not panic")?;
    for other in others {
        total += other.join()?;
    }
    let time = start.elapsed();
    assert_eq!(total, (0..ITEMS).sum::<u64>());
    Ok(per_second(ITEMS, time))
}

fn put_ipc(queue: IpcSender<u64>, count: u64) {
    for number in 0..count {
        queue.send(number).expect("it is open");
    }
}

fn ipc_rate() -> Outcome<f64> {
    let (sender, receiver) = ipc::channel()?;
    let start = Instant::now();
    let child = spawn(put_ipc, (sender, IPC_ITEMS))?;
    let mut total = 0_u64;
    for _ in 0..IPC_ITEMS {
        total += receiver.recv()?;
    }
    let time = start.elapsed();
    child.join()?;
    assert_eq!(total, (0..IPC_ITEMS).sum::<u64>());
    Ok(per_second(IPC_ITEMS, time))
}

const PYTHON: &str = r"
import multiprocessing, time
context = multiprocessing.get_context('fork')

def echo(end):
    while True:
        number = end.recv()
        if number is None:
            return
        end.send(number)

def put(queue, numbers):
    for number in numbers:
        queue.put(number)

def get(queue, count):
    for _ in range(count):
        queue.get()

ours, theirs = context.Pipe()
child = context.Process(target=echo, args=(theirs,))
child.start()
for number in range(100):
    ours.send(number)
    ours.recv()
start = time.perf_counter()
for number in range(5000):
    ours.send(number)
    ours.recv()
print((time.perf_counter() - start) * 1e6 / 5000)
ours.send(None)
child.join()

def rate(putters, getters):
    count = 60000
    queue = context.Queue()
    start = time.perf_counter()
    others = [context.Process(target=get, args=(queue, count // getters)) for _ in range(getters - 1)]
    children = [context.Process(target=put, args=(queue, range(count // putters))) for _ in range(putters)]
    for child in others + children:
        child.start()
    get(queue, count // getters)
    for child in others + children:
        child.join()
    return count / (time.perf_counter() - start)

print(rate(1, 1))
print(rate(4, 2))
";

/// Python's figures, where Python is there.
fn python() -> Option<[f64; 3]> {
    let output = Command::new("python3").args(["-c", PYTHON]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut figures = text.lines().map(|line| line.parse().ok());
    Some([figures.next()??, figures.next()??, figures.next()??])
}
