//! The task `timeline`: records a step, and shows the recording with the program in `crates/timeline`.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::programs::Programs;
use crate::screen::Screen;
use course::Course;
use course::build::Program;
use course::misuse::Misuse;
use course::run::{End, gather};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask timeline LESSON STEP [OPTIONS]

Runs a step, records what each of its threads and processes does, and shows it
as lanes. The order of printed lines isn't the order in which things happened;
this is.

Options:
  -o, --output FILE  write a picture (map.svg), or a trace (map.json) that
                     opens in Perfetto and in Chrome's about:tracing
      --plain        only ASCII characters: the default without a terminal
                     or with NO_COLOR

Examples:
  cargo xtask timeline pool map              lanes in the terminal
  cargo xtask timeline pool map -o map.svg   a picture

To show a recording of your own program:
  cargo run -q -p timeline -- --help
";

/// The package whose program shows a recording.
pub(crate) const VIEWER: &str = "timeline";

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
        let message = "give a lesson and one of its steps, as in `cargo xtask timeline pool map`";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(lesson)?;
    lesson.step(&lesson.readme()?, step)?;
    let mut screen = Screen::stdout(plain);
    let mut programs = Programs::default();
    let mut build = |package| programs.wait(&mut screen, &course.root, package);
    let (Some(program), Some(viewer)) = (build(&lesson.name)?, build(VIEWER)?) else {
        return Ok(ExitCode::FAILURE);
    };
    let name = format!("{} {step}", lesson.name);
    let mut command = program.step(step);
    let recording = Recording::of(&program, &name, &mut command)?;
    let run = gather(command, Program::STEP_LIMIT);
    let run = run.with_context(|| format!("cannot run step {name}"))?;
    recording.show(&mut screen, &viewer, &name, &options)?;
    if !run.end.is_success() {
        let printed = run.output + &run.errors;
        bail!("step {name} failed: {}. It printed:\n{printed}", run.end);
    }
    Ok(ExitCode::SUCCESS)
}

/// The recording of a step. It's removed when this is dropped.
pub(crate) struct Recording {
    folder: PathBuf,
}

impl Recording {
    /// Makes a command, which runs a step of this program, record its processes.
    pub(crate) fn of(program: &Program, name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let recordings = program.beside("recordings");
        // Removes what a killed xtask has left: no run takes so long.
        for old in fs::read_dir(&recordings).into_iter().flatten().flatten() {
            let age = old
                .metadata()
                .and_then(|found| found.modified())
                .map(|at| at.elapsed());
            if age.is_ok_and(|age| age.is_ok_and(|age| age > 10 * Program::STEP_LIMIT)) {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let name = format!("{}-{}", name.replace(' ', "-"), std::process::id());
        let folder = recordings.join(name);
        let made = fs::create_dir_all(&folder);
        made.with_context(|| format!("cannot make {}", folder.display()))?;
        command.env("MULTIPROCESS_RECORD", &folder);
        Ok(Self { folder })
    }

    /// Shows the recording after the command has ended. `options` are for the viewer, the program `timeline`.
    pub(crate) fn show(
        &self,
        screen: &mut Screen,
        viewer: &Program,
        title: &str,
        options: &[OsString],
    ) -> anyhow::Result<()> {
        let mut command = viewer.command();
        let width = screen.width.to_string();
        command.arg(&self.folder).args(options);
        command.args(["--title", title, "--width", &width]);
        command.args((!screen.is_plain()).then_some("--color"));
        let run = gather(command, Program::STEP_LIMIT)?;
        run.output.lines().try_for_each(|line| screen.line(line))?;
        let error = run.errors.strip_prefix("error: ").unwrap_or(&run.errors);
        let error = error.trim_end().to_owned();
        match run.end {
            End::Finished(status) if status.code() == Some(2) => Err(Misuse(error).into()),
            end if !end.is_success() => bail!("the program timeline failed: {end}\n{error}"),
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
