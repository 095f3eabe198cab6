//! The run of a step while the course is played, and that of its counterpart.

use std::io;
use std::process::Command;
use std::time::Duration;

use support::{readable_time, timed};

use super::Player;
use crate::timeline::Recording;
use course::build::Program;
use course::command;
use course::python;
use course::run::{self, Line};

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
            let (failure, time) = self.live("Python", both, &shown, counterpart)?;
            self.time("Python", both, time)?;
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
        let (failure, time) = self.live("Rust", both, &shown, run)?;
        // Before more is shown: the reader of that may go away.
        self.played(chapter).note_step(step, failure.clone());
        self.time("Rust", both, time)?;
        if let Some(recording) = recording {
            let title = format!("{} {step}", lesson.name);
            let root = &self.course.root;
            let shown = recording.and_then(|it| it.show(&mut self.screen, root, &title, &[]));
            if let Err(error) = shown {
                let said = format!("There are no lanes to show: {error:#}.");
                self.screen.remark(&said)?;
            }
        }
        if let Some(reason) = &failure {
            self.screen
                .failure(&format!("Step {step} failed: {reason}."))?;
        }
        Ok(true)
    }

    /// Runs a program, shows its lines as they come, and gives what went wrong with it, and how long
    /// it took if it could be run.
    fn live(
        &mut self,
        language: &str,
        is_named: bool,
        shown: &str,
        program: Command,
    ) -> io::Result<(Option<String>, Option<Duration>)> {
        let label = if is_named {
            format!("{language}, run now:")
        } else {
            "Run now:".to_owned()
        };
        let screen = &mut self.screen;
        screen.command(&label, shown)?;
        let mut screen_error = None;
        let (end, time) = timed(|| {
            run::run(program, Program::STEP_LIMIT, |line| {
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
        Ok(match end {
            Ok(end) => ((!end.is_success()).then(|| end.to_string()), Some(time)),
            Err(error) => (Some(format!("it cannot be run: {error}")), None),
        })
    }

    /// Shows how long a program took, if it could be run.
    fn time(&mut self, language: &str, is_named: bool, time: Option<Duration>) -> io::Result<()> {
        self.screen.blank()?;
        let Some(time) = time else { return Ok(()) };
        let it = if is_named { language } else { "It" };
        self.screen
            .remark(&format!("{it} took {}.", readable_time(time)))
    }
}
