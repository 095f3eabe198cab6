//! `cargo xtask book`: the READMEs as an HTML book, made by mdbook.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::anyhow;
use lexopt::Parser;

use course::Course;
use course::document::Document;
use course::excerpt::excerpt;
use course::run;
use course::source::{Source, put, text_of};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask book

Makes an HTML book of the whole course in target/book, with exercises and search.
Runs, answers and hints are folded until you open them, or until a search finds
them; on paper they are unfolded. You can copy the folder anywhere. The book needs
no network and no server, except that in some browsers the search needs one.

This needs the program mdbook. If it's missing, a message says how to install it.
";

/// Installs a version that is known to work, only for the course. `.ci/run` gets the version from here.
const INSTALL: &str = "cargo install mdbook --version 0.5.4 --locked --no-default-features \
                       --features search --root target/tools";

/// The timeout of mdbook, which usually takes a second.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The task `book`: makes an HTML book of the course.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let course = Course::here()?;
    let target = &course.target_folder;
    let (source, book) = (target.join("book-source"), target.join("book"));
    let pages = write_source(&course, &source)?;
    let own = course.root.join("target/tools/bin/mdbook");
    let mut mdbook = Command::new(if own.exists() { own } else { "mdbook".into() });
    mdbook.arg("build").arg(&source);
    mdbook.arg("--dest-dir").arg(&book);
    run::output(mdbook, TIMEOUT).map_err(|error| match error.downcast_ref::<io::Error>() {
        Some(missing) if missing.kind() == io::ErrorKind::NotFound => anyhow!(
            "mdbook is not installed. This command installs it, only for the course, in a minute or \
             two:\n\n    {INSTALL}\n\nRun it in {}, and then `cargo xtask book` again.",
            course.root.display()
        ),
        _ => error,
    })?;
    let first = book.join("index.html").display().to_string();
    writeln!(io::stdout(), "{pages} pages.\nOpen {first} in a browser.")?;
    Ok(ExitCode::SUCCESS)
}

type Files = BTreeSet<PathBuf>;

/// The sections of `lessons/README.md` that are pages of the book, before and after the lessons.
const FRAME: [(&str, &str); 2] = [
    ("Welcome", "lessons/index.md"),
    ("Farewell", "lessons/farewell.md"),
];

/// Writes the sources of the book: the pages, in the same folders as in the checkout, and the files that
/// they link to. Returns the number of pages.
fn write_source(course: &Course, folder: &Path) -> anyhow::Result<usize> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let (src, root) = (folder.join("src"), &course.root);
    let pages = pages(course);
    let mut files: Files = pages.iter().cloned().collect();
    let mut summary = vec!["# Contents\n".to_owned()];
    let mut frame = FRAME.into_iter();
    for page in &pages {
        let document = Document::parse(&text_of(&root.join(page))?);
        let mut lessons = course.lessons.iter();
        let lesson = lessons.find(|lesson| lesson.readme_path() == root.join(page));
        let sources = lesson.map_or(Ok(Vec::new()), |lesson| Source::all_of(lesson, root))?;
        let mut edits =
            document.redirected(|link| destination(root, page, &link.destination, &mut files));
        edits.extend(folds(&document));
        edits.extend(labels(&document, page, &sources, &mut files));
        let mut text = document.edited(edits);
        let (mut path, mut title) = (in_book(&page.display().to_string()), &*document.title);
        if path == "lessons/index.md" {
            let (heading, own_path) = frame.next().unwrap_or_default();
            (path, title) = (own_path.to_owned(), heading);
            text = section(&text, heading).unwrap_or(text);
        }
        summary.push(match path.as_str() {
            "index.md" => format!("\n[About this course]({path})\n"),
            "crates/multiprocess/index.md" => format!("\n[The crate {title}]({path})\n"),
            _ if path.ends_with("task.md") => format!("  - [Exercise: {title}]({path})\n"),
            _ if lesson.is_some() => format!("- [{title}]({path})\n"),
            _ => format!("\n[{title}]({path})\n\n"),
        });
        put(&src.join(&path), text.as_bytes())?;
    }
    for file in files {
        let copy = src.join(in_book(&file.display().to_string()));
        if !copy.exists() {
            put(&copy, &fs::read(root.join(file))?)?;
        }
    }
    put(&src.join("SUMMARY.md"), summary.concat().as_bytes())?;
    put(&folder.join("book.toml"), include_bytes!("book/book.toml"))?;
    put(
        &folder.join("course.css"),
        include_bytes!("book/course.css"),
    )?;
    put(&folder.join("course.js"), include_bytes!("book/course.js"))?;
    Ok(pages.len())
}

/// Returns the paths of the pages in order, relative to the root of the checkout.
fn pages(course: &Course) -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md"), "lessons/README.md".into()];
    for lesson in &course.lessons {
        let folder = Path::new("lessons").join(lesson.folder.file_name().unwrap_or_default());
        pages.extend([folder.join("README.md"), folder.join("exercise/task.md")]);
    }
    let more = "lessons/README.md lessons/from-python/README.md lessons/troubleshooting.md \
                crates/multiprocess/README.md crates/cluster/README.md CONTRIBUTING.md";
    pages.extend(more.split(' ').map(PathBuf::from));
    pages.retain(|page| course.root.join(page).is_file());
    pages
}

/// Returns a second-level section as a page of its own.
fn section(text: &str, heading: &str) -> Option<String> {
    let (_, text) = text.split_once(&format!("\n## {heading}\n"))?;
    let text = text.split("\n## ").next().unwrap_or(text);
    Some(format!("# {heading}\n{text}"))
}

/// Returns a file's path in the book. Sources become `.txt` files, which every browser shows.
fn in_book(path: &str) -> String {
    match path.rsplit('.').next() {
        Some("md") => path.replace("README.md", "index.md"),
        Some("svg" | "png") => path.to_owned(),
        _ => format!("{path}.txt"),
    }
}

/// Returns the destination in the book of a page's link, and adds the file that it needs. Returns `None`
/// for a Markdown file that isn't a page.
fn destination(root: &Path, page: &Path, link: &str, files: &mut Files) -> Option<String> {
    let (path, heading) = link.split_at(link.find('#').unwrap_or(link.len()));
    if path.is_empty() || path.contains("://") {
        return Some(link.to_owned());
    }
    let target = root.join(page).with_file_name(path).canonicalize();
    let target = target.unwrap_or_default();
    let is_text = target.extension().is_some_and(|kind| kind == "md");
    match target.strip_prefix(root) {
        Ok(file) if files.contains(file) || (target.is_file() && !is_text) => {
            files.insert(file.to_owned());
            Some(in_book(path) + heading)
        }
        _ => None,
    }
}

/// Returns the edits that fold each hint, and each run with its answer, so that you can think first.
fn folds(document: &Document) -> Vec<(Range<usize>, String)> {
    let mut edits = Vec::new();
    for (index, section) in document.sections.iter().enumerate() {
        let run = section.code().find(|code| code.language() == "console");
        let run = run.filter(|_| section.step.is_some());
        let is_hint = section.heading.starts_with("Hint ");
        let (from, to, summary) = match run {
            Some(run) => (run.line, run.line, "The run, and what to notice"),
            None if is_hint => (section.line, section.line + 1, &*section.heading),
            None => continue,
        };
        let next = document.sections.get(index + 1);
        let end = start_of(document, next.map_or(usize::MAX, |next| next.line));
        let opening = format!("<details><summary>{summary}</summary>\n\n");
        edits.push((start_of(document, from)..start_of(document, to), opening));
        edits.push((end..end, "\n</details>\n\n".to_owned()));
    }
    edits
}

/// Returns the edits that write above each block of code what it is, with a link to its file.
fn labels(
    document: &Document,
    page: &Path,
    sources: &[Source],
    files: &mut Files,
) -> Vec<(Range<usize>, String)> {
    let labelled = document.code().filter(|code| !code.label().is_empty());
    let edits = labelled.map(|code| {
        let file = excerpt(code, sources).and_then(|excerpt| excerpt.file);
        let from = file.map(|file| {
            let path = file.strip_prefix(page.with_file_name("")).unwrap_or(&file);
            let path = path.display().to_string();
            files.insert(file);
            format!(", from <a href=\"{}\">{path}</a>", in_book(&path))
        });
        let (label, from) = (code.label(), from.unwrap_or_default());
        let start = start_of(document, code.line);
        let label = format!("<div class=\"label\">{label}{from}</div>\n\n");
        (start..start, label)
    });
    edits.collect()
}

/// Returns where a line begins in the text of a document.
fn start_of(document: &Document, line: usize) -> usize {
    let lines = document.text.split_inclusive('\n').take(line - 1);
    lines.map(str::len).sum()
}
