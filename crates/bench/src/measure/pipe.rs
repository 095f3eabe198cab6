//! Messages to another process and back.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Connection, spawn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::measure::{Samples, once, repeated};

/// Sends a message to another process, and returns the answer.
type Trip<'a, T> = &'a mut dyn FnMut(T) -> Result<T>;

/// Measures round trips without pauses.
pub(crate) fn steady(trip: Trip<u64>) -> Samples {
    repeated(5_000, || {
        ensure!(trip(7)? == 7, "another number came back");
        Ok(())
    })
}

/// Measures round trips after pauses, in which the other process goes to sleep.
pub(crate) fn paused(trip: Trip<u64>) -> Samples {
    let mut total = 0.0;
    for number in 0..100 {
        thread::sleep(Duration::from_millis(2));
        let there_and_back = || {
            ensure!(trip(number)? == number, "another number came back");
            Ok(())
        };
        total += once(1, there_and_back)?[0];
    }
    Ok(vec![total / 100.0])
}

pub(crate) fn echo<T>(asker: Connection<T, T>)
where
    T: Serialize + DeserializeOwned + 'static,
{
    for message in &asker {
        let message = message.expect("a message");
        asker.send(message).expect("the other end is open");
    }
}

/// Measures round trips to a child that sends back what it receives.
pub(crate) fn to_child<T>(measure: impl FnOnce(Trip<T>) -> Samples) -> Samples
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

/// Measures round trips to `cat`, which reads from a socket and writes to it.
pub(crate) fn to_cat(measure: fn(Trip<u64>) -> Samples) -> Samples {
    let (mut socket, theirs) = UnixStream::pair()?;
    let mut child = Command::new("cat")
        .stdin(OwnedFd::from(theirs.try_clone()?))
        .stdout(OwnedFd::from(theirs))
        .spawn()?;
    let samples = measure(&mut |number| {
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
        answers.send(number).expect("the other end is open");
    }
}

pub(crate) fn ipc_channel() -> Samples {
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
