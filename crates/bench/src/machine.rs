//! The machine that is measured on.

use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;

use crate::rows::Program;
use crate::side::compile_bare_mutex;

pub(crate) struct Machine {
    pub(crate) cores: u32,
    /// One line for the table.
    pub(crate) description: String,
    has_python: bool,
    has_cc: bool,
    /// A line for each thing that is missing.
    pub(crate) missing: String,
}

/// Prints a line for each thing that is known about the machine.
const DESCRIBE: &str = "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
    uname -sr; rustc -V; python3 --version; date +%Y-%m-%d";

impl Machine {
    pub(crate) fn look() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let described = output("sh", &["-c", DESCRIBE]).unwrap_or_default();
        let described: Vec<&str> = described.lines().collect();
        let has_python = output("python3", &["--version"]).is_some();
        let has_cc = compile_bare_mutex().is_ok();
        let missing = [
            (
                has_python,
                "There is no `python3`: Python's lines stay empty.\n",
            ),
            (
                has_cc,
                "There is no `cc` that works: the lines of the bare mutex stay empty.\n",
            ),
        ];
        let missing = missing.into_iter().filter(|(is_there, _)| !is_there);
        Self {
            cores,
            description: format!("{cores} cores, {}", described.join(", ")),
            has_python,
            has_cc,
            missing: missing.map(|(_, line)| line).collect(),
        }
    }

    pub(crate) fn can_run(&self, program: Program) -> bool {
        match program {
            Program::Rust(_) => true,
            Program::Python(_) => self.has_python,
            Program::C(_) => self.has_cc,
        }
    }
}

/// Returns what a program prints, if it is there and succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}
