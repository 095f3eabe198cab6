//! `cargo xtask notes` beside plays in other terminals.

use crate::small_course::SmallCourse;
use crate::terminal::Terminal;

fn open(course: &SmallCourse, arguments: &str) -> Terminal {
    Terminal::playing_in(course.clone(), "exec \"$@\"", arguments)
}

fn add_notes(course: &SmallCourse, lesson: &str, step: &str, notes: &str) {
    let end = format!("Notice {step}.\n");
    let new = format!("{end}\n<!-- notes: {notes} -->\n");
    course.replace(&format!("lessons/{lesson}/README.md"), &end, &new);
}

#[test]
fn the_notes_follow_a_play_on_back_to_the_next_lesson_and_to_its_end() {
    let course = SmallCourse::new();
    add_notes(&course, "greeting", "hello", "Ask who\nwas greeted.");
    let readme = "lessons/greeting/README.md";
    course.replace(readme, "Guess.", "**Who is\ngreeted?**");
    let mut notes = open(&course, "notes");
    notes.wait_for("No play is running. To start one, ");
    let mut play = open(&course, "lesson greeting trouble");
    notes.wait_for("Notes \u{b7} 1 All about greeting");
    notes.wait_for("There are no notes for this part.");
    notes.wait_for("- Next: hello: what hello shows");
    notes.wait_for("of 1 minutes; planned here: 0");
    let steps = [
        (
            ".",
            "Enter run",
            "greeting \u{b7} hello \u{b7} step 1 of 1 .. Ask who was greeted. .. screen: the text .. \
             Next: Things to try .. of 1 minutes; planned here: 0 to 1 .. \
             of 3 minutes; planned here: 0 to 1 .. Who is greeted? .. q quit",
        ),
        (".", "live hello", "screen: the run in Rust"),
        (" ", "r again", ""),
        ("b", "The opening", "1 All about greeting  .. no notes"),
        (
            "s",
            "The opening of trouble.",
            "2 All about trouble  .. Next: fails: what fails shows .. of 2 minutes; planned here: 0",
        ),
        (
            ".",
            "Enter run",
            "fails \u{b7} step 1 of 3 .. of 2 minutes; planned here: 0 to 1 .. \
             of 3 minutes; planned here: 1 to 2",
        ),
        ("q", "To continue", "The play has ended. To start one, "),
    ];
    for (key, shown, followed) in steps {
        play.follow(&format!("{} => {shown}", key.trim()));
        followed.split(" .. ").for_each(|text| {
            notes.wait_for(text);
        });
    }
    assert!(play.end().success());
    notes.press("q");
    assert!(notes.end().success());
}

#[test]
fn the_first_of_two_plays_has_the_notes_and_a_killed_one_gives_them_up() {
    let course = SmallCourse::new();
    let mut first = open(&course, "lesson trouble");
    first.wait_for("The opening of trouble.");
    let mut notes = open(&course, "notes");
    notes.wait_for("Notes \u{b7} 2 All about trouble");
    let mut second = open(&course, "lesson greeting");
    second.wait_for("The opening of greeting.");
    let published = course.read("target/course/playing");
    assert!(
        published.starts_with("2 All about trouble\n"),
        "{published}"
    );
    first.player.kill().expect("it can be killed");
    notes.wait_for("Notes \u{b7} 1 All about greeting");
    second.player.kill().expect("it can be killed");
    notes.wait_for("The play has ended.");
    // Its file is still there, and the next play replaces it.
    assert!(course.path("target/course/playing").exists());
    let _third = open(&course, "lesson broken");
    notes.wait_for("Notes \u{b7} 3 All about broken");
    notes.press("q");
    assert!(notes.end().success());
}

#[test]
fn long_notes_come_in_pages_and_each_step_begins_with_its_first() {
    let long = "Words of long notes.\n\n".repeat(20);
    let course = SmallCourse::new();
    for step in ["fails", "hello"] {
        add_notes(&course, "trouble", step, &long);
    }
    let mut play = open(&course, "lesson trouble fails hello");
    let mut notes = open(&course, "notes");
    notes.wait_for("step 1 of 3 \u{b7} page 1 of 3");
    notes.follow(". => page 2 of 3\n. => screen: the text");
    play.follow(". => Step fails failed\n => r again");
    // The run has the same notes as the text before it, so the page stays.
    notes.wait_for("screen: the run in Rust");
    notes.follow("< => page 2 of 3");
    play.follow(". => hello: what hello shows");
    notes.wait_for("step 2 of 3 \u{b7} page 1 of 3");
}

#[test]
fn without_notes_a_play_goes_on_and_without_a_terminal_there_are_no_notes() {
    let course = SmallCourse::new();
    // As in a target folder where nothing can be written.
    course.write("target/course", "");
    let run = course.run(&["lesson", "greeting"]);
    assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
    let run = course.run(&["notes"]);
    assert!(run.error.contains("need a terminal"), "{run:?}");
    assert_eq!((run.out.as_str(), run.status), ("", Some(2)));
}
