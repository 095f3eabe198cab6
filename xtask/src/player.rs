//! Plays scenes on a screen: pages, pauses and runs.

use std::io;
use std::process::Command;
use std::time::Duration;

use support::{readable_time, timed};

use crate::keys::{KEYS, Keyboard};
use crate::playlist::{Scene, next_lesson};
use crate::programs::Programs;
use crate::screen::Screen;
use crate::timeline::{Recording, VIEWER};
use course::build::Program;
use course::document::Block;
use course::python::{self, Python};
use course::run::{self, Line};
use course::{Course, Lesson, command};

/// Plays scenes, and records how the runs went.
pub(crate) struct Player<'a> {
    pub(crate) course: &'a Course,
    pub(crate) scenes: &'a [Scene<'a>],
    /// The index of the current scene.
    pub(crate) place: usize,
    pub(crate) screen: Screen,
    /// The source of answers, if there is a prompt before each run and after each scene.
    pub(crate) keyboard: Option<Keyboard>,
    /// The Python that runs the counterpart of each step, with `--python`.
    pub(crate) python: Option<Python>,
    /// Whether each step is recorded, with `--timeline`.
    pub(crate) timeline: bool,
    pub(crate) programs: Programs,
    /// The steps that were run, in order, and why the last run of each failed.
    pub(crate) runs: Vec<(String, Option<String>)>,
    /// The index of the last scene that was shown to its end.
    pub(crate) shown: Option<usize>,
    /// The argument of `--from` that continues where the player quit.
    pub(crate) resume: Option<String>,
}

impl<'a> Player<'a> {
    /// Plays to the end, or until the user quits. Continues after a failed step.
    pub(crate) fn play(&mut self) -> io::Result<()> {
        while let Some(scene) = self.scenes.get(self.place) {
            self.place = self.scene(scene)?.unwrap_or(self.place + 1);
        }
        Ok(())
    }

    /// Plays a scene. If it's left before its end, returns the index of the next one.
    fn scene(&mut self, scene: &'a Scene) -> io::Result<Option<usize>> {
        let root = &self.course.root;
        let mut coming = self.scenes[self.place..].iter();
        if let Some(lesson) = coming.find_map(|scene| scene.lesson) {
            self.programs.begin(root, &lesson.name);
        }
        if self.timeline {
            self.programs.begin(root, VIEWER);
        }
        if let (Some(lesson), Some(step), true) = (scene.lesson, &scene.step, scene.is_run)
            && !self.run_step(lesson, step)?
            && self.keyboard.is_none()
        {
            let next = next_lesson(self.scenes, self.place);
            return Ok(Some(next.unwrap_or(self.scenes.len())));
        }
        // The answer isn't repeated when the step runs again.
        if !scene.is_run || self.shown != Some(self.place) {
            if let Some(next) = self.show(&scene.blocks)? {
                return Ok(Some(next));
            }
            self.shown = Some(self.place);
        }
        let enter = match &scene.step {
            None => "Enter: continue",
            Some(_) if scene.is_run => "Enter: continue   r: again",
            Some(_) => "Enter: run it",
        };
        self.pause(enter, 1)
    }

    /// Shows blocks, page by page if there is a keyboard.
    fn show(&mut self, blocks: &[Block]) -> io::Result<Option<usize>> {
        self.screen.measure();
        if self.keyboard.is_none() {
            return self.screen.blocks(blocks).map(|()| None);
        }
        let mut left = self.screen.pages(&self.screen.laid_out(blocks));
        loop {
            self.screen.lines(&left.remove(0))?;
            if left.is_empty() {
                return Ok(None);
            }
            if let Some(next) = self.pause("Enter: more", 0)? {
                return Ok(Some(next));
            }
            if self.screen.measure() {
                left = self.screen.pages(&left);
            }
        }
    }

    /// Asks how to continue, if there is a keyboard. `enter` says what Enter does, and `done` is the number of
    /// scenes that are finished if the user quits here.
    fn pause(&mut self, enter: &str, done: usize) -> io::Result<Option<usize>> {
        let scene = &self.scenes[self.place];
        while let Some(keyboard) = &mut self.keyboard {
            let question = format!("{enter}   b: back   s: next lesson   q: quit   ?: keys");
            let key = keyboard.answer(|| self.screen.ask(&question))?;
            self.screen.end_ask()?;
            let (next, otherwise) = match key {
                '\n' => return Ok(None),
                'q' => {
                    let next = self.scenes.get(self.place + done);
                    self.resume = next.and_then(|scene| scene.resume.clone());
                    (Some(self.scenes.len()), "")
                }
                'r' => {
                    if let (true, Some(lesson)) = (scene.is_run, scene.lesson) {
                        // The program may have changed.
                        self.programs.forget(&lesson.name);
                    }
                    let is_before_run = scene.step.is_some() && !scene.is_run;
                    (Some(self.place + usize::from(is_before_run)), "")
                }
                'b' => {
                    let before = &self.scenes[..self.place - usize::from(scene.is_run)];
                    let last = before.iter().rposition(|scene| !scene.is_run);
                    (last, "This is the beginning: there is nothing before it.")
                }
                's' => (
                    next_lesson(self.scenes, self.place),
                    "There is no lesson after this one: Enter continues, q quits.",
                ),
                _ => (None, KEYS),
            };
            if next.is_some() {
                return Ok(next);
            }
            self.screen.paragraph(otherwise)?;
        }
        Ok(None)
    }

    /// Runs a step, and its counterpart with `--python`. Returns whether the lesson could be built.
    fn run_step(&mut self, lesson: &'a Lesson, step: &str) -> io::Result<bool> {
        let root = &self.course.root;
        let name = format!("{} {step}", lesson.name);
        let Some(program) = self.programs.wait(&mut self.screen, root, &lesson.name)? else {
            let failure = "the lesson does not build".to_owned();
            self.record(name, Some(failure));
            return Ok(false);
        };
        if let Some(python) = &self.python {
            let counterpart = python.step(root, &lesson.name, step);
            let shown = python::command(&lesson.name, step);
            let (failure, time) = self.run("Python", &shown, counterpart)?;
            self.show_time("Python", time)?;
            // The course is about Rust: a failure of Python doesn't count.
            if let Some(reason) = failure {
                let said = format!("The Python counterpart failed: {reason}.");
                self.screen.paragraph(&said)?;
            }
        }
        let mut run = program.step(step);
        let mut viewer = None;
        if self.timeline {
            viewer = self.programs.wait(&mut self.screen, root, VIEWER)?;
        }
        let recording = viewer.map(|viewer| (Recording::of(&program, &name, &mut run), viewer));
        let shown = command(&lesson.name, step);
        let (failure, time) = self.run("Rust", &shown, run)?;
        // Before more is shown, because the output may be closed.
        self.record(name.clone(), failure.clone());
        self.show_time("Rust", time)?;
        if let Some((recording, viewer)) = recording {
            let shown = recording.and_then(|it| it.show(&mut self.screen, &viewer, &name, &[]));
            if let Err(error) = shown {
                let said = format!("The timeline cannot be shown: {error:#}.");
                self.screen.paragraph(&said)?;
            }
        }
        if let Some(reason) = failure {
            let said = format!("Step {step} failed: {reason}.");
            self.screen.failure(&said)?;
        }
        Ok(true)
    }

    /// Records the run of a step, in place of an earlier one.
    fn record(&mut self, step: String, failure: Option<String>) {
        match self.runs.iter_mut().find(|run| run.0 == step) {
            Some(run) => run.1 = failure,
            None => self.runs.push((step, failure)),
        }
    }

    /// Runs a program, shows its lines as they come, and returns the failure, if any, and the time.
    fn run(
        &mut self,
        language: &str,
        shown: &str,
        program: Command,
    ) -> io::Result<(Option<String>, Duration)> {
        let screen = &mut self.screen;
        screen.command(&format!("{language}, run now:"), shown)?;
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
            Err(error) => Some(format!("cannot run it: {error}")),
        };
        Ok((failure, time))
    }

    fn show_time(&mut self, language: &str, time: Duration) -> io::Result<()> {
        self.screen.blank()?;
        let time = readable_time(time);
        self.screen.paragraph(&format!("{language} took {time}."))
    }
}
