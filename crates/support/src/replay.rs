use anyhow::{anyhow, ensure};

use crate::ask::say;
use crate::progress::count;
use crate::{Race, nearest_name};

/// A race, and how to run it.
pub(crate) struct Replay {
    pub(crate) race: Race,
    order: Order,
}

enum Order {
    /// With this schedule.
    Given(String),
    /// With every schedule.
    All,
    /// Without a schedule.
    Free,
    /// With a schedule that a person makes up.
    Ask,
}

/// What can be given instead of a schedule.
const WORDS: [&str; 3] = ["all", "free", "ask"];

impl Replay {
    /// Parses the value of `--schedule`. `cure` is whether to run the race without its bug.
    pub(crate) fn new(
        races: &[Race],
        step: &str,
        schedule: String,
        cure: bool,
    ) -> anyhow::Result<Replay> {
        ensure!(!races.is_empty(), "no step of this lesson has a race");
        let race = races.iter().find(|race| race.step == step);
        let race = race.ok_or_else(|| {
            let steps = names(races, ", ");
            anyhow!("step {step} has no race; the steps with a race are {steps}")
        })?;
        let race = match race.cure {
            Some(cured) if cure => *cured,
            None if cure => return Err(anyhow!("the race of step {step} has no cure")),
            _ => *race,
        };
        // The letters of a race may spell a word such as `all`.
        let letters = count(race.turns);
        let order = match schedule.as_str() {
            own if count(own) == letters => Order::Given(schedule),
            "all" => Order::All,
            "free" => Order::Free,
            "ask" => Order::Ask,
            word if word.chars().all(char::is_lowercase)
                && !word.chars().all(|letter| letters.contains_key(&letter)) =>
            {
                let suggestion = nearest_name(word, WORDS)
                    .map(|name| format!("; did you mean `{name}`?"))
                    .unwrap_or_default();
                let turns = race.turns;
                return Err(anyhow!(
                    "`{word}` is not a schedule{suggestion}\n\
                     Give one letter for each action, such as {turns}, or `all`, `free` or `ask`"
                ));
            }
            _ => Order::Given(schedule),
        };
        Ok(Replay { race, order })
    }

    /// Runs the race and prints a line for each run, or what a user interface needs to ask a person.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let race = &self.race;
        let runs = match &self.order {
            Order::Free => vec![race.run_free()?],
            Order::Given(turns) => vec![(turns.clone(), race.replay(turns)?)],
            Order::All => race.run_all()?,
            Order::Ask => return self.ask(),
        };
        for (turns, outcome) in runs {
            say(&[&format!("{turns}: {outcome}")])?;
        }
        Ok(())
    }

    fn ask(&self) -> anyhow::Result<()> {
        say(&["goal", self.race.goal])?;
        let outcome = self.race.run_asking()?;
        say(&["outcome", &outcome])?;
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
           STEP --schedule ask  ask on standard output who runs next; answer with a letter\n  \
           --cure  with these: run it without its bug\n  \
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
                goal: "",
                run,
                cure: None,
            };
            Replay::new(&[race], "race", schedule.to_owned(), false).map(|replay| replay.order)
        };
        assert!(matches!(order("aabb", "abba"), Ok(Order::Given(turns)) if turns == "abba"));
        assert!(matches!(order("aabb", "all"), Ok(Order::All)));
        assert!(matches!(order("aabb", "ask"), Ok(Order::Ask)));
        assert!(matches!(order("aabb", "free"), Ok(Order::Free)));
        assert!(matches!(order("lla", "all"), Ok(Order::Given(turns)) if turns == "all"));
        assert!(matches!(order("aabb", "aaab"), Ok(Order::Given(turns)) if turns == "aaab"));
        let error = order("aabb", "fre").err().unwrap().to_string();
        assert!(error.contains("did you mean `free`?"), "{error}");
    }
}
