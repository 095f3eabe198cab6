//! The task `timeline`: records a step, or takes a recording, and shows what ran when.

mod arrows;
mod axis;
mod ends;
mod lanes;
mod legend;
mod model;
mod picture;
mod recording;
mod room;
mod terminal;
#[cfg(test)]
mod tests;
mod trace;
mod words;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::screen::Screen;
use course::build::{Build, Program};
use course::misuse::Misuse;
use course::run::{self, Line, MOST_KEPT};
use course::{Course, Lesson};
use room::Room;

pub(crate) use model::Timeline;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask timeline LESSON STEP [OPTIONS]
       cargo xtask timeline --of FOLDER [OPTIONS]

Runs a step, records what each of its threads and processes does, and shows it
as lanes. Print order is not execution order; this is.

Options:
  -o, --output FILE  write a picture (map.svg), or a trace (map.json) that
                     opens in Perfetto and in Chrome's about:tracing
      --of FOLDER    show a recording made before: of any program that uses
                     the crate multiprocess and was run with
                     MULTIPROCESS_RECORD=FOLDER in its environment
      --plain        lanes in letters only, as they are when the output is no
                     terminal or NO_COLOR is set

Examples:
  cargo xtask timeline pool map              lanes in the terminal
  cargo xtask timeline pool map -o map.svg   a picture
";

/// A step that runs longer than this is ended.
const LIMIT: Duration = Duration::from_mins(1);

/// Name of the variable that has the processes of a program recorded.
const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// The task `timeline`.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut words = Vec::new();
    let mut output: Option<PathBuf> = None;
    let mut of: Option<PathBuf> = None;
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            Arg::Long("of") => of = Some(arguments.value()?.into()),
            Arg::Short('o') | Arg::Long("output") => output = Some(arguments.value()?.into()),
            Arg::Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let form = output.as_deref().map(Form::of).transpose()?;
    let mut screen = Screen::stdout(plain);
    let (title, timeline) = match (of, words.as_slice()) {
        (Some(folder), []) => (folder.display().to_string(), read(&folder)?),
        (None, [lesson, step]) => {
            let course = Course::here()?;
            let lesson = course.lesson(lesson)?;
            lesson.step(&lesson.readme()?, step)?;
            let timeline = record(&mut screen, &course, lesson, step)?;
            (format!("{} {step}", lesson.name), timeline)
        }
        _ => {
            let message =
                "name a lesson and one of its steps, as in `cargo xtask timeline pool map`";
            return Err(Misuse(message.to_owned()).into());
        }
    };
    match (output, form) {
        (Some(path), Some(form)) => {
            let text = form.write(&title, &timeline);
            fs::write(&path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            screen.line(&format!("{} is written.", path.display()))?;
        }
        _ => show(&mut screen, &title, &timeline)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows lanes on the screen.
pub(crate) fn show(screen: &mut Screen, title: &str, timeline: &Timeline) -> io::Result<()> {
    let letters = if screen.is_plain() {
        &terminal::PLAIN
    } else {
        &terminal::DRAWN
    };
    for line in terminal::lines(title, timeline, letters, screen.width()) {
        screen.line(&line)?;
    }
    screen.blank()
}

/// A step that is being recorded.
pub(crate) struct Recording {
    room: Room,
}

impl Recording {
    /// Has the processes of a command recorded; the command runs a step of the program.
    pub(crate) fn of(program: &Program, command: &mut Command) -> anyhow::Result<Recording> {
        let room = Room::within(&program.beside("recordings"))?;
        command.env(VARIABLE, room.folder());
        Ok(Recording { room })
    }

    /// Makes lanes of what was recorded, when the command has ended.
    pub(crate) fn timeline(&self) -> anyhow::Result<Timeline> {
        read(self.room.folder())
    }
}

fn read(folder: &Path) -> anyhow::Result<Timeline> {
    Ok(lanes::timeline(&recording::read(folder)?))
}

/// Runs a step and makes lanes of what its processes record.
fn record(
    screen: &mut Screen,
    course: &Course,
    lesson: &Lesson,
    step: &str,
) -> anyhow::Result<Timeline> {
    let name = &lesson.name;
    // Lanes and pictures may be piped to another program, which has no use for this.
    let quiet = !io::stdout().is_terminal();
    let built = Program::build(&course.root, name, |doing| {
        if quiet {
            return Ok(());
        }
        screen.status(&format!("Building lesson {name}"), doing)
    });
    screen.end_status()?;
    let program = match built? {
        Build::Done(program) => program,
        Build::Failed(said) => bail!("lesson {name} does not build. Cargo says:\n{said}"),
    };
    let mut command = program.step(step);
    let recording = Recording::of(&program, &mut command)?;
    let mut printed = Vec::new();
    let end = run::run(command, LIMIT, |line| {
        let (Line::Output(text) | Line::Error(text)) = line;
        if printed.len() < MOST_KEPT {
            printed.push(text);
        }
        Ok(())
    });
    let end = end.with_context(|| format!("step {step} of {name} cannot be run"))?;
    if !end.is_success() {
        let printed = printed.join("\n");
        bail!("step {step} of {name} failed: {end}. It printed:\n{printed}");
    }
    recording.timeline()
}

/// What a file is to hold, by the end of its name.
#[derive(Clone, Copy)]
enum Form {
    Picture,
    Trace,
}

impl Form {
    fn of(path: &Path) -> Result<Form, Misuse> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Form::Picture),
            Some("json") => Ok(Form::Trace),
            _ => Err(Misuse(format!(
                "{} does not say what it is to be: end it in .svg for a picture or .json for a trace",
                path.display()
            ))),
        }
    }

    fn write(self, title: &str, timeline: &Timeline) -> String {
        match self {
            Form::Picture => picture::svg(title, timeline),
            Form::Trace => trace::json(timeline),
        }
    }
}
