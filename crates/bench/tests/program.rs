//! The program as a whole, with a script in place of Python.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
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
    bench.args(arguments).env("PATH", folder);
    bench.current_dir(folder);
    bench
}

/// Returns the exit status, and what it printed.
fn run(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench(folder.path(), arguments).output().expect("it runs");
    let text = [&*output.stdout, &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

#[test]
fn sides_are_compared_and_one_that_is_missing_or_fails_is_told() {
    let nothing = tempfile::tempdir().expect("a folder");
    let fast = with_python("echo 80000000; echo 90000000; echo 50000000");
    let broken = with_python("test $1 = -c || { echo 'out of order' >&2; exit 3; }");
    for (folder, expected, cells, note) in [
        (fast, 0, ["80.0 ms", "≥ 10", "met"], "50.0 ms to 90.0 ms"),
        (nothing, 0, ["", "", ""], "python3 does not start"),
        (broken, 1, ["failed", "", ""], "order\nerror: python3"),
    ] {
        let (status, text) = run(&folder, &["lock-new", "--quick"]);
        let line = text.lines().find(|line| line.starts_with("| Python "));
        let line: Vec<&str> = line.expect("a line of Python").split('|').collect();
        assert_eq!([2, 5, 6].map(|place| line[place].trim()), cells, "{text}");
        assert!(status == Some(expected) && text.contains(note), "{text}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_measures_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, text) = run(&folder, &["lokc"]);
    let meant = text.contains("no row `lokc`; did you mean `lock`?");
    assert!(status == Some(2) && meant, "{text}");
    let (_, help) = run(&folder, &["--help"]);
    let (_, rows) = text.split_once("The rows are ").expect("a list");
    for row in rows.trim().split(", ") {
        let is_told = help.split_whitespace().any(|word| word == row);
        assert!(is_told, "{row}: {help}");
    }
}

#[test]
fn a_measurement_ends_when_the_program_is_killed() {
    let folder = with_python("test $1 = -c || { echo begun >&2; /bin/sleep 60; }");
    let mut bench = bench(folder.path(), &["lock-new"]);
    let mut bench = bench.stderr(Stdio::piped()).spawn().expect("it runs");
    let errors = BufReader::new(bench.stderr.take().expect("a pipe"));
    let mut lines = errors.lines().map(|line| line.expect("text"));
    assert!(lines.any(|line| line == "begun"), "nothing is measured");
    bench.kill().expect("it is killed");
    bench.wait().expect("it has ended");
    // The pipe closes when all that may write to it have ended.
    let start = Instant::now();
    assert_eq!(lines.count(), 0);
    assert!(start.elapsed() < Duration::from_secs(50), "it went on");
}
