//! Programs that are asked and answer, line by line.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::misuse::Misuse;
use crate::process_group::ProcessGroup;
use crate::run::{self, End, Line, MAX_KEPT, POLL};

/// How long a program may take to end after its input has been closed.
const GRACE: Duration = Duration::from_secs(1);

/// A program that reads lines and answers them. When this is dropped, its input is closed; if it doesn't end
/// then, it's killed, with its processes.
pub struct Dialogue {
    group: ProcessGroup,
    lines: Receiver<Line>,
    errors: String,
}

impl Dialogue {
    /// Starts a program.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let (group, lines) = run::start(command.stdin(Stdio::piped()))?;
        let errors = String::new();
        Ok(Self {
            group,
            lines,
            errors,
        })
    }

    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        let input = self.group.child.stdin.as_mut();
        // An error means that the program doesn't read any more: then it won't answer either.
        let _ = input.map(|input| input.write_all(format!("{line}\n").as_bytes()));
    }

    /// Waits until the deadline for a line of standard output. The error says how the program ended.
    pub fn line(&mut self, deadline: Instant) -> anyhow::Result<String> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(POLL.min(left)) {
                Ok(Line::Output(line)) => return Ok(line),
                Ok(line) => self.keep(&line),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failure("the program stopped in the middle"));
                }
                Err(_) if left.is_zero() => return Err(self.failure("the program doesn't answer")),
                // What the program has started and left behind would keep its output open.
                Err(_) if self.has_ended()? => drop(self.group.end()?),
                Err(_) => {}
            }
        }
    }

    /// Returns whether the program has ended.
    pub fn has_ended(&self) -> io::Result<bool> {
        self.group.has_ended()
    }

    /// Ends the program, and returns an error: what is wrong, how the program ended, and what it wrote to
    /// standard error. It's a [`Misuse`] if the program says so by its exit status.
    pub fn failure(&mut self, what: &str) -> anyhow::Error {
        let end = match self.end() {
            Ok(end) => end,
            Err(error) => return error.into(),
        };
        for line in run::rest(&self.lines).collect::<Vec<_>>() {
            self.keep(&line);
        }
        let errors = self.errors.trim_end();
        match &end {
            End::Finished(status) if status.code() == Some(2) => {
                Misuse(errors.trim_start_matches("error: ").to_owned()).into()
            }
            _ => anyhow!("{what}: {end}\n{errors}"),
        }
    }

    fn keep(&mut self, line: &Line) {
        if let Line::Error(line) = line
            && self.errors.len() < MAX_KEPT
        {
            self.errors.extend([line, "\n"]);
        }
    }

    fn end(&mut self) -> io::Result<End> {
        drop(self.group.child.stdin.take());
        let start = Instant::now();
        while !self.has_ended()? && start.elapsed() < GRACE {
            thread::sleep(POLL);
        }
        let is_in_time = self.has_ended()?;
        let finished = End::Finished(self.group.end()?);
        Ok(if is_in_time {
            finished
        } else {
            End::TimedOut(GRACE)
        })
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // `drop` can't report an error.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::Dialogue;
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn shell(script: &str) -> Dialogue {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Dialogue::start(command).unwrap()
    }

    #[test]
    fn a_program_answers_and_its_failure_has_its_errors_and_its_end() {
        let limit = || Instant::now() + Duration::from_secs(30);
        let mut program = shell("read name; echo hello $name; echo oh no >&2; sleep 50 & exit 3");
        program.send("Ann");
        assert_eq!(program.line(limit()).unwrap(), "hello Ann");
        let error = program.line(limit()).unwrap_err().to_string();
        let expected = "the program stopped in the middle: it ended with exit status: 3\noh no";
        assert_eq!(error, expected);

        let mut silent = shell("exec sleep 50");
        let error = silent.line(Instant::now()).unwrap_err().to_string();
        assert!(
            error.starts_with("the program doesn't answer: it was ended"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_is_dropped_can_still_end_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ended");
        let script = format!("read name; touch {}", file.display());
        drop(shell(&script));
        assert!(file.exists());
    }
}
