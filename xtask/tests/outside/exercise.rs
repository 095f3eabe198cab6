//! The exercises of this checkout, and `cargo xtask exercise` in a small course.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use course::Course;

use crate::small_course::{Run, SmallCourse, run_to_end};

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

/// Builds these examples, and returns their folder, and Cargo's messages about everything that was built.
fn build(examples: &[String]) -> (PathBuf, String) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        // The whole workspace, as `cargo test --workspace` does: otherwise packages are built again.
        .args(["build", "--workspace"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(examples.iter().flat_map(|example| ["--example", example]))
        .current_dir(root());
    let Run { out, error, status } = run_to_end(&mut command);
    assert_eq!(status, Some(0), "{error}");
    let (_, program) = out.split_once("\"executable\":\"").expect("a program");
    let (program, _) = program.split_once('"').expect("the end of its path");
    (Path::new(program).with_file_name(""), out)
}

/// Runs all checks of a program, and returns for each its name and whether it passed.
fn check(program: &Path, seconds: &str) -> (Run, Vec<(String, bool)>) {
    let mut checks = Command::new(program);
    let run = run_to_end(checks.arg("--all").env("CHECK_SECONDS", seconds));
    let verdicts = run.out.lines().filter_map(|line| {
        let number_first = line.starts_with(|first: char| first.is_ascii_digit());
        let (check, verdict) = line.rsplit_once(": ")?;
        number_first.then(|| (check.to_owned(), verdict == "passed"))
    });
    let verdicts = verdicts.collect();
    (run, verdicts)
}

/// With `EXERCISES=untouched`, as in `.ci/run`, the checks of every gap must fail. Without it, a learner may
/// have filled in the gaps.
#[test]
fn every_solution_passes_and_every_gap_fails() {
    let has_gaps = env::var_os("EXERCISES").is_some_and(|state| state == "untouched");
    let lessons = lessons();
    assert!(lessons.len() >= 8, "{lessons:?}");
    let kinds = if has_gaps {
        "solution exercise"
    } else {
        "solution"
    };
    let examples = kinds
        .split(' ')
        .flat_map(|kind| lessons.iter().map(move |lesson| format!("{lesson}-{kind}")));
    let (programs, _) = &build(&examples.collect::<Vec<_>>());
    thread::scope(|scope| {
        for lesson in &lessons {
            scope.spawn(move || {
                let (run, solved) = check(&programs.join(format!("{lesson}-solution")), "60");
                assert_eq!(run.status, Some(0), "{lesson}: {run:?}");
                assert!(solved.len() >= 3, "{lesson}: {run:?}");
                assert!(solved.iter().all(|(_, passed)| *passed), "{run:?}");
                if !has_gaps {
                    return;
                }
                let (run, gapped) = check(&programs.join(format!("{lesson}-exercise")), "5");
                assert_eq!(run.status, Some(1), "{lesson}: {run:?}");
                let names = |checks: &[(String, bool)]| {
                    let names = checks.iter().map(|(name, _)| name.clone());
                    names.collect::<Vec<_>>()
                };
                assert_eq!(names(&solved), names(&gapped), "{run:?}");
                for (name, _) in gapped.iter().filter(|(_, passed)| !passed) {
                    let reason = run.out.split_once(&format!("{name}: FAILED\n   "));
                    assert!(reason.is_some(), "{name} without a reason: {run:?}");
                }
                if lesson == "locks" {
                    let hung = "FAILED
   a transfer did not end within 3 s";
                    assert!(run.out.contains(hung), "{run:?}");
                }
            });
        }
    });
}

/// A solution that leaves out what one of the hints asks for.
struct HalfSolution {
    title: String,
    program: String,
    /// The names of the checks that it must fail.
    fails: Vec<String>,
}

/// Reads `half-solutions.md`. Each section names the checks that fail, and has a diff of the solution.
fn half_solutions(exercise: &Path) -> Vec<HalfSolution> {
    let solution = text(&exercise.join("solution/main.rs"));
    let described = text(&exercise.join("half-solutions.md"));
    let sections = described.split("\n## ").skip(1);
    let half_solution = |section: &str| {
        let mut program = solution.clone();
        for block in section.split("```diff\n").skip(1) {
            let block = block.split("```").next().expect("the lines of a block");
            let side = |sign: char| {
                let lines = block.split_inclusive('\n');
                lines
                    .filter_map(|line| line.strip_prefix(sign))
                    .collect::<String>()
            };
            let before = side('-');
            assert_eq!(
                program.matches(&before).count(),
                1,
                "once in {}: {before}",
                exercise.display()
            );
            program = program.replacen(&before, &side('+'), 1);
        }
        assert_ne!(program, solution, "{}: {section}", exercise.display());
        let mut lines = section.lines();
        HalfSolution {
            title: lines.next().unwrap_or_default().to_owned(),
            fails: lines
                .filter_map(|line| line.strip_prefix("Fails: "))
                .map(str::to_owned)
                .collect(),
            program,
        }
    };
    sections.map(half_solution).collect()
}

/// Reads a text, which must be there.
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A solution that leaves out what a hint asks for fails exactly the checks for that hint.
#[test]
fn every_half_solution_fails() {
    let lessons = lessons();
    let examples: Vec<_> = lessons
        .iter()
        .map(|lesson| format!("{lesson}-solution"))
        .collect();
    let (programs, built) = &build(&examples);
    let libraries = programs.with_file_name("deps");
    let used = ["anyhow", "multiprocess", "support"].map(|library| {
        let (_, path) = built
            .split_once(&format!("/lib{library}-"))
            .expect("a library");
        let (hash, _) = path.split_once(".rlib").expect("the end of its path");
        format!("{library}={}/lib{library}-{hash}.rlib", libraries.display())
    });
    let (folder, libraries, used) = (&tempfile::tempdir().expect("a folder"), &libraries, &used);
    thread::scope(|scope| {
        for lesson in &lessons {
            scope.spawn(move || {
                let exercise = root().join("lessons").join(lesson).join("exercise");
                let own = folder.path().join(lesson);
                fs::create_dir_all(own.join("solution")).expect("a folder");
                fs::copy(exercise.join("checks.rs"), own.join("checks.rs")).expect("the checks");
                let halves = half_solutions(&exercise);
                assert!(!halves.is_empty(), "{lesson}");
                for HalfSolution {
                    title,
                    program,
                    fails,
                } in halves
                {
                    let (source, built) = (own.join("solution/main.rs"), own.join("program"));
                    fs::write(&source, program).expect("a program");
                    let mut rustc = Command::new("rustc");
                    rustc.args([
                        "--edition",
                        "2024",
                        "--cap-lints",
                        "allow",
                        "-C",
                        "debuginfo=0",
                    ]);
                    rustc.args(used.iter().flat_map(|library| ["--extern", library]));
                    rustc
                        .arg("-L")
                        .arg(format!("dependency={}", libraries.display()));
                    let compiled = run_to_end(rustc.arg(&source).arg("-o").arg(&built));
                    assert_eq!(
                        compiled.status,
                        Some(0),
                        "{lesson}, {title}: {}",
                        compiled.error
                    );
                    let (run, verdicts) = check(&built, "10");
                    assert_eq!(run.status, Some(1), "{lesson}, {title}: {run:?}");
                    let is_expected_panic =
                        |line: &str| line.contains("/checks.rs:") && line.ends_with(':');
                    assert!(!run.out.lines().any(is_expected_panic), "{run:?}");
                    let failed = verdicts.iter().filter(|(_, passed)| !passed);
                    let failed = failed.filter_map(|(name, _)| name.split_once(". "));
                    let failed: Vec<_> = failed.map(|(_, name)| name).collect();
                    assert_eq!(failed, fails, "{lesson}, {title}: {run:?}");
                }
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
    add_exercise(&course, "greeting", 1);
    write_program(&course, "// Gap: greet", 1);
    course
}

/// Adds an exercise without a program to a lesson.
pub(crate) fn add_exercise(course: &SmallCourse, lesson: &str, number: u32) {
    let manifest = format!(
        "[package]\nname = \"{lesson}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [[example]]\nname = \"{lesson}-exercise\"\npath = \"exercise/main.rs\"\n\n\
         [package.metadata.lesson]\nnumber = {number}\ntitle = \"All about {lesson}\"\nminutes = 1\n"
    );
    course.write(&format!("lessons/{lesson}/Cargo.toml"), &manifest);
    course.write(
        &format!("lessons/{lesson}/exercise/task.md"),
        "# Greet\n\nGreet me.\n\n## Hint 1\n\nThe first hint.\n\n## Hint 2\n\nThe second hint.\n\n\
         ## What to try next\n\n- Greet others.\n",
    );
    course.write(
        &format!("lessons/{lesson}/exercise/solution/main.rs"),
        "fn main() {} // solved\n",
    );
}

pub(crate) fn write_program(course: &SmallCourse, comment: &str, status: u8) {
    let program = format!(
        "fn main() -> std::process::ExitCode {{\n    {comment}\n    println!(\"1. a greeting\");\n    \
         std::process::ExitCode::from({status})\n}}\n"
    );
    course.write(PROGRAM, &program);
}

/// Runs `exercise` with these arguments, and checks that it shows these texts.
#[track_caller]
fn shows(course: &SmallCourse, arguments: &[&str], texts: &[&str], status: i32) -> Run {
    let run = course.run(&[&["exercise"], arguments].concat());
    for text in texts {
        assert!(run.out.contains(text), "no {text:?}: {run:?}");
    }
    assert_eq!(run.status, Some(status), "{run:?}");
    run
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
    let untouched = ["1 greeting  untouched  Greet\n", "0 of 1 solved."];
    shows(&course, &[], &untouched, 0);
    let texts = [
        "Greet me.\n",
        "Your file: lessons/greeting/exercise/main.rs\n",
        "    $ cargo run -q -p greeting --example greeting-exercise\n    1. a greeting\n",
        "Not solved yet.\n",
        "Hints left: 2. The next: `cargo xtask exercise greeting --hint`",
    ];
    let run = shows(&course, &["greeting"], &texts, 1);
    assert!(!run.out.contains("The first hint"), "{run:?}");

    course.write(PROGRAM, "fn main() { greet() }\n");
    let failure = ["does not build yet. Cargo's errors:", "function `greet`"];
    shows(&course, &["greeting"], &failure, 1);
    shows(&course, &[], &["greeting  begun "], 0);
    for (hint, left) in [
        ("hint 1 of 2\n\nHint 1\n\nThe first hint.", "Hints left: 1."),
        (
            "The first hint.\n\nHint 2\n\nThe second hint.",
            "Hints left: 0.",
        ),
        (
            "hint 2 of 2\n\nHint 1\n\nThe first hint.",
            "greeting --solution`",
        ),
    ] {
        shows(&course, &["greeting", "--hint"], &[hint, left], 0);
    }
    let solution = "lessons/greeting/exercise/solution/main.rs:\n    fn main() {} // solved";
    shows(&course, &["greeting", "--solution"], &[solution], 0);

    write_program(&course, "", 0);
    let solved = ["Solved: all checks passed.\n", "- Greet others.\n"];
    let run = shows(&course, &["1"], &solved, 0);
    assert!(run.out.ends_with("Next: `cargo xtask lesson trouble`\n"));
    let knows_gap = run.out.contains("restore the gap");
    assert!(!knows_gap, "there is no git yet: {run:?}");
    shows(&course, &[], &["greeting  solved ", "1 of 1 solved."], 0);
    write_program(&course, "// changed", 0);
    shows(&course, &[], &["greeting  begun "], 0);

    // A solution in the working tree, one in the index, and one that is committed.
    write_program(&course, "// Gap: greet", 1);
    shell(&course, "git init -q && git add lessons");
    shell(&course, COMMIT);
    for change in ["true", "git add lessons", COMMIT] {
        write_program(&course, "", 0);
        shell(&course, change);
        let run = shows(&course, &["greeting"], &[], 0);
        let (_, command) = run.out.split_once("restore the gap:\n").expect("a command");
        shell(&course, command.lines().next().expect("a command"));
        let is_back = course.read(PROGRAM).contains("// Gap: greet");
        assert!(is_back, "{change}: {run:?}");
    }
}

#[test]
fn a_wrong_command_line_is_refused() {
    let course = course_with_exercise();
    for (arguments, message, status) in [
        (&["greetnig"][..], "did you mean `greeting`?", 2),
        (
            &["greeting", "trouble"],
            "unexpected argument \"trouble\"",
            2,
        ),
        (&["--hint"], "give an exercise", 2),
        (&["greeting", "--hints"], "--hints", 2),
        (&["trouble"], "lesson trouble has no exercise", 1),
    ] {
        let run = shows(&course, arguments, &[], status);
        assert!(run.error.contains(message), "{arguments:?}: {run:?}");
    }
}
