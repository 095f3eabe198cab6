//! `cargo xtask lesson` on a terminal, page by page.

use std::process::Command;

use crate::counterparts::{path_with, stand_in};
use crate::small_course::{SmallCourse, run_to_end, signal, state, wait_until};
use crate::terminal::{Terminal, set_rows};

#[test]
fn keys_need_no_enter_and_a_suspended_player_restores_the_terminal() {
    let mut terminal = Terminal::playing("lesson greeting");
    terminal.wait_for("Enter continue");
    assert!(!terminal.has_original_modes());
    let player = terminal.player.id();
    signal("TSTP", player);
    wait_until("it stops", || state(player) == "T");
    assert!(terminal.has_original_modes());
    signal("CONT", player);
    // The page is shown again. Then a space, and a remote control's Page Down.
    terminal.wait_for("Enter continue");
    assert!(!terminal.has_original_modes());
    terminal.press(" ");
    terminal.wait_for("Enter run");
    terminal.press("\x1b[6~");
    terminal.wait_for("live hello from ");
    terminal.wait_for("r again");
    terminal.follow("q => $ cargo xtask lesson greeting --from greeting\n");
    assert!(terminal.end().success());
}

#[test]
fn a_player_suspended_during_a_run_shows_the_page_again_with_the_next_line() {
    let mut terminal = Terminal::playing("lesson trouble fails");
    let waiting = "fn main() {
        println!(\"one\");
        let go = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/go\");
        while !std::fs::exists(go).unwrap() { std::thread::yield_now() }
        println!(\"two\");
    }";
    terminal
        .course
        .write("lessons/trouble/src/main.rs", waiting);
    terminal.wait_for("Enter run");
    terminal.follow(". => running ...\n => one");
    let player = terminal.player.id();
    signal("TSTP", player);
    wait_until("it stops", || state(player) == "T");
    signal("CONT", player);
    wait_until("it resumes", || !terminal.has_original_modes());
    terminal.course.write("lessons/trouble/go", "");
    terminal.follow(" => running ...\n => one\n => two\n => r again");
}

#[test]
fn a_page_follows_the_size_of_the_terminal() {
    let mut terminal = Terminal::playing("lesson greeting");
    terminal.wait_for("Enter continue");
    set_rows(&terminal.keys, 6);
    terminal.wait_for("page 1 of 2");
    terminal.follow(". => page 2 of 2\n => The opening of greeting.");
    set_rows(&terminal.keys, 24);
    terminal.wait_for("Enter continue");
}

#[test]
fn each_key_does_what_it_says() {
    let mut terminal = Terminal::playing("lesson greeting broken");
    terminal.wait_for("Enter continue   s next lesson   q quit   ? keys");
    terminal.follow(
        "bx => the step before this one
        . => The opening of greeting.
        s => The opening of broken.
        < => Things to try
        < => Enter run   \u{2190} page back   b step back   s next lesson
        . => r again
        < => Enter see the run
        . => r again
        b => The opening of greeting.
        s => The opening of broken.
        . => Enter run
        . => no_such_function
         => r again
        r => no_such_function
         => r again
        b => The opening of broken.
        q => 2 steps, ",
    );
    terminal.wait_for("- broken hello: the lesson does not build");
    terminal.wait_for("$ cargo xtask lesson greeting broken --from broken hello\r\n");
    assert_eq!(terminal.end().code(), Some(1));
}

#[test]
fn a_page_back_shows_the_run_again_and_only_r_runs_the_step_again() {
    let mut terminal = Terminal::playing("lesson greeting hello");
    terminal.wait_for("Enter run");
    terminal.follow(". => live hello from ");
    let first = terminal.wait_for("Rust took");
    let process = first
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    terminal.follow(" => r again\n< => Guess.\n. => live hello from ");
    assert!(terminal.wait_for("Rust took").starts_with(&process));
    terminal.follow("r => live hello from ");
    assert!(!terminal.wait_for("Rust took").starts_with(&process));
}

#[test]
fn the_question_stands_once_on_each_page_from_the_one_that_asks_it_to_the_end_of_the_step() {
    const QUESTION: &str = "What will it print?";
    let course = SmallCourse::new();
    let more = "Words of a long text.\n\n".repeat(30);
    let readme = "lessons/greeting/README.md";
    let asking = format!("{more}**What `will`\nit print?**\n\n{more}");
    course.replace(readme, "Guess.\n", &asking);
    let answer = format!("Notice hello.\n\n{more}");
    course.replace(readme, "Notice hello.\n", &answer);
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", "lesson greeting hello");
    let mut asked = Vec::new();
    while !asked.ends_with(&["run"]) {
        let count = terminal.wait_for("Enter ").matches(QUESTION).count();
        asked.push(["no", "once", "twice"][count]);
        if terminal.wait_for(" ") == "run" {
            asked.push("run");
        }
        terminal.press("\r");
    }
    let pages = asked.join(" ");
    assert!(pages.starts_with("no no no once once "), "{pages}");
    assert!(!pages.contains("twice"), "{pages}");
    terminal.follow(&format!(" => r again\n. => {QUESTION}\n. => {QUESTION}"));
}

#[test]
fn a_page_and_its_prompt_fit_on_the_terminal_in_plain_text_too() {
    const ROWS: usize = 24;
    let course = SmallCourse::new();
    // The code is longer than a page, so it fills the rest of the first one.
    let prose = "Guess, and guess again.\n".repeat(20);
    let short = "    // as wide as it may be\n".repeat(20);
    let wide = format!("    // {}\n", "wide ".repeat(16)).repeat(2);
    course.replace(
        "lessons/greeting/README.md",
        "Guess.\n\n```rust\nfn hello() {}\n",
        &format!("{prose}\n```rust\n{wide}{short}"),
    );
    let arguments = "lesson greeting hello --plain";
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", arguments);
    for question in ["more", "run"] {
        let page = terminal.wait_for("[Enter: ");
        let rows = page.lines().map(|line| line.len().div_ceil(80).max(1));
        // The prompt has a row, and there is one below it.
        assert!(rows.sum::<usize>() + 2 <= ROWS, "before {question}: {page}");
        assert!(page.ends_with("\r\n\r\n"), "before {question}: {page}");
        assert_eq!(page.contains("step hello"), question == "more", "{page}");
        assert_eq!(terminal.wait_for(" "), question);
        terminal.press(if question == "more" { "\n" } else { "q" });
    }
    assert!(terminal.end().success());
}

#[test]
fn however_a_wait_ends_the_terminal_is_restored() {
    // Ctrl-C, Ctrl-D, and a signal from another process.
    for (key, is_orderly) in [("\x03", false), ("\x04", true), ("", false)] {
        let mut terminal = Terminal::playing("lesson greeting");
        terminal.wait_for("Enter continue");
        assert!(!terminal.has_original_modes());
        if key.is_empty() {
            signal("TERM", terminal.player.id());
        } else {
            terminal.press(key);
        }
        assert_eq!(terminal.end().success(), is_orderly, "{key:?}");
    }
}

#[test]
fn a_player_suspended_by_a_shell_obeys_a_signal() {
    let script = "set -m; \"$@\"; kill -s TERM %1; kill -s CONT %1; \
                  while kill -s 0 %1; do sleep 0.1; done; echo ended";
    let course = SmallCourse::new();
    let mut terminal = Terminal::playing_in(course, script, "lesson greeting");
    terminal.wait_for("Enter continue");
    terminal.press("\x1a");
    terminal.wait_for("\r\nended");
    assert!(terminal.end().success());
}

#[test]
fn an_interruption_ends_the_step_or_the_build_and_restores_the_terminal() {
    let mut terminal = Terminal::playing("lesson trouble sleeps");
    terminal.wait_for("Enter run");
    terminal.press("\n");
    terminal.wait_for("sleeping in ");
    let step = terminal.wait_for("\r\n");
    terminal.press("\x03");
    assert!(!terminal.end().success());
    wait_until("the step ends", || ["", "Z"].contains(&&*state(&step)));

    let slow = "fn main() { std::thread::sleep(std::time::Duration::from_secs(50)) }";
    let course = SmallCourse::new();
    course.write("lessons/greeting/build.rs", slow);
    let arguments = "lesson greeting hello";
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", arguments);
    terminal.wait_for("Enter run");
    terminal.press("\n");
    terminal.wait_for("Building ");
    terminal.press("\x03");
    assert!(!terminal.end().success());
    let target = terminal.course.path("target").display().to_string();
    wait_until("the building ends", || {
        let all = run_to_end(Command::new("ps").args(["-e", "-o", "args="])).out;
        !all.lines().any(|line| line.starts_with(&target))
    });
}

#[test]
fn a_failed_step_counts_as_a_success_once_its_program_is_fixed() {
    let mut terminal = Terminal::playing("lesson trouble fails");
    terminal.wait_for("Enter run");
    terminal.follow(". => Step fails failed: it ended with ");
    terminal.wait_for("r again");
    let fixed = "fn main() { println!(\"fixed\") }";
    terminal.course.write("lessons/trouble/src/main.rs", fixed);
    terminal.follow("r => fixed\n => r again\nq => 1 step, ");
    terminal.wait_for("Everything worked.");
    assert!(terminal.end().success());
}

#[test]
fn with_no_wait_it_plays_through_on_a_terminal_too() {
    let mut terminal = Terminal::playing("lesson greeting --no-wait");
    terminal.wait_for("live hello");
    terminal.wait_for("1 step, ");
    assert!(terminal.end().success());
}

#[test]
fn with_python_it_waits_between_the_runs_and_without_it_p_shows_the_run() {
    let script = "test $1 = --version && echo Python 3.9.0 && exit; echo \"python ran $@\"";
    let python = stand_in(script);
    let path = path_with(python.path()).display().to_string();
    let script = format!("PATH='{path}' exec \"$@\"");
    let course = SmallCourse::new();
    let long = "Words of a long text.\n\n".repeat(20);
    course.replace("lessons/greeting/README.md", "Guess.\n", &long);
    let playing = |arguments| Terminal::playing_in(course.clone(), &script, arguments);
    let mut terminal = playing("lesson greeting hello --python");
    terminal.follow(
        " => page 1 of 3
        . => page 2 of 3
        . => Enter run Python
        . => python ran lessons/greeting/greeting.py hello
         => Enter run
        . => live hello
         => r again
        q => Everything worked.",
    );
    let mut terminal = playing("lesson greeting hello");
    terminal.follow(
        " => page 1 of 3
        . => page 2 of 3
        p => python ran lessons/greeting/greeting.py hello
         => Enter go on
        . => page 2 of 3
        . => Enter run
        . => live hello
         => r again
        q => Everything worked.",
    );
}
