//! What `cargo xtask check` refuses, and what `cargo xtask sync` writes, seen from outside.

use std::io;

#[cfg(unix)]
use crate::counterparts::{path_with, stand_in};
use crate::small_course::{SmallCourse, Told, finished, told};

const README: &str = "lessons/counting/README.md";
const MAIN: &str = "lessons/counting/src/main.rs";
const PYTHON: &str = "lessons/counting/counting.py";

const MANIFEST: &str = r#"
[package]
name = "counting"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "counting"
path = "src/main.rs"

[package.metadata.lesson]
number = 1
title = "Counting: one after the other"
minutes = 1

[lints.rust]
unsafe_code = "forbid"
"#;

const PROGRAM: &str = r#"use std::process::ExitCode;
use std::thread;

/// Adds numbers.
fn sum() {
    let total: u32 = (1..=4).sum();
    println!("the sum is {total}");
}

fn count(name: &str) {
    for number in 0..3 {
        println!("{name}: {number}");
    }
}

fn two_workers() {
    thread::scope(|scope| {
        scope.spawn(|| count("worker-1"));
        scope.spawn(|| count("worker-2"));
    });
    println!("main: process {} has counted", std::process::id());
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("sum") => sum(),
        Some("two-workers") => two_workers(),
        _ => println!("sum\ntwo-workers"),
    }
    ExitCode::SUCCESS
}
"#;

const SCRIPT: &str = r"# Counting: one after the other

## sum: an addition

```python
def sum():
    print('the sum is', 1 + 2 + 3 + 4)
```

```rust
fn sum() {
    let total: u32 = (1..=4).sum();
    println!(\quotethe sum is {total}\quote);
}
```

```console
$ cargo run -q -p counting -- sum
the sum is 10
```

## two-workers: two at a time

```python
def two_workers():
    pass
```

```rust
fn count(name: &str) {
    for number in 0..3 {
        println!(\quote{name}: {number}\quote);
    }
}

fn two_workers() {
    thread::scope(|scope| {
        scope.spawn(|| count(\quoteworker-1\quote));
        scope.spawn(|| count(\quoteworker-2\quote));
    });
    println!(\quotemain: process {} has counted\quote, std::process::id());
}
```

```console per-worker
$ cargo run -q -p counting -- two-workers
worker-2: 0
worker-1: 0
worker-1: 1
worker-1: 2
worker-2: 1
worker-2: 2
main: process [PID] has counted
```
";

fn course() -> SmallCourse {
    let course = SmallCourse::empty();
    course.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"lessons/counting\"]\n",
    );
    course.write("lessons/counting/Cargo.toml", MANIFEST);
    course.write(MAIN, PROGRAM);
    course.write(
        PYTHON,
        "def sum():\n    print('the sum is', 1 + 2 + 3 + 4)\n\n\ndef two_workers():\n    pass\n\n\n\
         print('sum')\nprint('two-workers')\n",
    );
    course.write(README, &SCRIPT.replace("\\quote", "\""));
    course
}

/// Gives `FILE:LINE` of the line that has this text.
fn place(course: &SmallCourse, file: &str, text: &str) -> String {
    let lines = course.read(file);
    let before = lines.lines().position(|line| line.contains(text));
    format!("{file}:{}", 1 + before.expect("a line with this text"))
}

#[track_caller]
fn refused(course: &SmallCourse, messages: &[&str]) {
    let Told { out, error, status } = course.tell(&["check"]);
    for message in messages {
        assert!(out.contains(message), "no {message:?} in {out}{error}");
    }
    assert_eq!(status, Some(1), "{out}{error}");
}

#[test]
fn a_lesson_in_order_is_accepted_and_nothing_is_written() {
    let course = course();
    let told = course.tell(&["check"]);
    assert!(told.out.contains(" rules hold."), "{told:?}");
    assert_eq!(told.status, Some(0), "{told:?}");
    let told = course.tell(&["sync"]);
    assert!(told.out.contains("as it should be already"), "{told:?}");
    assert_eq!(told.status, Some(0), "{told:?}");
}

#[cfg(unix)]
#[test]
fn a_rule_that_needs_python_is_not_said_to_hold_without_it() {
    let course = course();
    let programs = stand_in("echo Python 3.8.1");
    let mut check = course.command(&["check"]);
    let told = told(check.env("PATH", path_with(programs.path())));
    let said = "\nnot checked: the Python counterpart has the same steps: python3 is Python 3.8.1";
    assert!(told.out.contains(said), "{told:?}");
    assert!(told.out.ends_with(" other rules hold.\n"), "{told:?}");
    assert_eq!(told.status, Some(0), "{told:?}");
}

#[test]
fn one_digit_of_a_transcript_is_refused_with_its_line_and_the_command_to_see_it() {
    let course = course();
    course.replace(README, "the sum is 10\n", "the sum is 11\n");
    let place = place(&course, README, "the sum is 11");
    refused(
        &course,
        &[
            &format!("{place}: step sum prints something else"),
            "\n    - the sum is 11\n    + the sum is 10\n",
            "    mend: if the run is right, correct the block by hand, else the step; \
             `cargo run -q -p counting -- sum` runs it\n",
            "\n1 problem.\n",
        ],
    );
}

#[test]
fn a_worker_in_disorder_is_refused() {
    let course = course();
    course.replace(
        README,
        "worker-2: 1\nworker-2: 2\n",
        "worker-2: 2\nworker-2: 1\n",
    );
    refused(
        &course,
        &["step two-workers prints something else", " worker-2: 1\n"],
    );
}

#[test]
fn one_line_of_an_excerpt_is_refused_and_sync_writes_it_anew() {
    let course = course();
    let before = course.read(README);
    course.replace(
        README,
        "    let total: u32 = (1..=4).sum();\n",
        "    let total = 10;\n",
    );
    let at = place(&course, README, "let total = 10;");
    let there = place(&course, MAIN, "let total");
    refused(
        &course,
        &[
            &format!("{at}: fn sum differs from {there}:\n"),
            "\n    - let total = 10;\n    + let total: u32 = (1..=4).sum();\n",
            "    mend: `cargo xtask check --fix` writes it again\n",
        ],
    );
    let told = course.tell(&["sync", "counting"]);
    assert!(told.out.contains(": fn sum written anew\n"), "{told:?}");
    assert_eq!(told.status, Some(0), "{told:?}");
    assert_eq!(course.read(README), before);
}

#[test]
fn sync_follows_a_function_that_has_changed() {
    let course = course();
    let before = course.read(README);
    course.replace(MAIN, "for number in 0..3 {", "for number in 0..4 {");
    course.replace(PYTHON, "1 + 2 + 3 + 4", "4 + 3 + 2 + 1");
    let told = course.tell(&["sync", "1"]);
    assert!(told.out.contains("def sum written anew"), "{told:?}");
    assert!(told.out.contains("fn count written anew"), "{told:?}");
    let expected = before
        .replace("in 0..3", "in 0..4")
        .replace("1 + 2 + 3 + 4", "4 + 3 + 2 + 1");
    assert_eq!(course.read(README), expected);
    let told = course.tell(&["sync"]);
    assert!(told.out.contains("as it should be already"), "{told:?}");
}

#[test]
fn sync_writes_every_lesson_though_nobody_reads_what_it_says() {
    let course = SmallCourse::new();
    let lessons = ["greeting", "trouble"];
    for lesson in lessons {
        let main = format!("lessons/{lesson}/src/main.rs");
        course.append(&main, "\nfn hello() {\n    main();\n}\n");
    }
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let sync = course.command(&["sync"]).stdout(writer).spawn();
    finished(sync.expect("xtask starts"));
    for lesson in lessons {
        let readme = course.read(&format!("lessons/{lesson}/README.md"));
        assert!(
            readme.contains("fn hello() {\n    main();\n}\n"),
            "{readme}"
        );
    }
}

#[test]
fn a_step_that_was_renamed_is_refused_with_what_is_left_to_rename() {
    let course = course();
    course.replace(MAIN, "Some(\"sum\") => sum()", "Some(\"add\") => add()");
    course.replace(MAIN, "fn sum()", "fn add()");
    course.replace(MAIN, "\"sum\\ntwo-workers\"", "\"add\\ntwo-workers\"");
    let section = place(&course, README, "## sum");
    let excerpt = place(&course, README, "fn sum()");
    refused(
        &course,
        &[
            &format!("{section}: the section is about a step sum, which the lesson does not list"),
            "step add has no section\n    mend: add one with the heading `## add: ",
            "step add has no function `add` in Python",
            "counting.py:1: `--list` names the steps sum, two-workers\n",
            &format!("{excerpt}: `fn sum` does not appear anywhere in the lesson"),
        ],
    );
    let told = course.tell(&["sync"]);
    assert!(
        told.error
            .contains(&format!("{excerpt}: `fn sum` does not appear")),
        "{told:?}"
    );
    assert_eq!(told.status, Some(1), "{told:?}");
}

#[test]
fn a_step_that_fails_is_refused_with_what_it_said() {
    let course = course();
    course.replace(
        MAIN,
        "    println!(\"the sum is {total}\");\n",
        "    println!(\"the sum is {total}\");\n    panic!(\"too tired\");\n",
    );
    refused(
        &course,
        &[
            "step sum failed: it ended with exit status: 101\n",
            "    (stderr) too tired\n",
        ],
    );
}

#[test]
fn a_lesson_that_does_not_build_is_refused_with_what_cargo_said() {
    let course = course();
    course.replace(MAIN, "fn count(name", "fn count(nam");
    refused(
        &course,
        &[
            "the steps of lesson counting cannot be told: it does not build:",
            "cannot find value `name`",
        ],
    );
}

#[test]
fn one_lesson_can_be_checked_while_another_is_in_disorder() {
    let course = course();
    for (path, text) in [
        (MAIN, "fn main() {}".to_owned()),
        (README, "# T\n".to_owned()),
    ] {
        course.write(&path.replace("counting", "resting"), &text);
    }
    let manifest = MANIFEST
        .replace("counting", "resting")
        .replace("number = 1", "number = 2");
    course.write("lessons/resting/Cargo.toml", &manifest);
    course.replace("Cargo.toml", "[\"", "[\"lessons/resting\", \"");
    let told = course.tell(&["check", "counting"]);
    assert_eq!(told.status, Some(0), "{told:?}");
    refused(&course, &["lesson resting has no Python counterpart"]);
}

#[test]
fn an_unknown_lesson_and_an_option_are_refused() {
    for task in ["sync", "check"] {
        let told = course().tell(&[task, "countin"]);
        assert!(told.error.contains("did you mean `counting`?"), "{told:?}");
        assert_eq!(told.status, Some(2), "{told:?}");
        assert_eq!(course().tell(&[task, "--all"]).status, Some(2));
    }
}
