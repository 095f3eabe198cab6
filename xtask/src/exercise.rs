use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;
use lexopt::{Arg, Parser, ValueExt};

use crate::gap;
use crate::screen::Screen;
use crate::task::though_unread;
use course::build::{Build, Program};
use course::document::{Document, Section};
use course::misuse::Misuse;
use course::run::{self, End, Line};
use course::source::{put, text_of};
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask exercise [EXERCISE] [OPTIONS]

Each lesson has an exercise: a program with a gap that you fill in. Name it by the
name or number of its lesson: you are told what to do, and the checks run. Without
a name, lists all exercises and your progress.

Options:
  --hint      show the next hint
  --solution  show the solution
  --plain     plain text of 80 columns without colour; the default when the output
              is not a terminal or NO_COLOR is set

Examples:
  cargo xtask exercise              which exercises there are
  cargo xtask exercise pool         what to do, and what is still wrong
  cargo xtask exercise pool --hint  a hint; the next time, the next one
";

/// The limit for all checks together: each of them has a limit of its own, far below this.
const LIMIT: Duration = Duration::from_mins(10);

/// The task `exercise`: lists the exercises, or runs the checks of one, or helps with it.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let (mut name, mut hint, mut solution, mut plain) = (None, false, false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("hint") => hint = true,
            Arg::Long("solution") => solution = true,
            Arg::Long("plain") => plain = true,
            Arg::Value(word) if name.is_none() => name = Some(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(plain);
    let Some(name) = name else {
        if hint || solution {
            let message = "name the exercise, as in `cargo xtask exercise pool --hint`";
            return Err(Misuse(message.to_owned()).into());
        }
        return list(&mut screen, &course);
    };
    let exercise = Exercise::read(&course, course.lesson(&name)?, &course.target_folder())?;
    if hint {
        exercise.show_next_hint(&mut screen)
    } else if solution {
        exercise.show_solution(&mut screen)
    } else {
        exercise.check(&mut screen)
    }
}

/// Lists the exercises with your progress.
fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<ExitCode> {
    screen.heading("Exercises")?;
    let target = course.target_folder();
    let width = course.names().map(str::len).max().unwrap_or(0);
    let (mut solved, mut count) = (0, 0);
    for lesson in &course.lessons {
        if !lesson.folder.join(TASK).is_file() {
            continue;
        }
        let exercise = Exercise::read(course, lesson, &target)?;
        let state = exercise.state()?;
        count += 1;
        solved += usize::from(state == "solved");
        let (number, name, title) = (lesson.number, &lesson.name, &exercise.task.title);
        screen.line(&format!("{number} {name:<width$}  {state:<9}  {title}"))?;
    }
    screen.blank()?;
    screen.line(&format!("{solved} of {count} solved."))?;
    screen.line("`cargo xtask exercise EXERCISE` says what to do and runs the checks.")?;
    Ok(ExitCode::SUCCESS)
}

/// What to do, the hints, and what to try next.
const TASK: &str = "exercise/task.md";
/// The program with the gap.
const PROGRAM: &str = "exercise/main.rs";
const SOLUTION: &str = "exercise/solution/main.rs";

/// The exercise of a lesson, and your progress.
struct Exercise<'a> {
    course: &'a Course,
    lesson: &'a Lesson,
    task: Document,
    /// Keeps how many hints were shown.
    hints_file: PathBuf,
    /// Keeps the program that passed the checks.
    solved_file: PathBuf,
}

impl<'a> Exercise<'a> {
    /// Reads the task, and finds the progress in the folder that Cargo builds into.
    fn read(course: &'a Course, lesson: &'a Lesson, target: &Path) -> anyhow::Result<Self> {
        let path = lesson.folder.join(TASK);
        let name = &lesson.name;
        ensure!(
            path.is_file(),
            "lesson {name} has no exercise: there is no {}",
            path.display()
        );
        let progress = target.join("exercises");
        let exercise = Self {
            course,
            lesson,
            task: Document::parse(&text_of(&path)?),
            hints_file: progress.join(format!("{name}.hints")),
            solved_file: progress.join(format!("{name}.solved")),
        };
        let has_hints = !exercise.hints().is_empty();
        ensure!(has_hints, "{} has no section `## Hint 1`", path.display());
        Ok(exercise)
    }

    fn hints(&self) -> Vec<&Section> {
        let sections = self.task.sections.iter();
        sections.filter(|section| is_hint(section)).collect()
    }

    /// Returns how many hints were shown.
    fn shown_hints(&self) -> usize {
        let number = fs::read_to_string(&self.hints_file).unwrap_or_default();
        number.trim().parse().unwrap_or(0)
    }

    /// Returns how far the program is: solved as it is now, untouched while the gap is marked, or
    /// else begun.
    fn state(&self) -> anyhow::Result<&'static str> {
        let program = text_of(&self.lesson.folder.join(PROGRAM))?;
        Ok(match fs::read_to_string(&self.solved_file) {
            Ok(solved) if solved == program => "solved",
            _ if gap::is_marked(&program) => "untouched",
            _ => "begun",
        })
    }

    /// Returns the path of one of the files as you would type it in the checkout.
    fn path(&self, file: &str) -> String {
        let path = self.lesson.folder.join(file);
        let path = path.strip_prefix(&self.course.root).unwrap_or(&path);
        path.display().to_string()
    }

    /// Says what to do, runs the checks and shows what is still wrong. A reader of the output that
    /// goes away doesn't stop that.
    fn check(&self, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        though_unread(self.introduce(screen))?;
        // Read before the build, so that it is what the checks see.
        let source = text_of(&self.lesson.folder.join(PROGRAM))?;
        let name = &self.lesson.name;
        let example = format!("{name}-exercise");
        let built = Program::build_exercise(&self.course.root, name, &example, |doing| {
            though_unread(screen.status("Building the exercise", doing))
        })?;
        though_unread(screen.end_status())?;
        let program = match built {
            Build::Done(program) => program,
            Build::Failed(said) => {
                let why = "The program does not build yet. Cargo says:";
                though_unread(self.show_failure(screen, why, &said))?;
                return Ok(ExitCode::FAILURE);
            }
        };
        let command = format!("$ cargo run -q -p {name} --example {example}");
        though_unread(screen.command("Run now:", &command))?;
        let end = run::run(program.command(), LIMIT, |line| {
            let (Line::Output(text) | Line::Error(text)) = line;
            though_unread(screen.output(&text))
        })?;
        though_unread(screen.blank())?;
        if !end.is_success() {
            let why = match end {
                // The checks have said why.
                End::Finished(status) if status.code() == Some(1) => "Not solved yet.".to_owned(),
                end => format!("Not solved yet: {end}."),
            };
            though_unread(self.show_failure(screen, &why, ""))?;
            return Ok(ExitCode::FAILURE);
        }
        put(&self.solved_file, source.as_bytes())?;
        put(&self.hints_file, b"0")?;
        though_unread(self.show_success(screen))?;
        Ok(ExitCode::SUCCESS)
    }

    fn introduce(&self, screen: &mut Screen) -> io::Result<()> {
        let Lesson { number, name, .. } = self.lesson;
        let place = format!("Exercise of lesson {number}, {name}");
        screen.heading(&format!("{place}: {}", self.task.title))?;
        screen.blocks(&self.task.opening)?;
        screen.paragraph(&format!("Your file: {}", self.path(PROGRAM)))
    }

    fn show_failure(&self, screen: &mut Screen, why: &str, said: &str) -> io::Result<()> {
        screen.failure(why)?;
        if !said.is_empty() {
            screen.code("", "", said)?;
        }
        self.offer_hint(screen)
    }

    fn show_success(&self, screen: &mut Screen) -> io::Result<()> {
        screen.heading("Solved: all checks passed.")?;
        let sections = self.task.sections.iter();
        for section in sections.filter(|section| !is_hint(section)) {
            screen.blocks(&section.blocks)?;
        }
        let program = self.path(PROGRAM);
        if let Some(command) = gap::restoring(&self.course.root, Path::new(&program)) {
            screen.line("To get the gap back:")?;
            screen.line(&format!("    {command}"))?;
        }
        let mut lessons = self.course.lessons.iter();
        if let Some(next) = lessons.find(|lesson| lesson.number > self.lesson.number) {
            screen.line(&format!("Next: `cargo xtask lesson {}`", next.name))?;
        }
        Ok(())
    }

    fn offer_hint(&self, screen: &mut Screen) -> io::Result<()> {
        let name = &self.lesson.name;
        let left = self.hints().len().saturating_sub(self.shown_hints());
        screen.line(&match left {
            0 => format!(
                "There are no more hints. The solution: `cargo xtask exercise {name} --solution`"
            ),
            _ => format!("Hints left: {left}. The next: `cargo xtask exercise {name} --hint`"),
        })
    }

    /// Shows the next hint; after the last one, that again.
    fn show_next_hint(&self, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        let hints = self.hints();
        let number = (self.shown_hints() + 1).min(hints.len());
        screen.heading(&format!("Hint {number} of {}", hints.len()))?;
        screen.blocks(&hints[number - 1].blocks)?;
        put(&self.hints_file, number.to_string().as_bytes())?;
        self.offer_hint(screen)?;
        Ok(ExitCode::SUCCESS)
    }

    fn show_solution(&self, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        let solution = text_of(&self.lesson.folder.join(SOLUTION))?;
        screen.code(&self.path(SOLUTION), "rust", &solution)?;
        let name = &self.lesson.name;
        let command = format!("cargo run -q -p {name} --example {name}-solution");
        screen.line(&format!("Run it with `{command}`."))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn is_hint(section: &Section) -> bool {
    section.heading.starts_with("Hint ")
}
