//! A course of three lessons in a folder of its own, for the tests to play.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
#[cfg(unix)]
use std::sync::{Arc, Once, atomic::AtomicBool};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::flag::register_conditional_default;
use tempfile::TempDir;

/// `greeting` works, `trouble` has a step that fails, `broken` does not compile.
pub(crate) struct SmallCourse {
    root: TempDir,
}

/// What came of running xtask.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) out: String,
    pub(crate) error: String,
    pub(crate) status: Option<i32>,
}

const PROGRAM: &str = r#"
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("hello") => println!("live hello from {}", std::process::id()),
        Some("fails") => {
            eprintln!("this goes wrong");
            std::fs::write("failed", "").unwrap();
            return ExitCode::from(7);
        }
        Some("sleeps") => {
            println!("sleeping in {}", std::process::id());
            std::thread::sleep(std::time::Duration::from_secs(50));
        }
        _ => println!("NAMES"),
    }
    ExitCode::SUCCESS
}
"#;

impl SmallCourse {
    /// Makes a course without lessons.
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().expect("a folder for the course");
        Self { root }
    }

    pub(crate) fn new() -> Self {
        let course = Self::empty();
        course.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\n\
             members = [\"lessons/greeting\", \"lessons/trouble\", \"lessons/broken\"]\n",
        );
        let frame = "# All of it\n\n## Welcome\n\nWelcome to it.\n\n## Farewell\n\nGoodbye.\n";
        course.write("lessons/README.md", frame);
        course.lesson("greeting", 1, &["hello"], PROGRAM);
        course.lesson("trouble", 2, &["fails", "hello", "sleeps"], PROGRAM);
        course.lesson("broken", 3, &["hello"], "fn main() { no_such_function() }");
        course
    }

    fn lesson(&self, name: &str, number: u32, steps: &[&str], program: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [package.metadata.lesson]\nnumber = {number}\ntitle = \"All about {name}\"\n\
             minutes = {number}\n"
        );
        let mut readme = format!("# All about {name}\n\nThe opening of {name}.\n");
        readme.extend(steps.iter().map(|step| {
            format!(
                "\n## {step}: what {step} shows\n\nGuess.\n\n\
                 ```rust\nfn {step}() {{}}\n```\n\n\
                 ```console\n$ cargo run -q -p {name} -- {step}\nrecorded output\n```\n\n\
                 Notice {step}.\n"
            )
        }));
        readme += "\n## Things to try\n\n1. More.\n";
        let program = program.replace("NAMES", &steps.join("\\n"));
        self.write(&format!("lessons/{name}/Cargo.toml"), &manifest);
        self.write(&format!("lessons/{name}/src/main.rs"), &program);
        self.write(&format!("lessons/{name}/README.md"), &readme);
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a new folder");
        fs::write(path, text).expect("a new file");
    }

    /// Waits until there is a file of that name, for a minute at most.
    pub(crate) fn wait_for(&self, path: &str) {
        let start = Instant::now();
        while !self.path(path).exists() {
            assert!(start.elapsed() < Duration::from_mins(1), "no {path}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Adds text at the end of a file.
    pub(crate) fn append(&self, path: &str, text: &str) {
        let before = fs::read_to_string(self.path(path)).expect("a file");
        self.write(path, &(before + text));
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file that is there")
    }

    /// Changes a file in one place.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}");
        self.write(path, &text.replace(old, new));
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Returns the command that runs xtask in this course.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = xtask(self.root.path(), arguments);
        command.env("CARGO_TARGET_DIR", self.path("target"));
        command
    }

    /// Runs xtask in this course to its end.
    pub(crate) fn tell(&self, arguments: &[&str]) -> Told {
        told(&mut self.command(arguments))
    }
}

/// Returns the command that runs xtask as `cargo xtask` does in the checkout `root`.
pub(crate) fn xtask(root: &Path, arguments: &[&str]) -> Command {
    #[cfg(unix)]
    start_programs_with_default_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", root)
        .env_remove("NO_COLOR")
        .current_dir(root)
        .stdin(Stdio::null());
    command
}

/// Lets no program that is started inherit an ignored signal, as in the background of a shell: a signal with a
/// handler has its default in the next program. The tests themselves end by these signals as ever.
#[cfg(unix)]
fn start_programs_with_default_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            let always = Arc::new(AtomicBool::new(true));
            register_conditional_default(signal, always).expect("the signal can be handled");
        }
    });
}

/// Makes a script of the shell that can be run, and the folder for it.
///
/// Another process writes it: while this one has a file open to write, a program that another test
/// starts at that moment has it open too, and then it cannot be run ("Text file busy").
pub(crate) fn put_script(path: &Path, script: &str) {
    let write =
        r#"mkdir -p "$(dirname "$1")" && printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
    let written = Command::new("sh")
        .args(["-c", write, "sh"])
        .arg(path)
        .arg(script)
        .status();
    assert!(written.expect("sh can be run").success());
}

/// Runs a command to its end.
pub(crate) fn told(command: &mut Command) -> Told {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    finished(command.spawn().expect("the program starts"))
}

/// Waits for something that a program is to say, for ten minutes at most.
pub(crate) fn awaited<T: Send + 'static>(
    program: &mut Child,
    what: &str,
    wait: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(wait()));
    let limit = Duration::from_mins(10);
    receiver.recv_timeout(limit).unwrap_or_else(|error| {
        end(program);
        panic!("{what}: {error}")
    })
}

/// Waits until a program ends by itself, for ten minutes at most, and returns what it has said.
pub(crate) fn finished(mut program: Child) -> Told {
    let limit = Duration::from_mins(10);
    drop(program.stdin.take());
    let (out, error) = (said(program.stdout.take()), said(program.stderr.take()));
    let start = Instant::now();
    let mut status = None;
    while status.is_none() && start.elapsed() < limit {
        thread::sleep(Duration::from_millis(5));
        status = program.try_wait().expect("its state");
    }
    end(&mut program);
    // A process that it has left behind may hold its output open for ever.
    let text = |said: Receiver<String>| {
        let text = said.recv_timeout(Duration::from_mins(1));
        text.expect("nothing has its output open any more")
    };
    let (out, error) = (text(out), text(error));
    let Some(status) = status else {
        panic!("it has not ended within {limit:?}. It said:\n{out}\n{error}");
    };
    Told {
        out,
        error,
        status: status.code(),
    }
}

/// Hands over all that comes out of a stream, when it ends.
fn said(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stream) = stream {
            stream.read_to_string(&mut text).expect("output is UTF-8");
        }
        // An error means that the test has failed already.
        let _ = sender.send(text);
    });
    receiver
}

/// Ends a program: first as Ctrl-C does, so that it ends what it has started.
fn end(program: &mut Child) {
    if program.try_wait().expect("its state").is_some() {
        return;
    }
    let id = program.id().to_string();
    // Where there is no such command, it is killed in the end.
    let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
    let start = Instant::now();
    while program.try_wait().expect("its state").is_none() {
        if start.elapsed() > Duration::from_secs(10) {
            program.kill().expect("it is killed");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
