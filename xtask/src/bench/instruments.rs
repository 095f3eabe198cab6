use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::bench::rows::{Instrument, Row, Side};
use crate::program::{Build, Program};
use crate::screen::Screen;

/// Where the programs that measure have their sources.
const SOURCES: &str = "crates/multiprocess/examples/speed";

/// The programs that measure, as far as they are needed and can be had.
pub(crate) struct Instruments {
    speed: Program,
    procspawn: Option<Program>,
    bare_mutex: Option<PathBuf>,
    /// The script, where there is a Python that can run it.
    python: Option<PathBuf>,
    /// What is missing, and what that means.
    pub(crate) missing: Vec<String>,
}

impl Instruments {
    /// Builds what the rows need.
    pub(crate) fn prepare(screen: &mut Screen, root: &Path, rows: &[&Row]) -> anyhow::Result<Self> {
        let sides = || rows.iter().flat_map(|row| row.sides);
        let needed = |instrument| sides().any(|side| side.by == instrument);
        let speed = build(screen, root, "speed")?;
        let procspawn = if needed(Instrument::Procspawn) {
            Some(build(screen, root, "speed_procspawn")?)
        } else {
            None
        };
        let mut missing = Vec::new();
        let mut bare_mutex = None;
        if needed(Instrument::BareMutex) {
            bare_mutex = compile(
                &root.join(SOURCES).join("bare_mutex.c"),
                speed.beside("bare_mutex"),
            )?;
            if bare_mutex.is_none() {
                missing.push(
                    "There is no C compiler `cc`, so there is no bare mutex to compare with."
                        .to_owned(),
                );
            }
        }
        let mut python = None;
        if sides().any(|side| side.by.is_python()) {
            python = python_version().map(|_| root.join(SOURCES).join("speed.py"));
            if python.is_none() {
                missing.push("There is no `python3`, so Python's lines stay empty.".to_owned());
            }
        }
        Ok(Self {
            speed,
            procspawn,
            bare_mutex,
            python,
            missing,
        })
    }

    /// Gives the command that measures a side, which prints nanoseconds; nothing where its program is
    /// missing.
    pub(crate) fn command(&self, row: &Row, side: &Side) -> Option<Command> {
        match side.by {
            Instrument::Speed => {
                let mut command = self.speed.command();
                command.args([row.name, side.name]);
                Some(command)
            }
            Instrument::Procspawn => self.procspawn.as_ref().map(Program::command),
            Instrument::BareMutex => self.bare_mutex.as_ref().map(|program| {
                let mut command = Command::new(program);
                command.arg(row.name);
                command
            }),
            Instrument::Python(method) => self.python.as_ref().map(|script| {
                let mut command = Command::new("python3");
                command.arg(script).args([row.name, method]);
                command
            }),
        }
    }
}

fn build(screen: &mut Screen, root: &Path, example: &str) -> anyhow::Result<Program> {
    let built = Program::build_example(root, "multiprocess", example, |doing| {
        screen.status(&format!("Building {example} for release"), doing)
    });
    screen.end_status()?;
    match built? {
        Build::Done(program) => Ok(program),
        Build::Failed(said) => bail!("the example {example} does not build; Cargo says:\n{said}"),
    }
}

/// Compiles a program in C; nothing if there is no compiler.
fn compile(source: &Path, program: PathBuf) -> anyhow::Result<Option<PathBuf>> {
    let output = Command::new("cc")
        .args(["-O2", "-pthread", "-o"])
        .args([program.as_path(), source])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(Some(program)),
        Ok(output) => {
            io::stderr().write_all(&output.stderr)?;
            bail!("cc does not compile {}", source.display())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("cc cannot be started"),
    }
}

/// Gives what `python3 --version` says, where there is one.
pub(crate) fn python_version() -> Option<String> {
    let mut python = Command::new("python3");
    let output = python.arg("--version").stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}
