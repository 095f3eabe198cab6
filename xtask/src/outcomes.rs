//! The outcomes of a race, from lines such as `ABBA: 2 are lost`.

use std::collections::{BTreeMap, BTreeSet};

/// The outcomes of all schedules of a race.
pub(crate) struct Outcomes<'a> {
    /// The schedules that lead to each outcome.
    pub(crate) schedules: BTreeMap<&'a str, Vec<&'a str>>,
    /// The outcomes that can come if each actor finishes before the next one begins.
    pub(crate) serial: Vec<&'a str>,
    /// The number of schedules.
    pub(crate) count: usize,
    /// The number of actions, unless the race gets stuck.
    pub(crate) actions: usize,
}

impl<'a> Outcomes<'a> {
    /// Parses the output of `--schedule all`.
    pub(crate) fn parse(all: &'a str) -> Self {
        let actions = replays(all).map(|(turns, _)| turns.len()).max();
        let actions = actions.unwrap_or(0);
        let (mut schedules, mut serial) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for (turns, outcome) in replays(all) {
            schedules.entry(outcome).or_default().push(turns);
            let actors: BTreeSet<char> = turns.chars().collect();
            // A shorter schedule ends in a deadlock.
            if turns.len() == actions && switches(turns) + 1 == actors.len() {
                serial.push(outcome);
            }
        }
        serial.sort_unstable();
        serial.dedup();
        Self {
            schedules,
            serial,
            count: replays(all).count(),
            actions,
        }
    }

    /// Says whether an outcome needs a race, and how many schedules lead to it.
    pub(crate) fn meaning(&self, outcome: &str) -> String {
        let same = self.schedules.get(outcome).map_or(0, Vec::len);
        let how_many = format!("{same} of {} schedules end like this.", self.count);
        if !self.serial.contains(&outcome) {
            let serial = self.serial.join("\", or \"");
            return format!(
                "No order in which one finishes before the next begins gives this: then it's always \
                 \"{serial}\". {how_many}"
            );
        }
        let whole = self.serial.iter().map(|name| self.schedules[name].len());
        let others = match self.count - whole.sum::<usize>() {
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
    let pairs = turns.as_bytes().windows(2);
    pairs.filter(|pair| pair[0] != pair[1]).count()
}
