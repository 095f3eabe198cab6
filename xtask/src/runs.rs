mod histogram;
mod mask;
mod race;
mod repeat;
mod transcripts;

use std::io;
use std::process::{Command, ExitCode};

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use self::mask::Masks;
use self::repeat::{Ran, Repeated};
use crate::screen::Screen;
use crate::table;
use course::build::{Build, Program};
use course::document::Section;
use course::interruption::Delay;
use course::misuse::Misuse;
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask runs LESSON STEP [-n TIMES] [OPTIONS]

Runs a step many times and counts how it comes out. Where the step has a race
that can be replayed, it is that race which is run, and for each outcome you
get a schedule that leads to it, the same every time. Otherwise it is what the
step prints, apart from process ids and times.

Options:
  -n TIMES          how often, 50 times if not given
  --schedule TURNS  run the race of the step by this schedule, such as ABBA
  --output          count what the step prints, even if it has a race
  --plain           plain text of 80 columns without colour or progress bar, as
                    it is when the output is no terminal or NO_COLOR is set

Ctrl-C ends the running, and shows what was counted until then.

Examples:
  cargo xtask runs locks race -n 200
  cargo xtask runs locks race --schedule ABBBBAAA -n 100
  cargo xtask runs threads three-workers
";

const TIMES: usize = 50;

const MOST_TIMES: usize = 1_000_000;

/// What is asked for.
struct Wish {
    lesson: String,
    step: String,
    times: usize,
    schedule: Option<String>,
    output: bool,
    plain: bool,
}

/// What is being counted, and where it is shown.
struct Counting<'a> {
    screen: &'a mut Screen<'static>,
    program: Program,
    lesson: &'a Lesson,
    step: &'a str,
    times: usize,
    /// Whether there is a progress bar.
    progress: bool,
    /// An interruption ends the run that is under way, but not the counting.
    delay: Delay,
}

/// The task `runs`: runs a step many times and counts its outcomes.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let wish = Wish::read(arguments)?;
    let course = Course::here()?;
    let lesson = course.lesson(&wish.lesson)?;
    let readme = lesson.readme()?;
    let section = lesson.step(&readme, &wish.step)?;
    let mut screen = Screen::stdout(wish.plain);
    let Some(program) = build(&mut screen, &course, lesson)? else {
        return Ok(ExitCode::FAILURE);
    };
    let races = races(&program)?;
    let mut counting = Counting {
        progress: !screen.is_plain(),
        screen: &mut screen,
        program,
        lesson,
        step: &wish.step,
        times: wish.times,
        delay: Delay::begin().context("signals cannot be watched")?,
    };
    let has_race = races.contains(&wish.step);
    if let Some(turns) = &wish.schedule {
        let suitable = counting.must_suit(turns, has_race, &races)?;
        suitable.map_err(Misuse)?;
    }
    counting.title(section)?;
    let worked = match &wish.schedule {
        Some(turns) => race::run_by(&mut counting, turns),
        None if has_race && !wish.output => race::run_free(&mut counting),
        None => transcripts::run(&mut counting, &Masks::of(section)),
    };
    if let Err(interrupted) = counting.delay.look() {
        return Ok(interrupted.end());
    }
    Ok(ExitCode::from(u8::from(!worked?)))
}

/// Builds the lesson's program, saying so while it takes time. Gives nothing when that failed.
fn build(screen: &mut Screen, course: &Course, lesson: &Lesson) -> anyhow::Result<Option<Program>> {
    let name = &lesson.name;
    let built = Program::build(&course.root, name, |doing| {
        screen.status(&format!("Building lesson {name}"), doing)
    });
    screen.end_status()?;
    match built? {
        Build::Done(program) => Ok(Some(program)),
        Build::Failed(said) => {
            screen.failure(&format!("Lesson {name} does not build. Cargo says:"))?;
            screen.code("", "", &said)?;
            Ok(None)
        }
    }
}

impl Wish {
    fn read(mut arguments: Parser) -> anyhow::Result<Self> {
        let mut words = Vec::new();
        let mut wish = Self {
            lesson: String::new(),
            step: String::new(),
            times: TIMES,
            schedule: None,
            output: false,
            plain: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('n') => wish.times = times(&arguments.value()?.string()?)?,
                Arg::Long("schedule") => wish.schedule = Some(arguments.value()?.string()?),
                Arg::Long("output") => wish.output = true,
                Arg::Long("plain") => wish.plain = true,
                Arg::Value(word) => words.push(word.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        if wish.output && wish.schedule.is_some() {
            let message = "either --output or --schedule, not both";
            return Err(Misuse(message.to_owned()).into());
        }
        let [lesson, step] = <[String; 2]>::try_from(words).map_err(|words| {
            let count = words.len();
            Misuse(format!(
                "`runs` needs a lesson and one of its steps, as in `cargo xtask runs locks race`; \
                 it got {count} of these\n`cargo xtask lesson --list` shows the lessons with their steps"
            ))
        })?;
        (wish.lesson, wish.step) = (lesson, step);
        Ok(wish)
    }
}

fn times(word: &str) -> Result<usize, Misuse> {
    let times = word.parse().ok();
    let times = times.filter(|times| (1..=MOST_TIMES).contains(times));
    times.ok_or_else(|| {
        Misuse(format!(
            "`-n {word}`: it must be a number from 1 to {MOST_TIMES}"
        ))
    })
}

/// Asks a lesson's program which of its steps have a race.
fn races(program: &Program) -> anyhow::Result<Vec<String>> {
    let ran = Ran::of(program.step("--races")).context("the lesson cannot be run")?;
    anyhow::ensure!(
        ran.is_success(),
        "the lesson does not tell its races: {}",
        ran.error()
    );
    Ok(ran.output().map(str::to_owned).collect())
}

impl Counting<'_> {
    /// Gives the command for one run of the step.
    fn command(&self, options: &[&str]) -> Command {
        let mut command = self.program.step(self.step);
        command.args(options);
        command
    }

    /// Gives the command as a user would write it.
    fn step_command(&self) -> String {
        course::command(&self.lesson.name, self.step).replacen("$ ", "", 1)
    }

    /// Tries a schedule once, and gives what is wrong with it, if something is.
    fn must_suit(
        &self,
        turns: &str,
        has_race: bool,
        races: &[String],
    ) -> anyhow::Result<Result<(), String>> {
        let (lesson, step) = (&self.lesson.name, self.step);
        if !has_race {
            let others = match races {
                [] => "no step of this lesson has one".to_owned(),
                races => format!("those with one: {}", races.join(", ")),
            };
            return Ok(Err(format!(
                "step {step} of lesson {lesson} has no race to be replayed; {others}"
            )));
        }
        if ["all", "free"].contains(&turns) {
            let command = self.step_command();
            return Ok(Err(format!(
                "`{turns}` is not one schedule\nWithout --schedule the race runs freely; \
                 `{command} --schedule all` goes through all schedules"
            )));
        }
        let ran = Ran::of(self.command(&["--schedule", turns]))?;
        if ran.was_misused() {
            let said = ran.error();
            return Ok(Err(said
                .strip_prefix("error: ")
                .unwrap_or(&said)
                .to_owned()));
        }
        Ok(Ok(()))
    }

    fn title(&mut self, section: &Section) -> io::Result<()> {
        let (lesson, step) = (&self.lesson.name, self.step);
        let words = section.words();
        self.screen
            .heading(&format!("Lesson {lesson}, step {step}: {words}"))
    }

    /// Shows a paragraph.
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.screen.paragraph(text)
    }

    /// Shows rows, the first of which is the heading.
    fn table(&mut self, rows: &[Vec<String>]) -> io::Result<()> {
        for line in table::lines(rows, &[], self.screen.width() - 2) {
            self.screen.line(&format!("  {line}"))?;
        }
        self.screen.blank()
    }

    /// Shows what came between, if something did: a run that failed, or an interruption.
    fn show_end(&mut self, repeated: &Repeated) -> io::Result<()> {
        if let Some((number, ran)) = &repeated.first_failure {
            ran.show_failure(self.screen, &format!("Run {number}"))?;
            let failed = repeated.failed;
            if failed > 1 {
                self.say(&format!("{failed} runs failed; this was the first."))?;
            }
        }
        if repeated.is_interrupted {
            self.say("Interrupted. This is what was counted until then.")?;
        }
        Ok(())
    }
}
