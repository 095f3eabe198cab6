//! The program as a whole, with a script in place of Python.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Makes a folder with a script `python3`. A shell writes it: a file that this process had open to write could not be run
/// while a program that another test starts has inherited it.
fn with_python(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > python3 && chmod 755 python3"#;
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", write, "sh", script]);
    let status = shell.current_dir(folder.path()).status();
    assert!(status.expect("sh runs").success());
    folder
}

/// The program, with only what is in the folder on the `PATH`.
fn bench(folder: &Path, arguments: &[&str]) -> Command {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench
        .args(arguments)
        .env("PATH", folder)
        .current_dir(folder);
    bench
}

/// Returns the exit status, and what it printed.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench(folder, arguments).output().expect("it runs");
    let text = [&*output.stdout, &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

/// Returns the cells of Python's line, but for the title and the range.
fn pythons_cells(text: &str) -> Vec<&str> {
    let line = text.lines().find(|line| line.starts_with("| Python "));
    let cells = line.expect("a line of Python").split('|').map(str::trim);
    [2, 5, 6]
        .map(|place| cells.clone().nth(place).unwrap_or_default())
        .to_vec()
}

#[test]
fn sides_are_compared_and_one_that_is_missing_or_fails_is_told() {
    let folder = with_python("echo 80000000; echo 90000000; echo 50000000");
    let (status, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(pythons_cells(&text), ["80.0 ms", "≥ 10", "met"], "{text}");
    assert!(
        text.contains("50.0 ms to 90.0 ms") && text.contains("No target is missed."),
        "{text}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let (status, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(
        (status, pythons_cells(&text)),
        (Some(0), vec!["", "", ""]),
        "{text}"
    );
    assert!(text.contains("There is no `python3`"), "{text}");
    let folder = with_python("test $1 = --version || { echo 'out of order' >&2; exit 3; }");
    let (status, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(
        (status, pythons_cells(&text)),
        (Some(1), vec!["failed", "", ""]),
        "{text}"
    );
    assert!(text.contains("lock-new, Python failed: it ended with exit status: 1\nout of order"));
}

#[test]
fn a_command_line_that_makes_no_sense_measures_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, text) = run(folder.path(), &["lokc"]);
    assert_eq!(status, Some(2));
    assert!(
        text.contains("no row `lokc`; did you mean `lock`?"),
        "{text}"
    );
    let (_, help) = run(folder.path(), &["--help"]);
    let (_, rows) = text.split_once("The rows are ").expect("a list");
    for row in rows.trim().split(", ") {
        assert!(
            help.split_whitespace().any(|word| word == row),
            "{row}: {help}"
        );
    }
    for extra in ["lock", "--quick"] {
        let (status, text) = run(folder.path(), &["--readme", extra]);
        assert!(
            status == Some(2) && text.contains("leave out rows and --quick"),
            "{text}"
        );
    }
    let (status, text) = run(folder.path(), &["--readme"]);
    assert!(
        status == Some(1) && text.contains("nothing was measured"),
        "{text}"
    );
}

#[test]
fn a_measurement_ends_when_the_program_is_killed() {
    let script = "test $1 = --version || { echo $$ > new; /bin/mv new pid; /bin/sleep 60; }";
    let folder = with_python(script);
    let pid = folder.path().join("pid");
    let mut bench = bench(folder.path(), &["lock-new"]);
    let mut bench = bench.stderr(Stdio::null()).spawn().expect("it runs");
    await_that("the measurement begins", || pid.exists());
    bench.kill().expect("it is killed");
    bench.wait().expect("it has ended");
    let pid = fs::read_to_string(pid).expect("a pid");
    await_that("the measurement ends", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        // A zombie has ended.
        stat.map_or(true, |stat| stat.contains(") Z "))
    });
}

fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
