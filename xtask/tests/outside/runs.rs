//! A step that is run many times, and what is told of its outcomes.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

use crate::small_course::{SmallCourse, Told};
#[cfg(unix)]
use crate::small_course::{finished, told};

/// A lesson whose runs differ, but not by chance: each run counts the ones before it in a file.
///
/// Its steps `race` and `liar` answer to `--schedule` as a lesson with races does. Every fourth free run of them
/// is one after the other. But `liar` says of its other runs something that no replay of their schedule gives.
const PROGRAM: &str = r#"
use std::env::args;
use std::fs::{File, read};
use std::io::Write;
use std::process::{ExitCode, id};

fn outcome(turns: &str) -> &'static str {
    if turns == "AABB" || turns == "BBAA" { "whole" } else { "lost" }
}

fn main() -> ExitCode {
    let words: Vec<String> = args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = || {
        let mut file = File::options().create(true).append(true).open("runs.txt").unwrap();
        file.write_all(b".").unwrap();
        read("runs.txt").unwrap().len()
    };
    match words.as_slice() {
        ["--races"] => println!("race\nliar"),
        ["race", "--schedule", "free"] if count() % 4 == 0 => println!("BBAA: whole"),
        ["race", "--schedule", "free"] => println!("ABAB: lost"),
        ["liar", "--schedule", "free"] => println!("AABB: lost"),
        [_, "--schedule", "all"] => {
            for turns in ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"] {
                println!("{turns}: {}", outcome(turns));
            }
        }
        [_, "--schedule", turns] if turns.len() == 4 => println!("{turns}: {}", outcome(turns)),
        [_, "--schedule", turns] => {
            eprintln!("error: `{turns}` is no schedule");
            return ExitCode::from(2);
        }
        ["varies"] => {
            let pid = id();
            let (one, other) = if count() % 4 == 0 { ("b", "a") } else { ("a", "b") };
            println!("process {pid} begins\n{one} is here\n{other} is here");
        }
        ["stumbles"] if count() % 5 == 3 => {
            println!("over a stone");
            eprintln!("ouch");
            return ExitCode::from(3);
        }
        ["lingers"] if count() == 3 => std::thread::sleep(std::time::Duration::from_secs(50)),
        ["stumbles" | "lingers"] => println!("well"),
        _ => println!("race\nliar\nvaries\nstumbles\nlingers"),
    }
    ExitCode::SUCCESS
}
"#;

/// The small course with one more lesson, which is called `races`.
fn course() -> SmallCourse {
    let course = SmallCourse::new();
    course.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"lessons/races\"]\n",
    );
    course.write(
        "lessons/races/Cargo.toml",
        "[package]\nname = \"races\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [package.metadata.lesson]\nnumber = 4\ntitle = \"All about races\"\nminutes = 1\n",
    );
    course.write("lessons/races/src/main.rs", PROGRAM);
    course.write(
        "lessons/races/README.md",
        "# All about races\n\n## race: two of them\n\n## liar: one of them\n\n\
         ## varies: each time\n\n```console\n$ cargo run -q -p races -- varies\n\
         process [PID] begins\n[..] is here\n[..] is here\n```\n\n\
         ## stumbles: now and then\n\n## lingers: for long\n",
    );
    course
}

#[track_caller]
fn assert_in_order(told: &Told, texts: &[&str]) {
    let mut rest = told.out.as_str();
    for text in texts {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?} where it is expected in {told:?}"));
        rest = after;
    }
}

#[test]
fn the_outcomes_of_a_race_are_counted_and_come_with_schedules_that_lead_to_them() {
    let told = course().tell(&["runs", "races", "race", "-n", "20"]);
    assert_in_order(
        &told,
        &[
            "Lesson races, step race: two of them\n",
            "  lost   15 of 20   75%  #######################\n",
            "  whole   5 of 20   25%  ########\n",
            "15 of 20 runs (75%) show the race",
            "it is always: whole.",
            "outcome  a schedule  schedules, of 6\n",
            "lost     ABAB        4\n",
            "whole    BBAA        2\n",
            "    cargo run -q -p races -- race --schedule ABAB\n",
            "2 different schedules. Each was replayed",
        ],
    );
    assert!(told.out.is_ascii(), "plain output is ASCII: {told:?}");
    assert!(told.out.lines().all(|line| line.len() <= 80), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
}

#[test]
fn a_run_that_its_schedule_does_not_explain_is_told() {
    let told = course().tell(&["runs", "4", "liar", "-n", "3"]);
    assert!(
        told.out
            .contains("A run said AABB: lost. The replay gave: whole."),
        "{told:?}"
    );
    assert!(!told.out.contains("Each was replayed"), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn a_race_is_replayed_by_one_schedule() {
    let course = course();
    let told = course.tell(&["runs", "races", "race", "--schedule", "ABBA", "-n", "7"]);
    assert!(
        told.out
            .contains("  lost  7 of 7  100%  ##############################\n"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(0));
    let refused = |arguments: &[&str], why: &str| {
        let told = course.tell(&[&["runs", "races"], arguments].concat());
        assert!(told.error.contains(why), "{told:?}");
        assert!(!told.out.contains("times"), "{told:?}");
        assert_eq!(told.status, Some(2));
    };
    refused(
        &["race", "--schedule", "AB"],
        "error: `AB` is no schedule\n",
    );
    refused(
        &["varies", "--schedule", "AABB"],
        "step varies of lesson races has no race to be replayed; those with one: race, liar",
    );
    refused(&["race", "--schedule", "all"], "is not one schedule");
    refused(&["rase"], "no step `rase`; did you mean `race`?");
    refused(&["race", "-n", "none"], "must be a number from 1");
    refused(&[], "`runs` needs a lesson and one of its steps");
    refused(&["race", "--schedule", "AABB", "--output"], "not both");
}

#[test]
fn what_a_step_prints_is_counted_without_ids_and_times() {
    let told = course().tell(&["runs", "races", "varies", "-n", "8"]);
    assert_in_order(
        &told,
        &[
            "  outcome 1  6 of 8   75%  ",
            "  outcome 2  2 of 8   25%  ",
            "The lines are the same in every run",
            "outcome 1:\n    process [PID] begins\n    a is here\n    b is here\n",
            "outcome 2, after the first line of outcome 1:\n    b is here\n    a is here\n",
        ],
    );
    assert_eq!(told.status, Some(0));
}

#[test]
fn a_run_that_fails_is_shown_and_the_others_are_counted() {
    let told = course().tell(&["runs", "races", "stumbles", "-n", "10"]);
    assert_in_order(
        &told,
        &[
            "Run 3 failed: it ended with exit status: 3.\n",
            "2 runs failed; this was the first.",
            "  outcome 1  8 of 8  100%",
        ],
    );
    // Which of the two streams comes first is open.
    assert!(told.out.contains("    over a stone\n"), "{told:?}");
    assert!(told.out.contains("    (stderr) ouch\n"), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[cfg(unix)]
#[test]
fn an_interruption_shows_what_was_counted_until_then() {
    let course = course();
    let mut command = course.command(&["runs", "races", "lingers", "-n", "100"]);
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let limit = Duration::from_mins(1);
    let wait_until = |what: &str, holds: &mut dyn FnMut() -> bool| {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait_until("the third run begins", &mut || {
        fs::read(course.path("runs.txt")).is_ok_and(|runs| runs.len() == 3)
    });
    let kill = told(Command::new("kill").args(["-s", "INT", &running.id().to_string()]));
    assert_eq!(kill.status, Some(0), "{kill:?}");
    let mut status = None;
    wait_until("xtask ends", &mut || {
        status = running.try_wait().expect("its state");
        status.is_some()
    });
    let out = finished(running).out;
    assert!(out.contains("Interrupted."), "{out}");
    assert!(out.contains("  outcome 1  2 of 2  100%"), "{out}");
    assert_eq!(status.and_then(|status| status.signal()), Some(2), "{out}");
}
