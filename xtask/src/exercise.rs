//! The task `exercise`: lists the exercises, or checks your solution of one.

mod assignment;
mod attempt;
mod watch;

use std::io;
use std::process::ExitCode;

use anyhow::ensure;
use lexopt::{Arg, Parser, ValueExt};

use self::assignment::{Exercise, Part, has_exercise};
use crate::keys::Keyboard;
use crate::screen::Screen;
use crate::task;
use course::misuse::Misuse;
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask exercise [EXERCISE] [OPTIONS]

Each lesson has an exercise: a program with a gap that you fill in. EXERCISE is the
name or number of the lesson, as in `cargo xtask exercise pool`: this says what to
do, and runs the checks. Without EXERCISE, it lists all exercises and your progress.

Options:
  --watch     stay, and run the checks at every save; keys show the task, a hint,
              after success the solution, and go to the next exercise
  --hint      show a hint; the next time, the next one below it
  --solution  show the solution
  --plain     80 columns, no colour: the default without a terminal or with NO_COLOR
";

/// The task `exercise`: lists the exercises, or runs the checks of one, or shows a hint or the solution.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let (mut name, mut wanted, mut plain) = (None, Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long(option @ ("hint" | "solution" | "watch")) => wanted.push(option.to_owned()),
            Arg::Long("plain") => plain = true,
            Arg::Value(word) if name.is_none() => name = Some(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(plain);
    let misuse = |message: &str| Misuse(message.to_owned());
    let Some(name) = name else {
        let message = "give an exercise, as in `cargo xtask exercise pool --hint`";
        ensure!(wanted.is_empty(), misuse(message));
        list(&mut screen, &course)?;
        return Ok(ExitCode::SUCCESS);
    };
    let message = "--watch, --hint and --solution are different things to do: give one of them";
    ensure!(wanted.len() <= 1, misuse(message));
    let mut exercise = Exercise::read(&course, course.lesson(&name)?)?;
    match wanted.first().map(String::as_str) {
        Some("watch") => {
            let message = "--watch needs a terminal: without --watch, the checks run once";
            let keyboard = Keyboard::open(!screen.is_plain())?;
            let keyboard = keyboard.ok_or_else(|| misuse(message))?;
            return watch::watch(exercise, &mut screen, keyboard);
        }
        Some("hint") => exercise.show_next_hint(&mut screen)?,
        Some(_) => exercise.show(&mut screen, Part::Solution)?,
        None => return exercise.check(&mut screen),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns whether a lesson has an exercise that isn't solved.
pub(crate) fn is_open(course: &Course, lesson: &Lesson) -> bool {
    let state = Exercise::read(course, lesson).and_then(|exercise| exercise.state());
    state.is_ok_and(|state| state != "solved")
}

/// Goes on with the exercise of a lesson: watches it on a terminal, and elsewhere runs its checks.
pub(crate) fn go_on(
    course: &Course,
    lesson: &Lesson,
    screen: &mut Screen,
    waits: bool,
) -> anyhow::Result<ExitCode> {
    let mut exercise = Exercise::read(course, lesson)?;
    let keyboard = waits.then(|| Keyboard::open(!screen.is_plain()));
    match keyboard.transpose()?.flatten() {
        Some(keyboard) => watch::watch(exercise, screen, keyboard),
        None => exercise.check(screen),
    }
}

/// Lists the exercises with your progress.
fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<()> {
    screen.heading("Exercises")?;
    let width = course.names().map(str::len).max().unwrap_or(0);
    let (mut solved, mut count) = (0, 0);
    for lesson in course.lessons.iter().filter(|it| has_exercise(it)) {
        let exercise = Exercise::read(course, lesson)?;
        let state = exercise.state()?;
        count += 1;
        solved += usize::from(state == "solved");
        let (number, name, title) = (lesson.number, &lesson.name, &exercise.task.title);
        screen.line(&format!("{number} {name:<width$}  {state:<9}  {title}"))?;
    }
    screen.blank()?;
    screen.line(&format!("{solved} of {count} solved."))?;
    Ok(screen.line("`cargo xtask exercise EXERCISE` says what to do and runs the checks.")?)
}

impl Exercise<'_> {
    /// Says what to do, runs the checks and shows what is still wrong, even if the output is closed.
    fn check(&mut self, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        self.note("exercise", "");
        let shown = self.show(screen, Part::Task);
        task::verdict(shown, true)?;
        let is_solved = self.attempt(screen)?;
        let shown = match self.later().next() {
            _ if !is_solved => self.offer_hint(screen),
            Some(next) => screen.line(&format!("Next: `cargo xtask lesson {}`", next.name)),
            None => Ok(()),
        };
        task::verdict(shown.map_err(Into::into), is_solved)
    }

    fn show(&self, screen: &mut Screen, part: Part) -> anyhow::Result<()> {
        let (title, blocks) = self.part(screen, part)?;
        screen.heading(&title)?;
        Ok(screen.lines(&blocks.concat())?)
    }

    fn offer_hint(&self, screen: &mut Screen) -> io::Result<()> {
        let left = self.sections(true).len().saturating_sub(self.shown_hints());
        let (next, option) = [("solution", "solution"), ("next", "hint")][left.min(1)];
        let command = format!("cargo xtask exercise {} --{option}", self.lesson.name);
        screen.line(&format!("Hints left: {left}. The {next}: `{command}`"))
    }

    /// Shows the next hint below the earlier ones, or the last one again.
    fn show_next_hint(&mut self, screen: &mut Screen) -> anyhow::Result<()> {
        let number = self.next_hint();
        ensure!(number > 0, "there are no hints");
        self.show(screen, Part::Hints(number))?;
        self.note("hint", &number.to_string());
        Ok(self.offer_hint(screen)?)
    }
}
