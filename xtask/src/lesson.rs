use std::process::ExitCode;

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};
use support::timed;

use crate::course::Course;
use crate::misuse::Misuse;
use crate::play::play;
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
    for (index, one) in selected.iter().enumerate() {
        if index > 0 {
            screen.blank()?;
        }
        let (played, time) = timed(|| play(&mut screen, &course, one));
        let mut played = played?;
        played.time = time;
        all.push(played);
    }
    screen.blank()?;
    summary::show(&mut screen, &all)?;
    let failed = all.iter().any(|played| !played.failures.is_empty());
    Ok(ExitCode::from(u8::from(failed)))
}
