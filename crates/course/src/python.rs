use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::run::gather;

/// The oldest Python that the counterparts of the lessons run with.
const OLDEST: (u32, u32) = (3, 9);

/// How long Python may take to print its version.
const LIMIT: Duration = Duration::from_secs(20);

/// The Python that runs the counterparts.
#[derive(Debug)]
pub struct Python {
    program: &'static str,
    /// Its version, such as `Python 3.11.4`.
    pub version: String,
}

impl Python {
    /// Finds a Python that is new enough. An error says what there is instead.
    pub fn find() -> Result<Self, String> {
        find("python3")
    }

    /// Returns the command that runs the counterpart of a step in the checkout `root`.
    pub fn step(&self, root: &Path, lesson: &str, step: &str) -> Command {
        let mut command = Command::new(self.program);
        command.arg(script(lesson)).arg(step).current_dir(root);
        command
    }
}

/// Returns that command as a user would type it.
pub fn command(lesson: &str, step: &str) -> String {
    format!("$ python3 {} {step}", script(lesson))
}

/// Returns the path of the counterpart, from the root of the checkout.
pub fn script(lesson: &str) -> String {
    format!("lessons/{lesson}/{lesson}.py")
}

fn find(program: &'static str) -> Result<Python, String> {
    let mut command = Command::new(program);
    command.arg("--version");
    let (major, minor) = OLDEST;
    match gather(command, LIMIT) {
        Ok(run) if run.end.is_success() => {
            let version = run.output.trim().to_owned();
            if is_new_enough(&version) {
                return Ok(Python { program, version });
            }
            Err(format!(
                "{program} is {version}, and they need {major}.{minor} or newer"
            ))
        }
        Ok(run) => Err(format!("{program} does not tell its version: {}", run.end)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("there is no {program} here"))
        }
        Err(error) => Err(format!("{program} cannot be run: {error}")),
    }
}

fn is_new_enough(version: &str) -> bool {
    let version = version.strip_prefix("Python ").unwrap_or_default();
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::{find, is_new_enough};

    #[test]
    fn a_python_is_new_enough_or_the_reason_is_told() {
        for new in ["Python 3.9.0", "Python 3.13.1+", "Python 4.0"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["Python 3.8.18", "Python 2.7.18", "", "Cobra 4.0", "Python"] {
            assert!(!is_new_enough(old), "{old}");
        }
        let reason = find("no-such-python-anywhere").unwrap_err();
        assert_eq!(reason, "there is no no-such-python-anywhere here");
    }
}
