use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use crate::run::{self, Line};

/// The program of a lesson, built.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
}

/// The result of a build.
pub enum Build {
    Done(Program),
    /// It failed, and this is what Cargo said.
    Failed(String),
}

impl Program {
    /// A step that runs longer than this is ended: the whole course takes less than two minutes.
    pub const STEP_LIMIT: Duration = Duration::from_mins(1);

    /// Builds the program of a package through Cargo. `tell` is called with each thing that Cargo
    /// says it is doing, and not at all if there is nothing to do.
    pub fn build(
        root: &Path,
        package: &str,
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        build(
            root,
            package,
            ["--package", package, "--bin", package],
            tell,
        )
    }

    /// Builds an example of a package that is run like the package itself; otherwise as
    /// [`Program::build`].
    pub fn build_exercise(
        root: &Path,
        package: &str,
        example: &str,
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        let target = ["--package", package, "--example", example];
        build(root, example, target, tell)
    }

    /// Builds the programs of several packages at once, and returns a result for each.
    pub fn build_all(
        root: &Path,
        packages: &[&str],
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Vec<Build>> {
        let targets = packages.iter().flat_map(|package| ["--bin", package]);
        let members = packages.iter().flat_map(|package| ["--package", package]);
        let target = ["--keep-going"].into_iter().chain(members).chain(targets);
        let mut programs = cargo_build(root, target, tell)?.programs;
        let builds = packages.iter().map(|package| {
            match programs.remove(*package) {
                Some(program) => Ok(Build::Done(program)),
                // Again, alone, to find out what is wrong with this one.
                None => Self::build(root, package, |_| Ok(())),
            }
        });
        builds.collect()
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

/// Builds a target, which is called `name`.
fn build<'a>(
    root: &Path,
    name: &str,
    target: impl IntoIterator<Item = &'a str>,
    tell: impl FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<Build> {
    let mut built = cargo_build(root, target, tell)?;
    Ok(match (built.failure, built.programs.remove(name)) {
        (Some(failure), _) => Build::Failed(failure),
        (None, Some(program)) => Build::Done(program),
        (None, None) => Build::Failed(format!("cargo built no program `{name}`\n")),
    })
}

/// The programs that Cargo has built, by name, and what it said if it failed.
struct Built {
    programs: BTreeMap<String, Program>,
    failure: Option<String>,
}

fn cargo_build<'a>(
    root: &Path,
    target: impl IntoIterator<Item = &'a str>,
    mut tell: impl FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<Built> {
    let mut command = cargo(root, "build");
    command
        .args(["--message-format", "json-render-diagnostics"])
        .args(target);
    let mut programs = BTreeMap::new();
    let mut said = String::new();
    let end = run::run(command, Duration::MAX, |line| {
        match line {
            Line::Output(message) => programs.extend(program(&message)),
            Line::Error(text) if is_progress(&text) => tell(text.trim())?,
            Line::Error(text) => said.extend([&text, "\n"]),
        }
        Ok(())
    });
    let end = end.context("cargo cannot be run")?;
    if said.is_empty() {
        said = format!("cargo failed: {end}\n");
    }
    Ok(Built {
        programs,
        failure: (!end.is_success()).then_some(said),
    })
}

/// Returns whether Cargo says what it is doing, rather than what is wrong.
fn is_progress(line: &str) -> bool {
    let doing = "Adding Blocking Building Compiling Downloaded Downloading Locking Updating";
    let word = line.split_whitespace().next().unwrap_or_default();
    line.starts_with("  ") && doing.split(' ').any(|known| known == word)
}

/// Returns the program, with its name, that one of Cargo's messages is about.
fn program(message: &str) -> Option<(String, Program)> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    Some((
        message["target"]["name"].as_str()?.to_owned(),
        Program { path },
    ))
}
