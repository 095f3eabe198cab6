//! The run of a step while the course is played, and that of its counterpart.

use std::io;
use std::process::Command;

use support::{readable_time, timed};

use super::Player;
use crate::course::command;
use crate::live_run::{self, Line};
use crate::program::Program;
use crate::python;
use crate::timeline::{self, Recording};

impl Player<'_> {
    /// Runs a step, and its counterpart if that is wanted. Tells whether the lesson could be built.
    pub(super) fn run_step(&mut self, chapter: usize, step: &str) -> io::Result<bool> {
        let lesson = self.scenes.chapters[chapter].lesson;
        let built = self.programs.wait(&mut self.screen, &lesson.name)?;
        let failure = built.as_ref().err().map(|_| "it does not build");
        self.played(chapter).note_lesson(failure);
        let program = match built {
            Ok(program) => program,
            Err(reason) => {
                let said = format!("Lesson {} does not build. Cargo says:", lesson.name);
                self.screen.failure(&said)?;
                self.screen.code("", "", &reason)?;
                return Ok(false);
            }
        };
        let both = self.options.python.is_some();
        if let Some(python) = &self.options.python {
            let counterpart = python.step(&self.course.root, &lesson.name, step);
            let shown = python::command(&lesson.name, step);
            let failure = self.live("Python", both, &shown, counterpart)?;
            if let Some(reason) = failure {
                // The course is about Rust: this is no failure of it.
                let said = format!("The Python counterpart did not go well: {reason}.");
                self.screen.remark(&said)?;
            }
        }
        let mut run = program.step(step);
        let recording = self
            .options
            .timeline
            .then(|| Recording::of(&program, &mut run));
        let shown = command(&lesson.name, step);
        let failure = self.live("Rust", both, &shown, run)?;
        if let Some(recording) = recording {
            let title = format!("{} {step}", lesson.name);
            match recording.and_then(|recording| recording.timeline()) {
                Ok(timeline) => timeline::show(&mut self.screen, &title, &timeline)?,
                Err(error) => {
                    let said = format!("There are no lanes to show: {error:#}.");
                    self.screen.remark(&said)?;
                }
            }
        }
        if let Some(reason) = &failure {
            self.screen
                .failure(&format!("Step {step} failed: {reason}."))?;
        }
        self.played(chapter).note_step(step, failure);
        Ok(true)
    }

    /// Runs a program, shows its lines as they come and how long it took, and gives what went wrong
    /// with it.
    fn live(
        &mut self,
        language: &str,
        is_named: bool,
        shown: &str,
        program: Command,
    ) -> io::Result<Option<String>> {
        let (label, it) = if is_named {
            (format!("{language}, run now:"), language)
        } else {
            ("Run now:".to_owned(), "It")
        };
        let screen = &mut self.screen;
        screen.command(&label, shown)?;
        let mut screen_error = None;
        let (end, time) = timed(|| {
            live_run::run(program, Program::STEP_LIMIT, |line| {
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
        screen.blank()?;
        match end {
            Ok(end) => {
                screen.remark(&format!("{it} took {}.", readable_time(time)))?;
                Ok((!end.is_success()).then(|| end.to_string()))
            }
            Err(error) => Ok(Some(format!("it cannot be run: {error}"))),
        }
    }
}
