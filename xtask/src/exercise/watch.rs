//! `cargo xtask exercise NAME --watch`: runs the checks at every save, with keys.

use std::fs::OpenOptions;
use std::process::ExitCode;
use std::time::SystemTime;

use super::assignment::Exercise;
use super::attempt::{Stamp, stamp};
use crate::keys::{Key, Keyboard};
use crate::page::{Position, View};
use crate::screen::Screen;
use crate::style::BOLD;

/// What is on the screen.
#[derive(Clone, Copy, PartialEq)]
enum Page {
    Task,
    /// What the last attempt has shown.
    Result,
    /// The hints up to the one with this number.
    Hint(usize),
    Solution,
}

/// An exercise that is being watched.
struct Watch<'a, 's> {
    exercise: Exercise<'a>,
    next: Option<Exercise<'a>>,
    screen: &'s mut Screen,
    page: Page,
    position: Position,
    /// The lines of the last attempt, and the position at which they are read first.
    result: Option<(Vec<String>, Position)>,
    is_solved: bool,
    /// The stamp of the text that was tried last, or that was there at the start.
    tried: Option<Stamp>,
    /// The stamp a moment ago: a file that is being written may change again at once.
    seen: Option<Stamp>,
    /// When the last build began.
    built: SystemTime,
}

/// Watches an exercise, and then the next ones, until the user quits.
pub(super) fn watch(
    mut exercise: Exercise,
    screen: &mut Screen,
    mut keyboard: Keyboard,
) -> anyhow::Result<ExitCode> {
    let name = loop {
        exercise.note();
        let name = &exercise.lesson.name;
        match Watch::new(exercise, screen)?.until_left(&mut keyboard)? {
            Some(next) => exercise = next,
            None => break name,
        }
    };
    // Restores the terminal.
    drop(keyboard);
    let command = format!("cargo xtask exercise {name} --watch");
    screen.command("To come back to this exercise:", &command)?;
    Ok(ExitCode::SUCCESS)
}

impl<'a, 's> Watch<'a, 's> {
    fn new(exercise: Exercise<'a>, screen: &'s mut Screen) -> anyhow::Result<Self> {
        let tried = stamp(&exercise.file());
        let is_solved = tried.is_some() && exercise.state()? == "solved";
        Ok(Self {
            next: exercise.next()?,
            exercise,
            screen,
            page: Page::Task,
            position: Position::default(),
            result: None,
            is_solved,
            tried,
            seen: tried,
            built: SystemTime::UNIX_EPOCH,
        })
    }

    /// Runs the checks at every save, and obeys the keys. Returns the exercise that the user goes to, if any.
    fn until_left(mut self, keyboard: &mut Keyboard) -> anyhow::Result<Option<Exercise<'a>>> {
        loop {
            self.screen.measure();
            let keys = self.keys();
            let key = self.read(keyboard, &keys)?;
            let works = |letter| keys.iter().any(|(key, _)| *key == letter);
            match key {
                _ if self.is_saved() => self.attempt(keyboard)?,
                Key::Forward if self.is_aside() => self.show(Page::Result),
                Key::Forward => self.attempt(keyboard)?,
                Key::End => return Ok(None),
                Key::Letter(letter) if works(letter) => match letter {
                    't' => self.show(Page::Task),
                    'h' => {
                        let number = self.exercise.next_hint();
                        self.exercise.note_hint(number)?;
                        self.show(Page::Hint(number));
                    }
                    's' => self.show(Page::Solution),
                    'n' => return Ok(self.next),
                    _ => return Ok(None),
                },
                _ => {}
            }
        }
    }

    /// Returns whether the file was saved after the last attempt, and isn't just being written.
    fn is_saved(&mut self) -> bool {
        let now = stamp(&self.exercise.file());
        let before = std::mem::replace(&mut self.seen, now);
        now.is_some() && now != self.tried && now == before
    }

    /// Returns whether Enter leads back to the last result, or to the task if there's none.
    fn is_aside(&self) -> bool {
        match self.page {
            Page::Task => self.result.is_some(),
            Page::Result => false,
            Page::Hint(_) | Page::Solution => true,
        }
    }

    fn show(&mut self, page: Page) {
        let last = self.result.as_ref().map(|(_, position)| *position);
        (self.page, self.position) = match (page, last) {
            (Page::Result, Some(position)) => (page, position),
            (Page::Result, None) => (Page::Task, Position::default()),
            (Page::Hint(_), _) => (page, Position::END),
            _ => (page, Position::default()),
        };
    }

    /// Runs the checks on a live page, and shows the result.
    fn attempt(&mut self, keyboard: &mut Keyboard) -> anyhow::Result<()> {
        self.page = Page::Result;
        let question = self.question();
        let view = self.view(&question);
        self.screen.begin_live(&view, "running the checks ...")?;
        let outdated = self.outdate();
        match outdated.and_then(|()| self.exercise.attempt(self.screen)) {
            Ok((is_solved, stamp)) => (self.is_solved, self.tried) = (is_solved, stamp),
            Err(error) => {
                self.is_solved = false;
                let said = format!("The checks cannot be run: {error:#}.");
                self.screen.failure(&said)?;
            }
        }
        let (lines, end) = self.screen.end_live(&view)?;
        // What failed first is at the beginning. In plain style, the end is already there.
        let position = [Position::default(), end][usize::from(self.screen.is_plain())];
        self.result = Some((lines, position));
        self.show(Page::Result);
        // Keys that were pressed during the run were not meant for its result.
        Ok(keyboard.discard()?)
    }

    /// Makes sure that Cargo builds the text, even if it's older than the last build, such as a copy moved back.
    fn outdate(&mut self) -> anyhow::Result<()> {
        let file = self.exercise.file();
        let before = std::mem::replace(&mut self.tried, stamp(&file));
        let last_build = std::mem::replace(&mut self.built, SystemTime::now());
        let is_older = |(changed, _)| changed < last_build;
        if self.tried != before && self.tried.is_some_and(is_older) {
            let file = OpenOptions::new().append(true).open(file)?;
            file.set_modified(self.built)?;
        }
        Ok(())
    }

    /// Shows the page, and returns the first key that doesn't turn it.
    fn read(&mut self, keyboard: &mut Keyboard, keys: &[(char, &str)]) -> anyhow::Result<Key> {
        let (blocks, question) = (self.blocks()?, self.question());
        let view = View {
            keys,
            ..self.view(&question)
        };
        let position = &mut self.position;
        Ok(self.screen.read(keyboard, &view, &blocks, position)?)
    }

    fn question(&self) -> String {
        let again = if self.result.is_some() { " again" } else { "" };
        format!("Save {} to run the checks{again}.", self.exercise.program)
    }

    fn blocks(&self) -> anyhow::Result<Vec<Vec<String>>> {
        let (screen, exercise) = (&self.screen, &self.exercise);
        Ok(match self.page {
            Page::Task => {
                let mut blocks = screen.laid_out(&exercise.task.opening);
                let solved = ["", ", which is solved already"][usize::from(self.is_solved)];
                blocks.push(vec![format!("Your file: {}{solved}", exercise.program)]);
                blocks
            }
            Page::Result => self.result.iter().map(|(lines, _)| lines.clone()).collect(),
            Page::Hint(number) => {
                let hints = exercise.sections(true).into_iter().take(number);
                let lines = hints.map(|hint| {
                    let heading = screen.style.paint(BOLD, &hint.heading);
                    let text = screen.laid_out(&hint.blocks).concat();
                    [vec![heading, String::new()], text].concat()
                });
                lines.collect()
            }
            Page::Solution => {
                let (path, text) = exercise.solution()?;
                vec![screen.code_lines(&path, "rust", &text)]
            }
        })
    }

    /// Returns what stands around the text, without the letters.
    fn view<'v>(&self, question: &'v str) -> View<'v> {
        let (number, name) = (self.exercise.lesson.number, &self.exercise.lesson.name);
        let part = match self.page {
            Page::Task => self.exercise.task.title.clone(),
            Page::Result => "the checks".to_owned(),
            Page::Hint(number) => {
                format!("hint {number} of {}", self.exercise.sections(true).len())
            }
            Page::Solution => "a solution".to_owned(),
        };
        let state = match (self.is_solved, &self.result) {
            (true, _) => "solved",
            (false, Some(_)) => "not solved yet",
            (false, None) => "",
        };
        View {
            title: format!("Exercise {number} {name} \u{b7} {part}"),
            state: state.to_owned(),
            question,
            is_asked: true,
            enter: if self.is_aside() { "back" } else { "run now" },
            ..View::default()
        }
    }

    /// Returns the letters that do something here.
    fn keys(&self) -> Vec<(char, &'static str)> {
        let (page, is_solved) = (self.page, self.is_solved);
        let next_hint = self.exercise.next_hint();
        let has_hint = next_hint > 0 && page != Page::Hint(next_hint);
        let keys = [
            ('n', "next exercise", is_solved && self.next.is_some()),
            ('s', "solution", is_solved && page != Page::Solution),
            ('h', "next hint", !is_solved && has_hint),
            ('t', "task", page != Page::Task),
            ('q', "quit", true),
        ];
        let keys = keys.into_iter().filter(|(.., works)| *works);
        keys.map(|(key, does, _)| (key, does)).collect()
    }
}
