//! The task `notes`: follows a play in another terminal, and shows the notes for its teacher.

use std::process::ExitCode;

use lexopt::{Arg, Parser};

use crate::keys::{Key, Keyboard};
use crate::page::{Position, View};
use crate::playing::{Pace, Playing};
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

const KEYS: [(char, &str); 1] = [('q', "quit")];

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
    let (mut shown, mut position) = (None, Position::default());
    let mut text = format!("No play is running. To start one, {START}");
    loop {
        let playing = Playing::read(&course.target_folder);
        let is_new = playing != shown;
        if place(playing.as_ref()) != place(shown.as_ref()) {
            position = Position::default();
        }
        match &playing {
            // In plain style, a page isn't printed again only because a minute has passed.
            Some(playing) if is_new || !screen.is_plain() => text = body(playing),
            None if is_new => text = format!("The play has ended. To start another, {START}"),
            _ => {}
        }
        let view = view(playing.as_ref());
        screen.measure();
        let blocks = screen.laid_out(&[Block::Prose(text.clone())]);
        match screen.read(&mut keyboard, &view, &blocks, &mut position)? {
            Key::Letter('q') | Key::End => return Ok(ExitCode::SUCCESS),
            _ => shown = playing,
        }
    }
}

/// Returns what stays the same while the notes do.
fn place(playing: Option<&Playing>) -> Option<[&str; 2]> {
    playing.map(|playing| [&*playing.title, &playing.next])
}

/// Returns what stands around the notes.
fn view(playing: Option<&Playing>) -> View<'_> {
    let waiting = View {
        title: "Notes".to_owned(),
        keys: &KEYS,
        ..View::default()
    };
    let Some(playing) = playing else {
        return waiting;
    };
    let paces = [&playing.lesson, &playing.class];
    let pace = paces.into_iter().find(|pace| pace.planned > 0);
    let time = pace.map(|pace| format!("{} of {} min", pace.elapsed(), pace.planned));
    View {
        title: format!("Notes \u{b7} {}", playing.title),
        state: time.unwrap_or_default(),
        question: &playing.question,
        is_asked: true,
        ..waiting
    }
}

/// Returns the notes, what's on the screen now and next, and the time, in Markdown.
fn body(playing: &Playing) -> String {
    let or = |text: &str, other: &str| [text, other][usize::from(text.is_empty())].to_owned();
    let notes = or(&playing.notes, "There are no notes for this part.");
    let (screen, next) = (&playing.screen, or(&playing.next, "the end"));
    let mut lines = vec![("On the screen", screen.clone()), ("Next", next)];
    let (lesson, class) = (&playing.lesson, &playing.class);
    lines.extend((lesson.planned > 0).then(|| ("Lesson", time(lesson))));
    lines.extend((class.planned != lesson.planned).then(|| ("Class", time(class))));
    let lines = lines.into_iter();
    let lines = lines.map(|(what, text)| format!("- **{what}:** {text}\n"));
    format!("{notes}\n\n{}", lines.collect::<String>())
}

fn time(pace: &Pace) -> String {
    let (elapsed, [start, end]) = (pace.elapsed(), pace.here);
    let here = if start == end {
        start.to_string()
    } else {
        format!("{start} to {end}")
    };
    format!(
        "{elapsed} of {} minutes; planned here: {here}",
        pace.planned
    )
}
