use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::Schedule;
use crate::schedule::count;

/// The most schedules that are run one after the other.
const MAX_SCHEDULES: u128 = 10_000;

/// A race of a step, small enough to run with a [`Schedule`].
///
/// If you pass it to [`run_steps_and_races`](crate::run_steps_and_races), you can replay it on the command
/// line, `cargo run -q -p LESSON -- STEP --schedule ABBA`, and count its outcomes by `cargo xtask repeat`.
///
/// [`Schedule`] has an example.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Name of the step that the race belongs to.
    pub step: &'static str,
    /// One letter for each action: in `AAAABBBB`, the actors A and B each perform four. An actor is a
    /// thread or a process. The actions must be possible in every order of these letters.
    pub turns: &'static str,
    /// Runs the race, with [`Schedule::turn`] around each action, and describes the outcome in a few
    /// words, which are the same for the same outcome.
    pub run: fn(&Schedule) -> anyhow::Result<String>,
}

impl Race {
    /// Runs the race in the order of `turns`, and returns the outcome.
    ///
    /// # Errors
    ///
    /// If `turns` is not a schedule of this race, or if the race fails.
    pub fn replay(&self, turns: &str) -> anyhow::Result<String> {
        self.check_schedule(turns)?;
        let (_, outcome) = self.run_with(&Schedule::given(turns))?;
        Ok(outcome)
    }

    /// Runs the race without a schedule. Returns the order in which the actions happened, which is a
    /// schedule that repeats the outcome, and the outcome.
    ///
    /// # Errors
    ///
    /// If the race fails.
    pub fn run_free(&self) -> anyhow::Result<(String, String)> {
        self.run_with(&Schedule::free(self.turns))
    }

    /// Returns every schedule of the race in alphabetical order.
    ///
    /// # Errors
    ///
    /// If there are more than ten thousand.
    pub fn schedules(&self) -> anyhow::Result<Vec<String>> {
        let counts = count(self.turns);
        let number = number_of_orders(&counts);
        ensure!(
            number.is_some_and(|number| number <= MAX_SCHEDULES),
            "{} has too many schedules to run them all: more than {MAX_SCHEDULES}",
            self.turns
        );
        let mut schedules = Vec::new();
        add_orders(&counts, &mut String::new(), &mut schedules);
        Ok(schedules)
    }

    /// Returns an error that says what is wrong with a schedule, if anything is.
    pub(crate) fn check_schedule(&self, turns: &str) -> anyhow::Result<()> {
        let (given, needed) = (count(turns), count(self.turns));
        ensure!(
            given == needed,
            "`{turns}` is not a schedule of step {}: it has {}, and needs {}, as in {}",
            self.step,
            in_words(&given),
            in_words(&needed),
            self.turns
        );
        Ok(())
    }

    fn run_with(&self, schedule: &Schedule) -> anyhow::Result<(String, String)> {
        let outcome = (self.run)(schedule)
            .with_context(|| format!("it failed after the actions `{}`", schedule.taken()))?;
        let taken = schedule.taken();
        ensure!(
            count(&taken) == count(self.turns),
            "the race of step {} ended after the actions `{taken}`, but `turns` is {}",
            self.step,
            self.turns
        );
        Ok((taken, outcome))
    }
}

/// Returns the number of schedules: the factorial of the number of actions, divided by the factorial of
/// each actor's number of actions.
fn number_of_orders(counts: &BTreeMap<char, usize>) -> Option<u128> {
    let mut number: u128 = 1;
    let mut actions: u128 = 0;
    for &of_actor in counts.values() {
        for action in 1..=of_actor as u128 {
            actions += 1;
            number = number.checked_mul(actions)? / action;
        }
    }
    Some(number)
}

/// Adds the schedules that begin with `prefix` and continue with the letters that are `left`.
fn add_orders(left: &BTreeMap<char, usize>, prefix: &mut String, all: &mut Vec<String>) {
    if left.is_empty() {
        all.push(prefix.clone());
        return;
    }
    for (&actor, &actions) in left {
        let mut left = left.clone();
        if actions == 1 {
            left.remove(&actor);
        } else {
            left.insert(actor, actions - 1);
        }
        prefix.push(actor);
        add_orders(&left, prefix, all);
        prefix.pop();
    }
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

#[cfg(test)]
mod tests {
    use super::Race;
    use crate::Schedule;
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::thread;

    fn add_twice(total: &AtomicU32, schedule: &Schedule, actor: char) {
        for _ in 0..2 {
            let seen = schedule.turn(actor, || total.load(Relaxed));
            schedule.turn(actor, || total.store(seen + 1, Relaxed));
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a race may fail")]
    fn two_times_two(schedule: &Schedule) -> anyhow::Result<String> {
        let total = AtomicU32::new(0);
        thread::scope(|scope| {
            scope.spawn(|| add_twice(&total, schedule, 'A'));
            scope.spawn(|| add_twice(&total, schedule, 'B'));
        });
        Ok(total.into_inner().to_string())
    }

    const RACE: Race = Race {
        step: "race",
        turns: "AAAABBBB",
        run: two_times_two,
    };

    /// Returns the outcome of a schedule, worked out without threads.
    fn expected_outcome(turns: &str) -> String {
        let mut total = 0;
        let mut seen: BTreeMap<char, Option<u32>> = BTreeMap::new();
        for actor in turns.chars() {
            let seen = seen.entry(actor).or_default();
            match seen.take() {
                None => *seen = Some(total),
                Some(number) => total = number + 1,
            }
        }
        total.to_string()
    }

    #[test]
    fn every_schedule_is_listed_once_and_has_the_expected_outcome() {
        let schedules = RACE.schedules().unwrap();
        assert_eq!(schedules.iter().collect::<BTreeSet<_>>().len(), 70);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for turns in &schedules {
            let outcome = RACE.replay(turns).unwrap();
            assert_eq!(outcome, expected_outcome(turns), "{turns}");
            *counts.entry(outcome).or_default() += 1;
        }
        let expected = [("2", 32), ("3", 32), ("4", 6)];
        assert_eq!(counts, expected.map(|(o, n)| (o.to_owned(), n)).into());
    }

    #[test]
    fn a_thousand_replays_have_the_same_outcome() {
        for (turns, outcome) in [("AABBBBAA", "4"), ("ABABAABB", "3"), ("ABBBBAAA", "2")] {
            for _ in 0..1000 {
                assert_eq!(RACE.replay(turns).unwrap(), outcome);
            }
        }
    }

    #[test]
    fn the_schedule_of_a_free_run_repeats_its_outcome() {
        for _ in 0..200 {
            let (turns, outcome) = RACE.run_free().unwrap();
            assert_eq!(RACE.replay(&turns).unwrap(), outcome, "{turns}");
        }
    }

    #[test]
    fn a_schedule_with_other_letters_or_another_number_is_refused() {
        let refused = |turns| RACE.replay(turns).unwrap_err().to_string();
        assert_eq!(
            refused("ABBB"),
            "`ABBB` is not a schedule of step race: it has A once and B 3 times, \
             and needs A 4 times and B 4 times, as in AAAABBBB"
        );
        assert!(refused("AAAABBBBB").contains("B 5 times"));
        assert!(refused("AAAABBBC").contains("C once"));
        assert!(refused("").contains("no letters"));
    }

    #[test]
    fn too_many_schedules_are_refused() {
        let long = Race {
            turns: "AAAAAAAAAABBBBBBBBBB",
            ..RACE
        };
        let error = long.schedules().unwrap_err().to_string();
        assert!(error.contains("too many"), "{error}");
        let endless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let longest = Race {
            turns: endless,
            ..RACE
        };
        assert!(longest.schedules().is_err());
    }

    #[test]
    fn a_race_with_fewer_actions_than_letters_is_an_error() {
        let short = Race {
            turns: "AB",
            run: |schedule| {
                schedule.turn('A', || ());
                Ok("done".to_owned())
            },
            ..RACE
        };
        let error = short.replay("AB").unwrap_err().to_string();
        assert!(error.contains("ended after the actions `A`"), "{error}");
    }

    #[test]
    fn the_error_of_a_race_says_how_far_it_got() {
        let failing = Race {
            turns: "A",
            run: |schedule| {
                schedule.turn('A', || ());
                anyhow::bail!("no luck")
            },
            ..RACE
        };
        let error = format!("{:#}", failing.replay("A").unwrap_err());
        assert_eq!(error, "it failed after the actions `A`: no luck");
    }
}
