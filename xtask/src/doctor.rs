use std::env;
use std::io;
use std::path::Path;
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

/// How long a program that is asked may take: Cargo waits where another Cargo is at work.
const LIMIT: Duration = Duration::from_secs(20);

/// What to do about each check that is not ok, in Markdown.
const REMEDIES: &str = "\
- **Rust**: Install Rust: <https://rustup.rs> says how. `rustup update` installs the newest.
- **packages**: Run `cargo fetch --locked` in the checkout while you have a network.
- **checkout**: You can play the lessons, but not change them: for the exercises, clone the course \
  into a folder of your own.
- **target folder**: Cargo builds there, and writes about 1 GiB at first: free some space, or set \
  `CARGO_TARGET_DIR` to a folder that you can write to.
- **shared memory**: Lesson value-array needs 72 MiB there. In a container, `--shm-size=256m` gives \
  it more; elsewhere `mount -o remount,size=256m /dev/shm`.
- **temporary files**: Set `TMPDIR` to a folder that you can write to, with 8 MiB of free space.
- **open files**: The course needs more: `ulimit -n 1024` in this terminal.
- **Python**: Only `lesson --python` needs Python 3.9 or newer, installed as `python3`.
";

/// What was found, and the verdict on it.
type Found = (String, &'static str);

const OK: &str = "ok";
/// Something is left out, or slower.
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
    let checks = [
        ("Rust", rust()),
        ("packages", packages(&course.root)),
        ("checkout", folder(&course.root, 0, NOTE)),
        ("target folder", target_folder(&course.target_folder())),
        ("shared memory", shared_memory()),
        ("temporary files", folder(&env::temp_dir(), 8, PROBLEM)),
        ("open files", open_files()),
        ("Python", python()),
    ];
    let is_playable = checks.iter().all(|(_, (_, verdict))| *verdict != PROBLEM);
    let told = show(&mut Screen::stdout(plain), &checks, is_playable);
    task::verdict(told.map_err(Into::into), is_playable)
}

fn show(screen: &mut Screen, checks: &[(&str, Found)], is_playable: bool) -> io::Result<()> {
    let mut rows = vec![["check", "found", "verdict"].map(str::to_owned).to_vec()];
    let mut remedies = String::new();
    for (name, (found, verdict)) in checks {
        rows.push(vec![name.to_string(), found.clone(), verdict.to_string()]);
        if *verdict != OK {
            let own = format!("- **{name}**");
            let remedy = REMEDIES.lines().filter(|line| line.starts_with(&own));
            remedies.extend(remedy.chain(["\n"]));
        }
    }
    screen.lines(&table::lines(&rows, &[], screen.width()))?;
    screen.blank()?;
    screen.prose(&remedies)?;
    screen.line(if is_playable {
        "You can play the course here."
    } else {
        "You can't play the course here until each PROBLEM is fixed."
    })
}

fn rust() -> Found {
    // An older one would not have built this program.
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg("--version");
    match first_line(rustc) {
        Ok(version) => (version, OK),
        Err(why) => (why, PROBLEM),
    }
}

fn packages(root: &Path) -> Found {
    let mut tree = cargo(root, "tree");
    tree.args(["--workspace", "--locked", "--offline"]);
    match first_line(tree) {
        Ok(_) => ("all downloaded: you need no network".to_owned(), OK),
        Err(why) if why.contains("download") || why.contains("no matching package") => (why, NOTE),
        Err(why) => (why, PROBLEM),
    }
}

fn target_folder(target: &Path) -> Found {
    // Cargo makes it if it isn't there.
    let existing = target.ancestors().find(|folder| folder.exists());
    folder(existing.unwrap_or(target), 256, PROBLEM)
}

fn shared_memory() -> Found {
    if cfg!(target_os = "linux") {
        folder(Path::new("/dev/shm"), 72, PROBLEM)
    } else {
        ("in temporary files".to_owned(), OK)
    }
}

/// Checks that a folder can be written to and has as many MiB of free space as are needed.
fn folder(folder: &Path, needed: u64, otherwise: &'static str) -> Found {
    let path = folder.display();
    let is_ours = access(folder.join("."), Access::WRITE_OK | Access::EXEC_OK);
    match is_ours.and_then(|()| statvfs(folder)) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize) >> 20;
            let verdict = if free >= needed { OK } else { otherwise };
            (format!("{path}, {free} MiB free"), verdict)
        }
        Err(why) => (format!("{path} cannot be written to: {why}"), otherwise),
    }
}

fn open_files() -> Found {
    // Cargo needs some, and a pool a few for each of its workers.
    let needed = 48 + 8 * thread::available_parallelism().map_or(1, usize::from) as u64;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit >= needed {
        (format!("up to {limit}"), OK)
    } else {
        (format!("up to {limit}, of {needed} needed"), PROBLEM)
    }
}

fn python() -> Found {
    match Python::find() {
        Ok(python) => (python.version, OK),
        Err(why) => (why, NOTE),
    }
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
    match error.or_else(|| errors.next()) {
        Some(line) => Err(visible(line).into_owned()),
        None => Err(format!("{name}: {}", run.end)),
    }
}
