//! Plays scenes on a screen: texts and runs.

use std::io;
use std::process::Command;
use std::time::Duration;

use support::{readable_time, timed};

use crate::playlist::{Kind, Scene, next_lesson};
use crate::programs::Programs;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::timeline::{Recording, VIEWER};
use course::build::Program;
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
    /// The Python that runs the counterparts.
    pub(crate) python: Option<Python>,
    /// Whether each step is recorded, with `--timeline`.
    pub(crate) timeline: bool,
    pub(crate) programs: Programs,
    /// The steps that were run, in order, and why the last run of each failed.
    pub(crate) runs: Vec<(String, Option<String>)>,
    pub(crate) progress: Progress,
}

impl<'a> Player<'a> {
    /// Plays to the end without waiting for keys. Continues after a failed step.
    pub(crate) fn play(&mut self) -> io::Result<()> {
        while let Some(scene) = self.begin_scene() {
            self.screen.measure();
            if self.run_scene(scene)? {
                self.screen.blocks(&scene.blocks)?;
                self.place += 1;
            } else {
                let next = next_lesson(self.scenes, self.place);
                self.place = next.unwrap_or(self.scenes.len());
            }
        }
        self.end(None);
        Ok(())
    }

    /// Returns the current scene, if there is one, and starts to build what it needs.
    pub(crate) fn begin_scene(&mut self) -> Option<&'a Scene<'a>> {
        let scene = self.scenes.get(self.place)?;
        if let Some(place) = &scene.resume {
            self.progress.note(&format!("lesson {place}"));
        }
        let root = &self.course.root;
        let mut coming = self.scenes[self.place..].iter();
        if let Some(lesson) = coming.find_map(|scene| scene.lesson) {
            self.programs.begin(root, &lesson.name);
        }
        if self.timeline {
            self.programs.begin(root, VIEWER);
        }
        Some(scene)
    }

    /// Notes where the play ended: at its end, or at the place from which it can be continued.
    pub(crate) fn end(&mut self, resume: Option<&str>) {
        let end = resume.map_or("end".to_owned(), |place| format!("lesson {place}"));
        self.progress.note(&end);
    }

    /// Runs what a scene begins with, if anything. Returns `false` if the lesson cannot be built.
    pub(crate) fn run_scene(&mut self, scene: &'a Scene) -> io::Result<bool> {
        match (scene.lesson, &scene.step, scene.kind) {
            (Some(lesson), Some(step), Kind::Rust) => return self.run_step(lesson, step),
            (Some(lesson), Some(step), Kind::Python) => self.run_python(lesson, step)?,
            _ => {}
        }
        Ok(true)
    }

    /// Runs the Python counterpart of a step, if there's a Python.
    pub(crate) fn run_python(&mut self, lesson: &Lesson, step: &str) -> io::Result<()> {
        if let Some(python) = &self.python {
            let script = python::script(&lesson.name);
            let counterpart = python.step(&self.course.root, &script, step);
            let shown = python::command(&script, step);
            let (failure, time) = self.run("Python", &shown, counterpart)?;
            self.show_time("Python", time)?;
            // The course is about Rust: a failure of Python doesn't count.
            if let Some(reason) = failure {
                let said = format!("The Python counterpart failed: {reason}.");
                self.screen.paragraph(&said)?;
            }
        }
        Ok(())
    }

    /// Runs a step. Returns whether the lesson could be built.
    fn run_step(&mut self, lesson: &'a Lesson, step: &str) -> io::Result<bool> {
        let root = &self.course.root;
        let name = format!("{} {step}", lesson.name);
        let Some(program) = self.programs.wait(&mut self.screen, root, &lesson.name)? else {
            let failure = "the lesson does not build".to_owned();
            self.record(name, Some(failure));
            return Ok(false);
        };
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
        if failure.is_none() {
            self.progress.note(&format!("played {name}"));
        }
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
