use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Counting;
use super::histogram::{Histogram, percent};
use super::repeat::{Ran, Repeated, repeat};

/// More actors than this have too many orders of coming one after the other.
const MOST_ACTORS: usize = 4;

/// The outcome of each schedule that was replayed.
type Replays = BTreeMap<String, String>;

/// Runs the race of a step many times, without a schedule, and shows how it came out, and which
/// schedules lead there. True if everything worked.
pub(crate) fn run_free(counting: &mut Counting) -> io::Result<bool> {
    let times = counting.times;
    counting.say(&format!(
        "The race of this step, {times} times. Nobody says whose turn it is: the actors \
         begin together, and pause for a random moment before each turn."
    ))?;
    let mut histogram = Histogram::default();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let repeated = count(counting, "free", |turns, outcome| {
        histogram.add(outcome, turns);
        seen.insert((turns.to_owned(), outcome.to_owned()));
    })?;
    counting.show_end(&repeated)?;
    if repeated.is_interrupted || histogram.runs() == 0 {
        show(counting, &histogram, &Replays::new())?;
        return Ok(repeated.failed == 0);
    }
    let all = all_schedules(counting)?;
    let mut replays = all.clone().unwrap_or_default();
    let serial = in_turn(&seen);
    let wanted = seen.iter().map(|(turns, _)| turns).chain(&serial);
    for turns in wanted {
        if !replays.contains_key(turns)
            && let Some(outcome) = replay(counting, turns)?
        {
            replays.insert(turns.clone(), outcome);
        }
    }
    show(
        counting,
        &histogram,
        all.as_ref().unwrap_or(&Replays::new()),
    )?;
    show_what_a_race_adds(counting, &histogram, &serial, &replays)?;
    show_schedules(counting, &histogram, &replays, all.is_some())?;
    let truthful = show_proof(counting, &seen, &replays)?;
    Ok(truthful && repeated.failed == 0)
}

/// Replays the race of a step many times by one schedule. True if everything worked.
pub(crate) fn run_by(counting: &mut Counting, turns: &str) -> io::Result<bool> {
    let times = counting.times;
    counting.say(&format!(
        "The race of this step by the schedule {turns}, {times} times."
    ))?;
    let mut histogram = Histogram::default();
    let repeated = count(counting, turns, |turns, outcome| {
        histogram.add(outcome, turns);
    })?;
    counting.show_end(&repeated)?;
    show(counting, &histogram, &Replays::new())?;
    Ok(repeated.failed == 0)
}

/// Runs the race many times, and hands over the schedule and the outcome of each run.
fn count(
    counting: &Counting,
    schedule: &str,
    mut take: impl FnMut(&str, &str),
) -> io::Result<Repeated> {
    let command = || counting.command(&["--schedule", schedule]);
    repeat(counting, command, |_, ran| {
        for (turns, outcome) in ran.output().filter_map(|line| line.split_once(": ")) {
            take(turns, outcome);
        }
    })
}

/// Replays every schedule there is; nothing if there are too many.
fn all_schedules(counting: &mut Counting) -> io::Result<Option<Replays>> {
    let ran = Ran::of(counting.command(&["--schedule", "all"]))?;
    if !ran.is_success() {
        let said = ran.error();
        counting.say(said.strip_prefix("error: ").unwrap_or(&said))?;
        return Ok(None);
    }
    let lines = ran.output().filter_map(|line| line.split_once(": "));
    let own = lines.map(|(turns, outcome)| (turns.to_owned(), outcome.to_owned()));
    Ok(Some(own.collect()))
}

/// Replays one schedule; nothing if that fails, which is shown.
fn replay(counting: &mut Counting, turns: &str) -> io::Result<Option<String>> {
    let ran = Ran::of(counting.command(&["--schedule", turns]))?;
    if !ran.is_success() {
        let what = format!("The replay of {turns}");
        ran.show_failure(counting.screen, &what)?;
        return Ok(None);
    }
    let mut lines = ran.output().filter_map(|line| line.split_once(": "));
    Ok(lines.next().map(|(_, outcome)| outcome.to_owned()))
}

/// The schedules in which each actor takes all its turns at a stretch, in every order of the actors;
/// none if there are too many.
fn in_turn(seen: &BTreeSet<(String, String)>) -> Vec<String> {
    let Some((turns, _)) = seen.first() else {
        return Vec::new();
    };
    let actors: BTreeSet<char> = turns.chars().collect();
    if actors.len() > MOST_ACTORS {
        return Vec::new();
    }
    let mut orders = vec![String::new()];
    for _ in &actors {
        orders = orders
            .iter()
            .flat_map(|begun| {
                let left = actors.iter().filter(|actor| !begun.contains(**actor));
                left.map(move |actor| {
                    let its = turns.chars().filter(|turn| turn == actor);
                    begun.chars().chain(its).collect()
                })
            })
            .collect();
    }
    orders
}

/// Shows how often each outcome came, those that did not come too.
fn show(counting: &mut Counting, histogram: &Histogram, all: &Replays) -> io::Result<()> {
    let outcomes = histogram.outcomes();
    let mut titles: Vec<(&str, usize)> = outcomes
        .iter()
        .map(|counted| (counted.outcome.as_str(), counted.count))
        .collect();
    let others: BTreeSet<&String> = all.values().collect();
    let others = others.iter().filter(|other| histogram.count(other) == 0);
    titles.extend(others.map(|other| (other.as_str(), 0)));
    histogram.show(counting.screen, &titles)
}

/// Tells how many runs came to what the actors cannot come to when they do not race.
fn show_what_a_race_adds(
    counting: &mut Counting,
    histogram: &Histogram,
    serial: &[String],
    replays: &Replays,
) -> io::Result<()> {
    let without: BTreeSet<&String> = serial
        .iter()
        .filter_map(|turns| replays.get(turns))
        .collect();
    if serial.is_empty() || without.is_empty() {
        return Ok(());
    }
    let outcomes = histogram.outcomes();
    let lost = outcomes
        .iter()
        .filter(|one| !without.contains(&one.outcome));
    let (lost, all) = (lost.map(|one| one.count).sum::<usize>(), histogram.runs());
    let without: Vec<&str> = without.into_iter().map(String::as_str).collect();
    let always = format!(
        "when one actor is done before the next begins, it is always: {}.",
        without.join(", or ")
    );
    let text = if lost == 0 {
        format!("No run shows the race: {always}")
    } else {
        let percent = percent(lost, all);
        format!("{lost} of {all} runs ({percent}) show the race: {always}")
    };
    counting.say(&text)
}

/// Shows, for each outcome, a schedule that leads to it.
fn show_schedules(
    counting: &mut Counting,
    histogram: &Histogram,
    replays: &Replays,
    are_all: bool,
) -> io::Result<()> {
    let mut leading: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (turns, outcome) in replays {
        leading.entry(outcome).or_default().push(turns);
    }
    let mut rows = vec![vec!["outcome".to_owned(), "a schedule".to_owned()]];
    if are_all {
        rows[0].push(format!("schedules, of {}", replays.len()));
    }
    let outcomes = histogram.outcomes();
    let seen = outcomes
        .iter()
        .map(|one| (one.outcome.as_str(), one.first.as_str()));
    let unseen = leading
        .iter()
        .filter(|(outcome, _)| histogram.count(outcome) == 0);
    let unseen = unseen.map(|(outcome, turns)| (*outcome, turns[0]));
    let mut example = None;
    for (outcome, turns) in seen.chain(unseen) {
        let mut row = vec![outcome.to_owned(), turns.to_owned()];
        if are_all {
            row.push(leading.get(outcome).map_or(0, Vec::len).to_string());
        }
        rows.push(row);
        example.get_or_insert(turns.to_owned());
    }
    counting.table(&rows)?;
    match example {
        Some(turns) => {
            let command = counting.step_command();
            counting
                .screen
                .line("Replay one of them, as often as you like:")?;
            counting.screen.blank()?;
            counting
                .screen
                .line(&format!("    {command} --schedule {turns}"))?;
            counting.screen.blank()
        }
        None => Ok(()),
    }
}

/// Compares what the runs told of themselves with the replays. True if all is as told.
fn show_proof(
    counting: &mut Counting,
    seen: &BTreeSet<(String, String)>,
    replays: &Replays,
) -> io::Result<bool> {
    let mut truthful = true;
    for (turns, outcome) in seen {
        let again = replays.get(turns);
        if again != Some(outcome) {
            truthful = false;
            let again = again.map_or("nothing", String::as_str);
            let text = format!("A run said {turns}: {outcome}. The replay gave: {again}.");
            counting.screen.failure(&text)?;
        }
    }
    if truthful {
        let count = seen.len();
        counting.say(&format!(
            "The runs came by {count} different schedules. Each was replayed, and came out as \
             its run had."
        ))?;
    }
    Ok(truthful)
}

#[cfg(test)]
mod tests {
    use super::in_turn;
    use std::collections::BTreeSet;

    fn serial(turns: &str) -> Vec<String> {
        in_turn(&BTreeSet::from([(turns.to_owned(), String::new())]))
    }

    #[test]
    fn one_after_the_other_is_every_order_of_whole_stretches() {
        assert_eq!(serial("ABBA"), ["AABB", "BBAA"]);
        let three = serial("CABA");
        assert_eq!(three, ["AABC", "AACB", "BAAC", "BCAA", "CAAB", "CBAA"]);
        assert!(serial("ABCDE").is_empty());
        assert!(in_turn(&BTreeSet::new()).is_empty());
    }
}
