//! The exercise of a lesson, as a learner finds it.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;

use crate::progress::Progress;
use crate::screen::Screen;
use crate::style::BOLD;
use course::document::{Document, Section};
use course::gap;
use course::source::text_of;
use course::{Course, Lesson};

const TASK: &str = "exercise/task.md";

/// Returns whether a lesson has an exercise.
pub(super) fn has_exercise(lesson: &Lesson) -> bool {
    lesson.folder.join(TASK).is_file()
}

/// Returns the hash of a program, which tells whether it was changed.
pub(super) fn hash(program: &str) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(program.as_bytes());
    hasher.finish().to_string()
}

/// When a file was changed, and its length.
pub(super) type Stamp = (SystemTime, u64);

/// Returns the stamp of a file, or `None` if there's none, perhaps because an editor is replacing it.
pub(super) fn stamp(file: &Path) -> Option<Stamp> {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// The exercise of a lesson, and your progress.
pub(super) struct Exercise<'a> {
    pub(super) course: &'a Course,
    pub(super) lesson: &'a Lesson,
    /// What to do, the hints, and what to try next.
    pub(super) task: Document,
    /// The path of the program with the gap, relative to the root of the checkout.
    pub(super) program: String,
    pub(super) progress: Progress,
    /// The stamp of the text that was tried last, or that was there at the start.
    pub(super) tried: Option<Stamp>,
    /// When the last build began.
    pub(super) built: SystemTime,
}

/// Blocks of lines.
type Blocks = Vec<Vec<String>>;

/// What an exercise can show without a run.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    Task,
    /// The hints up to the one with this number.
    Hints(usize),
    Solution,
}

impl<'a> Exercise<'a> {
    pub(super) fn read(course: &'a Course, lesson: &'a Lesson) -> anyhow::Result<Self> {
        let task = text_of(&lesson.folder.join(TASK));
        let task = task.with_context(|| format!("lesson {} has no exercise", lesson.name))?;
        let program = lesson.folder.strip_prefix(&course.root)?;
        let program = program.join("exercise/main.rs");
        let tried = stamp(&course.root.join(&program));
        Ok(Self {
            course,
            lesson,
            task: Document::parse(&task),
            program: program.display().to_string(),
            progress: Progress::read(course),
            tried,
            built: SystemTime::UNIX_EPOCH,
        })
    }

    /// Returns the lessons after this one.
    pub(super) fn later(&self) -> impl Iterator<Item = &'a Lesson> {
        let (lessons, number) = (self.course.lessons.iter(), self.lesson.number);
        lessons.filter(move |lesson| lesson.number > number)
    }

    /// Returns the next lesson that has an exercise.
    pub(super) fn next(&self) -> Option<&'a Lesson> {
        self.later().find(|lesson| has_exercise(lesson))
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
        let number = self.progress.last(&format!("hint {}", self.lesson.name));
        number.and_then(|it| it.parse().ok()).unwrap_or(0)
    }

    /// Returns the number of the next hint, or else of the last one; 0 if there are none.
    pub(super) fn next_hint(&self) -> usize {
        (self.shown_hints() + 1).min(self.sections(true).len())
    }

    /// Adds an event about this exercise to the progress.
    pub(super) fn note(&mut self, event: &str, value: &str) {
        let event = format!("{event} {} {value}", self.lesson.name);
        self.progress.note(event.trim_end());
    }

    /// Returns `solved` if the program passed the checks as it is now, `untouched` if the gap is marked, or
    /// else `begun`.
    pub(super) fn state(&self) -> anyhow::Result<&'static str> {
        let program = text_of(&self.file())?;
        let checked = self.progress.last(&format!("checked {}", self.lesson.name));
        Ok(match checked {
            Some(checked) if checked == hash(&program) => "solved",
            _ if gap::is_marked(&program) => "untouched",
            _ => "begun",
        })
    }

    /// Returns whether the program passed the checks as it is now.
    pub(super) fn is_solved(&self) -> bool {
        self.state().is_ok_and(|state| state == "solved")
    }

    /// Returns the title of what is shown.
    pub(super) fn title(&self, shown: &str) -> String {
        let Lesson { number, name, .. } = self.lesson;
        format!("Exercise {number} {name} \u{b7} {shown}")
    }

    /// Returns the title of a part, and its lines in blocks.
    pub(super) fn part(&self, screen: &Screen, part: Part) -> anyhow::Result<(String, Blocks)> {
        let (title, blocks) = match part {
            Part::Task => {
                let mut blocks = screen.laid_out(&self.task.opening);
                let solved = ["", ", which is solved already"][usize::from(self.is_solved())];
                let file = format!("Your file: {}{solved}", self.program);
                blocks.push(vec![file, String::new()]);
                (self.task.title.clone(), blocks)
            }
            Part::Hints(number) => {
                let hints = self.sections(true);
                let lines = hints[..number].iter().map(|hint| {
                    let heading = screen.style.paint(BOLD, &hint.heading);
                    let text = screen.laid_out(&hint.blocks).concat();
                    [vec![heading, String::new()], text].concat()
                });
                let title = format!("hint {number} of {}", hints.len());
                (title, lines.collect())
            }
            Part::Solution => {
                let path = self.program.replace("main.rs", "solution/main.rs");
                let text = text_of(&self.course.root.join(&path))?;
                let lines = screen.code_lines(&path, "rust", &text);
                ("a solution".to_owned(), vec![lines])
            }
        };
        Ok((self.title(&title), blocks))
    }
}
