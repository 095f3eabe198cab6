//! Programs that are asked and answer, line by line.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::misuse::Misuse;
use crate::run::{End, Line, MAX_KEPT, POLL, Running};

/// How long a program may take to end after its input has been closed.
const GRACE: Duration = Duration::from_secs(1);

/// A program that reads lines and answers them. When this is dropped, its input is closed; if it doesn't end
/// then, it's killed, with its processes.
pub struct Dialogue {
    program: Running,
    errors: String,
}

impl Dialogue {
    /// Starts a program.
    pub fn start(mut command: Command) -> io::Result<Self> {
        Ok(Self {
            program: Running::start(command.stdin(Stdio::piped()))?,
            errors: String::new(),
        })
    }

    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        let input = self.program.group.child.stdin.as_mut();
        // An error means that the program doesn't read any more: then it won't answer either.
        let _ = input.map(|input| input.write_all(format!("{line}\n").as_bytes()));
    }

    /// Waits for a line of standard output, until a time has passed since the start: then the program is killed.
    ///
    /// The error says how the program ended, and has what it wrote to standard error. It's a [`Misuse`] if
    /// the program says so by its exit status.
    pub fn line(&mut self, start: Instant, timeout: Duration) -> anyhow::Result<String> {
        let end = loop {
            match self.program.next(start, timeout)? {
                Ok(Line::Output(line)) => return Ok(line),
                Ok(Line::Error(line)) if self.errors.len() < MAX_KEPT => {
                    self.errors.extend([&line, "\n"]);
                }
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        let errors = self.errors.trim_end();
        match end {
            End::Finished(status) if status.code() == Some(2) => {
                Err(Misuse(errors.trim_start_matches("error: ").to_owned()).into())
            }
            _ => Err(anyhow!("the program gives no answer: {end}\n{errors}")),
        }
    }

    /// Returns whether the program has ended.
    pub fn has_ended(&self) -> io::Result<bool> {
        self.program.group.has_ended()
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        drop(self.program.group.child.stdin.take());
        let start = Instant::now();
        while start.elapsed() < GRACE && self.has_ended().is_ok_and(|has_ended| !has_ended) {
            thread::sleep(POLL);
        }
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
        let line = |program: &mut Dialogue, seconds| {
            program.line(Instant::now(), Duration::from_secs(seconds))
        };
        let mut program = shell("read name; echo hello $name; echo oh no >&2; sleep 50 & exit 3");
        program.send("Ann");
        assert_eq!(line(&mut program, 30).unwrap(), "hello Ann");
        let error = line(&mut program, 30).unwrap_err().to_string();
        let expected = "the program gives no answer: it ended with exit status: 3\noh no";
        assert_eq!(error, expected);

        let error = line(&mut shell("exec sleep 50"), 0)
            .unwrap_err()
            .to_string();
        let expected = "the program gives no answer: it was ended because it was still running";
        assert!(error.starts_with(expected), "{error}");
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
