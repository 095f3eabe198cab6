//! A small course of three lessons, for the tests.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Once, atomic::AtomicBool, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::flag::register_conditional_default;
use tempfile::TempDir;

/// `greeting` works, `trouble` has a step that fails, `broken` does not compile.
#[derive(Clone)]
pub(crate) struct SmallCourse {
    root: Arc<TempDir>,
}

/// The output and the exit status of a program.
#[derive(Debug)]
pub(crate) struct Run {
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
        let root = Arc::new(root);
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

    /// Writes a lesson whose steps all have the same text.
    pub(crate) fn lesson(&self, name: &str, number: u32, steps: &[&str], program: &str) {
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

    /// Waits for up to a minute until a file exists.
    pub(crate) fn wait_for(&self, path: &str) {
        wait_until(path, || self.path(path).exists());
    }

    /// Adds text at the end of a file.
    pub(crate) fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    /// Replaces a text that occurs once in a file.
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

    /// Runs xtask in this course.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run_to_end(&mut self.command(arguments))
    }

    /// Runs xtask from lines such as `exercise greeting --hint => hint 1 of 2`, and checks that it shows the text,
    /// and then those of the lines that begin with `=>`. At the end of what it shows is `exit status 0`. Returns
    /// what the last run shows.
    #[track_caller]
    pub(crate) fn follow(&self, script: &str) -> String {
        let (mut shown, mut at) = (String::new(), 0);
        for line in script.lines() {
            let (words, text) = line.trim().split_once("=> ").expect("a text to look for");
            let words: Vec<_> = words.split_whitespace().collect();
            if !words.is_empty() {
                let Run { out, error, status } = self.run(&words);
                let status = status.map_or("none".to_owned(), |status| status.to_string());
                (shown, at) = (format!("{out}{error}exit status {status}\n"), 0);
            }
            let found = shown[at..].find(text);
            let found = found.unwrap_or_else(|| panic!("no {text:?}, in its order, in {shown}"));
            at += found + text.len();
        }
        shown
    }
}

/// Returns the command that runs xtask as `cargo xtask` does in the checkout `root`.
pub(crate) fn xtask(root: &Path, arguments: &[&str]) -> Command {
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

/// Resets ignored signals, which a shell's background job inherits, for the programs that the tests start: a signal
/// with a handler gets its default in a new program. These signals still end the tests themselves.
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

/// Writes an executable shell script, and creates its folder.
///
/// Another process writes it: if this process did, a program that another test starts could inherit the
/// open file, and then the script couldn't be run ("Text file busy").
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

/// Runs a command.
pub(crate) fn run_to_end(command: &mut Command) -> Run {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    finished(command.spawn().expect("the program starts"))
}

/// Waits for up to ten minutes for what a program prints or does.
pub(crate) fn awaited<T: Debug + Send + 'static>(
    program: u32,
    wait: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(wait()));
    let awaited = receiver.recv_timeout(Duration::from_mins(10));
    awaited.unwrap_or_else(|error| {
        // Like Ctrl-C, so that it ends the programs that it has started.
        signal("TERM", program);
        let late = receiver.recv_timeout(Duration::from_secs(10));
        panic!("{error}; after that: {late:?}");
    })
}

/// Waits until a program ends by itself, and returns its output. Fails if the program leaves a process
/// behind that keeps the output open.
pub(crate) fn finished(program: Child) -> Run {
    let output = awaited(program.id(), || program.wait_with_output());
    let output = output.expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run {
        out: text(output.stdout),
        error: text(output.stderr),
        status: output.status.code(),
    }
}

/// Waits for up to a minute until something holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}: not yet");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn signal(name: &str, process: impl Display) {
    let mut kill = Command::new("kill");
    let kill = kill.args(["-s", name, &process.to_string()]).status();
    assert!(kill.expect("there is kill").success(), "{name} {process}");
}

/// Returns the letter that `ps` shows for the state of a process: Z for a zombie, nothing if the process
/// is gone.
pub(crate) fn state(process: impl Display) -> String {
    let state =
        run_to_end(Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()])).out;
    state.trim().chars().take(1).collect()
}
