//! Messages to another process and back.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Connection, spawn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::measure::repeated;

/// Sends a message to another process, and returns the answer.
type Trip<'a, T> = &'a mut dyn FnMut(T) -> Result<T>;

/// Measures round trips of numbers.
type Trips = fn(Trip<u64>) -> Result<Vec<f64>>;

/// Measures round trips that follow each other at once.
pub(crate) fn steady(trip: Trip<u64>) -> Result<Vec<f64>> {
    let mut numbers = 0..;
    repeated(5_000, || checked(trip, numbers.next()))
}

/// Measures round trips after pauses, in which the other process falls asleep.
pub(crate) fn paused(trip: Trip<u64>) -> Result<Vec<f64>> {
    let mut time = Duration::ZERO;
    for number in 0..100 {
        thread::sleep(Duration::from_millis(2));
        let start = Instant::now();
        checked(trip, Some(number))?;
        time += start.elapsed();
    }
    Ok(vec![time.as_secs_f64() * 1e9 / 100.0])
}

fn checked(trip: Trip<u64>, number: Option<u64>) -> Result<()> {
    let number = number.unwrap_or_default();
    ensure!(trip(number)? == number, "another number came back");
    Ok(())
}

pub(crate) fn echo<T>(asker: Connection<T, T>)
where
    T: Serialize + DeserializeOwned + 'static,
{
    for message in &asker {
        let message = message.expect("a message");
        asker.send(message).expect("the asker is there");
    }
}

/// Measures round trips to a child that sends back what it receives.
pub(crate) fn to_child<T>(measure: impl FnOnce(Trip<T>) -> Result<Vec<f64>>) -> Result<Vec<f64>>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let (ours, theirs) = multiprocess::pipe()?;
    let child = spawn(echo::<T>, (theirs,))?;
    let samples = measure(&mut |message| {
        ours.send(message)?;
        Ok(ours.recv()?)
    });
    ours.close();
    child.join()?;
    samples
}

/// Returns what comes through standard input, a socket.
pub(crate) fn echo_socket() -> Result<()> {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut number = [0; 8];
    while socket.read_exact(&mut number).is_ok() {
        socket.write_all(&number)?;
    }
    Ok(())
}

pub(crate) fn socketpair(trips: Trips) -> Result<Vec<f64>> {
    let (mut socket, theirs) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    let command = command
        .arg("echo-socket")
        .stdin(Stdio::from(OwnedFd::from(theirs)));
    let mut child = command.spawn()?;
    let samples = trips(&mut |number| {
        let mut answer = [0; 8];
        socket.write_all(&number.to_le_bytes())?;
        socket.read_exact(&mut answer)?;
        Ok(u64::from_le_bytes(answer))
    });
    drop(socket);
    child.wait()?;
    samples
}

pub(crate) fn echo_ipc(numbers: IpcReceiver<u64>, answers: IpcSender<u64>) {
    while let Ok(number) = numbers.recv() {
        answers.send(number).expect("the asker is there");
    }
}

pub(crate) fn ipc_channel() -> Result<Vec<f64>> {
    let (to, numbers) = ipc::channel()?;
    let (answers, from) = ipc::channel()?;
    let child = spawn(echo_ipc, (numbers, answers))?;
    let samples = steady(&mut |number| {
        to.send(number)?;
        Ok(from.recv()?)
    });
    drop(to);
    child.join()?;
    samples
}
