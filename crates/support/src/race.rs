use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::Schedule;
use crate::schedule::count;

/// No more schedules than this are tried one after the other.
const MOST: u128 = 10_000;

/// A race that belongs to a step, small enough to be driven by a [`Schedule`].
///
/// Given to [`run_steps_and_races`](crate::run_steps_and_races), it can be replayed on the command
/// line, `cargo run -q -p LESSON -- STEP --schedule ABBA`, and counted by `cargo xtask repeat`.
///
/// [`Schedule`] has an example.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Name of the step that the race belongs to.
    pub step: &'static str,
    /// A letter for each turn of each actor, in any legal order: `AAAABBBB` is four turns for each
    /// of two. Every order of these letters must be legal.
    pub turns: &'static str,
    /// Runs the race, each action of it by [`Schedule::turn`], and tells how it came out in a few
    /// words, always the same for the same outcome.
    pub run: fn(&Schedule) -> anyhow::Result<String>,
}

impl Race {
    /// Runs the race in the order of `turns`, and tells how it came out.
    ///
    /// # Errors
    ///
    /// If `turns` is no schedule of this race, and the error of the race if it fails.
    pub fn replay(&self, turns: &str) -> anyhow::Result<String> {
        self.must_have(turns)?;
        let (_, outcome) = self.run_by(&Schedule::given(turns))?;
        Ok(outcome)
    }

    /// Runs the race without a schedule. Gives the order that the turns came in, which is a schedule
    /// that makes the same outcome again, and the outcome.
    ///
    /// # Errors
    ///
    /// The error of the race if it fails.
    pub fn run_free(&self) -> anyhow::Result<(String, String)> {
        self.run_by(&Schedule::free(self.turns))
    }

    /// Gives every schedule of the race, in the order of the alphabet.
    ///
    /// # Errors
    ///
    /// If there are more than ten thousand.
    pub fn schedules(&self) -> anyhow::Result<Vec<String>> {
        let counts = count(self.turns);
        let number = number_of_orders(&counts);
        ensure!(
            number.is_some_and(|number| number <= MOST),
            "{} has too many schedules to try them all: more than {MOST}",
            self.turns
        );
        let mut schedules = Vec::new();
        add_orders(&counts, &mut String::new(), &mut schedules);
        Ok(schedules)
    }

    /// Tells what is wrong with a schedule, if something is.
    pub(crate) fn must_have(&self, turns: &str) -> anyhow::Result<()> {
        let (asked, legal) = (count(turns), count(self.turns));
        ensure!(
            asked == legal,
            "`{turns}` is no schedule for step {}: it has {}, and must have {}, as in {}",
            self.step,
            in_words(&asked),
            in_words(&legal),
            self.turns
        );
        Ok(())
    }

    fn run_by(&self, schedule: &Schedule) -> anyhow::Result<(String, String)> {
        let outcome = (self.run)(schedule)
            .with_context(|| format!("it failed after the turns `{}`", schedule.taken()))?;
        let taken = schedule.taken();
        ensure!(
            count(&taken) == count(self.turns),
            "the race of step {} ended after the turns `{taken}`, but has those of {}",
            self.step,
            self.turns
        );
        Ok((taken, outcome))
    }
}

/// In how many orders the turns can be: the factorial of their number, divided by that of each
/// actor's turns.
fn number_of_orders(counts: &BTreeMap<char, usize>) -> Option<u128> {
    let mut number: u128 = 1;
    let mut turns: u128 = 0;
    for &of_actor in counts.values() {
        for turn in 1..=of_actor as u128 {
            turns += 1;
            number = number.checked_mul(turns)? / turn;
        }
    }
    Some(number)
}

fn add_orders(left: &BTreeMap<char, usize>, begun: &mut String, all: &mut Vec<String>) {
    if left.is_empty() {
        all.push(begun.clone());
        return;
    }
    for (&actor, &turns) in left {
        let mut left = left.clone();
        if turns == 1 {
            left.remove(&actor);
        } else {
            left.insert(actor, turns - 1);
        }
        begun.push(actor);
        add_orders(&left, begun, all);
        begun.pop();
    }
}

/// `4 turns of A and 1 turn of B`.
fn in_words(counts: &BTreeMap<char, usize>) -> String {
    let words = counts.iter().map(|(actor, turns)| match turns {
        1 => format!("1 turn of {actor}"),
        _ => format!("{turns} turns of {actor}"),
    });
    match words.collect::<Vec<_>>().as_slice() {
        [] => "no turns".to_owned(),
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

    /// What a schedule leads to, worked out without threads.
    fn worked_out(turns: &str) -> String {
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
    fn all_schedules_are_there_once_and_come_out_as_worked_out() {
        let schedules = RACE.schedules().unwrap();
        assert_eq!(schedules.iter().collect::<BTreeSet<_>>().len(), 70);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for turns in &schedules {
            let outcome = RACE.replay(turns).unwrap();
            assert_eq!(outcome, worked_out(turns), "{turns}");
            *counts.entry(outcome).or_default() += 1;
        }
        let expected = [("2", 32), ("3", 32), ("4", 6)];
        assert_eq!(counts, expected.map(|(o, n)| (o.to_owned(), n)).into());
    }

    #[test]
    fn a_thousand_replays_come_out_the_same() {
        for (turns, outcome) in [("AABBBBAA", "4"), ("ABABAABB", "3"), ("ABBBBAAA", "2")] {
            for _ in 0..1000 {
                assert_eq!(RACE.replay(turns).unwrap(), outcome);
            }
        }
    }

    #[test]
    fn the_schedule_of_a_free_run_makes_its_outcome_again() {
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
            "`ABBB` is no schedule for step race: it has 1 turn of A and 3 turns of B, \
             and must have 4 turns of A and 4 turns of B, as in AAAABBBB"
        );
        assert!(refused("AAAABBBBB").contains("5 turns of B"));
        assert!(refused("AAAABBBC").contains("1 turn of C"));
        assert!(refused("").contains("no turns"));
    }

    #[test]
    fn too_many_schedules_are_not_begun() {
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
    fn a_race_that_takes_other_turns_than_it_says_is_told() {
        let short = Race {
            turns: "AB",
            run: |schedule| {
                schedule.turn('A', || ());
                Ok("done".to_owned())
            },
            ..RACE
        };
        let error = short.replay("AB").unwrap_err().to_string();
        assert!(error.contains("ended after the turns `A`"), "{error}");
    }

    #[test]
    fn a_race_that_fails_tells_how_far_it_came() {
        let failing = Race {
            turns: "A",
            run: |schedule| {
                schedule.turn('A', || ());
                anyhow::bail!("no luck")
            },
            ..RACE
        };
        let error = format!("{:#}", failing.replay("A").unwrap_err());
        assert_eq!(error, "it failed after the turns `A`: no luck");
    }
}
