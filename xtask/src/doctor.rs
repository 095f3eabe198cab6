use std::env;
use std::io;
use std::iter;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use lexopt::{Arg, Parser};

use crate::screen::Screen;
use crate::table;
use crate::task::though_unread;
use course::Course;
use course::build::cargo;
use course::python::Python;
use course::run::gather;
use course::source::visible;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask doctor [--plain]

Checks your setup and tells you how to fix it. The exit status is 0 if you can play
the course here, and 1 if not.

Options:
  --plain  plain text of 80 columns without colour; the default when the output is
           not a terminal or NO_COLOR is set
";

/// Something that the course needs: a row of the table.
struct Check {
    name: &'static str,
    found: String,
    /// `OK`, `NOTE` if something is left out or slower, or `PROBLEM` if you can't play the course.
    verdict: &'static str,
    /// What to do unless all is well, in Markdown.
    remedy: String,
}

/// How long a program that is asked may take: Cargo waits where another Cargo is at work.
const LIMIT: Duration = Duration::from_secs(20);

const OK: &str = "ok";
const NOTE: &str = "note";
const PROBLEM: &str = "PROBLEM";

/// The task `doctor`: checks your setup.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let checks = [
        rust(),
        packages(&course.root),
        checkout(&course.root),
        target_folder(&course.target_folder()),
        shared_memory(),
        temporary_files(),
        open_files(),
        python(),
    ];
    let is_playable = checks.iter().all(|check| check.verdict != PROBLEM);
    though_unread(show(&mut Screen::stdout(plain), &checks, is_playable))?;
    Ok(ExitCode::from(u8::from(!is_playable)))
}

fn show(screen: &mut Screen, checks: &[Check], is_playable: bool) -> io::Result<()> {
    let rows = checks
        .iter()
        .map(|check| [check.name, &check.found, check.verdict]);
    let rows = iter::once(["check", "found", "verdict"]).chain(rows);
    let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).collect();
    for line in table::lines(&rows, screen.width()) {
        screen.line(&line)?;
    }
    screen.blank()?;
    for check in checks.iter().filter(|check| check.verdict != OK) {
        screen.prose(&format!("- **{}**: {}", check.name, check.remedy))?;
    }
    screen.line(if is_playable {
        "You can play the course here."
    } else {
        "You can't play the course here until each PROBLEM is fixed."
    })
}

fn check(name: &'static str, found: String, verdict: &'static str, remedy: &str) -> Check {
    let remedy = remedy.to_owned();
    Check {
        name,
        found,
        verdict,
        remedy,
    }
}

fn rust() -> Check {
    // An older one would not have built this program.
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg("--version");
    let (found, verdict) = match first_line(rustc) {
        Ok(version) => (version, OK),
        Err(why) => (why, PROBLEM),
    };
    let remedy = "Install Rust: <https://rustup.rs> says how. `rustup update` installs the newest.";
    check("Rust", found, verdict, remedy)
}

fn packages(root: &Path) -> Check {
    let mut tree = cargo(root, "tree");
    tree.args(["--workspace", "--locked", "--offline"]);
    let (found, verdict) = match first_line(tree) {
        Ok(_) => ("all downloaded: you need no network".to_owned(), OK),
        Err(why) if why.contains("download") || why.contains("no matching package") => (why, NOTE),
        Err(why) => (why, PROBLEM),
    };
    let remedy = "Run `cargo fetch --locked` in the checkout while you have a network.";
    check("packages", found, verdict, remedy)
}

fn checkout(root: &Path) -> Check {
    let remedy = "You can play the lessons, but not change them: for the exercises, clone the \
                  course into a folder of your own.";
    folder("checkout", root, 0, NOTE, remedy)
}

fn target_folder(target: &Path) -> Check {
    // Cargo makes it if it isn't there.
    let existing = target.ancestors().find(|folder| folder.exists());
    let remedy = "Cargo builds there, and writes about 1 GiB at first: free some space, or set \
                  `CARGO_TARGET_DIR` to a folder that you can write to.";
    folder(
        "target folder",
        existing.unwrap_or(target),
        256,
        PROBLEM,
        remedy,
    )
}

fn shared_memory() -> Check {
    let place = Path::new("/dev/shm");
    if !cfg!(target_os = "linux") {
        return check("shared memory", "in temporary files".to_owned(), OK, "");
    }
    let remedy = "Lesson value-array needs 72 MiB there. In a container, `--shm-size=256m` gives \
                  it more; elsewhere `mount -o remount,size=256m /dev/shm`.";
    folder("shared memory", place, 72, PROBLEM, remedy)
}

fn temporary_files() -> Check {
    let remedy = "Set `TMPDIR` to a folder that you can write to, with 8 MiB of free space.";
    folder("temporary files", &env::temp_dir(), 8, PROBLEM, remedy)
}

/// Checks that a folder can be written to and has as many MiB of free space as are needed.
fn folder(
    name: &'static str,
    folder: &Path,
    needed: u64,
    otherwise: &'static str,
    remedy: &str,
) -> Check {
    let path = folder.display();
    let (found, verdict) = match free_mebibytes(folder) {
        Ok(free) => (
            format!("{path}, {free} MiB free"),
            if free >= needed { OK } else { otherwise },
        ),
        Err(why) => (format!("{path} cannot be written to: {why}"), otherwise),
    };
    check(name, found, verdict, remedy)
}

fn open_files() -> Check {
    // Cargo needs some, and a pool a few for each of its workers.
    let needed = 48 + 8 * thread::available_parallelism().map_or(1, usize::from) as u64;
    let limit = file_limit();
    let verdict = if limit >= needed { OK } else { PROBLEM };
    let remedy = format!("The course needs {needed}: `ulimit -n 1024` in this terminal.");
    check("open files", format!("up to {limit}"), verdict, &remedy)
}

fn python() -> Check {
    let (found, verdict) = match Python::find() {
        Ok(python) => (python.version, OK),
        Err(why) => (why, NOTE),
    };
    let remedy = "Only `lesson --python` needs Python 3.9 or newer, installed as `python3`.";
    check("Python", found, verdict, remedy)
}

/// Returns the first line that a program prints, or the first of its complaint.
fn first_line(command: Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let run = gather(command, LIMIT).map_err(|error| format!("{name} cannot be run: {error}"))?;
    if run.end.is_success() {
        return Ok(run.output.lines().next().unwrap_or_default().to_owned());
    }
    let mut errors = run.errors.lines();
    let error = errors.clone().find(|line| line.starts_with("error"));
    let error = error.or_else(|| errors.next());
    Err(error.map_or_else(
        || format!("{name}: {}", run.end),
        |line| visible(line).into_owned(),
    ))
}

#[cfg(unix)]
fn free_mebibytes(folder: &Path) -> io::Result<u64> {
    use rustix::fs::{Access, access, statvfs};

    access(folder.join("."), Access::WRITE_OK | Access::EXEC_OK)?;
    let found = statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize) >> 20)
}

#[cfg(unix)]
fn file_limit() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn free_mebibytes(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

#[cfg(not(unix))]
fn file_limit() -> u64 {
    u64::MAX
}
