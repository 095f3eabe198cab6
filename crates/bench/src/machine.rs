//! The machine that is measured on, and what spoils the figures.

use std::fs;
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::measure::compile_bare_mutex;
use crate::rows::Program;

pub(crate) struct Machine {
    pub(crate) cores: usize,
    /// One line for the table and the picture.
    pub(crate) description: String,
    has_python: bool,
    has_cc: bool,
    /// The largest share of the processors' time that other programs used, from 0 to 1.
    busy: f64,
}

/// Other programs may use that share without spoiling the figures.
const QUIET: f64 = 0.1;

/// Prints a line for each thing that is known about the machine.
const DESCRIBE: &str = "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
    uname -sr; rustc -V; python3 --version; date +%Y-%m-%d";

impl Machine {
    /// Looks at this machine, which takes half a second.
    pub(crate) fn look() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let description = output("sh", &["-c", DESCRIBE]).unwrap_or_default();
        let description: Vec<&str> = description.lines().collect();
        let plural = if cores == 1 { "" } else { "s" };
        Self {
            cores,
            description: format!("{cores} core{plural}, {}", description.join(", ")),
            has_python: output("python3", &["--version"]).is_some(),
            has_cc: compile_bare_mutex().is_ok(),
            busy: busy().unwrap_or_default(),
        }
    }

    /// Looks again how busy the machine is, while nothing is measured, and keeps the worst.
    pub(crate) fn look_again(&mut self) {
        self.busy = self.busy.max(busy().unwrap_or_default());
    }

    pub(crate) fn can_run(&self, program: Program) -> bool {
        match program {
            Program::Rust(_) => true,
            Program::Python(_) => self.has_python,
            Program::C(_) => self.has_cc,
        }
    }

    /// Returns a line for each thing that is missing or spoils the figures.
    pub(crate) fn warning(&self) -> String {
        let mut warning = String::new();
        if !self.has_python {
            warning += "There is no `python3`: Python's lines stay empty.\n";
        }
        if !self.has_cc {
            warning += "There is no `cc` that works: the lines of the bare mutex stay empty.\n";
        }
        if self.busy > QUIET {
            let share = 100.0 * self.busy;
            let text = format!("Other programs used up to {share:.0} % of the processors.\n");
            warning += &text;
        }
        warning
    }
}

/// Returns what a program prints, if it is there and succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// Returns the share of the processors' time that others use, while this program sleeps.
fn busy() -> Option<f64> {
    let before = ticks()?;
    thread::sleep(Duration::from_millis(500));
    let passed = ticks()?.into_iter().zip(before);
    let passed: Vec<f64> = passed.map(|(after, before)| after - before).collect();
    // Idle, and idle while a disk works.
    let idle = passed.get(3)? + passed.get(4)?;
    let all: f64 = passed.iter().sum();
    (all > 0.0).then(|| 1.0 - idle / all)
}

/// Returns how long all processors have been in each state. Guests count as user time already.
fn ticks() -> Option<Vec<f64>> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let words = text.lines().next()?.split_whitespace().skip(1).take(8);
    words.map(|word| word.parse().ok()).collect()
}
