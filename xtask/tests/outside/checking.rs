//! `cargo xtask check`: the problems that it finds, and what `--fix` updates.

use std::fs;
use std::process::Command;

#[cfg(unix)]
use crate::counterparts::{path_with, stand_in};
use crate::small_course::{Run, SmallCourse, run_to_end};

const README: &str = "lessons/counting/README.md";
const MAIN: &str = "lessons/counting/src/main.rs";
const REFUSED: &str = "lessons/counting/src/refused.rs";
const PYTHON: &str = "lessons/counting/counting.py";
const MANIFEST: &str = "lessons/counting/Cargo.toml";
const TASK: &str = "lessons/counting/exercise/task.md";
const EXERCISE: &str = "lessons/counting/exercise/main.rs";

/// The files of a course, correct and with faults: `«right¦wrong»`. `␛` is the character that begins an
/// escape sequence.
const FILES: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"lessons/counting\"]\n",
    ),
    (
        MANIFEST,
        r#"[package]
name = "counting"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "counting"
path = "src/main.rs"

[[example]]
name = "counting-exercise"
path = "exercise/main.rs"

[[example]]
name = "counting-«solution¦solved»"
path = "exercise/solution/main.rs"

[package.metadata.lesson]
number = 1
title = "Counting: one after the other"
minutes = 1
"#,
    ),
    (
        MAIN,
        r#"use std::thread;

/// Adds numbers.
fn sum() {
    let total: u32 = (1..=4).sum();
    println!("the sum is {total}");
}

fn count(name: &str) {
    for number in 0..2 {
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

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("sum") => sum(),
        Some("two-workers") => two_workers(),
        _ => println!("sum\ntwo-workers"),
    }
}
"#,
    ),
    (
        REFUSED,
        r#"//! ```compile_fail,E0308
//! # fn main() {
//! // does not compile: expected `u32`, found `«&¦»str`
//! let number: u32 = "three";
//! # }
//! ```
//!
//! ```compile_fail,«E0425¦E0404»
//! println!("{none}");
//! ```
//!
//! ```compile_fail,E0425
//! println!("{nil}");
//! ```
"#,
    ),
    (
        PYTHON,
        r#"import sys


def sum():
    print("the sum is", 1 + 2 + 3 + 4)


def two_workers():
    pass


for name in sys.argv[1:]:
    print("sum\ntwo-workers") if name == "--list" else globals()[name.replace("-", "_")]()
"#,
    ),
    (
        README,
        r#"# Counting«: one after the other¦»

The program is in `src/«main¦mi␛an».rs`, the course [elsewhere](../«README¦REDME».md).

## sum: an addition

**What is the sum?**

```python
def sum():
    print(«"the sum is", 1 + 2 + 3 + 4¦10»)
```

```rust
fn sum() {
    let total«: u32 = (1..=4).sum()¦ = 10»;
    println!("the sum is {total}");
}
```

```console
$ cargo run -q -p counting -- sum
the sum is 1«0¦1»
```

```console any-«order¦ordr»
$ cargo run -q -p counting -- sum
the sum is 10
```

```rust,compile_fail
// does not compile: expected `u32`, found `«&¦»str`
let number: u32 = "three";
```

```rust,compile_fail
println!("{none}");
```

```text
error[E0425]: cannot find value `none` in this scope
```

```rust,compile_fail
println!("{nil}");
```

```text
error[E0425]: cannot find value `«nil¦null»` in this scope
```

## two-workers: two at a time

In which order do they count? **Is it
the same each time«?¦.»**

«```python
def two_workers():
    pass
```¦»

```rust
fn «count¦cout»(name: &str) {
    for number in 0..2 {
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
```

```console per-worker
$ cargo run -q -p counting -- two-workers
worker-2: «0¦1»
worker-1: 0
worker-1: 1
worker-2: «1¦0»
main: process [PID] has counted
```

```console
$ cargo fetch
«$ cargo build¦Fetched.»
```

«¦## order: which one
»
"#,
    ),
    (
        TASK,
        "# Add\n\nIn `exercise/main.rs`.\n\n## Hint 1\n\nA.\n\n## «Hint 2¦Hint»\n\nB.\n\n\
         ## What to try next\n\nC.\n",
    ),
    (EXERCISE, "fn main() {\n    // Gap: add.\n}\n"),
    (
        "lessons/counting/exercise/checks.rs",
        "const CHECKS: &[()] = &[];\n",
    ),
    (
        "lessons/counting/exercise/solution/main.rs",
        "fn main() {\n    add();\n}\n",
    ),
];

/// The problems that `check` finds: the file, a text on the line, and the message. `⏎` is the end of a
/// line.
const FAULTS: &str = "\
README.md¦the sum is 11¦step sum prints something different (- README, + run):⏎    - the sum is 11⏎    + the sum is 10⏎    help: correct
README.md¦worker-2: 1¦step two-workers prints something different
README.md¦```console any-ordr¦`any-ordr` is not an order of a transcript; did you mean `any-order`?⏎    help: correct
README.md¦```console⏎$ cargo fetch¦`$ cargo fetch` does not run a step⏎    help: correct
README.md¦    let total = 10;¦fn sum differs from lessons/counting/src/main.rs:5:⏎        - let total = 10;⏎        + let total: u32 =
README.md¦    print(10)¦def sum differs from lessons/counting/counting.py:5:
README.md¦fn cout(name¦`fn cout` does not appear anywhere in the lesson; did you mean `fn count`?
README.md¦## two-workers¦the section of step two-workers has no question `**…?**`⏎    help: add it
README.md¦## two-workers¦the section of step two-workers has no ```python block `def two_workers(`
README.md¦# Counting¦the sections show the steps sum, two-workers, order⏎    help: write a section
README.md¦# Counting¦the title is not \"Counting: one after the other\" as in Cargo.toml
README.md¦REDME¦the link to ../REDME.md is broken
README.md¦src/mi␛an¦there is no file `src/mi\\u{1b}an.rs`
README.md¦```rust,compile_fail⏎// does¦the compiler says: error[E0308]: mismatched types⏎    help: put
README.md¦```rust,compile_fail⏎println!(\"{none¦the compiler says: error[E0425]: cannot find value `none` in
README.md¦```rust,compile_fail⏎println!(\"{nil¦the compiler says: error[E0425]: cannot find value `nil` in
Cargo.toml¦[package]¦missing in this file: [[example]], name = \"counting-solution\"⏎    help
exercise/task.md¦# Add¦missing in this file: ## Hint 2⏎    help: add it";

/// Makes the course, either correct or with all the faults.
fn course(is_right: bool) -> SmallCourse {
    let course = SmallCourse::empty();
    course.write("lessons/README.md", "# All of it\n");
    for (path, text) in FILES {
        course.write(path, &variant(text, is_right));
    }
    course
}

fn variant(text: &str, is_right: bool) -> String {
    let pieces = text
        .split(['«', '»'])
        .map(|piece| match piece.split_once('¦') {
            Some((right, wrong)) => [wrong, right][usize::from(is_right)],
            None => piece,
        });
    pieces.collect::<String>().replace('␛', "\u{1b}")
}

/// Runs `check`, which must find this many problems, and print these texts.
#[track_caller]
fn finds(course: &SmallCourse, arguments: &[&str], count: usize, said: &[&str]) {
    let Run { out, error, status } = course.run(arguments);
    for text in said {
        assert!(out.contains(text), "no {text:?}: {out}");
    }
    let sum = format!("Problems: {count}.\n");
    assert!(out.ends_with(&sum), "not {sum:?}: {out}");
    assert_eq!((error.as_str(), status), ("", Some(i32::from(count > 0))));
}

#[test]
fn each_fault_is_shown_with_its_line_and_fix_updates_the_code() {
    let course = course(false);
    let faults = FAULTS.lines().map(|fault| {
        let fault = fault.replace('⏎', "\n").replace('␛', "\u{1b}");
        let pieces: Vec<&str> = fault.split('¦').collect();
        let file = format!("lessons/counting/{}", pieces[0]);
        let text = course.read(&file);
        let before = text.find(pieces[1]).expect("the text on the line");
        let line = 1 + text[..before].matches('\n').count();
        format!("{file}:{line}: {}", pieces[2])
    });
    let faults: Vec<String> = faults.collect();
    let said: Vec<&str> = faults.iter().map(String::as_str).collect();
    finds(&course, &["check"], said.len(), &said);

    let updated = [": updated def sum\n", ": updated fn sum\n"];
    let arguments = ["check", "--fix", "counting"];
    finds(&course, &arguments, said.len() - 2, &updated);
    let readme = course.read(README);
    assert!(
        readme.contains("    let total: u32 = (1..=4).sum();"),
        "{readme}"
    );
    assert!(readme.contains("fn cout(name"), "{readme}");
}

#[test]
fn steps_that_fail_or_have_another_name_are_found_in_both_languages() {
    let course = course(true);
    course.replace(MAIN, "(1..=4).sum();", "panic!(\"too tired\");");
    course.replace(PYTHON, "():\n    pass", "():\n    raise OSError");
    let said = [
        ": updated fn sum\n",
        ": updated def two_workers\n",
        ": step sum failed: it ended with exit status: 101\n",
        "    too tired\n",
        "lessons/counting/counting.py:1: step two-workers failed: it ended with exit status: 1\n",
        "OSError\n",
        "help: fix it; `python3 lessons/counting/counting.py two-workers` runs it\n",
    ];
    finds(&course, &["check", "--fix"], 3, &said);

    course.replace(MAIN, "sum\\ntwo-workers", "sum\\nrest");
    let said = [
        "README.md:1: the sections show the steps sum, two-workers\n    help: write a section \
         `## STEP: …` for each step in this order: sum, rest\n",
        "README.md:78: `$ cargo run -q -p counting -- two-workers` does not run a step",
        ": `--list` does not print the steps of the Rust program: sum, two-workers\n    help: ",
    ];
    finds(&course, &["check"], 5, &said);
}

#[test]
fn a_lesson_that_does_not_build_does_not_affect_the_others() {
    let course = course(true);
    let manifest = course.read(MANIFEST).replace("number = 1", "number = 2");
    course.write(
        "lessons/adding/Cargo.toml",
        &manifest.replace("counting", "adding"),
    );
    course.write("lessons/adding/README.md", "# Counting\n");
    course.write("lessons/adding/src/main.rs", "fn main() { add() }\n");
    course.replace("Cargo.toml", "[\"", "[\"lessons/adding\", \"");
    finds(&course, &["check", "counting"], 0, &[]);
    let said = [
        "lessons/adding/adding.py:1: missing in this file: def\n    help: add it\n",
        "lessons/adding:1: cannot check lesson adding: it does not build:\n",
        "cannot find function `add`",
    ];
    finds(&course, &["check", "adding", "1"], 8, &said);
    let source = course.path("lessons/adding/src/main.rs");
    fs::write(&source, b"\xff").expect("a file");
    let said = ["lessons/adding/src/main.rs: it is not text in UTF-8"];
    finds(&course, &["check", "adding"], 8, &said);
    // Not in place of main.rs: Cargo would open the pipe and block.
    fs::write(&source, "").expect("a file");
    let pipe = course.path("lessons/adding/src/more.rs");
    let made = Command::new("mkfifo").arg(pipe).status();
    assert!(made.expect("it can be run").success());
    let said = ["lessons/adding/src/more.rs: it is not a regular file"];
    finds(&course, &["check", "adding"], 8, &said);

    course.replace(TASK, "## Hint 2", "## Hint two");
    let Run { out, .. } = course.run(&["check"]);
    let is_in_order = out.find("lessons/counting/") < out.find("lessons/adding/");
    assert!(is_in_order, "lesson 1 comes first: {out}");

    for (wrong, said) in [
        ("countin", "did you mean `counting`?"),
        ("--all", "no option `--all`"),
    ] {
        let run = course.run(&["check", wrong]);
        assert!(run.error.contains(said), "{run:?}");
        assert_eq!(run.status, Some(2));
    }
}

#[cfg(unix)]
#[test]
fn a_correct_lesson_has_no_problem_even_without_a_gap_or_python() {
    let course = course(true);
    finds(&course, &["check", "--fix"], 0, &[]);
    assert_eq!(course.read(README), variant(FILES[5].1, true));

    course.replace(EXERCISE, "// Gap: add.", "add();");
    let programs = stand_in("echo Python 3.8.1");
    let gap = "main.rs:1: note: no gap is marked, so it counts as filled in; mark a gap";
    let python = " The steps in Python were not checked: python3 is Python 3.8.1, but ";
    for (state, problems, gap) in [
        ("", 0, gap),
        ("untouched", 1, "main.rs:1: no gap is marked"),
    ] {
        let mut check = course.command(&["check"]);
        check.env("EXERCISES", state);
        let Run { out, status, .. } = run_to_end(check.env("PATH", path_with(programs.path())));
        let sum = format!("\nProblems: {problems}.{python}");
        assert!(out.contains(gap) && out.contains(&sum), "{out}");
        assert_eq!(status, Some(problems));
    }
}
