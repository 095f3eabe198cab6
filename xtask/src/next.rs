//! What comes next for the reader.

use crate::exercise;
use crate::progress::{Place, Progress};
use course::{Course, Lesson};

/// Where to go on.
pub(crate) enum Next<'a> {
    /// From here to the end of the course: the argument of `--from`, which is empty for the whole course.
    Course(String),
    /// At the exercise of a lesson.
    Exercise(&'a Lesson),
    /// Every step has been played, and the reader isn't at an exercise.
    Nothing,
}

impl<'a> Next<'a> {
    /// Returns the place where the reader stopped, if the course still has it. After the end of what was to be
    /// played, or after a solved exercise, that's the next step that wasn't played.
    pub(crate) fn after(progress: &Progress, course: &'a Course) -> anyhow::Result<Self> {
        let place = match &progress.place {
            Place::At(place) => place,
            Place::After(place) => return first_unplayed(progress, course, place),
            Place::Exercise(name) => {
                let lesson = course.lesson_if_any(name);
                let lesson = lesson.filter(|lesson| exercise::is_open(course, lesson));
                let next = || first_unplayed(progress, course, name);
                return lesson.map_or_else(next, |lesson| Ok(Self::Exercise(lesson)));
            }
        };
        let (name, step) = place.split_once(' ').unwrap_or((place, ""));
        let Some(lesson) = course.lesson_if_any(name) else {
            return Ok(Self::Course(String::new()));
        };
        let has_step = lesson.readme()?.steps().any(|it| it == step);
        let place = [&lesson.name, place][usize::from(has_step)];
        Ok(Self::Course(place.clone()))
    }
}

/// Returns the first step that wasn't played, from a place on and then from the beginning of the course.
fn first_unplayed<'a>(
    progress: &Progress,
    course: &Course,
    place: &str,
) -> anyhow::Result<Next<'a>> {
    let mut steps = Vec::new();
    for lesson in &course.lessons {
        let (script, name) = (lesson.readme()?, &lesson.name);
        steps.extend(script.steps().enumerate().map(|(index, step)| {
            // A lesson begins with its opening.
            let from = [format!("{name} {step}"), name.clone()][usize::from(index == 0)].clone();
            (from, progress.has_played(name, step))
        }));
    }
    let lesson = place.split(' ').next().unwrap_or_default();
    let is_here = |(from, _): &(String, bool)| from == place || from == lesson;
    let here = steps.iter().rposition(is_here).unwrap_or(0);
    steps.rotate_left(here);
    let next = steps.into_iter().find(|(_, is_played)| !is_played);
    Ok(next.map_or(Next::Nothing, |(from, _)| Next::Course(from)))
}
