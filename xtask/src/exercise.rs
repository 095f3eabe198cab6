use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use crate::screen::Screen;
use crate::task::{self, ignore_broken_pipe};
use course::build::Program;
use course::document::{Document, Section};
use course::gap;
use course::misuse::Misuse;
use course::run::{self, End, Line};
use course::source::{put, text_of};
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask exercise [EXERCISE] [OPTIONS]

Each lesson has an exercise: a program with a gap that you fill in. EXERCISE is the
name or number of the lesson, as in `cargo xtask exercise pool`: this says what to
do, and runs the checks. Without EXERCISE, it lists all exercises and your progress.

Options:
  --hint      show a hint; the next time, the next one
  --solution  show the solution
  --plain     80 columns, no colour: the default without a terminal or with NO_COLOR
";

/// The timeout of all checks together. Each check has its own timeout, far below this.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The task `exercise`: lists the exercises, or runs the checks of one, or shows a hint or the solution.
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
            let message = "give an exercise, as in `cargo xtask exercise pool --hint`";
            return Err(Misuse(message.to_owned()).into());
        }
        list(&mut screen, &course)?;
        return Ok(ExitCode::SUCCESS);
    };
    let exercise = Exercise::read(&course, course.lesson(&name)?)?;
    if hint {
        exercise.show_next_hint(&mut screen)?;
    } else if solution {
        exercise.show_solution(&mut screen)?;
    } else {
        return exercise.check(&mut screen);
    }
    Ok(ExitCode::SUCCESS)
}

const TASK: &str = "exercise/task.md";

/// Lists the exercises with your progress.
fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<()> {
    screen.heading("Exercises")?;
    let width = course.names().map(str::len).max().unwrap_or(0);
    let (mut solved, mut count) = (0, 0);
    let has_exercise = |lesson: &&Lesson| lesson.folder.join(TASK).is_file();
    for lesson in course.lessons.iter().filter(has_exercise) {
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

/// The exercise of a lesson, and your progress.
struct Exercise<'a> {
    course: &'a Course,
    lesson: &'a Lesson,
    /// What to do, the hints, and what to try next.
    task: Document,
    /// The path of the program with the gap, relative to the root of the checkout.
    program: String,
    /// Stores how many hints were shown.
    hints_file: PathBuf,
    /// Stores the program that passed the checks.
    solved_file: PathBuf,
}

impl<'a> Exercise<'a> {
    /// Reads the task. The progress is in Cargo's target folder.
    fn read(course: &'a Course, lesson: &'a Lesson) -> anyhow::Result<Self> {
        let name = &lesson.name;
        let task = text_of(&lesson.folder.join(TASK));
        let task = task.with_context(|| format!("lesson {name} has no exercise"))?;
        let program = lesson.folder.strip_prefix(&course.root)?;
        let program = program.join("exercise/main.rs");
        let progress = course.target_folder.join("exercises");
        Ok(Self {
            course,
            lesson,
            task: Document::parse(&task),
            program: program.display().to_string(),
            hints_file: progress.join(format!("{name}.hints")),
            solved_file: progress.join(format!("{name}.solved")),
        })
    }

    /// Returns the hints, or else the other sections.
    fn sections(&self, hints: bool) -> Vec<&Section> {
        let sections = self.task.sections.iter();
        let is_wanted = |section: &&Section| section.heading.starts_with("Hint ") == hints;
        sections.filter(is_wanted).collect()
    }

    /// Returns how many hints were shown.
    fn shown_hints(&self) -> usize {
        let number = fs::read_to_string(&self.hints_file).unwrap_or_default();
        number.trim().parse().unwrap_or(0)
    }

    /// Returns `solved` if the program passed the checks as it is now, `untouched` if the gap is marked, or
    /// else `begun`.
    fn state(&self) -> anyhow::Result<&'static str> {
        let program = text_of(&self.course.root.join(&self.program))?;
        Ok(match fs::read_to_string(&self.solved_file) {
            Ok(solved) if solved == program => "solved",
            _ if gap::is_marked(&program) => "untouched",
            _ => "begun",
        })
    }

    /// Says what to do, runs the checks and shows what is still wrong, even if the output is closed.
    fn check(&self, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        ignore_broken_pipe(self.introduce(screen))?;
        // Read before the build, so that it's the program that the checks run.
        let source = text_of(&self.course.root.join(&self.program))?;
        let name = &self.lesson.name;
        let example = format!("{name}-exercise");
        let built = Program::build(&self.course.root, name, ["--example", &example], |doing| {
            ignore_broken_pipe(screen.status("Building the exercise", doing))
        });
        ignore_broken_pipe(screen.end_status())?;
        let program = match built {
            Ok(program) => program,
            Err(errors) => {
                let why = "The program does not build yet. Cargo's errors:";
                ignore_broken_pipe(self.show_failure(screen, why, &errors))?;
                return Ok(ExitCode::FAILURE);
            }
        };
        let command = format!("cargo run -q -p {name} --example {example}");
        ignore_broken_pipe(screen.command("Run now:", &command))?;
        let end = run::run(program.command(), TIMEOUT, |line| {
            let (Line::Output(text) | Line::Error(text)) = line;
            ignore_broken_pipe(screen.output(&text))
        })?;
        ignore_broken_pipe(screen.blank())?;
        let is_solved = end.is_success();
        let shown = if is_solved {
            put(&self.solved_file, source.as_bytes())?;
            put(&self.hints_file, b"0")?;
            self.show_success(screen)
        } else {
            let why = match end {
                // The checks have printed the reason.
                End::Finished(status) if status.code() == Some(1) => "Not solved yet.".to_owned(),
                end => format!("Not solved yet: {end}."),
            };
            self.show_failure(screen, &why, "")
        };
        task::verdict(shown.map_err(Into::into), is_solved)
    }

    fn introduce(&self, screen: &mut Screen) -> io::Result<()> {
        let Lesson { number, name, .. } = self.lesson;
        let place = format!("Exercise of lesson {number}, {name}");
        screen.heading(&format!("{place}: {}", self.task.title))?;
        screen.blocks(&self.task.opening)?;
        screen.paragraph(&format!("Your file: {}", self.program))
    }

    fn show_failure(&self, screen: &mut Screen, why: &str, errors: &str) -> io::Result<()> {
        screen.failure(why)?;
        if !errors.is_empty() {
            screen.code("", "", errors)?;
        }
        self.offer_hint(screen)
    }

    fn show_success(&self, screen: &mut Screen) -> io::Result<()> {
        screen.heading("Solved: all checks passed.")?;
        for section in self.sections(false) {
            screen.blocks(&section.blocks)?;
        }
        if let Some(command) = gap::restoring(&self.course.root, Path::new(&self.program)) {
            screen.line(&format!("To restore the gap:\n    {command}"))?;
        }
        let mut lessons = self.course.lessons.iter();
        match lessons.find(|lesson| lesson.number > self.lesson.number) {
            Some(next) => screen.line(&format!("Next: `cargo xtask lesson {}`", next.name)),
            None => Ok(()),
        }
    }

    fn offer_hint(&self, screen: &mut Screen) -> io::Result<()> {
        let name = &self.lesson.name;
        let left = self.sections(true).len().saturating_sub(self.shown_hints());
        let (next, option) = [("solution", "solution"), ("next", "hint")][left.min(1)];
        let command = format!("cargo xtask exercise {name} --{option}");
        screen.line(&format!("Hints left: {left}. The {next}: `{command}`"))
    }

    /// Shows the next hint, or the last one again.
    fn show_next_hint(&self, screen: &mut Screen) -> anyhow::Result<()> {
        let hints = self.sections(true);
        let number = (self.shown_hints() + 1).min(hints.len());
        let hint = number.checked_sub(1).map(|index| hints[index]);
        let hint = hint.context("there are no hints")?;
        screen.heading(&format!("Hint {number} of {}", hints.len()))?;
        screen.blocks(&hint.blocks)?;
        put(&self.hints_file, number.to_string().as_bytes())?;
        Ok(self.offer_hint(screen)?)
    }

    fn show_solution(&self, screen: &mut Screen) -> anyhow::Result<()> {
        let name = &self.lesson.name;
        let path = self.program.replace("main.rs", "solution/main.rs");
        screen.code(&path, "rust", &text_of(&self.course.root.join(&path))?)?;
        let command = format!("cargo run -q -p {name} --example {name}-solution");
        Ok(screen.line(&format!("Run it with `{command}`."))?)
    }
}
