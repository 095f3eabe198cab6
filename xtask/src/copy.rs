//! The task `copy`: a lesson as a project of its own.
//!
//! The project is made ready in a staging folder beside its place and moved there in one go, so that
//! it is there whole or not at all. Only an empty folder that cannot be replaced, such as the current
//! one, is filled entry by entry, `Cargo.toml` last.

mod about;
mod crates;
mod files;
mod lockfile;
mod manifest_text;
mod outer_workspace;
mod place;
mod project;
mod rewriting;
mod staging;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use self::place::Place;
use self::project::Project;
use self::staging::Staging;
use course::interruption::Delay;
use course::misuse::Misuse;
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask copy LESSON DIR [--name NAME]

Makes the lesson a project of its own in the folder DIR, with the crates that it
needs. It builds, runs and passes its tests wherever it lies. DIR must not be
there yet, or be empty: nothing is overwritten.

Options:
  --name NAME  the name of the package, if it is not to be that of the lesson

Example:
  cargo xtask copy pool ../my-pool
";

/// The task `copy`: makes a project of its own out of a lesson.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let (mut lesson, mut dir, mut name) = (None, None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("name") => name = Some(arguments.value()?.string()?),
            Arg::Value(word) if lesson.is_none() => lesson = Some(word.string()?),
            Arg::Value(word) if dir.is_none() => dir = Some(PathBuf::from(word)),
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(lesson), Some(dir)) = (lesson, dir) else {
        let message = "a lesson and a folder are needed: cargo xtask copy pool ../my-pool";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(&lesson)?;
    let name = name.unwrap_or_else(|| lesson.name.clone());
    let delay = Delay::begin().context("signals cannot be watched")?;
    let copied = copy(&course, lesson, &name, &dir, &delay);
    if let Err(interrupted) = delay.look() {
        if copied.is_err() {
            eprintln!("Interrupted: nothing was copied.");
        }
        return Ok(interrupted.end());
    }
    drop(delay);
    copied?;
    tell_what_next(lesson, &name, &dir)?;
    Ok(ExitCode::SUCCESS)
}

fn copy(
    course: &Course,
    lesson: &Lesson,
    name: &str,
    dir: &Path,
    delay: &Delay,
) -> anyhow::Result<()> {
    let project = Project::new(course, lesson, name)?;
    refuse_name(&project, name)?;
    let place = Place::find(dir)?;
    refuse_if_copied_too(&project, lesson, &place)?;
    outer_workspace::refuse_if_claimed(&place)?;

    let staging = Staging::begin(&place).with_context(|| {
        format!(
            "nothing can be written in {}; choose another folder",
            place.anchor.display()
        )
    })?;
    let folder = staging.project(&place);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    project.write(&folder, delay)?;
    lockfile::write(&folder, delay)?;
    anyhow::ensure!(delay.look().is_ok(), "interrupted");
    staging.publish(&place)
}

/// Refuses what Cargo would not accept as the name of this package.
fn refuse_name(project: &Project, name: &str) -> Result<(), Misuse> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let begins_well =
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    if !begins_well || !name.chars().all(allowed) {
        return Err(Misuse(format!(
            "`{name}` cannot be the name of a package: it begins with a letter, and has letters, \
             digits, `-` and `_`"
        )));
    }
    if project.crates().any(|(_, other)| other == name) {
        return Err(Misuse(format!(
            "the copy has a package called `{name}` already: choose another name"
        )));
    }
    Ok(())
}

/// Refuses a place in one of the folders that are copied: the next copy would contain this one.
fn refuse_if_copied_too(project: &Project, lesson: &Lesson, place: &Place) -> anyhow::Result<()> {
    let lesson = fs::canonicalize(&lesson.folder)
        .with_context(|| format!("{} cannot be read", lesson.folder.display()))?;
    let folder = place.folder();
    let mut copied = project
        .crates()
        .map(|(from, _)| from)
        .chain([lesson.as_path()]);
    if let Some(inside) = copied.find(|copied| folder.starts_with(copied)) {
        return Err(Misuse(format!(
            "{} lies in {}, which is to be copied: choose a folder outside of it",
            folder.display(),
            inside.display()
        ))
        .into());
    }
    Ok(())
}

fn tell_what_next(lesson: &Lesson, name: &str, dir: &Path) -> anyhow::Result<()> {
    let readme = lesson.readme()?;
    let step = readme.steps().next().unwrap_or("--list").to_owned();
    let place = dir.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/\\.-_:~".contains(letter);
    let place = if place.chars().all(plain) {
        place
    } else {
        format!("{place:?}")
    };
    let change_folder = if dir == Path::new(".") {
        String::new()
    } else {
        format!("cd {place}\n  ")
    };
    let called = if name == lesson.name {
        String::new()
    } else {
        format!(", as package {name}")
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Lesson {} is copied{called}. What to do next:\n\n  \
           {change_folder}\
           cargo run -q              runs every step\n  \
           {:<26}runs one step\n  \
           cargo test                runs every step and checks that it succeeds\n\n\
         To build it without a network, run `cargo fetch` there while there is one.\n\
         Its README.md says what else there is to know.",
        lesson.name,
        format!("cargo run -q -- {step}"),
    )?;
    Ok(())
}
