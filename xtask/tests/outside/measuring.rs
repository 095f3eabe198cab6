//! `cargo xtask bench`, with programs that say what they are told to instead of measuring.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::counterparts::{path_with, stand_in};
use crate::small_course::{SmallCourse, Told, awaited, finished, told};

/// Ours takes 20 ns, the bare mutex 16, Python 80; the value goes wrong.
const SPEED: &str = r#"
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    assert_eq!(words[1], "ours");
    match words[0].as_str() {
        "lock" => println!("19\n20\n21"),
        _ => {
            eprintln!("the number came out wrong");
            std::process::exit(3);
        }
    }
}
"#;
const BARE: &str = "#include <stdio.h>\nint main(void) { puts(\"16.0\"); return 0; }\n";
const PYTHON: &str = "test $1 = --version && echo Python 3.9.0 || echo 80.0";

fn course() -> SmallCourse {
    let course = SmallCourse::new();
    course.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/multiprocess\"]\n",
    );
    let folder = "crates/multiprocess";
    let manifest = "[package]\nname = \"multiprocess\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    course.write(&format!("{folder}/Cargo.toml"), manifest);
    course.write(&format!("{folder}/src/lib.rs"), "");
    let speed = format!("{folder}/examples/speed");
    course.write(&format!("{speed}/main.rs"), SPEED);
    course.write(&format!("{speed}/bare_mutex.c"), BARE);
    course
}

/// Measures rows, with the files going to a folder, and with that script for Python.
fn bench_with(python: &str, course: &SmallCourse, files: &Path, rows: &[&str]) -> Told {
    let programs = stand_in(python);
    let mut command = course.command(&["bench", "--quick", "--output"]);
    command.arg(files).args(rows);
    told(command.env("PATH", path_with(programs.path())))
}

fn bench(course: &SmallCourse, files: &Path, rows: &[&str]) -> Told {
    bench_with(PYTHON, course, files, rows)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the files")
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a written file")
}

/// The words of the line that begins with these.
fn line<'a>(out: &'a str, begin: &str) -> Vec<&'a str> {
    let mut lines = out.lines().map(str::trim_start);
    let line = lines.find(|line| line.starts_with(begin));
    line.unwrap_or_else(|| panic!("a line of {begin} in {out}"))
        .split_whitespace()
        .collect()
}

#[test]
fn sides_are_compared_and_written_down() {
    let (course, files) = (course(), folder());
    let told = bench(&course, files.path(), &["lock"]);
    assert_eq!(told.status, Some(0), "{told:?}");
    let ours = ["multiprocess", "20.0", "ns", "19.0", "to", "21.0", "ns"];
    assert_eq!(line(&told.out, "multiprocess"), ours);
    let bare = line(&told.out, "bare robust mutex");
    assert_eq!(bare[bare.len() - 5..], ["1.25", "×", "≤", "2", "holds"]);
    let python = line(&told.out, "Python");
    assert_eq!(python[python.len() - 5..], ["4.00", "×", "≥", "2", "holds"]);
    assert!(told.out.contains("All 2 comparisons are as is asked."));

    let data: Value = serde_json::from_str(&read(&files, "bench.json")).expect("JSON");
    let sides = &data["rows"][0]["sides"];
    assert_eq!(
        sides[0]["nanoseconds"],
        serde_json::json!([19.0, 20.0, 21.0])
    );
    assert_eq!(sides[2]["times_as_fast"], 4.0);
    assert_eq!(sides[2]["holds"], true);
    assert!(read(&files, "bench.md").contains("| Python | 80.0 ns |"));
    assert!(read(&files, "bench.svg").contains("80.0 ns</text>"));
}

#[test]
fn a_measurement_that_fails_is_told_and_the_others_are_made() {
    let (course, files) = (course(), folder());
    let told = bench(&course, files.path(), &["value", "lock"]);
    assert_eq!(told.status, Some(1), "{told:?}");
    assert_eq!(line(&told.out, "multiprocess"), ["multiprocess", "failed"]);
    assert!(
        told.out
            .contains("value, multiprocess: it ended with exit status: 3")
    );
    assert!(told.out.contains("the number came out wrong"));
    assert!(told.out.contains("4.00 ×"), "{told:?}");
    assert!(read(&files, "bench.json").contains("the number came out wrong"));
}

#[test]
fn without_python_its_lines_are_empty() {
    let (course, files) = (course(), folder());
    let told = bench_with("exit 127", &course, files.path(), &["lock"]);
    assert_eq!(told.status, Some(0), "{told:?}");
    assert!(told.out.contains("There is no `python3`"), "{told:?}");
    assert_eq!(line(&told.out, "Python"), ["Python", "not", "there"]);
    assert!(told.out.contains("1.25 ×"), "{told:?}");
}

#[test]
fn what_was_measured_is_kept_where_the_reader_goes_away() {
    let (course, files) = (course(), folder());
    let mut command = course.command(&["bench", "--quick", "value", "--output"]);
    let command = command.arg(files.path()).stdout(Stdio::piped());
    let mut bench = command.spawn().expect("xtask starts");
    let out = BufReader::new(bench.stdout.take().expect("its output"));
    let has_begun = awaited(&mut bench, "the measuring begins", || {
        let mut lines = out.lines().map(|line| line.expect("a line"));
        let begins = lines.by_ref().find(|line| line.starts_with("Measuring"));
        // The empty line after it belongs to it.
        begins.is_some() && lines.next().is_some()
    });
    assert!(has_begun);
    let ended = finished(bench);
    assert_eq!(ended.status, Some(1), "our side failed: {ended:?}");
    assert!(read(&files, "bench.json").contains("the number came out wrong"));
    assert!(read(&files, "bench.md").contains("failed"));
}

#[test]
fn what_cannot_be_understood_measures_nothing() {
    let (course, files) = (course(), folder());
    let told = bench(&course, files.path(), &["lokc"]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.error.contains("no row `lokc`; did you mean `lock`?"));
    let told = bench(&course, files.path(), &["lock", "--readme"]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.error.contains("do not name rows"), "{told:?}");
    let told = bench(&course, files.path(), &["--readme"]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.error.contains("leave --quick out"), "{told:?}");
    course.write("README.md", "# Without a place\n");
    let told = course.tell(&["bench", "--readme"]);
    assert_eq!((told.out.as_str(), told.status), ("", Some(1)), "{told:?}");
    assert!(told.error.contains("no place for the table"), "{told:?}");
    assert_eq!(fs::read_dir(files.path()).expect("a folder").count(), 0);
}
