use std::env;
use std::path::{Path, PathBuf};

use super::Report;
use course::Lesson;
use course::document::Document;
use course::gap;
use course::source::{files_below, text_of};

/// The files of a lesson, and text that they must contain; NAME is the name of the lesson. `Cargo.toml`
/// names the programs, because a learner may rename the package of a copy.
const NEEDED: [(&str, &str); 10] = [
    ("NAME.py", "def "),
    ("exercise/task.md", "\n## Hint 1\n"),
    ("exercise/task.md", "\n## Hint 2\n"),
    ("exercise/task.md", "\n## What to try next\n"),
    ("exercise/main.rs", "fn main"),
    ("exercise/checks.rs", "CHECKS"),
    ("exercise/solution/main.rs", "fn main"),
    ("Cargo.toml", "[[bin]]\nname = \"NAME\"\n"),
    ("Cargo.toml", "[[example]]\nname = \"NAME-exercise\"\n"),
    ("Cargo.toml", "[[example]]\nname = \"NAME-solution\"\n"),
];

/// Checks that a lesson has its files and its exercise. (Tests copy each lesson, and run each solution.)
pub(super) fn check(lesson: &Lesson, report: &Report) {
    let read = |name: &str| {
        let path = lesson.folder.join(name.replace("NAME", &lesson.name));
        let text = text_of(&path);
        if let Err(error) = &text
            && path.symlink_metadata().is_ok()
        {
            report.add(
                &path,
                1,
                format!("{error:#}"),
                "replace it with a text file",
            );
        }
        (path, text)
    };
    for (name, needed) in NEEDED {
        let (path, text) = read(name);
        let needed = needed.replace("NAME", &lesson.name);
        if !text.is_ok_and(|text| text.contains(&needed)) {
            let what = format!(
                "missing in this file: {}",
                needed.trim().replace('\n', ", ")
            );
            report.add(&path, 1, what, "add it");
        }
    }
    let (path, program) = read("exercise/main.rs");
    if program.is_ok_and(|program| !gap::is_marked(&program)) {
        let what = "no gap is marked, so it counts as filled in";
        let help = match gap::restoring(&report.course.root, report.relative(&path)) {
            Some(command) => format!("`{command}` restores the gap"),
            None => format!("mark a gap with a comment `{} …`", gap::MARK),
        };
        if env::var_os("EXERCISES").is_some_and(|state| state == "untouched") {
            report.add(&path, 1, what, help);
        } else {
            report.add(&path, 1, format!("note: {what}; {help}"), "");
        }
    }
}

/// Checks the links and file names in the Markdown files below these folders.
pub(super) fn check_links(folders: &[&Path], report: &Report) -> anyhow::Result<()> {
    for folder in folders {
        let mut files = Vec::new();
        files_below(folder, Path::new(""), &mut files)?;
        let is_markdown = |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "md");
        for file in files.iter().filter(is_markdown) {
            check_links_of(&folder.join(file), &files, report);
        }
    }
    Ok(())
}

fn check_links_of(path: &Path, files: &[PathBuf], report: &Report) {
    let text = text_of(path).unwrap_or_default();
    for link in Document::parse(&text).links {
        let target = link.destination.split('#').next().unwrap_or_default();
        let is_web = target.contains("://") || target.starts_with("mailto:");
        if !is_web && !path.with_file_name(target).exists() {
            let what = format!("the link to {target} is broken");
            report.add(path, link.line, what, "correct the path");
        }
    }
    let mut in_block = false;
    for (number, line) in (1..).zip(text.lines()) {
        in_block ^= line.starts_with("```");
        // Every second piece is between backquotes.
        for word in line.split('`').skip(1).step_by(2).filter(|_| !in_block) {
            let is_file = [".rs", ".py", ".md"].iter().any(|kind| word.ends_with(kind))
                && word.find('/').is_some_and(|place| place > 0)
                // `lessons/NAME/NAME.py` means several files.
                && !word.contains("NAME");
            let is_known = files.iter().any(|file| file.ends_with(word));
            if is_file && !is_known && !report.course.root.join(word).exists() {
                let what = format!("there is no file `{word}`");
                report.add(path, number, what, "correct the path");
            }
        }
    }
}
