//! A number's way to another process and back.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Connection, pipe, spawn};

use crate::stopwatch::Outcome;

/// How the round trips follow each other.
#[derive(Clone, Copy)]
pub(crate) enum Rhythm {
    /// One at once after the other.
    Steady,
    /// After pauses, in which the other process falls asleep, and which are not counted.
    Paused,
}

/// The argument with which this program gives back what comes through its standard input.
pub(crate) const ECHO: &str = "echo-socket";

const PAUSE: Duration = Duration::from_millis(2);

fn trips(rhythm: Rhythm, mut trip: impl FnMut(u64) -> Outcome<()>) -> Outcome<Vec<f64>> {
    let (count, pause) = match rhythm {
        Rhythm::Steady => (5_000, Duration::ZERO),
        Rhythm::Paused => (100, PAUSE),
    };
    for number in 0..100 {
        trip(number)?;
    }
    let mut time = Duration::ZERO;
    let mut start = Instant::now();
    for number in 0..count {
        if !pause.is_zero() {
            time += start.elapsed();
            std::thread::sleep(pause);
            start = Instant::now();
        }
        trip(number)?;
    }
    time += start.elapsed();
    #[allow(clippy::cast_precision_loss, reason = "a few digits are enough")]
    Ok(vec![time.as_secs_f64() * 1e9 / count as f64])
}

pub(crate) fn echo(asker: Connection<u64, u64>) {
    for number in &asker {
        asker
            .send(number.expect("a number"))
            .expect("the asker is there");
    }
}

pub(crate) fn ours(rhythm: Rhythm) -> Outcome<Vec<f64>> {
    let (ours, theirs) = pipe::<u64, u64>()?;
    let child = spawn(echo, (theirs,))?;
    let times = trips(rhythm, |number| {
        ours.send(number)?;
        assert_eq!(ours.recv()?, Some(number));
        Ok(())
    });
    ours.close();
    child.join()?;
    times
}

pub(crate) fn echo_socket() -> Outcome<()> {
    let mut line = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut number = [0; 8];
    while line.read_exact(&mut number).is_ok() {
        line.write_all(&number)?;
    }
    Ok(())
}

/// A raw pair of sockets.
pub(crate) fn socketpair(rhythm: Rhythm) -> Outcome<Vec<f64>> {
    let (mut line, theirs) = UnixStream::pair()?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg(ECHO)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let times = trips(rhythm, |number| {
        let mut answer = [0; 8];
        line.write_all(&number.to_le_bytes())?;
        line.read_exact(&mut answer)?;
        assert_eq!(number, u64::from_le_bytes(answer));
        Ok(())
    });
    drop(line);
    child.wait()?;
    times
}

pub(crate) fn echo_ipc(numbers: IpcReceiver<u64>, answers: IpcSender<u64>) {
    while let Ok(number) = numbers.recv() {
        answers.send(number).expect("the asker is there");
    }
}

pub(crate) fn ipc_channel() -> Outcome<Vec<f64>> {
    let (to, numbers) = ipc::channel()?;
    let (answers, from) = ipc::channel()?;
    let child = spawn(echo_ipc, (numbers, answers))?;
    let times = trips(Rhythm::Steady, |number| {
        to.send(number)?;
        assert_eq!(from.recv()?, number);
        Ok(())
    });
    drop(to);
    child.join()?;
    times
}
