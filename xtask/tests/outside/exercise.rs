//! The exercises of this checkout, and `cargo xtask exercise` in a small course.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use course::Course;
use regex_lite::Regex;

use crate::small_course::{SmallCourse, run_to_end};

/// Returns the root of the checkout.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("the root of the checkout")
}

/// Returns the names of the lessons.
pub(crate) fn lessons() -> Vec<String> {
    let course = Course::find(root()).expect("the course");
    course.names().map(str::to_owned).collect()
}

/// Reads a text, which must be there.
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Builds the solutions with Cargo, and returns rustc's options for the libraries that they use.
fn libraries(lessons: &[String]) -> Vec<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace, as `cargo test --workspace` does: otherwise packages are built again.
    command.args([
        "build",
        "--workspace",
        "--message-format=json-render-diagnostics",
    ]);
    let solution = |lesson| format!("--example={lesson}-solution");
    command.args(lessons.iter().map(solution));
    let run = run_to_end(command.current_dir(root()));
    assert_eq!(run.status, Some(0), "{}", run.error);
    let used = ["anyhow", "multiprocess", "support"].map(|library| {
        let pattern = format!(r#""([^"]+)/(lib{library}-\w+\.rlib)""#);
        let pattern = Regex::new(&pattern).expect("a pattern");
        let (_, [folder, file]) = pattern.captures(&run.out).expect("a library").extract();
        let library = format!("--extern={library}={folder}/{file}");
        [library, format!("-Ldependency={folder}")]
    });
    used.concat()
}

/// Returns the solution and the half-solutions, each with the names of the checks that it must fail.
///
/// Each section of `half-solutions.md` has a diff of the solution; the opening stands for the solution itself.
fn attempts(exercise: &Path) -> Vec<(String, Vec<String>)> {
    let solution = text(&exercise.join("solution/main.rs"));
    let attempt = |section: &str| {
        let mut program = solution.clone();
        for block in section.split("```diff\n").skip(1) {
            let lines = block.split("```").next().unwrap_or_default();
            let side = |sign| -> String {
                let lines = lines.split_inclusive('\n');
                lines.filter_map(|line| line.strip_prefix(sign)).collect()
            };
            let (before, after) = (side('-'), side('+'));
            assert_eq!(program.matches(&before).count(), 1, "{before} in {section}");
            program = program.replacen(&before, &after, 1);
        }
        let lines = section.lines();
        let fails = lines.filter_map(|line| line.strip_prefix("Fails: "));
        let fails: Vec<_> = fails.map(str::to_owned).collect();
        assert_eq!(program == solution, fails.is_empty(), "{section}");
        (program, fails)
    };
    let sections = text(&exercise.join("half-solutions.md"));
    sections.split("\n## ").map(attempt).collect()
}

/// Compiles a program, runs all its checks, and returns the names of those that fail.
fn failures(source: &Path, program: &str, seconds: &str, libraries: &[String]) -> Vec<String> {
    fs::write(source, program).expect("a program");
    let built = source.with_extension("");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--cap-lints=allow", "-Cdebuginfo=0"]);
    rustc.args(libraries).arg("-o").arg(&built).arg(source);
    let compiled = run_to_end(&mut rustc);
    assert_eq!(compiled.status, Some(0), "{compiled:?}");
    let mut checks = Command::new(&built);
    let run = run_to_end(checks.arg("--all").env("CHECK_SECONDS", seconds));
    let is_check = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let checks: Vec<_> = run.out.lines().filter(is_check).collect();
    let failed = |line: &&str| line.strip_suffix(": FAILED").map(str::to_owned);
    let failed: Vec<_> = checks.iter().filter_map(failed).collect();
    let status = i32::from(!failed.is_empty());
    // The last line counts the checks that passed.
    assert!(checks.len() > 3 && run.status == Some(status), "{run:?}");
    for name in &failed {
        let reason = format!("{name}: FAILED\n   ");
        assert!(run.out.contains(&reason), "no {reason:?} in {run:?}");
    }
    let is_expected_panic = |line: &str| line.contains("/checks.rs:") && line.ends_with(':');
    assert!(!run.out.lines().any(is_expected_panic), "{run:?}");
    let names = failed.iter().filter_map(|line| line.split_once(". "));
    names.map(|(_, name)| name.to_owned()).collect()
}

/// A solution that leaves out what a hint asks for fails exactly the checks for that hint.
///
/// With `EXERCISES=untouched`, as in `.ci/run`, every gap must fail too. Without it, a learner may have filled in
/// the gaps.
#[test]
fn every_solution_passes_and_every_half_solution_and_gap_fails() {
    let has_gaps = env::var_os("EXERCISES").is_some_and(|state| state == "untouched");
    let lessons = lessons();
    assert!(lessons.len() >= 8, "{lessons:?}");
    let libraries = &libraries(&lessons);
    let folder = &tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for lesson in &lessons {
            scope.spawn(move || {
                let exercise = root().join("lessons").join(lesson).join("exercise");
                let own = folder.path().join(lesson);
                fs::create_dir_all(own.join("solution")).expect("a folder");
                fs::copy(exercise.join("checks.rs"), own.join("checks.rs")).expect("the checks");
                let attempts = attempts(&exercise);
                assert!(attempts.len() > 1, "{lesson}");
                for (program, fails) in attempts {
                    let seconds = ["10", "60"][usize::from(fails.is_empty())];
                    let source = own.join("solution/main.rs");
                    let failed = failures(&source, &program, seconds, libraries);
                    assert_eq!(failed, fails, "{lesson}: {program}");
                }
                let gap = text(&exercise.join("main.rs"));
                let passes = || failures(&own.join("main.rs"), &gap, "5", libraries).is_empty();
                assert!(!has_gaps || !passes(), "the gap of {lesson}");
            });
        }
    });
}

pub(crate) const PROGRAM: &str = "lessons/greeting/exercise/main.rs";

const COMMIT: &str = "git -c user.name=A -c user.email=a@b -c commit.gpgsign=false \
                      commit -q --no-verify -m All";

/// Makes a course in which `greeting` has an exercise, whose program's exit status says whether it's solved.
pub(crate) fn course_with_exercise() -> SmallCourse {
    let course = SmallCourse::new();
    add_exercise(&course, "greeting");
    write_program(&course, "// Gap: greet", 1);
    course
}

/// Adds an exercise without a program to a lesson.
pub(crate) fn add_exercise(course: &SmallCourse, lesson: &str) {
    let folder = format!("lessons/{lesson}");
    let example =
        format!("\n[[example]]\nname = \"{lesson}-exercise\"\npath = \"exercise/main.rs\"\n");
    course.append(&format!("{folder}/Cargo.toml"), &example);
    let hints = "## Hint 1\n\nThe first hint.\n\n## Hint 2\n\nThe second hint.";
    let task =
        format!("# Greet\n\nGreet me.\n\n{hints}\n\n## What to try next\n\n- Greet others.\n");
    course.write(&format!("{folder}/exercise/task.md"), &task);
    let solution = format!("{folder}/exercise/solution/main.rs");
    course.write(&solution, "fn main() {} // solved\n");
}

pub(crate) fn write_program(course: &SmallCourse, comment: &str, status: u8) {
    let program = format!(
        "fn main() -> std::process::ExitCode {{\n    {comment}\n    println!(\"1. a greeting\");\n    \
         std::process::ExitCode::from({status})\n}}\n"
    );
    course.write(PROGRAM, &program);
}

/// Runs shell commands in the course.
fn shell(course: &SmallCourse, commands: &str) {
    let mut shell = Command::new("sh");
    let run = run_to_end(shell.args(["-c", commands]).current_dir(course.path(".")));
    assert_eq!(run.status, Some(0), "{commands}: {run:?}");
}

#[test]
fn an_exercise_goes_from_untouched_to_solved_and_back() {
    let course = course_with_exercise();
    let shown = course.follow(
        "exercise => 1 greeting  untouched  Greet
         => 0 of 1 solved.
         exercise greeting => Greet me.
         => Your file: lessons/greeting/exercise/main.rs
         => $ cargo run -q -p greeting --example greeting-exercise
         => 1. a greeting
         => Not solved yet.
         => Hints left: 2. The next: `cargo xtask exercise greeting --hint`
         => exit status 1",
    );
    assert!(!shown.contains("The first hint"), "{shown}");
    course.write(PROGRAM, "fn main() { greet() }\n");
    course.follow(
        "exercise greeting => does not build yet. Cargo's errors:
         => function `greet`
         => exit status 1
         exercise => greeting  begun
         exercise greeting --hint => hint 1 of 2
         => The first hint.
         => Hints left: 1.
         exercise greeting --hint => The first hint.
         => The second hint.
         => Hints left: 0.
         exercise greeting --hint => hint 2 of 2
         => greeting --solution`
         exercise greeting --solution => lessons/greeting/exercise/solution/main.rs:
         => fn main() {} // solved
         => exit status 0",
    );
    write_program(&course, "", 0);
    let shown = course.follow(
        "exercise 1 => Solved: all checks passed.
         => - Greet others.
         => Next: `cargo xtask lesson trouble`
         => exit status 0",
    );
    assert!(!shown.contains("restore"), "there is no git yet: {shown}");
    course.follow("exercise => greeting  solved\n=> 1 of 1 solved.");
    write_program(&course, "// changed", 0);
    course.follow("exercise => greeting  begun");

    // A solution in the working tree, one in the index, and one that is committed.
    write_program(&course, "// Gap: greet", 1);
    shell(&course, "git init -q && git add lessons");
    shell(&course, COMMIT);
    for change in ["true", "git add lessons", COMMIT] {
        write_program(&course, "", 0);
        shell(&course, change);
        let shown = course.follow("exercise greeting => To restore the gap:");
        let command = shown.lines().find(|line| line.contains("git restore"));
        shell(&course, command.expect("a command"));
        let is_back = course.read(PROGRAM).contains("// Gap: greet");
        assert!(is_back, "{change}: {shown}");
    }
}

#[test]
fn a_wrong_command_line_is_refused() {
    course_with_exercise().follow(
        "exercise greetnig => did you mean `greeting`?
         => exit status 2
         exercise greeting trouble => unexpected argument \"trouble\"
         => exit status 2
         exercise --hint => give an exercise
         => exit status 2
         exercise greeting --watch => without --watch, the checks run once
         => exit status 2
         exercise greeting --watch --hint => give one of them
         => exit status 2
         exercise trouble => lesson trouble has no exercise
         => exit status 1",
    );
}
