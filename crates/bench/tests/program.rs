//! Tests of the whole program, with a script in place of Python.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Makes a folder with a script `python3`. A shell writes it: if this process did, a program that another test starts
/// could inherit the open file, and then the script couldn't be run.
fn with_python(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > python3 && chmod 755 python3"#;
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", write, "sh", script]);
    let status = shell.current_dir(folder.path()).status();
    assert!(status.expect("sh runs").success());
    folder
}

/// Returns the command, with only this folder on the `PATH`.
fn bench(folder: &Path, arguments: &[&str]) -> Command {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(arguments).env("PATH", folder);
    bench.current_dir(folder);
    bench
}

/// Returns the exit status and the output.
fn run(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench(folder.path(), arguments).output().expect("it runs");
    let text = [&*output.stdout, &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

#[test]
fn sides_are_compared_and_a_missing_or_failing_one_is_reported() {
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
fn a_wrong_command_line_measures_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, text) = run(&folder, &["lokc"]);
    let is_suggested = text.contains("no row `lokc`; did you mean `lock`?");
    assert!(status == Some(2) && is_suggested, "{text}");
    let (_, help) = run(&folder, &["--help"]);
    let (_, rows) = text.split_once("The rows are ").expect("a list");
    for row in rows.trim().split(", ") {
        let is_listed = help.split_whitespace().any(|word| word == row);
        assert!(is_listed, "{row}: {help}");
    }
    // An unknown kind is refused before anything is measured.
    let (status, text) = run(&folder, &["handles", "lock", "lokc"]);
    let is_only_refused = text.contains("no kind `lokc`") && !text.contains("wanted");
    assert!(status == Some(2) && is_only_refused, "{text}");
    assert_eq!(run(&folder, &["handles", "--help"]), (Some(0), help));
}

#[test]
fn without_python_what_a_handle_costs_here_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, text) = run(&folder, &["handles", "pipe"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("| pipe "), "{text}");
    assert!(
        text.contains("The lines of Python are missing: python3"),
        "{text}"
    );
}

#[test]
fn what_a_handle_costs_is_measured_with_few_descriptors_too() {
    let folder = with_python("shift; echo python: $*");
    let mut shell = Command::new("/bin/sh");
    let few = r#"ulimit -n 64; exec "$0" handles lock pipe"#;
    let shell = shell.args(["-c", few, env!("CARGO_BIN_EXE_bench")]);
    let output = shell.env("PATH", folder.path()).output();
    let output = output.expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("python: handles lock pipe"), "{text}");
    for kind in ["lock", "pipe"] {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("| {kind} ")));
        let cells: Vec<&str> = line.expect("a line").split('|').map(str::trim).collect();
        let [wanted, made] = [2, 3].map(|place| cells[place].parse::<u32>().expect("a number"));
        // All of them, or the reason why not.
        assert!(
            made > 0 && (made == wanted || !cells[8].is_empty()),
            "{text}"
        );
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
    // The pipe closes when all processes that could write to it have ended.
    let start = Instant::now();
    assert_eq!(lines.count(), 0);
    assert!(start.elapsed() < Duration::from_secs(50), "it kept running");
}
