//! Tests how the checks of an exercise run.
//!
//! This program starts itself: with [`AS_EXERCISE`] set it is an exercise, otherwise it runs the tests
//! below.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{self, Command, ExitCode, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use support::{Check, run_checks};

const AS_EXERCISE: &str = "SUPPORT_TEST_AS_EXERCISE";

/// Names the file for the pid of a process that a check leaves behind.
const SLEEPER: &str = "SUPPORT_TEST_SLEEPER";

/// More than all the tests take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

const CHECKS: &[Check] = &[
    ("passes and prints", passes),
    ("returns an error", returns_error),
    ("has a gap", has_gap),
    ("ends the program", ends_program),
    ("hangs with a child", hangs_with_child),
    ("leaves a child behind", leaves_child),
    ("prints without end", prints_without_end),
    ("prints a line without end", prints_endless_line),
    #[cfg(unix)]
    ("prints late", prints_late),
];

#[expect(
    clippy::unnecessary_wraps,
    reason = "a check may fail, this one does not"
)]
fn passes() -> anyhow::Result<()> {
    println!("on standard output");
    eprintln!("on standard error");
    Ok(())
}

fn returns_error() -> anyhow::Result<()> {
    bail!("3 is not 4")
}

fn has_gap() -> anyhow::Result<()> {
    todo!("add them up")
}

fn ends_program() -> anyhow::Result<()> {
    process::exit(0)
}

fn start_sleeper() -> anyhow::Result<()> {
    let sleeper = Command::new("sleep").arg("100").spawn()?;
    println!("sleeper {}", sleeper.id());
    Ok(())
}

fn hangs_with_child() -> anyhow::Result<()> {
    println!("itself {}", process::id());
    start_sleeper()?;
    loop {
        thread::park();
    }
}

fn leaves_child() -> anyhow::Result<()> {
    let sleeper = Command::new("sleep").arg("100").spawn()?;
    if let Some(file) = env::var_os(SLEEPER) {
        fs::write(file, sleeper.id().to_string())?;
    }
    Ok(())
}

fn prints_without_end() -> anyhow::Result<()> {
    let mut number = 0_u64;
    loop {
        number += 1;
        println!("{number}");
        ensure!(number < u64::MAX, "that is a long time");
    }
}

fn prints_endless_line() -> anyhow::Result<()> {
    let piece = "x".repeat(1000);
    let mut number = 0_u64;
    loop {
        number += 1;
        print!("{piece}");
        ensure!(number < u64::MAX, "that is a long time");
    }
}

/// Prints after its end, a line a second, from a process that has left the group.
#[cfg(unix)]
fn prints_late() -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    Command::new("sh")
        .args([
            "-c",
            "for word in one two three four; do sleep 1; echo $word; done",
        ])
        .process_group(0)
        .spawn()?;
    bail!("the rest comes late")
}

fn main() -> ExitCode {
    // The exercise that this program starts has the same limit.
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the tests take too long");
        process::abort();
    });
    if env::var_os(AS_EXERCISE).is_some() {
        return run_checks(CHECKS);
    }
    let tests: &[(&str, fn())] = &[
        ("a check that passes says so", a_check_passes),
        ("a returned error is shown as the reason", an_error_is_shown),
        ("an unfilled gap is named with its line", a_gap_is_named),
        ("a call of exit does not pass", an_exit_does_not_pass),
        (
            "a check that hangs is killed with its children",
            a_hang_is_killed,
        ),
        ("a child left behind is killed", a_child_left_is_killed),
        ("endless output is cut", endless_output_is_cut),
        ("an endless line is cut", an_endless_line_is_cut),
        #[cfg(unix)]
        ("a line that comes late is shown", a_late_line_is_shown),
        (
            "the exit status is the same if the output is closed",
            the_output_may_be_closed,
        ),
        (
            "the first failure is shown, and nothing after it",
            the_first_failure_is_shown,
        ),
        ("--all runs every check", every_check_runs),
        (
            "a check ends when its program is killed",
            nothing_outlives_the_program,
        ),
        ("an unknown number is refused", an_unknown_number_is_refused),
        (
            "a timeout that is not a number is refused",
            a_bad_timeout_is_refused,
        ),
    ];
    for (name, test) in tests {
        println!("test: {name}");
        test();
    }
    println!("{} tests passed", tests.len());
    ExitCode::SUCCESS
}

fn command(arguments: &[&str], limit: &str) -> Command {
    let program = env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env(AS_EXERCISE, "yes")
        .env("CHECK_SECONDS", limit);
    command
}

/// Runs checks and returns standard output, standard error and the exit status.
fn exercise(arguments: &[&str], limit: &str) -> (String, String, Option<i32>) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(arguments, limit)
        .output()
        .expect("this program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (text(stdout), text(stderr), status.code())
}

/// Returns the number after a word in the output.
fn number_after(word: &str, out: &str) -> String {
    let mut lines = out.lines();
    let found = lines.find_map(|line| line.trim().strip_prefix(word));
    let found = found.unwrap_or_else(|| panic!("no {word:?} in {out}"));
    found.trim().to_owned()
}

/// Returns whether a process is gone, or a zombie.
fn is_gone(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(state.expect("ps runs").stdout).expect("ps says text");
    state.trim().is_empty() || state.trim().starts_with('Z')
}

fn a_check_passes() {
    let (out, error, status) = exercise(&["1"], "30");
    assert_eq!(
        out, "1. passes and prints: passed\n1 of 1 check passed.\n",
        "its output, such as an expected panic, isn't shown"
    );
    assert_eq!((error.as_str(), status), ("", Some(0)));
}

fn an_error_is_shown() {
    let (out, _, status) = exercise(&["2"], "30");
    assert_eq!(
        out,
        "2. returns an error: FAILED\n   3 is not 4\n0 of 1 check passed.\n"
    );
    assert_eq!(status, Some(1));
}

fn a_gap_is_named() {
    let (out, _, status) = exercise(&["3"], "30");
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/checks.rs"));
    let source = source.expect("this file");
    let mut lines = source.lines();
    let line = 1 + lines
        .position(|line| line.trim() == "todo!(\"add them up\")")
        .expect("the gap");
    let expected = format!("checks.rs, line {line}: the gap is not filled yet: add them up\n");
    assert!(out.contains(&expected), "{out}");
    assert_eq!(status, Some(1));
}

fn an_exit_does_not_pass() {
    let (out, _, status) = exercise(&["4"], "30");
    assert!(
        out.contains("4. ends the program: FAILED\n   the program ended in the middle"),
        "{out}"
    );
    assert_eq!(status, Some(1));
}

fn a_hang_is_killed() {
    let start = Instant::now();
    let (out, _, status) = exercise(&["5"], "5");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(out.contains("5. hangs with a child: FAILED\n"), "{out}");
    assert!(out.contains("it was still running after 5 s"), "{out}");
    assert!(is_gone(&number_after("itself", &out)), "{out}");
    assert!(is_gone(&number_after("sleeper", &out)), "{out}");
    assert_eq!(status, Some(1));
}

fn a_child_left_is_killed() {
    let file = env::temp_dir().join(format!("sleeper-{}", process::id()));
    let mut command = command(&["6"], "30");
    let output = command.env(SLEEPER, &file).output();
    let status = output.expect("this program starts").status;
    let sleeper = fs::read_to_string(&file).expect("the check has left a child");
    fs::remove_file(&file).expect("the file goes");
    assert!(is_gone(&sleeper), "{sleeper}");
    assert_eq!(status.code(), Some(0));
}

fn endless_output_is_cut() {
    let (out, _, status) = exercise(&["7"], "1");
    assert!(out.contains("   40\n   ... and "), "{out}");
    assert!(out.contains("it was still running"), "{out}");
    assert!(out.lines().count() < 50, "{out}");
    assert_eq!(status, Some(1));
}

fn an_endless_line_is_cut() {
    let (out, _, status) = exercise(&["8"], "1");
    assert!(out.contains("xxx ...\n   it was still running"), "{out}");
    assert!(out.len() < 5000, "{} bytes", out.len());
    assert_eq!(status, Some(1));
}

#[cfg(unix)]
fn a_late_line_is_shown() {
    let (out, _, status) = exercise(&["9"], "30");
    assert!(
        out.contains("comes late\n   one\n   two\n   three\n   four\n"),
        "{out}"
    );
    assert_eq!(status, Some(1));
}

fn the_output_may_be_closed() {
    for (check, expected) in [("1", 0), ("2", 1)] {
        let mut program = command(&[check], "30")
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        drop(program.stdout.take());
        let status = program.wait().expect("it ends");
        assert_eq!(status.code(), Some(expected), "check {check}");
    }
}

fn the_first_failure_is_shown() {
    let (out, _, status) = exercise(&[], "30");
    let expected = format!(
        "1. passes and prints: passed\n2. returns an error: FAILED\n   3 is not 4\n\
         1 of {} checks passed: fix this one first.\n",
        CHECKS.len()
    );
    assert_eq!((out, status), (expected, Some(1)));
}

fn every_check_runs() {
    let (out, _, status) = exercise(&["--all"], "5");
    for (index, (name, _)) in CHECKS.iter().enumerate() {
        let line = format!("{}. {name}: ", index + 1);
        assert!(out.contains(&line), "{line}: {out}");
    }
    assert!(
        out.ends_with(&format!("2 of {} checks passed.\n", CHECKS.len())),
        "{out}"
    );
    assert_eq!(status, Some(1));
}

fn nothing_outlives_the_program() {
    let mut program = command(&["5"], "100")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let check = wait_for_child(program.id());
    let sleeper = wait_for_child(check);
    program.kill().expect("it can be killed");
    program.wait().expect("it ends");
    let start = Instant::now();
    while !(is_gone(&check.to_string()) && is_gone(&sleeper.to_string())) {
        assert!(start.elapsed() < Duration::from_secs(30), "still there");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process has a child, and returns the child's pid.
fn wait_for_child(parent: u32) -> u32 {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(30), "no child");
        let mut list = Command::new("ps")
            .args(["-A", "-o", "ppid=,pid="])
            .stdout(Stdio::piped())
            .spawn()
            .expect("ps runs");
        let lines = BufReader::new(list.stdout.take().expect("its output")).lines();
        let numbers = lines.map(|line| {
            let line = line.expect("a line");
            let mut numbers = line.split_whitespace().map(str::parse::<u32>);
            let mut next = || numbers.next().expect("two numbers").expect("a number");
            (next(), next())
        });
        let child = numbers
            .filter(|(its_parent, _)| *its_parent == parent)
            .last();
        list.wait().expect("ps ends");
        if let Some((_, child)) = child {
            return child;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn an_unknown_number_is_refused() {
    for wrong in ["0", "99", "two"] {
        let (out, error, status) = exercise(&[wrong], "30");
        assert!(
            error.contains(&format!("there is no check number `{wrong}`")),
            "{error}"
        );
        assert!(error.contains("\n  2. returns an error\n"), "{error}");
        assert_eq!((out.as_str(), status), ("", Some(2)));
    }
}

fn a_bad_timeout_is_refused() {
    let (_, error, status) = exercise(&["1"], "soon");
    assert!(
        error.contains("CHECK_SECONDS is `soon`: give a number of seconds"),
        "{error}"
    );
    assert_eq!(status, Some(2));
}
