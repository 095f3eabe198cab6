//! An interrupted task leaves nothing behind, and if the output is closed, the exit status
//! still shows the result.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::exercise::{course_with_exercise, write_program};
use crate::small_course::{SmallCourse, awaited, finished, signal, state, wait_until};

/// Starts xtask, waits for a line that contains a text, and returns the line and the rest of the output.
fn read_until(mut command: Command, text: &'static str) -> (Child, String, impl BufRead + use<>) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut player = command.spawn().expect("xtask starts");
    let mut out = BufReader::new(player.stdout.take().expect("its output"));
    let (line, out) = awaited(player.id(), move || {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(out.read_line(&mut line).expect("a line"), 0, "no {text:?}");
        }
        (line, out)
    });
    (player, line, out)
}

#[test]
fn an_interruption_ends_the_step_too_unless_the_signal_was_ignored_at_the_start() {
    let course = SmallCourse::new();
    let signals = [
        ("INT", "HUP"),
        ("TERM", "INT"),
        ("HUP", "QUIT"),
        ("QUIT", "TERM"),
    ];
    for (deadly, ignored) in signals {
        let command = course.command(&["lesson", "trouble", "sleeps"]);
        let command = ignoring(ignored, &command);
        let (mut player, line, _out) = read_until(command, "sleeping in ");
        let step = line.trim().trim_start_matches("sleeping in ");
        let is_gone = || ["", "Z"].contains(&&*state(step));
        signal(ignored, player.id());
        thread::sleep(Duration::from_millis(300));
        assert!(player.try_wait().expect("its state").is_none(), "{ignored}");
        assert!(!is_gone(), "{ignored}");
        signal(deadly, player.id());
        wait_until("xtask ends", || {
            player.try_wait().expect("its state").is_some()
        });
        wait_until("the step ends", is_gone);
    }
}

/// Returns a command that runs another one with a signal ignored, as `nohup` does.
fn ignoring(signal: &str, command: &Command) -> Command {
    let variables = command.get_envs();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("trap '' {signal}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .current_dir(command.get_current_dir().expect("a folder"));
    shell
}

#[test]
fn a_closed_output_ends_the_player_silently() {
    let course = SmallCourse::new();
    let (player, _, out) = read_until(course.command(&["lesson", "greeting"]), "Lesson 1 of 3");
    drop(out);
    let run = finished(player);
    assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
    // Any other failure to write is an error.
    let mut list = course.command(&["lesson", "--list"]);
    let full = File::create("/dev/full").expect("a device that is always full");
    let list = list.stdout(full).stderr(Stdio::null()).status();
    assert_eq!(list.expect("xtask starts").code(), Some(1));
}

/// Runs a command with a closed output, and returns its exit status.
pub(crate) fn unread(mut command: Command) -> Option<i32> {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let program = command.stdout(writer).stderr(Stdio::piped()).spawn();
    // The command still has the other end.
    drop(command);
    let run = finished(program.expect("xtask starts"));
    assert!(!run.error.contains("pipe"), "{run:?}");
    run.status
}

#[test]
fn the_exit_status_counts_even_if_the_output_is_closed() {
    let course = SmallCourse::new();
    assert_eq!(unread(course.command(&["check", "greeting"])), Some(1));
    assert_eq!(
        unread(course.command(&["check", "--fix", "greeting"])),
        Some(1)
    );
    let mut doctor = course.command(&["doctor"]);
    doctor.env("TMPDIR", course.path("nowhere"));
    assert_eq!(unread(doctor), Some(1));
}

#[test]
fn an_exercise_is_checked_to_the_end_even_if_the_output_is_closed() {
    let course = course_with_exercise();
    for (status, state) in [(1, "begun"), (0, "solved")] {
        write_program(&course, "", status);
        let run = unread(course.command(&["exercise", "greeting"]));
        assert_eq!(run, Some(status.into()));
        course.follow(&format!("exercise => greeting  {state} "));
    }
}

#[test]
fn a_step_that_fails_after_the_output_was_closed_counts() {
    let course = SmallCourse::new();
    let program = "use std::{fs, path::Path, process::exit, thread::sleep, time::Duration};\n\
                   fn main() {\n    fs::write(\"running\", \"\").unwrap();\n    \
                   while !Path::new(\"unread\").exists() { sleep(Duration::from_millis(5)) }\n    \
                   exit(7)\n}\n";
    course.write("lessons/trouble/src/main.rs", program);
    let (player, _, out) = read_until(
        course.command(&["lesson", "trouble", "fails"]),
        "$ cargo run",
    );
    drop(out);
    course.wait_for("running");
    course.write("unread", "");
    let run = finished(player);
    assert_eq!((run.error.as_str(), run.status), ("", Some(1)));
}

#[test]
fn a_step_that_failed_before_the_output_was_closed_counts() {
    let course = SmallCourse::new();
    // More than a pipe holds.
    let notice = "Notice all of this. ".repeat(10_000);
    course.replace("lessons/trouble/README.md", "Notice fails.", &notice);
    let arguments = ["lesson", "trouble", "fails"];
    let (player, _, out) = read_until(course.command(&arguments), "Step fails failed");
    drop(out);
    let run = finished(player);
    assert_eq!((run.error.as_str(), run.status), ("", Some(1)));
}
