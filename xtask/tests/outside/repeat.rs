//! `cargo xtask repeat`: it runs a step many times and shows the outcomes.

use std::process::{Command, Stdio};

use crate::endings::unread;
use crate::small_course::{Run, SmallCourse, finished, run_to_end};

/// A lesson whose runs differ, but not by chance: each run counts the previous ones in a file.
///
/// The step `race` has the option `--schedule`, like a lesson with a race. In every fourth free run, one
/// actor finishes before the other begins.
const PROGRAM: &str = r#"
use std::env::args;
use std::fs::{File, read};
use std::io::Write;
use std::process::{ExitCode, id};

fn main() -> ExitCode {
    let words: Vec<String> = args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = || {
        let name = format!("{}.txt", words[0]);
        let mut file = File::options().create(true).append(true).open(&name).unwrap();
        file.write_all(b".").unwrap();
        read(name).unwrap().len()
    };
    match words.as_slice() {
        ["--races"] => println!("race"),
        ["race", "--schedule", "free"] if count() % 4 == 0 => println!("BBAA: whole"),
        ["race", "--schedule", "free"] => println!("ABAB: lost"),
        ["race", "--schedule", "all"] => {
            println!("AABB: whole\nBBAA: whole\nBA: stuck: ab");
            ["ABAB", "ABBA", "BAAB", "BABA"].map(|turns| println!("{turns}: lost"));
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
        ["lingers"] if count() == 3 => {
            File::create("lingering").unwrap();
            std::thread::sleep(std::time::Duration::from_secs(50));
        }
        ["stumbles" | "lingers"] => println!("well"),
        _ => println!("NAMES"),
    }
    ExitCode::SUCCESS
}
"#;

/// Makes a course with one lesson, `races`.
fn course() -> SmallCourse {
    let course = SmallCourse::empty();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"lessons/races\"]\n";
    course.write("Cargo.toml", workspace);
    let steps = ["race", "varies", "stumbles", "lingers"];
    course.lesson("races", 4, &steps, PROGRAM);
    let recorded = |line| format!("-- varies\n{line}\n");
    let (old, new) = ("recorded output", "process [PID] begins");
    course.replace("lessons/races/README.md", &recorded(old), &recorded(new));
    course
}

/// Runs `repeat` for a step, and checks that it shows these texts in this order.
#[track_caller]
fn shows(course: &SmallCourse, step: &[&str], texts: &[&str], status: i32) -> Run {
    let run = course.run(&[&["repeat", "races"], step].concat());
    let mut rest = run.out.as_str();
    for text in texts {
        let found = rest.split_once(text);
        (_, rest) = found.unwrap_or_else(|| panic!("no {text:?} in its place: {run:?}"));
    }
    assert_eq!(run.status, Some(status), "{run:?}");
    run
}

#[test]
fn outcomes_are_counted_and_those_of_a_race_are_shown_with_schedules() {
    let course = course();
    // The program has to be built first.
    let unseen = course.command(&["repeat", "races", "stumbles", "-n", "5"]);
    assert_eq!(
        unread(unseen),
        Some(1),
        "one run fails, and the output is closed"
    );
    let run = shows(
        &course,
        &["race", "-n", "20"],
        &[
            "Lesson races, step race: what race shows\n",
            "  outcome    runs  share                   schedules  such as\n",
            "  lost       15    75%    ###############  4 of 7     ABBA\n",
            "  whole      5     25%    #####            2 of 7     AABB\n",
            "15 of 20 runs (75%) show the race",
            "always: whole.",
            "    $ cargo run -q -p races -- race --schedule ABBA\n",
        ],
        0,
    );
    assert!(run.out.is_ascii(), "plain output is ASCII: {run:?}");
    assert!(run.out.lines().all(|line| line.len() <= 80), "{run:?}");
    shows(
        &course,
        &["varies", "-n", "8"],
        &[
            "  outcome 1  6     75%    ####",
            "  outcome 2  2     25%    ####",
            "only their order differs",
            "outcome 1:\n    process [PID] begins\n    a is here\n    b is here\n",
            "outcome 2:\n    process [PID] begins\n    b is here\n    a is here\n",
        ],
        0,
    );
    shows(
        &course,
        &["stumbles", "-n", "10"],
        &[
            "Run 3 failed: it ended with exit status: 3.\n",
            "    over a stone\n    ouch\n",
            "Failed, and not counted below: 2.",
            "  outcome 1  8     100%  ",
        ],
        1,
    );
    for (arguments, why) in [
        (&["rase"][..], "no step `rase`; did you mean `race`?"),
        (&["race", "-n", "none"], "\"none\""),
        (&["race", "-n", "0"], "\"0\""),
        (&[], "give a lesson and one of its steps"),
    ] {
        let run = shows(&course, arguments, &[], 2);
        assert!(run.error.contains(why), "{run:?}");
    }
}

#[test]
fn an_interruption_shows_the_results_so_far() {
    let course = course();
    let mut command = course.command(&["repeat", "races", "lingers", "-n", "100"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().expect("xtask starts");
    course.wait_for("lingering");
    let kill = run_to_end(Command::new("kill").args(["-s", "INT", &running.id().to_string()]));
    assert_eq!(kill.status, Some(0), "{kill:?}");
    let run = finished(running);
    assert!(run.out.contains("Interrupted."), "{run:?}");
    assert!(run.out.contains("  outcome 1  2     100%  "), "{run:?}");
    assert_eq!(run.status, None, "it ends by the signal: {run:?}");
}
