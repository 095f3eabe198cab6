use std::collections::HashMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tinyjson::JsonValue;

use crate::run::{self, Line};

/// The program of a lesson, built.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// The arguments with which rustc finds the libraries that were built for it.
    pub libraries: Vec<String>,
}

impl Program {
    /// A step that runs longer than this is ended: the whole course takes less than two minutes.
    pub const STEP_LIMIT: Duration = Duration::from_mins(1);

    /// Builds a program of a package through Cargo: `target` is `["--bin", name]` or
    /// `["--example", name]`. `tell` is called with each thing that Cargo says it is doing, and not at
    /// all if there is nothing to do. The error is what Cargo says if it fails.
    pub fn build(
        root: &Path,
        package: &str,
        target: [&str; 2],
        mut tell: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<Self, String> {
        let mut command = cargo(root, "build");
        command.args(["--message-format", "json-render-diagnostics"]);
        command.args(["--package", package]).args(target);
        let (mut path, mut libraries, mut said) = (None, Vec::new(), String::new());
        let end = run::run(command, Duration::MAX, |line| {
            match line {
                Line::Output(message) => {
                    let message = message.parse().unwrap_or(JsonValue::Null);
                    libraries.extend(library(&message));
                    let program = text_in(&message, &["executable"]);
                    if program.is_some()
                        && text_in(&message, &["target", "name"]) == Some(target[1])
                    {
                        path = program.map(PathBuf::from);
                    }
                }
                Line::Error(text) if is_progress(&text) => tell(text.trim())?,
                Line::Error(text) => said.extend([&text, "\n"]),
            }
            Ok(())
        });
        let end = end.map_err(|error| format!("cargo cannot be run: {error}\n"))?;
        match path {
            Some(path) if end.is_success() => Ok(Self { path, libraries }),
            _ if said.is_empty() => Err(format!("cargo failed: {end}\n")),
            _ => Err(said),
        }
    }

    /// Returns a path beside the program, for what is built for it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Returns the command that runs it without arguments.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Returns the command that runs one step.
    ///
    /// Some steps panic on purpose: a backtrace, which the environment may ask for, would bury what
    /// they show.
    pub fn step(&self, step: &str) -> Command {
        let mut command = self.command();
        command.arg(step).env("RUST_BACKTRACE", "0");
        command
    }
}

/// Returns the command for a task of the Cargo that has started this program, in the folder `root`.
///
/// Its output is for us to read: settings such as `term.color` and `term.verbose` don't count.
pub fn cargo(root: &Path, task: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([task, "--color", "never"])
        .env("CARGO_TERM_VERBOSE", "false")
        .env("CARGO_TERM_QUIET", "false")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .current_dir(root)
        .stdin(Stdio::null());
    command
}

/// Returns whether Cargo says what it is doing, rather than what is wrong.
fn is_progress(line: &str) -> bool {
    let doing = "Adding Blocking Building Compiling Downloaded Downloading Locking Updating";
    let word = line.split_whitespace().next().unwrap_or_default();
    line.starts_with("  ") && doing.split(' ').any(|known| known == word)
}

/// Returns the argument for a library that one of Cargo's messages is about.
fn library(message: &JsonValue) -> Option<String> {
    let files: &Vec<JsonValue> = value_in(message, &["filenames"])?.get()?;
    let mut files = files.iter().filter_map(|file| text_in(file, &[]));
    let file = files.find(|file| file.rsplit('.').next() == Some("rlib"))?;
    let name = text_in(message, &["target", "name"])?.replace('-', "_");
    Some(format!("--extern={name}={file}"))
}

/// Returns the text to which these keys lead.
pub(crate) fn text_in<'a>(value: &'a JsonValue, keys: &[&str]) -> Option<&'a str> {
    value_in(value, keys)?.get::<String>().map(String::as_str)
}

pub(crate) fn value_in<'a>(value: &'a JsonValue, keys: &[&str]) -> Option<&'a JsonValue> {
    keys.iter().try_fold(value, |value, key| {
        value.get::<HashMap<String, JsonValue>>()?.get(*key)
    })
}
