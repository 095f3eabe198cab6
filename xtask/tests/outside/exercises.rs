//! The exercises of this checkout, and `cargo xtask exercise` in a small course.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::small_course::{SmallCourse, Told, finished, told, xtask};

fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("the root of the checkout")
}

/// Gives the names of the lessons, each of which has an exercise.
fn lessons() -> Vec<String> {
    let entries = fs::read_dir(root().join("lessons")).expect("the lessons");
    let folders = entries.map(|entry| entry.expect("a lesson").path());
    let lessons = folders.filter(|folder| folder.join("Cargo.toml").is_file());
    let mut lessons: Vec<String> = lessons
        .map(|lesson| {
            let name = lesson.file_name().expect("a name").to_string_lossy();
            name.into_owned()
        })
        .collect();
    lessons.sort();
    lessons
}

/// Tells whether nobody has filled in a gap here: `.ci/run` says so of the course itself. Elsewhere
/// somebody may be learning, and their solutions, of which git perhaps knows nothing, fail no test.
fn nobody_learns_here() -> bool {
    env::var_os("EXERCISES").is_some_and(|state| state == "untouched")
}

fn has_gap(lesson: &str) -> bool {
    let program = root().join(format!("lessons/{lesson}/exercise/main.rs"));
    let text = fs::read_to_string(program).expect("the exercise");
    text.contains("// Gap:")
}

/// Tells whether an exercise is that of the course: its gap is marked, and git sees no change.
fn is_untouched(lesson: &str) -> bool {
    let mut diff = Command::new("git");
    diff.args(["diff", "--quiet", "HEAD", "--"])
        .arg(format!("lessons/{lesson}/exercise/main.rs"))
        .current_dir(root())
        .stderr(Stdio::null());
    let is_committed = diff
        .spawn()
        .is_ok_and(|diff| finished(diff).status == Some(0));
    nobody_learns_here() || is_committed && has_gap(lesson)
}

/// Builds the solutions, and the exercises that nobody is at, and gives the folder that they are in.
fn build(lessons: &[String]) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        // The whole workspace, as `cargo test --workspace` does: otherwise packages are built anew.
        .args(["build", "--workspace"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root());
    for lesson in lessons {
        if is_untouched(lesson) {
            command.args(["--example", &format!("{lesson}-exercise")]);
        }
        command.args(["--example", &format!("{lesson}-solution")]);
    }
    let Told { out, error, status } = told(&mut command);
    assert_eq!(status, Some(0), "{error}");
    assert!(
        !nobody_learns_here() || !error.contains("warning"),
        "{error}"
    );
    let program = out
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    let program = program.expect("Cargo names what it has built");
    program.parent().expect("its folder").to_owned()
}

/// What a program's checks said: their lines, and whether they passed.
struct Checks {
    told: Told,
    verdicts: Vec<(String, bool)>,
}

fn check(programs: &Path, name: &str, seconds: &str) -> Checks {
    let told = told(Command::new(programs.join(name)).env("CHECK_SECONDS", seconds));
    let verdicts = told.out.lines().filter_map(|line| {
        let number_first = line.starts_with(|first: char| first.is_ascii_digit());
        let (check, verdict) = line.rsplit_once(": ")?;
        number_first.then(|| (check.to_owned(), verdict == "passed"))
    });
    Checks {
        verdicts: verdicts.collect(),
        told,
    }
}

#[test]
fn every_solution_passes_and_every_gap_is_seen() {
    let lessons = lessons();
    assert!(lessons.len() >= 8, "{lessons:?}");
    let programs = &build(&lessons);
    thread::scope(|scope| {
        for lesson in &lessons {
            scope.spawn(move || {
                let solution = check(programs, &format!("{lesson}-solution"), "60");
                let told = &solution.told;
                assert_eq!(told.status, Some(0), "{lesson}: {told:?}");
                assert!(solution.verdicts.len() >= 3, "{lesson}: {told:?}");
                assert!(solution.verdicts.iter().all(|(_, passed)| *passed));

                if !is_untouched(lesson) {
                    return;
                }
                let gapped = check(programs, &format!("{lesson}-exercise"), "5");
                let told = &gapped.told;
                if nobody_learns_here() {
                    assert!(has_gap(lesson), "{lesson}: no gap is marked");
                } else if told.status == Some(0) {
                    return; // filled in, and the mark was left
                }
                assert_eq!(told.status, Some(1), "{lesson}: {told:?}");
                let names = |checks: &Checks| {
                    let names = checks.verdicts.iter().map(|(name, _)| name.clone());
                    names.collect::<Vec<_>>()
                };
                assert_eq!(names(&gapped), names(&solution), "each check is named");
                for (name, _) in gapped.verdicts.iter().filter(|(_, passed)| !passed) {
                    let reason = told.out.split_once(&format!("{name}: FAILED\n   "));
                    assert!(reason.is_some(), "{name} without a reason: {told:?}");
                }
            });
        }
    });
}

#[test]
fn a_gap_that_hangs_is_ended_and_told() {
    if !is_untouched("locks") {
        return;
    }
    let programs = build(&["locks".to_owned()]);
    let told = told(
        Command::new(programs.join("locks-exercise"))
            .arg("3")
            .env("CHECK_SECONDS", "2"),
    );
    if told.status == Some(0) && !nobody_learns_here() {
        return; // filled in, and the mark was left
    }
    assert!(
        told.out
            .contains("FAILED\n   it was still running after 2 s and was ended"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(1));
}

/// A course in which `greeting` has an exercise that is solved when the program says so.
fn course_with_exercise() -> SmallCourse {
    let course = SmallCourse::new();
    let manifest = "[package]\nname = \"greeting\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [[example]]\nname = \"greeting-exercise\"\npath = \"exercise/main.rs\"\n\n\
                    [package.metadata.lesson]\nnumber = 1\ntitle = \"All about greeting\"\nminutes = 1\n";
    course.write("lessons/greeting/Cargo.toml", manifest);
    course.write(
        "lessons/greeting/exercise/task.md",
        "# Greet\n\nGreet me.\n\n## Hint 1\n\nThe first hint.\n\n## Hint 2\n\nThe second hint.\n\n\
         ## What to try next\n\n- Greet others.\n",
    );
    write_program(&course, "// Gap: greet", 1);
    course.write(
        "lessons/greeting/exercise/solution/main.rs",
        "fn main() {} // solved\n",
    );
    course
}

fn write_program(course: &SmallCourse, comment: &str, status: u8) {
    let program = format!(
        "fn main() -> std::process::ExitCode {{\n    {comment}\n    println!(\"1. a greeting\");\n    \
         std::process::ExitCode::from({status})\n}}\n"
    );
    course.write("lessons/greeting/exercise/main.rs", &program);
}

#[test]
fn an_exercise_goes_from_untouched_to_solved() {
    let course = course_with_exercise();
    let list = course.tell(&["exercise"]);
    assert!(
        list.out.contains("1 greeting  untouched  Greet\n"),
        "{list:?}"
    );
    assert!(list.out.contains("0 of 1 solved."), "{list:?}");
    assert_eq!(list.status, Some(0));

    let told = course.tell(&["exercise", "greeting"]);
    for text in [
        "Greet me.\n",
        "Your file: lessons/greeting/exercise/main.rs\n",
        "    $ cargo run -q -p greeting --example greeting-exercise\n    1. a greeting\n",
        "Not solved yet.\n",
        "There are 2 hints left: `cargo xtask exercise greeting --hint`",
    ] {
        assert!(told.out.contains(text), "{text:?}: {told:?}");
    }
    assert!(!told.out.contains("The first hint"), "{told:?}");
    assert_eq!(told.status, Some(1));

    write_program(&course, "", 1);
    let list = course.tell(&["exercise"]);
    assert!(list.out.contains("greeting  begun "), "{list:?}");

    write_program(&course, "", 0);
    let told = course.tell(&["exercise", "1"]);
    assert!(
        told.out.contains("Solved: all checks passed.\n"),
        "{told:?}"
    );
    assert!(told.out.contains("- Greet others.\n"), "{told:?}");
    assert!(
        !told.out.contains("To have the exercise again"),
        "without git nobody knows how it was: {told:?}"
    );
    assert!(
        told.out.contains("Next: `cargo xtask lesson trouble`"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(0));
    let list = course.tell(&["exercise"]);
    assert!(list.out.contains("greeting  solved "), "{list:?}");
    assert!(list.out.contains("1 of 1 solved."), "{list:?}");

    write_program(&course, "// changed", 0);
    let list = course.tell(&["exercise"]);
    assert!(list.out.contains("greeting  begun "), "{list:?}");
}

#[test]
fn whoever_has_solved_an_exercise_is_told_how_to_have_it_again() {
    let course = course_with_exercise();
    let commit = || {
        let git = "git init -q && git add lessons && git -c user.name=A -c user.email=a@b \
                   -c commit.gpgsign=false commit -q --no-verify -m All";
        let told = told(
            Command::new("sh")
                .args(["-c", git])
                .current_dir(course.path(".")),
        );
        assert_eq!(told.status, Some(0), "{told:?}");
    };
    commit();
    for is_committed in [false, true] {
        write_program(&course, "", 0);
        if is_committed {
            commit();
        }
        let solved = course.tell(&["exercise", "greeting"]);
        let (_, command) = solved.out.split_once("again as it was:\n").expect("a way");
        let command = command.lines().next().expect("a command").trim();
        assert!(command.starts_with("git restore "), "{solved:?}");
        let restored = told(
            Command::new("sh")
                .args(["-c", command])
                .current_dir(course.path(".")),
        );
        assert_eq!(restored.status, Some(0), "{restored:?}");
        let program = course.read("lessons/greeting/exercise/main.rs");
        assert!(program.contains("// Gap: greet"), "{command}: {program}");
    }
}

#[test]
fn hints_come_one_after_the_other() {
    let course = course_with_exercise();
    for (arguments, hint, left) in [
        (
            &["--hint"][..],
            "Hint 1 of 2\n\nThe first hint.",
            "There is one more hint",
        ),
        (
            &["--hint"],
            "Hint 2 of 2\n\nThe second hint.",
            "All hints are given",
        ),
        (&["--hint"], "Hint 2 of 2\n\nThe second hint.", "--solution"),
        (
            &["--hint", "1"],
            "Hint 1 of 2\n\nThe first hint.",
            "All hints are given",
        ),
        (
            &["--hint=2"],
            "Hint 2 of 2\n\nThe second hint.",
            "All hints are given",
        ),
    ] {
        let told = course.tell(&[&["exercise", "greeting"], arguments].concat());
        assert!(told.out.starts_with(hint), "{arguments:?}: {told:?}");
        assert!(told.out.contains(left), "{arguments:?}: {told:?}");
        assert_eq!(told.status, Some(0));
    }
    let told = course.tell(&["exercise", "greeting", "--hint", "3"]);
    assert!(told.error.contains("there is no hint 3"), "{told:?}");
    assert_eq!(told.status, Some(2));
}

#[test]
fn a_program_that_does_not_build_is_told() {
    let course = course_with_exercise();
    course.write(
        "lessons/greeting/exercise/main.rs",
        "fn main() { greet() }\n",
    );
    let told = course.tell(&["exercise", "greeting"]);
    assert!(
        told.out.contains("does not build yet. Cargo says:"),
        "{told:?}"
    );
    assert!(
        told.out.contains("cannot find function `greet`"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(1));
}

#[test]
fn the_solution_is_shown_with_its_place() {
    let told = course_with_exercise().tell(&["exercise", "greeting", "--solution"]);
    assert!(
        told.out
            .contains("lessons/greeting/exercise/solution/main.rs:\n    fn main() {} // solved"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(0));
}

#[test]
fn what_cannot_be_understood_is_refused() {
    let course = course_with_exercise();
    for (arguments, message, status) in [
        (&["greting"][..], "did you mean `greeting`?", 2),
        (&["greeting", "trouble"], "one exercise at a time", 2),
        (&["--hint"], "name the exercise", 2),
        (&["greeting", "--hints"], "--hints", 2),
        (&["trouble"], "lesson trouble has no exercise", 1),
    ] {
        let told = course.tell(&[&["exercise"], arguments].concat());
        assert!(told.error.contains(message), "{arguments:?}: {told:?}");
        assert_eq!(told.status, Some(status), "{arguments:?}: {told:?}");
    }
}

#[test]
fn the_exercises_of_this_checkout_are_listed() {
    let told = told(&mut xtask(root(), &["exercise"]));
    for lesson in lessons() {
        assert!(
            told.out.contains(&format!(" {lesson} ")),
            "{lesson}: {told:?}"
        );
    }
    assert_eq!(told.status, Some(0));
}
