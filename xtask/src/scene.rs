use std::ops::Range;

use crate::frame::Frame;
use crate::selection::{Part, Selected};
use course::document::{Document, Section};
use course::misuse::Misuse;
use course::{Course, Lesson};

/// What is to be played, scene by scene.
pub(crate) struct Scenes<'a> {
    pub(crate) frame: Frame,
    pub(crate) chapters: Vec<Chapter<'a>>,
    pub(crate) all: Vec<Scene>,
}

/// A lesson that is played, or some of its steps.
pub(crate) struct Chapter<'a> {
    pub(crate) lesson: &'a Lesson,
    /// The script, or why it cannot be read.
    pub(crate) script: Result<Document, String>,
}

/// What is shown between two pauses, but for the run of a step, which has a pause before it, too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scene {
    /// The words with which the course begins.
    Welcome,
    /// The title of a lesson, its opening words, and those of its sections that show no step.
    Opening(usize, Range<usize>),
    /// A step of a lesson: the lesson's place among the chapters, and that of the section.
    Step(usize, usize),
    /// Sections that show no step and come after one.
    Words(usize, Range<usize>),
    /// The words with which the course ends.
    Farewell,
}

impl Scene {
    /// Gives the place of the lesson among the chapters.
    pub(crate) fn chapter(&self) -> Option<usize> {
        match self {
            Self::Welcome | Self::Farewell => None,
            Self::Opening(chapter, _) | Self::Step(chapter, _) | Self::Words(chapter, _) => {
                Some(*chapter)
            }
        }
    }
}

impl<'a> Scenes<'a> {
    /// Makes scenes of lessons and parts of lessons.
    pub(crate) fn of_lessons(selected: Vec<Selected<'a>>) -> Self {
        let mut scenes = Vec::new();
        let mut chapters = Vec::new();
        for (place, Selected { lesson, part }) in selected.into_iter().enumerate() {
            let script = lesson.readme().map_err(|error| format!("{error:#}"));
            let sections = script.as_ref().map_or(&[][..], |script| &script.sections);
            match part {
                Part::Whole => scenes.extend(whole_lesson(place, sections)),
                Part::Steps(steps) => scenes.extend(steps.iter().filter_map(|step| {
                    let section = sections
                        .iter()
                        .position(|one| one.step.as_ref() == Some(step))?;
                    Some(Scene::Step(place, section))
                })),
            }
            chapters.push(Chapter { lesson, script });
        }
        Self {
            frame: Frame::default(),
            chapters,
            all: scenes,
        }
    }

    /// Puts the words before and after with which the whole course begins and ends.
    pub(crate) fn framed(mut self, frame: Frame) -> Self {
        if !frame.welcome.is_empty() {
            self.all.insert(0, Scene::Welcome);
        }
        if !frame.farewell.is_empty() {
            self.all.push(Scene::Farewell);
        }
        self.frame = frame;
        self
    }

    /// Leaves out what comes before a lesson, or before a step of it.
    pub(crate) fn starting_at(
        mut self,
        course: &Course,
        wanted: &str,
        step: Option<&str>,
    ) -> Result<Self, Misuse> {
        let lesson = course.lesson(wanted)?;
        let first = match step {
            None => self.all.iter().position(|scene| {
                let chapter = scene.chapter();
                chapter.is_some_and(|chapter| self.chapters[chapter].lesson.name == lesson.name)
            }),
            Some(step) => {
                self.check_step(lesson, step)?;
                let name = (lesson.name.as_str(), step);
                let mut scenes = self.all.iter();
                scenes.position(|scene| self.step_name(scene) == Some(name))
            }
        };
        let Some(first) = first else {
            let what = [&lesson.name].into_iter().map(String::as_str).chain(step);
            return Err(Misuse(format!(
                "{} is not among what is to be played: name it, too, or leave out --from",
                what.collect::<Vec<_>>().join(" ")
            )));
        };
        self.all.drain(..first);
        Ok(self)
    }

    /// Refuses a step that the lesson does not have.
    fn check_step(&self, lesson: &Lesson, wanted: &str) -> Result<(), Misuse> {
        let mut chapters = self.chapters.iter();
        let script = chapters
            .find(|chapter| chapter.lesson.name == lesson.name)
            .and_then(|chapter| chapter.script.as_ref().ok());
        let Some(script) = script else { return Ok(()) };
        lesson.step(script, wanted).map(|_| ())
    }

    /// Gives the section that a step shows.
    pub(crate) fn section(&self, chapter: usize, section: usize) -> Option<&Section> {
        self.chapters[chapter]
            .script
            .as_ref()
            .ok()?
            .sections
            .get(section)
    }

    /// Gives the names of the lesson and of the step that a scene shows.
    pub(crate) fn step_name(&self, scene: &Scene) -> Option<(&str, &str)> {
        let Scene::Step(chapter, section) = scene else {
            return None;
        };
        let step = self.section(*chapter, *section)?.step.as_deref()?;
        Some((&self.chapters[*chapter].lesson.name, step))
    }

    /// Gives what is to be written after `--from` so that the playing goes on with that scene, or
    /// with the step before it if the scene has no name. At the beginning it is nothing at all, and
    /// after the last step there is nothing to go on with.
    pub(crate) fn name_of(&self, place: usize) -> Option<String> {
        match self.all.get(place)? {
            Scene::Welcome => Some(String::new()),
            Scene::Opening(chapter, _) => Some(self.chapters[*chapter].lesson.name.clone()),
            scene @ Scene::Step(..) => {
                let (lesson, step) = self.step_name(scene)?;
                Some(format!("{lesson} {step}"))
            }
            Scene::Words(..) => self.name_of(place.checked_sub(1)?),
            Scene::Farewell => None,
        }
    }

    /// Gives the first scene of the lesson that comes after a scene, or the farewell.
    pub(crate) fn next_lesson(&self, place: usize) -> Option<usize> {
        let here = self.all.get(place)?.chapter();
        (place + 1..self.all.len()).find(|later| self.all[*later].chapter() != here)
    }
}

/// Gives the scenes of a whole lesson.
fn whole_lesson(chapter: usize, sections: &[Section]) -> Vec<Scene> {
    let mut scenes = vec![Scene::Opening(chapter, 0..0)];
    for (place, section) in sections.iter().enumerate() {
        match scenes.last_mut() {
            _ if section.step.is_some() => scenes.push(Scene::Step(chapter, place)),
            Some(Scene::Opening(_, words) | Scene::Words(_, words)) => words.end = place + 1,
            _ => scenes.push(Scene::Words(chapter, place..place + 1)),
        }
    }
    scenes
}

#[cfg(test)]
pub(crate) mod tests;
