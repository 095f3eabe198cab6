use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};

use crate::process_group::ProcessGroup;

/// The program of a lesson, built.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
}

/// What became of a build.
pub enum Build {
    Done(Program),
    /// It failed, and this is what Cargo said.
    Failed(String),
}

impl Program {
    /// A step that runs longer than this is ended: the whole course takes less than two minutes.
    pub const STEP_LIMIT: Duration = Duration::from_mins(1);

    /// Builds the program of a package through Cargo. `tell` is called with each thing that Cargo
    /// says it is doing, and not at all when there is nothing to do.
    pub fn build(
        root: &Path,
        package: &str,
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Build> {
        let target = ["--package", package, "--bin", package];
        Ok(cargo_build(root, &target, tell)?.into_build(package))
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
        Ok(cargo_build(root, &target, tell)?.into_build(example))
    }

    /// Builds the programs of several packages at once, and gives what became of each.
    pub fn build_all(
        root: &Path,
        packages: &[&str],
        tell: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Vec<Build>> {
        let targets = packages
            .iter()
            .flat_map(|package| ["--package", package, "--bin", package]);
        let target: Vec<&str> = ["--keep-going"].into_iter().chain(targets).collect();
        let mut programs = cargo_build(root, &target, tell)?.programs;
        let builds = packages
            .iter()
            .map(|package| match programs.remove(*package) {
                Some(program) => Ok(Build::Done(program)),
                // Alone once more, to be told what is wrong with this one.
                None => Self::build(root, package, |_| Ok(())),
            });
        builds.collect()
    }

    /// Gives a path beside the program, where what is built for it can be put.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Gives the command that runs it without arguments.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Gives the command that runs one step.
    ///
    /// Some steps panic on purpose: a backtrace, which the environment may ask for, would bury what
    /// they show.
    pub fn step(&self, step: &str) -> Command {
        let mut command = self.command();
        command.arg(step).env("RUST_BACKTRACE", "0");
        command
    }
}

/// What Cargo has built, how it ended, and what it said is wrong.
struct Built {
    programs: BTreeMap<String, Program>,
    status: ExitStatus,
    said: String,
}

impl Built {
    /// Gives what became of the build of one program.
    fn into_build(mut self, name: &str) -> Build {
        match self.programs.remove(name) {
            Some(program) if self.status.success() => Build::Done(program),
            _ if self.said.is_empty() => {
                Build::Failed(format!("cargo ended with {}\n", self.status))
            }
            _ => Build::Failed(self.said),
        }
    }
}

fn cargo_build(
    root: &Path,
    target: &[&str],
    mut tell: impl FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<Built> {
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
    let finder = thread::spawn(move || executables(messages));
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
    let programs = finder
        .join()
        .map_err(|_| anyhow!("the reader of cargo's messages panicked"))?;
    Ok(Built {
        programs,
        status,
        said,
    })
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

/// Finds the programs, by name, in Cargo's messages.
fn executables(messages: impl Read) -> BTreeMap<String, Program> {
    let lines = BufReader::new(messages).lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
        .filter_map(|message| {
            let path = PathBuf::from(message["executable"].as_str()?);
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, Program { path }))
        })
        .collect()
}
