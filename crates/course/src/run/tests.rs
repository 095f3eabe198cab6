use super::{End, LONGEST_LINE, Line, run};
use std::io;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Only one group runs at a time, as in the program itself.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const LONG: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn gather(script: &str, limit: Duration) -> (End, Vec<Line>) {
    let _turn = ONE_AT_A_TIME.lock();
    let mut lines = Vec::new();
    let end = run(shell(script), limit, |line| {
        lines.push(line);
        Ok(())
    });
    (end.unwrap(), lines)
}

/// Tells whether a process is there, a dead one that is not yet waited for not counting.
fn is_alive(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until a process is gone, for 30 seconds at most.
fn is_gone(pid: &str) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if !is_alive(pid) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn lines_of_both_streams_come_as_they_are_written_and_the_status_is_told() {
    let _turn = ONE_AT_A_TIME.lock();
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    // It goes on once its first line has been seen.
    let script = "echo one; until test -e \"$0\"; do sleep 0.01; done; echo two >&2; exit 3";
    let mut command = shell(script);
    command.arg(&seen);
    let mut lines = Vec::new();
    let end = run(command, LONG, |line| {
        lines.push(line);
        std::fs::write(&seen, "")
    });
    assert_eq!(
        lines,
        [Line::Output("one".into()), Line::Error("two".into())]
    );
    let end = end.unwrap();
    assert!(!end.is_success());
    assert_eq!(end.to_string(), "it ended with exit status: 3");
}

#[test]
fn every_line_comes_however_slow_the_screen_is() {
    let _turn = ONE_AT_A_TIME.lock();
    let mut count = 0;
    let end = run(shell("seq 2000"), LONG, |_| {
        count += 1;
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    });
    assert!(end.unwrap().is_success());
    assert_eq!(count, 2000);
}

#[test]
fn a_screen_that_stands_still_is_not_held_against_the_program() {
    let _turn = ONE_AT_A_TIME.lock();
    let limit = Duration::from_secs(3);
    let mut lines = 0;
    let end = run(shell("seq 3"), limit, |_| {
        if lines == 0 {
            std::thread::sleep(limit);
        }
        lines += 1;
        Ok(())
    });
    assert!(end.unwrap().is_success());
    assert_eq!(lines, 3);
}

#[test]
fn a_run_without_end_is_ended_with_its_children() {
    let (end, lines) = gather("sleep 60 & echo $!; sleep 60", Duration::from_secs(3));
    assert!(matches!(end, End::TooLong(_)), "{end}");
    let [Line::Output(pid)] = lines.as_slice() else {
        panic!("expected one line, got {lines:?}");
    };
    assert!(is_gone(pid));
}

#[test]
fn a_program_that_prints_for_ever_is_ended_at_the_limit() {
    let _turn = ONE_AT_A_TIME.lock();
    let mut count = 0_u64;
    let end = run(shell("yes"), Duration::from_secs(3), |_| {
        count += 1;
        Ok(())
    });
    assert!(matches!(end, Ok(End::TooLong(_))), "{end:?}");
    assert!(count > 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_has_left_the_group_does_not_hold_up_the_course() {
    for script in ["yes", "sleep 60"] {
        let _turn = ONE_AT_A_TIME.lock();
        let mut pid = String::new();
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("left");
        let start = format!(
            "setsid sh -c ': > \"$0\"; exec {script}' \"$LEFT\" & echo $!; \
             until test -e \"$LEFT\"; do sleep 0.01; done"
        );
        let mut command = shell(&start);
        command.env("LEFT", left);
        let end = run(command, LONG, |line| {
            if let Line::Output(line) = line
                && line != "y"
            {
                pid = line;
            }
            Ok(())
        });
        assert!(end.unwrap().is_success());
        // The one that prints is ended by its next line, for which nobody is left.
        if script.contains("sleep") {
            let kill = Command::new("kill").arg(&pid).status();
            assert!(kill.unwrap().success(), "it is not one of the group");
        }
        assert!(is_gone(&pid));
    }
}

#[test]
fn a_line_that_is_too_long_comes_in_parts() {
    let (end, lines) = gather(
        "head -c 40000 /dev/zero | tr '\\0' x; echo; echo next",
        LONG,
    );
    assert!(end.is_success());
    let longest = usize::try_from(LONGEST_LINE).unwrap();
    let parts = [longest, longest, 40_000 - 2 * longest].map(|length| "x".repeat(length));
    let [one, two, three] = parts.map(Line::Output);
    assert_eq!(lines, [one, two, three, Line::Output("next".into())]);
}

#[test]
fn a_child_left_behind_does_not_hold_up_the_course() {
    let start = Instant::now();
    let (end, lines) = gather("sleep 60 & echo $!", LONG);
    assert!(end.is_success());
    assert!(start.elapsed() < Duration::from_secs(40));
    let [Line::Output(pid)] = lines.as_slice() else {
        panic!("expected one line, got {lines:?}");
    };
    assert!(is_gone(pid));
}

#[test]
fn when_the_screen_is_gone_the_run_is_ended() {
    let _turn = ONE_AT_A_TIME.lock();
    let mut seen = String::new();
    let error = run(shell("echo $$; sleep 60"), LONG, |line| {
        if let Line::Output(pid) = line {
            seen = pid;
        }
        Err(io::ErrorKind::BrokenPipe.into())
    });
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(is_gone(&seen));
}
