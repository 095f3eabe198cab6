//! The task `lesson`: plays the course, or lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use support::{readable_time, timed};

use crate::keys::Keyboard;
use crate::player::Player;
use crate::programs::Programs;
use crate::screen::Screen;
use crate::{playlist, task};
use course::Course;
use course::process_group;
use course::python::Python;
use course::source::visible;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask lesson [LESSON [STEP]...]... [OPTIONS]
       cargo xtask lesson --list

A lesson is given by name or by number. Without one, the whole course is played.

Options:
  --list                show the lessons with their steps and minutes instead
  --from LESSON [STEP]  begin there, and leave out what comes before
  --step                wait before each run and after each step
  --python              run the Python counterpart of each step first
  --timeline            show after each run, as lanes, what each process and
                        thread did when
  --plain               plain text of 80 columns without colour, as it is when
                        the output is no terminal or NO_COLOR is set

With --step one key says how to go on: Enter goes on, b goes back to the step
before, r runs this step again (built anew if it was changed), s goes to the
next lesson, q ends and says how to take up again at this place, ? shows the
keys. Where the input is no terminal, each of them is a line.

A Python counterpart that fails is shown. Only the runs in Rust count for the
exit status: 0 when all succeeded, 1 when one failed.

Examples:
  cargo xtask lesson 1 3                      two lessons, by number
  cargo xtask lesson threads spawn panic      two steps of one lesson
  cargo xtask lesson --step --from pool map   for a class, from a step on
";

#[derive(Default)]
struct Args {
    words: Vec<String>,
    flags: BTreeSet<String>,
    from: Vec<String>,
}

/// Plays the course, or what is wanted of it.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let args = Args::parse(arguments)?;
    let course = Course::here()?;
    let mut screen = Screen::stdout(args.has("plain"));
    if args.has("list") {
        return list(&mut screen, &course);
    }
    let mut scenes = playlist::scenes(&course, &args.words)?;
    playlist::begin_at(&mut scenes, &course, &args.from)?;
    let python = args.has("python").then(Python::find).transpose();
    if let Err(reason) = &python {
        screen.paragraph(&format!("The Python counterparts are left out: {reason}."))?;
    }
    let mut player = Player {
        course: &course,
        scenes: &scenes,
        place: 0,
        python: python.unwrap_or_default(),
        keyboard: args.has("step").then(Keyboard::open).transpose()?,
        timeline: args.has("timeline"),
        screen,
        programs: Programs::default(),
        runs: BTreeMap::new(),
        shown: None,
        resume: None,
    };
    let (ending, time) = timed(|| player.play());
    // What is still being built is not needed any more.
    process_group::end_all();
    let (screen, runs) = (&mut player.screen, &player.runs);
    let is_good = runs.values().all(Option::is_none);
    let told = ending.and_then(|()| {
        let end = if runs.len() == 1 { "" } else { "s" };
        let count = format!("{} step{end}, {} in all.", runs.len(), readable_time(time));
        screen.blank()?;
        if is_good {
            screen.line(&format!("{count} Everything worked."))?;
        } else {
            screen.failure(&format!("{count} Failed:"))?;
        }
        for (step, failure) in runs {
            let line = |reason| screen.line(&format!("- {step}: {reason}"));
            failure.as_ref().map_or(Ok(()), line)?;
        }
        player.resume.iter().try_for_each(|from| {
            screen.blank()?;
            screen.command("To take up again here:", &args.resuming(from))
        })
    });
    task::verdict(told.map_err(Into::into), is_good)
}

fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<ExitCode> {
    for lesson in &course.lessons {
        let about = format!("{} minutes: {}", lesson.minutes, lesson.title);
        screen.heading(&format!("{} {}, {about}", lesson.number, lesson.name))?;
        let sections = lesson.readme()?.sections;
        for step in sections.iter().filter(|section| section.step.is_some()) {
            screen.line(&format!("    {}", visible(&step.heading)))?;
        }
        screen.blank()?;
    }
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let count = course.lessons.len();
    screen.line(&format!("{count} lessons, {minutes} minutes in all."))?;
    screen.line("`cargo xtask lesson LESSON STEP` plays a step, `cargo xtask lesson` all.")?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn parse(mut arguments: Parser) -> anyhow::Result<Self> {
        let mut args = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long(flag @ ("list" | "plain" | "python" | "step" | "timeline")) => {
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

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// Returns the command that goes on where the playing was ended.
    fn resuming(&self, from: &str) -> String {
        let mut words = vec!["cargo xtask lesson".to_owned()];
        words.extend(self.words.iter().cloned());
        words.extend(self.flags.iter().map(|flag| format!("--{flag}")));
        words.extend((!from.is_empty()).then(|| format!("--from {from}")));
        words.join(" ")
    }
}
