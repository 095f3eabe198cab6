use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use lexopt::{Arg, Parser};
use rustix::fs::{Access, access, statvfs};
use rustix::process::{Resource, getrlimit};

use crate::screen::Screen;
use crate::table;
use crate::task;
use course::Course;
use course::build::cargo;
use course::document::Block;
use course::python::Python;
use course::run::gather;
use course::source::visible;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask doctor [--plain]

Checks your setup and tells you how to fix it. The exit status is 0 if you can play
the course here, and 1 if not.

Options:
  --plain  80 columns, no colour: the default without a terminal or with NO_COLOR
";

/// The timeout of each program: Cargo waits if another Cargo is running.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What to do about each check that is not ok, in Markdown.
const REMEDIES: &str = include_str!("doctor/remedies.md");

/// What was found, or what is wrong.
type Found = Result<String, String>;

/// The course works, but something is missing.
const NOTE: &str = "note";
/// You can't play the course.
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
    // An older Rust wouldn't have built this program.
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg("--version");
    let python = Python::find().map(|python| python.version);
    let shared = if cfg!(target_os = "linux") {
        PathBuf::from("/dev/shm")
    } else {
        env::temp_dir()
    };
    // Each has the verdict if something is wrong.
    let checks = [
        ("Rust", PROBLEM, first_line(rustc)),
        ("packages", NOTE, packages(&course.root)),
        ("checkout", NOTE, folder(&course.root, 0)),
        ("target folder", PROBLEM, target(&course.target_folder)),
        ("shared memory", PROBLEM, folder(&shared, 72)),
        ("temporary files", PROBLEM, folder(&env::temp_dir(), 8)),
        ("open files", PROBLEM, open_files()),
        ("Python", NOTE, python),
    ];
    let is_problem = |(_, verdict, found): &(_, &str, Found)| *verdict == PROBLEM && found.is_err();
    let is_playable = !checks.iter().any(is_problem);
    let shown = show(&mut Screen::stdout(plain), &checks, is_playable);
    task::verdict(shown.map_err(Into::into), is_playable)
}

fn show(screen: &mut Screen, checks: &[(&str, &str, Found)], is_playable: bool) -> io::Result<()> {
    let mut rows = vec![["check", "found", "verdict"].map(str::to_owned).to_vec()];
    let mut remedies = String::new();
    for (name, verdict, found) in checks {
        let own = format!("- **{name}**");
        let remedy = REMEDIES.lines().find(|line| line.starts_with(&own));
        let verdict = if found.is_ok() { "ok" } else { verdict };
        let (Ok(text) | Err(text)) = found;
        rows.push([name, text.as_str(), verdict].map(str::to_owned).to_vec());
        if found.is_err() {
            remedies.extend(remedy.into_iter().chain(["\n"]));
        }
    }
    screen.lines(&table::lines(&rows, screen.width))?;
    screen.blank()?;
    screen.blocks(&[Block::Prose(remedies)])?;
    screen.line(if is_playable {
        "You can play the course here."
    } else {
        "You can't play the course here until each PROBLEM is fixed."
    })
}

fn packages(root: &Path) -> Found {
    let mut tree = cargo(root, "tree");
    tree.args(["--workspace", "--locked", "--offline"]);
    first_line(tree).map(|_| "all downloaded: you need no network".to_owned())
}

fn target(target: &Path) -> Found {
    // Cargo makes the folder if it doesn't exist.
    let existing = target.ancestors().find(|folder| folder.exists());
    folder(existing.unwrap_or(target), 256)
}

/// Checks that a folder is writable and has this many MiB of free space.
fn folder(folder: &Path, needed: u64) -> Found {
    let path = folder.display();
    let is_writable = access(folder.join("."), Access::WRITE_OK | Access::EXEC_OK);
    let space = is_writable.and_then(|()| statvfs(folder));
    let space = space.map_err(|why| format!("cannot write to {path}: {why}"))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize) >> 20;
    enough(free, needed, format!("{path}, {free} MiB free"))
}

fn open_files() -> Found {
    // Cargo needs some, and a pool needs a few per worker.
    let needed = 48 + 8 * thread::available_parallelism().map_or(1, usize::from) as u64;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    enough(limit, needed, format!("up to {limit}"))
}

fn enough(available: u64, needed: u64, found: String) -> Found {
    if available < needed {
        return Err(format!("{found}; {needed} needed"));
    }
    Ok(found)
}

/// Returns the first line that a program prints, or of its error.
fn first_line(command: Command) -> Found {
    let name = command.get_program().display().to_string();
    let run = gather(command, TIMEOUT).map_err(|error| format!("cannot run {name}: {error}"))?;
    if run.end.is_success() {
        return Ok(run.output.lines().next().unwrap_or_default().to_owned());
    }
    let mut errors = run.errors.lines();
    let error = errors.clone().find(|line| line.starts_with("error"));
    match error.or_else(|| errors.next()) {
        Some(line) => Err(visible(line)),
        None => Err(format!("{name}: {}", run.end)),
    }
}
