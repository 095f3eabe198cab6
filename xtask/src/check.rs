mod checkout;
mod excerpts;
mod exercises;
mod files;
mod links;
mod manifests;
mod run;
mod scripts;
mod transcripts;

#[cfg(test)]
mod fixture;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Parser;

use self::checkout::Checkout;
use crate::screen::Screen;
use crate::task;
use course::Course;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask check [LESSON]...

Builds the lessons, runs their steps, compares them with their READMEs, and checks
the other house rules. Each thing that is wrong is told with its file and line, and
how to mend it. With lessons, by name or number, only these are built and run.
An exercise in which the gap is filled in is noted, and is no problem.
";

/// The rule that needs Python.
const COUNTERPARTS: &str = "the Python counterpart has the same steps";

/// A house rule: what it demands, and how it is checked.
type Rule = (&'static str, fn(&Checkout) -> Vec<Problem>);

const RULES: &[Rule] = &[
    (
        "a lesson has a README, a Python counterpart and a title",
        scripts::files_are_there,
    ),
    (
        "each step has its section, in order",
        scripts::sections_match_steps,
    ),
    (
        "each step has its function in Rust and in Python",
        scripts::functions_exist,
    ),
    (COUNTERPARTS, scripts::counterparts_list_the_same),
    ("each step shows its code", scripts::code_is_shown),
    ("each step shows a run of itself", scripts::runs_are_shown),
    (
        "a run prints what the README shows",
        transcripts::runs_are_as_shown,
    ),
    (
        "code in a README stands in the lesson",
        excerpts::excerpts_are_verbatim,
    ),
    ("an exercise is whole", exercises::exercises_are_whole),
    ("links lead somewhere", links::links_lead_somewhere),
    (
        "the workspace names every lesson",
        manifests::members_are_listed,
    ),
    ("lints are set in every crate", manifests::lints_are_set),
    (
        "a lesson's manifest can be copied away",
        manifests::lessons_stand_alone,
    ),
    ("no file is huge", files::no_file_is_huge),
    (
        "no file names a place on one machine",
        files::no_machine_paths,
    ),
];

/// Something that breaks a rule.
#[derive(Debug)]
struct Problem {
    /// The file, relative to the root of the checkout.
    file: PathBuf,
    line: usize,
    what: String,
    mend: String,
}

impl Problem {
    fn new(
        file: impl AsRef<Path>,
        line: usize,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            line,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        write!(
            f,
            "{file}:{}: {}\n    mend: {}",
            self.line, self.what, self.mend
        )
    }
}

/// The task `check`: checks the house rules.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut course = Course::here()?;
    let lessons = task::lessons(&course, arguments)?.into_iter();
    let names: Vec<String> = lessons.map(|lesson| lesson.name.clone()).collect();
    course.lessons.retain(|lesson| names.contains(&lesson.name));
    let checkout = Checkout::read(&course, &mut Screen::stdout(false))?;
    let problems: Vec<Problem> = RULES.iter().flat_map(|(_, rule)| rule(&checkout)).collect();
    let told = tell(&checkout, &problems);
    task::verdict(told, problems.is_empty())
}

fn tell(checkout: &Checkout, problems: &[Problem]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for problem in problems {
        writeln!(out, "{problem}")?;
    }
    for note in exercises::filled_gaps(checkout) {
        writeln!(out, "{note}")?;
    }
    let unchecked = checkout.no_python.as_ref();
    if let Some(reason) = unchecked {
        writeln!(out, "not checked: {COUNTERPARTS}: {reason}")?;
    }
    match problems.len() {
        0 if unchecked.is_some() => writeln!(out, "{} other rules hold.", RULES.len() - 1)?,
        0 => writeln!(out, "{} rules hold.", RULES.len())?,
        1 => writeln!(out, "1 problem.")?,
        count => writeln!(out, "{count} problems.")?,
    }
    Ok(())
}
