//! The reader's progress: the steps that were played, the exercises, and where to go on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use course::{Course, Lesson};

/// The progress, in a file of Cargo's target folder.
///
/// Each event is a line, added at the end. So a program that is killed, or two that play at once, can't damage
/// what is there. Unknown lines are ignored.
///
/// | event | meaning |
/// |---|---|
/// | `lesson LESSON [STEP]` | the reader is at this step, or at the lesson's opening |
/// | `played LESSON STEP` | the step was run, and succeeded |
/// | `end` | what was to be played has been played |
/// | `exercise LESSON` | the reader is at this exercise |
/// | `hint LESSON NUMBER` | the hints up to this one were shown |
/// | `checked LESSON HASH` | a program with this hash passed the checks; `failed` if it didn't |
pub(crate) struct Progress {
    file: PathBuf,
    events: Vec<String>,
}

/// Where to go on.
pub(crate) enum Next<'a> {
    /// From here to the end of the course: the argument of `--from`, which is empty for the whole course.
    Course(String),
    /// At the exercise of a lesson.
    Exercise(&'a Lesson),
    /// Every step has been played, and the reader isn't at an exercise.
    Nothing,
}

impl Progress {
    /// Reads the progress; there's none if the file can't be read.
    pub(crate) fn read(course: &Course) -> Self {
        let file = course.target_folder.join("course/progress");
        let events = fs::read(&file).unwrap_or_default();
        let events = String::from_utf8_lossy(&events);
        let events = events.lines().filter(|line| !line.is_empty());
        Self {
            events: events.map(str::to_owned).collect(),
            file,
        }
    }

    /// Adds an event.
    ///
    /// If it can't be written, for instance because the folder is read-only, this is no reason to stop a class.
    pub(crate) fn note(&mut self, event: &str) {
        if self.events.last().is_none_or(|last| last != event) {
            let _ = self.write(event);
            self.events.push(event.to_owned());
        }
    }

    fn write(&self, event: &str) -> io::Result<()> {
        fs::create_dir_all(self.file.parent().unwrap_or(&self.file))?;
        let mut file = File::options().create(true).append(true).open(&self.file)?;
        // In a single write, so that lines of two plays don't mix, and apart from a line that isn't complete.
        file.write_all(format!("\n{event}").as_bytes())
    }

    pub(crate) fn has_played(&self, lesson: &str, step: &str) -> bool {
        self.events.contains(&format!("played {lesson} {step}"))
    }

    /// Returns the end of the last event that begins like this.
    pub(crate) fn last(&self, beginning: &str) -> Option<&str> {
        let ends = self.events.iter().rev();
        let mut ends = ends.filter_map(|event| event.strip_prefix(beginning)?.strip_prefix(' '));
        ends.next()
    }

    /// Returns the place where the reader stopped, if the course still has it. After the end of what was to be
    /// played, or after an exercise that isn't open, that's the next step that wasn't played.
    pub(crate) fn next<'a>(
        &self,
        course: &'a Course,
        is_open: impl Fn(&Course, &Lesson) -> bool,
    ) -> anyhow::Result<Next<'a>> {
        let events = self.events.iter().rev();
        let mut events = events.map(|event| event.split_once(' ').unwrap_or((event, "")));
        let is_place = |(kind, _): &(&str, &str)| ["lesson", "exercise", "end"].contains(kind);
        let (kind, place) = events.find(is_place).unwrap_or(("lesson", ""));
        let place = [place, self.last("lesson").unwrap_or("")][usize::from(kind == "end")];
        let name = place.split(' ').next().unwrap_or_default();
        match (kind, course.lesson_if_any(name)) {
            ("lesson", None) => Ok(Next::Course(String::new())),
            ("lesson", Some(lesson)) => {
                let script = lesson.readme()?;
                let has_step = script.steps().any(|it| format!("{name} {it}") == place);
                let from = [name, place][usize::from(has_step)];
                Ok(Next::Course(from.to_owned()))
            }
            ("exercise", Some(lesson)) if is_open(course, lesson) => Ok(Next::Exercise(lesson)),
            _ => self.first_unplayed(course, place),
        }
    }

    /// Returns the first step that wasn't played, from a place on and then from the beginning of the course.
    fn first_unplayed<'a>(&self, course: &'a Course, place: &str) -> anyhow::Result<Next<'a>> {
        let mut steps = Vec::new();
        for lesson in &course.lessons {
            let (script, name) = (lesson.readme()?, &lesson.name);
            steps.extend(script.steps().enumerate().map(|(index, step)| {
                // A lesson begins with its opening.
                let from = match index {
                    0 => name.clone(),
                    _ => format!("{name} {step}"),
                };
                (from, self.has_played(name, step))
            }));
        }
        let lesson = place.split(' ').next().unwrap_or_default();
        let is_here = |(from, _): &(String, bool)| from == place || from == lesson;
        let here = steps.iter().rposition(is_here).unwrap_or(0);
        steps.rotate_left(here);
        let next = steps.into_iter().find(|(_, is_played)| !is_played);
        Ok(next.map_or(Next::Nothing, |(from, _)| Next::Course(from)))
    }
}
