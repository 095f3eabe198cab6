use std::io;
use std::time::Duration;

use support::{readable_time, timed};

use crate::course::{Course, Lesson, command};
use crate::live_run::{self, Line};
use crate::program::{Build, Program};
use crate::readme::{Block, Code, Section};
use crate::screen::Screen;
use crate::selection::{Part, Selected};
use crate::summary::Played;

/// A step that runs longer than this is ended: the whole course takes less than two minutes.
const LIMIT: Duration = Duration::from_mins(1);

/// Plays a lesson, or the steps of it that are wanted, and tells how it went.
///
/// What goes wrong in the lesson is shown, counted in the answer, and does not end the course. An
/// error means that the screen cannot be written to.
pub(crate) fn play<'a>(
    screen: &mut Screen,
    course: &Course,
    selected: &Selected<'a>,
) -> io::Result<Played<'a>> {
    let lesson = selected.lesson;
    let mut played = Played::new(lesson);
    let place = format!("Lesson {} of {}", lesson.number, course.lessons.len());
    screen.title(&place, &lesson.title)?;
    let readme = match lesson.readme() {
        Ok(readme) => readme,
        Err(error) => {
            screen.failure(&format!("This lesson cannot be played: {error:#}"))?;
            played.fail(lesson.name.clone(), "its script cannot be read");
            return Ok(played);
        }
    };
    let Some(program) = build(screen, course, lesson)? else {
        played.fail(lesson.name.clone(), "it does not build");
        return Ok(played);
    };
    match &selected.part {
        Part::Whole => {
            blocks(screen, &readme.opening)?;
            for section in &readme.sections {
                play_section(screen, lesson, &program, section, &mut played)?;
            }
        }
        Part::Steps(steps) => {
            for step in steps {
                let name = Some(step.as_str());
                let mut sections = readme.sections.iter();
                if let Some(section) = sections.find(|section| section.step.as_deref() == name) {
                    play_section(screen, lesson, &program, section, &mut played)?;
                }
            }
        }
    }
    Ok(played)
}

/// Builds the lesson's program, saying so while it takes time. Gives nothing when that failed.
fn build(screen: &mut Screen, course: &Course, lesson: &Lesson) -> io::Result<Option<Program>> {
    let name = &lesson.name;
    let built = Program::build(&course.root, name, |doing| {
        screen.status(&format!("Building lesson {name}"), doing)
    });
    screen.end_status()?;
    let reason = match built {
        Ok(Build::Done(program)) => return Ok(Some(program)),
        Ok(Build::Failed(said)) => said,
        Err(error) => match error.downcast::<io::Error>() {
            Ok(error) => return Err(error),
            Err(error) => format!("{error:#}"),
        },
    };
    screen.failure(&format!("Lesson {name} does not build. Cargo says:"))?;
    screen.code("", &reason)?;
    Ok(None)
}

fn play_section(
    screen: &mut Screen,
    lesson: &Lesson,
    program: &Program,
    section: &Section,
    played: &mut Played,
) -> io::Result<()> {
    // One more empty line: the parts of a lesson are easy to tell apart in plain text too.
    screen.blank()?;
    let Some(step) = &section.step else {
        screen.heading(&section.heading)?;
        return blocks(screen, &section.blocks);
    };
    screen.step(step, section.words())?;
    let command = command(&lesson.name, step);
    let mut has_run = false;
    for shown in &section.blocks {
        match shown {
            // The recorded run gives way to a live one.
            Block::Code(code) if code.is_run_of(&command) => {
                if !has_run {
                    run_step(screen, program, step, &command, played)?;
                }
                has_run = true;
            }
            other => block(screen, other)?,
        }
    }
    if !has_run {
        run_step(screen, program, step, &command, played)?;
    }
    Ok(())
}

fn run_step(
    screen: &mut Screen,
    program: &Program,
    step: &str,
    command: &str,
    played: &mut Played,
) -> io::Result<()> {
    screen.command(command)?;
    let mut screen_error = None;
    let (end, time) = timed(|| {
        live_run::run(program.step(step), LIMIT, |line| {
            let shown = match line {
                Line::Output(text) => screen.output(&text),
                Line::Error(text) => screen.output(&format!("(stderr) {text}")),
            };
            shown.inspect_err(|error| screen_error = Some(error.kind()))
        })
    });
    if let Some(kind) = screen_error {
        return Err(kind.into());
    }
    played.steps += 1;
    screen.blank()?;
    let reason = match end {
        Ok(end) if end.is_success() => {
            return screen.remark(&format!("It took {}.", readable_time(time)));
        }
        Ok(end) => end.to_string(),
        Err(error) => format!("it cannot be run: {error}"),
    };
    screen.failure(&format!("Step {step} failed: {reason}."))?;
    let name = format!("{} {step}", played.lesson.name);
    played.fail(name, &reason);
    Ok(())
}

/// Shows blocks of a script, one after the other.
pub(crate) fn blocks(screen: &mut Screen, blocks: &[Block]) -> io::Result<()> {
    blocks.iter().try_for_each(|shown| block(screen, shown))
}

fn block(screen: &mut Screen, block: &Block) -> io::Result<()> {
    match block {
        Block::Prose(text) => screen.prose(text),
        Block::Code(code) => screen.code(label(code), &code.text),
    }
}

fn label(code: &Code) -> &str {
    match code.language() {
        "python" => "Python",
        "rust" if code.has_tag("compile_fail") => "Rust that does not compile",
        "rust" => "Rust",
        "console" => "Recorded in a terminal",
        "toml" => "TOML",
        _ => "",
    }
}
