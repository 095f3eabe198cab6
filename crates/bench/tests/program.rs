//! The program as a whole, with a script in place of Python.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
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
    bench.args(arguments).arg("--output").arg(folder);
    bench.env("PATH", folder);
    bench
}

fn run(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let output = bench(folder, arguments).output().expect("it runs");
    let text = [&*output.stdout, &output.stderr].concat();
    (output, String::from_utf8(text).expect("text"))
}

/// The cells of the line that begins with this title.
fn cells(text: &str, title: &str) -> Vec<String> {
    let mut lines = text.lines().filter(|line| line.starts_with("| "));
    let line = lines.find(|line| line[2..].starts_with(title));
    let cells = line.expect("a line of that side").split('|');
    cells.map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn sides_are_compared_and_the_files_have_the_same() {
    let folder = with_python("echo 80000000");
    let (output, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(cells(&text, "Python")[2], "80.0 ms");
    assert_eq!(cells(&text, "Python")[5..7], ["≥ 10", "met"]);
    assert!(text.contains("All 1 targets are met."), "{text}");
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("a file");
    assert!(text.contains(&read("bench.md")));
    assert!(read("bench.svg").contains("80.0 ms</text>"));
}

#[test]
fn without_python_its_cells_are_empty_and_a_failure_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (output, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("There is no `python3`"), "{text}");
    assert_eq!(cells(&text, "Python")[2], "");
    let folder = with_python("test $1 = --version || { echo 'out of order' >&2; exit 3; }");
    let (output, text) = run(folder.path(), &["lock-new", "--quick"]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(cells(&text, "Python")[2], "failed");
    assert!(text.contains("lock-new, Python failed: it ended with exit status: 1\nout of order"));
}

#[test]
fn a_command_line_that_makes_no_sense_measures_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (output, text) = run(folder.path(), &["lokc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("no row `lokc`; did you mean `lock`?"));
    for extra in ["lock", "--quick"] {
        let (output, text) = run(folder.path(), &["--readme", extra]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text.contains("leave out rows and --quick"), "{text}");
    }
    let (output, text) = run(folder.path(), &["--readme"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("nothing was measured. There is no"), "{text}");
}

#[test]
fn a_measurement_ends_when_the_program_is_killed() {
    let script =
        "test $1 = --version || { echo $$ > pid.new; /bin/mv pid.new pid; /bin/sleep 60; }";
    let folder = with_python(script);
    let pid = folder.path().join("pid");
    let mut bench = bench(folder.path(), &["lock-new"]);
    let bench = bench.current_dir(folder.path()).stderr(Stdio::null());
    let mut bench = bench.spawn().expect("it runs");
    await_that("the measurement begins", || pid.exists());
    bench.kill().expect("it is killed");
    bench.wait().expect("it has ended");
    let pid = fs::read_to_string(pid).expect("a pid");
    let is_gone = || {
        let state = Command::new("ps")
            .args(["-o", "stat=", "-p", pid.trim()])
            .output();
        let state = state.expect("ps runs").stdout;
        // A zombie has ended.
        state.is_empty() || state.starts_with(b"Z")
    };
    await_that("the measurement ends", is_gone);
}

fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
