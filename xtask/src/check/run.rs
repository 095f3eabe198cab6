use std::fmt;
use std::io;
use std::process::Command;
use std::time::Duration;

use super::checkout::LessonFiles;
use course::build::Program;
use course::command;
use course::document::Document;
use course::run::{self, End, Line, MOST_KEPT};

/// How long a lesson may take to list its steps.
const LISTING_LIMIT: Duration = Duration::from_secs(20);

/// How long a step may take: longer than when it is played, since nobody waits, and a check that
/// runs beside ten other builds must not fail for that.
const STEP_LIMIT: Duration = Program::STEP_LIMIT.saturating_mul(5);

/// A run of a step.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) step: String,
    /// What came on standard output.
    pub(super) printed: Vec<String>,
    /// How the run failed, if it did.
    pub(super) failure: Option<Failure>,
}

/// How a run failed, and what came on standard error.
#[derive(Debug)]
pub(super) struct Failure {
    reason: String,
    errors: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.errors
            .iter()
            .try_for_each(|line| write!(f, "\n(stderr) {line}"))
    }
}

/// Asks a program for its steps: the command lists them. An error says why it does not.
pub(super) fn listed_steps(command: Command) -> Result<Vec<String>, String> {
    let mut steps = Vec::new();
    let end = run::run(command, LISTING_LIMIT, |line| {
        if let Line::Output(name) = line
            && steps.len() < MOST_KEPT
        {
            steps.push(name);
        }
        Ok(())
    });
    match end {
        Ok(end) if end.is_success() => Ok(steps),
        Ok(end) => Err(format!("asked with --list for its steps, {end}")),
        Err(error) => Err(format!("it cannot be run: {error}")),
    }
}

/// Runs the steps of a lesson of which its README shows a run, each once. `tell` is called before
/// each of them.
pub(super) fn runs_of(
    program: &Program,
    lesson: &LessonFiles,
    mut tell: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for step in lesson.steps.iter().flatten() {
        let command = command(&lesson.name, step);
        let mut blocks = lesson.readme.iter().flat_map(Document::code);
        if blocks.any(|code| code.is_run_of(&command)) {
            tell(step)?;
            runs.push(run(program, step));
        }
    }
    Ok(runs)
}

fn run(program: &Program, step: &str) -> Run {
    let mut printed = Vec::new();
    let mut errors = Vec::new();
    let end = run::run(program.step(step), STEP_LIMIT, |line| {
        let (lines, text) = match line {
            Line::Output(text) => (&mut printed, text),
            Line::Error(text) => (&mut errors, text),
        };
        if lines.len() < MOST_KEPT {
            lines.push(text);
        }
        Ok(())
    });
    let reason = match end {
        Ok(End::Finished(status)) if status.success() => None,
        Ok(end) => Some(end.to_string()),
        Err(error) => Some(format!("it cannot be run: {error}")),
    };
    Run {
        step: step.to_owned(),
        printed,
        failure: reason.map(|reason| Failure { reason, errors }),
    }
}
