//! `cargo xtask lesson --step`, driven by lines, as a pipe does it.

use std::io::Write;
use std::process::Stdio;

use crate::small_course::{SmallCourse, Told, finished};

/// Runs xtask in a small course and gives it the keys, a line each.
fn told_with(course: &SmallCourse, arguments: &[&str], keys: &[&str]) -> Told {
    let mut command = course.command(arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut player = command.spawn().expect("xtask starts");
    let mut input = player.stdin.take().expect("its input");
    for key in keys {
        // An error means that it has ended already.
        let _ = writeln!(input, "{key}");
    }
    drop(input);
    finished(player)
}

fn stepped(arguments: &[&str], keys: &[&str]) -> Told {
    told_with(&SmallCourse::new(), arguments, keys)
}

/// Tells whether these texts come in this order.
fn come_in_order(out: &str, texts: &[&str]) {
    let mut rest = out;
    for text in texts {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?}, in its order, in {out}"));
        rest = after;
    }
}

const BEFORE: &str = "[Enter: run it ";
const AFTER: &str = "[Enter: go on ";
const RUN: &str = "live hello from ";

#[test]
fn it_waits_after_the_opening_before_each_run_and_after_it() {
    let told = stepped(&["lesson", "greeting", "--step"], &["", "", "", ""]);
    let order = [
        "The opening of greeting.",
        AFTER,
        "Step hello",
        "Guess.",
        BEFORE,
        RUN,
        "Notice hello.",
        AFTER,
        "Things to try",
        AFTER,
        "What was played",
        "1 step in ",
    ];
    come_in_order(&told.out, &order);
    assert_eq!(told.out.matches("[Enter").count(), 4, "{told:?}");
    assert!(!told.out.contains("take up again"), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
}

#[test]
fn nothing_runs_before_it_is_wished() {
    let told = stepped(&["lesson", "greeting", "--step"], &["", "q"]);
    come_in_order(&told.out, &["Guess.", BEFORE, "What was played"]);
    assert!(!told.out.contains(RUN), "{told:?}");
    let command = "    $ cargo xtask lesson greeting --step --from greeting hello\n";
    assert!(told.out.ends_with(command), "{told:?}");
    assert_eq!(told.status, Some(0));
}

#[test]
fn the_end_of_input_quits_in_an_orderly_way() {
    let told = stepped(&["lesson", "--step", "--plain"], &["s"]);
    come_in_order(
        &told.out,
        &["Welcome to it.", AFTER, "The opening of greeting.", AFTER],
    );
    let command = "    $ cargo xtask lesson --plain --step --from greeting hello\n";
    assert!(told.out.ends_with(command), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
}

#[test]
fn a_step_runs_again_and_what_is_to_be_noticed_is_not_repeated() {
    let told = stepped(
        &["lesson", "greeting", "hello", "--step"],
        &["", "r", "r", ""],
    );
    assert_eq!(told.out.matches(RUN).count(), 3, "{told:?}");
    assert_eq!(told.out.matches("Guess.").count(), 1, "{told:?}");
    assert_eq!(told.out.matches("Notice hello.").count(), 1, "{told:?}");
    assert!(told.out.contains("1 step in "), "{told:?}");
    assert_eq!(told.status, Some(0));
}

#[test]
fn a_program_that_was_changed_meanwhile_is_built_before_it_runs_again() {
    let course = SmallCourse::new();
    let mut command = course.command(&["lesson", "greeting", "hello", "--step"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut player = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let mut input = player.stdin.take().expect("its input");
    writeln!(input).expect("a key");
    course.wait_for("target/debug/greeting");
    course.write(
        "lessons/greeting/src/main.rs",
        "fn main() { println!(\"changed\") }",
    );
    write!(input, "r\nq\n").expect("two keys");
    drop(input);
    let told = finished(player);
    come_in_order(&told.out, &[AFTER, "    changed\n", AFTER]);
}

#[test]
fn back_shows_the_step_before_once_more() {
    let keys = ["", "", "b", "", "q"];
    let told = stepped(&["lesson", "trouble", "hello", "fails", "--step"], &keys);
    let order = [
        "Step hello",
        BEFORE,
        RUN,
        AFTER,
        "Step fails",
        BEFORE,
        "Step hello",
        BEFORE,
        RUN,
        AFTER,
        "1 step in ",
        "$ cargo xtask lesson trouble hello fails --step --from trouble fails\n",
    ];
    come_in_order(&told.out, &order);
    assert!(!told.out.contains("this goes wrong"), "{told:?}");
}

#[test]
fn the_next_lesson_is_one_key_away() {
    let told = stepped(
        &["lesson", "greeting", "trouble", "--step"],
        &["", "s", "s", "q"],
    );
    come_in_order(&told.out, &["Lesson 1 of 3", "Step hello", "Lesson 2 of 3"]);
    assert!(
        told.out.contains("There is no lesson after this one"),
        "{told:?}"
    );
    assert!(!told.out.contains(RUN), "{told:?}");
}

#[test]
fn an_unknown_key_tells_the_keys_in_one_line() {
    for key in ["x", "?", "h", "quit please"] {
        let told = stepped(&["lesson", "greeting", "--step"], &[key, "q"]);
        assert!(
            told.out.contains("\nEnter goes on, b goes back, "),
            "{told:?}"
        );
        assert_eq!(told.out.matches(AFTER).count(), 2, "{told:?}");
    }
}

#[test]
fn a_failure_counts_until_the_step_succeeds() {
    let told = stepped(&["lesson", "trouble", "fails", "--step"], &["", "q"]);
    assert!(
        told.out.contains("Step fails failed: it ended with"),
        "{told:?}"
    );
    assert!(told.out.contains("Failed: 1."), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn a_lesson_that_does_not_build_can_be_passed_by() {
    let told = stepped(
        &["lesson", "broken", "greeting", "--step"],
        &["", "", "s", "q"],
    );
    let order = [
        "The opening of broken.",
        BEFORE,
        "Lesson broken does not build. Cargo says:",
        "no_such_function",
        AFTER,
        "Lesson 1 of 3",
        "- broken: it does not build",
    ];
    come_in_order(&told.out, &order);
    assert_eq!(told.status, Some(1));
}

#[test]
fn it_starts_at_a_step_and_plays_on_from_there() {
    let arguments = ["lesson", "--step", "--from", "trouble", "hello"];
    let told = stepped(&arguments, &["", "", "q"]);
    come_in_order(
        &told.out,
        &["Lesson 2 of 3", "Step hello", RUN, "Step sleeps"],
    );
    assert!(!told.out.contains("Step fails"), "{told:?}");
    assert!(!told.out.contains("Welcome to it."), "{told:?}");
    let command = "    $ cargo xtask lesson --step --from trouble sleeps\n";
    assert!(told.out.ends_with(command), "{told:?}");
}

#[test]
fn a_step_to_start_at_that_is_not_there_is_refused_with_the_nearest() {
    let told = stepped(&["lesson", "--from", "trouble", "helo"], &[]);
    assert!(
        told.error
            .contains("lesson trouble has no step `helo`; did you mean `hello`?"),
        "{told:?}"
    );
    assert_eq!((told.out.as_str(), told.status), ("", Some(2)));
}
