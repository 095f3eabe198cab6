//! How a lesson answers to its command line.
//!
//! This program is both sides: started by itself with [`AS_LESSON`] set it is a lesson of four steps,
//! otherwise it tells the stories below about that lesson.

use std::env;
use std::process::{Command, ExitCode, Output};

use support::{Step, run_steps};

const AS_LESSON: &str = "SUPPORT_TEST_AS_LESSON";

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

fn main() -> ExitCode {
    if env::var_os(AS_LESSON).is_some() {
        return run_steps(STEPS);
    }
    let stories: &[(&str, fn())] = &[
        (
            "without arguments every step runs under its name",
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
    ];
    for (name, story) in stories {
        println!("story: {name}");
        story();
    }
    println!("{} stories hold", stories.len());
    ExitCode::SUCCESS
}

/// Runs the lesson and gives its standard output, its standard error and its exit status.
fn lesson(arguments: &[&str]) -> (String, String, Option<i32>) {
    let program = env::current_exe().expect("the path of this program");
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(arguments)
        .env(AS_LESSON, "yes")
        .output()
        .expect("this program starts");
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
    assert_eq!(out, "", "nothing runs before the whole line is understood");
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
