//! `lessons/locks/bytecodes.py`: a schedule decides which Python thread executes its next bytecode.

use std::collections::HashSet;
use std::io::{self, Write};
use std::process::Command;

use course::python::Python;

use crate::exercise::root;
use crate::small_course::{Run, run_to_end};

/// Runs the race, answers its questions with these letters, and closes its input.
fn race(arguments: &[&str], letters: &str) -> Run {
    let (input, mut answers) = io::pipe().expect("a pipe");
    let lines: String = letters.chars().flat_map(|letter| [letter, '\n']).collect();
    answers.write_all(lines.as_bytes()).expect("they fit");
    drop(answers);
    let mut command = Command::new("python3");
    command.args(["lessons/locks/bytecodes.py", "race", "--schedule"]);
    command.args(arguments).current_dir(root()).stdin(input);
    run_to_end(&mut command)
}

#[test]
fn bytecodes_lose_an_update_unless_one_store_comes_before_the_other_load() {
    // `cargo xtask doctor` says what is wrong.
    let Ok(python) = Python::find() else { return };
    let all = race(&["all"], "");
    let first = all.out.find('B').expect("the turns of A, then those of B");
    let alone = race(&["ask"], &"A".repeat(first));
    // It ends quietly when its input is closed.
    assert_eq!((alone.error.as_str(), alone.status), ("", Some(0)));
    let executed: Vec<&str> = alone.out.split("\ndid\tA\t").skip(1).collect();
    let place = |text| executed.iter().position(|did| did.starts_with(text));
    let load = place("LOAD_GLOBAL total\t0\n").expect("a load");
    let store = place("STORE_GLOBAL total\t1\n").expect("a store");

    let (mut schedules, mut lost) = (HashSet::new(), 0);
    for line in all.out.lines() {
        let (schedule, outcome) = line.split_once(": ").expect(line);
        assert!(schedules.insert(schedule), "{schedule} is listed twice");
        let turns = |letter| schedule.match_indices(letter).map(|(turn, _)| turn);
        let (a, b): (Vec<_>, Vec<_>) = (turns('A').collect(), turns('B').collect());
        assert_eq!((a.len(), b.len()), (first, first), "{schedule}");
        let is_lost = a[store] > b[load] && b[store] > a[load];
        let total = if is_lost { 1 } else { 2 };
        assert_eq!(outcome, format!("1 + 1 make {total}"), "{schedule}");
        lost += usize::from(is_lost);
    }
    // The number of ways to choose the turns of A.
    let possible = (1..=first).fold(1, |ways, turn| ways * (first + turn) / turn);
    assert_eq!(schedules.len(), possible);
    if python.version.starts_with("Python 3.11.") {
        assert_eq!((possible, lost), (3432, 3080));
    }

    let rest = "A".repeat(first - load - 1);
    let schedule = "A".repeat(load + 1) + &"B".repeat(first) + &rest;
    let asked = race(&["ask"], &schedule).out;
    assert!(asked.ends_with("\nvalue\ttotal\t1\noutcome\t1 + 1 make 1\n"));
    let chosen = race(&[&schedule], "").out;
    assert_eq!(chosen, format!("{schedule}: 1 + 1 make 1\n"));
}

#[test]
fn a_thread_that_waits_for_the_lock_cannot_be_chosen_and_no_update_is_lost() {
    if Python::find().is_err() {
        return;
    }
    let run = race(&["ask", "--cure"], "AABB");
    let goal = "goal\tNow there is a lock. Lose an update: make the total smaller than 2.\n";
    assert!(run.out.starts_with(goal), "{run:?}");
    let (_, last) = run.out.rsplit_once("\nblocked\tB\t").expect("B waits");
    assert!(last.ends_with(" lock.__enter__\nchoose\n"), "{last}");
    let error = "after `AAB` comes A, not B\n";
    assert!(run.error.ends_with(error), "{run:?}");
    assert_eq!(run.status, Some(2));
    let all = race(&["all", "--cure"], "").out;
    assert_eq!(all.matches(": 1 + 1 make 2\n").count(), 12, "{all}");
    assert_eq!(all.lines().count(), 12, "{all}");
}
