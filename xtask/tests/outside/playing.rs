//! `cargo xtask lesson` without a terminal, where it plays through; and the help.

use crate::small_course::{Run, SmallCourse};

/// Runs xtask in a small course.
fn play(arguments: &str) -> Run {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    SmallCourse::new().run(&arguments)
}

/// Checks that the texts between ` .. ` come in this order.
fn in_order(run: &Run, texts: &str) {
    let mut rest = run.out.as_str();
    for text in texts.split(" .. ") {
        let found = rest.split_once(text);
        (_, rest) = found.unwrap_or_else(|| panic!("no {text:?}, in its order, in {run:?}"));
    }
}

#[test]
fn the_help_lists_the_tasks_in_two_groups_and_explains_each() {
    let course = SmallCourse::empty();
    for arguments in [&[][..], &["help"], &["--help"]] {
        let run = course.run(arguments);
        in_order(
            &run,
            "For learning and teaching:\n  lesson .. \n  doctor .. For authors:\n  check .. \n  book ",
        );
        assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
    }
    let run = course.run(&["lesson", "pool", "--help"]);
    in_order(
        &run,
        "lesson    play the course .. Usage: cargo xtask lesson",
    );
    assert_eq!(course.run(&["help", "lesson"]).out, run.out);
    for task in [
        "continue", "notes", "exercise", "timeline", "copy", "doctor", "check", "bench", "book",
    ] {
        let run = course.run(&[task, "-h"]);
        in_order(&run, &format!("{task} .. Usage: cargo xtask {task}"));
    }
}

#[test]
fn a_typo_gets_a_suggestion() {
    let refused = "lessons: no task `lessons`; did you mean `lesson`?
        help lessons: no task `lessons`; did you mean `lesson`?
        lesson gretting: no lesson `gretting`; did you mean `greeting`?
        lesson gretting: `cargo xtask lesson --list` shows them
        lesson --no-wiat: no option `--no-wiat`; did you mean `--no-wait`?
        lesson --louder: no option `--louder`
        exercise greeting --hnit: did you mean `--hint`?";
    for (arguments, message) in refused.lines().filter_map(|line| line.split_once(": ")) {
        let run = play(arguments);
        assert!(run.error.contains(message), "{arguments:?}: {run:?}");
        assert_eq!((run.out.as_str(), run.status), ("", Some(2)));
    }
}

#[test]
fn the_list_shows_lessons_steps_and_minutes() {
    let course = SmallCourse::new();
    let run = course.run(&["lesson", "--list"]);
    in_order(
        &run,
        "2 trouble, 2 minutes: All about trouble\n .. \n    fails: what fails shows\n .. \
         3 lessons, 6 minutes in all.",
    );
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_lesson_is_played_with_a_live_run_in_place_of_the_recorded_one() {
    let course = SmallCourse::new();
    let readme = "lessons/greeting/README.md";
    course.replace(readme, "\n## hello", "\n## Why\n\nBecause.\n\n## hello");
    course.append(readme, "\n## More\n\nThere is more.\n");
    let live_run = "\n    $ cargo run -q -p greeting -- hello\n    live hello from  .. Rust took  .. \
               Notice hello.";
    let run = course.run(&["lesson", "1"]);
    in_order(
        &run,
        &format!(
            "Lesson 1 of 3: All about greeting\n\nThe opening of greeting.\n .. Why\n\nBecause.\n\n\n\
             Lesson greeting, step hello: what hello shows\n .. Guess.\n .. Rust:\n    fn hello() {{}}\n \
             .. Building  .. {live_run} .. Things to try\n .. 1 step,  .. Everything worked."
        ),
    );
    assert!(!run.out.contains("recorded output"), "{run:?}");
    let is_plain = run.out.is_ascii() && !run.out.contains('\u{1b}');
    assert!(is_plain, "{run:?}");
    assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
}

#[test]
fn a_failure_is_shown_and_the_rest_is_played() {
    let run = play("lesson trouble fails hello broken 1");
    in_order(
        &run,
        "Lesson trouble, step fails: what fails shows\n .. \n    (stderr) this goes wrong\n .. \
         Step fails failed: it ended with exit status: 7. .. step hello .. live hello .. \
         broken does not build. Cargo's errors: .. no_such_function .. Lesson 1 of 3 .. live hello .. \
         4 steps,  .. Failed: .. - trouble fails: it ended with exit status: 7\n\
         - broken hello: the lesson does not build\n",
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn the_whole_course_begins_with_a_welcome_and_ends_with_a_farewell() {
    let course = SmallCourse::new();
    course.write("lessons/stray/notes.txt", "not a lesson");
    course.write("lessons/trouble/README.md", "# All about trouble\n");
    let run = course.run(&["lesson"]);
    let begin = "\nAll of it\n\n3 lessons, about 6 minutes.\n\nWelcome to it.\n";
    assert!(run.out.starts_with(begin), "{run:?}");
    in_order(&run, "Lesson 3 of 3 .. Farewell\n\nGoodbye.\n\n\n2 steps, ");
    let run = course.run(&["lesson", "--from", "3", "--plain"]);
    assert!(run.out.starts_with("\nLesson 3 of 3"), "{run:?}");
    in_order(&run, "Farewell\n\nGoodbye.\n\n\n1 step, ");
}
