//! A race, and what its program says about it.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;

use course::dialogue::Dialogue;
use course::source::visible;

/// How long the program may take for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// A race that waits for a choice, or is over.
#[derive(Default)]
pub(super) struct Race {
    /// Until the outcome.
    program: Option<Dialogue>,
    pub(super) goal: String,
    pub(super) actors: BTreeSet<char>,
    /// The shared values now, and before the last turn: names and texts.
    pub(super) values: [Vec<(String, String)>; 2],
    pub(super) turns: Vec<Action>,
    /// The next actions of the actors that aren't finished.
    pub(super) next: Vec<Action>,
    pub(super) outcome: Option<String>,
}

/// A line that an actor runs or has run.
pub(super) struct Action {
    pub(super) actor: char,
    pub(super) line: String,
    /// What it has returned, or that it's blocked.
    pub(super) beside: String,
}

impl Race {
    /// Starts the program of a race, and replays the beginning of a schedule.
    pub(super) fn start(program: Command, schedule: &str) -> anyhow::Result<Self> {
        let mut race = Self {
            program: Some(Dialogue::start(program)?),
            ..Self::default()
        };
        race.listen()?;
        schedule.chars().try_for_each(|actor| race.choose(actor))?;
        Ok(race)
    }

    /// Lets an actor run its next line.
    pub(super) fn choose(&mut self, actor: char) -> anyhow::Result<()> {
        if let Some(program) = &mut self.program {
            program.send(&actor.to_string());
            self.listen()?;
        }
        Ok(())
    }

    /// Returns an error if the program has ended before the race.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        match &self.program {
            Some(program) if program.has_ended()? => self.listen(),
            _ => Ok(()),
        }
    }

    /// Reads what the program says, up to the next choice or the outcome.
    fn listen(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        self.next.clear();
        self.values.swap(0, 1);
        self.values[0].clear();
        while let Some(program) = &mut self.program {
            let line = visible(&program.line(start, LIMIT)?);
            if line == "choose" {
                break;
            }
            self.hear(&line)?;
            self.program.take_if(|_| self.outcome.is_some());
        }
        Ok(())
    }

    /// Remembers what the program says.
    pub(super) fn hear(&mut self, line: &str) -> anyhow::Result<()> {
        let fields: Vec<&str> = line.split('\t').collect();
        let action = |line: &str, beside: &str| Action {
            actor: fields[1].chars().next().unwrap_or('?'),
            line: line.to_owned(),
            beside: beside.to_owned(),
        };
        match *fields.as_slice() {
            ["goal", goal] => self.goal = goal.into(),
            ["value", name, text] => self.values[0].push((name.into(), text.into())),
            ["next", _, line] => self.next.push(action(line, "")),
            ["blocked", _, line] => self.next.push(action(line, "blocked")),
            ["did", _, line, result] => self.turns.push(action(line, result)),
            ["outcome", outcome] => self.outcome = Some(outcome.into()),
            _ => bail!("the program says what isn't part of a race: `{line}`"),
        }
        self.actors.extend(self.next.iter().map(|next| next.actor));
        Ok(())
    }

    /// Returns the letters of the turns so far.
    pub(super) fn schedule(&self) -> String {
        self.turns.iter().map(|turn| turn.actor).collect()
    }

    /// Returns what an actor runs next, unless it's finished.
    pub(super) fn next(&self, actor: char) -> Option<&Action> {
        self.next.iter().find(|next| next.actor == actor)
    }

    /// Returns the actors, with a key for each.
    pub(super) fn keys(&self) -> impl Iterator<Item = (char, char)> {
        ('1'..='9').zip(self.actors.iter().copied())
    }
}
