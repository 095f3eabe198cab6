mod edition;
mod page;
mod proof;
mod source;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use lexopt::{Arg, Parser};

use self::edition::Edition;
use crate::mdbook::{self, INSTALL};
use crate::screen::Screen;
use crate::task;
use course::Course;
use course::misuse::Misuse;
use course::run::{self, Line};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask book [DIR]

Makes an HTML book of the whole course, with exercises and search, and checks its
links. It is put into target/book, or into DIR, which must be empty, not there yet,
or hold such a book, and only when it is whole. It can be read without a network,
and without a server too, but for the search in some browsers.

It is made by the program mdbook. If that is not installed, you are told how to.
";

/// How long mdbook may take; a second is usual.
const LIMIT: Duration = Duration::from_mins(2);

/// A file in every book, so that no other folder is ever overwritten.
const MARK: &str = "made-by-cargo-xtask-book.txt";

/// The task `book`: makes an HTML book of the course.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut folder = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let target = course.target_folder();
    let folder = match folder {
        Some(folder) => env::current_dir()?.join(folder),
        None => target.join("book"),
    };
    may_be_replaced(&folder)?;
    let mdbook = mdbook::find(&course).with_context(|| not_installed(&course))?;

    let source = target.join("book-source");
    let pages = page::all(&course)?;
    source::write(&course, &pages, &source)?;
    let mut screen = Screen::stdout(true);
    let edition = Edition::begin(&folder)?;
    build(&mdbook, &source, &edition.folder())?;
    let problems = proof::read(&edition.folder())?;
    if !problems.is_empty() {
        return task::verdict(tell(&mut screen, &problems), false);
    }
    let first = edition.publish()?.join("index.html");
    screen.line(&format!("{} pages, no broken link.", pages.len()))?;
    screen.line(&format!("Open {} in a browser.", first.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(screen: &mut Screen, problems: &[String]) -> anyhow::Result<()> {
    for problem in problems {
        screen.line(problem)?;
    }
    let count = problems.len();
    screen.line(&format!(
        "{count} links lead nowhere, so the book is not put into its place."
    ))?;
    Ok(())
}

/// Refuses a folder with something in it that is no book of ours: it would be removed.
fn may_be_replaced(folder: &Path) -> anyhow::Result<()> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !folder.exists(),
    };
    if is_empty || folder.join(MARK).is_file() {
        return Ok(());
    }
    let folder = folder.display();
    let message = format!(
        "{folder} is neither empty nor a book: name a folder that is not there yet, or remove it"
    );
    Err(Misuse(message).into())
}

fn not_installed(course: &Course) -> String {
    format!(
        "mdbook is not installed. This installs it for the course only, in a minute or two:\n\n    \
         {}\n\n\
         Run it in {}, and then `cargo xtask book` again.",
        INSTALL.replace(" --features", " \\\n        --features"),
        course.root.display()
    )
}

fn build(mdbook: &Path, source: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(mdbook);
    command
        .arg("build")
        .arg(source)
        .arg("--dest-dir")
        .arg(folder);
    let mut said = String::new();
    let mut warned = false;
    let end = run::run(command, LIMIT, |line| {
        let (Line::Output(line) | Line::Error(line)) = line;
        warned |= line.contains("WARN");
        said.push_str(&line);
        said.push('\n');
        Ok(())
    })
    .with_context(|| format!("{} cannot be run", mdbook.display()))?;
    if !end.is_success() {
        bail!("mdbook failed, {end}. It said:\n{said}");
    }
    if warned {
        eprint!("{said}");
    }
    Ok(())
}
