//! The screen of a race, and its keys.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use textwrap::Options;

use super::Source;
use super::columns::Columns;
use super::race::Race;
use crate::keys::{Key, Keyboard};
use crate::outcomes::Outcomes;
use crate::page::{Position, View, working};
use crate::screen::Screen;
use crate::style::BOLD;
use crate::wrap::wrap;
use course::build::Program;
use course::run;

/// What the key `?` shows.
const KEYS: &str = "\
1, 2, ...   who runs the next line; or press its letter
u           a step back
n           starts again
l           the cure, such as a lock, or no cure
Page Up     the first turns, if they don't fit
q           quits, and prints the command that replays it";

/// A person who chooses the turns of a race.
pub(super) struct Play<'a> {
    source: &'a Source,
    title: String,
    race: Race,
    has_cure: bool,
    /// The outputs of all schedules, once they have run: with the cure, and without it. Empty if that failed.
    all: Vec<String>,
    position: Position,
    /// What the last key has to say.
    note: String,
    /// The last outcome, and the command that replays it.
    pub(super) last: Option<(String, String)>,
}

impl<'a> Play<'a> {
    pub(super) fn begin(source: &'a Source, title: String, cure: bool) -> anyhow::Result<Self> {
        Ok(Self {
            source,
            title,
            race: Race::start(source.command("ask", cure), "")?,
            has_cure: cure,
            all: Vec::new(),
            position: Position::END,
            note: String::new(),
            last: None,
        })
    }

    /// Shows the race and obeys keys, until the person quits.
    pub(super) fn play(&mut self, screen: &mut Screen, keys: &mut Keyboard) -> anyhow::Result<()> {
        let (sender, all) = mpsc::channel();
        let programs = [true, false].map(|cure| self.source.command("all", cure));
        let run = |program| run::output(program, Program::STEP_LIMIT).unwrap_or_default();
        thread::spawn(move || programs.map(|program| sender.send(run(program))));
        loop {
            self.all.extend(all.try_iter());
            let key = self.show(screen, keys)?;
            if key == Key::Tick {
                self.race.check()?;
                continue;
            }
            self.note.clear();
            self.position = Position::END;
            match key {
                Key::Letter('q') | Key::End => break,
                Key::Letter(letter) => self.letter(letter)?,
                _ => self.note = KEYS.into(),
            }
        }
        // A program that is killed would leave its shared memory to the next one.
        while all.recv_timeout(Duration::from_secs(1)).is_ok() {}
        Ok(())
    }

    fn letter(&mut self, letter: char) -> anyhow::Result<()> {
        let is_named = |key: &(char, char)| letter == key.0 || letter.eq_ignore_ascii_case(&key.1);
        let actor = self.race.keys().find(is_named);
        match (letter, actor) {
            ('u', _) => {
                self.race.turns.pop();
                self.restart(&self.race.schedule())?;
            }
            ('n', _) => self.restart("")?,
            ('l', _) if self.has_other() => {
                self.has_cure = !self.has_cure;
                self.restart("")?;
            }
            (_, Some((_, actor))) => self.choose(actor)?,
            _ => self.note = KEYS.into(),
        }
        Ok(())
    }

    fn restart(&mut self, schedule: &str) -> anyhow::Result<()> {
        self.race = Race::start(self.source.command("ask", self.has_cure), schedule)?;
        Ok(())
    }

    /// Lets an actor run, or says why it can't.
    fn choose(&mut self, actor: char) -> anyhow::Result<()> {
        match self.race.next(actor) {
            _ if self.race.outcome.is_some() => {
                self.note = "It's over: u takes a step back, n starts again.".into();
            }
            None => self.note = format!("{actor} is finished."),
            Some(next) if !next.beside.is_empty() => {
                self.note = format!("{actor} is blocked: `{}` waits for another one.", next.line);
            }
            Some(_) => self.race.choose(actor)?,
        }
        if let Some(outcome) = &self.race.outcome {
            let schedule = self.race.schedule();
            let command = self.source.typed(&schedule, self.has_cure);
            self.last = Some((format!("{schedule}: {outcome}"), command));
        }
        Ok(())
    }

    /// Returns whether there's also a race without the cure, or with it.
    fn has_other(&self) -> bool {
        self.has_cure || self.all.first().is_some_and(|all| !all.is_empty())
    }

    /// Shows the race, and returns the next key that doesn't turn a page.
    fn show(&mut self, screen: &mut Screen, keyboard: &mut Keyboard) -> io::Result<Key> {
        if screen.measure() {
            self.position = Position::END;
        }
        let race = &self.race;
        let all = self.all.get(usize::from(!self.has_cure));
        let all = all.filter(|all| !all.is_empty());
        let all = all.map(|all| Outcomes::parse(all));
        let of = all.as_ref().map(|all| format!(" of {}", all.actions));
        let cure = if self.has_cure { ", cured" } else { "" };
        let last = self.last.as_ref().filter(|_| race.outcome.is_some());
        let keys = self.keys();
        let keys: Vec<(char, &str)> = keys.iter().map(|(key, does)| (*key, &**does)).collect();
        let view = View {
            title: format!("{}{cure} \u{b7} you are the scheduler", self.title),
            state: format!("{}{} turns", race.turns.len(), of.unwrap_or_default()),
            question: last.map_or(&race.goal, |(outcome, _)| outcome),
            is_asked: true,
            keys: &keys,
            ..View::default()
        };
        let blocks = self.blocks(screen, screen.room(&view), all.as_ref());
        screen.read(keyboard, &view, &blocks, &mut self.position)
    }

    /// Returns the turns that don't fit on the page, and the page: values, turns, and what's next or how it has
    /// ended.
    fn blocks(&self, screen: &Screen, room: usize, all: Option<&Outcomes>) -> [Vec<String>; 2] {
        let race = &self.race;
        let columns = Columns { race, screen };
        // If all of them are stuck, the program may say what they wait for.
        let is_waiting = race.outcome.is_none() || !race.next.is_empty();
        let mut below = Vec::from_iter(is_waiting.then(|| columns.next()));
        let options = Options::new(screen.width).break_words(false);
        let options = options.initial_indent(" ").subsequent_indent(" ");
        let mut add = |text: &str| {
            below.push(String::new());
            below.extend(text.lines().flat_map(|line| wrap(line, options.clone())));
        };
        if let (Some(outcome), Some((_, command))) = (&race.outcome, &self.last) {
            let unknown = || "The schedules that end like this haven't been counted yet.".into();
            add(&all.map_or_else(unknown, |all| all.meaning(outcome)));
            add(&screen.style.paint(BOLD, &format!("$ {command}")));
        }
        if !self.note.is_empty() {
            add(&self.note);
        }
        let mut page = columns.heading();
        let mut turns = columns.turns();
        let room = room.saturating_sub(page.len() + below.len()).max(1);
        let shown = turns.split_off(turns.len().saturating_sub(room));
        page.extend(shown.into_iter().chain(below));
        [turns, page]
    }

    /// Returns the keys that do something now.
    fn keys(&self) -> Vec<(char, String)> {
        let race = &self.race;
        let is_ready = |actor| race.next(actor).is_some_and(|next| next.beside.is_empty());
        let ready = race.keys().filter(|key| is_ready(key.1));
        let ready = ready.map(|(key, actor)| (key, format!("{actor} runs")));
        let has_begun = !race.turns.is_empty();
        let other = if self.has_cure { "no cure" } else { "cure" };
        let others = [
            ('u', "step back", has_begun),
            ('n', "again", has_begun),
            ('l', other, self.has_other()),
            ('q', "quit", true),
            ('?', "keys", true),
        ];
        let others = working(others).into_iter();
        let others = others.map(|(key, does)| (key, does.to_owned()));
        ready.chain(others).collect()
    }
}
