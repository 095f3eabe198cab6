//! The exercise of a lesson, as a learner finds it.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::progress::Progress;
use course::document::{Document, Section};
use course::gap;
use course::source::{put, text_of};
use course::{Course, Lesson};

const TASK: &str = "exercise/task.md";

/// Returns whether a lesson has an exercise.
pub(super) fn has_exercise(lesson: &Lesson) -> bool {
    lesson.folder.join(TASK).is_file()
}

/// The exercise of a lesson, and your progress.
pub(super) struct Exercise<'a> {
    pub(super) course: &'a Course,
    pub(super) lesson: &'a Lesson,
    /// What to do, the hints, and what to try next.
    pub(super) task: Document,
    /// The path of the program with the gap, relative to the root of the checkout.
    pub(super) program: String,
    /// Stores how many hints were shown.
    hints_file: PathBuf,
    /// Stores the program that passed the checks.
    pub(super) solved_file: PathBuf,
}

impl<'a> Exercise<'a> {
    /// Reads the task. The progress is in Cargo's target folder.
    pub(super) fn read(course: &'a Course, lesson: &'a Lesson) -> anyhow::Result<Self> {
        let name = &lesson.name;
        let task = text_of(&lesson.folder.join(TASK));
        let task = task.with_context(|| format!("lesson {name} has no exercise"))?;
        let program = lesson.folder.strip_prefix(&course.root)?;
        let program = program.join("exercise/main.rs");
        let progress = course.target_folder.join("exercises");
        Ok(Self {
            course,
            lesson,
            task: Document::parse(&task),
            program: program.display().to_string(),
            hints_file: progress.join(format!("{name}.hints")),
            solved_file: progress.join(format!("{name}.solved")),
        })
    }

    /// Returns the exercise of the next lesson that has one.
    pub(super) fn next(&self) -> anyhow::Result<Option<Self>> {
        let mut lessons = self.course.lessons.iter();
        let next = lessons.find(|it| it.number > self.lesson.number && has_exercise(it));
        next.map(|next| Self::read(self.course, next)).transpose()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.course.root.join(&self.program)
    }

    /// Returns the hints, or else the other sections.
    pub(super) fn sections(&self, hints: bool) -> Vec<&Section> {
        let sections = self.task.sections.iter();
        let is_wanted = |section: &&Section| section.heading.starts_with("Hint ") == hints;
        sections.filter(is_wanted).collect()
    }

    /// Returns how many hints were shown.
    pub(super) fn shown_hints(&self) -> usize {
        let number = fs::read_to_string(&self.hints_file).unwrap_or_default();
        number.trim().parse().unwrap_or(0)
    }

    /// Returns `solved` if the program passed the checks as it is now, `untouched` if the gap is marked, or
    /// else `begun`.
    pub(super) fn state(&self) -> anyhow::Result<&'static str> {
        let program = text_of(&self.file())?;
        Ok(match fs::read_to_string(&self.solved_file) {
            Ok(solved) if solved == program => "solved",
            _ if gap::is_marked(&program) => "untouched",
            _ => "begun",
        })
    }

    /// Remembers for `cargo xtask continue` that you are here.
    pub(super) fn note(&self) {
        let mut progress = Progress::read(self.course);
        progress.note(&format!("exercise {}", self.lesson.name));
    }

    /// Returns the number of the next hint, or else of the last one; 0 if there are none.
    pub(super) fn next_hint(&self) -> usize {
        (self.shown_hints() + 1).min(self.sections(true).len())
    }

    /// Remembers that a hint was shown.
    pub(super) fn note_hint(&self, number: usize) -> anyhow::Result<()> {
        put(&self.hints_file, number.to_string().as_bytes())
    }

    /// Returns the path of the solution, and its text.
    pub(super) fn solution(&self) -> anyhow::Result<(String, String)> {
        let path = self.program.replace("main.rs", "solution/main.rs");
        let text = text_of(&self.course.root.join(&path))?;
        Ok((path, text))
    }
}
