mod files;
mod readme;
mod runs;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::anyhow;
use lexopt::{Arg, Parser, ValueExt};

use crate::screen::Screen;
use crate::task::{self, ignore_broken_pipe};
use course::build::Program;
use course::document::Document;
use course::python::Python;
use course::source::{Source, visible};
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask check [LESSON]... [--fix]

Builds the lessons, runs their steps in Rust and Python, and compares them with their
READMEs. Checks exercises, manifests and links too. Each problem is shown with its
file and line, and with help. Give lessons by name or number to check only these.

  --fix  first update the code blocks of the READMEs from the programs

An exercise whose gap is filled in gets only a note, because you may be learning here;
with EXERCISES=untouched in the environment, it's a problem.
";

/// The task `check`: compares the lessons with their READMEs.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let course = Course::here()?;
    let mut lessons: Vec<&Lesson> = Vec::new();
    let mut fix = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("fix") => fix = true,
            Arg::Value(word) => lessons.push(course.lesson(&word.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut folders: Vec<&Path> = lessons.iter().map(|one| one.folder.as_path()).collect();
    if lessons.is_empty() {
        lessons.extend(&course.lessons);
        folders.push(&course.root);
    }

    let mut screen = Screen::stdout(false);
    let python = Python::find();
    let report = Report {
        course: &course,
        found: Mutex::default(),
    };
    let check = |lesson: &Lesson, built| {
        files::check(lesson, &report);
        let checked = Subject::read(lesson, built, &report).and_then(|mut subject| {
            if fix {
                readme::fix(&mut subject)?;
            }
            readme::check(&subject);
            runs::check_transcripts(&subject);
            runs::check_refused(&subject);
            runs::check_python(&subject, python.as_ref().ok());
            Ok(())
        });
        if let Err(error) = checked {
            let what = format!("cannot check lesson {}: {error:#}", lesson.name);
            report.add(&lesson.folder, 1, what, "fix this first");
        }
    };
    thread::scope(|scope| {
        for lesson in lessons {
            let name = &lesson.name;
            let built = Program::build(&course.root, name, ["--bin", name], |doing| {
                ignore_broken_pipe(screen.status("Checking the lessons", doing))
            });
            let _ = screen.status("Checking the lessons", name);
            scope.spawn(|| check(lesson, built));
        }
    });
    files::check_links(&folders, &report)?;
    ignore_broken_pipe(screen.end_status())?;
    let (text, problems) = report.text();
    let unchecked = match python {
        Ok(_) => String::new(),
        Err(reason) => format!(" The steps in Python were not checked: {reason}."),
    };
    let shown = writeln!(io::stdout(), "{text}Problems: {problems}.{unchecked}");
    task::verdict(shown.map_err(Into::into), problems == 0)
}

/// A lesson, with everything that is compared.
struct Subject<'a> {
    lesson: &'a Lesson,
    readme: Document,
    sources: Vec<Source>,
    program: Program,
    /// The steps that the program lists.
    steps: Vec<String>,
    report: &'a Report<'a>,
}

impl<'a> Subject<'a> {
    fn read(
        lesson: &'a Lesson,
        built: Result<Program, String>,
        report: &'a Report,
    ) -> anyhow::Result<Self> {
        let readme = lesson.readme()?;
        let sources = Source::all_of(lesson, &report.course.root)?;
        let program =
            built.map_err(|errors| anyhow!("it does not build:\n{}", errors.trim_end()))?;
        let listed = runs::output(program.step("--list"));
        Ok(Self {
            lesson,
            readme,
            sources,
            program,
            steps: listed.map_err(|failure| anyhow!("`--list` failed: {failure}"))?,
            report,
        })
    }

    /// Reports a problem in a line of the README.
    fn problem(&self, line: usize, what: impl Display, help: impl Display) {
        let path = self.lesson.readme_path();
        self.report.add(&path, line, what, help);
    }
}

/// The findings in all lessons so far.
struct Report<'a> {
    course: &'a Course,
    found: Mutex<Vec<Finding>>,
}

/// The index of the lesson, the file, the line, whether it is a problem, and the text.
type Finding = (Option<usize>, String, usize, bool, String);

impl Report<'_> {
    /// Adds a problem in a line of a file, or a note, which has no `help`.
    fn add(&self, file: &Path, line: usize, what: impl Display, help: impl Display) {
        let (what, help) = (what.to_string(), help.to_string());
        let mut text = visible(&what).replace('\n', "\n    ");
        if !help.is_empty() {
            text.extend(["\n    help: ", &help]);
        }
        let file = self.course.root.join(file);
        let mut lessons = self.course.lessons.iter();
        let lesson = lessons.position(|lesson| file.starts_with(&lesson.folder));
        let file = self.relative(&file).display().to_string();
        let mut found = self.found.lock().expect("no check panics");
        found.push((lesson, file, line, !help.is_empty(), text));
    }

    fn relative<'p>(&self, file: &'p Path) -> &'p Path {
        file.strip_prefix(&self.course.root).unwrap_or(file)
    }

    /// Returns the findings in the order of the lessons, files and lines, and the number of problems.
    fn text(&self) -> (String, usize) {
        let mut found = self.found.lock().expect("no check panics");
        found.sort();
        let lines = found
            .iter()
            .map(|(_, file, line, _, text)| format!("{file}:{line}: {text}\n"));
        let problems = found.iter().filter(|(_, _, _, is_problem, _)| *is_problem);
        (lines.collect(), problems.count())
    }
}
