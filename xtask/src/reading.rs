//! Reads scenes page by page, with keys.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use crate::keys::{Key, Keyboard};
use crate::page::{Position, View, working};
use crate::player::Player;
use crate::playing::{Playing, Publisher};
use crate::playlist::{Kind, Scene, next_lesson, start};
use course::Lesson;
use course::document::Block;

/// What the key `?` shows.
const KEYS: &str = "\
| Key | What it does |
|---|---|
| Enter, space, \u{2192}, Page Down | the next page, or the run |
| \u{2190}, Page Up | a page back |
| b | the step before this one |
| r | run again, with your changes |
| p | run the step in Python |
| s | the next lesson |
| q | quit, and show how to continue |
";

/// The number of cells in the bar that shows the place in a lesson.
const CELLS: usize = 8;

/// A person who reads scenes page by page.
pub(crate) struct Reader<'p, 'a> {
    player: &'p mut Player<'a>,
    keyboard: Keyboard,
    position: Position,
    /// The lines that each scene's run has shown, by the scene's index.
    printed: HashMap<usize, Vec<String>>,
    clock: Clock,
    publisher: Publisher,
    /// The argument of `--from` that continues where the person quit.
    resume: Option<String>,
}

/// The time spent in each lesson, by its number.
#[derive(Default)]
struct Clock {
    spent: HashMap<u32, Duration>,
    now: Option<(u32, Instant)>,
}

impl Clock {
    /// Returns the time spent in a lesson, which is the current one from now on.
    fn in_lesson(&mut self, number: u32) -> Duration {
        let now = Instant::now();
        if let Some((before, since)) = self.now.replace((number, now)) {
            *self.spent.entry(before).or_default() += now - since;
        }
        self.spent.get(&number).copied().unwrap_or_default()
    }

    /// Returns the time spent in all lessons.
    fn total(&self) -> Duration {
        self.spent.values().sum()
    }
}

impl<'p, 'a> Reader<'p, 'a> {
    pub(crate) fn new(player: &'p mut Player<'a>, keyboard: Keyboard) -> Self {
        Self {
            publisher: Publisher::new(&player.course.target_folder),
            player,
            keyboard,
            position: Position::default(),
            printed: HashMap::new(),
            clock: Clock::default(),
            resume: None,
        }
    }

    /// Reads to the end, or until the person quits. Returns the argument of `--from` that continues there.
    pub(crate) fn read(mut self) -> io::Result<Option<String>> {
        while let Some(scene) = self.player.begin_scene() {
            self.player.place = self.read_scene(scene)?;
        }
        self.player.end(self.resume.as_deref());
        Ok(self.resume)
    }

    /// Shows a scene, and returns the index of the scene that the reader goes to.
    fn read_scene(&mut self, scene: &'a Scene) -> io::Result<usize> {
        let place = self.player.place;
        if scene.kind != Kind::Text && !self.printed.contains_key(&place) {
            let view = self.view(scene);
            let (lines, end) = self.live(&view, |player| player.run_scene(scene).map(|_| ()))?;
            self.printed.insert(place, lines);
            self.position = end;
        }
        let (mut size, mut blocks) = (None, Vec::new());
        loop {
            self.publish();
            self.player.screen.measure();
            if size != Some(self.player.screen.size) {
                size = Some(self.player.screen.size);
                blocks = self.player.screen.laid_out(&scene.blocks);
                blocks.splice(0..0, self.printed.get(&place).cloned());
            }
            let keys = self.keys(scene);
            let mut view = self.view(scene);
            view.keys = &keys;
            let screen = &mut self.player.screen;
            let key = screen.read(&mut self.keyboard, &view, &blocks, &mut self.position)?;
            let next = match key {
                Key::Forward => Some((place + 1, Position::default())),
                Key::Back => self.scene_before().map(|before| (before, Position::END)),
                Key::Letter('q') | Key::End => {
                    self.quit();
                    Some((self.player.scenes.len(), Position::default()))
                }
                Key::Letter(letter) => self.letter(scene, letter)?,
                Key::Unknown => self.letter(scene, '?')?,
                Key::Tick | Key::Resumed => None,
            };
            if let Some((place, position)) = next {
                self.position = position;
                return Ok(place);
            }
        }
    }

    /// Does what a letter stands for. Returns the place that the reader goes to, if that's another one.
    fn letter(&mut self, scene: &'a Scene, letter: char) -> io::Result<Option<(usize, Position)>> {
        let place = match (letter, scene.lesson, &scene.step) {
            ('b', ..) => self.step_before(),
            ('s', ..) => next_lesson(self.player.scenes, self.player.place),
            ('r', Some(lesson), _) if scene.kind != Kind::Text => {
                // The program may have changed.
                self.player.programs.forget(&lesson.name);
                self.printed.remove(&self.player.place);
                Some(self.player.place)
            }
            ('p', Some(lesson), Some(step)) if self.player.python.is_some() => {
                let view = self.view(scene);
                let (lines, end) = self.live(&view, |player| player.run_python(lesson, step))?;
                self.aside(view, &[lines], end)?;
                None
            }
            _ => {
                self.show("Keys", KEYS)?;
                None
            }
        };
        Ok(place.map(|place| (place, Position::default())))
    }

    /// Does some work on a live page. Returns the page's lines, and the position at their end.
    fn live(
        &mut self,
        view: &View,
        work: impl FnOnce(&mut Player<'a>) -> io::Result<()>,
    ) -> io::Result<(Vec<String>, Position)> {
        self.player.screen.begin_live(view, "running ...")?;
        work(self.player)?;
        // Keys that were pressed during the run were not meant for what comes after it.
        self.keyboard.discard()?;
        self.player.screen.end_live(view)
    }

    /// Shows blocks of lines until a key is pressed that doesn't turn a page.
    fn aside(
        &mut self,
        mut view: View,
        blocks: &[Vec<String>],
        mut position: Position,
    ) -> io::Result<()> {
        view.enter = "go on";
        view.has_before = false;
        view.is_asked = true;
        loop {
            let screen = &mut self.player.screen;
            screen.measure();
            let key = screen.read(&mut self.keyboard, &view, blocks, &mut position)?;
            if !matches!(key, Key::Tick | Key::Resumed) {
                return Ok(());
            }
        }
    }

    /// Shows a text of its own, until a key is pressed that doesn't turn a page.
    pub(crate) fn show(&mut self, title: &str, text: &str) -> io::Result<()> {
        let view = View {
            title: title.to_owned(),
            ..View::default()
        };
        let text = [Block::Prose(text.to_owned())];
        let blocks = self.player.screen.laid_out(&text);
        self.aside(view, &blocks, Position::default())
    }

    /// Shows the teacher in another terminal what the screen shows.
    fn publish(&mut self) {
        let (scenes, place) = (self.player.scenes, self.player.place);
        // The welcome and the farewell are in no lesson.
        let number = scenes[place].lesson_number().unwrap_or(0);
        let times = [self.clock.in_lesson(number), self.clock.total()];
        self.publisher.publish(Playing::of(scenes, place, times));
    }

    /// Remembers where to continue: after this scene if it was shown to its end.
    fn quit(&mut self) {
        let next = self.player.place + usize::from(self.position.is_last());
        let scene = &self.player.scenes[self.player.place];
        let is_asking = scene.step.is_some() && scene.kind != Kind::Rust;
        let next = if is_asking { self.player.place } else { next };
        let next = self.player.scenes.get(next);
        self.resume = next.and_then(|scene| scene.resume.clone());
    }

    /// Returns the nearest place before this one that can be shown without running a step.
    fn scene_before(&self) -> Option<usize> {
        let is_printed = |place: &usize| self.printed.contains_key(place);
        let can_show =
            |place: &usize| self.player.scenes[*place].kind == Kind::Text || is_printed(place);
        (0..self.player.place).rev().find(can_show)
    }

    /// Returns the place where the step, or the text without a step, before this one begins.
    fn step_before(&self) -> Option<usize> {
        let (scenes, place) = (self.player.scenes, self.player.place);
        let before = start(scenes, place).checked_sub(1);
        before.map(|before| start(scenes, before))
    }

    /// Returns the letters that do something here.
    fn keys(&self, scene: &Scene) -> Vec<(char, &'static str)> {
        let has_next = next_lesson(self.player.scenes, self.player.place).is_some();
        let has_python = scene.step.is_some() && self.player.python.is_some();
        working([
            ('r', "again", scene.kind != Kind::Text),
            ('b', "step back", self.step_before().is_some()),
            ('s', "next lesson", has_next),
            ('p', "Python", has_python),
            ('q', "quit", true),
            ('?', "keys", true),
        ])
    }

    /// Returns what stands around a scene's text, without the letters.
    fn view(&mut self, scene: &'a Scene<'a>) -> View<'a> {
        let next = self.player.scenes.get(self.player.place + 1);
        let is_printed = self.printed.contains_key(&(self.player.place + 1));
        let enter = match next.map(|next| next.kind) {
            None => "end",
            Some(Kind::Text) => "continue",
            Some(_) if is_printed => "see the run",
            Some(Kind::Python) => "run Python",
            Some(Kind::Rust) => "run",
        };
        let state = scene.lesson.map(|lesson| self.state(lesson));
        View {
            title: scene.title.clone(),
            state: state.unwrap_or_default(),
            question: &scene.question,
            is_asked: scene.kind != Kind::Text,
            enter,
            has_before: self.scene_before().is_some(),
            keys: &[],
        }
    }

    /// Returns the place in the lesson as a bar, and the minutes spent in it and planned for it.
    fn state(&mut self, lesson: &Lesson) -> String {
        let is_here = |scene: &&Scene| scene.lesson_number() == Some(lesson.number);
        let (before, after) = self.player.scenes.split_at(self.player.place);
        let [done, left] = [before, after].map(|scenes| scenes.iter().filter(is_here).count());
        let cells = CELLS * done / (done + left);
        let minutes = self.clock.in_lesson(lesson.number).as_secs() / 60;
        let bar = if self.player.screen.is_plain() {
            String::new()
        } else {
            "\u{2588}".repeat(cells) + &"\u{2591}".repeat(CELLS - cells)
        };
        format!("{bar}  {minutes} of {} min", lesson.minutes)
    }
}
