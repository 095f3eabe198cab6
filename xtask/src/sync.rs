use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use lexopt::Parser;

use crate::task;
use course::document::Document;
use course::excerpt::excerpt;
use course::source::Sources;
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask sync [LESSON]...

Writes the excerpts in the READMEs anew from the programs of the lessons: what a
block of Rust or Python shows is found by name, and copied as it is now. All else
in the README stays. Without a lesson, by name or number, all are done.

`cargo xtask check` tells what would be written, and writes nothing.
";

/// The task `sync`: writes the excerpts of the READMEs anew.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let course = Course::here()?;
    let lessons = task::lessons(&course, arguments)?;
    let mut written = Vec::new();
    let mut left = Vec::new();
    let mut failure = None;
    for lesson in lessons {
        let path = lesson.readme_path();
        let synced = sync(&course, lesson)
            .with_context(|| format!("{} cannot be written anew", path.display()));
        let synced = match synced {
            Ok(synced) => synced,
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        let shown = path.strip_prefix(&course.root).unwrap_or(&path).display();
        let items = synced.written.iter();
        written.extend(items.map(|(line, item)| format!("{shown}:{line}: {item} written anew")));
        let faults = synced.left.iter();
        left.extend(faults.map(|(line, fault)| format!("{shown}:{line}: {fault}")));
    }
    // Only now that all is done: whoever reads this may go away.
    let mut out = io::stdout().lock();
    let listed = written.iter().try_for_each(|line| writeln!(out, "{line}"));
    if let Some(failure) = failure {
        return Err(failure);
    }
    let told = listed.and_then(|()| match (written.len(), left.len()) {
        (0, 0) => writeln!(out, "Every excerpt was as it should be already."),
        (count, 0) => writeln!(out, "Written anew: {count}."),
        (count, missing) => writeln!(out, "Written anew: {count}. Not found: {missing}."),
    });
    for fault in &left {
        eprintln!("error: {fault}");
    }
    task::verdict(told.map_err(Into::into), left.is_empty())
}

fn sync(course: &Course, lesson: &Lesson) -> anyhow::Result<Synced> {
    let path = fs::canonicalize(lesson.readme_path())?;
    clear_draft(&path)?;
    let text = fs::read_to_string(&path)?;
    let synced = Synced::new(&text, &Sources::read(&course.root, lesson)?);
    if synced.text != text {
        replace(&path, &synced.text)?;
    }
    Ok(synced)
}

/// A README with its excerpts as they should be.
#[derive(Debug, PartialEq)]
struct Synced {
    text: String,
    /// What was written anew, and on which line it now begins.
    written: Vec<(usize, String)>,
    /// What could not be, on which line, and why.
    left: Vec<(usize, String)>,
}

impl Synced {
    fn new(text: &str, sources: &Sources) -> Self {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut synced = Self {
            text: String::new(),
            written: Vec::new(),
            left: Vec::new(),
        };
        let mut taken = 0;
        for code in Document::parse(text).code() {
            let Some(excerpt) = excerpt(code, sources) else {
                continue;
            };
            // The block's text begins on the line after its fence.
            synced.text.extend(lines[taken..code.line].iter().copied());
            let first = synced.text.lines().count() + 1;
            taken = code.line + code.text.lines().count();
            let old = &lines[code.line..taken];
            let fence = lines[code.line - 1];
            let ending = if fence.ends_with("\r\n") {
                "\r\n"
            } else {
                "\n"
            };
            let mended = excerpt.faults.iter().filter(|fault| fault.can_be_mended());
            let mended: Vec<(usize, String)> =
                mended.map(|fault| (first, fault.item.clone())).collect();
            if mended.is_empty() {
                synced.text.extend(old.iter().copied());
            } else {
                let lines = excerpt.text.lines();
                synced.text.extend(lines.flat_map(|line| [line, ending]));
            }
            synced.written.extend(mended);
        }
        synced.text.extend(lines[taken..].iter().copied());
        synced.left = faults_in(&synced.text, sources);
        synced
    }
}

/// Gives what is wrong with the excerpts of a README: on which line, what, and how to mend it.
fn faults_in(text: &str, sources: &Sources) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    for code in Document::parse(text).code() {
        for fault in excerpt(code, sources).iter().flat_map(|one| &one.faults) {
            let line = code.line + 1 + fault.line;
            faults.push((line, format!("{fault}\n    mend: {}", fault.mend())));
        }
    }
    faults
}

/// Writes a file as a whole: whoever reads it finds the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = draft(path);
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Clears what a run left that was killed while it wrote.
fn clear_draft(path: &Path) -> io::Result<()> {
    match fs::remove_file(draft(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives where a file is written before it takes the other's place, in the same folder.
fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().display();
    path.with_file_name(format!(".{name}.cargo-xtask-sync"))
}

#[cfg(test)]
mod tests;
