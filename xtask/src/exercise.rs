mod progress;
mod sheet;

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use self::progress::Progress;
use self::sheet::Sheet;
use crate::gap;
use crate::screen::Screen;
use crate::task::{self, though_unread};
use course::build::{Build, Program};
use course::misuse::Misuse;
use course::run::{self, Line};
use course::{Course, Lesson};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask exercise [EXERCISE] [OPTIONS]

Each lesson has an exercise: a program with a gap to fill. It is given by the name
or the number of its lesson. Without one, all are listed, with how far you are.
With one, you are told what to do, and the program's checks are run.

Options:
  --hint [N]  give the next hint, or hint N
  --solution  show the solution
  --plain     plain text of 80 columns without colour, as it is when the
              output is no terminal or NO_COLOR is set

Examples:
  cargo xtask exercise              which ones there are
  cargo xtask exercise pool         what to do, and what is still wrong
  cargo xtask exercise pool --hint  a hint; once more: the next one
";

/// All checks together may not take longer: each has a limit of its own, so they do not.
const LIMIT: Duration = Duration::from_mins(10);

/// What is wanted of an exercise.
enum Wish {
    Check,
    Hint(Option<usize>),
    Solution,
}

/// The task `exercise`: lists the exercises, or runs the checks of one, or helps with it.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut exercise = None;
    let mut wish = Wish::Check;
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            Arg::Long("solution") => wish = Wish::Solution,
            Arg::Long("hint") => wish = Wish::Hint(hint_number(&mut arguments)?),
            Arg::Value(word) if exercise.is_none() => exercise = Some(word.string()?),
            Arg::Value(word) => {
                let word = word.to_string_lossy();
                let message = format!("one exercise at a time: what is `{word}` to be?");
                return Err(Misuse(message).into());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(plain);
    let Some(exercise) = exercise else {
        if !matches!(wish, Wish::Check) {
            let message = "name the exercise, such as `cargo xtask exercise pool --hint`";
            return Err(Misuse(message.to_owned()).into());
        }
        return list(&mut screen, &course);
    };
    let lesson = course.lesson(&exercise)?;
    let sheet = Sheet::read(lesson)?.with_context(|| {
        let path = sheet::path(lesson);
        format!(
            "lesson {} has no exercise: there is no {}",
            lesson.name,
            path.display()
        )
    })?;
    match wish {
        Wish::Check => check(&mut screen, &course, lesson, &sheet),
        Wish::Hint(number) => hint(&mut screen, &course, lesson, &sheet, number),
        Wish::Solution => solution(&mut screen, &course, lesson),
    }
}

/// Takes the number that may follow `--hint`.
fn hint_number(arguments: &mut Parser) -> anyhow::Result<Option<usize>> {
    if let Some(value) = arguments.optional_value() {
        return Ok(Some(value.parse()?));
    }
    let Some(mut rest) = arguments.try_raw_args() else {
        return Ok(None);
    };
    let next = rest.peek().and_then(|word| word.to_str());
    let number = next.and_then(|word| word.parse().ok());
    if number.is_some() {
        rest.next();
    }
    Ok(number)
}

/// Lists the exercises, and how far each is.
fn list(screen: &mut Screen, course: &Course) -> anyhow::Result<ExitCode> {
    screen.heading("Exercises")?;
    let width = course.names().map(str::len).max().unwrap_or(0);
    let mut solved = 0;
    let mut count = 0;
    for lesson in &course.lessons {
        let Some(sheet) = Sheet::read(lesson)? else {
            continue;
        };
        let state = Progress::read(course, lesson).state(&sheet::program(lesson))?;
        count += 1;
        solved += usize::from(state == progress::State::Solved);
        let (number, name) = (lesson.number, &lesson.name);
        let state = state.word();
        screen.line(&format!(
            "{number} {name:<width$}  {state:<9}  {}",
            sheet.title
        ))?;
    }
    screen.blank()?;
    screen.line(&format!("{solved} of {count} solved."))?;
    screen.line("`cargo xtask exercise EXERCISE` says what to do, and runs the checks.")?;
    Ok(ExitCode::SUCCESS)
}

/// Says what to do, runs the checks and tells what is still wrong.
fn check(
    screen: &mut Screen,
    course: &Course,
    lesson: &Lesson,
    sheet: &Sheet,
) -> anyhow::Result<ExitCode> {
    let name = &lesson.name;
    let source = sheet::program(lesson);
    though_unread(introduce(screen, course, lesson, sheet))?;

    // Remembered before the build: what is checked is what stood there then.
    let mut progress = Progress::read(course, lesson);
    let text = progress::fingerprint(&source)?;
    let example = format!("{name}-exercise");
    let built = Program::build_exercise(&course.root, name, &example, |doing| {
        though_unread(screen.status("Building the exercise", doing))
    })?;
    though_unread(screen.end_status())?;
    let program = match built {
        Build::Done(program) => program,
        Build::Failed(said) => {
            let told = screen
                .failure("The program does not build yet. Cargo says:")
                .and_then(|()| screen.code("", "", &said))
                .and_then(|()| offer_hint(screen, lesson, &progress, sheet));
            return task::verdict(told.map_err(Into::into), false);
        }
    };
    though_unread(screen.command(
        "Run now:",
        &format!("$ cargo run -q -p {name} --example {example}"),
    ))?;
    let end = run_checks(screen, program.command())?;
    let is_solved = end.is_success();
    if is_solved {
        progress.solve(text);
        progress.write()?;
    }
    let told = screen.blank().and_then(|()| match end {
        _ if is_solved => tell_solved(screen, course, lesson, sheet),
        run::End::Finished(status) if status.code() == Some(1) => {
            screen.failure("Not solved yet.")?;
            offer_hint(screen, lesson, &progress, sheet)
        }
        end => {
            screen.failure(&format!("Not solved yet: {end}."))?;
            offer_hint(screen, lesson, &progress, sheet)
        }
    });
    task::verdict(told.map_err(Into::into), is_solved)
}

/// Says what is to be done, and where.
fn introduce(
    screen: &mut Screen,
    course: &Course,
    lesson: &Lesson,
    sheet: &Sheet,
) -> io::Result<()> {
    let place = format!("Exercise of lesson {}, {}", lesson.number, lesson.name);
    screen.title(&place, &sheet.title)?;
    screen.blocks(&sheet.text)?;
    let source = shown(course, &sheet::program(lesson));
    screen.remark(&format!("Your file: {source}"))
}

/// Says what can be done next.
fn tell_solved(
    screen: &mut Screen,
    course: &Course,
    lesson: &Lesson,
    sheet: &Sheet,
) -> io::Result<()> {
    screen.heading("Solved: all checks passed.")?;
    screen.blocks(&sheet.next)?;
    let source = shown(course, &sheet::program(lesson));
    if let Some(command) = gap::restoring(&course.root, Path::new(&source)) {
        screen.line("To have the exercise again as it was:")?;
        screen.line(&format!("    {command}"))?;
    }
    if let Some(after) = course.lessons.iter().find(|l| l.number > lesson.number) {
        screen.line(&format!("Next: `cargo xtask lesson {}`", after.name))?;
    }
    Ok(())
}

fn run_checks(screen: &mut Screen, command: Command) -> io::Result<run::End> {
    run::run(command, LIMIT, |line| {
        though_unread(match line {
            Line::Output(text) => screen.output(&text),
            Line::Error(text) => screen.output(&format!("(stderr) {text}")),
        })
    })
}

fn offer_hint(
    screen: &mut Screen,
    lesson: &Lesson,
    progress: &Progress,
    sheet: &Sheet,
) -> io::Result<()> {
    let name = &lesson.name;
    let left = sheet.hints.len().saturating_sub(progress.hints);
    let line = match left {
        0 => format!("All hints are given. The solution: `cargo xtask exercise {name} --solution`"),
        1 => format!("There is one more hint: `cargo xtask exercise {name} --hint`"),
        _ => format!("There are {left} hints left: `cargo xtask exercise {name} --hint`"),
    };
    screen.line(&line)
}

/// Gives the hint of that number, or the next one.
fn hint(
    screen: &mut Screen,
    course: &Course,
    lesson: &Lesson,
    sheet: &Sheet,
    number: Option<usize>,
) -> anyhow::Result<ExitCode> {
    let count = sheet.hints.len();
    let mut progress = Progress::read(course, lesson);
    // After the last one it is given again.
    let number = number.unwrap_or((progress.hints + 1).min(count));
    let hint = number
        .checked_sub(1)
        .and_then(|index| sheet.hints.get(index));
    let hint = hint.ok_or_else(|| {
        Misuse(format!(
            "there is no hint {number}: the exercise {} has hints 1 to {count}",
            lesson.name
        ))
    })?;
    screen.heading(&format!("Hint {number} of {count}"))?;
    screen.blocks(hint)?;
    if number > progress.hints {
        progress.hints = number;
        progress.write()?;
    }
    offer_hint(screen, lesson, &progress, sheet)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the solution, where it is, and how it is run.
fn solution(screen: &mut Screen, course: &Course, lesson: &Lesson) -> anyhow::Result<ExitCode> {
    let path = sheet::solution(lesson);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    screen.code(&shown(course, &path), "rust", &text)?;
    let name = &lesson.name;
    screen.line(&format!(
        "It runs with `cargo run -q -p {name} --example {name}-solution`."
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Gives a path as it is typed in the root of the checkout.
fn shown(course: &Course, path: &Path) -> String {
    let path = path.strip_prefix(&course.root).unwrap_or(path);
    path.display().to_string()
}
