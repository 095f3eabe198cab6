//! The outcomes of a race, from lines such as `ABBA: 2 are lost`.

use std::collections::{BTreeMap, BTreeSet};

/// The outcomes of all schedules of a race.
pub(crate) struct Outcomes<'a> {
    schedules: BTreeMap<&'a str, Vec<&'a str>>,
    /// The number of actions, unless the race gets stuck.
    pub(crate) actions: usize,
}

impl<'a> Outcomes<'a> {
    /// Parses the output of `--schedule all`.
    pub(crate) fn parse(all: &'a str) -> Self {
        let mut schedules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (turns, outcome) in replays(all) {
            schedules.entry(outcome).or_default().push(turns);
        }
        let lengths = replays(all).map(|(turns, _)| turns.chars().count());
        let actions = lengths.max().unwrap_or(0);
        Self { schedules, actions }
    }

    /// Returns the number of schedules.
    pub(crate) fn count(&self) -> usize {
        self.schedules.values().map(Vec::len).sum()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.schedules.keys().copied()
    }

    /// Returns the schedules that lead to an outcome.
    pub(crate) fn schedules(&self, outcome: &str) -> &[&'a str] {
        self.schedules.get(outcome).map_or(&[], Vec::as_slice)
    }

    /// Returns whether an outcome can come if each actor finishes before the next one begins.
    pub(crate) fn is_serial(&self, outcome: &str) -> bool {
        let is_serial = |turns: &&str| {
            let actors: BTreeSet<char> = turns.chars().collect();
            // A shorter schedule ends in a deadlock.
            turns.chars().count() == self.actions && switches(turns) + 1 == actors.len()
        };
        self.schedules(outcome).iter().any(is_serial)
    }

    /// Returns the outcomes that can come if each actor finishes before the next one begins.
    pub(crate) fn serial(&self) -> Vec<&'a str> {
        self.names().filter(|name| self.is_serial(name)).collect()
    }

    /// Says whether an outcome needs a race, and how many schedules lead to it.
    pub(crate) fn meaning(&self, outcome: &str) -> String {
        let (same, all, serial) = (self.schedules(outcome).len(), self.count(), self.serial());
        let whole: usize = serial.iter().map(|name| self.schedules(name).len()).sum();
        let how_many = format!("{same} of {all} schedules end like this.");
        if !self.is_serial(outcome) {
            let serial = serial.join("\", or \"");
            return format!(
                "No order in which one finishes before the next begins gives this: then it's always \
                 \"{serial}\". {how_many}"
            );
        }
        let others = match all - whole {
            0 => "In none of them does anything go wrong.".to_owned(),
            others => format!("In {others} others, something goes wrong."),
        };
        format!("You also get this if one finishes before the next begins. {how_many} {others}")
    }
}

/// Parses lines into schedules and outcomes.
pub(crate) fn replays(output: &str) -> impl Iterator<Item = (&str, &str)> {
    output.lines().filter_map(|line| line.split_once(": "))
}

/// Returns the number of context switches: a schedule with few of them is easy to follow.
pub(crate) fn switches(turns: &str) -> usize {
    let next = turns.chars().skip(1);
    let pairs = turns.chars().zip(next);
    pairs.filter(|(one, other)| one != other).count()
}
