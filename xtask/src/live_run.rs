use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::process_group::ProcessGroup;

/// How often a program that prints nothing is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long output is waited for after its program has ended: a process that it has left behind may
/// hold the other end open for ever.
const LINGER: Duration = Duration::from_millis(500);

/// So many lines may wait to be shown; until one is, the program has to wait when it writes more.
const MOST_WAITING: usize = 1000;

/// A line that is longer, in bytes, is cut: the rest counts as the next one.
const LONGEST_LINE: u64 = 16 * 1024;

/// So many lines are kept by whoever keeps those of a run; no lesson prints nearly as many.
pub(crate) const MOST_KEPT: usize = 10_000;

/// How a program's run ended.
#[derive(Debug)]
pub(crate) enum End {
    Finished(ExitStatus),
    TooLong(Duration),
}

impl End {
    pub(crate) fn is_success(&self) -> bool {
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
pub(crate) enum Line {
    Output(String),
    Error(String),
}

/// Runs a program and hands over its lines as they come, those of its standard error among them.
///
/// Whatever happens, no process of the run is left when this returns: not when the limit is
/// exceeded, nor when `show` fails, nor when the program leaves children behind.
pub(crate) fn run(
    mut command: Command,
    limit: Duration,
    mut show: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<End> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut group = ProcessGroup::start(&mut command)?;
    let (sender, lines) = mpsc::sync_channel(MOST_WAITING);
    if let Some(stdout) = group.child().stdout.take() {
        pass_on(stdout, sender.clone(), Line::Output);
    }
    if let Some(stderr) = group.child().stderr.take() {
        pass_on(stderr, sender, Line::Error);
    }
    let mut ended_at = None;
    let mut all_shown = false;
    while start.elapsed() < limit {
        if all_shown {
            thread::sleep(LOOK);
        } else {
            match lines.recv_timeout(LOOK) {
                Ok(line) => show(line)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => all_shown = true,
            }
        }
        if ended_at.is_none() && group.has_ended()? {
            ended_at = Some(Instant::now());
        }
        if ended_at.is_some_and(|ended_at| all_shown || ended_at.elapsed() > LINGER) {
            return group.end().map(End::Finished);
        }
    }
    group.end()?;
    Ok(End::TooLong(limit))
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
mod tests {
    use super::{End, LONGEST_LINE, Line, run};
    use std::io;
    use std::process::Command;
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    /// Only one group runs at a time, as in the program itself.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn gather(script: &str, limit: Duration) -> (End, Vec<Line>) {
        let _turn = ONE_AT_A_TIME.lock();
        let mut lines = Vec::new();
        let end = run(shell(script), limit, |line| {
            lines.push(line);
            Ok(())
        });
        (end.unwrap(), lines)
    }

    /// Tells whether a process is there, a dead one that is not yet waited for not counting.
    fn is_alive(pid: &str) -> bool {
        let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
        let state = String::from_utf8(state.unwrap().stdout).unwrap();
        !state.trim().is_empty() && !state.trim().starts_with('Z')
    }

    /// Waits until a process is gone, for 5 seconds at most.
    fn is_gone(pid: &str) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if !is_alive(pid) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    #[test]
    fn lines_of_both_streams_come_and_the_status_is_told() {
        let (end, lines) = gather("echo one; sleep 0.2; echo two >&2; exit 3", LONG);
        assert_eq!(
            lines,
            [Line::Output("one".into()), Line::Error("two".into())]
        );
        assert!(!end.is_success());
        assert_eq!(end.to_string(), "it ended with exit status: 3");
    }

    #[test]
    fn a_line_comes_before_the_program_ends() {
        let _turn = ONE_AT_A_TIME.lock();
        let start = Instant::now();
        let mut first = None;
        let script = "echo early; sleep 1; echo late";
        let end = run(shell(script), LONG, |_| {
            first.get_or_insert_with(|| start.elapsed());
            Ok(())
        });
        assert!(end.unwrap().is_success());
        assert!(first.unwrap() < Duration::from_millis(800), "{first:?}");
    }

    #[test]
    fn a_run_without_end_is_ended_with_its_children() {
        let limit = Duration::from_millis(500);
        let (end, lines) = gather("sleep 60 & echo $!; sleep 60", limit);
        assert!(matches!(end, End::TooLong(_)), "{end}");
        let [Line::Output(pid)] = lines.as_slice() else {
            panic!("expected one line, got {lines:?}");
        };
        assert!(is_gone(pid));
    }

    #[test]
    fn a_program_that_prints_for_ever_is_ended_at_the_limit() {
        let _turn = ONE_AT_A_TIME.lock();
        let mut count = 0_u64;
        let end = run(shell("yes"), Duration::from_millis(500), |_| {
            count += 1;
            Ok(())
        });
        assert!(matches!(end, Ok(End::TooLong(_))), "{end:?}");
        assert!(count > 0);
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_parts() {
        let (end, lines) = gather(
            "head -c 40000 /dev/zero | tr '\\0' x; echo; echo next",
            LONG,
        );
        assert!(end.is_success());
        let longest = usize::try_from(LONGEST_LINE).unwrap();
        let parts = [longest, longest, 40_000 - 2 * longest].map(|length| "x".repeat(length));
        let [one, two, three] = parts.map(Line::Output);
        assert_eq!(lines, [one, two, three, Line::Output("next".into())]);
    }

    #[test]
    fn a_child_left_behind_does_not_hold_up_the_course() {
        let start = Instant::now();
        let (end, lines) = gather("sleep 60 & echo $!", LONG);
        assert!(end.is_success());
        assert!(start.elapsed() < Duration::from_secs(10));
        let [Line::Output(pid)] = lines.as_slice() else {
            panic!("expected one line, got {lines:?}");
        };
        assert!(is_gone(pid));
    }

    #[test]
    fn when_the_screen_is_gone_the_run_is_ended() {
        let _turn = ONE_AT_A_TIME.lock();
        let mut seen = String::new();
        let error = run(shell("echo $$; sleep 60"), LONG, |line| {
            if let Line::Output(pid) = line {
                seen = pid;
            }
            Err(io::ErrorKind::BrokenPipe.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(is_gone(&seen));
    }

    #[test]
    fn a_program_that_cannot_be_started_is_an_error() {
        let _turn = ONE_AT_A_TIME.lock();
        let command = Command::new("no-such-program-anywhere");
        let error = run(command, LONG, |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
