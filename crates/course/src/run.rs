use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::interruption;
use crate::process_group::ProcessGroup;

/// How often a program that prints nothing is polled.
const POLL: Duration = Duration::from_millis(10);

/// How long lines are waited for once the group has ended. They are on their way already, unless a
/// process that has left the group holds the other end open.
const LINGER: Duration = Duration::from_secs(5);

/// So many lines are handed over once the group has ended: more than the pipes can hold. More come
/// only from a process that has left the group.
const MOST_LEFT: usize = 200_000;

/// So many lines may wait to be shown; when there are more, the program has to wait.
const MOST_WAITING: usize = 1000;

/// A line that is longer, in bytes, is cut: the rest counts as the next one.
const LONGEST_LINE: u64 = 16 * 1024;

/// So many bytes of each stream are kept of a run; no lesson prints nearly as many.
const MOST_KEPT: usize = 1 << 20;

/// How a program's run ended.
#[derive(Debug)]
pub enum End {
    Finished(ExitStatus),
    TooLong(Duration),
}

impl End {
    /// Returns whether the program ended by itself and with success.
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

/// A program's run, with what it printed.
#[derive(Debug)]
pub struct Gathered {
    pub end: End,
    pub output: String,
    pub errors: String,
}

/// Runs a program as [`run`] does, and returns its output. Unless it succeeds, the error is what it said.
pub fn output(command: Command, limit: Duration) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let run = gather(command, limit).with_context(|| format!("{program} cannot be run"))?;
    let (end, output, errors) = (run.end, run.output, run.errors);
    ensure!(
        end.is_success(),
        "{program} failed: {end}\n{output}{errors}"
    );
    Ok(output)
}

/// Runs a program as [`run`] does, and returns what it printed.
pub fn gather(command: Command, limit: Duration) -> io::Result<Gathered> {
    let (mut output, mut errors) = (String::new(), String::new());
    let end = run(command, limit, |line| {
        let (text, line) = match line {
            Line::Output(line) => (&mut output, line),
            Line::Error(line) => (&mut errors, line),
        };
        if text.len() < MOST_KEPT {
            text.extend([&line, "\n"]);
        }
        Ok(())
    })?;
    Ok(Gathered {
        end,
        output,
        errors,
    })
}

/// Runs a program and hands over its lines as they come, those of its standard error among them.
///
/// Whatever happens, no process of the run is left when this returns: not when the limit is
/// exceeded, nor when `show` fails, nor when the program leaves children behind. Everything that they
/// had written until then is handed over, however long `show` takes for it.
pub fn run(
    mut command: Command,
    limit: Duration,
    mut show: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<End> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    interruption::watch()?;
    let mut group = ProcessGroup::start(&mut command)?;
    let start = Instant::now();
    let (sender, lines) = mpsc::sync_channel(MOST_WAITING);
    if let Some(stdout) = group.child.stdout.take() {
        pass_on(stdout, sender.clone(), Line::Output);
    }
    if let Some(stderr) = group.child.stderr.take() {
        pass_on(stderr, sender, Line::Error);
    }
    let is_in_time = loop {
        // In this order: it may have ended while `show` took its time.
        let is_too_long = start.elapsed() >= limit;
        if group.has_ended()? {
            break true;
        }
        if is_too_long {
            break false;
        }
        match lines.recv_timeout(POLL) {
            Ok(line) => show(line)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
        }
    };
    let status = group.end()?;
    let mut left = LINGER;
    for _ in 0..MOST_LEFT {
        let start = Instant::now();
        let Ok(line) = lines.recv_timeout(left) else {
            break;
        };
        left = left.saturating_sub(start.elapsed());
        show(line)?;
    }
    let finished = is_in_time.then_some(End::Finished(status));
    Ok(finished.unwrap_or(End::TooLong(limit)))
}

/// Sends each line of a stream, until it ends or the receiver is gone.
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
