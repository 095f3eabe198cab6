//! Tests the command line of a lesson.
//!
//! This program starts itself: with [`AS_LESSON`] set it is a lesson of four steps, with or without two
//! races, otherwise it runs the tests below.

use std::env;
#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::Write;
use std::process::{self, Command, ExitCode, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use support::{Race, Schedule, Step, run_steps, run_steps_and_races};

const AS_LESSON: &str = "SUPPORT_TEST_AS_LESSON";

/// More than all the tests take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

const STEPS: &[Step] = &[
    ("greet", greet),
    ("refuse", refuse),
    ("stumble", stumble),
    ("count-up", count_up),
];

#[expect(
    clippy::unnecessary_wraps,
    reason = "a step may fail, this one does not"
)]
fn greet() -> anyhow::Result<()> {
    println!("hello");
    Ok(())
}

fn refuse() -> anyhow::Result<()> {
    anyhow::bail!("three is not four")
}

fn stumble() -> anyhow::Result<()> {
    panic!("over a stone")
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a step may fail, this one does not"
)]
fn count_up() -> anyhow::Result<()> {
    println!("1 2 3");
    Ok(())
}

const RACES: &[Race] = &[
    Race {
        step: "greet",
        turns: "AB",
        goal: "Make it end with hello.",
        run: last_word,
        cure: Some(&POLITE),
    },
    Race {
        step: "stumble",
        turns: "A",
        goal: "Make it fail.",
        run: |_| panic!("over a stone"),
        cure: None,
    },
];

/// The same, but only A says anything.
const POLITE: Race = Race {
    step: "greet",
    turns: "A",
    goal: "Make it end with goodbye.",
    run: |schedule| {
        let word = schedule.turn('A', "say hello", || "hello")?;
        Ok(format!("the last word is {word}"))
    },
    cure: None,
};

/// Two threads write one word each; the last one remains.
fn last_word(schedule: &Schedule) -> anyhow::Result<String> {
    let word = Mutex::new("");
    thread::scope(|scope| {
        scope.spawn(|| schedule.turn('A', "say hello", || *word.lock().unwrap() = "hello"));
        scope.spawn(|| schedule.turn('B', "say goodbye", || *word.lock().unwrap() = "goodbye"));
    });
    Ok(format!("the last word is {}", word.into_inner()?))
}

fn main() -> ExitCode {
    // The lesson that this program starts has the same limit.
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the tests take too long");
        process::abort();
    });
    match env::var(AS_LESSON).as_deref() {
        Ok("with races") => return run_steps_and_races(STEPS, RACES),
        Ok(_) => return run_steps(STEPS),
        Err(_) => {}
    }
    let tests: &[(&str, fn())] = &[
        (
            "without arguments every step runs below its name",
            every_step_runs,
        ),
        ("a named step runs alone", a_named_step_runs_alone),
        (
            "several named steps run in the order given",
            several_steps_run,
        ),
        ("a returned error fails the step", a_returned_error_fails),
        ("a panic fails the step", a_panic_fails),
        (
            "an unknown step is refused with the nearest name",
            an_unknown_step_is_refused,
        ),
        ("an unknown option is refused", an_unknown_option_is_refused),
        ("the list is one name per line", the_list_is_plain),
        ("the help names the steps", the_help_names_the_steps),
        ("a race is replayed with a schedule", a_race_is_replayed),
        (
            "a race runs in every possible order",
            a_race_runs_in_every_order,
        ),
        (
            "a free run prints the schedule that repeats its outcome",
            a_race_runs_freely,
        ),
        ("a person chooses who runs next", a_person_chooses),
        ("a race runs with its cure", a_race_runs_with_its_cure),
        ("a wrong schedule is refused", a_wrong_schedule_is_refused),
        ("a race that fails fails the step", a_race_fails),
        #[cfg(target_os = "linux")]
        (
            "a race whose outcome can't be printed fails the step",
            a_race_with_a_full_output_fails,
        ),
        ("the steps with a race are listed", the_races_are_listed),
    ];
    for (name, test) in tests {
        println!("test: {name}");
        test();
    }
    println!("{} tests passed", tests.len());
    ExitCode::SUCCESS
}

/// Runs the lesson and returns standard output, standard error and the exit status.
fn lesson(arguments: &[&str]) -> (String, String, Option<i32>) {
    program("without races", arguments)
}

/// The same for the lesson with races.
fn races(arguments: &[&str]) -> (String, String, Option<i32>) {
    program("with races", arguments)
}

fn program(kind: &str, arguments: &[&str]) -> (String, String, Option<i32>) {
    asked(kind, arguments, "")
}

/// The same with text on standard input.
fn asked(kind: &str, arguments: &[&str], answers: &str) -> (String, String, Option<i32>) {
    let mut program = Command::new(env::current_exe().expect("the path of this program"))
        .args(arguments)
        .env(AS_LESSON, kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut input = program.stdin.take().expect("its input");
    // A program that doesn't read it may have ended.
    let _ = input.write_all(answers.as_bytes());
    drop(input);
    let Output {
        status,
        stdout,
        stderr,
    } = program.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (text(stdout), text(stderr), status.code())
}

fn every_step_runs() {
    let (out, error, status) = lesson(&[]);
    assert_eq!(
        out,
        "== greet ==\nhello\n== refuse ==\n== stumble ==\n== count-up ==\n1 2 3\n"
    );
    assert!(
        error.contains("2 of 4 steps failed: refuse, stumble"),
        "{error}"
    );
    assert_eq!(status, Some(1));
}

fn a_named_step_runs_alone() {
    assert_eq!(
        lesson(&["greet"]),
        ("hello\n".into(), String::new(), Some(0))
    );
}

fn several_steps_run() {
    let (out, _, status) = lesson(&["count-up", "greet"]);
    assert_eq!(out, "== count-up ==\n1 2 3\n== greet ==\nhello\n");
    assert_eq!(status, Some(0));
}

fn a_returned_error_fails() {
    let (out, error, status) = lesson(&["refuse"]);
    assert_eq!(out, "");
    assert_eq!(error, "step refuse failed: three is not four\n");
    assert_eq!(status, Some(1));
}

fn a_panic_fails() {
    let (_, error, status) = lesson(&["stumble"]);
    assert!(
        error.contains("step stumble failed: it panicked: over a stone"),
        "{error}"
    );
    assert_eq!(status, Some(1));
}

fn an_unknown_step_is_refused() {
    let (out, error, status) = lesson(&["greet", "cuont-up"]);
    assert_eq!(out, "", "nothing runs if the command line is wrong");
    assert!(
        error.contains("there is no step `cuont-up`; did you mean `count-up`?"),
        "{error}"
    );
    assert!(
        error.contains("  greet\n  refuse\n  stumble\n  count-up\n"),
        "{error}"
    );
    assert_eq!(status, Some(2));
}

fn an_unknown_option_is_refused() {
    let (_, error, status) = lesson(&["--loud"]);
    assert!(error.contains("--loud"), "{error}");
    assert_eq!(status, Some(2));
}

fn the_list_is_plain() {
    let (out, error, status) = lesson(&["--list"]);
    assert_eq!(out, "greet\nrefuse\nstumble\ncount-up\n");
    assert_eq!((error.as_str(), status), ("", Some(0)));
}

fn the_help_names_the_steps() {
    let (out, _, status) = lesson(&["--help"]);
    assert!(
        out.contains("--list") && out.contains("  stumble\n"),
        "{out}"
    );
    assert_eq!(status, Some(0));
}

fn a_race_is_replayed() {
    for (turns, word) in [("AB", "goodbye"), ("BA", "hello")] {
        assert_eq!(
            races(&["greet", "--schedule", turns]),
            (
                format!("{turns}: the last word is {word}\n"),
                String::new(),
                Some(0)
            )
        );
    }
}

fn a_race_runs_in_every_order() {
    let (out, error, status) = races(&["greet", "--schedule=all"]);
    assert_eq!(
        out,
        "AB: the last word is goodbye\nBA: the last word is hello\n"
    );
    assert_eq!((error.as_str(), status), ("", Some(0)));
}

fn a_race_runs_freely() {
    let (out, error, status) = races(&["greet", "--schedule", "free"]);
    assert_eq!((error.as_str(), status), ("", Some(0)));
    let (turns, _) = out.split_once(": ").expect("a schedule and an outcome");
    assert_eq!(races(&["greet", "--schedule", turns]).0, out);
}

fn a_person_chooses() {
    let asked = |answers: &str| asked("with races", &["greet", "--schedule", "ask"], answers);
    let start = "goal\tMake it end with hello.\n\
                 next\tA\tsay hello\nnext\tB\tsay goodbye\nchoose\n";
    let after_b = "did\tB\tsay goodbye\t\nnext\tA\tsay hello\nchoose\n";
    let end = "did\tA\tsay hello\t\noutcome\tthe last word is hello\n";
    let all = format!("{start}{after_b}{end}");
    assert_eq!(asked("B\nA\n"), (all, String::new(), Some(0)));
    let open = format!("{start}{after_b}");
    assert_eq!(asked("B\n"), (open.clone(), String::new(), Some(0)));
    for wrong in ["B", "C", "AB", ""] {
        let error = format!("error: `{wrong}` cannot run next; these are ready: A\n");
        assert_eq!(
            asked(&format!("B\n{wrong}\n")),
            (open.clone(), error, Some(2))
        );
    }
}

fn a_race_runs_with_its_cure() {
    for order in ["all", "free", "A"] {
        let (out, error, status) = races(&["greet", "--cure", "--schedule", order]);
        assert_eq!(out, "A: the last word is hello\n");
        assert_eq!((error.as_str(), status), ("", Some(0)));
    }
}

fn a_wrong_schedule_is_refused() {
    let refused = |arguments: &[&str], why: &str| {
        let (out, error, status) = races(arguments);
        assert_eq!((out.as_str(), status), ("", Some(2)), "{arguments:?}");
        assert!(error.contains(why), "{error}");
    };
    refused(
        &["greet", "--schedule", "AAB"],
        "`AAB` is not a schedule of step greet: it has A twice and B once, \
         and needs A once and B once, as in AB",
    );
    refused(&["greet", "--schedule", "AX"], "X once");
    refused(&["greet", "--schedule", "fre"], "did you mean `free`?");
    refused(&["greet", "--schedule", ""], "it has no letters");
    refused(&["greet", "--schedule", "B"], "it has B once, and needs");
    refused(&["greet", "--cure"], "give --schedule too");
    refused(
        &["stumble", "--schedule", "A", "--cure"],
        "the race of step stumble has no cure",
    );
    refused(&["greet", "--schedule"], "--schedule");
    refused(
        &["refuse", "--schedule", "AB"],
        "step refuse has no race; the steps with a race are greet, stumble",
    );
    refused(&["--schedule", "AB"], "give its name before it");
    refused(&["greet", "refuse", "--schedule", "AB"], "for one step");
    let (_, error, status) = lesson(&["greet", "--schedule", "AB"]);
    assert!(
        error.contains("no step of this lesson has a race"),
        "{error}"
    );
    assert_eq!(status, Some(2));
}

fn a_race_fails() {
    let (out, error, status) = races(&["stumble", "--schedule", "A"]);
    assert_eq!((out.as_str(), status), ("", Some(1)));
    assert!(
        error.contains("step stumble failed: it panicked: over a stone"),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
fn a_race_with_a_full_output_fails() {
    for schedule in ["AB", "all", "free", "ask"] {
        let full = File::options().write(true).open("/dev/full");
        let Output { status, stderr, .. } =
            Command::new(env::current_exe().expect("the path of this program"))
                .args(["greet", "--schedule", schedule])
                .env(AS_LESSON, "with races")
                .stdin(Stdio::null())
                .stdout(full.expect("the file is always full"))
                .output()
                .expect("it ends");
        let error = String::from_utf8(stderr).expect("output is UTF-8");
        let why = "step greet failed: cannot write to standard output: ";
        assert!(error.starts_with(why), "{schedule}: {error}");
        assert_eq!((error.lines().count(), status.code()), (1, Some(1)));
    }
}

fn the_races_are_listed() {
    let listed = races(&["--races"]);
    assert_eq!(listed, ("greet\nstumble\n".into(), String::new(), Some(0)));
    assert_eq!(
        lesson(&["--races"]),
        (String::new(), String::new(), Some(0))
    );
    let (help, _, _) = races(&["--help"]);
    assert!(help.contains("STEP --schedule AB "), "{help}");
    assert!(!lesson(&["--help"]).0.contains("--schedule"));
}
