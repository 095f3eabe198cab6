use std::io;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};

use crate::frame::Frame;
use crate::keyboard::Keyboard;
use crate::play::{Ending, Options, Player};
use crate::scene::Scenes;
use crate::screen::Screen;
use crate::{selection, summary, task};
use course::Course;
use course::misuse::Misuse;
use course::process_group;
use course::python::Python;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask lesson [LESSON [STEP]...]... [OPTIONS]

A lesson is given by name or by number. Without one, the whole course is played.

Options:
  --from LESSON [STEP]  begin there, and leave out what comes before
  --step                wait before each run and after each step
  --python              run the Python counterpart of each step first
  --timeline            show after each run, as lanes, what each process and
                        thread did when
  --plain               plain text of 80 columns without colour, as it is when
                        the output is no terminal or NO_COLOR is set

With --step one key says how to go on: Enter goes on, b goes back to the step
before, r runs this step again (built anew if it was changed), s goes to the
next lesson, q ends and says how to take up again at this place, ? shows the
keys. Where the input is no terminal, each of them is a line.

A Python counterpart that fails is shown. Only the runs in Rust count for the
exit status: 0 when all succeeded, 1 when one failed.

Examples:
  cargo xtask lesson                          the whole course
  cargo xtask lesson threads                  one lesson
  cargo xtask lesson 1 3                      two lessons, by number
  cargo xtask lesson threads spawn panic      two steps of one lesson
  cargo xtask lesson --from naming            all but the first lesson
  cargo xtask lesson --step --from pool map   for a class, from a step on
";

/// What the command line asks for.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Wish {
    words: Vec<String>,
    from: Vec<String>,
    step: bool,
    python: bool,
    timeline: bool,
    plain: bool,
}

/// The task `lesson`: plays the course, or what is wanted of it.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let wish = Wish::of(arguments)?;
    let course = Course::here()?;
    let scenes = wish.scenes(&course)?;
    let mut screen = Screen::stdout(wish.plain);
    let options = Options {
        python: wish.python(&mut screen)?,
        timeline: wish.timeline,
        keyboard: wish.step.then(Keyboard::open).transpose()?,
    };
    let mut player = Player::new(screen, &course, &scenes, options);
    let ending = player.play();
    // What is still being built is not needed any more.
    process_group::end_all();
    let told = ending.and_then(|ending| wish.tell_end(&mut player, &scenes, &ending));
    let failed = player.played.iter().any(summary::Played::has_failed);
    task::verdict(told.map_err(Into::into), !failed)
}

impl Wish {
    fn of(mut arguments: Parser) -> anyhow::Result<Self> {
        let mut wish = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("plain") => wish.plain = true,
                Arg::Long("step") => wish.step = true,
                Arg::Long("python") => wish.python = true,
                Arg::Long("timeline") => wish.timeline = true,
                Arg::Long("from") => {
                    wish.from = arguments
                        .values()?
                        .map(ValueExt::string)
                        .collect::<Result<_, _>>()?;
                }
                Arg::Value(word) => wish.words.push(word.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(wish)
    }

    /// Gives the scenes that are wanted. The whole course has a frame.
    fn scenes<'a>(&self, course: &'a Course) -> anyhow::Result<Scenes<'a>> {
        let mut scenes = Scenes::of_lessons(selection::of_words(course, &self.words)?);
        if self.words.is_empty() {
            scenes = scenes.framed(Frame::read(&course.root)?);
        }
        Ok(match self.from.as_slice() {
            [] => scenes,
            [lesson] => scenes.starting_at(course, lesson, None)?,
            [lesson, step] => scenes.starting_at(course, lesson, Some(step))?,
            _ => {
                let message = "--from takes a lesson and at most one of its steps";
                return Err(Misuse(message.to_owned()).into());
            }
        })
    }

    /// Finds Python if it is wanted; where there is none, says so.
    fn python(&self, screen: &mut Screen) -> io::Result<Option<Python>> {
        if !self.python {
            return Ok(None);
        }
        match Python::find() {
            Ok(python) => Ok(Some(python)),
            Err(reason) => {
                let said = format!("The Python counterparts are left out: {reason}.");
                screen.remark(&said)?;
                Ok(None)
            }
        }
    }

    /// Shows how it went, and how to go on if somebody has ended it.
    fn tell_end(&self, player: &mut Player, scenes: &Scenes, ending: &Ending) -> io::Result<()> {
        let Player { screen, played, .. } = player;
        screen.blank()?;
        summary::show(screen, played)?;
        if let Ending::At(place) = ending {
            screen.blank()?;
            self.take_up_again(screen, scenes, *place)?;
        }
        Ok(())
    }

    /// Shows the command that goes on where the playing was ended.
    fn take_up_again(&self, screen: &mut Screen, scenes: &Scenes, place: usize) -> io::Result<()> {
        let Some(name) = scenes.name_of(place) else {
            return Ok(());
        };
        let mut command = vec!["$ cargo xtask lesson"];
        command.extend(self.words.iter().map(String::as_str));
        let flags = [
            (self.plain, "--plain"),
            (self.python, "--python"),
            (self.timeline, "--timeline"),
            (self.step, "--step"),
            (!name.is_empty(), "--from"),
        ];
        command.extend(flags.iter().filter(|(on, _)| *on).map(|(_, flag)| flag));
        command.extend(Some(name.as_str()).filter(|name| !name.is_empty()));
        screen.command("To take up again here:", &command.join(" "))
    }
}
