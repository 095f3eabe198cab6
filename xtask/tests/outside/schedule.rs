//! `cargo xtask schedule`: a person chooses who runs next.

use crate::small_course::{SmallCourse, signal, state, wait_until};
use crate::terminal::Terminal;

/// A race of A and B, who both load a total and store one more. With the cure, both at once is impossible.
const PROGRAM: &str = r#"
fn main() {
    let has = |wanted: &str| std::env::args().any(|word| word == wanted);
    if has("wave") {
        eprintln!("error: step wave has no race");
        std::process::exit(2);
    }
    if has("all") {
        print!("AABB: 1 and 1 make 2\nBBAA: 1 and 1 make 2\n");
        let lost = ["ABAB", "ABBA", "BAAB", "BABA"].into_iter().filter(|_| !has("--cure"));
        return lost.for_each(|turns| println!("{turns}: 1 and 1 make 1"));
    }
    println!("goal\tLose an update.\nvalue\tpid\t{}", std::process::id());
    let (mut total, mut seen, mut done) = (0, [0; 2], [0; 2]);
    loop {
        println!("value\ttotal\t{total}");
        if done == [2, 2] {
            return println!("outcome\t1 and 1 make {total}");
        }
        let line = |actor: usize| ["load()", "store()"][done[actor]];
        for actor in [0, 1].into_iter().filter(|actor| done[*actor] < 2) {
            let is_blocked = has("--cure") && done[1 - actor] == 1;
            let kind = if is_blocked { "blocked" } else { "next" };
            println!("{kind}\t{}\t{}", ["A", "B"][actor], line(actor));
        }
        println!("choose");
        let mut letter = String::new();
        if std::io::stdin().read_line(&mut letter).unwrap() == 0 {
            let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
            return std::fs::write(root + "/ended", "").unwrap();
        }
        let actor = usize::from(letter.trim() == "B");
        print!("did\t{}\t{}\t", letter.trim(), line(actor));
        if done[actor] == 0 {
            seen[actor] = total;
            println!("{total}");
        } else {
            total = seen[actor] + 1;
            println!();
        }
        done[actor] += 1;
    }
}
"#;

fn course() -> SmallCourse {
    let course = SmallCourse::new();
    course.write("lessons/greeting/src/main.rs", PROGRAM);
    course.append("lessons/greeting/README.md", "\n## wave: no race\n\nA.\n");
    course
}

fn scheduling() -> Terminal {
    Terminal::playing_in(course(), "exec \"$@\"", "schedule greeting hello")
}

#[test]
fn an_update_is_lost_step_by_step_but_not_with_the_cure() {
    let mut terminal = scheduling();
    terminal.wait_for("Lose an update.");
    terminal.follow(
        "1 => load()  \u{2192} 0
         b => 2 of 4 turns
         2 => total = 1  (was 0)
         2 => B is finished.
         u => 2 of 4 turns
         21 => 4 of 6 schedules end like this.
         1 => It's over: u takes a step back
         ? => quits, and prints
         u => 3 of 4 turns
         n => 0 of 4 turns
         l => l no cure
         1 => 1 A runs   u step back
         2 => B is blocked: `load()` waits for another one.
         122 => In none of them does anything go wrong.
         q => AABB: 1 and 1 make 2. To replay it:\r
         x => $ cargo run -q -p greeting -- hello --schedule AABB --cure",
    );
    assert!(terminal.end().success());
}

#[test]
fn a_killed_program_is_an_error_and_after_the_scheduler_the_program_ends_by_itself() {
    for end in ["program killed", "scheduler killed", "q"] {
        let mut terminal = scheduling();
        terminal.wait_for("pid = ");
        let program = terminal.wait_for("\r\n");
        terminal.wait_for("? keys");
        match end {
            "program killed" => {
                signal("KILL", &program);
                terminal.wait_for("error: the program gives no answer: it ended with signal: 9");
                assert_eq!(terminal.end().code(), Some(1));
            }
            "scheduler killed" => {
                signal("KILL", terminal.player.id());
                terminal.course.wait_for("ended");
            }
            _ => {
                terminal.press("q");
                assert!(terminal.end().success());
                assert!(terminal.course.path("ended").exists());
            }
        }
        wait_until("the program ends", || {
            ["", "Z"].contains(&&*state(&program))
        });
    }
}

#[test]
fn an_error_says_why_there_is_nothing_to_schedule() {
    let mut terminal = Terminal::playing("schedule trouble hello");
    terminal.wait_for("error: the program says what isn't part of a race: `live hello from ");
    assert_eq!(terminal.end().code(), Some(1));
    let course = course();
    let bytecodes = "there is no lessons/greeting/bytecodes.py";
    let typed = "Without one, `cargo run -q -p greeting -- hello --schedule all`";
    for (arguments, why) in [
        ("schedule greeting hello", typed),
        ("schedule greeting hello --python", bytecodes),
        ("schedule greeting wave", "error: step wave has no race\n"),
        ("schedule greeting helo", "did you mean `hello`?"),
        ("schedule greeting", "give a lesson and a step with a race"),
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let run = course.run(&words);
        assert_eq!(run.status, Some(2), "{run:?}");
        assert!(run.error.contains(why), "{run:?}");
    }
}
