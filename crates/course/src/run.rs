use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::interruption;
use crate::process_group::ProcessGroup;

/// How often a program is polled while it prints nothing.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// How long to wait for more lines once the group has ended. The lines are in the pipe already, unless a
/// process that has left the group keeps it open.
const REST_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of that time a line takes at least: then it's enough for more lines than the pipes can hold, but
/// not for all those of a process that has left the group.
const REST_LINE: Duration = Duration::from_micros(25);

/// The most lines that can be waiting to be shown. When there are more, the program blocks.
const MAX_WAITING: usize = 1000;

/// The maximum length of a line in bytes. A longer line is split.
const MAX_LINE: u64 = 16 * 1024;

/// How many bytes of each stream are kept. No lesson prints nearly as many.
pub(crate) const MAX_KEPT: usize = 1 << 20;

/// How a program's run ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Finished(ExitStatus),
    TimedOut(Duration),
}

impl End {
    /// Returns whether the program ended by itself, and successfully.
    pub fn is_success(&self) -> bool {
        matches!(self, End::Finished(status) if status.success())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Finished(status) => write!(f, "it ended with {status}"),
            End::TimedOut(timeout) => write!(
                f,
                "it was ended because it was still running after {} s",
                timeout.as_secs_f64()
            ),
        }
    }
}

/// A line of output, and the stream that the program wrote it to.
#[derive(Debug, PartialEq)]
pub enum Line {
    Output(String),
    Error(String),
}

/// The end of a program's run, and its output.
#[derive(Debug)]
pub struct Gathered {
    pub end: End,
    pub output: String,
    pub errors: String,
}

/// Runs a program as [`run`] does, and returns its standard output. If it fails, the error has its output.
pub fn output(command: Command, timeout: Duration) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let run = gather(command, timeout).with_context(|| format!("cannot run {program}"))?;
    let (end, output, errors) = (run.end, run.output, run.errors);
    ensure!(
        end.is_success(),
        "{program} failed: {end}\n{output}{errors}"
    );
    Ok(output)
}

/// Runs a program as [`run`] does, and returns its output.
pub fn gather(command: Command, timeout: Duration) -> io::Result<Gathered> {
    let (mut output, mut errors) = (String::new(), String::new());
    let end = run(command, timeout, |line| {
        let (text, line) = match line {
            Line::Output(line) => (&mut output, line),
            Line::Error(line) => (&mut errors, line),
        };
        if text.len() < MAX_KEPT {
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

/// Runs a program and calls `show` with each line as it comes, from standard output and standard error.
///
/// When this returns, no process of the run is left, even if the run timed out, `show` failed, or the
/// program left children behind. `show` gets every line that was written until then, however slow it is.
pub fn run(
    mut command: Command,
    timeout: Duration,
    mut show: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<End> {
    let mut running = Running::start(command.stdin(Stdio::null()))?;
    let start = Instant::now();
    loop {
        match running.next(start, timeout)? {
            Ok(line) => show(line)?,
            Err(end) => return Ok(end),
        }
    }
}

/// A program whose lines are read as they come.
pub(crate) struct Running {
    pub(crate) group: ProcessGroup,
    lines: Receiver<Line>,
    end: Option<End>,
    /// How much longer to wait for lines once the group has ended.
    rest: Duration,
}

impl Running {
    /// Starts a program in its own group.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        interruption::watch()?;
        let mut group = ProcessGroup::start(command)?;
        let (sender, lines) = mpsc::sync_channel(MAX_WAITING);
        let stdout = group.child.stdout.take().expect("it's a pipe");
        send_lines(stdout, sender.clone(), Line::Output);
        let stderr = group.child.stderr.take().expect("it's a pipe");
        send_lines(stderr, sender, Line::Error);
        Ok(Self {
            group,
            lines,
            end: None,
            rest: REST_TIMEOUT,
        })
    }

    /// Returns the next line, or how the program ended: after its last line, when no process of the group is
    /// left. Kills the program if it's still running after a time.
    pub(crate) fn next(
        &mut self,
        start: Instant,
        timeout: Duration,
    ) -> io::Result<Result<Line, End>> {
        let end = loop {
            if let Some(end) = self.end {
                break end;
            }
            // In this order: the program may have ended while the last line was shown slowly.
            let is_late = start.elapsed() >= timeout;
            let has_ended = self.group.has_ended()?;
            if has_ended || is_late {
                let finished = End::Finished(self.group.end()?);
                self.end = Some([End::TimedOut(timeout), finished][usize::from(has_ended)]);
                continue;
            }
            match self.lines.recv_timeout(POLL) {
                Ok(line) => return Ok(Ok(line)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
            }
        };
        let start = Instant::now();
        let line = self.lines.recv_timeout(self.rest);
        self.rest = self.rest.saturating_sub(start.elapsed().max(REST_LINE));
        Ok(line.map_err(|_| end))
    }
}

/// Starts a thread that sends each line of a stream, until the stream ends or the receiver is gone.
fn send_lines(
    stream: impl Read + Send + 'static,
    sender: SyncSender<Line>,
    kind: fn(String) -> Line,
) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while let Ok(1..) = (&mut stream).take(MAX_LINE).read_until(b'\n', &mut bytes) {
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
