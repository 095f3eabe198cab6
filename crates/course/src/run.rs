use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use crate::process_group::ProcessGroup;
use crate::stopwatch::Stopwatch;

/// How often a program that prints nothing is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long the next line is waited for once the group has ended. It is on its way to us already,
/// unless a process that has left the group holds the other end open.
const LINGER: Duration = Duration::from_secs(5);

/// So many lines are handed over once the group has ended: more than the pipes can hold. More come
/// only from a process that has left the group.
const MOST_LEFT: usize = 200_000;

/// So many lines may wait to be shown; until one is, the program has to wait when it writes more.
const MOST_WAITING: usize = 1000;

/// A line that is longer, in bytes, is cut: the rest counts as the next one.
const LONGEST_LINE: u64 = 16 * 1024;

/// So many lines are kept by whoever keeps those of a run; no lesson prints nearly as many.
pub const MOST_KEPT: usize = 10_000;

/// How a program's run ended.
#[derive(Debug)]
pub enum End {
    Finished(ExitStatus),
    TooLong(Duration),
}

impl End {
    pub fn is_success(&self) -> bool {
        matches!(self, End::Finished(status) if status.success())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Finished(status) => write!(f, "it ended with {status}"),
            End::TooLong(limit) => write!(
                f,
                "it was ended because it was still running after {} s",
                limit.as_secs_f64()
            ),
        }
    }
}

/// A line of output, and where the program wrote it.
#[derive(Debug, PartialEq)]
pub enum Line {
    Output(String),
    Error(String),
}

/// Runs a program and hands over its lines as they come, those of its standard error among them.
///
/// Whatever happens, no process of the run is left when this returns: not when the limit is
/// exceeded, nor when `show` fails, nor when the program leaves children behind. Whatever they had
/// written until then is handed over, however long `show` takes for it.
pub fn run(
    mut command: Command,
    limit: Duration,
    mut show: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<End> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = ProcessGroup::start(&mut command)?;
    let watch = Stopwatch::start();
    let (sender, lines) = mpsc::sync_channel(MOST_WAITING);
    if let Some(stdout) = group.child().stdout.take() {
        pass_on(stdout, sender.clone(), Line::Output);
    }
    if let Some(stderr) = group.child().stderr.take() {
        pass_on(stderr, sender, Line::Error);
    }
    let mut all_shown = false;
    let is_in_time = loop {
        // In this order: it may have ended while `show` took its time.
        let is_too_long = watch.elapsed() >= limit;
        if group.has_ended()? {
            break true;
        }
        if is_too_long {
            break false;
        }
        if all_shown {
            thread::sleep(LOOK);
            continue;
        }
        match lines.recv_timeout(LOOK) {
            Ok(line) => show(line)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => all_shown = true,
        }
    };
    let status = group.end()?;
    hand_over_rest(&lines, limit, show)?;
    Ok(if is_in_time {
        End::Finished(status)
    } else {
        End::TooLong(limit)
    })
}

/// Hands over what was written before the group ended. Lines are waited for as long as `limit` in all,
/// for what `show` takes does not count.
fn hand_over_rest(
    lines: &Receiver<Line>,
    limit: Duration,
    mut show: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<()> {
    let mut waited = Duration::ZERO;
    for _ in 0..MOST_LEFT {
        let watch = Stopwatch::start();
        let line = loop {
            match lines.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) if watch.elapsed() < LINGER => {}
                line => break line,
            }
        };
        waited += watch.elapsed();
        match line {
            Ok(line) if waited <= limit => show(line)?,
            _ => break,
        }
    }
    Ok(())
}

/// Sends each line of a stream, until it ends or nobody listens.
fn pass_on(stream: impl Read + Send + 'static, sender: SyncSender<Line>, kind: fn(String) -> Line) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while let Ok(1..) = (&mut stream)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)
        {
            let text = String::from_utf8_lossy(&bytes);
            let text = text.strip_suffix('\n').unwrap_or(&text);
            if sender.send(kind(text.to_owned())).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

#[cfg(all(test, unix))]
mod tests;
