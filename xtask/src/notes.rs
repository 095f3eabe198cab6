//! The task `notes`: follows a play in another terminal, and shows the notes for its teacher.

use std::process::ExitCode;

use lexopt::{Arg, Parser};

use crate::keys::{Key, Keyboard};
use crate::page::{Position, View};
use crate::playing::Playing;
use crate::screen::Screen;
use course::Course;
use course::document::Block;
use course::misuse::Misuse;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask notes [OPTIONS]

Follows the lesson that plays in another terminal: shows the notes for the step
on its screen, its question, what comes next, and the planned and elapsed
minutes of the lesson and of the class. The notes are the comments
`<!-- notes: ... -->` in the lessons' READMEs, which the class doesn't see.

Start it before or after `cargo xtask lesson`, on a screen that the class
doesn't see. When a play ends, it waits for the next one. Enter and Page Up turn
pages if the notes are long, q quits. The plan gives each step of a lesson the
same share of the lesson's minutes.

Options:
  --plain  80 columns, no colour: the default with NO_COLOR
";

const NO_TERMINAL: &str = "the notes need a terminal: run `cargo xtask notes` in one of its own, beside the one \
     that plays";

const START: &str = "run this in another terminal, in this checkout:

    cargo xtask lesson

The notes follow it as soon as it starts.
";

/// The task `notes`: shows the notes for what's played in another terminal.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut is_plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => is_plain = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(is_plain);
    let keyboard = Keyboard::open(!screen.is_plain())?;
    let mut keyboard = keyboard.ok_or_else(|| Misuse(NO_TERMINAL.to_owned()))?;
    let (mut shown, mut position) = (String::new(), Position::default());
    let mut ended = "No play is running";
    loop {
        let playing = Playing::read(&course.target_folder);
        let parts = playing.as_ref().map(Playing::parts);
        let [title, question, notes] = parts.unwrap_or_default();
        if shown != title {
            position = Position::default();
            title.clone_into(&mut shown);
        }
        let (title, text) = if playing.is_some() {
            ended = "The play has ended";
            (format!("Notes \u{b7} {title}"), notes.to_owned())
        } else {
            let text = format!("{ended}. To start one, {START}");
            ("Notes".to_owned(), text)
        };
        let view = View {
            title,
            question,
            is_asked: true,
            keys: &[('q', "quit")],
            ..View::default()
        };
        screen.measure();
        let blocks = screen.laid_out(&[Block::Prose(text)]);
        let key = screen.read(&mut keyboard, &view, &blocks, &mut position)?;
        if matches!(key, Key::Letter('q') | Key::End) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
