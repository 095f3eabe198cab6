//! What `cargo xtask` says and plays, seen from outside.

use crate::small_course::{SmallCourse, Told};

#[test]
fn without_a_task_the_tasks_are_listed() {
    let told = SmallCourse::new().tell(&[]);
    for task in ["lesson", "runs", "list", "check", "help"] {
        assert!(told.out.contains(&format!("\n  {task} ")), "{told:?}");
    }
    assert_eq!(told.status, Some(0));
}

#[test]
fn an_unknown_task_is_refused_with_the_nearest() {
    let told = SmallCourse::new().tell(&["lessons"]);
    assert!(
        told.error
            .contains("no task `lessons`; did you mean `lesson`?"),
        "{told:?}"
    );
    assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
}

#[test]
fn an_unknown_lesson_is_refused_with_the_nearest() {
    let told = SmallCourse::new().tell(&["lesson", "gretting"]);
    assert!(
        told.error
            .contains("no lesson `gretting`; did you mean `greeting`?"),
        "{told:?}"
    );
    assert!(told.error.contains("cargo xtask lesson --list"), "{told:?}");
    assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
}

#[test]
fn an_unknown_step_is_refused_with_the_nearest() {
    let told = SmallCourse::new().tell(&["lesson", "greeting", "helo"]);
    assert!(told.error.contains("did you mean `hello`?"), "{told:?}");
    assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
}

#[test]
fn an_unknown_option_is_refused() {
    let told = SmallCourse::new().tell(&["lesson", "--loud"]);
    assert!(told.error.contains("--loud"), "{told:?}");
    assert_eq!(told.status, Some(2));
}

#[test]
fn a_start_outside_of_what_is_named_is_refused() {
    let told = SmallCourse::new().tell(&["lesson", "greeting", "--from", "trouble"]);
    assert!(
        told.error
            .contains("trouble is not among what is to be played"),
        "{told:?}"
    );
    assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
}

#[test]
fn the_list_shows_lessons_steps_and_minutes() {
    let told = SmallCourse::new().tell(&["list"]);
    assert!(
        told.out.contains("2 trouble, 2 minutes: All about trouble"),
        "{told:?}"
    );
    assert!(
        told.out.contains("    fails   what fails shows\n"),
        "{told:?}"
    );
    assert!(
        told.out.contains("3 lessons, 6 minutes in all."),
        "{told:?}"
    );
    assert_eq!(told.status, Some(0));
}

#[test]
fn a_lesson_is_played_with_its_live_run_in_place_of_the_recorded() {
    let Told { out, error, status } = SmallCourse::new().tell(&["lesson", "1"]);
    let in_order = [
        "Lesson 1 of 3\nAll about greeting\n",
        "The opening of greeting.\n",
        "Step hello: what hello shows\n",
        "Guess.\n",
        "Rust:\n    fn hello() {}\n",
        "Building lesson greeting",
        "    $ cargo run -q -p greeting -- hello\n    live hello from ",
        "It took ",
        "Notice hello.\n",
        "Things to try\n",
        "1 step in ",
        "Everything worked.",
    ];
    let mut rest = out.as_str();
    for text in in_order {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?} in {out}"));
        rest = after;
    }
    assert!(!out.contains("recorded output"), "{out}");
    assert!(out.is_ascii(), "plain output is ASCII: {out}");
    assert!(
        !out.contains('\u{1b}'),
        "plain output has no colours: {out}"
    );
    assert_eq!((error.as_str(), status), ("", Some(0)));
}

#[test]
fn a_step_is_played_alone() {
    let told = SmallCourse::new().tell(&["lesson", "trouble", "hello"]);
    assert!(
        told.out.contains("Lesson 2 of 3\nAll about trouble"),
        "{told:?}"
    );
    assert!(told.out.contains("live hello from"), "{told:?}");
    assert!(!told.out.contains("The opening"), "{told:?}");
    assert!(!told.out.contains("Step fails"), "{told:?}");
    assert_eq!(told.status, Some(0));
}

#[test]
fn a_failing_step_is_told_and_the_rest_is_played() {
    let told = SmallCourse::new().tell(&["lesson", "trouble", "fails", "hello", "1"]);
    assert!(
        told.out.contains("    (stderr) this goes wrong\n"),
        "{told:?}"
    );
    assert!(
        told.out
            .contains("Step fails failed: it ended with exit status: 7."),
        "{told:?}"
    );
    assert_eq!(told.out.matches("live hello from").count(), 2, "{told:?}");
    assert!(told.out.contains("Failed: 1."), "{told:?}");
    assert!(
        told.out.contains("- trouble fails: it ended with"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(1));
}

#[test]
fn a_lesson_that_does_not_build_is_told_and_the_rest_is_played() {
    let told = SmallCourse::new().tell(&["lesson", "broken", "greeting"]);
    assert!(
        told.out
            .contains("Lesson broken does not build. Cargo says:"),
        "{told:?}"
    );
    assert!(told.out.contains("no_such_function"), "{told:?}");
    assert!(told.out.contains("live hello from"), "{told:?}");
    assert!(told.out.contains("- broken: it does not build"), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn from_a_lesson_on_all_are_played() {
    let course = SmallCourse::new();
    course.write("lessons/stray/notes.txt", "not a lesson");
    let told = course.tell(&["lesson", "--from", "3", "--plain"]);
    assert!(told.out.contains("Lesson 3 of 3\n"), "{told:?}");
    assert!(!told.out.contains("Lesson 2 of 3\n"), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn the_whole_course_begins_with_a_welcome_and_ends_with_a_farewell() {
    let told = SmallCourse::new().tell(&["lesson", "--from", "broken"]);
    assert!(told.out.contains("Farewell\n\nGoodbye.\n"), "{told:?}");
    assert!(!told.out.contains("Welcome to it."), "{told:?}");
    let course = SmallCourse::new();
    course.write("lessons/trouble/README.md", "# All about trouble\n");
    let told = course.tell(&["lesson"]);
    assert!(
        told.out
            .starts_with("3 lessons, about 6 minutes\nAll of it\n\nWelcome to it.\n"),
        "{told:?}"
    );
    let ends = "Farewell\n\nGoodbye.\n\n\nWhat was played\n";
    assert!(told.out.contains(ends), "{told:?}");
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let course = SmallCourse::new();
    course.write("lessons/trouble/Cargo.toml", "[package\n");
    let told = course.tell(&["list"]);
    assert!(told.error.contains("trouble"), "{told:?}");
    assert!(told.error.contains("line 1"), "{told:?}");
    assert_eq!(told.status, Some(1));
}
