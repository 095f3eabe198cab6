use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, anyhow};

use crate::process_group::ProcessGroup;

/// The program of a lesson, or one that measures, built.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
}

/// What became of a build.
pub(crate) enum Build {
    Done(Program),
    /// It failed, and this is what Cargo said.
    Failed(String),
}

impl Program {
    /// Builds the program of a package through Cargo. `tell` is called with each thing that Cargo
    /// says it is doing, and not at all when there is nothing to do.
    pub(crate) fn build(
        root: &Path,
        package: &str,
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        Self::build_target(root, &["--package", package, "--bin", package], tell)
    }

    /// Builds an example of a package for measuring, which is optimised as much as can be; otherwise
    /// as [`Program::build`].
    pub(crate) fn build_example(
        root: &Path,
        package: &str,
        example: &str,
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        let target = ["--release", "--package", package, "--example", example];
        Self::build_target(root, &target, tell)
    }

    fn build_target(
        root: &Path,
        target: &[&str],
        mut tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .arg("build")
            .args(target)
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Dropped when `tell` fails: Cargo must not build on for nobody.
        let mut cargo = ProcessGroup::start(&mut command).context("cargo cannot be started")?;
        let child = cargo.child();
        let messages = child.stdout.take().context("cargo has no output")?;
        let finder = thread::spawn(move || executable(messages));
        let mut said = String::new();
        let stderr = child.stderr.take().context("cargo has no error output")?;
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            match line.split_whitespace().next() {
                Some(word) if line.starts_with("  ") && DOING.contains(&word) => {
                    tell(line.trim())?;
                }
                Some("Finished") => {}
                _ => {
                    said.push_str(&line);
                    said.push('\n');
                }
            }
        }
        let status = cargo.wait()?;
        let path = finder
            .join()
            .map_err(|_| anyhow!("the reader of cargo's messages panicked"))?;
        Ok(match path {
            Some(path) if status.success() => Build::Done(Self { path }),
            _ if said.is_empty() => Build::Failed(format!("cargo ended with {status}\n")),
            _ => Build::Failed(said),
        })
    }

    /// Gives a path beside the program, where what is built for it can be put.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Gives the command that runs it without arguments.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Gives the command that runs one step.
    ///
    /// Some steps panic on purpose: a backtrace, which the environment may ask for, would bury what
    /// they show.
    pub(crate) fn step(&self, step: &str) -> Command {
        let mut command = self.command();
        command.arg(step).env("RUST_BACKTRACE", "0");
        command
    }
}

/// The words with which Cargo says what it is doing, rather than what is wrong.
const DOING: [&str; 8] = [
    "Adding",
    "Blocking",
    "Building",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Locking",
    "Updating",
];

/// Finds the path of the program in Cargo's messages.
fn executable(messages: impl Read) -> Option<PathBuf> {
    let lines = BufReader::new(messages).lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .last()
}
