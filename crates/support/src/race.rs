#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{bail, ensure};

use crate::chooser::Chooser;
use crate::end::End;
use crate::progress::count;
use crate::schedule::Schedule;

/// The most schedules that are run one after the other.
const MAX_SCHEDULES: usize = 10_000;

/// A race of a step, small enough to run with a [`Schedule`].
///
/// If you pass it to [`run_steps_and_races`](crate::run_steps_and_races), you can replay it on the command
/// line, `cargo run -q -p LESSON -- STEP --schedule ABBA`, choose who runs next by `cargo xtask schedule`, and
/// count its outcomes by `cargo xtask repeat`.
///
/// [`Schedule`] has an example.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Name of the step that the race belongs to.
    pub step: &'static str,
    /// One letter for each action: in `AAAABBBB`, the actors A and B each perform four. An actor is a
    /// thread or a process. Only a lock that is taken may keep an actor from its next action.
    pub turns: &'static str,
    /// What a person who chooses who runs next tries to reach: one sentence.
    pub goal: &'static str,
    /// Runs the race, with [`Schedule::turn`] around each action, and describes the outcome in a few
    /// words, which are the same for the same outcome. If the race gets stuck, they follow `stuck: `.
    pub run: fn(&Schedule) -> anyhow::Result<String>,
    /// The same race without the bug, in which the goal cannot be reached.
    pub cure: Option<&'static Race>,
}

impl Race {
    /// Runs the race in the order of `turns`, and returns the outcome. A schedule may have fewer letters than
    /// there are actions if the race is stuck after it.
    ///
    /// # Errors
    ///
    /// If `turns` is not a schedule of this race, or if the race fails.
    pub fn replay(&self, turns: &str) -> anyhow::Result<String> {
        self.check_letters(turns)?;
        let (_, outcome) =
            self.run_with(&self.schedule(Chooser::Given(turns.chars().collect())))?;
        Ok(outcome)
    }

    /// Runs the race without a schedule. Returns the order in which the actions happened, which is a
    /// schedule that repeats the outcome, and the outcome.
    ///
    /// # Errors
    ///
    /// If the race fails.
    pub fn run_free(&self) -> anyhow::Result<(String, String)> {
        self.run_with(&self.schedule(Chooser::Free))
    }

    /// Runs the race in every possible order. Returns each schedule with its outcome, in alphabetical order.
    ///
    /// # Errors
    ///
    /// If there are more than ten thousand, or if the race fails.
    pub fn run_all(&self) -> anyhow::Result<Vec<(String, String)>> {
        self.run_up_to(MAX_SCHEDULES)
    }

    fn run_up_to(&self, most: usize) -> anyhow::Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        let mut prefix = Some(Vec::new());
        while let Some(letters) = prefix {
            let turns = self.turns;
            ensure!(
                all.len() < most,
                End::Refused(format!(
                    "{turns} has too many schedules to run them all: more than {most}"
                ))
            );
            let schedule = self.schedule(Chooser::Prefix(letters));
            let run = self.run_with(&schedule)?;
            prefix = following(&run.0, &schedule.shared.progress().ready);
            all.push(run);
        }
        Ok(all)
    }

    /// Runs the race in the order that a person chooses, and returns the outcome.
    pub(crate) fn run_asking(&self) -> anyhow::Result<String> {
        let (_, outcome) = self.run_with(&self.schedule(Chooser::Ask))?;
        Ok(outcome)
    }

    fn schedule(&self, chooser: Chooser) -> Schedule {
        Schedule::new(self.turns, chooser)
    }

    /// Returns an error if a letter is none of the race's, or occurs too often.
    fn check_letters(&self, turns: &str) -> anyhow::Result<()> {
        let needed = count(self.turns);
        let has = |(actor, actions)| needed.get(actor).is_some_and(|needed| actions <= needed);
        ensure!(count(turns).iter().all(has), self.wrong_letters(turns));
        Ok(())
    }

    /// Returns an error that says which letters a schedule has, and which it needs.
    fn wrong_letters(&self, turns: &str) -> End {
        End::Refused(format!(
            "`{turns}` is not a schedule of step {}: it has {}, and needs {}, as in {}",
            self.step,
            in_words(&count(turns)),
            in_words(&count(self.turns)),
            self.turns
        ))
    }

    fn run_with(&self, schedule: &Schedule) -> anyhow::Result<(String, String)> {
        let outcome = (self.run)(schedule);
        let failure = outcome.as_ref().err().map(|error| format!("{error:#}"));
        let (taken, end) = schedule.finish(failure);
        let is_complete = count(&taken) == count(self.turns);
        match (end, outcome) {
            (Some(End::TooShort), _) => bail!(self.wrong_letters(&taken)),
            (Some(end @ (End::Refused(_) | End::Closed)), _) => bail!(end),
            (Some(End::Stuck), Ok(outcome)) => Ok((taken, format!("stuck: {outcome}"))),
            (None, Ok(outcome)) if is_complete => Ok((taken, outcome)),
            (None, Ok(_)) => bail!(
                "the race of step {} ended after the actions `{taken}`, but `turns` is {}",
                self.step,
                self.turns
            ),
            (Some(End::Failed(why)), _) => bail!("it failed after the actions `{taken}`: {why}"),
            (_, Err(error)) => Err(error.context(format!("it failed after the actions `{taken}`"))),
        }
    }
}

/// Returns the beginning of the schedule that follows `taken` in alphabetical order; `None` if it's the last.
/// `ready` are the actors that were ready before each of its actions.
fn following(taken: &str, ready: &[Vec<char>]) -> Option<Vec<char>> {
    let taken: Vec<char> = taken.chars().collect();
    let choices = taken.iter().zip(ready).enumerate().rev();
    let mut untried = choices.filter_map(|(step, (chosen, ready))| {
        let next = ready.iter().find(|actor| *actor > chosen)?;
        Some([&taken[..step], &[*next]].concat())
    });
    untried.next()
}

/// Returns `A 4 times and B once`.
fn in_words(counts: &BTreeMap<char, usize>) -> String {
    let words = counts.iter().map(|(actor, actions)| match actions {
        1 => format!("{actor} once"),
        2 => format!("{actor} twice"),
        _ => format!("{actor} {actions} times"),
    });
    match words.collect::<Vec<_>>().as_slice() {
        [] => "no letters".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
