//! What `cargo xtask` says and plays, seen from outside. Keys come by a pipe, a line each.

use std::io::Write;
use std::process::{Child, Stdio};

use crate::small_course::{SmallCourse, Told, finished};

/// Starts xtask with its input and output in our hands.
fn start(course: &SmallCourse, arguments: &str) -> Child {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let mut command = course.command(&arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("xtask starts")
}

/// Runs xtask in a small course and presses these keys: each ends in `|`, and `.` is Enter alone.
fn play(arguments: &str, keys: &str) -> Told {
    let course = SmallCourse::new();
    let mut player = start(&course, arguments);
    let keys = keys.replace('.', "").replace('|', "\n");
    // An error means that it has ended already.
    let _ = player
        .stdin
        .take()
        .expect("its input")
        .write_all(keys.as_bytes());
    finished(player)
}

/// Checks that the texts between ` .. ` come in this order.
fn in_order(told: &Told, texts: &str) {
    let mut rest = told.out.as_str();
    for text in texts.split(" .. ") {
        let found = rest.split_once(text);
        (_, rest) = found.unwrap_or_else(|| panic!("no {text:?}, in its order, in {told:?}"));
    }
}

#[test]
fn the_tasks_are_listed_in_two_groups_and_each_is_explained() {
    let course = SmallCourse::empty();
    for arguments in [&[][..], &["help"], &["--help"]] {
        let told = course.tell(arguments);
        in_order(
            &told,
            "For learning and teaching:\n  lesson .. \n  doctor .. For authors:\n  check .. \n  book ",
        );
        assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
    }
    let told = course.tell(&["lesson", "pool", "--help"]);
    in_order(
        &told,
        "lesson    play the course .. Usage: cargo xtask lesson",
    );
    assert_eq!(course.tell(&["help", "lesson"]).out, told.out);
    for task in [
        "exercise", "timeline", "copy", "doctor", "check", "bench", "book",
    ] {
        let told = course.tell(&[task, "-h"]);
        in_order(&told, &format!("{task} .. Usage: cargo xtask {task}"));
    }
}

#[test]
fn what_is_mistyped_is_refused_with_the_nearest() {
    let refused = "lessons: no task `lessons`; did you mean `lesson`?
        help lessons: no task `lessons`; did you mean `lesson`?
        lesson gretting: no lesson `gretting`; did you mean `greeting`?
        lesson gretting: `cargo xtask lesson --list` shows them
        lesson --stpe: no option `--stpe`; did you mean `--step`?
        lesson --louder: no option `--louder`
        exercise greeting --hnit: did you mean `--hint`?";
    for (arguments, message) in refused.lines().filter_map(|line| line.split_once(": ")) {
        let told = play(arguments, "");
        assert!(told.error.contains(message), "{arguments:?}: {told:?}");
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
    }
}

#[test]
fn the_list_shows_lessons_steps_and_minutes() {
    let course = SmallCourse::new();
    let told = course.tell(&["lesson", "--list"]);
    in_order(
        &told,
        "2 trouble, 2 minutes: All about trouble\n .. \n    fails: what fails shows\n .. \
         3 lessons, 6 minutes in all.",
    );
    assert_eq!(told.status, Some(0));
}

#[test]
fn a_lesson_is_played_with_its_live_run_in_place_of_the_recorded() {
    let course = SmallCourse::new();
    let readme = "lessons/greeting/README.md";
    course.replace(readme, "\n## hello", "\n## Why\n\nBecause.\n\n## hello");
    course.append(readme, "\n## More\n\nThere is more.\n");
    let run = "\n    $ cargo run -q -p greeting -- hello\n    live hello from  .. Rust took  .. \
               Notice hello.";
    let told = course.tell(&["lesson", "1"]);
    in_order(
        &told,
        &format!(
            "Lesson 1 of 3: All about greeting\n\nThe opening of greeting.\n .. Why\n\nBecause.\n\n\n\
             Lesson greeting, step hello: what hello shows\n .. Guess.\n .. Rust:\n    fn hello() {{}}\n \
             .. Building  .. {run} .. Things to try\n .. 1 step,  .. Everything worked."
        ),
    );
    assert!(!told.out.contains("recorded output"), "{told:?}");
    let is_plain = told.out.is_ascii() && !told.out.contains('\u{1b}');
    assert!(is_plain, "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));

    // With --step it waits after the opening, before each run, after it, and at the end.
    let mut player = start(&course, "lesson greeting --step");
    let input = player
        .stdin
        .take()
        .expect("its input")
        .write_all(b"\n\n\n\n");
    input.expect("four keys");
    let told = finished(player);
    in_order(
        &told,
        &format!(
            "Because. .. [Enter: go on .. Guess. .. [Enter: run it .. {run} .. [Enter: go on .. \
             Things to try .. There is more. .. [Enter: go on .. 1 step, "
        ),
    );
    assert_eq!(told.out.matches("[Enter").count(), 4, "{told:?}");
    assert!(!told.out.contains("take up again"), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
}

#[test]
fn what_fails_is_told_and_the_rest_is_played() {
    let told = play("lesson trouble fails hello broken 1", "");
    in_order(
        &told,
        "Lesson trouble, step fails: what fails shows\n .. \n    (stderr) this goes wrong\n .. \
         Step fails failed: it ended with exit status: 7. .. step hello .. live hello .. \
         broken does not build. Cargo says: .. no_such_function .. Lesson 1 of 3 .. live hello .. \
         4 steps,  .. Failed: .. - broken hello: the lesson does not build\n\
         - trouble fails: it ended with exit status: 7\n",
    );
    assert_eq!(told.status, Some(1));
}

#[test]
fn the_whole_course_begins_with_a_welcome_and_ends_with_a_farewell() {
    let course = SmallCourse::new();
    course.write("lessons/stray/notes.txt", "not a lesson");
    course.write("lessons/trouble/README.md", "# All about trouble\n");
    let told = course.tell(&["lesson"]);
    let begin = "\nAll of it\n\n3 lessons, about 6 minutes.\n\nWelcome to it.\n";
    assert!(told.out.starts_with(begin), "{told:?}");
    in_order(
        &told,
        "Lesson 3 of 3 .. Farewell\n\nGoodbye.\n\n\n2 steps, ",
    );
    let told = course.tell(&["lesson", "--from", "3", "--plain"]);
    assert!(told.out.starts_with("\nLesson 3 of 3"), "{told:?}");
    in_order(&told, "Farewell\n\nGoodbye.\n\n\n1 step, ");
}

#[test]
fn nothing_runs_before_it_is_wished_and_the_end_says_how_to_take_up_again() {
    // The end of the input is as good as q.
    let told = play("lesson --step --plain", "s|s|s|s|b|b|");
    in_order(
        &told,
        "Welcome to it. .. [Enter: go on .. The opening of greeting. .. [Enter: go on .. \
         The opening of trouble. .. The opening of broken. .. Goodbye. .. Things to try .. Guess. .. [",
    );
    let command = "    $ cargo xtask lesson --plain --step --from broken hello\n";
    assert!(told.out.ends_with(command), "{told:?}");
    assert!(!told.out.contains("live hello"), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));

    // Back shows the step before once more.
    let told = play("lesson --step --from trouble hello", ".|.|b|.|q|");
    assert!(
        told.out.starts_with("\nLesson trouble, step hello"),
        "{told:?}"
    );
    in_order(
        &told,
        "step hello .. [Enter: run it .. live hello .. [Enter: go on .. step sleeps .. \
         [Enter: run it .. step hello .. [Enter: run it .. live hello .. [Enter: go on .. \
         1 step,  .. $ cargo xtask lesson --step --from trouble sleeps\n",
    );
    assert_eq!(told.status, Some(0));
}

#[test]
fn each_key_leads_where_it_says() {
    let keys = "b|x|quit please|.|.|r|b|s|s|b|r|.|.|.|r|q|";
    let told = play("lesson greeting broken --step", keys);
    in_order(
        &told,
        "The opening of greeting. .. [Enter: go on .. This is where the playing began .. \
         [Enter: go on .. \nEnter, space or Page Down goes on;  .. [Enter: go on .. \
         \nEnter, space or Page Down goes on;  .. [Enter: go on .. Guess. .. [Enter: run it .. \
         live hello .. Notice hello. .. [Enter: go on   r: again .. live hello .. [Enter: go on .. \
         The opening of greeting. .. [Enter: go on .. \
         Lesson 3 of 3 .. The opening of broken. .. [Enter: go on .. \
         There is no lesson after this one .. [Enter: go on .. \
         Things to try .. [Enter: go on .. Things to try .. [Enter: go on .. \
         The opening of broken .. [Enter: go on .. Guess. .. [Enter: run it .. \
         broken does not build. Cargo says: .. no_such_function .. [Enter: go on   r: again .. \
         broken does not build. .. 2 steps,  .. - broken hello: the lesson does not build .. \
         $ cargo xtask lesson greeting broken --step --from broken hello\n",
    );
    assert_eq!(told.out.matches("Notice hello.").count(), 2, "{told:?}");
    assert_eq!(told.out.matches("Guess.").count(), 2, "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn a_step_that_failed_counts_as_good_once_its_program_is_mended() {
    let course = SmallCourse::new();
    let mut player = start(&course, "lesson trouble fails --step");
    let mut input = player.stdin.take().expect("its input");
    writeln!(input).expect("a key");
    course.wait_for("failed");
    let mended = "fn main() { println!(\"mended\") }";
    course.write("lessons/trouble/src/main.rs", mended);
    write!(input, "r\nq\n").expect("two keys");
    drop(input);
    let told = finished(player);
    in_order(
        &told,
        "Step fails failed: it ended with .. [Enter: go on .. \n    mended\n .. [Enter: go on .. \
         1 step,  .. Everything worked.",
    );
    assert_eq!(told.status, Some(0));
}
