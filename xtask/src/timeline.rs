//! The task `timeline`: records a step. The program of that name, in `crates/timeline`, shows what ran when.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::programs::build;
use crate::screen::Screen;
use course::Course;
use course::build::Program;
use course::misuse::Misuse;
use course::run::{self, End, Line, gather};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask timeline LESSON STEP [OPTIONS]

Runs a step, records what each of its threads and processes does, and shows it
as lanes. Print order is not execution order; this is.

Options:
  -o, --output FILE  write a picture (map.svg), or a trace (map.json) that
                     opens in Perfetto and in Chrome's about:tracing
      --plain        lanes in letters only, as they are when the output is no
                     terminal or NO_COLOR is set

Examples:
  cargo xtask timeline pool map              lanes in the terminal
  cargo xtask timeline pool map -o map.svg   a picture

To show a recording of a program of your own:
  cargo run -q -p timeline -- --help
";

/// The task `timeline`.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut words = Vec::new();
    let mut options = Vec::new();
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            Arg::Short('o') | Arg::Long("output") => {
                options.extend(["--output".into(), arguments.value()?]);
            }
            Arg::Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [lesson, step] = words.as_slice() else {
        let message = "name a lesson and one of its steps, as in `cargo xtask timeline pool map`";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(lesson)?;
    lesson.step(&lesson.readme()?, step)?;
    let mut screen = Screen::stdout(plain);
    let program = build(&mut screen, &course.root, &lesson.name)?;
    let mut command = program.step(step);
    let recording = Recording::of(&program, &mut command)?;
    let name = format!("{} {step}", lesson.name);
    let run = gather(command, Program::STEP_LIMIT);
    let run = run.with_context(|| format!("step {name} cannot be run"))?;
    recording.show(&mut screen, &course.root, &name, &options)?;
    if !run.end.is_success() {
        let printed = run.output + &run.errors;
        bail!("step {name} failed: {}. It printed:\n{printed}", run.end);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the processes of a step record. It is removed at the end.
pub(crate) struct Recording {
    folder: PathBuf,
}

impl Recording {
    /// Has the processes of a command recorded, which runs a step of that program.
    pub(crate) fn of(program: &Program, command: &mut Command) -> anyhow::Result<Recording> {
        const OLD: Duration = Duration::from_hours(1);
        let all = program.beside("recordings");
        let folder = all.join(std::process::id().to_string());
        // A killed xtask leaves its recording.
        for left in fs::read_dir(&all).into_iter().flatten().flatten() {
            let written = left.metadata().and_then(|about| about.modified());
            let is_old = written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD));
            if is_old || left.path() == folder {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        let made = fs::create_dir_all(&folder);
        made.with_context(|| format!("{} cannot be made", folder.display()))?;
        command.env("MULTIPROCESS_RECORD", &folder);
        Ok(Recording { folder })
    }

    /// Shows what was recorded, when the command has ended: as lanes, or as the options of the program `timeline` say.
    pub(crate) fn show(
        &self,
        screen: &mut Screen,
        root: &Path,
        title: &str,
        options: &[OsString],
    ) -> anyhow::Result<()> {
        let mut command = build(screen, root, "timeline")?.command();
        let width = screen.width().to_string();
        command.arg(&self.folder).args(options);
        command.args(["--title", title, "--width", &width]);
        command.args((!screen.is_plain()).then_some("--color"));
        let mut errors = Vec::new();
        let end = run::run(command, Program::STEP_LIMIT, |line| match line {
            Line::Output(text) => screen.line(&text),
            Line::Error(text) => {
                errors.push(text);
                Ok(())
            }
        })?;
        let errors = errors.join("\n");
        let error = errors.strip_prefix("error: ").unwrap_or(&errors).to_owned();
        match end {
            End::Finished(status) if status.code() == Some(2) => Err(Misuse(error).into()),
            end if !end.is_success() => bail!("the program timeline: {end}\n{error}"),
            _ if options.is_empty() => Ok(screen.blank()?),
            _ => Ok(()),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
