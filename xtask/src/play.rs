mod pages;
mod run;

use std::io;
use std::ops::Range;
use std::time::Instant;

use crate::building::Programs;
use crate::keyboard::Keyboard;
use crate::pause::{Move, Pause};
use crate::scene::{Scene, Scenes};
use crate::screen::Screen;
use crate::summary::Played;
use course::document::{Block, Section};
use course::python::Python;
use course::{Course, command};

/// What is to be done beside playing.
pub(crate) struct Options {
    /// Waits for an answer from there before each run and after each scene.
    pub(crate) keyboard: Option<Keyboard>,
    /// Runs the counterpart of each step first.
    pub(crate) python: Option<Python>,
    /// Records each step, and shows what ran when.
    pub(crate) timeline: bool,
}

/// Plays scenes on a screen, and keeps in mind how it went.
pub(crate) struct Player<'a> {
    pub(crate) screen: Screen<'static>,
    course: &'a Course,
    scenes: &'a Scenes<'a>,
    options: Options,
    programs: Programs,
    /// The chapter that is on the screen, and since when.
    shown: Option<(usize, Instant)>,
    /// What became of each chapter that has been reached.
    pub(crate) played: Vec<Played<'a>>,
}

/// How the playing ended.
pub(crate) enum Ending {
    /// With the last scene.
    Whole,
    /// Because somebody wished so, before that scene.
    At(usize),
}

impl<'a> Player<'a> {
    pub(crate) fn new(
        screen: Screen<'static>,
        course: &'a Course,
        scenes: &'a Scenes<'a>,
        options: Options,
    ) -> Self {
        Self {
            screen,
            course,
            scenes,
            options,
            programs: Programs::new(&course.root),
            shown: None,
            played: Vec::new(),
        }
    }

    /// Plays to the end, or until somebody wants to quit.
    ///
    /// What goes wrong in a lesson is shown and kept in mind, and does not end the playing. An error
    /// means that the screen cannot be written to, or that nobody can be asked.
    pub(crate) fn play(&mut self) -> io::Result<Ending> {
        let mut place = 0;
        let ending = loop {
            let Some(scene) = self.scenes.all.get(place) else {
                break Ending::Whole;
            };
            match self.scene(place, scene)? {
                Move::Scene(next) => place = next,
                Move::Quit(next) => break Ending::At(next),
                Move::More | Move::Run | Move::Stay(_) => {}
            }
        };
        self.turn_to(None);
        Ok(ending)
    }

    fn scene(&mut self, place: usize, scene: &Scene) -> io::Result<Move> {
        let scenes = self.scenes;
        let above = self.open(scene);
        let shown = match scene {
            Scene::Welcome => self.blocks(place, above, &scenes.frame.welcome)?,
            Scene::Opening(chapter, words) => {
                let opening = match &scenes.chapters[*chapter].script {
                    Ok(script) => self.blocks(place, above, &script.opening)?,
                    Err(reason) => self.cannot_play(*chapter, &above, reason)?,
                };
                match opening {
                    Move::More => self.words(place, *chapter, Vec::new(), words)?,
                    other => other,
                }
            }
            Scene::Words(chapter, words) => self.words(place, *chapter, above, words)?,
            Scene::Step(chapter, section) => match scenes.section(*chapter, *section) {
                Some(section) => return self.step(place, *chapter, above, section),
                None => Move::More,
            },
            Scene::Farewell => self.section(place, above, "Farewell", &scenes.frame.farewell)?,
        };
        match shown {
            Move::More => self.pause(Pause::After, place),
            other => Ok(other),
        }
    }

    /// Gives the lines that show the title of what a scene belongs to, where it is another than that
    /// of the scene before, and begins to build the program that will be needed.
    fn open(&mut self, scene: &Scene) -> Vec<String> {
        let mut above = Vec::new();
        let chapter = scene.chapter();
        if matches!(scene, Scene::Welcome | Scene::Opening(..)) || self.chapter() != chapter {
            if self.shown.is_some() {
                above.push(String::new());
            }
            self.turn_to(chapter);
            match chapter {
                Some(chapter) => above.extend(self.title(chapter)),
                None if *scene == Scene::Welcome => above.extend(self.course_title()),
                None => {}
            }
        }
        let soon = match scene {
            Scene::Welcome => self.scenes.all.iter().find_map(Scene::chapter),
            _ => chapter,
        };
        if let Some(soon) = soon {
            self.programs.begin(&self.scenes.chapters[soon].lesson.name);
        }
        above
    }

    fn chapter(&self) -> Option<usize> {
        self.shown.map(|(chapter, _)| chapter)
    }

    /// Counts the time of the chapter that has been shown, and begins with that of another.
    fn turn_to(&mut self, chapter: Option<usize>) {
        if let Some((chapter, since)) = self.shown.take() {
            self.played(chapter).time += since.elapsed();
        }
        self.shown = chapter.map(|chapter| (chapter, Instant::now()));
    }

    /// Gives what is known of the playing of a chapter.
    fn played(&mut self, chapter: usize) -> &mut Played<'a> {
        let lesson = self.scenes.chapters[chapter].lesson;
        let place = self.played.iter().position(|one| one.chapter == chapter);
        let place = place.unwrap_or_else(|| {
            self.played.push(Played::new(chapter, lesson));
            self.played.len() - 1
        });
        &mut self.played[place]
    }

    fn course_title(&self) -> [String; 3] {
        let lessons = &self.course.lessons;
        let minutes: u32 = lessons.iter().map(|lesson| lesson.minutes).sum();
        let size = format!("{} lessons, about {minutes} minutes", lessons.len());
        self.screen.title_lines(&size, &self.scenes.frame.title)
    }

    fn title(&self, chapter: usize) -> [String; 3] {
        let lesson = self.scenes.chapters[chapter].lesson;
        let number = self.course.lessons.len();
        let place = format!("Lesson {} of {number}", lesson.number);
        self.screen.title_lines(&place, &lesson.title)
    }

    fn cannot_play(&mut self, chapter: usize, above: &[String], reason: &str) -> io::Result<Move> {
        above.iter().try_for_each(|line| self.screen.line(line))?;
        let failure = "its script cannot be read";
        self.played(chapter).note_lesson(Some(failure));
        self.screen
            .failure(&format!("This lesson cannot be played: {reason}"))?;
        Ok(Move::More)
    }

    /// Shows sections that have no step, the first of them below some lines.
    fn words(
        &mut self,
        place: usize,
        chapter: usize,
        mut above: Vec<String>,
        sections: &Range<usize>,
    ) -> io::Result<Move> {
        for section in sections.clone() {
            if let Some(section) = self.scenes.section(chapter, section) {
                let above = std::mem::take(&mut above);
                match self.section(place, above, &section.heading, &section.blocks)? {
                    Move::More => {}
                    other => return Ok(other),
                }
            }
        }
        Ok(Move::More)
    }

    /// Shows a step: what comes before its run, the run, and what comes after.
    fn step(
        &mut self,
        place: usize,
        chapter: usize,
        above: Vec<String>,
        section: &Section,
    ) -> io::Result<Move> {
        let step = section.step.as_deref().unwrap_or_default();
        let command = command(&self.scenes.chapters[chapter].lesson.name, step);
        // The recorded run gives way to a live one.
        let is_run = |block: &Block| matches!(block, Block::Code(code) if code.is_run_of(&command));
        let run = section.blocks.iter().position(is_run);
        let (before, after) = section.blocks.split_at(run.unwrap_or(section.blocks.len()));
        let after = after.get(1..).unwrap_or_default();
        let heading = format!("Step {step}: {}", section.words());
        let mut next = match self.section(place, above, &heading, before)? {
            Move::More => self.pause(Pause::BeforeRun, place)?,
            other => other,
        };
        let mut is_noticed = false;
        let mut has_run = false;
        while next == Move::Run {
            if has_run {
                // Somebody may have changed it meanwhile.
                self.programs
                    .forget(&self.scenes.chapters[chapter].lesson.name);
            }
            has_run = true;
            let is_built = self.run_step(chapter, step)?;
            if !is_built && self.options.keyboard.is_none() {
                let next = self.scenes.next_lesson(place);
                return Ok(Move::Scene(next.unwrap_or(self.scenes.all.len())));
            }
            if !is_noticed {
                next = self.blocks(place, Vec::new(), after)?;
                is_noticed = next == Move::More;
            }
            if is_noticed {
                next = self.pause(Pause::After, place)?;
            }
        }
        Ok(next)
    }
}
