//! The task `lesson`: plays the course, or lists it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use support::{readable_time, timed};

use crate::keys::Keyboard;
use crate::player::Player;
use crate::programs::Programs;
use crate::progress::{Next, Progress};
use crate::reading::Reader;
use crate::screen::Screen;
use crate::{exercise, playlist, task};
use course::Course;
use course::process_group;
use course::python::Python;
use course::source::visible;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask lesson [LESSON [STEP]...]... [OPTIONS]
       cargo xtask lesson --list

Plays lessons, by name or number, or steps of lessons; by default the whole course.

Options:
  --list                only list the lessons with their steps and minutes, the
                        steps that you've played, and where `continue` goes on
  --from LESSON [STEP]  begin there, and leave out what comes before
  --no-wait             play through without waiting for keys
  --python              run the Python counterpart of each step first
  --timeline            after each run, show what each process and thread
                        did when
  --plain               80 columns, no colour: the default without a terminal
                        or with NO_COLOR

On a terminal, it shows a page at a time and waits before each run, so that you
can say what will happen. Enter goes on, Page Up goes back a page, q quits and
prints the command that continues from there, ? shows all keys. Without a
terminal, it plays through.

The exit status is 0 if every run in Rust succeeded, and 1 if one failed. A
failure of a Python counterpart is shown, but doesn't count.

Examples:
  cargo xtask lesson 1 3                      two lessons, by number
  cargo xtask lesson threads spawn panic      two steps of one lesson
  cargo xtask lesson --from pool map          from a step to the end
";

/// The command line.
#[derive(Default)]
pub(crate) struct Args {
    words: Vec<String>,
    flags: BTreeSet<String>,
    /// Where to begin: nothing, or a lesson, or a lesson and a step.
    pub(crate) from: Vec<String>,
}

/// The task `lesson`: plays the course, or some lessons or steps.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let args = Args::parse(arguments)?;
    let course = Course::here()?;
    let mut screen = Screen::stdout(args.has("plain"));
    if args.has("list") {
        return list(&mut screen, &course);
    }
    play(&course, screen, &args)
}

/// Plays the scenes of a command line.
pub(crate) fn play(course: &Course, screen: Screen, args: &Args) -> anyhow::Result<ExitCode> {
    let python = Python::find();
    let warning = python.as_ref().err().filter(|_| args.has("python"));
    let warning = warning.map(|reason| format!("The Python counterparts won't run: {reason}."));
    let plays_python = python.is_ok() && args.has("python");
    let mut scenes = playlist::scenes(course, &args.words, plays_python)?;
    playlist::begin_at(&mut scenes, course, &args.from)?;
    let waits = !args.has("no-wait");
    let keyboard = waits.then(|| Keyboard::open(!screen.is_plain()));
    let mut player = Player {
        course,
        scenes: &scenes,
        place: 0,
        python: python.ok(),
        timeline: args.has("timeline"),
        screen,
        programs: Programs::default(),
        runs: Vec::new(),
        progress: Progress::read(course),
    };
    let (ending, time) = timed(|| {
        if let Some(keyboard) = keyboard.transpose()?.flatten() {
            let mut reader = Reader::new(&mut player, keyboard);
            warning
                .iter()
                .try_for_each(|text| reader.show("Before we begin", text))?;
            return reader.read();
        }
        let screen = &mut player.screen;
        warning.iter().try_for_each(|text| screen.paragraph(text))?;
        player.play().map(|()| None)
    });
    // Stops builds that are still running.
    process_group::end_all();
    let (screen, runs) = (&mut player.screen, &player.runs);
    let is_good = runs.iter().all(|(_, failure)| failure.is_none());
    let shown = ending.and_then(|resume| {
        let end = if runs.len() == 1 { "" } else { "s" };
        let count = format!("{} step{end}, {} in all.", runs.len(), readable_time(time));
        screen.blank()?;
        if runs.is_empty() {
            screen.line("No step was run.")?;
        } else if is_good {
            screen.line(&format!("{count} Everything worked."))?;
        } else {
            screen.failure(&format!("{count} Failed:"))?;
        }
        for (step, failure) in runs {
            let line = |reason| screen.line(&format!("- {step}: {reason}"));
            failure.as_ref().map_or(Ok(()), line)?;
        }
        resume.iter().try_for_each(|from| {
            screen.blank()?;
            screen.command("To continue from here:", &args.resuming(from))
        })
    });
    task::verdict(shown.map_err(Into::into), is_good)
}

fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<ExitCode> {
    let progress = Progress::read(course);
    let played = ["  \u{2713} ", "[x] "][usize::from(screen.is_plain())];
    for lesson in &course.lessons {
        let about = format!("{} minutes: {}", lesson.minutes, lesson.title);
        screen.heading(&format!("{} {}, {about}", lesson.number, lesson.name))?;
        for section in lesson.readme()?.sections {
            let is_played = |step: &String| progress.has_played(&lesson.name, step);
            if let Some(is_played) = section.step.as_ref().map(is_played) {
                let mark = ["    ", played][usize::from(is_played)];
                screen.line(&format!("{mark}{}", visible(&section.heading)))?;
            }
        }
        screen.blank()?;
    }
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let count = course.lessons.len();
    screen.line(&format!("{count} lessons, {minutes} minutes in all."))?;
    screen.line("`cargo xtask lesson LESSON STEP` plays a step, `cargo xtask lesson` all.")?;
    let next = match progress.next(course, exercise::is_open)? {
        Next::Course(from) if from.is_empty() => "begins the course".to_owned(),
        Next::Course(from) => format!("goes on at {from}"),
        Next::Exercise(lesson) => format!("goes on at the exercise of {}", lesson.name),
        Next::Nothing => return Ok(ExitCode::SUCCESS),
    };
    screen.line(&format!("`cargo xtask continue` {next}."))?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Reads the command line.
    pub(crate) fn parse(mut arguments: Parser) -> anyhow::Result<Self> {
        let mut args = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long(flag @ ("list" | "no-wait" | "plain" | "python" | "timeline")) => {
                    args.flags.insert(flag.to_owned());
                }
                Arg::Long("from") => {
                    let values = arguments.values()?.map(ValueExt::string);
                    args.from = values.collect::<Result<_, _>>()?;
                }
                Arg::Value(word) => args.words.push(word.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(args)
    }

    /// Returns whether neither a list, nor a lesson, nor a place was asked for.
    pub(crate) fn is_whole_course(&self) -> bool {
        self.words.is_empty() && self.from.is_empty() && !self.has("list")
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// Returns the command that continues from a scene.
    fn resuming(&self, from: &str) -> String {
        let mut words = vec!["cargo xtask lesson".to_owned()];
        words.extend(self.words.iter().cloned());
        words.extend(self.flags.iter().map(|flag| format!("--{flag}")));
        words.extend((!from.is_empty()).then(|| format!("--from {from}")));
        words.join(" ")
    }
}
