//! Playing that is cut short leaves nothing behind.
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::small_course::{SmallCourse, awaited, finished, told};

const LIMIT: Duration = Duration::from_secs(30);

/// Starts the step that sleeps, with a signal ignored as by `nohup`, and returns its process id once it
/// is running.
fn start_sleeping(course: &SmallCourse, ignored: &str) -> (Child, BufReader<ChildStdout>, String) {
    let command = course.command(&["lesson", "trouble", "sleeps"]);
    let variables = command.get_envs();
    let mut player = Command::new("sh")
        .args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .current_dir(command.get_current_dir().expect("a folder"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let mut out = BufReader::new(player.stdout.take().expect("its output"));
    let (out, pid) = awaited(&mut player, "the step begins", move || {
        let lines = out.by_ref().lines().map(|line| line.expect("a line"));
        let mut pids =
            lines.filter_map(|line| Some(line.trim().strip_prefix("sleeping in ")?.into()));
        let pid = pids.next().expect("the step begins");
        drop(pids);
        (out, pid)
    });
    (player, out, pid)
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn is_gone(pid: &str) -> bool {
    let state = told(Command::new("ps").args(["-o", "stat=", "-p", pid])).out;
    state.trim().is_empty() || state.trim().starts_with('Z')
}

fn send(signal: &str, player: &Child) {
    let kill = told(Command::new("kill").args(["-s", signal, &player.id().to_string()]));
    assert_eq!(kill.status, Some(0), "{kill:?}");
}

#[test]
fn an_interruption_ends_the_step_too_unless_the_signal_was_ignored_at_the_start() {
    for (signal, ignored) in [
        ("INT", "HUP"),
        ("TERM", "INT"),
        ("HUP", "QUIT"),
        ("QUIT", "TERM"),
    ] {
        let course = SmallCourse::new();
        let (mut player, _out, step) = start_sleeping(&course, ignored);
        send(ignored, &player);
        thread::sleep(Duration::from_millis(300));
        assert!(player.try_wait().expect("its state").is_none(), "{ignored}");
        assert!(!is_gone(&step), "{ignored}");
        send(signal, &player);
        wait_until("xtask ends", || {
            player.try_wait().expect("its state").is_some()
        });
        wait_until("the step ends", || is_gone(&step));
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_playing_quietly() {
    let course = SmallCourse::new();
    let mut command = course.command(&["lesson", "greeting"]);
    let mut player = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let mut out = BufReader::new(player.stdout.take().expect("its output"));
    let first = awaited(&mut player, "the first line", move || {
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        first
    });
    assert_eq!(first, "Lesson 1 of 3\n");
    let ended = finished(player);
    assert_eq!((ended.error.as_str(), ended.status), ("", Some(0)));
}
