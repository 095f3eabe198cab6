use std::collections::{BTreeMap, BTreeSet};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ask::{Parked, say};
use crate::chooser::Chooser;
use crate::end::End;

/// How far a race has got.
pub(crate) struct Progress {
    chooser: Chooser,
    /// The number of actions that each actor has left; only the actors that have some.
    left: BTreeMap<char, usize>,
    /// The actors that have reached their first action.
    started: BTreeSet<char>,
    /// The actors that have reached their next action.
    parked: BTreeMap<char, Parked>,
    /// The actor that was chosen, until its action begins.
    pub(crate) next: Option<char>,
    /// The actor whose action is running.
    acting: Option<char>,
    /// The letters of the actions that have happened.
    pub(crate) taken: String,
    /// The actors that were ready at each decision.
    pub(crate) ready: Vec<Vec<char>>,
    pub(crate) end: Option<End>,
    /// The time of the last decision, or of the last begin or end of an action.
    pub(crate) changed: Instant,
    values: Vec<Value>,
    /// The threads that take the turns of processes.
    pub(crate) servers: Vec<JoinHandle<()>>,
}

/// The name of a value that the actors share, and what returns its text.
type Value = (String, Box<dyn Fn() -> String + Send>);

impl Progress {
    pub(crate) fn new(turns: &str, chooser: Chooser) -> Progress {
        Progress {
            chooser,
            left: count(turns),
            started: BTreeSet::new(),
            parked: BTreeMap::new(),
            next: None,
            acting: None,
            taken: String::new(),
            ready: Vec::new(),
            end: None,
            changed: Instant::now(),
            values: Vec::new(),
            servers: Vec::new(),
        }
    }

    pub(crate) fn add_value(&mut self, name: String, text: Box<dyn Fn() -> String + Send>) {
        self.values.push((name, text));
    }

    /// Returns whether all actors have reached their first action, as `actor` has.
    pub(crate) fn all_started(&mut self, actor: char) -> bool {
        self.started.insert(actor);
        self.left.keys().all(|actor| self.started.contains(actor))
    }

    pub(crate) fn has_actions_left(&self, actor: char) -> bool {
        self.left.contains_key(&actor)
    }

    /// Returns whether an actor that has reached its next action may perform it now. The last actor to come
    /// makes the decision. `is_ready` returns whether the actor could run `line`.
    pub(crate) fn may_act(
        &mut self,
        actor: char,
        line: &str,
        is_ready: impl FnOnce() -> Result<bool, String>,
    ) -> Result<bool, End> {
        if self.acting.is_some() {
            return Ok(false);
        }
        if self.next.is_none() {
            if !self.is_parked(actor) {
                let parked = Parked {
                    step: self.step(),
                    line: line.to_owned(),
                    is_ready: is_ready().map_err(End::Failed)?,
                };
                self.parked.insert(actor, parked);
            }
            if matches!(self.chooser, Chooser::Free) && self.parked[&actor].is_ready {
                return Ok(true);
            }
            if self.left.keys().all(|&actor| self.is_parked(actor)) {
                self.next = Some(self.decide()?);
                self.changed = Instant::now();
            }
        }
        Ok(self.next == Some(actor))
    }

    fn decide(&mut self) -> Result<char, End> {
        self.show_values()?;
        let ready = self.parked.iter().filter(|(_, parked)| parked.is_ready);
        self.ready.push(ready.map(|(&actor, _)| actor).collect());
        self.chooser.choose(self.step(), &self.parked)
    }

    pub(crate) fn begin(&mut self, actor: char) {
        self.parked.remove(&actor);
        self.next = None;
        self.acting = Some(actor);
        self.changed = Instant::now();
    }

    /// Ends an action without counting it.
    pub(crate) fn give_up(&mut self, why: String) {
        self.acting = None;
        self.end.get_or_insert(End::Failed(why));
    }

    /// Ends an action and counts it. `shown` is what it returned.
    pub(crate) fn complete(&mut self, actor: char, line: &str, shown: &str) {
        self.acting = None;
        self.changed = Instant::now();
        self.taken.push(actor);
        if let Some(left) = self.left.get_mut(&actor) {
            *left -= 1;
        }
        self.left.retain(|_, left| *left > 0);
        if matches!(self.chooser, Chooser::Ask) {
            let said = say(&["did", &actor.to_string(), line, shown]);
            let is_last = self.left.is_empty();
            let said = said.and_then(|()| if is_last { self.show_values() } else { Ok(()) });
            self.end = self.end.take().or(said.err());
        }
    }

    fn show_values(&self) -> Result<(), End> {
        if matches!(self.chooser, Chooser::Ask) {
            for (name, text) in &self.values {
                say(&["value", name, &text()])?;
            }
        }
        Ok(())
    }

    /// Says what the race has waited for, for too long.
    pub(crate) fn overdue(&self, limit: Duration) -> String {
        let late = if let Some(actor) = self.acting {
            format!("the action of {actor} did not end")
        } else {
            // In a free run, the actors wait for each other before their first action.
            let has_started = |actor| self.taken.is_empty() && self.started.contains(actor);
            let missing = self
                .left
                .keys()
                .filter(|actor| !self.is_parked(**actor) && !has_started(actor));
            let missing: Vec<String> = missing.map(char::to_string).collect();
            format!("{} did not reach the next action", missing.join(", "))
        };
        format!("{late} within {limit:?}")
    }

    /// Returns whether an actor has reached its next action, and it is known whether it is ready.
    fn is_parked(&self, actor: char) -> bool {
        let parked = self.parked.get(&actor);
        parked.is_some_and(|parked| parked.step == self.step())
    }

    fn step(&self) -> usize {
        self.taken.chars().count()
    }
}

/// Counts the actions of each actor.
pub(crate) fn count(turns: &str) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for actor in turns.chars() {
        *counts.entry(actor).or_default() += 1;
    }
    counts
}
