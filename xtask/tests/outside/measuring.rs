//! `cargo xtask bench`, with programs that say what they are told to instead of measuring.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::small_course::{SmallCourse, Told, told};

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
const PYTHON: &str = "print(80.0)\n";

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
    course.write(&format!("{speed}/speed.py"), PYTHON);
    course
}

/// Measures rows, with the files going to a folder.
fn bench(course: &SmallCourse, files: &Path, rows: &[&str]) -> Told {
    let mut command = course.command(&["bench", "--quick", "--output"]);
    command.arg(files).args(rows);
    told(&mut command)
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
    let (course, files, programs) = (course(), folder(), folder());
    let python = programs.path().join("python3");
    fs::write(&python, "#!/bin/sh\nexit 127\n").expect("a new file");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let path = std::env::var("PATH").expect("a path");
    let mut command = course.command(&["bench", "--quick", "lock", "--output"]);
    command.arg(files.path());
    command.env("PATH", format!("{}:{path}", programs.path().display()));
    let told = told(&mut command);
    assert_eq!(told.status, Some(0), "{told:?}");
    assert!(told.out.contains("There is no `python3`"), "{told:?}");
    assert_eq!(line(&told.out, "Python"), ["Python", "not", "there"]);
    assert!(told.out.contains("1.25 ×"), "{told:?}");
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
    assert_eq!(fs::read_dir(files.path()).expect("a folder").count(), 0);
}
