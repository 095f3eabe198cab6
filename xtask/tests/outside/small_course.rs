//! A course of three lessons in a folder of its own, for the tests to play.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
        let folder = format!("lessons/{name}");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [package.metadata.lesson]\nnumber = {number}\ntitle = \"All about {name}\"\n\
             minutes = {number}\n"
        );
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
        self.write(
            &format!("{folder}/src/main.rs"),
            &program.replace("NAMES", &steps.join("\\n")),
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
        self.write(&format!("{folder}/README.md"), &readme);
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

    /// Gives the command that runs xtask in this course.
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

/// Gives the command that runs xtask as `cargo xtask` does in the checkout `root`.
pub(crate) fn xtask(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", root)
        .env_remove("NO_COLOR")
        .current_dir(root)
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn told(command: &mut Command) -> Told {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    finished(command.spawn().expect("the program starts"))
}

/// Waits until a program ends by itself, and gives what it has said.
pub(crate) fn finished(program: Child) -> Told {
    let Output {
        status,
        stdout,
        stderr,
    } = program.wait_with_output().expect("its end");
    Told {
        out: String::from_utf8(stdout).expect("output is UTF-8"),
        error: String::from_utf8(stderr).expect("error output is UTF-8"),
        status: status.code(),
    }
}
