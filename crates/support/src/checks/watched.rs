//! A check as a process of its own, seen from both sides.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::panic::{self, PanicHookInfo};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, WATCHED};

/// The exit status of a check that passed. Not 0, so that a call of `exit(0)` somewhere does not pass.
const PASSED: u8 = 10;
/// The exit status of a check that returned an error.
const FAILED: u8 = 11;
/// The exit status that Rust gives a program that panics.
const PANICKED: u8 = 101;

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How long the next line is waited for after every process of the check was ended.
const LINGER: Duration = Duration::from_secs(5);

/// How long lines are taken after that in all: a process that has left the group may print for ever.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How many lines of a check's output are kept: an endless loop may print without end.
const LINES: usize = 40;

/// How many bytes of a line are kept: it may be as endless.
const LENGTH: u64 = 4096;

/// How a check ended.
pub(super) enum Ending {
    Passed,
    /// Its output says why.
    Failed,
    Ended(ExitStatus),
    TooLong(Duration),
}

/// What came of a check.
pub(super) struct Outcome {
    pub(super) ending: Ending,
    /// What it printed, on both streams.
    pub(super) lines: Vec<String>,
    pub(super) more_lines: usize,
}

impl Ending {
    /// Says what the check's own output does not.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            Ending::Passed | Ending::Failed => None,
            Ending::Ended(status) => Some(format!(
                "the program ended in the middle of the check, with {status}"
            )),
            Ending::TooLong(limit) => Some(format!(
                "it was still running after {} s and was ended:\n   \
                 is there an endless loop, or a wait for something that never comes?",
                limit.as_secs()
            )),
        }
    }
}

/// Runs a check in a process of its own. No process of its group is left when this returns; one that has left the
/// group, as `setsid` does, goes on.
pub(super) fn run(number: usize, limit: Duration) -> io::Result<Outcome> {
    let (output, writer) = io::pipe()?;
    let mut command = Command::new(env::current_exe()?);
    command
        .arg(format!("--{WATCHED}={number}"))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    group::separate(&mut command);
    let start = Instant::now();
    let mut child = command.spawn()?;
    drop(command); // it holds the writing ends of the pipe
    // As long as this is open, the check knows that somebody waits for it.
    let alive = child.stdin.take();
    let (sender, lines) = mpsc::sync_channel(LINES);
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output.by_ref().take(LENGTH).read_until(b'\n', &mut line) {
            let mut text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let is_cut = line.len() as u64 == LENGTH && !line.ends_with(b"\n");
            if is_cut {
                text.push_str(" ...");
            }
            if sender.send(text).is_err() || is_cut && output.skip_until(b'\n').is_err() {
                break;
            }
            line.clear();
        }
    });

    let mut outcome = Outcome {
        ending: Ending::TooLong(limit),
        lines: Vec::new(),
        more_lines: 0,
    };
    let mut in_time = false;
    let mut all_read = false;
    let mut is_too_long = false;
    while !in_time && !is_too_long {
        all_read = outcome.take(&lines, LOOK, LOOK);
        // In this order: it may have ended while this program was suspended.
        is_too_long = start.elapsed() >= limit;
        in_time = group::has_ended(&mut child)?;
        if all_read {
            thread::sleep(LOOK);
        }
    }
    let status = group::end(&mut child)?;
    drop(alive);
    if !all_read {
        outcome.take(&lines, LINGER, LONGEST_REST);
    }
    if in_time {
        outcome.ending = ending(status);
    }
    Ok(outcome)
}

impl Outcome {
    /// Takes lines until none comes for so long, or so much time has passed in all; true if there will be no
    /// more.
    fn take(&mut self, lines: &mpsc::Receiver<String>, quiet: Duration, in_all: Duration) -> bool {
        let start = Instant::now();
        loop {
            let left = in_all.saturating_sub(start.elapsed());
            match lines.recv_timeout(left.min(quiet)) {
                Ok(line) if self.lines.len() < LINES => self.lines.push(line),
                Ok(_) => self.more_lines += 1,
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
            if left.is_zero() {
                return false;
            }
        }
    }
}

fn ending(status: ExitStatus) -> Ending {
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(PASSED) => Ending::Passed,
        Some(FAILED | PANICKED) => Ending::Failed,
        _ => Ending::Ended(status),
    }
}

/// Is the check, in the process that was started for it.
pub(super) fn be((_, check): Check) -> ExitCode {
    panic::set_hook(Box::new(tell_panic));
    // Whoever waits for this process may be killed: then nobody else would end it.
    thread::spawn(|| {
        let mut nothing = Vec::new();
        let _ = io::stdin().read_to_end(&mut nothing);
        group::end_own();
    });
    match check() {
        Ok(()) => ExitCode::from(PASSED),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Says what went wrong and where, in words for somebody who fills a gap.
fn tell_panic(panic: &PanicHookInfo) {
    let message = panic.payload_as_str().unwrap_or("a value without a text");
    let place = panic
        .location()
        .map(|place| format!("{}, line {}", place.file(), place.line()))
        .unwrap_or_default();
    match message.strip_prefix("not yet implemented") {
        Some(what) => eprintln!("{place}: the gap is not filled yet{what}"),
        None => eprintln!("{place}: panicked: {message}"),
    }
}

#[cfg(unix)]
mod group {
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, ExitStatus};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process_group, waitid};

    /// Makes a process the first of a group of its own; what it starts will belong to it.
    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    /// Tells whether the process has ended, and does not wait for it: its number stays its own.
    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
    }

    /// Ends every process of the group.
    pub(super) fn end(child: &mut Child) -> io::Result<ExitStatus> {
        // An error means that there is no such group any more.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        child.wait()
    }

    /// Ends every process of the group that this process is the first of, itself too.
    pub(super) fn end_own() {
        let _ = kill_process_group(getpid(), Signal::KILL);
    }
}

#[cfg(not(unix))]
mod group {
    use std::io;
    use std::process::{Child, Command, ExitStatus};

    pub(super) fn separate(_: &mut Command) {}

    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        Ok(child.try_wait()?.is_some())
    }

    pub(super) fn end(child: &mut Child) -> io::Result<ExitStatus> {
        // An error means that it has ended already.
        let _ = child.kill();
        child.wait()
    }

    pub(super) fn end_own() {
        std::process::exit(1);
    }
}
