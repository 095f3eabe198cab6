//! `cargo xtask exercise NAME --watch`: runs the checks at every save, with keys.

use std::process::ExitCode;

use super::assignment::{Exercise, Part};
use crate::keys::{Key, Keyboard};
use crate::page::{Position, View, working};
use crate::screen::Screen;

/// The title of the page on which the checks run.
const CHECKS: &str = "the checks";

/// An exercise that is being watched.
struct Watch<'a, 's> {
    exercise: Exercise<'a>,
    screen: &'s mut Screen,
    /// What is on the screen; `None` is the result of the last attempt.
    part: Option<Part>,
    position: Position,
    /// The lines that the last attempt has shown; `None` if there was none yet.
    result: Option<Vec<String>>,
}

/// Watches an exercise, and then the next ones, until the user quits.
pub(super) fn watch(
    mut exercise: Exercise,
    screen: &mut Screen,
    mut keyboard: Keyboard,
) -> anyhow::Result<ExitCode> {
    exercise.note("exercise", "");
    let mut watch = Watch {
        exercise,
        screen,
        part: Some(Part::Task),
        position: Position::default(),
        result: None,
    };
    while watch.step(&mut keyboard)? {}
    // Restores the terminal.
    drop(keyboard);
    let command = format!(
        "cargo xtask exercise {} --watch",
        watch.exercise.lesson.name
    );
    screen.command("To come back to this exercise:", &command)?;
    Ok(ExitCode::SUCCESS)
}

impl Watch<'_, '_> {
    /// Runs the checks after a save, and obeys a key. Returns `false` if the user quits.
    fn step(&mut self, keyboard: &mut Keyboard) -> anyhow::Result<bool> {
        self.screen.measure();
        let (title, blocks) = match self.part {
            Some(part) => self.exercise.part(self.screen, part)?,
            None => (
                self.exercise.title(CHECKS),
                self.result.iter().cloned().collect(),
            ),
        };
        let (keys, question) = (self.keys(), self.question());
        let view = View {
            title,
            keys: &keys,
            ..self.view(&question)
        };
        let position = &mut self.position;
        let key = self.screen.read(keyboard, &view, &blocks, position)?;
        let works = |letter| keys.iter().any(|(key, _)| *key == letter);
        match key {
            _ if self.exercise.is_saved() => self.attempt(keyboard)?,
            Key::Forward if self.part == self.first_part() => self.attempt(keyboard)?,
            Key::Forward => self.show(self.first_part()),
            Key::Letter(letter) if works(letter) => match letter {
                't' => self.show(Some(Part::Task)),
                'h' => {
                    let number = self.exercise.next_hint();
                    self.exercise.note("hint", &number.to_string());
                    self.show(Some(Part::Hints(number)));
                }
                's' => self.show(Some(Part::Solution)),
                'n' => self.go_to_next()?,
                _ => return Ok(false),
            },
            key => return Ok(key != Key::End),
        }
        Ok(true)
    }

    /// Returns where Enter leads back to: the result, or the task if there's none.
    fn first_part(&self) -> Option<Part> {
        self.result.is_none().then_some(Part::Task)
    }

    fn show(&mut self, part: Option<Part>) {
        let is_hint = matches!(part, Some(Part::Hints(_)));
        self.part = part;
        self.position = [Position::default(), Position::END][usize::from(is_hint)];
    }

    fn go_to_next(&mut self) -> anyhow::Result<()> {
        if let Some(next) = self.exercise.next() {
            self.exercise = Exercise::read(self.exercise.course, next)?;
            self.exercise.note("exercise", "");
            self.result = None;
            self.show(Some(Part::Task));
        }
        Ok(())
    }

    /// Runs the checks on a live page, and shows the result.
    fn attempt(&mut self, keyboard: &mut Keyboard) -> anyhow::Result<()> {
        self.show(None);
        let question = self.question();
        let view = self.view(&question);
        self.screen.begin_live(&view, "running the checks ...")?;
        if let Err(error) = self.exercise.attempt(self.screen) {
            self.exercise.note("checked", "failed");
            let said = format!("The checks cannot be run: {error:#}.");
            self.screen.failure(&said)?;
        }
        let (lines, end) = self.screen.end_live(&view)?;
        self.result = Some(lines);
        // What failed first is at the beginning. In plain style, the end is already there.
        if self.screen.is_plain() {
            self.position = end;
        }
        // Keys that were pressed during the run were not meant for its result.
        Ok(keyboard.discard()?)
    }

    fn question(&self) -> String {
        let again = if self.result.is_some() { " again" } else { "" };
        format!("Save {} to run the checks{again}.", self.exercise.program)
    }

    /// Returns what stands around the checks.
    fn view<'v>(&self, question: &'v str) -> View<'v> {
        let state = match (self.exercise.is_solved(), &self.result) {
            (true, _) => "solved",
            (false, Some(_)) => "not solved yet",
            (false, None) => "",
        };
        let is_first = self.part == self.first_part();
        View {
            title: self.exercise.title(CHECKS),
            state: state.to_owned(),
            question,
            is_asked: true,
            enter: ["back", "run now"][usize::from(is_first)],
            ..View::default()
        }
    }

    /// Returns the letters that do something here.
    fn keys(&self) -> Vec<(char, &'static str)> {
        let (exercise, part) = (&self.exercise, self.part);
        let (is_solved, next_hint) = (exercise.is_solved(), exercise.next_hint());
        let has_hint = next_hint > 0 && part != Some(Part::Hints(next_hint));
        let hint = ["next hint", "hints"][usize::from(next_hint == exercise.shown_hints())];
        working([
            ('n', "next exercise", is_solved && exercise.next().is_some()),
            ('s', "solution", is_solved && part != Some(Part::Solution)),
            ('h', hint, !is_solved && has_hint),
            ('t', "task", part != Some(Part::Task)),
            ('q', "quit", true),
        ])
    }
}
