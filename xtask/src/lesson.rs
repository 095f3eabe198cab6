use std::io;
use std::process::ExitCode;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};
use support::timed;

use crate::course::Course;
use crate::frame::Frame;
use crate::misuse::Misuse;
use crate::play::{self, play};
use crate::process_group::end_on_interruption;
use crate::screen::Screen;
use crate::{selection, summary};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask lesson [LESSON [STEP]...]... [OPTIONS]

A lesson is given by name or by number. Without one, the whole course is played.

Options:
  --from LESSON  play that lesson and all after it
  --plain        plain text of 80 columns without colour, as it is when the
                 output is no terminal or NO_COLOR is set

Examples:
  cargo xtask lesson                      the whole course
  cargo xtask lesson threads              one lesson
  cargo xtask lesson 1 3                  two lessons, by number
  cargo xtask lesson threads spawn panic  two steps of one lesson
  cargo xtask lesson --from naming        the second half
";

/// The task `lesson`: plays the course, or what is wanted of it.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut words = Vec::new();
    let mut from = None;
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            Arg::Long("from") => from = Some(arguments.value()?.string()?),
            Arg::Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let frame = Frame::read(&course.root)?;
    let (begins, ends) = (words.is_empty() && from.is_none(), words.is_empty());
    let selected = match from {
        None => selection::of_words(&course, &words)?,
        Some(lesson) if words.is_empty() => selection::from(&course, &lesson)?,
        Some(_) => {
            let message = "either name lessons or give --from LESSON, not both";
            return Err(Misuse(message.to_owned()).into());
        }
    };
    end_on_interruption().context("signals cannot be watched")?;
    let mut screen = Screen::stdout(plain);
    let mut all = Vec::new();
    if begins {
        show_welcome(&mut screen, &course, &frame)?;
    }
    for (index, one) in selected.iter().enumerate() {
        if index > 0 {
            screen.blank()?;
        }
        let (played, time) = timed(|| play(&mut screen, &course, one));
        let mut played = played?;
        played.time = time;
        all.push(played);
    }
    if ends && !frame.farewell.is_empty() {
        screen.blank()?;
        screen.heading("Farewell")?;
        play::blocks(&mut screen, &frame.farewell)?;
    }
    screen.blank()?;
    summary::show(&mut screen, &all)?;
    let failed = all.iter().any(|played| !played.failures.is_empty());
    Ok(ExitCode::from(u8::from(failed)))
}

fn show_welcome(screen: &mut Screen, course: &Course, frame: &Frame) -> io::Result<()> {
    if frame.welcome.is_empty() {
        return Ok(());
    }
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let size = format!("{} lessons, about {minutes} minutes", course.lessons.len());
    screen.title(&size, &frame.title)?;
    play::blocks(screen, &frame.welcome)?;
    screen.blank()
}
