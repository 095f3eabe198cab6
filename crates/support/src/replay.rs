use anyhow::{anyhow, ensure};

use crate::print::print;
use crate::schedule::count;
use crate::{Race, nearest_name};

/// A race, and the schedules to run it with.
pub(crate) struct Replay {
    pub(crate) race: Race,
    order: Order,
}

enum Order {
    /// With this schedule.
    Given(String),
    /// With every schedule.
    All(Vec<String>),
    /// Without a schedule.
    Free,
}

impl Replay {
    /// Parses the value of `--schedule`.
    pub(crate) fn new(races: &[Race], step: &str, schedule: String) -> anyhow::Result<Replay> {
        ensure!(!races.is_empty(), "no step of this lesson has a race");
        let race = races.iter().find(|race| race.step == step);
        let race = *race.ok_or_else(|| {
            let steps = names(races, ", ");
            anyhow!("step {step} has no race; the steps with a race are {steps}")
        })?;
        // The letters of a race may spell a word such as `all`.
        let letters = count(race.turns);
        let order = match schedule.as_str() {
            own if count(own) == letters => Order::Given(schedule),
            "all" => Order::All(race.schedules()?),
            "free" => Order::Free,
            word if word.chars().all(char::is_lowercase)
                && !word.chars().all(|letter| letters.contains_key(&letter)) =>
            {
                let suggestion = nearest_name(word, ["all", "free"])
                    .map(|name| format!("; did you mean `{name}`?"))
                    .unwrap_or_default();
                let turns = race.turns;
                return Err(anyhow!(
                    "`{word}` is not a schedule{suggestion}\n\
                     Give one letter for each action, such as {turns}, or `all`, or `free`"
                ));
            }
            turns => {
                race.check_schedule(turns)?;
                Order::Given(schedule)
            }
        };
        Ok(Replay { race, order })
    }

    /// Runs the race and prints a line for each run.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match &self.order {
            Order::Free => {
                let (turns, outcome) = self.race.run_free()?;
                print(&format!("{turns}: {outcome}"));
            }
            Order::Given(turns) => self.replay(turns)?,
            Order::All(all) => all.iter().try_for_each(|turns| self.replay(turns))?,
        }
        Ok(())
    }

    fn replay(&self, turns: &str) -> anyhow::Result<()> {
        let outcome = self.race.replay(turns)?;
        print(&format!("{turns}: {outcome}"));
        Ok(())
    }
}

/// Returns the names of the steps that have a race.
pub(crate) fn names(races: &[Race], between: &str) -> String {
    let names: Vec<&str> = races.iter().map(|race| race.step).collect();
    names.join(between)
}

/// Returns the part of the help that is about races; nothing if there are none.
pub(crate) fn help(races: &[Race]) -> String {
    let Some(race) = races.first() else {
        return String::new();
    };
    format!(
        "\nRaces, for {}:\n  \
           STEP --schedule {}  run the race of the step in this order\n  \
           STEP --schedule all  run it in every possible order\n  \
           STEP --schedule free  run it without a schedule, and print the order\n  \
           --races  print the names of the steps that have a race\n",
        names(races, ", "),
        race.turns
    )
}

#[cfg(test)]
mod tests {
    use super::{Order, Replay};
    use crate::Race;

    #[test]
    fn the_letters_of_a_race_may_be_small_and_spell_a_word() {
        let order = |turns, schedule: &str| {
            let run = |_: &crate::Schedule| Ok(String::new());
            let race = Race {
                step: "race",
                turns,
                run,
            };
            Replay::new(&[race], "race", schedule.to_owned()).map(|replay| replay.order)
        };
        assert!(matches!(order("aabb", "abba"), Ok(Order::Given(turns)) if turns == "abba"));
        assert!(matches!(order("aabb", "all"), Ok(Order::All(all)) if all.len() == 6));
        assert!(matches!(order("aabb", "free"), Ok(Order::Free)));
        assert!(matches!(order("lla", "all"), Ok(Order::Given(turns)) if turns == "all"));
        let error = order("aabb", "aab").err().unwrap().to_string();
        assert!(error.contains("a twice and b once"), "{error}");
    }
}
