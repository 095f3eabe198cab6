//! Plays scenes on a screen: pages, pauses and runs.

use std::io;
use std::process::Command;
use std::time::Instant;

use support::{readable_time, timed};

use crate::keys::{KEYS, Keyboard};
use crate::playlist::{Scene, next_lesson};
use crate::programs::Programs;
use crate::screen::Screen;
use crate::summary::Summary;
use crate::timeline::Recording;
use course::build::Program;
use course::document::Block;
use course::python::{self, Python};
use course::run::{self, Line};
use course::{Course, Lesson, command};

/// Plays scenes, and keeps in mind how it went.
pub(crate) struct Player<'a> {
    pub(crate) course: &'a Course,
    pub(crate) scenes: &'a [Scene<'a>],
    /// The place of the scene that is shown.
    pub(crate) place: usize,
    pub(crate) screen: Screen<'static>,
    /// Where answers come from, if somebody is asked before each run and after each scene.
    pub(crate) keyboard: Option<Keyboard>,
    /// What runs the counterpart of each step, if it is wanted.
    pub(crate) python: Option<Python>,
    /// Whether each step is recorded, to show what ran when.
    pub(crate) timeline: bool,
    pub(crate) summary: Summary<'a>,
    pub(crate) programs: Programs,
    /// The number of the lesson whose title is on the screen.
    pub(crate) shown: Option<u32>,
}

/// The question behind a step, the longest of all.
const AFTER_STEP: &str = "Enter: go on   r: again";

/// Why a scene is left before its end.
enum Leave {
    /// Its step is to run now.
    Run,
    /// That scene comes next. The number of scenes means the end.
    Scene(usize),
    /// Somebody ends the playing; another time it would go on with that scene.
    Quit(usize),
    /// The screen cannot be written to, or no key can be read.
    Failed(io::Error),
}

impl From<io::Error> for Leave {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl<'a> Player<'a> {
    /// Plays to the end, or until somebody quits: then it returns the scene to take up again with.
    ///
    /// What goes wrong in a lesson is shown and noted, and does not end the playing.
    pub(crate) fn play(&mut self) -> io::Result<Option<usize>> {
        while let Some(scene) = self.scenes.get(self.place) {
            let start = Instant::now();
            let played = self.scene(scene);
            if let Some(lesson) = scene.lesson {
                self.summary.of(lesson).time += start.elapsed();
            }
            match played {
                Ok(()) | Err(Leave::Run) => self.place += 1,
                Err(Leave::Scene(next)) => self.place = next,
                Err(Leave::Quit(next)) => return Ok(Some(next)),
                Err(Leave::Failed(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn scene(&mut self, scene: &'a Scene) -> Result<(), Leave> {
        let mut coming = self.scenes[self.place..].iter();
        if let Some(lesson) = coming.find_map(|scene| scene.lesson) {
            self.programs.begin(&self.course.root, &lesson.name);
        }
        let mut above = self.title(scene);
        let shown = scene.parts.iter().try_for_each(|(heading, blocks)| {
            if let Some(heading) = heading {
                // One more empty line: parts are easy to tell apart in plain text too.
                above.push(String::new());
                above.extend(self.screen.heading_lines(heading));
            }
            self.blocks(std::mem::take(&mut above), blocks)
        });
        match (scene.lesson, &scene.step) {
            (Some(lesson), Some((step, after))) => {
                match shown.and_then(|()| self.pause("Enter: run it", 0)) {
                    Ok(()) | Err(Leave::Run) => self.step(lesson, step, after),
                    left => left,
                }
            }
            _ => shown.and_then(|()| self.pause("Enter: go on", 1)),
        }
    }

    /// Returns the lines of a scene's title, unless it is on the screen already.
    fn title(&mut self, scene: &Scene) -> Vec<String> {
        let mut lines = Vec::new();
        if scene.is_opening || self.shown != scene.number() {
            lines.extend(self.shown.map(|_| String::new()));
            if let Some([place, title]) = &scene.title {
                lines.extend(self.screen.title_lines(place, title));
            }
            self.shown = scene.number();
        }
        lines
    }

    /// Runs a step, shows what comes after, and runs it again as long as somebody wants that.
    fn step(&mut self, lesson: &'a Lesson, step: &str, mut after: &[Block]) -> Result<(), Leave> {
        loop {
            if !self.run_step(lesson, step)? && self.keyboard.is_none() {
                let next = next_lesson(self.scenes, self.place);
                return Err(Leave::Scene(next.unwrap_or(self.scenes.len())));
            }
            let mut shown = self.blocks(Vec::new(), after);
            if shown.is_ok() {
                // What is to be noticed is not repeated when the step runs again.
                after = &[];
                shown = self.pause(AFTER_STEP, 1);
            }
            if !matches!(shown, Err(Leave::Run)) {
                return shown;
            }
            // Somebody may have changed it meanwhile.
            self.programs.forget(&lesson.name);
        }
    }

    /// Shows blocks, the first of them together with the lines above it, so that no page ends with a
    /// heading.
    fn blocks(&mut self, mut above: Vec<String>, blocks: &[Block]) -> Result<(), Leave> {
        for block in blocks {
            self.screen.measure();
            above.extend(self.screen.block_lines(block));
            self.lines(&std::mem::take(&mut above))?;
        }
        self.lines(&above)
    }

    /// Shows lines, page by page where somebody turns them.
    fn lines(&mut self, mut lines: &[String]) -> Result<(), Leave> {
        while !lines.is_empty() {
            let count = match &self.keyboard {
                Some(_) => self.screen.fitting(lines, &question(AFTER_STEP)),
                None => lines.len(),
            };
            let (page, rest) = lines.split_at(count);
            self.screen.lines(page)?;
            lines = rest;
            if !lines.is_empty() {
                self.pause("Enter: more", 0)?;
            }
        }
        Ok(())
    }

    /// Asks how to go on, if anybody is asked. `enter` is what Enter does, and `done` how many scenes
    /// are left behind when the playing is ended here.
    fn pause(&mut self, enter: &str, done: usize) -> Result<(), Leave> {
        let is_step = self.scenes[self.place].step.is_some();
        while let Some(keyboard) = &mut self.keyboard {
            let key = keyboard.answer(|| self.screen.ask(&question(enter)))?;
            self.screen.end_ask()?;
            let (next, otherwise) = match key {
                '\n' => return Ok(()),
                'q' => return Err(Leave::Quit(self.place + done)),
                'r' if is_step => return Err(Leave::Run),
                'r' => (Some(self.place), ""),
                'b' => (
                    self.place.checked_sub(1),
                    "This is where the playing began: there is nothing before it.",
                ),
                's' => (
                    next_lesson(self.scenes, self.place),
                    "There is no lesson after this one: Enter goes on, q ends.",
                ),
                _ => (None, KEYS),
            };
            if let Some(next) = next {
                return Err(Leave::Scene(next));
            }
            self.screen.remark(otherwise)?;
        }
        Ok(())
    }

    /// Runs a step, and its counterpart if that is wanted. Returns whether the lesson could be built.
    fn run_step(&mut self, lesson: &'a Lesson, step: &str) -> io::Result<bool> {
        let root = &self.course.root;
        let program = self.programs.wait(&mut self.screen, root, &lesson.name)?;
        self.summary.of(lesson).is_broken = program.is_none();
        let Some(program) = program else {
            return Ok(false);
        };
        if let Some(python) = &self.python {
            let counterpart = python.step(root, &lesson.name, step);
            let shown = python::command(&lesson.name, step);
            // The course is about Rust: a failure here is no failure of it.
            if let Some(reason) = self.run("Python", &shown, counterpart, |_, _| ())? {
                let said = format!("The Python counterpart did not go well: {reason}.");
                self.screen.remark(&said)?;
            }
        }
        let mut run = program.step(step);
        let recording = self.timeline.then(|| Recording::of(&program, &mut run));
        let shown = command(&lesson.name, step);
        let failure = self.run("Rust", &shown, run, |summary, failure| {
            summary.of(lesson).note(step, failure);
        })?;
        if let Some(recording) = recording {
            let title = format!("{} {step}", lesson.name);
            let shown = recording.and_then(|it| it.show(&mut self.screen, root, &title, &[]));
            if let Err(error) = shown {
                let said = format!("There are no lanes to show: {error:#}.");
                self.screen.remark(&said)?;
            }
        }
        if let Some(reason) = failure {
            let said = format!("Step {step} failed: {reason}.");
            self.screen.failure(&said)?;
        }
        Ok(true)
    }

    /// Runs a program, shows its lines as they come and then its time, and returns what went wrong.
    /// That is noted before more is shown: the reader of the output may go away.
    fn run(
        &mut self,
        language: &str,
        shown: &str,
        program: Command,
        note: impl FnOnce(&mut Summary<'a>, Option<String>),
    ) -> io::Result<Option<String>> {
        let (label, it) = match self.python {
            Some(_) => (format!("{language}, run now:"), language),
            None => ("Run now:".to_owned(), "It"),
        };
        let screen = &mut self.screen;
        screen.command(&label, shown)?;
        let (end, time) = timed(|| {
            run::run(program, Program::STEP_LIMIT, |line| match line {
                Line::Output(text) => screen.output(&text),
                Line::Error(text) => screen.output(&format!("(stderr) {text}")),
            })
        });
        let failure = match end {
            Ok(end) => (!end.is_success()).then(|| end.to_string()),
            // The output is closed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
            Err(error) => Some(format!("it cannot be run: {error}")),
        };
        note(&mut self.summary, failure.clone());
        screen.blank()?;
        screen.remark(&format!("{it} took {}.", readable_time(time)))?;
        Ok(failure)
    }
}

fn question(enter: &str) -> String {
    format!("{enter}   b: back   s: next lesson   q: quit   ?: keys")
}
