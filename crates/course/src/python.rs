use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::run::gather;

const PROGRAM: &str = "python3";

/// The oldest Python that can run the counterparts of the lessons.
const OLDEST: (u32, u32) = (3, 9);

/// How long Python may take to print its version.
const LIMIT: Duration = Duration::from_secs(20);

/// The Python that runs the counterparts.
#[derive(Debug)]
pub struct Python {
    /// Its version, such as `Python 3.11.4`.
    pub version: String,
}

impl Python {
    /// Finds a Python that is new enough. The error says what is wrong.
    pub fn find() -> Result<Self, String> {
        let mut command = Command::new(PROGRAM);
        command.arg("--version");
        let run = gather(command, LIMIT).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{PROGRAM} is not installed"),
            _ => format!("cannot run {PROGRAM}: {error}"),
        })?;
        let version = run.output.trim().to_owned();
        if !run.end.is_success() {
            Err(format!("{PROGRAM} does not print its version: {}", run.end))
        } else if is_new_enough(&version) {
            Ok(Self { version })
        } else {
            let (major, minor) = OLDEST;
            Err(format!(
                "{PROGRAM} is {version}, but they need {major}.{minor} or newer"
            ))
        }
    }

    /// Returns the command that runs a step of a script in the checkout `root`.
    pub fn step(&self, root: &Path, script: &str, step: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg(script).arg(step).current_dir(root);
        command
    }
}

/// Returns the command that runs a step of a script, as you would type it.
pub fn command(script: &str, step: &str) -> String {
    format!("{PROGRAM} {script} {step}")
}

/// Returns the path of the counterpart, relative to the root of the checkout.
pub fn script(lesson: &str) -> String {
    format!("lessons/{lesson}/{lesson}.py")
}

fn is_new_enough(version: &str) -> bool {
    let version = version.strip_prefix("Python ").unwrap_or_default();
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    #[test]
    fn python_3_9_and_newer_are_new_enough() {
        for new in ["Python 3.9.0", "Python 3.13.1+", "Python 4.0"] {
            assert!(super::is_new_enough(new), "{new}");
        }
        for old in ["Python 3.8.18", "Python 2.7.18", "", "Cobra 4.0", "Python"] {
            assert!(!super::is_new_enough(old), "{old}");
        }
    }
}
