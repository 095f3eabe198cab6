//! Programs that are asked what they are.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::found::{Packages, Python, Tool};
use course::run::{self, Line};

/// How long a program may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// What a program prints when it is asked for its version, in one line.
const PYTHON_QUESTION: &str = "import sys, multiprocessing\n\
    print('%d.%d.%d' % sys.version_info[:3])\n\
    print(multiprocessing.get_start_method())";

/// Asks a program for its version.
pub(super) fn version(program: impl Into<OsString>) -> Tool {
    let mut command = Command::new(program.into());
    command.arg("--version");
    match answer(command) {
        Ok(lines) => match lines.into_iter().next() {
            Some(line) => Tool::Says(line),
            None => Tool::Missing("it does not say its version".to_owned()),
        },
        Err(why) => Tool::Missing(why),
    }
}

/// Gives the Cargo that this program was started by, or else the one that is found.
pub(super) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Gives the compiler that Cargo would use.
pub(super) fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Asks for Python.
pub(super) fn python() -> Python {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON_QUESTION]);
    match answer(command) {
        Ok(lines) => match lines.as_slice() {
            [version, start_method, ..] => Python::Here {
                version: version.clone(),
                start_method: start_method.clone(),
            },
            _ => Python::Missing("python3 does not say its version".to_owned()),
        },
        Err(why) => Python::Missing(why),
    }
}

/// Asks Cargo whether it has all packages that are needed on this machine.
pub(super) fn packages(root: &Path) -> Packages {
    let mut command = Command::new(rustc());
    command.arg("-vV");
    let host = answer(command).ok().and_then(|lines| {
        let mut lines = lines.iter();
        lines.find_map(|line| Some(line.strip_prefix("host: ")?.to_owned()))
    });
    let mut command = Command::new(cargo());
    command
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .current_dir(root);
    if let Some(host) = host {
        command.args(["--filter-platform", &host]);
    }
    match answer(command) {
        Ok(lines) => Packages::AllHere(count_downloaded(&lines.concat())),
        Err(why) if why.contains("offline") || why.contains("no matching package") => {
            // Where it comes from and what else is missing does not help.
            Packages::SomeMissing(why.split("; ").next().unwrap_or_default().to_owned())
        }
        Err(why) => Packages::Unclear(why),
    }
}

/// Counts the packages in Cargo's answer that come from elsewhere.
fn count_downloaded(metadata: &str) -> usize {
    let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap_or_default();
    let packages = metadata["packages"].as_array();
    let packages = packages.map_or(&[][..], Vec::as_slice);
    let downloaded = packages
        .iter()
        .filter(|package| !package["source"].is_null());
    downloaded.count()
}

/// Runs a program and gives the lines that it prints, or why there are none.
fn answer(command: Command) -> Result<Vec<String>, String> {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let name = name.display().to_string();
    let mut lines = Vec::new();
    let mut complaints = Vec::new();
    let end = run::run(command, LIMIT, |line| {
        match line {
            Line::Output(line) => lines.push(line),
            Line::Error(line) => complaints.push(line),
        }
        Ok(())
    });
    match end {
        Ok(end) if end.is_success() => Ok(lines),
        Ok(end) => Err(match complaint(&complaints) {
            Some(complaint) => format!("{name}: {complaint}"),
            None => format!("{name}: {end}"),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("{name} is not found")),
        Err(error) => Err(format!("{name} cannot be started: {error}")),
    }
}

/// Gives what a program complained of, in one line.
fn complaint(lines: &[String]) -> Option<String> {
    let lines = lines.iter().map(|line| line.trim());
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && *line != "Caused by:")
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

#[cfg(all(test, unix))]
mod tests {
    use super::{answer, count_downloaded, version};
    use crate::doctor::found::Tool;
    use std::process::Command;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = Tool::Missing("no-such-program is not found".to_owned());
        assert_eq!(version("no-such-program"), missing);
        assert_eq!(version("/nowhere/no-such-program"), missing);
    }

    #[test]
    fn the_lines_of_an_answer_are_given() {
        assert_eq!(answer(shell("echo one; echo two")).unwrap(), ["one", "two"]);
    }

    #[test]
    fn a_complaint_comes_in_one_line() {
        let script = "printf 'error: no network\\n\\nCaused by:\\n  offline\\n' >&2; exit 3";
        let why = answer(shell(script)).unwrap_err();
        assert_eq!(why, "sh: error: no network; offline");
        let why = answer(shell("exit 3")).unwrap_err();
        assert_eq!(why, "sh: it ended with exit status: 3");
    }

    #[test]
    fn own_packages_are_not_counted_as_downloaded() {
        let metadata = r#"{"packages": [{"source": null}, {"source": "registry"}]}"#;
        assert_eq!(count_downloaded(metadata), 1);
    }
}
