//! The kept progress: `cargo xtask continue`, and the marks of `cargo xtask lesson --list`.

use std::process::Stdio;

use crate::exercise::{add_exercise, write_program};
use crate::small_course::{SmallCourse, finished, signal};
use crate::terminal::Terminal;

pub(crate) const PROGRESS: &str = "target/course/progress";

/// Makes a course of two lessons, all of whose steps succeed at once.
fn course() -> SmallCourse {
    let course = SmallCourse::new();
    course.replace("Cargo.toml", ", \"lessons/broken\"", "");
    let program = "lessons/trouble/src/main.rs";
    course.replace(program, "from_secs(50)", "from_secs(0)");
    course.replace(program, "return ExitCode::from(7);", "");
    course
}

/// Checks what `lesson --list` marks, and where it says that `continue` goes on.
#[track_caller]
fn lists(course: &SmallCourse, marked: &[&str], next: &str) {
    let run = course.run(&["lesson", "--list"]);
    let steps = run.out.lines().filter_map(|line| line.strip_prefix("[x] "));
    let steps: Vec<_> = steps.filter_map(|step| step.split(':').next()).collect();
    assert_eq!(steps, marked, "{run:?}");
    let next = format!("\n`cargo xtask continue` {next}.\n");
    assert!(run.out.ends_with(&next), "{next:?}: {run:?}");
}

#[test]
fn a_reader_who_quits_or_is_killed_goes_on_at_the_same_step() {
    lists(&course(), &[], "begins the course");
    for is_killed in [false, true] {
        let script = "exec \"$@\"";
        let mut terminal = Terminal::playing_in(course(), script, "lesson --from trouble fails");
        terminal.follow(
            " => what fails shows
            . => Notice fails.
              => keys
            . => what hello shows
              => keys",
        );
        if is_killed {
            signal("KILL", terminal.player.id());
            terminal.player.wait().expect("it has ended");
        } else {
            terminal.press("q");
            assert!(terminal.end().success());
        }
        let course = &terminal.course;
        lists(course, &["fails"], "goes on at trouble hello");
        let shown = course.follow("continue => live hello\n=> sleeping\n=> Goodbye.\n=> 2 steps, ");
        let begin = "\nLesson trouble, step hello: what hello shows\n";
        assert!(shown.starts_with(begin), "{shown}");

        // After the end of the course, the steps that were left out.
        lists(course, &["fails", "hello", "sleeps"], "goes on at greeting");
        course.follow(
            "continue --plain --no-wait => Lesson 1 of 2
             => live hello
             => 4 steps,
             continue => You've played every step.",
        );
    }
}

#[test]
fn after_a_lesson_comes_the_next_step_that_was_not_played() {
    let course = course();
    course.run(&["lesson", "trouble", "fails"]);
    lists(&course, &["fails"], "goes on at trouble hello");
    course.run(&["lesson", "greeting"]);
    lists(&course, &["hello", "fails"], "goes on at trouble hello");
    course.run(&["lesson", "trouble", "hello"]);
    let played = ["hello", "fails", "hello"];
    lists(&course, &played, "goes on at trouble sleeps");
    // A step whose run fails isn't marked.
    let fails = "from_secs(0)); std::process::exit(1";
    course.replace("lessons/trouble/src/main.rs", "from_secs(0)", fails);
    course.run(&["lesson", "trouble", "sleeps"]);
    lists(&course, &played, "goes on at trouble sleeps");
}

#[test]
fn progress_survives_a_changed_course_and_a_damaged_file() {
    let course = course();
    course.write(PROGRESS, "played trouble fails\nlesson trouble hello");
    lists(&course, &["fails"], "goes on at trouble hello");
    let readme = "lessons/trouble/README.md";
    course.replace(readme, "\n## hello:", "\n## hallo:");
    lists(&course, &["fails"], "goes on at trouble");
    course.write(readme, "# All about trouble\n");
    lists(&course, &[], "goes on at trouble");
    course.replace("lessons/trouble/Cargo.toml", "\"trouble\"", "\"worry\"");
    lists(&course, &[], "begins the course");

    let course = self::course();
    course.write(
        PROGRESS,
        "played trouble fails\nlesson troub\u{0}\nplayed\nend of it\nlesson trouble hello\nplayed trou",
    );
    lists(&course, &["fails"], "goes on at trouble hello");
    course.run(&["lesson", "greeting", "hello"]);
    lists(&course, &["hello", "fails"], "goes on at trouble hello");
    course.write(PROGRESS, "no progress\n\n");
    lists(&course, &[], "begins the course");
}

#[test]
fn a_reader_goes_on_at_an_exercise_until_it_is_solved() {
    let course = course();
    add_exercise(&course, "greeting");
    write_program(&course, "// Gap: greet", 1);
    course.run(&["exercise", "greeting"]);
    lists(&course, &[], "goes on at the exercise of greeting");
    course.follow("continue => Exercise 1 greeting\n=> Not solved yet.\n=> exit status 1");

    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", "continue");
    terminal.wait_for("Save lessons/greeting/exercise/main.rs");
    write_program(&terminal.course, "", 0);
    terminal.follow(" => Solved: all checks passed.\n => solution\nq => exercise greeting --watch");
    assert!(terminal.end().success());
    let course = &terminal.course;
    lists(course, &[], "goes on at greeting");
    course.run(&["lesson", "greeting"]);
    course.run(&["exercise", "greeting"]);
    lists(course, &["hello"], "goes on at trouble");
}

#[test]
fn progress_that_cannot_be_kept_stops_nothing() {
    let course = course();
    course.write("target/course", "not a folder");
    course.follow("lesson greeting => live hello\n=> Everything worked.\n=> exit status 0");
    lists(&course, &[], "begins the course");
}

#[test]
fn two_plays_at_once_leave_whole_lines() {
    let course = course();
    let play = |step| {
        let mut command = course.command(&["lesson", "trouble", step, "hello", step]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("xtask starts")
    };
    for play in ["fails", "sleeps", "fails", "sleeps"].map(play) {
        assert_eq!(finished(play).status, Some(0));
    }
    lists(
        &course,
        &["fails", "hello", "sleeps"],
        "goes on at greeting",
    );
    let known = |line: &str| line.is_empty() || line == "end" || line.contains(" trouble ");
    let file = course.read(PROGRESS);
    assert!(
        file.lines().all(|line| known(line) && line.len() < 25),
        "{file}"
    );
}

#[test]
fn continue_takes_no_place() {
    for word in ["greeting", "--list", "--from"] {
        let shown = course().follow(&format!("continue {word} => exit status 2"));
        assert!(shown.starts_with("error: "), "{shown}");
    }
}
