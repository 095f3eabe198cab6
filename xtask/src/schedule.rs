//! The task `schedule`: a person chooses who runs next.

mod columns;
mod play;
mod race;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::anyhow;
use lexopt::{Arg, Parser, ValueExt};

use self::play::Play;
use crate::keys::Keyboard;
use crate::programs::Programs;
use crate::screen::Screen;
use course::misuse::Misuse;
use course::python::{self, Python};
use course::{Course, process_group};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask schedule LESSON STEP [OPTIONS]

You are the scheduler of a step's race: you see the next line of each thread or
process, and choose who runs next. They are real, and wait for you. Try to lose
an update, or to get all of them stuck.

Options:
  --cure    the same race with its cure, such as a lock
  --python  Python's threads, one bytecode instruction at a time
  --plain   80 columns, no colour: the default with NO_COLOR

Examples:
  cargo xtask schedule locks race
  cargo xtask schedule locks race --python
";

/// The program of a race.
struct Source {
    /// Runs the race.
    race: Box<dyn Fn() -> Command>,
    /// The command that runs it, as you would type it.
    typed: String,
}

impl Source {
    /// Returns the bytecodes of a lesson's race.
    fn python(root: &Path, lesson: &str, step: String) -> anyhow::Result<Self> {
        let script = format!("lessons/{lesson}/bytecodes.py");
        if !root.join(&script).is_file() {
            let message = format!("there is no {script}\nLeave out `--python`");
            return Err(Misuse(message).into());
        }
        let python = Python::find().map_err(|why| anyhow!("{why}\nLeave out `--python`"))?;
        let typed = python::command(&script, &step);
        let root = root.to_owned();
        let race = Box::new(move || python.step(&root, &script, &step));
        Ok(Self { race, typed })
    }

    fn command(&self, schedule: &str, has_cure: bool) -> Command {
        let mut command = (self.race)();
        command.args(["--schedule", schedule]);
        command.args(has_cure.then_some("--cure"));
        command
    }

    /// Returns the command as you would type it.
    fn typed(&self, schedule: &str, has_cure: bool) -> String {
        let cure = if has_cure { " --cure" } else { "" };
        format!("{} --schedule {schedule}{cure}", self.typed)
    }
}

/// The task `schedule`: shows a race, and lets a person choose who runs next.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let (mut words, mut cure, mut python, mut plain) = (Vec::new(), false, false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("cure") => cure = true,
            Arg::Long("python") => python = true,
            Arg::Long("plain") => plain = true,
            Arg::Value(word) if words.len() < 2 => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [lesson, step] = words.as_slice() else {
        let message = "give a lesson and a step with a race, as in `cargo xtask schedule locks race`\n\
                       `cargo xtask lesson --list` shows the lessons with their steps";
        return Err(Misuse(message.to_owned()).into());
    };
    let course = Course::here()?;
    let lesson = course.lesson(lesson)?;
    lesson.step(&lesson.readme()?, step)?;
    let mut screen = Screen::stdout(plain);
    let (name, step) = (&lesson.name, step.clone());
    let title = lesson.title.split(':').next().unwrap_or_default();
    let title = format!("{} {title} \u{b7} {step}", lesson.number);
    let source = if python {
        Source::python(&course.root, name, step)?
    } else {
        let program = Programs::default().wait(&mut screen, &course.root, name)?;
        let Some(program) = program else {
            return Ok(ExitCode::FAILURE);
        };
        let typed = course::command(name, &step);
        let race = Box::new(move || program.step(&step));
        Source { race, typed }
    };
    let mut play = Play::begin(&source, title, cure)?;
    let Some(mut keyboard) = Keyboard::open(!screen.is_plain())? else {
        let all = source.typed("all", cure);
        let message = format!(
            "to be the scheduler, you need a terminal\nWithout one, `{all}` runs all schedules"
        );
        return Err(Misuse(message).into());
    };
    let played = play.play(&mut screen, &mut keyboard);
    // Restores the terminal.
    drop(keyboard);
    let last = play.last.take();
    // Lets the program of the race end by itself, so that it removes its shared memory.
    drop(play);
    // Stops what still counts the schedules.
    process_group::end_all();
    played?;
    if let Some((outcome, command)) = last {
        screen.command(&format!("{outcome}. To replay it:"), &command)?;
    }
    Ok(ExitCode::SUCCESS)
}
