use std::collections::HashMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tinyjson::JsonValue;

use crate::run::{self, Line};

/// The built program of a lesson.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// The `--extern` arguments for the libraries that were built for it.
    pub libraries: Vec<String>,
}

impl Program {
    /// A step that runs longer is killed: the whole course takes less than two minutes.
    pub const STEP_LIMIT: Duration = Duration::from_mins(1);

    /// Has Cargo build a program of a package: `target` is `["--bin", name]` or `["--example", name]`.
    /// `show` is called with each of Cargo's progress messages; there are none if the program is up to
    /// date. If the build fails, the error is Cargo's output.
    pub fn build(
        root: &Path,
        package: &str,
        target: [&str; 2],
        mut show: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<Self, String> {
        let mut command = cargo(root, "build");
        command.args(["--message-format", "json-render-diagnostics"]);
        command.args(["--package", package]).args(target);
        let (mut path, mut libraries, mut errors) = (None, Vec::new(), String::new());
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
                Line::Error(text) if is_progress(&text) => show(text.trim())?,
                Line::Error(text) => errors.extend([&text, "\n"]),
            }
            Ok(())
        });
        let end = end.map_err(|error| format!("cannot run cargo: {error}\n"))?;
        match path {
            Some(path) if end.is_success() => Ok(Self { path, libraries }),
            _ if errors.is_empty() => Err(format!("cargo failed: {end}\n")),
            _ => Err(errors),
        }
    }

    /// Returns a path in the program's folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Returns the command that runs the program without arguments.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Returns the command that runs one step.
    ///
    /// It prints no backtraces, even if the environment asks for them: some steps panic on purpose.
    pub fn step(&self, step: &str) -> Command {
        let mut command = self.command();
        command.arg(step).env("RUST_BACKTRACE", "0");
        command
    }
}

/// Returns the command that runs a Cargo task in the folder `root`, with the Cargo that started this program.
///
/// Settings such as `term.color` and `term.verbose` don't apply, because this program parses the output.
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

/// Returns whether a line of Cargo's output is a progress message, not an error.
fn is_progress(line: &str) -> bool {
    let progress = "Adding Blocking Building Compiling Downloaded Downloading Locking Updating";
    let word = line.split_whitespace().next().unwrap_or_default();
    line.starts_with("  ") && progress.split(' ').any(|known| known == word)
}

/// Returns the `--extern` argument for a library, if that's what a message of Cargo is about.
fn library(message: &JsonValue) -> Option<String> {
    let files: &Vec<JsonValue> = value_in(message, &["filenames"])?.get()?;
    let mut files = files.iter().filter_map(|file| text_in(file, &[]));
    let file = files.find(|file| file.rsplit('.').next() == Some("rlib"))?;
    let name = text_in(message, &["target", "name"])?.replace('-', "_");
    Some(format!("--extern={name}={file}"))
}

/// Returns the text at a path of keys.
pub(crate) fn text_in<'a>(value: &'a JsonValue, keys: &[&str]) -> Option<&'a str> {
    value_in(value, keys)?.get::<String>().map(String::as_str)
}

pub(crate) fn value_in<'a>(value: &'a JsonValue, keys: &[&str]) -> Option<&'a JsonValue> {
    keys.iter().try_fold(value, |value, key| {
        value.get::<HashMap<String, JsonValue>>()?.get(*key)
    })
}
