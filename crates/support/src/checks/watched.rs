//! A check in its own process: the side that starts and watches it, and the process itself.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::panic::{self, PanicHookInfo};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, WATCHED};

/// The exit status of a check that passed. It isn't 0, so that a check that calls `exit(0)` fails.
const PASSED: u8 = 10;
/// The exit status of a check that returned an error.
const FAILED: u8 = 11;
/// The exit status of a Rust program that panics.
const PANICKED: u8 = 101;

/// How often the process is polled.
const POLL: Duration = Duration::from_millis(5);

/// How long to wait for the next line once every process of the check has been killed.
const LINE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to read after that in all: a process that has left the group may print forever.
const REST_TIMEOUT: Duration = Duration::from_secs(30);

/// How many lines of output are kept: an endless loop may print forever.
const MAX_LINES: usize = 40;

/// How many bytes of a line are kept: a line may be endless too.
const MAX_LENGTH: u64 = 4096;

/// How a check ended.
pub(super) enum Ending {
    Passed,
    /// The output says why.
    Failed,
    Ended(ExitStatus),
    TimedOut(Duration),
}

/// The result of a check.
pub(super) struct Outcome {
    pub(super) ending: Ending,
    /// What it printed on both streams.
    pub(super) lines: Vec<String>,
    pub(super) more_lines: usize,
}

impl Ending {
    /// Returns what the check's own output doesn't say.
    pub(super) fn explanation(&self) -> Option<String> {
        match self {
            Ending::Passed | Ending::Failed => None,
            Ending::Ended(status) => Some(format!(
                "the program ended in the middle of the check, with {status}"
            )),
            Ending::TimedOut(timeout) => Some(format!(
                "it was still running after {} s and was ended:\n   \
                 is there an endless loop, or a wait for something that never comes?",
                timeout.as_secs()
            )),
        }
    }
}

/// Runs a check in its own process. When this returns, no process of its group is left; a process that has left the
/// group, for instance by `setsid`, keeps running.
pub(super) fn run(number: usize, timeout: Duration) -> io::Result<Outcome> {
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
    drop(command); // closes our writing ends of the pipe
    // The check ends when this closes: then this program has ended.
    let lifeline = child.stdin.take();
    let (sender, lines) = mpsc::sync_channel(MAX_LINES);
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output
            .by_ref()
            .take(MAX_LENGTH)
            .read_until(b'\n', &mut line)
        {
            let mut text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let is_cut = line.len() as u64 == MAX_LENGTH && !line.ends_with(b"\n");
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
        ending: Ending::TimedOut(timeout),
        lines: Vec::new(),
        more_lines: 0,
    };
    let mut has_ended = false;
    let mut all_read = false;
    let mut has_timed_out = false;
    while !has_ended && !has_timed_out {
        all_read = outcome.take(&lines, POLL, POLL);
        // In this order: the check may have ended while this program was suspended.
        has_timed_out = start.elapsed() >= timeout;
        has_ended = group::has_ended(&mut child)?;
        if all_read {
            thread::sleep(POLL);
        }
    }
    let status = group::end(&mut child)?;
    drop(lifeline);
    if !all_read {
        outcome.take(&lines, LINE_TIMEOUT, REST_TIMEOUT);
    }
    if has_ended {
        outcome.ending = ending(status);
    }
    Ok(outcome)
}

impl Outcome {
    /// Takes lines until none comes within `timeout`, or until `total` is over. Returns whether the output
    /// has ended.
    fn take(&mut self, lines: &mpsc::Receiver<String>, timeout: Duration, total: Duration) -> bool {
        let start = Instant::now();
        loop {
            let left = total.saturating_sub(start.elapsed());
            match lines.recv_timeout(left.min(timeout)) {
                Ok(line) if self.lines.len() < MAX_LINES => self.lines.push(line),
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

/// Runs the check in this process, which was started for it, and returns the exit status for `main`.
pub(super) fn run_here((_, check): Check) -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    // If the program that waits for this process is killed, this process must end by itself.
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

/// Prints what went wrong and where, for a learner who fills in a gap.
fn report_panic(panic: &PanicHookInfo) {
    let message = panic.payload_as_str().unwrap_or("a value that is not text");
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

    /// Makes a process the leader of a new group, to which the processes that it starts will belong.
    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    /// Returns whether the process has ended. It isn't reaped, so its pid isn't reused.
    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
    }

    /// Kills every process of the group.
    pub(super) fn end(child: &mut Child) -> io::Result<ExitStatus> {
        // An error means that the group no longer exists.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        child.wait()
    }

    /// Kills every process of the group that this process leads, and itself.
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
