//! `cargo xtask exercise NAME --watch`, on a terminal.

use std::fs;

use crate::exercise::{PROGRAM, add_exercise, course_with_exercise, write_program};
use crate::progress::PROGRESS;
use crate::small_course::{SmallCourse, signal, state, wait_until};
use crate::terminal::Terminal;

/// What stands above the keys, before the first attempt and after it.
const FIRST: &str = "Save lessons/greeting/exercise/main.rs to run the checks.";
const AGAIN: &str = "Save lessons/greeting/exercise/main.rs to run the checks again.";

const LISTED_AS_SOLVED: &str = "exercise => greeting  solved";
const LISTED_AS_BEGUN: &str = "exercise => greeting  begun";

fn watching(course: SmallCourse) -> Terminal {
    let arguments = "exercise greeting --watch";
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", arguments);
    terminal.wait_for(FIRST);
    terminal
}

fn quit(mut terminal: Terminal) -> SmallCourse {
    terminal.press("q");
    assert!(terminal.end().success());
    terminal.course.clone()
}

fn wait_for_result(terminal: &mut Terminal, result: &str) {
    // First on the live page, then on the page with keys.
    for text in [result, result, AGAIN] {
        terminal.wait_for(text);
    }
}

#[test]
fn saves_and_hints_lead_from_a_wrong_attempt_to_the_next_exercise() {
    let course = course_with_exercise();
    add_exercise(&course, "broken");
    course.write("lessons/broken/exercise/main.rs", "fn main() {}\n");
    let mut terminal = watching(course);
    // There's nothing to solve yet, so this key does nothing.
    terminal.press("s");
    write_program(&terminal.course, "", 1);
    wait_for_result(&mut terminal, "Not solved yet.");
    terminal.wait_for("Enter run now   h next hint   t task   q quit");
    terminal.follow(
        "h => hint 1 of 2
           => The first hint.
           => Enter back   h next hint
         h => The first hint.
           => The second hint.
           => Enter back   t task
         t => Greet me.
           => Enter back   h hints
         . => Not solved yet.
           => Enter run now",
    );
    terminal.course.write(PROGRAM, "fn main() { greet() }\n");
    wait_for_result(&mut terminal, "does not build yet. Cargo's errors:");
    terminal.follow("t => Enter back");
    write_program(&terminal.course, "// right", 0);
    wait_for_result(&mut terminal, "Solved: all checks passed.");
    terminal.wait_for("Enter run now   n next exercise   s solution   t task   q quit");
    terminal.course.follow(LISTED_AS_SOLVED);
    terminal.follow(
        "s => a solution
           => fn main() {} // solved
           => Enter back
         n => Exercise 3 broken
           => Greet me.
           => Enter run now
         q => cargo xtask exercise broken --watch",
    );
    assert!(terminal.end().success());

    let mut terminal = watching(terminal.course.clone());
    terminal.wait_for("Enter run now   n next exercise   s solution   q quit");
    terminal.press("\n");
    wait_for_result(&mut terminal, "Solved: all checks passed.");
    terminal.press("\x04");
    assert!(terminal.end().success());
}

/// Returns a program that waits for the file `go`, and then succeeds.
fn waiting_program(course: &SmallCourse) -> String {
    let go = course.path("go").display().to_string();
    format!(
        "use std::{{path, process, thread, time}};\nfn main() {{\n    \
         println!(\"waiting in {{}}\", process::id());\n    \
         while !path::Path::new(\"{go}\").exists() {{\n        \
         thread::sleep(time::Duration::from_millis(10));\n    }}\n}}\n"
    )
}

#[test]
fn a_save_during_the_checks_runs_them_again() {
    let mut terminal = watching(course_with_exercise());
    let first = waiting_program(&terminal.course);
    terminal.course.write(PROGRAM, &first);
    terminal.wait_for("waiting in ");
    write_program(&terminal.course, "// saved meanwhile", 1);
    terminal.course.write("go", "");
    wait_for_result(&mut terminal, "Solved: all checks passed.");
    wait_for_result(&mut terminal, "Not solved yet.");
    let course = quit(terminal);
    course.follow(LISTED_AS_BEGUN);
    // The first result belongs to the first text.
    course.replace(PROGRESS, "\nchecked greeting failed", "");
    course.follow(LISTED_AS_BEGUN);
    course.write(PROGRAM, &first);
    course.follow(LISTED_AS_SOLVED);
}

#[test]
fn a_save_during_the_build_builds_again_before_anything_is_run() {
    let course = course_with_exercise();
    course.write("lessons/greeting/build.rs", &waiting_program(&course));
    let mut terminal = watching(course);
    write_program(&terminal.course, "// first", 0);
    terminal.wait_for("Compiling greeting");
    write_program(&terminal.course, "// second", 0);
    terminal.course.write("go", "");
    wait_for_result(&mut terminal, "Solved: all checks passed.");
    quit(terminal).follow(LISTED_AS_SOLVED);
}

#[test]
fn an_editor_may_replace_the_file_and_an_older_text_is_built_too() {
    let course = course_with_exercise();
    let (file, copy) = (course.path(PROGRAM), course.path("copy.rs"));
    fs::copy(&file, &copy).expect("a copy of the gap");
    let mut terminal = watching(course);
    fs::remove_file(&file).expect("the editor removes the file");
    terminal.press("\n");
    wait_for_result(&mut terminal, "The checks cannot be run: cannot read");
    let new = "lessons/greeting/exercise/new.rs";
    terminal.course.write(new, "fn main() {}\n");
    fs::rename(terminal.course.path(new), &file).expect("the editor puts a new file there");
    wait_for_result(&mut terminal, "Solved: all checks passed.");
    // The copy was changed before the last build.
    fs::rename(&copy, &file).expect("the copy moves back");
    wait_for_result(&mut terminal, "Not solved yet.");
    quit(terminal);
}

#[test]
fn an_interruption_ends_the_checks_and_restores_the_terminal() {
    for name in ["INT", "TERM"] {
        let mut terminal = watching(course_with_exercise());
        let program = waiting_program(&terminal.course);
        terminal.course.write(PROGRAM, &program);
        terminal.wait_for("waiting in ");
        let program = terminal.wait_for("\r\n");
        match name {
            "INT" => terminal.press("\x03"),
            _ => signal(name, terminal.player.id()),
        }
        assert!(!terminal.end().success());
        wait_until("the checks end", || ["", "Z"].contains(&&*state(&program)));
    }
}
