//! The reader's progress: the steps that were played, and where the reader stopped.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use course::Course;

/// The progress, in a file of Cargo's target folder.
///
/// Each event is a line, added at the end. So a program that is killed, or two that play at once, can't damage
/// what is there. Unknown lines are ignored.
pub(crate) struct Progress {
    file: PathBuf,
    /// Lessons with a step, as in `pool map`.
    played: BTreeSet<String>,
    pub(crate) place: Place,
}

/// Where the reader stopped.
#[derive(PartialEq)]
pub(crate) enum Place {
    /// In a lesson, at a step or at the opening; empty at the beginning of the course.
    At(String),
    /// At the end of what was to be played, after this place.
    After(String),
    /// At the exercise of a lesson.
    Exercise(String),
}

impl Progress {
    /// Reads the progress; there's none if the file can't be read.
    pub(crate) fn read(course: &Course) -> Self {
        let mut progress = Self {
            file: course.target_folder.join("course").join("progress"),
            played: BTreeSet::new(),
            place: Place::At(String::new()),
        };
        let lines = fs::read(&progress.file).unwrap_or_default();
        for line in String::from_utf8_lossy(&lines).lines() {
            progress.learn(line);
        }
        progress
    }

    /// Adds a line: `played LESSON STEP`, `lesson LESSON [STEP]`, `exercise LESSON`, or `end`, which is the end
    /// of what was to be played.
    ///
    /// If it can't be written, for instance because the folder is read-only, this is no reason to stop a class.
    pub(crate) fn note(&mut self, line: &str) {
        if self.learn(line) {
            let _ = self.write(line);
        }
    }

    pub(crate) fn has_played(&self, lesson: &str, step: &str) -> bool {
        self.played.contains(&format!("{lesson} {step}"))
    }

    /// Learns from a line, and returns whether there was something new.
    fn learn(&mut self, line: &str) -> bool {
        let (event, rest) = line.split_once(' ').unwrap_or((line, ""));
        let place = match (event, &self.place) {
            ("played", _) => return self.played.insert(rest.to_owned()),
            ("lesson", _) => Place::At(rest.to_owned()),
            ("exercise", _) => Place::Exercise(rest.to_owned()),
            ("end", Place::At(last)) if rest.is_empty() => Place::After(last.clone()),
            _ => return false,
        };
        let is_new = place != self.place;
        self.place = place;
        is_new
    }

    fn write(&self, line: &str) -> io::Result<()> {
        fs::create_dir_all(self.file.parent().unwrap_or(&self.file))?;
        let mut file = File::options().create(true).append(true).open(&self.file)?;
        // In a single write, so that lines of two plays don't mix, and apart from a line that isn't complete.
        file.write_all(format!("\n{line}").as_bytes())
    }
}
