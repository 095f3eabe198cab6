//! `cargo xtask copy`: a lesson as a project of its own.

use std::fs;
use std::io::{self, Write};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};
use regex_lite::Regex;

use course::build::cargo;
use course::document::{Code, Document};
use course::interruption::Delay;
use course::misuse::Misuse;
use course::run;
use course::source::{files_below, put, text_of};
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask copy LESSON DIR

Makes the lesson a separate project in the folder DIR, with the crates that it
needs. It builds, runs and passes its tests anywhere, even without a network.
DIR must be empty, or not exist yet: nothing is overwritten.

Example:
  cargo xtask copy pool ../my-pool
";

/// The timeout of Cargo, which waits if another Cargo is using its cache.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Folders that a crate has only for its own tests.
const NOT_COPIED: [&str; 3] = ["tests", "benches", "examples"];

/// The end of a copy's manifest. The crates aren't members, so the dependencies of their tests aren't needed.
const WORKSPACE: &str = include_str!("copy/workspace.toml");

/// The test of every copy: without arguments, a lesson's program runs all steps.
const STEPS_TEST: &str = "\
#[test]
fn every_step_succeeds() {
    let status = std::process::Command::new(env!(\"CARGO_BIN_EXE_LESSON\")).status();
    assert!(status.expect(\"the program starts\").success());
}
";

/// The text below the title of a copy's README.
const OPENING: &str = "\
This project is a copy of a lesson in a course. [The end of this page](#about-this-project) tells you
which commands work here.";

/// The last section of a lesson's README, and its replacement in a copy.
const TAKE_ALONG: &str = "## Take this lesson with you";
const ABOUT: &str = include_str!("copy/about.md");

/// The task `copy`: makes a separate project of a lesson.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let (mut lesson, mut dir) = (None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(word) if lesson.is_none() => lesson = Some(word.string()?),
            Arg::Value(word) if dir.is_none() => dir = Some(PathBuf::from(word)),
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(lesson), Some(dir)) = (lesson, dir) else {
        let message = "give a lesson and a folder, as in `cargo xtask copy pool ../my-pool`";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(&lesson)?;
    copy(&course, lesson, &dir)?;
    writeln!(
        io::stdout(),
        "Lesson {} copied. To run every step:\n\n  cd \"{}\"\n  cargo run -q\n\n\
         The end of its README.md tells you what else works there.",
        lesson.name,
        dir.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the project. If that fails, removes what was made of it.
fn copy(course: &Course, lesson: &Lesson, dir: &Path) -> anyhow::Result<()> {
    let dir = path::absolute(dir).map_err(|error| Misuse(format!("{}: {error}", dir.display())))?;
    let is_missing = |folder: &&Path| folder.symlink_metadata().is_err();
    let is_empty = fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_none());
    if !is_empty && !is_missing(&&*dir) {
        let why = "exists and is not an empty folder: choose another one";
        return Err(Misuse(format!("{} {why}", dir.display())).into());
    }
    // After an interruption, Cargo ends, and the incomplete copy is removed, before this program ends.
    let _delay = Delay::begin()?;
    let new = dir.ancestors().take_while(is_missing).last();
    let filled = fs::create_dir_all(&dir)
        .with_context(|| format!("cannot make {}", dir.display()))
        .and_then(|()| fill(course, lesson, &dir));
    if filled.is_err() {
        // If the removal fails too, the first error is still the one to report.
        if let Some(new) = new {
            let _ = fs::remove_dir_all(new);
        }
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }
    filled
}

fn fill(course: &Course, lesson: &Lesson, dir: &Path) -> anyhow::Result<()> {
    copy_folder(&lesson.folder, dir, &[])?;
    copy_crates(course, &lesson.manifest_path(), &dir.join("crates"))?;
    for name in ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"] {
        if let Ok(bytes) = fs::read(course.root.join(name)) {
            put(&dir.join(name), &bytes)?;
        }
    }
    let manifest = text_of(&lesson.manifest_path())?;
    let manifest = manifest.replace("../../crates/", "crates/") + "\n" + WORKSPACE;
    let readme = readme(&lesson.name, &text_of(&lesson.readme_path())?);
    let test = STEPS_TEST.replace("LESSON", &lesson.name);
    put(&dir.join("Cargo.toml"), manifest.as_bytes())?;
    put(&dir.join("README.md"), readme.as_bytes())?;
    put(&dir.join("tests").join("steps.rs"), test.as_bytes())?;
    put(&dir.join(".gitignore"), b"/target\n")?;

    // Removes what this project doesn't need from the course's lock file. No version changes.
    let mut cargo = cargo(dir, "update");
    cargo.args(["--workspace", "--offline", "--quiet"]);
    run::output(cargo, TIMEOUT).context(
        "cannot write Cargo.lock for the copy; run `cargo fetch` in the course while you have a \
         network, and try again",
    )?;
    Ok(())
}

/// Copies the crates that a manifest uses by a path, and those that they use in turn.
fn copy_crates(course: &Course, manifest: &Path, crates: &Path) -> anyhow::Result<()> {
    for rest in text_of(manifest)?.split("path = \"../").skip(1) {
        let path = rest.split('"').next().unwrap_or(rest);
        let name = path.rsplit('/').next().unwrap_or(path);
        let from = course.root.join("crates").join(name);
        let to = crates.join(name);
        if !to.exists() {
            copy_folder(&from, &to, &NOT_COPIED)?;
            copy_crates(course, &from.join("Cargo.toml"), crates)?;
        }
    }
    Ok(())
}

/// Copies the files below a folder, but neither symbolic links nor build output.
fn copy_folder(from: &Path, to: &Path, without: &[&str]) -> anyhow::Result<()> {
    let mut files = Vec::new();
    files_below(from, Path::new(""), &mut files)?;
    files.retain(|file| !without.iter().any(|folder| file.starts_with(folder)));
    for file in files {
        let path = from.join(&file);
        if path.symlink_metadata()?.is_file() {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            put(&to.join(file), &bytes)?;
        }
    }
    Ok(())
}

/// Returns the README of a copy. Commands that don't work there are marked as belonging to the course, and
/// no link leads out of the project.
fn readme(lesson: &str, text: &str) -> String {
    let script = text.split_once(TAKE_ALONG);
    let document = Document::parse(script.map_or(text, |(script, _)| script));
    let mut edits = document.redirected(|link| {
        let destination = Some(link.destination.clone());
        destination.filter(|path| !path.starts_with("../"))
    });
    let command = Regex::new("`cargo\\s+xtask\\s[^`]*`").expect("a valid expression");
    for found in command.find_iter(&document.text) {
        let is_in = |code: &Code| code.place.contains(&found.start());
        if !document.code().any(is_in) {
            edits.push((found.end()..found.end(), " (in the course)".to_owned()));
        }
    }
    let script = document
        .edited(edits)
        .replace(&format!(" -p {lesson}"), "")
        .replace(&format!("lessons/{lesson}/"), "");
    let step = document.steps().next().unwrap_or("--list");
    let about = ABOUT.replace("LESSON", lesson).replace("STEP", step);
    let (title, rest) = script.split_once('\n').unwrap_or((&script, ""));
    format!("{title}\n\n{OPENING}\n{rest}{about}")
}
