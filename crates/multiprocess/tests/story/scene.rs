//! Runs this test program again, as one of its scenes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::LIMIT;
use super::proc::{self, Known};

/// Names the scene; the children of a scene inherit it, so their `main` is the scene's too.
const SCENE: &str = "MULTIPROCESS_TEST_SCENE";

/// Returns the scene that this program should play.
pub(crate) fn requested() -> Option<String> {
    std::env::var(SCENE).ok()
}

/// Builds a scene to play.
pub(crate) struct Scene {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

impl Scene {
    pub(crate) fn new(name: &str) -> Scene {
        Scene::of("/proc/self/exe", name)
    }

    /// A scene of a copy of this program.
    pub(crate) fn of(program: impl AsRef<Path>, name: &str) -> Scene {
        Scene::from(Command::new(program.as_ref())).env(SCENE, name)
    }

    /// A scene started by a shell, which prepares something and then runs `"$PROGRAM"`.
    pub(crate) fn by_shell(script: &str, name: &str) -> Scene {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let program = format!("/proc/{}/exe", std::process::id());
        Scene::from(shell).env("PROGRAM", program).env(SCENE, name)
    }

    /// No scene: the whole test program.
    pub(crate) fn everything() -> Scene {
        Scene::from(Command::new("/proc/self/exe"))
    }

    fn from(command: Command) -> Scene {
        Scene {
            command,
            input: Vec::new(),
            limit: LIMIT / 2,
        }
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Scene {
        self.command.env(key, value);
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Scene {
        self.command.arg(argument);
        self
    }

    /// Sets the scene's standard input.
    pub(crate) fn input(mut self, text: &str) -> Scene {
        text.as_bytes().clone_into(&mut self.input);
        self
    }

    pub(crate) fn within(mut self, limit: Duration) -> Scene {
        self.limit = limit;
        self
    }

    /// Starts the scene, so that a test can act on it while it plays.
    pub(crate) fn start(mut self) -> Playing {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = self.command.spawn().expect("the scene starts");
        let mut input = process.stdin.take().expect("a pipe");
        // A scene may end without reading it.
        let _ = input.write_all(&self.input);
        Playing {
            out: lines(process.stdout.take().expect("a pipe")),
            err: lines(process.stderr.take().expect("a pipe")),
            deadline: Instant::now() + self.limit,
            process,
        }
    }

    /// Plays the scene to its end.
    pub(crate) fn play(self) -> Played {
        self.start().finish()
    }

    /// Plays the scene, which must end well; returns the lines it printed.
    pub(crate) fn succeed(self) -> Vec<String> {
        let played = self.play();
        assert!(played.status.success(), "{played:#?}");
        played.out
    }
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if sender.send(text.trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// A scene that is playing.
pub(crate) struct Playing {
    process: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    deadline: Instant,
}

/// A scene that has ended, together with everything that wrote to its output.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) pid: u32,
    pub(crate) status: ExitStatus,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

impl Playing {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Returns the next line that the scene prints.
    pub(crate) fn line(&mut self) -> String {
        match self.out.recv_timeout(self.left()) {
            Ok(line) => line,
            Err(error) => {
                let words: Vec<String> = self.err.try_iter().collect();
                panic!("the scene prints no more lines ({error}); standard error: {words:#?}")
            }
        }
    }

    /// Returns the next line, which must be a process: its name, and `Known`.
    pub(crate) fn introduced(&mut self) -> (String, Known) {
        let line = self.line();
        let (name, known) = line.split_once(": ").expect("NAME: PID STARTED");
        let known = Known::parse(known).expect("NAME: PID STARTED");
        (name.to_owned(), known)
    }

    pub(crate) fn introductions(&mut self, count: usize) -> Vec<(String, Known)> {
        (0..count).map(|_| self.introduced()).collect()
    }

    /// Ends the scene's main process with SIGKILL; processes that it started may live on.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the scene can be killed");
        self.process.wait().expect("the scene can be waited for");
    }

    /// Waits for the scene's end, and for the end of everything that its processes print.
    pub(crate) fn finish(mut self) -> Played {
        let out = rest(&self.out, self.deadline, "standard output");
        let err = rest(&self.err, self.deadline, "standard error");
        loop {
            if let Some(status) = self.process.try_wait().expect("it can be waited for") {
                let pid = self.process.id();
                return Played {
                    pid,
                    status,
                    out,
                    err,
                };
            }
            assert!(!self.left().is_zero(), "the scene does not end: {out:#?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn rest(lines: &Receiver<String>, deadline: Instant, what: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => all.push(line),
            Err(RecvTimeoutError::Disconnected) => return all,
            Err(RecvTimeoutError::Timeout) => {
                panic!("the scene does not close its {what}; it printed: {all:#?}")
            }
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Only a test that fails leaves a scene behind.
        if let Ok(None) = self.process.try_wait() {
            for child in proc::children_of(self.process.id()) {
                proc::kill(child);
            }
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
