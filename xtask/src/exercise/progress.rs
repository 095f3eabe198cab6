use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::gap;
use course::{Course, Lesson};

/// How far somebody is with an exercise. It is kept beside what is built, so that it is in nobody's way.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Progress {
    path: PathBuf,
    /// How many hints were given.
    pub(super) hints: usize,
    /// The text that passed all checks, as a number.
    solved: Option<u64>,
}

/// How far a program is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// The gap is still marked.
    Untouched,
    /// The mark is gone, and the checks have not passed.
    Begun,
    /// As it is now, it has passed all checks.
    Solved,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Untouched => "untouched",
            State::Begun => "begun",
            State::Solved => "solved",
        }
    }
}

impl Progress {
    /// Reads what is remembered; what cannot be read is as good as nothing.
    pub(super) fn read(course: &Course, lesson: &Lesson) -> Self {
        let path = course.target_folder().join("exercises").join(&lesson.name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut progress = Self {
            path,
            ..Self::default()
        };
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("hints", number)) => progress.hints = number.parse().unwrap_or(0),
                Some(("solved", number)) => progress.solved = number.parse().ok(),
                _ => {}
            }
        }
        progress
    }

    /// Remembers it.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        let solved = self.solved.map(|solved| format!("solved {solved}\n"));
        let text = format!("hints {}\n{}", self.hints, solved.unwrap_or_default());
        let folder = self.path.parent().context("the file is in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&self.path, text))
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// Notes that the program has passed all checks; the hints begin from the first again.
    pub(super) fn solve(&mut self, fingerprint: u64) {
        self.solved = Some(fingerprint);
        self.hints = 0;
    }

    /// Tells how far the program is.
    pub(super) fn state(&self, program: &Path) -> anyhow::Result<State> {
        if self.solved == Some(fingerprint(program)?) {
            return Ok(State::Solved);
        }
        let has_gap = gap::is_marked(&read(program)?);
        Ok(if has_gap {
            State::Untouched
        } else {
            State::Begun
        })
    }
}

/// Gives a number that stands for a program's text.
pub(super) fn fingerprint(program: &Path) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    read(program)?.hash(&mut hasher);
    Ok(hasher.finish())
}

fn read(program: &Path) -> anyhow::Result<String> {
    fs::read_to_string(program).with_context(|| format!("{} cannot be read", program.display()))
}
