//! The reader of the output goes away: the exit status still says how the work went.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::small_course::{SmallCourse, finished};

/// Runs a command whose output nobody reads, and gives its exit status.
fn unread(mut command: Command) -> Option<i32> {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let program = command.stdout(writer).stderr(Stdio::piped()).spawn();
    // The command still has the other end.
    drop(command);
    let told = finished(program.expect("xtask starts"));
    assert!(!told.error.contains("pipe"), "{told:?}");
    told.status
}

/// Plays the step that fails, reads what is shown up to a line with this text, and goes away.
fn read_until(course: &SmallCourse, text: &'static str) -> Child {
    let mut player = course
        .command(&["lesson", "trouble", "fails"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let out = player.stdout.take().expect("its output");
    let (sender, found) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let is_found = lines.any(|line| line.contains(text));
        drop(lines);
        sender.send(is_found)
    });
    let found = found.recv_timeout(Duration::from_mins(2));
    if found != Ok(true) {
        player.kill().expect("it is killed");
        panic!("no {text:?}: {found:?}");
    }
    player
}

#[test]
fn what_check_writes_and_finds_counts() {
    let course = SmallCourse::new();
    let main = "lessons/greeting/src/main.rs";
    course.append(main, "\nfn hello() {\n    main();\n}\n");
    let check = course.command(&["check", "--fix", "greeting"]);
    assert_eq!(unread(check), Some(1));
    let readme = course.read("lessons/greeting/README.md");
    assert!(readme.contains("fn hello() {\n    main();"), "{readme}");
}

#[test]
fn what_the_doctor_finds_counts() {
    let course = SmallCourse::new();
    let mut doctor = course.command(&["doctor"]);
    doctor.env("TMPDIR", course.path("nowhere"));
    assert_eq!(unread(doctor), Some(1));
}

#[test]
fn an_exercise_is_checked_to_the_end() {
    let course = SmallCourse::new();
    course.append(
        "lessons/greeting/Cargo.toml",
        "\n[[example]]\nname = \"greeting-exercise\"\npath = \"exercise/main.rs\"\n",
    );
    course.write(
        "lessons/greeting/exercise/task.md",
        "# Greet\n\nGreet me.\n\n## Hint 1\n\nGreet.\n",
    );
    for (status, state) in [(1, "begun"), (0, "solved")] {
        let program = format!("fn main() {{\n    std::process::exit({status})\n}}\n");
        course.write("lessons/greeting/exercise/main.rs", &program);
        let told = unread(course.command(&["exercise", "greeting"]));
        assert_eq!(told, Some(status));
        let list = course.tell(&["exercise"]);
        assert!(list.out.contains(&format!(" {state} ")), "{list:?}");
    }
}

const PROGRAM: &str = r#"
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    fs::write("running", "").unwrap();
    let start = Instant::now();
    while !Path::new("unread").exists() && start.elapsed() < Duration::from_secs(50) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::exit(7);
}
"#;

#[test]
fn a_step_that_fails_when_nobody_reads_any_more_is_a_failure_of_the_lesson() {
    let course = SmallCourse::new();
    course.write("lessons/trouble/src/main.rs", PROGRAM);
    let player = read_until(&course, "$ cargo run");
    course.wait_for("running");
    course.write("unread", "");
    let told = finished(player);
    assert_eq!(told.error, "");
    assert_eq!(told.status, Some(1));
}

#[test]
fn a_failure_that_was_read_counts_though_what_follows_is_not() {
    let course = SmallCourse::new();
    // More than a pipe holds.
    let notice = "Notice all of this.\n\n".repeat(10_000);
    course.replace("lessons/trouble/README.md", "Notice fails.", &notice);
    let player = read_until(&course, "Step fails failed");
    let told = finished(player);
    assert_eq!(told.error, "");
    assert_eq!(told.status, Some(1));
}
